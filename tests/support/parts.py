"""Deleting a part of what is held in one conversation."""

from collections.abc import Collection

from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.rights.part_deletion import Deleted, delete_parts
from rasa_privacy.storage.vault import Vault


def delete_part(
    vault: Vault, sender_id: str, items: Collection[str], purposes: Collection[str], evidence: Evidence
) -> Deleted | None:
    """Delete items and purposes of the person behind a sender id; None where nothing of it is held."""
    return delete_parts(vault, [sender_id], items, purposes, evidence)[0]
