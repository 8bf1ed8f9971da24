"""Many processes sweep at once, on each database: nobody is removed twice, left over, or waited for."""

import itertools
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import inspect, text

from rasa_privacy.access.admission import admit_local
from rasa_privacy.errors import AccessError, RetentionError
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.retention import sweep as sweeping
from rasa_privacy.retention.lease import LEASE_LENGTH
from rasa_privacy.retention.runs import LEASE, run, run_scheduled
from rasa_privacy.retention.sweep import SweepResult, sweep
from rasa_privacy.rights.erasure import certificate_number
from rasa_privacy.storage import expiry_at_once, handovers, known_contacts, lasting_values, leases, links, remains
from rasa_privacy.storage.tables import metadata, to_micros
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND, EACH_SERVER
from tests.support.vaults import SENDER, Clock, active, give, grant, held

each_database = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
servers = pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)
HOUR = timedelta(hours=1)


def people(vault: Vault, number: int) -> list[str]:
    """Store people who never consented and return their sender ids."""
    senders = [f"person {each}" for each in range(number)]
    for sender in senders:
        give(vault, {}, sender)
    return senders


def known(vault: Vault, senders: list[str]) -> list[str]:
    """Return those of the senders who are still stored."""
    with vault.database.read() as connection:
        return [sender for sender in senders if vault.subjects.find(connection, sender) is not None]


@each_database
def test_removing_a_page_leaves_what_removing_one_leaves(store: Vault, clock: Clock) -> None:
    """The same tables lose and get the same rows, whatever tables there are."""
    one, many = grant(store, "draw", sender="one"), grant(store, "draw", sender="many")
    for sender in ("one", "many"):
        give(store, {"draw": {"full_name": "Ana"}}, sender, events=3)
    with store.database.write() as connection:
        other = store.subjects.find_or_create(connection, "other", clock())
        for who in (one, many):
            links.put(connection, store.index, who, other, clock())
            links.put(connection, store.index, other, who, clock())
            handovers.put(connection, who * 2, who, clock(), clock() + HOUR)
            known_contacts.put(connection, who, "draw", [known_contacts.KnownContact("email", who * 2)])
            lasting_values.note(connection, who, ["full_name"], clock())

    def rows() -> dict[str, int]:
        with store.database.read() as connection:
            return {
                name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()  # noqa: S608 - our tables
                for name in inspect(connection).get_table_names()
                if name in metadata.tables
            }

    counts = [rows()]
    with store.database.write() as connection:
        store.erasures.bury(connection, one, clock(), certificate_number(), {})
    counts.append(rows())
    with store.database.write() as connection:
        assert store.expiry.lock_free(connection, [many]) == [many]
        store.expiry.bury(connection, [many], clock(), certificate_number)
    counts.append(rows())
    first, second = (
        {name: after[name] - before[name] for name in after} for before, after in itertools.pairwise(counts)
    )
    assert first == second
    assert first["tombstones"] == 1
    assert [first[name] for name in ("links", "handovers", "known_contacts", "lasting_values")] == [-2, -1, -1, -1]
    assert first["subjects"] == -1
    assert known(store, ["one", "many"]) == []
    with store.database.read() as connection:
        assert store.erasures.is_erased(connection, many)
        assert store.erasures.tombstone_of(connection, "many") is not None


def test_removing_many_at_once_empties_each_table_that_names_people() -> None:
    """A table that is added is thought of there too; keys are destroyed before, and whoever is held is not removed."""
    emptied = set(re.findall(r"DELETE FROM (\w+)", str(expiry_at_once._GONE)))
    assert emptied == {*remains.EXAMINED} - {"data_keys", "holds"}


@servers
def test_a_person_who_is_worked_on_is_passed_over(store: Vault, clock: Clock) -> None:
    """A turn that holds its person holds up nobody else's removal; the next sweep removes that one too."""
    senders = people(store, 4)
    now = clock.advance(days=2)
    with store.database.write() as connection:
        assert store.subjects.find_for_update(connection, senders[1]) is not None
        assert sweep(store, now, trusted=True) == SweepResult(3, 3, left=1)
    assert known(store, senders) == [senders[1]]
    assert sweep(store, now, trusted=True) == SweepResult(1, 1)


@servers
def test_several_sweep_at_once(
    store: Vault, settings: StoreSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Together they remove each person once, and what they counted adds up."""
    monkeypatch.setattr(sweeping, "_BATCH", dict.fromkeys(sweeping._BATCH, 5))
    senders = people(store, 60)
    now = clock.advance(days=2)
    others = [open_vault(settings, clock) for _ in range(3)]
    results: list[SweepResult] = []
    barrier = threading.Barrier(4)

    def work(vault: Vault) -> None:
        barrier.wait()
        results.append(sweep(vault, now, trusted=True))

    threads = [threading.Thread(target=work, args=(vault,)) for vault in (store, *others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for vault in others:
        vault.close()
    assert len(results) == 4
    assert sum(result.people for result in results) == 60
    assert known(store, senders) == []
    with store.database.read() as connection:
        assert len(store.erasures.since(connection, None)) == 60


@servers
def test_one_sweep_removes_with_several_hands(store: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of one process share the pages; what they removed and told of adds up."""
    monkeypatch.setattr(sweeping, "_BATCH", dict.fromkeys(sweeping._BATCH, 5))
    senders = people(store, 33)
    now, told = clock.advance(days=2), list[int]()
    assert sweep(store, now, advance=told.append, trusted=True, workers=3) == SweepResult(33, 33)
    assert sum(told) == 33
    assert known(store, senders) == []


@each_database
def test_who_comes_back_and_goes_again_has_the_newer_tombstone(store: Vault, clock: Clock) -> None:
    """The second removal takes the place of the first."""
    for _ in range(2):
        give(store, {}, "back")
        assert sweep(store, clock.advance(days=2), trusted=True).people == 1
        with store.database.read() as connection:
            tombstone = store.erasures.tombstone_of(connection, "back")
        assert tombstone is not None
        assert tombstone.erased_at == clock()


def test_two_sweeps_of_one_file_overlap_not(store: Vault, clock: Clock) -> None:
    """On SQLite the second is told to wait; when the first has been silent for too long, it goes on."""
    senders = people(store, 2)
    permit = admit_local(store, "retention")
    now = clock.advance(days=2)
    with store.database.write() as connection:
        assert leases.take(connection, LEASE, os.urandom(16), now, LEASE_LENGTH)
    with pytest.raises(RetentionError, match="another process sweeps"):
        run(store, permit)
    assert run_scheduled(store, permit, HOUR) is None
    assert known(store, senders) == senders
    clock.advance(seconds=LEASE_LENGTH.total_seconds())
    assert run(store, permit).people == 2


@each_database
def test_a_lease_of_a_wrong_clock_is_over(store: Vault, clock: Clock) -> None:
    """Who took a lease while the clock said 2080 does not keep it until then."""
    with store.database.write() as connection:
        ahead = clock() + timedelta(days=20_000)
        assert leases.take(connection, LEASE, b"a" * 16, ahead, LEASE_LENGTH)
    with store.database.write() as connection:
        assert leases.take(connection, LEASE, b"b" * 16, clock(), LEASE_LENGTH)
        assert leases.take(connection, LEASE, b"b" * 16, clock(), LEASE_LENGTH)
        assert not leases.take(connection, LEASE, b"a" * 16, clock(), LEASE_LENGTH)
        assert leases.held_until(connection, LEASE) == clock() + LEASE_LENGTH
        leases.give_back(connection, LEASE, b"a" * 16)
        assert leases.held_until(connection, LEASE) is not None
        leases.give_back(connection, LEASE, b"b" * 16)
        assert leases.held_until(connection, LEASE) is None


@each_database
def test_one_server_among_many_sweeps(store: Vault, settings: StoreSettings, clock: Clock) -> None:
    """Of several servers at the same time one has its turn, and none again before the interval is over."""
    senders = people(store, 3)
    clock.now = clock.real() + timedelta(minutes=5)  # as far as a server's clock may be off
    give(store, {}, "later")
    with store.database.write() as connection:
        for sender in senders:
            who = store.subjects.find(connection, sender)
            assert who is not None
            store.data_keys.touch(connection, who, "service", clock() - timedelta(minutes=1))
    others = [open_vault(settings, clock) for _ in range(2)]
    permit = admit_local(store, "retention")
    barrier, results = threading.Barrier(3), []

    def work(vault: Vault) -> None:
        barrier.wait()
        results.append(run_scheduled(vault, permit, HOUR))

    threads = [threading.Thread(target=work, args=(vault,)) for vault in (store, *others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for vault in others:
        vault.close()
    assert [result.people for result in results if result is not None] == [3]
    assert known(store, [*senders, "later"]) == ["later"]
    assert run_scheduled(store, permit, HOUR) is None
    assert run_scheduled(store, permit, timedelta(0)) == SweepResult(0, 0)


def test_each_run_leaves_one_record_with_what_is_left(vault: Vault, clock: Clock) -> None:
    """The audit log says how many were removed, and that nothing overdue was found afterwards."""
    people(vault, 3)
    clock.advance(days=2)
    assert run(vault, admit_local(vault, "retention", "ticket 4")).left == 0
    with vault.database.read() as connection:
        records = [entry.record for entry in vault.audit.entries(connection)]
    assert [(each.verb, each.outcome, each.reason) for each in records] == [("retention", "done", "ticket 4")]
    assert records[0].counts == {"people": 3, "purposes": 3, "left": 0}


@each_database
def test_a_run_that_somebody_stops_leaves_its_record(
    store: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it removed is gone, so the log says that it ran; the next run is not held up by it."""
    monkeypatch.setattr(sweeping, "_BATCH", dict.fromkeys(sweeping._BATCH, 2))
    senders, permit = people(store, 3), admit_local(store, "retention")
    clock.advance(days=2)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(store, permit, advance=stop, trusted=True)
    assert len(known(store, senders)) == 1
    assert run(store, permit, trusted=True).people == 1
    with store.database.read() as connection:
        records = [(each.record.outcome, dict(each.record.counts)) for each in store.audit.entries(connection)]
    assert records == [("failed", {"looked_at": 2}), ("done", {"people": 1, "purposes": 1, "left": 0})]


def test_a_run_needs_its_permit(vault: Vault) -> None:
    """A permit for something else does not sweep."""
    with pytest.raises(AccessError):
        run(vault, admit_local(vault, "view"))


def test_a_sweep_that_is_stopped_is_gone_on_with(vault: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it did not come to its end, and how much is left; the next one finds the rest."""
    monkeypatch.setitem(sweeping._BATCH, "sqlite", 2)
    people(vault, 5)
    now = clock.advance(days=2)
    steps = iter([0.0, 0.0, 0.0, 0.0, 9.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(steps, 9.0))
    stopped = sweep(vault, now, seconds=5)
    assert not stopped.is_done
    assert (stopped.people, stopped.left) == (2, 3)
    monkeypatch.undo()
    assert sweep(vault, now) == SweepResult(3, 3)


def test_a_clock_that_jumps_removes_nothing(vault: Vault, clock: Clock) -> None:
    """Years ahead or behind nothing is removed, until somebody says that the clock is right; then all of it is."""
    people(vault, 1)
    sweep(vault, clock())
    before = clock.now
    for days in (20_000, -20_000):
        clock.now = before + timedelta(days=days)
        with pytest.raises(RetentionError, match=r"the last sweep was on 2026-11-23"):
            sweep(vault, clock())
    clock.now = before + timedelta(days=-2)
    assert sweep(vault, clock()) == SweepResult(0, 0)
    clock.now = before + timedelta(days=20_000)
    assert sweep(vault, clock(), trusted=True).people == 1


@servers
def test_a_clock_that_is_not_the_servers_removes_nothing(store: Vault, clock: Clock) -> None:
    """A host a day ahead of the database's server would remove a day too early."""
    people(store, 1)
    clock.advance(days=2)
    with pytest.raises(RetentionError, match="more than 10 minutes apart"):
        sweep(store, clock())
    assert known(store, ["person 0"]) == ["person 0"]


def test_keys_apart_are_swept_and_their_orphans_too(tmp_path: Any, clock: Clock, settings: StoreSettings) -> None:
    """Where keys have a database of their own, a key that an interrupted erasure left goes with the others."""
    keys = settings.keys.__class__("file", settings.keys.path, url=f"sqlite:///{tmp_path}/keys.db")
    vault = open_vault(StoreSettings(settings.url, keys, settings.privacy), clock)
    grant(vault, "draw", sender="stays")
    give(vault, {"draw": {"full_name": "Ana"}}, "stays")
    people(vault, 3)
    with vault.key_database.write() as connection:
        row = {"subject_id": b"o" * 16, "purpose": "draw", "epoch": 1, "wrapped": b"x"}
        connection.execute(metadata.tables["data_keys"].insert(), [{**row, "due_at": to_micros(clock())}])
    result = sweep(vault, clock.advance(days=2))
    assert (result.people, result.purposes, result.left) == (3, 4, 0)
    assert held(vault, "stays") == {"draw": {"full_name": "Ana"}}
    assert active(vault, "stays") == {"draw"}
    vault.close()


@pytest.fixture
def apart(tmp_path: Any, clock: Clock, settings: StoreSettings) -> Iterator[Vault]:
    """Return a store whose keys lie apart, with a person of whom one purpose is due and another stays."""
    keys = settings.keys.__class__("file", settings.keys.path, url=f"sqlite:///{tmp_path}/keys.db")
    vault = open_vault(StoreSettings(settings.url, keys, settings.privacy), clock)
    grant(vault, "draw", "fitting")
    give(vault, {"draw": {"full_name": "Ana"}, "fitting": {"phone": "+49 30 1"}})
    clock.advance(days=10)
    yield vault
    vault.close()


def key_names(vault: Vault) -> set[str]:
    """Return the purposes of which there is a key."""
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER)
        assert subject_id is not None
        return set(vault.data_keys.due_of(connection, subject_id))


@pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
def test_a_key_apart_goes_after_the_rows_that_it_sealed(
    apart: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a race is lost or the process ends: what is stored later under a new key can be read."""
    usual, lost = apart.database.write, list[bool]()

    @contextmanager
    def write() -> Iterator[Any]:
        with usual() as connection:
            yield connection
            stored = apart.conversations.load(connection, SENDER)
            if not lost and stored is not None and not stored.values.get("fitting"):
                lost.append(True)
                raise RetentionError("the process ends here")

    monkeypatch.setattr(apart.database, "write", write)
    with pytest.raises(RetentionError, match="ends here"):
        sweep(apart, clock(), trusted=True)
    assert held(apart)["fitting"] == {"phone": "+49 30 1"}
    assert sweep(apart, clock(), trusted=True) == SweepResult(1, 0)
    assert key_names(apart) == {"service", "draw"}
    give(apart, {"fitting": {"phone": "+49 30 2"}})
    assert held(apart) == {"draw": {"full_name": "Ana"}, "fitting": {"phone": "+49 30 2"}}


@pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
def test_a_key_apart_that_is_used_again_stays(apart: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn may come between the rows and the key; and a process that ends there leaves the key to the next sweep."""
    usual = sweeping._destroy_apart

    def used(*arguments: Any) -> None:
        give(apart, {"fitting": {"phone": "+49 30 2"}})
        usual(*arguments)

    monkeypatch.setattr(sweeping, "_destroy_apart", used)
    assert sweep(apart, clock(), trusted=True) == SweepResult(1, 0)
    assert held(apart) == {"draw": {"full_name": "Ana"}, "fitting": {"phone": "+49 30 2"}}
    monkeypatch.setattr(sweeping, "_destroy_apart", lambda *_: None)
    assert sweep(apart, clock.advance(days=10), trusted=True).left == 1
    monkeypatch.undo()
    assert sweep(apart, clock(), trusted=True).left == 0
    assert key_names(apart) == {"service", "draw"}


def test_progress_is_told(vault: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page is counted once."""
    monkeypatch.setitem(sweeping._BATCH, "sqlite", 2)
    people(vault, 5)
    seen: list[int] = []
    sweep(vault, clock.advance(days=2), advance=seen.append)
    assert seen == [2, 2, 1]
