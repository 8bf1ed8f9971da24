"""`replay`: carries out what the erasure journal knows and the database does not (docs/spec/journal.md, section 7).

It runs when the store opens, before anything is served. Most times there is nothing to do. After a restore from a
backup it erases again who was erased since, and takes back what was withdrawn since; after a kill -9 it completes what
was begun. What the database knows to be done is compared with what it holds: single tables may have been put back.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import ID_BYTES
from rasa_privacy.policy.topics import LIFTED, LIMITED, RESTRICTED, SALE_OR_SHARING, UNLIMITED, item_of
from rasa_privacy.storage import requests
from rasa_privacy.storage.erasures import destroy_topic
from rasa_privacy.storage.journal_entry import Entry, Erased, PartErased, Position, Withdrawn
from rasa_privacy.storage.kept import after_keeping, keep
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.ledger_rows import RECORDS
from rasa_privacy.storage.outbox import tell_others_if_possible
from rasa_privacy.storage.tables import data_keys, erasures, ledger, ledger_kinds, subjects, to_micros

if TYPE_CHECKING:
    from rasa_privacy.storage.vault import Vault

_BATCH: Final = 100
_THESE: Final = bindparam("people", expanding=True)
_PEOPLE: Final = select(subjects.c.subject_id).where(subjects.c.subject_id.in_(_THESE))
_CERTIFIED: Final = select(erasures.c.certificate).where(
    erasures.c.certificate.in_(bindparam("numbers", expanding=True))
)
_KEYS: Final = select(data_keys.c.subject_id, data_keys.c.purpose).where(data_keys.c.subject_id.in_(_THESE))
_ANSWERS: Final = (
    select(ledger.c.subject_id, ledger_kinds.c.purpose, ledger_kinds.c.event, ledger.c.at)
    .select_from(RECORDS)
    .where(ledger.c.subject_id.in_(_THESE), ledger_kinds.c.event != "asked")
)
#: `method` and `channel` of the ledger records that replay writes.
METHOD: Final = "journal"
#: Answers after which no consent stands.
_ENDED: Final = frozenset(("refused", "withdrawn"))
_LIFTED: Final = "superseded"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay found undone and did.

    Attributes:
        erased: People who were there again.
        withdrawn: Purposes of people that were there again.
    """

    erased: int
    withdrawn: int


def replay(vault: "Vault", *, everything: bool = False) -> Replayed:
    """Carry out the journal, and empty the database's log. Nothing may be served before it returns.

    Args:
        vault: The open store.
        everything: Carry out each entry again, and not only those that the database does not know or contradicts.

    Raises:
        JournalError: The journal was lost, cut, changed, or is another database's; nothing was done.
        LedgerError: The ledger does not verify.
        StorageError: The database cannot be read or written.
    """
    with vault.database.read() as connection:
        marks = vault.journal.marks(connection)
    first = 0 if everything else marks.done
    written = vault.journal.verify(marks)
    erased, withdrawn = (0, 0) if everything else _mend(vault, marks.done)
    if written > first:
        done = _through(vault, first, _BATCH)
        erased, withdrawn = erased + done.erased, withdrawn + done.withdrawn
    # An erasure whose process was killed before it emptied the log left its bytes there.
    vault.checkpoint()
    return Replayed(erased, withdrawn)


def finish(vault: "Vault") -> bool:
    """Carry out what the journal has and the database does not know yet, while the store is in use.

    Returns:
        Whether there was an entry.

    Raises:
        JournalError: The journal was lost, cut, changed, or is another database's; nothing was done.
        StorageError: The database cannot be read or written.
    """
    with vault.database.read() as connection:
        marks = vault.journal.marks(connection)
    if vault.journal.last_number(marks) <= marks.done:
        return False
    _through(vault, marks.done, 1)  # people are locked one at a time, in the order in which others lock
    vault.checkpoint()
    return True


def _through(vault: "Vault", first: int, most: int) -> Replayed:
    """Carry out the entries after this number, so many in each transaction."""
    erased = withdrawn = 0
    for batch in _batches(vault.journal.after(first), most):
        done = _after_keeping(
            vault,
            [entry for _position, entry in batch],
            lambda conn, batch=batch, after=first: _carry_out(vault, conn, batch, after),  # type: ignore[misc]
        )
        erased += done.erased
        withdrawn += done.withdrawn
        first = batch[-1][0].number
    return Replayed(erased, withdrawn)


def _mend(vault: "Vault", done: int) -> tuple[int, int]:
    """Carry out again what the database knows to be done and holds all the same; return people and purposes.

    Single tables or rows may have been put back from a backup, or the database of the keys alone.
    """
    erased = withdrawn = 0
    known = takewhile(lambda each: each[0].number <= done, vault.journal.after(0))
    for batch in _batches(known, _BATCH):
        undone = _undone(vault, [entry for _position, entry in batch])
        if undone:
            again = _after_keeping(vault, undone, lambda conn, undone=undone: _again(vault, conn, undone))  # type: ignore[misc]
            erased += again.erased
            withdrawn += again.withdrawn
    return erased, withdrawn


def _undone(vault: "Vault", entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that the database contradicts."""
    people = {"people": list({entry.subject_id for entry in entries})}
    with vault.database.read() as conn:
        there = set(conn.execute(_PEOPLE, people).scalars())
        parts = [entry.certificate for entry in entries if isinstance(entry, PartErased)]
        certified = set(conn.execute(_CERTIFIED, {"numbers": parts}).scalars()) if parts else set()
        answers: dict[tuple[bytes, str], list[Any]] = {}
        for row in conn.execute(_ANSWERS, people):
            answers.setdefault((row.subject_id, row.purpose), []).append(row)
    with vault.key_database.read() as conn:
        keys = {(row.subject_id, row.purpose) for row in conn.execute(_KEYS, people)}
    keyed = {subject_id for subject_id, _ in keys}

    def is_undone(entry: Entry) -> bool:
        if isinstance(entry, Erased):
            return entry.subject_id in there or entry.subject_id in keyed
        if isinstance(entry, PartErased):
            return entry.certificate not in certified
        at, standing = to_micros(entry.at), _standing(entry)
        key = (entry.subject_id, entry.purpose if standing is None else standing[0])
        ends = _ENDED if standing is None else (standing[1],)
        later = any(row.at > at or (row.at == at and row.event in ends) for row in answers.get(key, ()))
        is_there = standing is not None or key in answers or key in keys
        return entry.subject_id in there and not later and is_there

    return [entry for entry in entries if is_undone(entry)]


def _again(vault: "Vault", connection: Connection, entries: Sequence[Entry]) -> Replayed:
    erased = withdrawn = 0
    for entry in entries:
        if isinstance(entry, Erased):
            erased += _erase(vault, connection, entry)
        elif isinstance(entry, PartErased):
            withdrawn += _erase_part(vault, connection, entry)
        else:
            withdrawn += _withdraw(vault, connection, entry)
    return Replayed(erased, withdrawn)


def _after_keeping(vault: "Vault", entries: Sequence[Entry], work: Callable[[Connection], Replayed]) -> Replayed:
    """Carry out entries, after what the law keeps of whoever is erased was stored for good."""
    erased = [entry.subject_id for entry in entries if isinstance(entry, Erased)]
    return after_keeping(vault, erased, vault.clock(), work, ordered=True)


def _batches(entries: Iterator[tuple[Position, Entry]], most: int) -> Iterator[list[tuple[Position, Entry]]]:
    while batch := list(islice(entries, most)):
        yield batch


def _carry_out(vault: "Vault", connection: Connection, batch: Sequence[tuple[Position, Entry]], after: int) -> Replayed:
    """Carry out entries in one transaction, which remembers that they are done."""
    done = _again(vault, connection, [entry for _position, entry in batch])
    vault.journal.carried_out(connection, after, batch[-1][0])
    return done


def _erase(vault: "Vault", connection: Connection, entry: Erased) -> bool:
    """Erase the person if there is one; return whether there was."""
    if not vault.subjects.lock(connection, entry.subject_id):
        # Keys in a database of their own may be there without the person.
        vault.data_keys.destroy_all(connection, entry.subject_id)
        vault.erasures.certify(connection, entry.subject_id, entry.at, entry.certificate, entry.counts)
        return False
    answers = {record.purpose: record for record in _answers(vault, connection, entry.subject_id)}
    for record in answers.values():
        _end(vault, connection, record, entry)
    keep(vault, connection, entry.subject_id, vault.clock())
    tell_others_if_possible(vault, connection, entry.subject_id, entry.certificate, entry.at)
    vault.erasures.bury(connection, entry.subject_id, entry.at, entry.certificate, entry.counts)
    return True


def _withdraw(vault: "Vault", connection: Connection, entry: Withdrawn) -> bool:
    """Take back the purpose unless the ledger knows of it or of a later answer; return whether there was anything."""
    if not vault.subjects.lock(connection, entry.subject_id):
        return False
    standing = _standing(entry)
    if standing is not None:
        return _say_again(vault, connection, entry, *standing)
    answers = [each for each in _answers(vault, connection, entry.subject_id) if each.purpose == entry.purpose]
    if any(answer.at > entry.at or (answer.at == entry.at and answer.event in _ENDED) for answer in answers):
        return False
    ended = bool(answers) and _end(vault, connection, answers[-1], entry)
    destroyed = destroy_topic(vault.parts, vault.data_keys, connection, entry.subject_id, entry.purpose, vault.clock())
    return ended or destroyed


def _erase_part(vault: "Vault", connection: Connection, entry: PartErased) -> int:
    """Erase a part that has no certificate yet, give it one, and end its request; return how much was there."""
    if vault.erasures.certificate(connection, entry.certificate) is not None:
        return 0
    done = 0
    for topic in entry.key_ids if vault.subjects.lock(connection, entry.subject_id) else ():
        done += _withdraw(vault, connection, Withdrawn(entry.subject_id, entry.at, topic))
        if item_of(topic) and all(each.purpose != topic for each in _answers(vault, connection, entry.subject_id)):
            # By this record another replay leaves what was given afterwards.
            _append(vault, connection, entry, topic, "withdrawn")
    key_ids = {topic: bytes.fromhex(key_id) for topic, key_id in entry.key_ids.items() if key_id}
    own = os.urandom(ID_BYTES)  # one that names the person says that they are gone
    vault.erasures.certify(connection, own, entry.at, entry.certificate, entry.counts, key_ids)
    requests.close_part(connection, entry.subject_id, entry.at, entry.certificate, received_by=entry.at)
    return done


def _standing(entry: Withdrawn) -> tuple[str, str] | None:
    """Return topic and event of the ledger record that an entry about a standing word stands for, or None."""
    topic = entry.purpose
    if topic.startswith(LIFTED):
        return f"{RESTRICTED}{topic.removeprefix(LIFTED)}", _LIFTED
    if topic == UNLIMITED:
        return LIMITED, _LIFTED
    return (topic, "refused") if topic in (LIMITED, SALE_OR_SHARING) or topic.startswith(RESTRICTED) else None


def _say_again(vault: "Vault", connection: Connection, entry: Withdrawn, topic: str, event: str) -> bool:
    """Record what a person said once and for all, unless the ledger knows of it or of a later word."""
    said = [each for each in _answers(vault, connection, entry.subject_id) if each.purpose == topic]
    if any(each.at > entry.at or (each.at == entry.at and each.event == event) for each in said):
        return False
    _append(vault, connection, entry, topic, event)
    return True


def _append(vault: "Vault", connection: Connection, entry: Withdrawn | PartErased, topic: str, event: str) -> None:
    language = vault.policy.languages[0]
    record = LedgerRecord(entry.subject_id, topic, event, bytes(32), language, METHOD, METHOD, entry.at)
    vault.ledger.append(connection, record)


def _answers(vault: "Vault", connection: Connection, subject_id: bytes) -> list[LedgerRecord]:
    """Return the ledger's records of a subject that are more than a question, the oldest first."""
    return [each for each in vault.ledger.of_subject(connection, subject_id) if each.event != "asked"]


def _end(vault: "Vault", connection: Connection, last: LedgerRecord, entry: Entry) -> bool:
    """Record that the consent of this last answer ended, if it stood; return whether it did."""
    if last.event in _ENDED:
        return False
    record = LedgerRecord(
        subject_id=last.subject_id,
        purpose=last.purpose,
        event="withdrawn",
        notice_hash=last.notice_hash,
        language=last.language,
        method=METHOD,
        channel=METHOD,
        at=entry.at,
    )
    vault.ledger.append(connection, record)
    return True
