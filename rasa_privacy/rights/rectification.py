"""Rectification (GDPR Art. 16): the right value in place of what every purpose holds of an item; the wrong one goes.

Rules:

1. The wrong value is destroyed with the data keys that sealed it, in every conversation of the person. The right one is
   cut to what `keep` allows, and stands in the conversation as a slot, so that the bot goes on with it.
2. A contact that was confirmed by a code is not any more: the new one must be confirmed anew before anybody writes to
   it (`to_confirm`). What is suppressed stays suppressed, the old contact too.
3. What was said of it in a text that is kept stays as it was said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from rasa_privacy.consent.double_opt_in import end_code
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.minimize.transforms import keep_part
from rasa_privacy.policy.contacts import contact_item
from rasa_privacy.policy.topics import choice
from rasa_privacy.retention.due import due_at
from rasa_privacy.retention.lasting import note_given
from rasa_privacy.rights.coarsening import aids_of
from rasa_privacy.rights.identity import remember, senders_of
from rasa_privacy.rights.parts import held_values
from rasa_privacy.storage.erasures import destroy_topic
from rasa_privacy.storage.outbox import tell_of
from rasa_privacy.storage.vault import Vault

#: Field of an event's metadata that says who put its value there, where that was not the person in passing.
SOURCE: Final = "privacy_source"
STAFF: Final = "staff"
CORRECTED: Final = "corrected"


@dataclass(frozen=True, slots=True)
class Right:
    """A value that is right.

    Attributes:
        item: An item of privacy.yml that has a slot.
        value: What is right, as it was given.
        purposes: The purposes that hold the wrong one.
        source: STAFF or CORRECTED.
    """

    item: str
    value: str = field(repr=False)
    purposes: Sequence[str] = ()
    source: str = CORRECTED


def holding(vault: Vault, connection: Any, subject_id: bytes, item: str) -> tuple[str, ...]:
    """Return the purposes that hold a value of this item."""
    held = held_values(vault, connection, subject_id)
    return tuple(name for name in vault.policy.purposes if item in held.get(name, ()))


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation that holds a value of an item.

    Attributes:
        subject_id: Whose it is.
        sender_id: Rasa's conversation key.
        purposes: The purposes that hold it.
    """

    subject_id: bytes
    sender_id: str = field(repr=False)
    purposes: tuple[str, ...]


def places_of(vault: Vault, connection: Any, people: Iterable[bytes], item: str) -> tuple[Place, ...]:
    """Return where a value of an item is held of somebody with several conversations.

    Raises:
        StorageError: The name of a conversation is damaged, so that not all of them can be put right.
    """
    found = []
    for subject_id in people:
        purposes = holding(vault, connection, subject_id, item)
        if purposes:
            found.append(Place(subject_id, senders_of(vault, connection, subject_id)[0], purposes))
    return tuple(found)


def put_right(  # noqa: PLR0913, PLR0917 - store, transaction, whose, what and when
    vault: Vault, connection: Any, sender_id: str, subject_id: bytes, right: Right, now: datetime
) -> object:
    """Put the right value in place of the wrong one; true after the commit.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`, in which the subject is locked.
        sender_id: The conversation that gets the value.
        subject_id: The person.
        right: What is right, and which purposes hold the wrong one.
        now: The moment, aware and in UTC.

    Returns:
        What is kept of the value.

    Raises:
        PrivacyError: What is stored is not what was written, or a key cannot be opened. Nothing was destroyed.
    """
    declared = vault.policy.items[right.item]
    kept = keep_part(right.value, declared.cut, aids_of(vault)(right.item))
    for purpose in right.purposes:
        topic = choice(purpose, right.item)
        destroy_topic(vault.parts, vault.data_keys, connection, subject_id, topic, now, is_journalled=False)
    version, seq = vault.conversations.head(connection, sender_id)
    structure = {"event": "slot", "timestamp": now.timestamp(), "name": declared.slot, "value": None}
    values = {purpose: [[seq, ["value"], right.item, kept]] for purpose in right.purposes}
    event = {**structure, "metadata": {SOURCE: right.source}}
    vault.conversations.append(connection, sender_id, version, [event], values, [], now)
    note_given(vault, connection, subject_id, values, now)
    remember(vault, connection, subject_id, values)
    for purpose in right.purposes:
        vault.data_keys.touch(connection, subject_id, purpose, due_at(vault.policy, purpose, right.purposes, now))
    tell_of(vault, connection, subject_id, "correction", now, purposes=right.purposes, items=[right.item])
    for purpose in _confirmed_by(vault, right.item):
        end_code(connection, subject_id, purpose, now)
    return kept


def to_confirm(vault: Vault, connection: Any, subject_id: bytes, item: str, now: datetime) -> tuple[str, ...]:
    """Return the purposes with double opt-in that are active and write to this item, whose value was just changed."""
    granted = state_of(vault, connection, subject_id, now).granted
    return tuple(name for name in _confirmed_by(vault, item) if name in granted)


def _confirmed_by(vault: Vault, item: str) -> list[str]:
    declared = vault.policy.purposes
    return [name for name, each in declared.items() if each.double_opt_in and contact_item(vault.policy, name) == item]
