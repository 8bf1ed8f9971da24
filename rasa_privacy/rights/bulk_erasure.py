"""Erasing many people at once: a list of sender ids, or whoever was last heard of before a day.

Rules:

1. A page of people is erased in one transaction, in the order of `erasure`: withdrawals in the ledger, the outbox, one
   append to the journal, then certificates, keys, tombstones and rows. After the commit the page is read back.
2. Each person gets a certificate, as if erased alone. Its number stands in the report beside the number of the line, so
   that the report names nobody.
3. Who is under a legal hold, beyond the operator's role, or found by rows that somebody changed, stays, and the report
   says so. Whom another transaction holds is tried again at the end. Who writes meanwhile is silent no longer.
4. Killed at any point, it is run again with the same list: who is gone is not there any more, and what the journal
   knows and the database does not is carried out when the store is opened.
5. No request is opened: nobody asked. Open ones of these people are closed.
6. A person of a list goes with all linked conversations, or not at all. By a day conversations go, each by its own last
   event: one that is silent is no reason to end another in which the person still writes.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import islice
from typing import Any, Final

from rasa_privacy.access.recording import record, record_now
from rasa_privacy.consent.ledger import Evidence, record_withdrawals
from rasa_privacy.crypto.identity import ID_BYTES
from rasa_privacy.errors import LedgerError, PrivacyError, StorageError
from rasa_privacy.rights.bulk_outcomes import Outcome, everybody, links_of, why_each_stays, why_one_stays
from rasa_privacy.rights.bulk_run import Bulk, Line
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.erasure import certificate_number
from rasa_privacy.storage.conversation_rows import by_subject, kept_name
from rasa_privacy.storage.erasures import Erasure
from rasa_privacy.storage.journal_entry import Erased
from rasa_privacy.storage.kept import Kept, after_keeping, keep, kept_after, kept_by_law, needs_keeping_first
from rasa_privacy.storage.outbox import tell_others
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

#: People of one transaction. On SQLite nobody else can write meanwhile.
PAGE: Final = {"sqlite": 200, "postgresql": 1000, "mysql": 500}
#: How often those are tried again whom others hold.
_PASSES: Final = 5


@dataclass(frozen=True, slots=True)
class _Gone:
    """Somebody who was erased, with those to whom their links lead."""

    person: Erasure
    linked: tuple[Erasure, ...]

    @property
    def subject_ids(self) -> list[bytes]:
        """The ids of all of them, the person first."""
        return [each.subject_id for each in (self.person, *self.linked)]


def erase_listed(run: Bulk, sender_ids: Iterable[str]) -> None:
    """Erase the people behind sender ids, or only say what would become of each.

    Raises:
        AccessError: The permit is for something else.
        StorageError: It could not be committed, or reading back found something. Pages of before stay erased.
        JournalError: The journal could not be written; nothing of that page was deleted.
    """
    run.permit.require("erase")
    numbered = iter(enumerate(sender_ids, start=1))
    size = PAGE[run.vault.database.dialect]
    while page := list(islice(numbered, size)):
        with run.vault.database.read() as connection:
            known = run.vault.crowd.find(connection, [sender_id for _, sender_id in page])
        wanted: dict[bytes, int] = {}
        for number, sender_id in page:
            subject_id = known.get(sender_id)
            if subject_id is not None and len(subject_id) == ID_BYTES and subject_id not in wanted:
                wanted[subject_id] = number
            else:
                run.say(Line(number, "unknown" if subject_id is None or subject_id in wanted else "changed"))
        _erase_page(run, wanted)
    _finish(run)


def erase_before(run: Bulk, before: datetime) -> None:
    """Erase whoever was last heard of before a time, or only say how many these are; otherwise as `erase_listed`.

    Somebody was last heard of at the last event that is stored. Who is damaged so that nobody can tell stays.
    """
    run.permit.require("erase")
    size, after, number = PAGE[run.vault.database.dialect], b"", 0
    while True:
        with run.vault.database.read() as connection:
            page = run.vault.crowd.made_before(connection, before, after, size)
        silent = [subject_id for subject_id in page if _is_silent(run.vault, subject_id, before)]
        _erase_page(run, {subject_id: number + place for place, subject_id in enumerate(silent, start=1)}, before)
        number += len(silent)
        if len(page) < size:
            break
        after = page[-1]
    _finish(run)


def _finish(run: Bulk) -> None:
    """Record who was looked for and stays, in a preview everybody: nobody tries out a list without a trace."""
    looked_at = sum(number for name, number in run.counts.items() if run.is_preview or name != "erased")
    if looked_at or run.is_preview:
        record_now(run.vault, run.permit, counts={"looked_at": looked_at})
    if not run.is_preview and run.counts.get("erased"):
        empty_log(run.vault)


def _is_silent(vault: Vault, subject_id: bytes, before: datetime) -> bool:
    """Return whether nothing of a person happened since a time."""
    try:
        with vault.database.read() as connection:
            names = vault.senders.ids_of(connection, subject_id)
            if kept_name(subject_id) in names:
                return False  # what the law keeps of somebody who is gone
            last = [vault.conversations.load(connection, name, purposes=()) for name in names]
            if len(names) < max(1, len(by_subject(connection, subject_id))):
                raise StorageError("a conversation or its name is damaged, so nobody knows its last event")
        times = [each.structure[-1]["timestamp"] for each in last if each is not None and each.structure]
        return all(datetime.fromtimestamp(at, timezone.utc) < before for at in times)
    except (PrivacyError, LookupError, TypeError, ValueError, OverflowError):
        logger.warning("Of a person nobody can tell since when they are silent; `check --database` names the rows.")
        return False


def _erase_page(run: Bulk, wanted: dict[bytes, int], before: datetime | None = None) -> None:
    """Erase people by the number of their line, those who are silent since a time; again those whom others hold."""
    if run.is_preview:
        _preview_page(run, wanted, before)
        return
    left = dict(wanted)
    for _ in range(_PASSES):
        if not left:
            return
        now = run.vault.clock()
        everybody = _to_keep(run.vault, left, before)
        done = after_keeping(run.vault, everybody, now, lambda connection: _work(run, connection, list(left), before))
        erased = [subject_id for each in done if isinstance(each, _Gone) for subject_id in each.subject_ids]
        _read_back(run.vault, erased)
        kept = kept_after(run.vault, erased, run.vault.clock())
        for each in done:
            if isinstance(each, _Gone):
                stays = _purposes(kept, each.subject_ids)
                also = tuple(other.certificate for other in each.linked)
                line = Line(left.pop(each.person.subject_id), "erased", each.person.certificate, stays, also)
                run.say(line, len(also))
            else:
                run.say(Line(left.pop(each[0]), each[1]))
    for number in left.values():
        run.say(Line(number, "in_use"))


def _to_keep(vault: Vault, subject_ids: Collection[bytes], before: datetime | None) -> list[bytes]:
    """Return of whom a copy must be committed before they are erased."""
    if not needs_keeping_first(vault):
        return []
    with vault.database.read() as connection:
        return everybody(subject_ids, links_of(vault, connection, subject_ids, before))


def _preview_page(run: Bulk, wanted: dict[bytes, int], before: datetime | None) -> None:
    """Say what would become of these people."""
    with run.vault.database.read() as connection:
        linked = links_of(run.vault, connection, wanted, before)
        members = run.vault.crowd.members(connection, everybody(wanted, linked))
        outcomes = why_each_stays(run.permit, connection, members)
        whys = {each: why_one_stays(each, linked, outcomes) for each in wanted}
        gone = everybody((each for each, why in whys.items() if why is None), linked)
        kept = {each: kept_by_law(run.vault, connection, each, run.vault.clock()) for each in gone}
    for subject_id, number in wanted.items():
        why, others = whys[subject_id], linked.get(subject_id) or ()
        if why is not None:
            run.say(Line(number, why))
        else:
            run.say(Line(number, "erased", kept=_purposes(kept, (subject_id, *others))), len(others))


def _purposes(kept: Mapping[bytes, Sequence[Kept]], subject_ids: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.purpose for each in subject_ids for one in kept.get(each, ())))


def _work(
    run: Bulk, connection: Any, subject_ids: Sequence[bytes], before: datetime | None
) -> list[_Gone | tuple[bytes, Outcome]]:
    """Erase those of these people whom nobody holds, within a transaction; return what became of whom."""
    vault, now = run.vault, run.vault.clock()
    free = vault.expiry.lock_free(connection, subject_ids)
    gone = set(subject_ids) - set(free) - vault.expiry.there(connection, subject_ids)
    linked = links_of(vault, connection, free, before)  # which cannot change any more
    others = set(everybody(free, linked)) - set(free)
    members = vault.crowd.members(connection, [*free, *vault.expiry.lock_free(connection, others)])
    busy = vault.expiry.there(connection, others - members.keys())
    outcomes = why_each_stays(run.permit, connection, members)
    if before is not None:
        # They are locked now. Who wrote after the page was read is no longer silent.
        outcomes |= {each: "in_use" for each in members if each not in outcomes and not _is_silent(vault, each, before)}
    whys = {each: why_one_stays(each, linked, outcomes) for each in free}
    # Of whom another transaction holds a linked conversation is tried again, as whom it holds.
    going = [each for each in free if whys[each] is None and busy.isdisjoint(linked.get(each) or ())]
    made = {
        each: Erasure(certificate_number(), each, now, members[each].counts, members[each].key_ids)
        for each in everybody(going, linked)
        if each in members
    }
    _destroy(run, connection, list(made.values()), now)
    done = [_gone(each, made, linked.get(each) or ()) for each in free if each in made]
    stay = [(each, why) for each, why in whys.items() if why is not None and each not in made]
    return [*done, *stay, *((each, "unknown") for each in gone)]


def _gone(subject_id: bytes, made: Mapping[bytes, Erasure], linked: Sequence[bytes]) -> _Gone:
    return _Gone(made[subject_id], tuple(made[each] for each in linked if each in made))


def _destroy(run: Bulk, connection: Any, made: Sequence[Erasure], now: datetime) -> None:
    if not made:
        return
    vault = run.vault
    evidence = Evidence("outside", run.channel, vault.policy.languages[0], now)
    try:
        record_withdrawals(vault, connection, [each.subject_id for each in made], evidence)
    except LedgerError:
        # Nobody stays because the ledger is damaged; without a subject its consent says nothing.
        logger.warning("A page of erasures goes on without records in the consent ledger, which is damaged.")
    for each in made:
        keep(vault, connection, each.subject_id, now)
    if vault.policy.erasure.systems:
        for each in made:
            tell_others(vault, connection, each.subject_id, each.certificate, now)
    vault.journal.write(connection, *(Erased(each.subject_id, now, each.certificate, each.counts) for each in made))
    vault.expiry.bury_all(connection, made)
    counts = {"people": len(made), "events": sum(each.counts["events"] for each in made)}
    record(vault, connection, run.permit, counts=counts)


def _read_back(vault: Vault, subject_ids: Sequence[bytes]) -> None:
    if not subject_ids:
        return
    with vault.database.read() as connection, vault.key_database.read() as keys:
        left = vault.crowd.remains(connection, keys, subject_ids)
    if left:
        raise StorageError(
            f"a page of erasures was committed but reading back still finds people ({', '.join(sorted(left))}); run it "
            "again"
        )


def lines_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield the sender ids of a file with one a line; empty lines count as lines and are nobody."""
    for line in chunks:
        yield line.decode("utf-8", "surrogateescape").rstrip("\r\n")
