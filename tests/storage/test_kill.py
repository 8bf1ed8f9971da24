"""kill -9 before and after each commit: what people were told stays true, and the next start goes on."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from rasa_privacy.consent.ledger import Evidence, state_of
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support import kill_work
from tests.support.databases import EACH_KIND, SERVERS, EmptyUrl, new_url
from tests.support.kills import AFTER, BEFORE, Outcome, every_kill
from tests.support.older_stores import check_consent, check_nothing_is_damaged, check_read, put_back, settings_of
from tests.support.vaults import SENDER, START, active, held, stored_senders
from tests.vectors.make_stores import NOW, PEOPLE, written

_OTHERS = ("anna", "berta")
_WORK = "tests.support.kill_work"

# Hundreds of killed processes: once is enough, and not on each Python.
pytestmark = pytest.mark.soak

#: From where each kind of database is migrated. MariaDB has a boundary at each statement, so not from the first schema.
_MIGRATED = [
    ("sqlite", "0001"),
    pytest.param("postgresql", "0001", marks=pytest.mark.postgresql),
    pytest.param("mariadb", "0011", marks=pytest.mark.mariadb),
]

#: What the name of a kind of database ends in where the keys have a database of their own on it.
_APART = " apart"
_PLACES = [*EACH_KIND, f"sqlite{_APART}"]
_SERVERS_APART = [pytest.param(f"{kind}{_APART}", marks=getattr(pytest.mark, kind)) for kind in SERVERS]
#: For what changes keys. Where they lie apart on a server, it is killed after each commit and not before the next one
#: too, since in between neither database gets anything that stays; SQLite's processes are killed at both.
on_servers_apart = pytest.mark.parametrize("fresh", [*_PLACES, *_SERVERS_APART], indirect=True)

Prepare = Callable[[], Sequence[str]]


@pytest.fixture(params=_PLACES)
def unmade(request: pytest.FixtureRequest, tmp_path: Path, empty_key_url: EmptyUrl) -> Iterator[Prepare]:
    """Return a function that empties the folder, and gives a database that is not there yet or has no tables."""
    with ExitStack() as made:
        yield lambda: _anew(made, tmp_path, new_url, request.param, empty_key_url)


@pytest.fixture(params=_PLACES)
def fresh(
    request: pytest.FixtureRequest, tmp_path: Path, empty_url: EmptyUrl, empty_key_url: EmptyUrl
) -> Iterator[Prepare]:
    """Return a function that empties the folder, and gives a database that is not there yet or has no rows."""
    with ExitStack() as made:
        yield lambda: _anew(made, tmp_path, empty_url, request.param, empty_key_url)


@pytest.fixture
def times(request: pytest.FixtureRequest) -> Sequence[str]:
    """Return when at a commit a process is killed, by the place of `fresh`, which is a parameter of the test."""
    kind, apart, _ = request.node.callspec.params["fresh"].partition(_APART)
    return (AFTER,) if apart and kind in SERVERS else (BEFORE, AFTER)


def _anew(made: ExitStack, folder: Path, url: EmptyUrl, place: str, key_url: EmptyUrl) -> Sequence[str]:
    made.close()
    shutil.rmtree(folder)
    folder.mkdir()
    kind = place.removesuffix(_APART)
    if kind != place:
        kill_work.put_keys_apart(str(folder), made.enter_context(key_url(kind, folder)))
    return str(folder), made.enter_context(url(kind, folder))


def _all_verified(vault: Vault) -> None:
    """Open every conversation and check the ledger."""
    with vault.database.read() as connection:
        vault.ledger.verify(connection)
        for sender in list(vault.senders.ids(connection)):
            assert vault.conversations.load(connection, sender, all_sessions=True) is not None


def _look(outcome: Outcome, check: Callable[[Vault, list[str]], None]) -> None:
    vault = kill_work.opened(*outcome.arguments)
    try:
        _all_verified(vault)
        check(vault, kill_work.told(outcome.arguments[0]))
    finally:
        vault.close()


def _with_people(fresh: Prepare, *others: str) -> Prepare:
    def prepare() -> Sequence[str]:
        arguments = fresh()
        kill_work.person(*arguments, *others)
        return arguments

    return prepare


def test_the_first_start_can_be_killed_anywhere(unmade: Prepare) -> None:
    """The next start finds or makes the schema, one key and one index key; what was said to be ready is kept."""
    ended = []

    def check(vault: Vault, told: list[str]) -> None:
        assert told in ([], [vault.index.of("check", "index").hex()])

    for outcome in every_kill(f"{_WORK}:start", unmade):
        _look(outcome, check)
        kill_work.save(*outcome.arguments)
        ended.append(outcome.completed)
    assert len(ended) > 4
    assert ended[-1]


@on_servers_apart
def test_saving_can_be_killed_anywhere(fresh: Prepare, times: Sequence[str]) -> None:
    """Each turn that was saved is there as a whole; the one that was being saved is there or not; the next follows."""
    kills = 0

    def check(vault: Vault, told: list[str]) -> None:
        with vault.database.read() as connection:
            stored = vault.conversations.load(connection, SENDER, all_sessions=True)
        turns = 0 if stored is None else stored.event_count
        assert turns in (len(told), len(told) + 1)
        if stored is not None:
            assert stored.structure == [["turn", number] for number in range(turns)]
            assert [entry[3] for entry in stored.values["draw"]] == [f"value {number}" for number in range(turns)]

    for outcome in every_kill(f"{_WORK}:save", fresh, times):
        _look(outcome, check)
        kills += 1
    assert kills > 2 * kill_work.TURNS


@on_servers_apart
def test_an_erasure_can_be_killed_anywhere(fresh: Prepare, times: Sequence[str]) -> None:
    """The person is there as a whole or gone as a whole, gone for good once it was said, and can be erased again.

    Once the journal has the entry, the next start carries it out.
    """
    seen = set()

    def check(vault: Vault, told: list[str]) -> None:
        with vault.database.read() as connection:
            subject_id = vault.subjects.find(connection, SENDER)
            tombstone = vault.erasures.tombstone_of(connection, SENDER)
        assert (subject_id is None) == (tombstone is not None) == (held(vault) == {})
        assert active(vault) == (frozenset() if subject_id is None else {"draw", "fitting"})
        assert told == [] or subject_id is None
        assert active(vault, "anna") == {"draw", "fitting"}
        seen.add((subject_id is None, bool(told)))

    for outcome in every_kill(f"{_WORK}:erase", _with_people(fresh, "anna"), times):
        _look(outcome, check)
        if kill_work.told(outcome.arguments[0]) == []:
            _finish_erasure(outcome)
    assert {(True, False), (True, True)} <= seen


@pytest.mark.parametrize("fresh", ["sqlite"], indirect=True)
def test_what_the_law_keeps_outlives_every_kill_where_keys_lie_apart(fresh: Prepare) -> None:
    """The person is there with the values, or gone with the values kept, in any case both of them; and then gone."""

    def prepare() -> Sequence[str]:
        arguments = fresh()
        kill_work.kept_person(*arguments)
        return arguments

    def values(vault: Vault) -> list[list[str]]:
        names = [SENDER, *stored_senders(vault)]
        with vault.database.read() as connection:
            found = [vault.conversations.load(connection, name, all_sessions=True) for name in dict.fromkeys(names)]
        return [sorted(entry[3] for entry in each.values["books"]) for each in found if each is not None]

    seen = set()
    for outcome in every_kill(f"{_WORK}:erase_kept", prepare):
        for finish in (False, True):
            vault = open_vault(kill_work.settings_apart(*outcome.arguments), lambda: START)
            if finish:
                erase(vault, SENDER, Evidence("button", "rest", "en", START))
                assert values(vault) == [["Ana Li", "Ana Lind"]]
            else:
                assert ["Ana Li", "Ana Lind"] in values(vault)
            assert held(vault) == {} or not finish
            seen.add(held(vault) == {})
            vault.close()
    assert seen == {False, True}


def _finish_erasure(outcome: Outcome) -> None:
    vault = kill_work.opened(*outcome.arguments)
    erase(vault, SENDER, Evidence("button", "rest", "en", START))
    assert held(vault) == {}
    _all_verified(vault)
    vault.close()


def test_a_withdrawal_can_be_killed_anywhere(fresh: Prepare) -> None:
    """Consent and values of the purpose are both there or both gone, and other purposes are left alone."""
    seen = set()

    def check(vault: Vault, told: list[str]) -> None:
        gone = "draw" not in active(vault)
        assert gone == ("draw" not in held(vault))
        assert held(vault)["fitting"] == {"phone": "+49"}
        assert gone or told == []
        seen.add((gone, bool(told)))

    for outcome in every_kill(f"{_WORK}:withdraw", _with_people(fresh)):
        _look(outcome, check)
    assert {(True, False), (True, True)} <= seen


@on_servers_apart
def test_a_sweep_can_be_killed_anywhere(fresh: Prepare, times: Sequence[str]) -> None:
    """Nobody is left half removed, and the next sweep removes the rest."""
    left = set()

    def check(vault: Vault, told: list[str]) -> None:
        with vault.database.read() as connection:
            there = vault.conversations.count(connection)
        assert there == 0 or told == []
        left.add(there)

    for outcome in every_kill(f"{_WORK}:sweep", _with_people(fresh, *_OTHERS), times):
        _look(outcome, check)
        kill_work.sweep(*outcome.arguments)
        _look(outcome, lambda vault, _told: _assert_nothing_due(vault))
    assert len(left) > 2
    assert {0, 3} <= left


@on_servers_apart
def test_a_rotation_can_be_killed_anywhere(fresh: Prepare, times: Sequence[str]) -> None:
    """Everybody can be read with the keys that are there, and doing it again ends with one key and no other."""
    kills = 0

    def check(vault: Vault, told: list[str]) -> None:
        for sender in (SENDER, *_OTHERS):
            assert held(vault, sender) == {"draw": {"email": "a@b.example"}, "fitting": {"phone": "+49"}}
        assert vault.epochs.provider.epochs() == [2] or told == []

    for outcome in every_kill(f"{_WORK}:rotate", _with_people(fresh, *_OTHERS), times):
        _look(outcome, check)
        kill_work.rotate(*outcome.arguments)
        _look(outcome, check)
        kills += 1
    assert kills > 5 * len(times)


@pytest.mark.parametrize(("unmade", "revision"), _MIGRATED, indirect=["unmade"])
def test_a_migration_can_be_killed_anywhere(unmade: Prepare, revision: str) -> None:
    """Whatever was done of it, doing it again brings an old store to this release's schema with all that it held."""

    def prepare() -> Sequence[str]:
        folder, url = unmade()
        put_back(revision, url, Path(folder))
        return folder, url

    kills = 0
    times = (BEFORE, AFTER) if revision == "0001" else (AFTER,)
    for outcome in every_kill(f"{_WORK}:migrate", prepare, times, of_tables=True):
        kill_work.migrate(*outcome.arguments)
        kill_work.migrate(*outcome.arguments)
        folder, url = outcome.arguments
        with closing(open_vault(settings_of(url, Path(folder)), lambda: NOW)) as vault:
            check_nothing_is_damaged(vault)
            for sender, email in PEOPLE.items():
                check_read(vault, sender, *written(email))
                check_consent(vault, sender)
        kills += 1
    assert kills > (1 if revision == "0001" else 10)


def _assert_nothing_due(vault: Vault) -> None:
    with vault.database.read() as connection:
        assert vault.due_keys.page(connection, kill_work.LAST, 10) == []
        assert vault.conversations.count(connection) == 0
        assert state_of(vault, connection, None, START).active == frozenset()
