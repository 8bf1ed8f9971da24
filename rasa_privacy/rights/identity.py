"""Proof of who somebody is, where the channel does not give it, and the other conversations that it finds (ADR 31).

Rules:

1. Without `identity:` in privacy.yml a conversation is its own proof, as before. With it, a channel that is not trusted
   needs a one-time code before values are shown, a copy is handed out, or another conversation is reached.
2. The code goes to a contact that is on file already, never to a new one. Whether it is on file is not to be told from
   the outside: an unknown one gets a code too, with all that costs, and only the message is not sent.
3. Codes are those of double opt-in: five wrong answers within 15 minutes, a minute between two, three an hour to one
   contact. A proof counts in the conversation that gave it, for `proof_lasts`.
4. A proof links its conversation to each that holds the contact, written so that it may be nothing else: a number
   without its country code is another one elsewhere, and of two people the code reaches one. The link leads one way:
   who merely typed somebody's address into a chat sees nothing of theirs. It is found by a keyed hash, and what is
   stored is looked at once more.
5. Deleting anybody takes their links along. Staff, who have looked at a person themselves, reach all that is linked.
"""

import hmac
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rasa_privacy.consent.double_opt_in import begin, use_code, waiting_contact
from rasa_privacy.errors import ContactError, OptInError, SharedContactError, StorageError
from rasa_privacy.minimize.contacts import contact_forms
from rasa_privacy.policy.contacts import PROOF, REACHABLE
from rasa_privacy.policy.durations import Length
from rasa_privacy.rights.reach import on_file_or_none
from rasa_privacy.storage import known_contacts, links, opt_in_codes
from rasa_privacy.storage.known_contacts import KnownContact
from rasa_privacy.storage.opt_in_codes import OptInCode
from rasa_privacy.storage.tables import to_micros
from rasa_privacy.storage.vault import Vault

#: People whom one contact finds at most: a family, and not a list.
MOST: Final = 50

logger = logging.getLogger(__name__)

_DOMAIN: Final = "known contact"
_PROOF_DOMAIN: Final = "proof of identity"


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody of whom a contact is held.

    Attributes:
        subject_id: The random id.
        contact: The contact as it is on file.
    """

    subject_id: bytes
    contact: str


def needs_proof(vault: Vault, connection: Any, subject_id: bytes | None, channel: str, now: datetime) -> bool:
    """Return whether somebody must still prove who they are in a conversation."""
    rules = vault.policy.identity
    if rules is None or channel in rules.trusted_channels:
        return False
    return subject_id is None or not is_proven(vault, connection, subject_id, now)


def is_proven(vault: Vault, connection: Any, subject_id: bytes, now: datetime) -> bool:
    """Return whether a proof was given in this conversation a short while ago."""
    rules = vault.policy.identity
    proof = opt_in_codes.find(connection, subject_id, PROOF)
    if rules is None or proof is None or not proof.is_confirmed:
        return False
    # `expires_at` of a confirmed code is when it came back.
    if not hmac.compare_digest(proof.code_hash, _proof_hash(vault, subject_id, proof.expires_at)):
        return False  # made or moved by hand
    return proof.expires_at <= now < proof.expires_at + Length(rules.proof_lasts)


def ask(vault: Vault, connection: Any, sender_id: str, contact: str, now: datetime) -> str:
    """Make a code for whoever says to have this contact, known or not, and return it. `send_to` says where it goes.

    Raises:
        OptInError: A code was sent less than a minute ago, too many wrong ones came back, or the contact got too many.
        ContactError: The contact is neither an email address nor a phone number.
    """
    subject_id = vault.subjects.find_or_create(connection, sender_id, now)
    return begin(vault, connection, subject_id, PROOF, contact, now)


def send_to(vault: Vault, contact: str) -> str | None:
    """Return the contact as it is on file, or None for one that nobody has given.

    Call it where nobody waits for it: how long it takes depends on whether the contact is known.
    """
    try:
        found = whom(vault, contact)
    except SharedContactError:
        logger.warning("A proof of identity was not begun: its contact is held of more than %d people.", MOST)
        return None
    return found[0].contact if found else None


def asked_contact(vault: Vault, connection: Any, sender_id: str, now: datetime) -> str | None:
    """Return the contact whose code this conversation waits for, or None."""
    subject_id = vault.subjects.find(connection, sender_id)
    return None if subject_id is None else waiting_contact(vault, connection, subject_id, PROOF, now)


def prove(vault: Vault, sender_id: str, code: str, now: datetime) -> int:
    """Take a code that came back, link what its contact finds, and return how many other conversations these are.

    Raises:
        OptInError: The code is wrong or over, or none was sent. A wrong one is counted.
        SharedContactError: The contact is held of more people than MOST; nobody is linked, and the code stays unused.
    """
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, sender_id)
        contact = asked_contact(vault, connection, sender_id, now)
    if subject_id is None or contact is None:
        raise OptInError("no code waits for an answer; ask for a new one")
    found = [each.subject_id for each in whom(vault, contact)]

    def work(connection: Any) -> str | int:
        if not vault.subjects.lock(connection, subject_id):
            return "the person is not known any more; begin anew"
        refusal = use_code(vault, connection, subject_id, PROOF, contact, code, now)
        if refusal is not None:
            return refusal.text
        proof = OptInCode(_proof_hash(vault, subject_id, now), now, opt_in_codes.CONFIRMED)
        opt_in_codes.put(connection, subject_id, PROOF, proof)
        # Locked, so that nobody is linked who is erased at this moment.
        others = [each for each in sorted({*found} - {subject_id}) if vault.subjects.lock(connection, each)]
        for other_id in others:
            links.put(connection, vault.index, subject_id, other_id, now)
        return len(others)

    done = vault.database.transact(work)
    if isinstance(done, str):
        raise OptInError(done)
    return done


def whom(vault: Vault, contact: str) -> list[Found]:
    """Return the people of whom a contact is held now, as it is on file.

    Raises:
        ContactError: It is neither an email address nor a phone number.
        SharedContactError: It is held of more people than MOST. It proves nothing then; part of them would be too few.
    """
    wanted = set(contact_forms(contact))
    with vault.database.read() as connection:
        people = known_contacts.who(connection, [_index(vault, form) for form in wanted], MOST + 1)
    if len(people) > MOST:
        raise SharedContactError(
            f"a contact is held of more than {MOST} people, so it proves nothing; staff must look at it"
        )
    held = ((subject_id, _on_file(vault, subject_id, wanted)) for subject_id in people)
    return [Found(subject_id, each) for subject_id, each in held if each is not None]


def remember(vault: Vault, connection: Any, subject_id: bytes, values: Mapping[str, Iterable[Any]]) -> int:
    """Let a person who is locked be found by the contacts among these values; without `identity:` nobody is.

    What was stored before there was `identity:` is for `contact_indexing`.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`.
        subject_id: Whose they are.
        values: Entries by purpose, as `Conversations.append` takes them.

    Returns:
        By how many contacts they were not found before.
    """
    if vault.policy.identity is None:
        return 0
    known = {purpose: list(_known(vault, entries)) for purpose, entries in values.items()}
    return sum(known_contacts.put(connection, subject_id, purpose, each) for purpose, each in known.items())


def reach(vault: Vault, connection: Any, subject_id: bytes) -> list[bytes]:
    """Return a person and everybody whom a proof of theirs has found.

    Raises:
        TamperedSegmentError: A link was made or changed by hand.
    """
    return [subject_id, *links.of(connection, vault.index, subject_id)]


def linked_others(vault: Vault, connection: Any, subject_id: bytes) -> list[bytes]:
    """Return whom any proof of a person has found, locked: for staff, and for STOP's suppression (ADR 31)."""
    return [each for each in reach(vault, connection, subject_id)[1:] if vault.subjects.lock(connection, each)]


def proven_reach(vault: Vault, connection: Any, subject_id: bytes, now: datetime) -> list[bytes]:
    """Return a person who writes, and everybody whom a proof that still counts has found; nobody else without one."""
    return reach(vault, connection, subject_id) if is_proven(vault, connection, subject_id, now) else [subject_id]


def proven_others(vault: Vault, connection: Any, subject_id: bytes, now: datetime) -> list[bytes]:
    """Return whom a proof that still counts has found for a person who writes, locked; nobody without one."""
    return linked_others(vault, connection, subject_id) if is_proven(vault, connection, subject_id, now) else []


def writing_people(vault: Vault, connection: Any, sender_id: str, now: datetime) -> list[bytes]:
    """Return who writes and whom a proof of theirs that still counts has found, all locked; nobody for nobody."""
    subject_id = vault.subjects.find_for_update(connection, sender_id)
    return [] if subject_id is None else [subject_id, *proven_others(vault, connection, subject_id, now)]


def reached_senders(vault: Vault, connection: Any, sender_id: str) -> list[str]:
    """Return a sender id and those of everybody whom a proof of theirs has found, each once.

    Raises:
        TamperedSegmentError: A link was made or changed by hand.
        StorageError: The name of one is damaged, so that the whole cannot be done.
    """
    subject_id = vault.subjects.find(connection, sender_id)
    others = [] if subject_id is None else reach(vault, connection, subject_id)[1:]
    found = [sender_id]
    for other_id in others:
        found += senders_of(vault, connection, other_id)
    return list(dict.fromkeys(found))


def senders_of(vault: Vault, connection: Any, subject_id: bytes) -> list[str]:
    """Return the sender ids of one of several people of whom all must be reached, at least one.

    Raises:
        StorageError: Their name is damaged, so that the whole cannot be done.
    """
    names = vault.senders.ids_of(connection, subject_id)
    if not names:
        raise StorageError("a conversation of this person is damaged; `rasa-privacy check --database` names it")
    return names


def _on_file(vault: Vault, subject_id: bytes, wanted: set[str]) -> str | None:
    """Return the contact of a person that has these forms and no other."""
    with vault.database.read() as connection:
        held = [str(value) for value in on_file_or_none(vault, connection, subject_id)]
    return next((value for value in held if wanted == set(_forms(value))), None)


def _known(vault: Vault, entries: Iterable[Any]) -> Iterable[KnownContact]:
    for _seq, _path, item, value in entries:
        declared = vault.policy.items.get(item)
        if declared is not None and declared.detect in REACHABLE and isinstance(value, str):
            yield from (KnownContact(item, _index(vault, form)) for form in _forms(value))


def _forms(value: str) -> tuple[str, ...]:
    try:
        return contact_forms(value)
    except ContactError:
        return ()


def _index(vault: Vault, form: str) -> bytes:
    return vault.index.to_find(_DOMAIN, form)


def _proof_hash(vault: Vault, subject_id: bytes, at: datetime) -> bytes:
    """Return the keyed hash of a proof, which who writes into the table cannot make, nor move to another time."""
    return vault.index.of_bytes(_PROOF_DOMAIN, subject_id + f":{to_micros(at)}".encode())
