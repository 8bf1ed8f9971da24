"""Writing the audit log under a permit: in a transaction, before something is shown, or around something long.

What cannot be recorded does not happen: a failing write raises, and its caller has shown and changed nothing yet.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from rasa_privacy.access.permit import Permit
from rasa_privacy.errors import AccessError, PrivacyError, UnknownSenderError
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.vault import Vault

_NOTHING: Final[Mapping[str, int]] = {}


def record(  # noqa: PLR0913 - the fields of a record
    vault: Vault,
    connection: Any,
    permit: Permit,
    *,
    subject_id: bytes | None = None,
    purposes: Iterable[str] = (),
    items: Iterable[str] = (),
    counts: Mapping[str, int] = _NOTHING,
    outcome: str = "done",
) -> int:
    """Record what is done under a permit, in the transaction that does it; as its last statement.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`.
        permit: What it is done under.
        subject_id: The one person that it is about, or None.
        purposes: Names of the purposes concerned.
        items: Names of the items concerned; never values.
        counts: How many of what, by a word in lower case.
        outcome: `begun`, `done`, `refused` or `failed`.

    Returns:
        The number of the record.

    Raises:
        AuditError: The log does not verify, or a field has the wrong form.
        StorageError: It cannot be written.
    """
    made = AuditRecord(
        at=vault.clock(),
        operator=permit.operator,
        verb=permit.verb,
        outcome=outcome,
        role=permit.role,
        subject_id=subject_id,
        reason=permit.reason,
        purposes=tuple(purposes),
        items=tuple(items),
        counts=dict(counts),
    )
    return vault.audit.append(connection, made)


def record_now(  # noqa: PLR0913 - the fields of a record
    vault: Vault,
    permit: Permit,
    *,
    subject_id: bytes | None = None,
    purposes: Iterable[str] = (),
    items: Iterable[str] = (),
    counts: Mapping[str, int] = _NOTHING,
    outcome: str = "done",
) -> int:
    """Record and commit, before what was read is shown. Not within another transaction.

    Raises:
        AuditError: As `record`.
        StorageError: As `record`; show nothing then.
    """
    return vault.database.transact(
        lambda connection: record(
            vault,
            connection,
            permit,
            subject_id=subject_id,
            purposes=purposes,
            items=items,
            counts=counts,
            outcome=outcome,
        )
    )


def record_unknown(vault: Vault, permit: Permit) -> None:
    """Record that somebody was looked for of whom nothing is stored, before it is said; not within a transaction.

    Without it an operator could try out whose numbers write to the bot, and nobody would know.

    Raises:
        AuditError: As `record`.
        StorageError: As `record`.
    """
    record_now(vault, permit, counts={"unknown": 1})


@contextmanager
def answering(vault: Vault, permit: Permit) -> Iterator[None]:
    """Record a refusal that comes within, or that the sender is unknown, before it is said; not within a transaction.

    What a role reaches may be clear only when the person's data is looked at, after the permit was made.

    Raises:
        AuditError: As `record`.
        StorageError: As `record`.
    """
    try:
        yield
    except AccessError:
        record_now(vault, permit, outcome="refused")
        raise
    except UnknownSenderError:
        record_unknown(vault, permit)
        raise


@contextmanager
def recording(
    vault: Vault, permit: Permit, *, purposes: Iterable[str] = (), items: Iterable[str] = ()
) -> Iterator[dict[str, int]]:
    """Record that something long begins, and how it ended; give a mapping to put the counts into.

    Within, nothing has happened yet when it is entered, so an error at the beginning stops it. An error within is
    recorded as `failed` with the counts so far, and goes on.

    Raises:
        AuditError: As `record`.
        StorageError: As `record`.
    """
    purposes, items = tuple(purposes), tuple(items)
    record_now(vault, permit, purposes=purposes, items=items, outcome="begun")
    counts: dict[str, int] = {}
    try:
        yield counts
    except BaseException:
        with suppress(PrivacyError):  # the first error says more; that it had begun is in the log
            record_now(vault, permit, purposes=purposes, items=items, counts=counts, outcome="failed")
        raise
    record_now(vault, permit, purposes=purposes, items=items, counts=counts)
