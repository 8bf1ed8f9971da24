"""`take_over`: the conversations of a store without this package come into ours, one person per transaction.

It stands in this room because it needs consent, minimisation, retention and storage at once, and only rooms of this
layer may know them all.

Rules, in order:

1. Nothing that was erased comes back: of an erased sender only what was said after the erasure is looked at.
2. A person who is here with exactly these events first was taken over before, and nothing is done: so it can be
   run again after a `kill -9`, and while the bot already goes on. One who is here with other events is left alone.
3. `takeover_plan` decides what is stored. What was written is read back and compared before it is committed.
4. A row is named by its number in the old table, never a person.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final

from rasa_privacy.access.permit import Permit
from rasa_privacy.consent.imported import record_imported
from rasa_privacy.errors import DAMAGED, ConfigurationError, StorageError
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.policy.model import Policy
from rasa_privacy.retention.lasting import note_given
from rasa_privacy.rights.identity import remember
from rasa_privacy.rights.takeover_plan import Plan, plan, sealed_form
from rasa_privacy.storage.opened_conversation import NOT_STORED, StoredConversation
from rasa_privacy.storage.stock import StockEvent, StockPerson
from rasa_privacy.storage.vault import Vault

#: What became of a person. The last two are left as they are, here and in the old store.
OUTCOMES: Final = ("taken", "already", "without_consent", "due", "erased", "empty", "other", "damaged")


@dataclass(slots=True)
class Takeover:
    """What was done.

    Attributes:
        people: Number of people by outcome, a word of `OUTCOMES`.
        events: Events that were written.
        values: Personal values that were written.
        unreadable: Rows that hold no event.
    """

    people: Counter[str] = field(default_factory=Counter)
    events: int = 0
    values: int = 0
    unreadable: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether everything in the old store is accounted for, so that it may be deleted."""
        return not self.unreadable and not self.people["other"] and not self.people["damaged"]


def take_over(  # noqa: PLR0913, PLR0917 - what is taken from where, by whom, and who is told
    vault: Vault,
    permit: Permit,
    splitter: EventSplitter,
    people: Iterable[StockPerson],
    note: Callable[[int, str], None],
    advance: Callable[[int], None],
) -> Takeover:
    """Take over these people.

    Args:
        vault: The open store; its privacy.yml says what may be taken over.
        permit: A permit for `import`.
        splitter: The splitter for that file and the bot's domain.
        people: The old store.
        note: Called with a row of the old table and what is wrong there.
        advance: Called with 1 after each person.

    Raises:
        AccessError: The permit is for something else.
        ConfigurationError: privacy.yml does not say what may be taken over, or consents to come.
        StorageError: A database cannot be read or written. What was taken over before stays.
    """
    permit.require("import")
    require_declaration(vault.policy, vault.clock())
    done = Takeover()
    for person in people:
        outcome, planned = _one(vault, splitter, person, note)
        done.people[outcome] += 1
        done.unreadable += len(planned.unreadable)
        for row in planned.unreadable:
            note(row, "it holds no event that can be read")
        if outcome == "taken":
            done.events += len(planned.structure)
            done.values += sum(map(len, planned.values.values()))
        advance(1)
    return done


def require_declaration(policy: Policy, now: datetime) -> None:
    """Refuse a takeover of which privacy.yml does not say what it may take.

    Raises:
        ConfigurationError: The block is missing, or names a day to come.
    """
    declared = policy.import_
    if declared is None:
        raise ConfigurationError(
            "privacy.yml does not say what may be taken over. Add the block 'import': under 'without_consent' what "
            "becomes of people whose consent nobody can show (drop or structure), under 'consent' the consents that "
            "you can show, each with its evidence (GDPR Art. 7(1)); config/privacy.yml explains it"
        )
    today = now.date()
    for purpose, consent in declared.consent.items():
        if consent.at is not None and consent.at > today:
            raise ConfigurationError(f"privacy.yml: import.consent.{purpose}.at is a day to come; correct it")


def _one(
    vault: Vault, splitter: EventSplitter, person: StockPerson, note: Callable[[int, str], None]
) -> tuple[str, Plan]:
    first = person.rows[0].row

    def work(connection: Any) -> tuple[str, Plan]:
        rows = _not_erased(vault, connection, person)
        if not rows:
            return "erased", Plan("empty")
        planned = plan(vault.policy, splitter, rows, vault.clock())
        if vault.subjects.find_for_update(connection, person.sender_id) is not None:
            stored = vault.conversations.load(connection, person.sender_id, all_sessions=True)
            return ("already" if _begins_with(stored, planned) else "other"), planned
        if planned.outcome == "take":
            _write(vault, connection, person.sender_id, planned)
            return "taken", planned
        return planned.outcome, planned

    try:
        outcome, planned = vault.database.transact(work)
    except DAMAGED as error:
        note(first, f"the person whose events begin here is in the new store and damaged there: {error}")
        return "damaged", Plan("empty")
    if outcome == "other":
        note(first, "the person whose events begin here is in the new store with other events, which stay")
    return outcome, planned


def _not_erased(vault: Vault, connection: Any, person: StockPerson) -> tuple[StockEvent, ...]:
    tombstone = vault.erasures.tombstone_of(connection, person.sender_id)
    if tombstone is None:
        return person.rows
    until = tombstone.erased_at.timestamp()
    return tuple(row for row in person.rows if row.event is not None and row.event["timestamp"] > until)


def _begins_with(stored: StoredConversation | None, planned: Plan) -> bool:
    """Say whether the stored conversation begins with the events that are to be taken over."""
    if stored is None or not planned.marks:
        return False
    head = stored.structure[: len(planned.marks)]
    return [(event["event"], event["timestamp"]) for event in head] == planned.marks


def _write(vault: Vault, connection: Any, sender_id: str, planned: Plan) -> None:
    now = vault.clock()
    subject_id = vault.subjects.find_or_create(connection, sender_id, now)
    for grant in planned.grants:
        record_imported(vault, connection, subject_id, grant)
    vault.conversations.append(
        connection, sender_id, NOT_STORED, planned.structure, planned.values, planned.session_starts, now
    )
    if planned.structure:  # from the first event on; whoever looks finds when each was given
        first = datetime.fromtimestamp(planned.structure[0]["timestamp"] or 0.0, tz=timezone.utc)
        note_given(vault, connection, subject_id, planned.values, first)
    remember(vault, connection, subject_id, planned.values)
    for purpose, due_at in planned.due.items():
        vault.data_keys.touch(connection, subject_id, purpose, due_at)
    _verify(vault.conversations.load(connection, sender_id, all_sessions=True), planned)


def _verify(stored: StoredConversation | None, planned: Plan) -> None:
    """Compare what is read back with what minimisation let through.

    Raises:
        StorageError: They differ, and nothing is to be committed.
    """
    read = {} if stored is None else {name: entries for name, entries in stored.values.items() if entries}
    same = (
        stored is not None
        and sealed_form(stored.structure) == sealed_form(planned.structure)
        and read.keys() == planned.values.keys()
        and all(sealed_form(read[name]) == sealed_form(entries) for name, entries in planned.values.items())
    )
    if not same:
        raise StorageError("what was written is not what is read back, so it was not kept; check disk and memory")
