"""`tell_others`: notes, in the transaction that erases, which systems are to be told of it.

Called by an erasure and by the replay of one, before `Erasures.bury`: afterwards nobody knows the sender ids any more.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from rasa_privacy.storage import deliveries

if TYPE_CHECKING:
    from rasa_privacy.storage.vault import Vault


def tell_others(vault: "Vault", conn: Connection, subject_id: bytes, certificate: str, at: datetime) -> None:
    """Note for each system of privacy.yml that it is to be told of an erasure.

    Args:
        vault: The open store.
        conn: A connection of `Database.transact`, in which the subject is locked.
        subject_id: Who is erased.
        certificate: Number of the certificate.
        at: Aware UTC time.
    """
    systems = vault.policy.erasure.webhooks
    if not systems:
        return
    known = {each.system for each in deliveries.of_certificate(conn, certificate)}
    sender_ids = vault.conversations.sender_ids_of(conn, subject_id)
    for system in systems:
        if system.name not in known:
            deliveries.put(conn, vault.data_keys, system.name, certificate, sender_ids, at)
