"""How the store is: for everybody whether it answers, and for operators figures without a person."""

from datetime import datetime
from typing import Final

import msgspec

from rasa_privacy.access.recording import record_now
from rasa_privacy.console.operation import Call, Operation, Reply
from rasa_privacy.errors import PrivacyError
from rasa_privacy.retention.plan import plan
from rasa_privacy.rights.request_counts import KindCount, count
from rasa_privacy.storage import deliveries
from rasa_privacy.storage import requests as rows
from rasa_privacy.storage.vault import Vault


class Status(msgspec.Struct):
    """Figures without a person."""

    at: datetime
    requests: dict[str, KindCount]
    removals_due: int
    systems_to_tell: int
    deletions_replayed: int


def health(vault: Vault) -> Reply:
    """Return whether the database answers."""
    try:
        with vault.database.read() as connection:
            vault.operators.exist(connection)
    except PrivacyError:
        return Reply(b'{"status":"the database does not answer"}', 503)
    return Reply(b'{"status":"ok"}')


def _status(call: Call) -> Status:
    vault, permit = call.vault, call.permit("report")
    now = vault.clock()
    with vault.database.read() as connection:
        found = Status(
            at=now,
            requests=count(rows.each(connection), now),
            removals_due=plan(vault, connection, now).number,
            systems_to_tell=deliveries.pending(connection),
            deletions_replayed=vault.replayed.erased,
        )
    record_now(vault, permit, counts={"requests": sum(each.received for each in found.requests.values())})
    return found


OPERATIONS: Final = (
    Operation("GET", "/v1/status", "status", "Figures on requests, removals and deliveries.", _status, Status),
)
