"""A value that lasts for some time goes when that is over, also of somebody who is silent; on each database."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rasa_privacy.access.admission import admit_local
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.report.gathering import gather
from rasa_privacy.retention.explanation import explain, words
from rasa_privacy.retention.lasting import over
from rasa_privacy.retention.plan import plan
from rasa_privacy.retention.runs import run
from rasa_privacy.retention.sweep import SweepResult, sweep
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.holds import add as add_hold
from rasa_privacy.rights.staff_rectification import rectify
from rasa_privacy.storage import lasting_values
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, Clock, evidence, give, grant, held, privacy_text

each_database = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
WEEK = timedelta(days=7)
Open = Callable[[str], Vault]


@pytest.fixture
def open_lasting(url: str, tmp_path: Path, clock: Clock) -> Iterator[Open]:
    """Return a function that opens the store with this `keep` for phones, by the real time."""
    clock.now = clock.real()
    opened: list[Vault] = []

    def make(keep: str) -> Vault:
        text = privacy_text().replace("phone, detect: phone}", f"phone, detect: phone, keep: {keep}}}")
        text = text.replace("retain: 10 days", "retain: 90 days")
        (tmp_path / "privacy.yml").write_text(text, encoding="utf-8")
        key = KeySettings("file", tmp_path / "keys")
        opened.append(open_vault(StoreSettings(url, key, tmp_path / "privacy.yml"), clock))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def lasting(open_lasting: Open) -> Vault:
    """Return a store in which a phone number lasts for a week, and somebody who gave one."""
    vault = open_lasting("7 days")
    grant(vault, "fitting")
    give(vault, {"fitting": {"full_name": "Ana", "phone": "+49 30 5550123"}})
    return vault


def row_of(vault: Vault) -> list[Any]:
    """Return the notes of lasting values."""
    with vault.database.read() as connection:
        return list(connection.exec_driver_sql("SELECT item, given_at FROM lasting_values").all())


@each_database
def test_the_value_of_a_silent_person_goes(lasting: Vault, clock: Clock) -> None:
    """When its week is over and not before; what else the purpose holds stays, with its consent."""
    before = clock.now
    assert sweep(lasting, before + WEEK - timedelta(seconds=1), trusted=True) == SweepResult(0, 0)
    assert held(lasting)["fitting"] == {"full_name": "Ana", "phone": "+49 30 5550123"}
    clock.now = before + WEEK
    assert sweep(lasting, clock.now, trusted=True) == SweepResult(0, 0, items=1)
    assert held(lasting) == {"fitting": {"full_name": "Ana"}}
    assert row_of(lasting) == []
    assert sweep(lasting, clock.now, trusted=True) == SweepResult(0, 0)


@each_database
def test_what_was_given_later_stays_for_its_own_week(lasting: Vault, clock: Clock) -> None:
    """Each value counts from when it was given; the note then says when to look for the next."""
    first = clock.now
    second = clock.advance(days=3)
    give(lasting, {"fitting": {"phone": "+49 30 5550999"}})
    assert sweep(lasting, first + WEEK, trusted=True).items == 1
    assert held(lasting)["fitting"] == {"full_name": "Ana", "phone": "+49 30 5550999"}
    assert sweep(lasting, second + WEEK - timedelta(seconds=1), trusted=True).items == 0
    assert sweep(lasting, second + WEEK, trusted=True).items == 1
    assert held(lasting) == {"fitting": {"full_name": "Ana"}}


@each_database
def test_who_is_erased_or_removed_leaves_no_note(lasting: Vault, clock: Clock) -> None:
    """By their wish, and by the page."""
    give(lasting, {"fitting": {"phone": "+49 30 5550777"}}, "other")
    assert len(row_of(lasting)) == 2
    assert erase(lasting, SENDER, evidence(lasting)) is not None
    assert len(row_of(lasting)) == 1
    assert sweep(lasting, clock.advance(days=400), trusted=True).people == 1
    assert row_of(lasting) == []


@each_database
def test_several_hands_remove_it_once(lasting: Vault, clock: Clock) -> None:
    """Many silent people, some of whom have nothing else that lasts."""
    for number in range(45):
        give(lasting, {"fitting": {"phone": f"+49 30 555{number:04}"}}, f"person {number}")
    assert sweep(lasting, clock.advance(days=8), trusted=True, workers=3).items == 46
    assert held(lasting, "person 7") == {}


def test_plan_and_audit_know_it(lasting: Vault, clock: Clock) -> None:
    """What will go is counted before, when the next goes is said, and the run's record has the number."""
    with lasting.database.read() as connection:
        assert plan(lasting, connection, clock.now).items == {}
        assert plan(lasting, connection, clock.now).next_at == clock.now + WEEK
    clock.advance(days=8)
    with lasting.database.read() as connection:
        assert plan(lasting, connection, clock.now).items == {"phone": 1}
    assert gather(lasting, admit_local(lasting, "report"), clock.now).removal.overdue == 1
    run(lasting, admit_local(lasting, "retention"), trusted=True)
    with lasting.database.read() as connection:
        *_, record = (entry.record for entry in lasting.audit.entries(connection))
    assert record.counts == {"people": 0, "purposes": 0, "left": 0, "items": 1}


def test_explain_says_that_the_items_own_time_counts(lasting: Vault, clock: Clock) -> None:
    """Where it is shorter than what the purposes say."""
    with lasting.database.read() as connection:
        _, _, phone = explain(lasting, connection, SENDER, admit_local(lasting, "view"))
    assert phone.due_at == clock.now + WEEK
    assert words(phone).endswith(", by its own time (keep: 7 days), for fitting")


def test_the_length_of_today_counts(open_lasting: Open, clock: Clock) -> None:
    """Who writes 2 days where it was a week has it gone after two."""
    vault = open_lasting("7 days")
    grant(vault, "fitting")
    give(vault, {"fitting": {"phone": "+49 30 5550123"}})
    shorter = open_lasting("2 days")
    assert sweep(shorter, clock.advance(days=3), trusted=True).items == 1
    assert held(shorter) == {}


def test_a_legal_hold_keeps_it(lasting: Vault, clock: Clock) -> None:
    """It is looked at again a day later, and counts as not overdue until then."""
    permit = admit_local(lasting, "retention")
    lasting.database.transact(lambda connection: add_hold(lasting, connection, SENDER, "case-1", permit))
    assert sweep(lasting, clock.advance(days=8), trusted=True) == SweepResult(0, 0)
    assert "phone" in held(lasting)["fitting"]
    with lasting.database.read() as connection:
        assert over(lasting, connection, clock.now) == {}
        assert over(lasting, connection, clock.now + timedelta(days=1)) == {"phone": 1}


def test_a_damaged_conversation_is_named_as_left(lasting: Vault, clock: Clock, url: str) -> None:
    """The sweep goes on beside it, and says that something overdue is there."""
    give(lasting, {"fitting": {"phone": "+49 30 5550777"}}, "other")
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("UPDATE segments SET sealed = zeroblob(80) WHERE rowid = (SELECT min(rowid) FROM segments)")
    result = sweep(lasting, clock.advance(days=8), trusted=True)
    assert (result.items, result.left) == (1, 1)


def test_a_note_without_a_value_goes_by_itself(lasting: Vault, clock: Clock) -> None:
    """It is a hint and no more: the value may have been taken back meanwhile."""
    with lasting.database.read() as connection:
        who = lasting.subjects.find(connection, SENDER)
    assert who is not None
    lasting.database.transact(
        lambda connection: lasting.parts.drop_item(connection, who, "fitting", "phone", clock.now)
    )
    lasting.database.transact(lambda connection: lasting_values.note(connection, b"n" * 16, ["phone"], clock.now))
    assert sweep(lasting, clock.advance(days=8), trusted=True) == SweepResult(0, 0)
    assert row_of(lasting) == []


def test_what_staff_correct_lasts_from_then_on(lasting: Vault, clock: Clock) -> None:
    """The right value is not older than its correction."""
    clock.advance(days=5)
    rectify(lasting, SENDER, "phone", "+49 30 5550555", admit_local(lasting, "rectify"))
    assert sweep(lasting, clock.advance(days=3), trusted=True).items == 0
    assert "phone" in held(lasting)["fitting"]
    assert sweep(lasting, clock.advance(days=4), trusted=True).items == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["phone", "full_name"])), min_size=1, max_size=6))
def test_after_a_sweep_nothing_older_than_its_week_is_left(
    open_lasting: Open, clock: Clock, gifts: list[tuple[int, str]]
) -> None:
    """Whatever was given when; and nothing younger is missing."""
    vault = open_lasting("7 days")
    sender = f"person {clock.real()}"
    given_at: list[tuple[datetime, str]] = []
    for days, item in gifts:
        give(vault, {"fitting": {item: f"value {len(given_at)}"}}, sender)
        given_at.append((clock.now, item))
        clock.advance(days=days)
    sweep(vault, clock.now, trusted=True)
    with vault.database.read() as connection:
        stored = vault.conversations.load(connection, sender, all_sessions=True)
    kept = [entry[3] for entry in stored.values.get("fitting", [])] if stored is not None else []
    expected = [
        f"value {number}" for number, (at, item) in enumerate(given_at) if item == "full_name" or at + WEEK > clock.now
    ]
    assert sorted(kept) == sorted(expected)
