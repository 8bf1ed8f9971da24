"""Keys apart, and the commit of the rows fails once: the process lives on, and so does the conversation."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from rasa_privacy.components import turn_storage
from rasa_privacy.errors import JournalError, StorageError
from rasa_privacy.retention.sweep import sweep
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.rectification import Right, put_right
from rasa_privacy.rights.withdrawal import destroy_items, withdraw
from rasa_privacy.storage.tables import data_keys, erasure_journal
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND, new_url
from tests.support.vaults import SENDER, Clock, active, evidence, give, grant, held, settings_in

pytestmark = pytest.mark.rasa

_OTHER = "somebody else"
_GIVEN = {"draw": {"email": "zoe@mail.example"}, "fitting": {"phone": "+49 170 5558172"}}


@pytest.fixture(params=EACH_KIND)
def store(request: pytest.FixtureRequest, untouched: Any, tmp_path: Path, clock: Clock) -> Iterator[Any]:
    """Return a tracker store on each kind of database, with the keys in another one of the same kind."""
    with ExitStack() as stack:
        (tmp_path / "keys apart").mkdir()
        url, keys = (
            stack.enter_context(new_url(request.param, folder)) for folder in (tmp_path, tmp_path / "keys apart")
        )
        settings = replace(settings_in(tmp_path), url=url)
        vault = open_vault(replace(settings, keys=replace(settings.keys, url=keys)), clock)
        stack.callback(vault.close)
        store_type = untouched.tracker_store.EncryptedTrackerStore
        made = store_type.__new__(store_type)
        made._open(vault, untouched.domain(), None)
        grant(vault, "draw", "fitting")
        give(vault, _GIVEN)
        grant(vault, "draw", sender=_OTHER)
        give(vault, {"draw": {"email": "yes@mail.example"}}, sender=_OTHER)
        yield made


def failing_once(vault: Vault, work: Callable[[], object]) -> None:
    """Do a piece of work whose commit the database of the conversations refuses."""
    dialect = vault.database._backend.reader.dialect
    commit, failed = dialect.do_commit, list[bool]()

    def fail(connection: Any) -> None:
        failed.append(True)
        dialect.do_rollback(connection)
        raise dialect.dbapi.OperationalError("the commit failed")

    dialect.do_commit = fail
    try:
        with pytest.raises(StorageError):
            work()
    finally:
        dialect.do_commit = commit
    assert failed == [True]


def begin_withdrawal(vault: Vault) -> None:
    """Take one consent back, and fail."""

    def work(connection: Any) -> None:
        subject_id = vault.subjects.find_for_update(connection, SENDER)
        assert subject_id is not None
        withdraw(vault, connection, subject_id, ["draw"], evidence(vault))

    failing_once(vault, lambda: vault.database.transact(work))


def begin_erasure(vault: Vault) -> None:
    """Delete the person, and fail."""
    failing_once(vault, lambda: erase(vault, SENDER, evidence(vault)))


@pytest.fixture
async def bot(store: Any, bot_of: Callable[..., Any]) -> Any:
    """Return a bot to which the person has said something."""
    made = bot_of(store)
    await made.say("first", SENDER)
    made.graph.action = "utter_greet"
    return made


def is_gone(vault: Vault) -> bool:
    """Say whether nothing of the person is left but what marks that they were erased."""
    with vault.database.read() as connection:
        assert (vault.subjects.find(connection, SENDER) is None) == (
            vault.erasures.tombstone_of(connection, SENDER) is not None
        )
        return vault.subjects.find(connection, SENDER) is None


def is_in_order(vault: Vault) -> None:
    """See that nobody else was touched, and that nothing is left to do."""
    assert held(vault, _OTHER) == {"draw": {"email": "yes@mail.example"}}
    assert active(vault, _OTHER) == {"draw"}
    with vault.database.read() as connection:
        vault.ledger.verify(connection)
        marks = vault.journal.marks(connection)
    assert vault.journal.last_number(marks) == marks.done


async def test_withdrawal_is_finished_when_the_person_writes_again(store: Any, bot: Any) -> None:
    """The consent has ended and its values are gone, the others are there, and the turn is stored."""
    vault = store._vault
    begin_withdrawal(vault)
    assert await bot.say("hello", SENDER) == ["Hi"]
    assert active(vault) == {"fitting"}
    assert held(vault) == {"fitting": _GIVEN["fitting"]}
    tracker = await store.retrieve(SENDER)
    assert [event.type_name for event in tracker.events].count("user") == 2
    grant(vault, "draw")
    give(vault, {"draw": {"email": "new@mail.example"}})
    assert held(vault) == {**_GIVEN, "draw": {"email": "new@mail.example"}}
    is_in_order(vault)


async def test_erasure_is_finished_when_the_person_writes_again(store: Any, bot: Any) -> None:
    """Who was to be erased is, with a certificate, and the message is that of somebody new."""
    vault = store._vault
    begin_erasure(vault)
    assert await bot.say("hello", SENDER) == ["Hi"]
    with vault.database.read() as connection:
        assert len(vault.erasures.since(connection, None)) == 1
    assert active(vault) == frozenset()
    assert held(vault) == {}
    tracker = await store.retrieve(SENDER)
    assert [event.type_name for event in tracker.events].count("user") == 1
    is_in_order(vault)


@pytest.mark.parametrize("begin", [begin_withdrawal, begin_erasure])
async def test_what_breaks_off_in_the_middle_of_a_turn(store: Any, bot: Any, begin: Callable[[Vault], None]) -> None:
    """The turn is saved after it was finished, without an error to the person; who is erased has no turn."""
    vault = store._vault

    async def meanwhile() -> list[dict[str, Any]]:
        begin(vault)
        return [{"event": "slot", "name": "email", "value": "late@mail.example"}]

    bot.graph.action = "action_hours"
    bot.actions.works["action_hours"] = meanwhile
    await bot.say("hello", SENDER)
    if begin is begin_erasure:
        assert is_gone(vault)
        assert await store.retrieve(SENDER) is None
    else:
        assert active(vault) == {"fitting"}
        assert held(vault) == {"fitting": _GIVEN["fitting"]}
    is_in_order(vault)


@pytest.mark.parametrize("begin", [begin_withdrawal, begin_erasure])
def test_sweep_finishes_what_was_begun_of_who_is_silent(store: Any, begin: Callable[[Vault], None]) -> None:
    """The person need not come back for it."""
    vault = store._vault
    begin(vault)
    sweep(vault, vault.clock(), trusted=True)
    assert is_gone(vault) == (begin is begin_erasure)
    assert held(vault) == ({} if begin is begin_erasure else {"fitting": _GIVEN["fitting"]})
    is_in_order(vault)


async def test_item_that_was_taken_back_goes_with_its_purpose(store: Any, bot: Any) -> None:
    """Its new key is there and its rows are of the old one: nobody can open them, and the rest can be read."""
    vault = store._vault

    def work(connection: Any) -> None:
        subject_id = vault.subjects.find_for_update(connection, SENDER)
        destroy_items(vault, connection, subject_id, "draw", ["email"], vault.clock())

    give(vault, {"draw": {"postcode": "123"}})
    failing_once(vault, lambda: vault.database.transact(work))
    assert await bot.say("hello", SENDER) == ["Hi"]
    assert held(vault) == {"fitting": _GIVEN["fitting"]}
    is_in_order(vault)


def test_rows_whose_key_nobody_knows_make_way_for_new_ones(store: Any, caplog: pytest.LogCaptureFixture) -> None:
    """As in a database of conversations that was put back: no journal names them. New values are kept; it is logged."""
    vault = store._vault
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER)
        vault.data_keys.destroy(connection, subject_id, "draw")
    give(vault, {"draw": {"email": "new@mail.example"}})
    assert held(vault) == {**_GIVEN, "draw": {"email": "new@mail.example"}}
    assert "what the purpose 'draw' held has no key and makes way for new values" in caplog.text


async def test_item_that_is_over_in_such_a_turn_takes_nothing_else_along(
    store: Any, bot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was begun is finished before the turn changes a key, since its first attempt is undone."""
    vault = store._vault
    give(vault, {"fitting": {"full_name": "Zoe Weber"}})
    over = frozenset[str]()
    monkeypatch.setattr(turn_storage, "over_now", lambda *_: over)

    async def meanwhile() -> list[dict[str, Any]]:
        nonlocal over
        begin_withdrawal(vault)
        over = frozenset({"phone"})
        return []

    bot.graph.action = "action_hours"
    bot.actions.works["action_hours"] = meanwhile
    await bot.say("hello", SENDER)
    assert held(vault) == {"fitting": {"full_name": "Zoe Weber"}}
    is_in_order(vault)


async def test_rows_stay_while_the_database_of_the_keys_is_an_older_one(store: Any, bot: Any) -> None:
    """It was put back while the server ran: nothing is stored or deleted before its newest copy is there."""
    vault = store._vault

    def work(connection: Any) -> None:
        subject_id = vault.subjects.find_for_update(connection, _OTHER)
        withdraw(vault, connection, subject_id, ["draw"], evidence(vault))

    vault.database.transact(work)
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER)
    newest = {}
    of_draw = (data_keys.c.subject_id == subject_id) & (data_keys.c.purpose == "draw")
    with vault.key_database.write() as keys:
        for table, rows in ((data_keys, of_draw), (erasure_journal, erasure_journal.c.seq > 0)):
            newest[table] = [dict(row) for row in keys.execute(select(table).where(rows)).mappings()]
            keys.execute(delete(table).where(rows))
    await bot.say("hello", SENDER)
    with pytest.raises(JournalError, match="put its newest copy back"):
        await store.retrieve(SENDER)
    with vault.key_database.write() as keys:
        for table, found in newest.items():
            keys.execute(insert(table), found)
    assert await bot.say("hello again", SENDER) == ["Hi"]
    assert held(vault) == _GIVEN


@pytest.mark.parametrize("over", [("full_name", "phone"), ("phone",)])
async def test_item_that_is_over_and_could_not_be_committed(store: Any, bot: Any, over: tuple[str, ...]) -> None:
    """No journal names it, so all of its purpose is there as before, and the person can write again."""
    vault = store._vault
    give(vault, {"fitting": {"full_name": "Zoe Weber"}})

    def work(connection: Any) -> None:
        subject_id = vault.subjects.find_for_update(connection, SENDER)
        for item in over:
            vault.parts.drop_item(connection, subject_id, "fitting", item, vault.clock())

    failing_once(vault, lambda: vault.database.transact(work))
    assert await bot.say("hello", SENDER) == ["Hi"]
    there = {"full_name": "Zoe Weber", **_GIVEN["fitting"]}
    assert held(vault) == {**_GIVEN, "fitting": there}
    vault.database.transact(work)
    assert held(vault).get("fitting", {}) == {item: value for item, value in there.items() if item not in over}
    is_in_order(vault)


async def test_value_that_could_not_be_put_right_is_as_it_was(store: Any, bot: Any) -> None:
    """No new key stands where the rows of the old one are left, and it can be put right afterwards."""
    vault = store._vault

    def work(connection: Any) -> None:
        subject_id = vault.subjects.find_for_update(connection, SENDER)
        right = Right("email", "right@mail.example", ("draw",), "test")
        put_right(vault, connection, SENDER, subject_id, right, vault.clock())

    failing_once(vault, lambda: vault.database.transact(work))
    assert await bot.say("hello", SENDER) == ["Hi"]
    assert held(vault) == _GIVEN
    vault.database.transact(work)
    assert held(vault) == {**_GIVEN, "draw": {"email": "right@mail.example"}}
    is_in_order(vault)
