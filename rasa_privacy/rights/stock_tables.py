"""Old tables of Rasa's own, which `erasure: stock_tables:` of privacy.yml names: who is erased is removed there too.

The removal is noted in the outbox with the erasure (`webhooks`), so it is done although the process is killed or the
old database is away, and a request is only done when it has been read back there. It can be done on demand, too.
"""

import os
from collections.abc import Collection
from contextlib import closing

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import record_now
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.operations import StockTable
from rasa_privacy.storage.stock_database import StockDatabase
from rasa_privacy.storage.vault import Vault


def forget(table: StockTable, sender_ids: Collection[str]) -> str:
    """Remove the rows of these senders from an old table, and return the answer for the outbox.

    Raises:
        ConfigurationError: The table is not where privacy.yml says.
        StorageError: Its database does not answer, or rows are still there.
    """
    with closing(open_table(table)) as old:
        return "done" if old.remove(sender_ids) else "nothing_held"


def open_table(table: StockTable) -> StockDatabase:
    """Return the database of an old table.

    Raises:
        ConfigurationError: The variable is not set, or what it holds leads nowhere.
    """
    return StockDatabase(url_of(table), _place(table))


def url_of(table: StockTable) -> str:
    """Return the URL of an old table.

    Raises:
        ConfigurationError: The variable is not set.
    """
    url = table.url or os.environ.get(str(table.url_from))
    if not url:
        raise ConfigurationError(f"{_place(table)}: the environment variable {table.url_from} is not set; set it")
    return url


def _place(table: StockTable) -> str:
    return f"privacy.yml: erasure: stock_tables: '{table.name}'"


def purge(vault: Vault, sender_id: str, permit: Permit) -> dict[str, int]:
    """Remove one sender from every old table and return the rows by table; also one whom the store does not know.

    Raises:
        AccessError: The permit is for something else.
        ConfigurationError: A table is not where privacy.yml says.
        StorageError: A database does not answer, or rows are still there.
    """
    permit.require("erase")
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, sender_id)
    record_now(vault, permit, subject_id=subject_id, outcome="begun")
    removed = {}
    for table in vault.policy.erasure.stock_tables:
        with closing(open_table(table)) as old:
            removed[table.name] = old.remove([sender_id])
    record_now(vault, permit, subject_id=subject_id, counts={"rows": sum(removed.values())})
    return removed
