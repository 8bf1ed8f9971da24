"""Where a message about a request goes, and in which language: to a contact on file, and never to another one.

Rules:

1. Of the contacts that are held whole the email address that was given last counts, else the phone number.
2. Nobody names a contact here: who asks for a message in somebody's name cannot have it sent to themselves.
3. A contact that an operator or a list has suppressed gets nothing. The person's own STOP ends advertising, and not the
   answer to what they ask for (GDPR Art. 12(3)).
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from rasa_privacy.dialogue.language import choose
from rasa_privacy.dialogue.names import LANGUAGE_SLOT
from rasa_privacy.errors import DAMAGED, ContactError, RequestError
from rasa_privacy.minimize.contacts import contact_forms
from rasa_privacy.policy.contacts import REACHABLE
from rasa_privacy.rights.suppression import STOP, suppressed
from rasa_privacy.storage import audience_rows
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.replay import METHOD as JOURNAL
from rasa_privacy.storage.vault import Vault

#: How an answer came into the ledger that was not the person's in a conversation, so that its language is not theirs.
_NOT_THEIRS: Final = ("outside", JOURNAL)
_BY_HAND: Final = "write to the person in another way, and say that you did"


class _Given(NamedTuple):
    """A contact, in the order in which it counts: the kind, then what was given last."""

    preference: int
    conversation: int
    seq: int
    contact: str


def contact_on_file(vault: Vault, connection: Any, subject_id: bytes | None) -> str:
    """Return the contact of a person to which a message about their request goes.

    Args:
        vault: The open store.
        connection: An open read or write transaction.
        subject_id: The person; None for somebody of whom nothing is stored.

    Raises:
        RequestError: There is none, it must not be written to, or what is stored is damaged.
    """
    if subject_id is None or not vault.data_keys.due_of(connection, subject_id):
        raise RequestError(f"nothing is stored of this person, so there is no contact on file; {_BY_HAND}")
    try:
        given = sorted(_given(vault, connection, subject_id))
    except DAMAGED:
        raise RequestError(f"what is stored of this person is damaged; {_BY_HAND}") from None
    if not given:
        raise RequestError(f"no email address and no phone number of this person is on file; {_BY_HAND}")
    contact = given[-1].contact
    if suppressed(vault, connection, None, [contact]) not in {None, STOP}:
        raise RequestError(f"the contact on file is suppressed, so nothing goes there; {_BY_HAND}")
    return contact


def language_of(vault: Vault, connection: Any, subject_id: bytes) -> str:
    """Return the language in which a person's conversation went on, else that of what they answered last."""
    spoken = None
    for sender_id in vault.senders.ids_of(connection, subject_id):
        stored = vault.conversations.load(connection, sender_id)
        for event in stored.structure if stored is not None else ():
            if event.get("event") == "slot" and event.get("name") == LANGUAGE_SLOT:
                spoken = event.get("value") or spoken
    if spoken is None:
        spoken = answered_in(vault.ledger.of_subject(connection, subject_id))
    return choose(vault.policy.languages, spoken, None, None)


def answered_in(records: Iterable[LedgerRecord]) -> str | None:
    """Return the language of the last of these records that is the person's own; None where none is."""
    said = [each.language for each in records if each.method not in _NOT_THEIRS]
    return said[-1] if said else None


def _given(vault: Vault, connection: Any, subject_id: bytes) -> Iterator[_Given]:
    kinds = {
        name: len(REACHABLE) - REACHABLE.index(item.detect)
        for name, item in vault.policy.items.items()
        if item.detect in REACHABLE and item.cut == "full"
    }
    held = vault.data_keys.due_of(connection, subject_id)
    for purpose in (name for name in vault.policy.purposes if name in held):
        found = audience_rows.contacts_of(connection, vault.data_keys, subject_id, purpose)
        for number, stored in enumerate(found):
            for seq, _path, item, value in stored.entries:
                if item in kinds and isinstance(value, str) and _is_whole(value):
                    yield _Given(kinds[item], number, int(seq), value)


def _is_whole(value: str) -> bool:
    """Return whether a contact was kept as it was given: a masked one reaches nobody, or somebody else."""
    try:
        return "*" not in value and bool(contact_forms(value))
    except ContactError:
        return False
