"""Who must not be written to: by sender id, or by any contact that is on file, whatever it is on file for.

Who cannot be read is not written to either.
"""

from collections.abc import Iterator
from typing import Any, Final

from rasa_privacy.errors import DAMAGED
from rasa_privacy.policy.contacts import REACHABLE
from rasa_privacy.rights.suppression import has_agreed_since, suppressed_among
from rasa_privacy.storage import audience_rows, suppressions
from rasa_privacy.storage.vault import Vault

_WHO: Final = b""


def must_not_be_reached(vault: Vault, connection: Any, sender_id: str) -> bool:
    """Return whether a person is suppressed.

    Args:
        vault: The open store.
        connection: An open read or write transaction.
        sender_id: Rasa's conversation key.
    """
    if not suppressions.is_any(connection):
        return False
    subject_id = vault.subjects.find(connection, sender_id)
    try:
        contacts = list(contacts_on_file(vault, connection, subject_id)) if subject_id is not None else []
    except DAMAGED:
        return True
    found = suppressed_among(vault, connection, {_WHO: ([sender_id], contacts)})
    since = found.get(_WHO)
    if subject_id is None or since is None:
        return _WHO in found
    return not has_agreed_since(vault.policy, vault.ledger.of_subject(connection, subject_id), since)


def on_file_or_none(vault: Vault, connection: Any, subject_id: bytes) -> list[object]:
    """Return the contacts that are held of a person; none where something is damaged."""
    try:
        return list(contacts_on_file(vault, connection, subject_id))
    except DAMAGED:
        return []


def contacts_on_file(vault: Vault, connection: Any, subject_id: bytes) -> Iterator[object]:
    """Yield the contacts that each purpose holds of a person, those of before too."""
    items = {name for name, item in vault.policy.items.items() if item.detect in REACHABLE}
    held = vault.data_keys.due_of(connection, subject_id)
    for name in (name for name in vault.policy.purposes if name in held):
        for stored in audience_rows.contacts_of(connection, vault.data_keys, subject_id, name):
            yield from (value for _seq, _path, item, value in stored.entries if item in items and value is not None)
