"""Handing the copy of their data to a person by a link that works once and for a while.

Rules:

1. What stands in a link is 32 random bytes; the store has a keyed hash of them, so that who reads the database cannot
   use one. A new link takes the place of the one before, and all go with the person.
2. The link opens a page with a button. Only the button uses it: programs of messengers look at every link that is
   sent, and would use it up.
3. Of two that press it at once one gets the copy; the other is told what everybody is told of a link that is none, was
   used, or is over: the same words, after the same work.
4. The copy is made while it is collected, from what is held then, as a stream. It is on no disk of ours. One that
   breaks off is not resumed: the person asks for another link.
5. Another system that passed a request on is told its link several times, so that one is a keyed hash of the request's
   id. It stands beside the person's own, until the person asks for a new one.
6. Linked conversations are in the copy where the person's proof counted when the link was made, or others than the
   person made it. That is in the hash, so that nobody who writes into the table makes more of a link.
"""

import base64
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import answering, record
from rasa_privacy.crypto.archive import MIN_PASSPHRASE as MIN_PASSPHRASE  # noqa: PLC0414 - named from here
from rasa_privacy.crypto.archive import checked_passphrase
from rasa_privacy.errors import AccessError, RequestError, UnknownSenderError
from rasa_privacy.policy.durations import Length
from rasa_privacy.rights.identity import is_proven
from rasa_privacy.rights.linked import copies_linked
from rasa_privacy.rights.own_acts import note_seen, own_act
from rasa_privacy.rights.portability import copy_chunks
from rasa_privacy.rights.requests import answered, open_request
from rasa_privacy.storage import handovers, requests
from rasa_privacy.storage.vault import Vault

TOKEN_BYTES: Final = 32
#: Below `handover: url:`; what follows is the token.
PATH: Final = "/collect"
#: Names the language of the page, which a link may end with.
LANGUAGE: Final = "l"
#: What the file is called that people save.
FILE_NAME: Final = "my-data.zip"

_DOMAIN: Final = "hand-over"
_ALONE: Final = "hand-over of one conversation"
_RESULTS: Final = "hand-over results"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
#: The end of a link, as it stands in a text.
LINK: Final = re.compile(f"{PATH}/{_TOKEN.pattern}")
_GONE: Final = "this link is not valid, was used already, or is over; ask for a new one where you asked for this one"


@dataclass(frozen=True, slots=True)
class Link:
    """A link for a person, to be shown once.

    Attributes:
        url: The whole address.
        expires_at: Until when it works, aware and in UTC.
    """

    url: str
    expires_at: datetime

    @property
    def token(self) -> str:
        """The secret in it."""
        return self.url.rpartition("/")[2].partition("?")[0]

    def __repr__(self) -> str:
        return f"Link(..., {self.expires_at!r})"


def offer(  # noqa: PLR0913 - to whom, when, in which words, and by whom
    vault: Vault,
    connection: Any,
    sender_id: str,
    now: datetime,
    language: str | None = None,
    *,
    by_staff: bool = False,
) -> Link:
    """Make the link for a person, in place of an earlier one; the request stays open until the copy was collected.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`.
        sender_id: Rasa's conversation key. Whether it is this person's was seen to (`identity.needs_proof`).
        now: The moment, aware and in UTC.
        language: The conversation's, in which the page of the link is; None for what the browser asks for.
        by_staff: Whether staff, who have looked at the person, make it.

    Raises:
        RequestError: privacy.yml has no `handover:`, or nothing is stored of this sender.
    """
    rules = vault.policy.handover
    if rules is None:
        raise RequestError("privacy.yml has no 'handover:', so an operator hands the copy over (`subject export`)")
    subject_id = vault.subjects.find_for_update(connection, sender_id)
    if subject_id is None:
        raise UnknownSenderError("nothing is stored of this sender")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    expires_at = now + Length(rules.valid_for)
    domain = _DOMAIN if by_staff or is_proven(vault, connection, subject_id, now) else _ALONE
    handovers.put(connection, _hash(vault, token, domain), subject_id, now, expires_at)
    open_request(vault, connection, "portability", subject_id, now)
    spoken = "" if language is None else f"?{LANGUAGE}={language}"
    return Link(f"{rules.url.rstrip('/')}{PATH}/{token}{spoken}", expires_at)


def offer_results(vault: Vault, connection: Any, subject_id: bytes, about: str, now: datetime) -> None:
    """Make the link for a request that another system passed on, beside the person's own; `results_url` gives it.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`; the person is locked.
        subject_id: Whose copy it is.
        about: The request, by an id that is used once.
        now: The moment, aware and in UTC.
    """
    rules = vault.policy.handover
    if rules is None:
        raise RequestError("privacy.yml has no 'handover:', so there is no link")
    expires_at = now + Length(rules.valid_for)
    handovers.put_beside(connection, _hash(vault, _token_of(vault, about)), subject_id, now, expires_at)


def results_url(vault: Vault, connection: Any, about: str, now: datetime) -> str | None:
    """Return the link that `offer_results` made, each time the same, or None where it was used, is over, or is none."""
    rules, token = vault.policy.handover, _token_of(vault, about)
    if rules is None or not handovers.is_live(connection, _hash(vault, token), now):
        return None
    return f"{rules.url.rstrip('/')}{PATH}/{token}"


def offer_by_staff(vault: Vault, sender_id: str, permit: Permit) -> Link:
    """Make a link that an operator passes on, under a permit to hand out whole copies.

    Raises:
        AccessError: The permit is for something else, or does not reach everything in the clear.
        RequestError: As `offer`.
    """
    with answering(vault, permit):
        require_whole(permit)

    def work(connection: Any) -> Link:
        made = offer(vault, connection, sender_id, vault.clock(), by_staff=True)
        subject_id = vault.subjects.find(connection, sender_id)
        record(vault, connection, permit, subject_id=subject_id, counts={"links": 1})
        return made

    with answering(vault, permit):
        return vault.database.transact(work)


def require_whole(permit: Permit) -> None:
    """Return where a permit lets somebody hand out whole copies.

    Raises:
        AccessError: It does not.
    """
    permit.require("export")
    permit.require_clear()
    if permit.items is not None or permit.purposes is not None:
        raise AccessError("a person gets a whole copy or none; this role does not reach every item and purpose")


def is_live(vault: Vault, token: str, now: datetime) -> bool:
    """Return whether a link can be used, without using it."""
    with vault.database.read() as connection:
        found = [handovers.is_live(connection, _hash(vault, token, domain), now) for domain in (_DOMAIN, _ALONE)]
    return any(found)


def collect(vault: Vault, token: str, passphrase: str | None, now: datetime) -> Iterator[bytes]:
    """Use a link up and return the bytes of the zip, which are read while they are taken.

    Args:
        vault: The open store.
        token: What stands in the link.
        passphrase: What the zip is encrypted to; None or empty for a plain one.
        now: The moment, aware and in UTC.

    Raises:
        RequestError: The link is none, was used, or is over.
        PassphraseError: The passphrase protects nothing; the link still works.
    """
    words = checked_passphrase(passphrase) if passphrase else None
    sender_id, linked = vault.database.transact(lambda connection: _use(vault, connection, token, now))
    copies = [] if sender_id is None else copies_linked(vault, sender_id, now, links=linked)
    if not copies:
        raise RequestError(_GONE)
    return copy_chunks(copies, words)


def _use(vault: Vault, connection: Any, token: str, now: datetime) -> tuple[str | None, bool]:
    """Use a link up, answer the request, and return a sender id of the person, and whether linked ones go along."""
    whole, alone = (handovers.use(connection, _hash(vault, token, domain), now) for domain in (_DOMAIN, _ALONE))
    subject_id = whole or alone
    names = [] if subject_id is None else vault.senders.ids_of(connection, subject_id)
    if subject_id is None or not names:
        return None, False
    if any(each.kind == "portability" for each in requests.open_of(connection, subject_id)):
        answered(vault, connection, "portability", subject_id, now)
    note_seen(vault, connection, own_act(vault, "export", subject_id))
    return names[0], whole is not None


def _token_of(vault: Vault, about: str) -> str:
    """Return the token of a request that was passed on: a keyed hash, so that it can be told again."""
    return base64.urlsafe_b64encode(vault.index.of(_RESULTS, about)).decode("ascii").rstrip("=")


def _hash(vault: Vault, token: str, domain: str = _DOMAIN) -> bytes:
    """Return the keyed hash of a token; of a text that is none that of a token which nobody has."""
    known = token if _TOKEN.fullmatch(token) else "-"
    return vault.index.of(domain, known)
