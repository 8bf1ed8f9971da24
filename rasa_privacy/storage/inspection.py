"""`inspect_store`: opens everything that is stored, and names what is damaged without stopping at it.

Looked at, in this order: the file itself (SQLite), segments of no conversation, what the bot says, every key and every
conversation of all sessions, the links between people, the chains of the ledger and of the audit log with their
checkpoints, and the notices that the ledger names. Schema, key-encryption keys and erasure journal were verified by
`open_vault` before. A place is named by row numbers, random ids and purposes, never by a person.

Each conversation is read in a transaction of its own, so that memory stays flat and a server can go on writing. It does
not find what docs/LIMITATIONS.md says that no reader finds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, func, select, text

from rasa_privacy.errors import AuditError, IdentityError, LedgerError, PrivacyError, StorageError
from rasa_privacy.storage import links
from rasa_privacy.storage.chain import BookCheck
from rasa_privacy.storage.conversation_check import check_conversation, check_gone
from rasa_privacy.storage.ledger_rows import RECORDS
from rasa_privacy.storage.notices import StoredNotice
from rasa_privacy.storage.orphans import orphans
from rasa_privacy.storage.tables import conversations, ledger, ledger_kinds, notices
from rasa_privacy.storage.vault import Vault

_BATCH: Final = 500
_C: Final = conversations.c
_NEXT: Final = (
    select(_C.conversation_ref, _C.subject_id, _C.conversation_id, _C.sender_index, _C.sealed_sender, _C.version)
    .where(_C.conversation_ref > bindparam("last"))
    .order_by(_C.conversation_ref)
    .limit(_BATCH)
)
_COUNT: Final = select(func.count()).select_from(conversations)
_RECORDS: Final = select(func.count()).select_from(ledger)
_N: Final = notices.c
_NOTICES: Final = (
    select(_N.hash, _N.notice_id, _N.version, _N.language, _N.text, _N.terms)
    .where(_N.hash > bindparam("last"))
    .order_by(_N.hash)
    .limit(_BATCH)
)
_UNPROVEN: Final = (
    select(func.count())
    .select_from(RECORDS.outerjoin(notices, _N.hash == ledger_kinds.c.notice_hash))
    .where(ledger_kinds.c.event.in_(("asked", "granted")), _N.hash.is_(None))
)


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged thing.

    Attributes:
        place: Which, by row number.
        why: What is wrong with it.
    """

    place: str
    why: str


@dataclass(slots=True)
class Inspection:
    """What was looked at.

    Attributes:
        conversations: Conversations, damaged ones included.
        damaged: Damaged conversations.
        events: Events of the others.
        keys: Data keys, damaged ones included.
        records: Records of the ledger.
        checkpoints: Its checkpoints.
        audit: Records of the audit log.
        notices: Notices.
        damages: Everything that is damaged.
    """

    conversations: int = 0
    damaged: int = 0
    events: int = 0
    keys: int = 0
    records: int = 0
    checkpoints: int = 0
    audit: int = 0
    notices: int = 0
    damages: int = 0


def count_conversations(vault: Vault) -> int:
    """Return how many conversations `inspect_store` will look at, for a progress bar."""
    with vault.database.read() as conn:
        number: int = conn.execute(_COUNT).scalar_one()
    return number


def inspect_store(
    vault: Vault,
    found: Callable[[Damage], None],
    advance: Callable[[int], None],
) -> Inspection:
    """Look at everything that is stored.

    Args:
        vault: The open store.
        found: Called with each damage as it is found.
        advance: Called with 1 after each conversation.

    Raises:
        StorageError: The database cannot be read at all.
    """
    seen = Inspection()

    def note(place: str, why: str) -> None:
        seen.damages += 1
        found(Damage(place, why))

    _inspect_file(vault, note)
    for name in vault.bot_words.damaged():
        note(name, "it was changed, and what was stored with it cannot be read; restore it from a backup")
    for row in _rows(vault):
        damages = seen.damages
        _inspect_conversation(vault, row, seen, note)
        seen.conversations += 1
        seen.damaged += seen.damages > damages
        advance(1)
    _inspect_links(vault, note)
    _inspect_ledger(vault, seen, note)
    _inspect_audit(vault, seen, note)
    _inspect_notices(vault, seen, note)
    return seen


_Note = Callable[[str, str], None]


def _inspect_file(vault: Vault, note: _Note) -> None:
    with vault.database.read() as conn:
        if vault.database.dialect == "sqlite" and conn.execute(text("PRAGMA quick_check(1)")).scalar() != "ok":
            note("the file", "SQLite finds it damaged; restore it from its backup")
        for table, owner, number in orphans(conn):
            note(table, f"{number} belong to no {owner}; somebody changed the tables by hand")


def _rows(vault: Vault) -> Iterator[Any]:
    last = -1
    while True:
        with vault.database.read() as conn:
            rows = conn.execute(_NEXT, {"last": last}).all()
        yield from rows
        if len(rows) < _BATCH:
            return
        last = rows[-1].conversation_ref


def _inspect_conversation(vault: Vault, row: Any, seen: Inspection, note: _Note) -> None:
    """Open keys, sender id and all sessions; erased or swept in the meantime is no damage."""
    place = f"conversation {row.conversation_ref}"
    with vault.database.read() as conn:
        try:
            purposes = vault.data_keys.due_of(conn, row.subject_id)
            seen.keys += len(purposes)
            if not purposes:
                check_gone(conn, row.conversation_ref)
                return
            seen.events += check_conversation(vault, conn, row, purposes)
        except PrivacyError as error:
            if isinstance(error, StorageError) and not isinstance(error, IdentityError):
                raise
            note(place, _without(place, str(error)))


def _inspect_links(vault: Vault, note: _Note) -> None:
    """Name each random id from which a link leads that is not ours; the person's own conversations are in order."""
    last = b""
    while True:
        with vault.database.read() as conn:
            page = links.those_from(conn, last, _BATCH)
            found = links.of_many(conn, vault.index, page)
        for subject_id in page:
            if found.get(subject_id, ()) is None:
                why = "made or changed by hand; delete the row with this subject_id, and let the person prove anew"
                note(f"link {subject_id.hex()}", why)
        if len(page) < _BATCH:
            return
        last = page[-1]


def _inspect_ledger(vault: Vault, seen: Inspection, note: _Note) -> None:
    with vault.database.read() as conn:
        seen.records = conn.execute(_RECORDS).scalar_one()
        check = BookCheck(vault.signer.store_id, vault.signer.key.public())
        try:
            check.follow(vault.ledger.linked(conn), vault.checkpoints.iterate(conn))
            vault.checkpoints.verified_last(conn)
        except LedgerError as error:
            note("consent ledger", _without("consent ledger", str(error)))
        seen.checkpoints = check.checkpoints
        unproven: int = conn.execute(_UNPROVEN).scalar_one()
    if unproven:
        note("consent ledger", f"{unproven} records name a notice that is not there; restore it from the backup")


def _inspect_audit(vault: Vault, seen: Inspection, note: _Note) -> None:
    with vault.database.read() as conn:
        try:
            seen.audit = vault.audit.verify(conn).records
        except AuditError as error:
            note("audit log", _without("audit log", str(error)))


def _inspect_notices(vault: Vault, seen: Inspection, note: _Note) -> None:
    last = b""
    while True:
        with vault.database.read() as conn:
            rows = conn.execute(_NOTICES, {"last": last}).all()
        for row in rows:
            seen.notices += 1
            if StoredNotice(*row).is_damaged:
                note(f"notice {row.hash.hex()[:16]}", "its text was changed; restore it from the backup")
        if len(rows) < _BATCH:
            return
        last = rows[-1].hash


def _without(place: str, message: str) -> str:
    """Return a message without the place that stands before it anyway."""
    return message.removeprefix(f"{place}: ").removeprefix(f"{place}, ")
