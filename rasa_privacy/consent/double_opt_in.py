"""Double opt-in: a yes in the chat counts only after a one-time code came back from the contact on file.

Rules:

1. Until then the ledger's last word is `asked`, so no fold can take the purpose for active. `confirm` records `granted`
   with the method `code`, in the transaction that uses the code up.
2. A code has 6 digits, ends after 15 minutes and bears 5 wrong answers. Asking for another within that time, also after
   a no, starts neither count anew, so guessing gets 5 answers in 15 minutes, whatever one does. Two mails are a minute
   apart, and no contact gets more than three in an hour, whoever asks and under however many names. For this count
   alone an address counts without dots and without what follows a + in the part before the @, which many mail
   servers ignore; so a few people of one domain may share the three.
3. Of the code only a keyed hash is stored, bound to person, purpose and contact: who changes the address on file after
   the mail went out cannot confirm the new one. While the code waits, the contact stands beside it, sealed, so that
   another mail goes there and nowhere else. The confirmed contact is remembered by its hash, for the audience.
4. A contact that an operator or a list has suppressed gets no code.
5. A wrong answer is counted in a transaction that is committed before the error is raised.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from rasa_privacy.consent.ledger import Evidence, record_answer, state_of
from rasa_privacy.consent.state import BY_CODE, CLOCK_TOLERANCE
from rasa_privacy.crypto.identity import SERVICE, no_conversation
from rasa_privacy.crypto.sealing import open_sealed, seal
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.errors import ContactError, OptInError
from rasa_privacy.minimize.contacts import contact_forms
from rasa_privacy.storage import opt_in_codes
from rasa_privacy.storage.opt_in_codes import CONFIRMED, OptInCode
from rasa_privacy.storage.vault import Vault

DIGITS: Final = 6
LIFETIME: Final = timedelta(minutes=15)
MAX_ATTEMPTS: Final = 5
#: Between two mails to one person for one purpose.
PAUSE: Final = timedelta(minutes=1)
#: Mails to one contact within `MAIL_WINDOW`, whoever asks.
MAX_MAILS: Final = 3
MAIL_WINDOW: Final = timedelta(hours=1)

_CODE_DOMAIN: Final = "opt-in code"
_CONFIRMED_DOMAIN: Final = "opt-in contact"
_MAILED_DOMAIN: Final = "opt-in mail"
#: The hash of a code that nothing answers; no keyed hash is zeros.
_NO_CODE: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a code was not accepted.

    Attributes:
        text: For the error; it quotes nothing.
    """

    text: str


def begin(  # noqa: PLR0913, PLR0917 - store, transaction and what the code is bound to
    vault: Vault,
    connection: Any,
    subject_id: bytes,
    purpose: str,
    contact: str,
    now: datetime,
    *,
    below: Callable[[int], int] = secrets.randbelow,
) -> str:
    """Make a new code, which takes the place of an earlier one, and return it. Send it after the commit.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`, in which the subject is locked.
        subject_id: The person.
        purpose: What the person said yes to.
        contact: The email address or phone number on file.
        now: The moment, aware and in UTC.
        below: Source of randomness, as `secrets.randbelow`.

    Raises:
        OptInError: The last code went out less than a minute ago, too many wrong ones came back, or the contact got
            too many.
        ContactError: The contact is neither an email address nor a phone number.
    """
    earlier = opt_in_codes.find(connection, subject_id, purpose)
    attempts = 0
    if earlier is not None and not earlier.is_confirmed and earlier.expires_at > now:
        attempts = earlier.attempts
        if attempts >= MAX_ATTEMPTS:
            raise OptInError("too many wrong codes came back; wait until the last one has ended, 15 minutes at most")
        if now - (earlier.expires_at - LIFETIME) < PAUSE:
            raise OptInError("a code was sent less than a minute ago; wait for it, or ask again in a minute")
    _count_mail(vault, connection, contact, now)
    code = f"{below(10**DIGITS):0{DIGITS}d}"
    digest = _code_hash(vault, subject_id, purpose, contact, code)
    sealed = _seal(vault, connection, subject_id, purpose, contact, now)
    opt_in_codes.put(connection, subject_id, purpose, OptInCode(digest, now + LIFETIME, attempts, sealed))
    return code


def _count_mail(vault: Vault, connection: Any, contact: str, now: datetime) -> None:
    indexes = [vault.index.of(_MAILED_DOMAIN, _mailbox(form)) for form in contact_forms(contact)]
    opt_in_codes.remove_over(connection, now, now - MAIL_WINDOW)
    if opt_in_codes.mails_to(connection, indexes, now - MAIL_WINDOW) >= MAX_MAILS:
        raise OptInError(f"{MAX_MAILS} codes went to this contact within an hour; wait until the hour is over")
    opt_in_codes.note_mail(connection, secrets.token_bytes(16), indexes[0], now)


def _mailbox(form: str) -> str:
    """Return the form of a contact under which its mails are counted; a phone number stays as it is."""
    if not form.startswith("email:"):
        return form
    local, _, domain = form.removeprefix("email:").rpartition("@")
    name = local.partition("+")[0].replace(".", "")
    return f"email:{name or local}@{domain}"


def _seal(vault: Vault, connection: Any, subject_id: bytes, purpose: str, contact: str, now: datetime) -> bytes:  # noqa: PLR0913, PLR0917 - as begin
    key = vault.data_keys.get_or_create(connection, subject_id, SERVICE, now)
    return seal(
        key, contact.encode(), no_conversation(subject_id).code_contact(purpose), secrets.token_bytes(NONCE_BYTES)
    )


def waiting_contact(vault: Vault, connection: Any, subject_id: bytes, purpose: str, now: datetime) -> str | None:
    """Return the contact to which the code that waits went, or None where none waits.

    Raises:
        TamperedSegmentError: The stored contact was changed.
        MalformedSegmentError: It does not follow the format.
    """
    waiting = opt_in_codes.find(connection, subject_id, purpose)
    if waiting is None or waiting.is_confirmed or waiting.contact is None or not _is_live(waiting, now):
        return None
    key = vault.data_keys.get(connection, subject_id, SERVICE)
    if key is None:
        return None
    return open_sealed(key, waiting.contact, no_conversation(subject_id).code_contact(purpose)).decode()


def end_code(connection: Any, subject_id: bytes, purpose: str, now: datetime, *, confirmed: bool = True) -> None:
    """Let a code that waits open nothing any more; the counts stay until its time.

    Args:
        connection: A connection of `Database.transact`, in which the subject is locked.
        subject_id: The person.
        purpose: What the code is for.
        now: The moment, aware and in UTC.
        confirmed: Whether a contact that was confirmed is forgotten too.
    """
    earlier = opt_in_codes.find(connection, subject_id, purpose)
    if earlier is None or (earlier.is_confirmed and not confirmed):
        return
    opt_in_codes.remove(connection, subject_id, purpose)
    if not earlier.is_confirmed and earlier.expires_at > now:
        ended = OptInCode(_NO_CODE, earlier.expires_at, earlier.attempts)
        opt_in_codes.put(connection, subject_id, purpose, ended)


def forget_over(connection: Any, now: datetime) -> None:
    """Delete codes that ended, with their contacts, and what is known of mails of more than an hour ago."""
    opt_in_codes.remove_over(connection, now, now - MAIL_WINDOW)


def confirm(  # noqa: PLR0913, PLR0917 - as begin
    vault: Vault,
    subject_id: bytes,
    purpose: str,
    contact: str,
    code: str,
    evidence: Evidence,
    *,
    also: Callable[[Any], object] = lambda _connection: None,
) -> None:
    """Take a code that came back, and record the consent.

    It opens its own transaction, since a wrong answer must be counted although it is an error.

    Args:
        vault: The open store.
        subject_id: The person.
        purpose: What the code is for.
        contact: Where it went.
        code: What came back.
        evidence: How and when it came back.
        also: What else is done in the transaction that records the consent.

    Raises:
        OptInError: The code is wrong or over, or none was sent; the consent does not count.
        LedgerError: The person was not asked, or the notice changed since; the code stays as it was.
        ContactError: The contact is neither an email address nor a phone number.
    """

    def work(connection: Any) -> Refusal | None:
        if not vault.subjects.lock(connection, subject_id):
            return Refusal("the person is not known any more; begin anew")
        refusal = _confirm(vault, connection, subject_id, purpose, contact, code, evidence)
        if refusal is None:
            also(connection)
        return refusal

    refusal = vault.database.transact(work)
    if refusal is not None:
        raise OptInError(refusal.text)


def use_code(  # noqa: PLR0913, PLR0917 - as begin
    vault: Vault, connection: Any, subject_id: bytes, purpose: str, contact: str, code: str, at: datetime
) -> Refusal | None:
    """Look at a code that came back: count a wrong one, or return None for the right one, which is used up.

    The transaction is to be committed either way, and what the code was for is done in it.
    """
    waiting = opt_in_codes.find(connection, subject_id, purpose)
    if waiting is None or waiting.is_confirmed or waiting.contact is None:
        return Refusal("no code waits for an answer; ask for a new one")
    if not _is_live(waiting, at):
        return Refusal("the code has ended; ask for a new one")
    if waiting.attempts >= MAX_ATTEMPTS:
        return Refusal("too many wrong codes came back; ask for a new one when this one has ended")
    given = _code_hash(vault, subject_id, purpose, contact, "".join(code.split()))
    if not hmac.compare_digest(given, waiting.code_hash):
        more = OptInCode(waiting.code_hash, waiting.expires_at, waiting.attempts + 1, waiting.contact)
        opt_in_codes.put(connection, subject_id, purpose, more)
        return Refusal("the code is wrong; look at the message again, or ask for a new one")
    done = OptInCode(confirmation_of(vault, subject_id, purpose, contact), at, CONFIRMED)
    opt_in_codes.put(connection, subject_id, purpose, done)
    return None


def _confirm(  # noqa: PLR0913, PLR0917 - as begin
    vault: Vault, connection: Any, subject_id: bytes, purpose: str, contact: str, code: str, evidence: Evidence
) -> Refusal | None:
    refusal = use_code(vault, connection, subject_id, purpose, contact, code, evidence.at)
    if refusal is not None:
        return refusal
    by_code = Evidence(BY_CODE, evidence.channel, evidence.language, evidence.at)
    # Of a consent that stands only the contact is confirmed, which was changed: nothing new was agreed to.
    if state_of(vault, connection, subject_id, evidence.at).purposes[purpose].status != "granted":
        record_answer(vault, connection, subject_id, purpose, granted=True, evidence=by_code)
    return None


def _is_live(waiting: OptInCode, now: datetime) -> bool:
    """Return whether a code counts; one from the future, by a clock that went back, has ended too."""
    return now < waiting.expires_at <= now + LIFETIME + CLOCK_TOLERANCE


def confirmation_of(vault: Vault, subject_id: bytes, purpose: str, contact: str) -> bytes:
    """Return the hash under which a confirmed contact is remembered.

    Raises:
        ContactError: The contact is neither an email address nor a phone number.
    """
    return vault.index.of(_CONFIRMED_DOMAIN, _bound(subject_id, purpose, contact))


def is_confirmed(vault: Vault, subject_id: bytes, purpose: str, contact: object, digest: bytes) -> bool:
    """Return whether this contact is the one whose hash was remembered."""
    try:
        return hmac.compare_digest(confirmation_of(vault, subject_id, purpose, str(contact)), digest)
    except ContactError:
        return False


def _code_hash(vault: Vault, subject_id: bytes, purpose: str, contact: str, code: str) -> bytes:
    return vault.index.of(_CODE_DOMAIN, f"{_bound(subject_id, purpose, contact)}\n{code}")


def _bound(subject_id: bytes, purpose: str, contact: str) -> str:
    """Return person, purpose and contact as one text that no others have."""
    return "\n".join((subject_id.hex(), purpose, *contact_forms(contact)))
