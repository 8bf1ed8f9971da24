"""`tell_others`: notes, in the transaction that erases, which systems are to be told of it; `tell_of` of anything else.

Called by an erasure and by the replay of one, before `Erasures.bury`: afterwards nobody knows the sender ids any more.
Of somebody who is still there the outbox has the random id alone. Whose conversations they are and what the right value
is, is looked up when it is told: the latest word is what is sent, and of somebody who was erased meanwhile nothing.
"""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from rasa_privacy.errors import DAMAGED
from rasa_privacy.storage import deliveries
from rasa_privacy.storage.deliveries import Told

if TYPE_CHECKING:
    from rasa_privacy.policy.operations import Tidings
    from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)


def tell_others(vault: "Vault", conn: Connection, subject_id: bytes, certificate: str, at: datetime) -> None:
    """Note for each system of privacy.yml that it is to be told of an erasure.

    Args:
        vault: The open store.
        conn: A connection of `Database.transact`, in which the subject is locked.
        subject_id: Who is erased.
        certificate: Number of the certificate.
        at: Aware UTC time.
    """
    systems = vault.policy.erasure.erasing
    if not systems:
        return
    known = {each.system for each in deliveries.of_certificate(conn, certificate)}
    sender_ids = vault.senders.ids_of(conn, subject_id)
    for system in systems:
        if system.name not in known:
            deliveries.put(conn, vault.data_keys, system.name, certificate, sender_ids, at)


def tell_others_if_possible(
    vault: "Vault", conn: Connection, subject_id: bytes, certificate: str, at: datetime
) -> None:
    """Do as `tell_others`; what cannot be noted of this one person is left to staff, and stops nobody's start.

    A database or a key provider that fails still raises: the next start tries again.
    """
    try:
        tell_others(vault, conn, subject_id, certificate, at)
    except (*DAMAGED, ValueError) as error:
        logger.error(  # noqa: TRY400 - the traceback may hold a sender id
            "Other systems cannot be told of erasure %s (%s); its certificate says so, tell them by hand.",
            certificate,
            type(error).__name__,
        )
        known = {each.system for each in deliveries.of_certificate(conn, certificate)}
        for system in vault.policy.erasure.erasing:
            if system.name not in known:
                deliveries.put_failed(conn, system.name, certificate, at)


def tell_of(  # noqa: PLR0913 - store, transaction, and what is told of whom
    vault: "Vault",
    conn: Connection,
    subject_id: bytes,
    of: "Tidings",
    at: datetime,
    *,
    purposes: Iterable[str] = (),
    items: Iterable[str] = (),
    is_gone: bool = False,
) -> None:
    """Note for each system that asks for it what happened to a person's data.

    Args:
        vault: The open store.
        conn: A connection of `Database.transact`, in which the subject is locked.
        subject_id: The person.
        of: What happened.
        at: Aware UTC time.
        purposes: The purposes concerned.
        items: The items concerned.
        is_gone: Whether nothing of the person will be left, so that nobody could say later who it was.
    """
    systems = vault.policy.erasure.telling(of)
    if not systems:
        return
    senders = vault.senders.ids_of(conn, subject_id) if is_gone else []
    encoded = [each.encode("utf-8", "surrogatepass") for each in senders]
    told = Told(of, b"" if is_gone else subject_id, list(purposes), list(items), encoded)
    for system in systems:
        deliveries.put_told(conn, vault.data_keys, system.name, told, at)
