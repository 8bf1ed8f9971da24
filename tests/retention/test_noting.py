"""Values that were stored before their item lasted for some time are found by a sweep, once; on each database."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.retention import noting
from rasa_privacy.retention import sweep as sweeping
from rasa_privacy.retention.lease import LEASE_LENGTH
from rasa_privacy.retention.noting import note_older
from rasa_privacy.retention.sweep import sweep
from rasa_privacy.storage.due_keys import DueKeys
from rasa_privacy.storage.noted_items import read
from rasa_privacy.storage.tables import to_micros
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND, EACH_SERVER, run_plain
from tests.support.vaults import Clock, give, grant, held, privacy_text

each_database = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
servers = pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)
WEEK = timedelta(days=7)
Open = Callable[..., Vault]


@pytest.fixture
def open_with(url: str, tmp_path: Path, clock: Clock) -> Iterator[Open]:
    """Return a function that opens the store with a `keep` for phones and names, by the real time."""
    clock.now = clock.real()
    opened: list[Vault] = []

    def make(phone: str = "full", full_name: str = "full", keys: str | None = None) -> Vault:
        text = privacy_text().replace("phone, detect: phone}", f"phone, detect: phone, keep: {phone}}}")
        text = text.replace("entity: PERSON}", f"entity: PERSON, keep: {full_name}}}")
        text = text.replace("retain: 10 days", "retain: 90 days")
        (tmp_path / "privacy.yml").write_text(text, encoding="utf-8")
        key = KeySettings("file", tmp_path / "keys", url=keys)
        opened.append(open_vault(StoreSettings(url, key, tmp_path / "privacy.yml"), clock))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def people(vault: Vault, number: int) -> list[str]:
    """Let people give a phone number and return their sender ids."""
    senders = [f"person {each}" for each in range(number)]
    for sender in senders:
        grant(vault, "fitting", sender=sender)
        give(vault, {"fitting": {"full_name": "Ana", "phone": "+49 30 5550123"}}, sender)
    return senders


def notes(url: str) -> list[tuple[str, int]]:
    """Return the notes of lasting values."""
    return [(item, at) for item, at in run_plain(url, "SELECT item, given_at FROM lasting_values ORDER BY given_at")]


@each_database
def test_what_was_stored_before_its_item_had_a_time_goes_too(open_with: Open, clock: Clock, url: str) -> None:
    """What is older than it now lasts, of people who stay and are silent; and what is younger when its time comes."""
    before = open_with()
    old, young = people(before, 2)
    began = clock.now
    clock.advance(days=5)
    give(before, {"fitting": {"phone": "+49 30 5550999"}}, young)
    vault = open_with("7 days")
    assert notes(url) == []
    assert sweep(vault, began + WEEK, trusted=True).items == 2
    assert held(vault, old) == {"fitting": {"full_name": "Ana"}}
    assert held(vault, young)["fitting"]["phone"] == "+49 30 5550999"
    assert notes(url) == [("phone", to_micros(began + timedelta(days=5)))]
    assert sweep(vault, clock.now + WEEK, trusted=True).items == 1
    assert held(vault, young) == {"fitting": {"full_name": "Ana"}}


def test_it_is_done_once_for_each_item(open_with: Open, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with every sweep, also not where it gets shorter; anew where an item loses its time and gets one again."""
    looks: list[bytes] = []
    holders = DueKeys.holders

    def noted(keys: DueKeys, conn: Any, most: int, after: bytes) -> list[bytes]:
        looks.append(after)
        return holders(keys, conn, most, after)

    monkeypatch.setattr(DueKeys, "holders", noted)
    people(open_with(), 1)
    for keeps, number in (
        (("7 days",), 2),
        (("7 days",), 0),
        (("2 days",), 0),
        (("2 days", "30 days"), 2),
        (("full", "30 days"), 0),
        (("2 days", "30 days"), 2),
    ):
        looks.clear()
        sweep(open_with(*keeps), clock.now, trusted=True)
        assert len(looks) == number, keeps


@each_database
def test_a_pass_that_was_stopped_is_gone_on_with(
    open_with: Open, clock: Clock, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the person on at whom it stopped; and nobody's note is made twice."""
    monkeypatch.setattr(noting, "_BATCH", 2)
    people(open_with(), 5)
    vault = open_with("7 days")
    stops = iter([False, True])
    assert not note_older(vault, clock.now, lambda: next(stops), lambda _: None)
    assert len(notes(url)) == 2
    with vault.database.read() as connection:
        reached = read(connection)
    assert reached.done == ()
    run_plain(url, "DELETE FROM lasting_values")  # what was done is not done again
    assert note_older(vault, clock.now, lambda: False, lambda _: None)
    assert len(notes(url)) == 3
    assert note_older(vault, clock.now, lambda: True, lambda _: None)
    with vault.database.read() as connection:
        assert read(connection).done == ("phone",)


def test_who_holds_the_lease_hears_of_each_page(open_with: Open, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease would be over before many people are noted, and another process would sweep beside this one."""
    monkeypatch.setattr(noting, "_BATCH", 2)
    people(open_with(), 5)
    heard: list[int] = []
    sweep(open_with("7 days"), clock.now, advance=heard.append, trusted=True)
    assert heard[:3] == [0, 0, 0]


def test_a_rest_is_shorter_than_a_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a transaction that waited for long, too, so that the lease can be renewed in time."""
    rested: list[float] = []
    times = SimpleNamespace(monotonic=lambda: 50.0, sleep=rested.append)
    monkeypatch.setattr(sweeping, "time", times)
    pace = sweeping._Pace(lambda _: None, sweeping.GENTLY, None, 1)
    pace.pause(began=49.9)
    pace.pause(began=0.0)
    assert rested == [pytest.approx(1.9), 60.0]
    assert timedelta(seconds=rested[-1]) + timedelta(minutes=1) < LEASE_LENGTH


def test_a_sweep_without_time_says_that_it_is_not_done(open_with: Open, clock: Clock) -> None:
    """So that the next one comes soon."""
    people(open_with(), 1)
    vault = open_with("7 days")
    assert not sweep(vault, clock.now, seconds=0, trusted=True).is_done
    assert sweep(vault, clock.now, trusted=True).is_done


@servers
def test_who_is_in_a_turn_is_waited_for(open_with: Open, clock: Clock, url: str) -> None:
    """And noted afterwards; the others are noted meanwhile."""
    senders = people(open_with(), 3)
    vault = open_with("7 days")
    with vault.database.write() as connection:
        assert vault.subjects.find_for_update(connection, senders[1]) is not None
        thread = threading.Thread(target=note_older, args=(vault, clock.now, lambda: False, lambda _: None))
        thread.start()
        while len(notes(url)) < 2:
            assert thread.is_alive()
    thread.join()
    assert len(notes(url)) == 3


def test_keys_of_their_own_database_are_gone_through_too(open_with: Open, clock: Clock, tmp_path: Path) -> None:
    """People are found by their keys, notes are beside the conversations."""
    keys = f"sqlite:///{tmp_path}/keys.db"
    (sender,) = people(open_with(keys=keys), 1)
    clock.advance(days=8)
    vault = open_with("7 days", keys=keys)
    assert sweep(vault, clock.now, trusted=True).items == 1
    assert held(vault, sender) == {"fitting": {"full_name": "Ana"}}


def test_a_row_that_was_changed_by_hand_stops_the_sweep(open_with: Open, clock: Clock, url: str) -> None:
    """With what to do; without the row it looks at everybody again."""
    people(open_with(), 1)
    vault = open_with("7 days")
    sweep(vault, clock.now, trusted=True)
    run_plain(url, "UPDATE meta SET value = x'00' WHERE name = 'lasting_noted'")
    with pytest.raises(TamperedSegmentError, match="delete the row"):
        sweep(vault, clock.now, trusted=True)
    run_plain(url, "DELETE FROM meta WHERE name = 'lasting_noted'")
    assert sweep(vault, clock.now, trusted=True).is_done
