"""Statements that run past SQLAlchemy, on SQLite, PostgreSQL and MariaDB."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, create_engine, insert, select, text, update
from sqlalchemy.engine import make_url

from rasa_privacy.errors import ContentionError, StorageError, UnreachableError
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.storage import burying, conversation_rows, remains, waiting
from rasa_privacy.storage.conversation_rows import CURRENT
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import meta
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_SERVER, SERVERS
from tests.support.own_servers import own_server
from tests.support.vaults import START, give, grant, settings_in

Sql = Callable[..., list[Any]]
Save = Callable[..., int]

_SENDER = "ada"


@pytest.fixture
def second(vault: Vault, settings: StoreSettings) -> Iterator[Vault]:
    """Return the store as another process has it open."""
    opened = open_vault(settings, clock=vault.clock)
    yield opened
    opened.close()


def _version(vault: Vault) -> int:
    loaded = vault.conversations.load_last(vault.database, _SENDER)
    return loaded.version if loaded is not None else 0


def test_what_another_process_committed_counts_at_once(vault: Vault, second: Vault, save: Save) -> None:
    """A statement that stands alone sees the newest state: no snapshot of an earlier one is left on its connection."""
    assert _version(second) == 0
    for version in range(1, 4):
        save(_SENDER, ["hello"])
        assert _version(second) == version
    subject_id = vault.database.transact(lambda conn: vault.subjects.find_for_update(conn, _SENDER)) or b""
    vault.database.transact(lambda conn: vault.erasures.bury(conn, subject_id, vault.clock(), "ER-1", {}))
    assert _version(second) == 0


def test_a_connection_reads_and_writes_as_before_after_a_statement_that_stood_alone(vault: Vault, save: Save) -> None:
    """What follows on the same connection is a transaction again: an error within it undoes what it wrote."""
    save(_SENDER, ["hello"])
    assert _version(vault) == 1
    with pytest.raises(LookupError), vault.database.write() as conn:
        vault.conversations.append(conn, _SENDER, 1, ["lost"], {}, [], vault.clock())
        raise LookupError
    assert _version(vault) == 1
    with vault.database.read() as conn:
        before = vault.conversations.head(conn, _SENDER)
        save(_SENDER, ["more"])
        assert vault.conversations.head(conn, _SENDER) == before
    assert _version(vault) == 2


def test_errors_of_a_statement_that_stands_alone_are_ours(vault: Vault, sql: Sql, save: Save) -> None:
    """A missing table is named, and the connection that it was found on does no harm."""
    save(_SENDER, ["hello"])
    assert _version(vault) == 1
    sql("ALTER TABLE segments RENAME TO elsewhere")
    try:
        for _ in range(2):
            with pytest.raises(StorageError):
                vault.conversations.load_last(vault.database, _SENDER)
        with vault.database.read() as conn:
            assert vault.subjects.find(conn, _SENDER) is not None
    finally:
        sql("ALTER TABLE elsewhere RENAME TO segments")
    assert _version(vault) == 1


def test_a_duplicate_is_said_as_sqlalchemy_says_it(vault: Vault) -> None:
    """On a server, whose transactions run beside each other, a row that is there already is a lost race."""
    put = Query(insert(meta).values(name=bindparam("name"), value=bindparam("value")).inline())
    with vault.database.write() as conn:
        assert put.change(conn, name="one", value=b"1") == 1
    expected = StorageError if vault.database.dialect == "sqlite" else ContentionError
    with pytest.raises(expected, match="there already"), vault.database.write() as conn:
        put.change(conn, name="one", value=b"2")
    get = Query(select(meta.c.value).where(meta.c.name == bindparam("name")))
    assert [value for (value,) in vault.database.ask(get, name="one")] == [b"1"]


_PUT = Query(insert(meta).values(name=bindparam("name"), value=bindparam("value")).inline())
_SET = Query(update(meta).where(meta.c.name == bindparam("which")).values(value=bindparam("value")))
_GET = Query(select(meta.c.value).where(meta.c.name == bindparam("name")))


def _value(vault: Vault, name: str) -> Any:
    return [value for (value,) in vault.database.ask(_GET, name=name)]


def test_what_is_written_later_is_written_in_order_before_what_follows(vault: Vault) -> None:
    """Each statement that follows sees it: ours, one of SQLAlchemy, and the commit."""
    with vault.database.write() as conn:
        _PUT.later(conn, name="one", value=b"1")
        _SET.later(conn, which="one", value=b"2")
        assert _GET.scalar(conn, name="one") == b"2"
        _SET.later(conn, which="one", value=b"3")
        assert conn.execute(select(meta.c.value).where(meta.c.name == "one")).scalar() == b"3"
        _SET.later(conn, which="one", value=b"4")
        assert _SET.change(conn, which="one", value=b"5") == 1
        _SET.later(conn, which="one", value=b"6")
    assert _value(vault, "one") == [b"6"]


def test_what_is_written_later_goes_with_its_transaction(vault: Vault) -> None:
    """What waits when a transaction is rolled back is never written, neither then nor by the next one."""
    for failing in (LookupError, KeyboardInterrupt):
        with pytest.raises(failing), vault.database.write() as conn:
            _PUT.later(conn, name="one", value=b"1")
            raise failing
        with vault.database.write() as conn:
            _PUT.later(conn, name=failing.__name__, value=b"2")
        assert (_value(vault, "one"), _value(vault, failing.__name__)) == ([], [b"2"])


def test_what_is_written_later_goes_with_its_savepoint(vault: Vault) -> None:
    """A part of a transaction that is rolled back takes along what waited within it, and nothing from before."""
    with vault.database.write() as conn:
        _PUT.later(conn, name="before", value=b"1")
        with pytest.raises(LookupError), conn.begin_nested():
            _PUT.later(conn, name="within", value=b"1")
            raise LookupError
        _PUT.later(conn, name="after", value=b"1")
    assert [bool(_value(vault, name)) for name in ("before", "within", "after")] == [True, False, True]


def test_an_error_of_what_is_written_later_ends_its_savepoint_alone(vault: Vault) -> None:
    """Nothing of the part is kept, and the rest of the transaction goes on."""
    with vault.database.write() as conn:
        _PUT.later(conn, name="before", value=b"1")
        with pytest.raises(Exception, match=r"(?i)unique|duplicate"), conn.begin_nested():
            _PUT.later(conn, name="within", value=b"1")
            _PUT.later(conn, name="before", value=b"2")
        _PUT.later(conn, name="after", value=b"1")
    assert [_value(vault, name) for name in ("before", "within", "after")] == [[b"1"], [], [b"1"]]


def test_an_error_of_what_is_written_later_is_ours(vault: Vault) -> None:
    """At the end of the transaction at last, and then nothing of it was written."""
    with vault.database.write() as conn:
        _PUT.later(conn, name="one", value=b"1")
    with pytest.raises(StorageError, match="there already"), vault.database.write() as conn:
        _PUT.later(conn, name="two", value=b"2")
        _PUT.later(conn, name="one", value=b"2")
    assert (_value(vault, "one"), _value(vault, "two")) == ([b"1"], [])


@pytest.mark.parametrize("kind", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_binary_data_is_read_however_the_server_would_write_it(vault: Vault, settings: StoreSettings) -> None:
    """All 256 bytes and none at all, also where the way to the server asks for PostgreSQL's old way of writing them."""
    everything = bytes(range(256))
    with vault.database.write() as conn:
        _PUT.later(conn, name="all", value=everything)
        _PUT.later(conn, name="empty", value=b"")
    url = make_url(settings.url)
    url = url.update_query_dict({"options": f"{url.query['options']} -cbytea_output=escape"})
    other = Database(url.render_as_string(hide_password=False))
    try:
        with other.read() as conn:
            found = [row.value for row in conn.execute(select(meta.c.value).where(meta.c.name.in_(["all", "empty"])))]
            assert conn.execute(text("SELECT CAST(NULL AS bytea)")).scalar() is None
    finally:
        other.close()
    assert sorted(found) == [b"", everything]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the statements of each way to a server from now on."""
    ways: list[list[str]] = []
    original = waiting._execute

    def noted(dialect: str, connection: Any, statements: Any) -> Any:
        ways.append([each.sql for each in statements])
        return original(dialect, connection, statements)

    monkeypatch.setattr(waiting, "_execute", noted)
    return ways


@pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)
def test_what_is_written_later_takes_no_way_of_its_own(vault: Vault, sent: list[list[str]]) -> None:
    """A server gets the words that begin a transaction, all that is written, and the commit at once."""
    with vault.database.write() as conn:
        _PUT.later(conn, name="two", value=b"1")
        _PUT.later(conn, name="three", value=b"1")
        assert not sent
    [statements] = sent
    assert len(statements) == 4
    assert statements[-1] == "COMMIT"
    assert (_value(vault, "two"), _value(vault, "three")) == ([b"1"], [b"1"])


@pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)
def test_a_change_counts_its_own_rows_alone(vault: Vault) -> None:
    """What waited before it, and went with it, changed other rows."""
    with vault.database.write() as conn:
        _PUT.later(conn, name="one", value=b"1")
        _PUT.later(conn, name="two", value=b"1")
        assert _SET.change(conn, which="two", value=b"1") == 1  # also where it changes nothing, as on all databases
        _SET.later(conn, which="one", value=b"2")
        assert _SET.change(conn, which="nobody", value=b"2") == 0


@pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)
def test_a_transaction_in_which_nothing_is_done_takes_no_way(vault: Vault, sent: list[list[str]]) -> None:
    """It is neither begun nor ended on the server, and what follows is a transaction of its own."""
    with vault.database.write(), vault.database.read():
        pass
    assert not sent
    with pytest.raises(LookupError), vault.database.write() as conn:
        _PUT.change(conn, name="one", value=b"1")
        raise LookupError
    assert _value(vault, "one") == []


@pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)
def test_what_is_long_or_much_does_not_wait(vault: Vault, sent: list[list[str]]) -> None:
    """So that no way carries more than a server takes at once."""
    with vault.database.write() as conn:
        _PUT.later(conn, name="long", value=bytes(2**17))
        assert len(sent) == 1
        for number in range(130):
            _PUT.later(conn, name=f"n{number}", value=b"1")
        assert len(sent) == 3
    assert len(_value(vault, "long")[0]) == 2**17
    assert _value(vault, "n129") == [b"1"]


@pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)
def test_a_transaction_that_reads_sees_one_state_and_writes_nothing(vault: Vault) -> None:
    """Its isolation goes with its first statement, and ends with it."""
    with vault.database.read() as conn:
        assert _GET.scalar(conn, name="one") is None
        with vault.database.write() as other:
            _PUT.later(other, name="one", value=b"1")
        assert _GET.scalar(conn, name="one") is None
    with pytest.raises(StorageError, match="read-only"), vault.database.read() as conn:
        _PUT.change(conn, name="two", value=b"1")
    with vault.database.write() as conn:
        assert _GET.scalar(conn, name="one") == b"1"
        with vault.database.write() as other:
            _SET.later(other, which="one", value=b"2")
        assert _GET.scalar(conn, name="one") == b"2"


@pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)
def test_a_server_that_hangs_up_is_said_and_asked_again(kind: str, vault: Vault, save: Save) -> None:
    """A connection that breaks before the statement is replaced unseen; one that breaks within it is unreachable."""
    save(_SENDER, ["hello"])
    own = "pg_backend_pid()" if kind == "postgresql" else "CONNECTION_ID()"
    with vault.database.read() as conn:
        number = conn.execute(text(f"SELECT {own}")).scalar()
    _hang_up(kind, number)
    assert _version(vault) == 1
    with pytest.raises(UnreachableError), vault.database.read() as conn:
        _hang_up(kind, conn.execute(text(f"SELECT {own}")).scalar())
        CURRENT.rows(conn, sender=bytes(32))
    assert _version(vault) == 1


@pytest.mark.parametrize("kind", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
def test_a_plan_made_for_empty_tables_uses_indexes(vault: Vault) -> None:
    """PostgreSQL keeps the plan, and must not read whole tables or indexes by it when they have grown."""
    whole = ("Seq Scan", "Merge Join", "Hash Join")
    known: dict[str, Any] = {"sender": bytes(32), "subject": bytes(16), "certificate": "ER-1", "ref": 1}
    with vault.database.read() as conn:
        for each in (CURRENT, conversation_rows._TO_CHANGE, burying._STORED, burying._ENDING, remains._LEFT):
            form = each._form("postgresql")
            for _ in range(8):  # after five it may keep one
                each.rows(conn, **{name: known[name] for name in form.names})
            values = ", ".join("NULL" for _ in form.names)
            plan = conn.execute(text(f"EXPLAIN EXECUTE {form.sql.split()[1]} ({values})")).scalars().all()
            assert any("Index Cond" in line for line in plan)
            assert [line for line in plan for word in whole if word in line] == []


@pytest.mark.parametrize("kind", [pytest.param("mariadb", marks=pytest.mark.mariadb)], indirect=True)
def test_mariadb_reads_a_statement_that_stands_alone_once(vault: Vault, save: Save, sql: Sql) -> None:
    """It is prepared for each connection, and stays good when a table changes."""
    save(_SENDER, ["hello"])
    counted = "SHOW SESSION STATUS WHERE Variable_name IN ('Com_prepare_sql', 'Com_execute_sql')"
    for _ in range(3):
        assert _version(vault) == 1
    sql("ALTER TABLE segments ADD COLUMN another BIGINT")
    try:
        assert _version(vault) == 1
    finally:
        sql("ALTER TABLE segments DROP COLUMN another")

    def count(connection: Any) -> dict[str, int]:
        cursor = connection.dbapi_connection.cursor()
        cursor.execute(counted)
        return {name: int(number) for name, number in cursor.fetchall()}

    found = vault.database._backend.ask(count)  # on the very connection
    assert found == {"Com_prepare_sql": 1, "Com_execute_sql": 4}


@pytest.mark.own_mariadb
def test_mariadb_that_prepares_nothing_more_reads_statements_as_they_are(tmp_path: Path) -> None:
    """Its limit holds for everybody on the server, and some set it to 0."""
    with own_server("mariadb") as server:
        engine = create_engine(server.url, future=True)
        with engine.begin() as connection:
            connection.execute(text("SET GLOBAL max_prepared_stmt_count = 0"))
        with closing(open_vault(replace(settings_in(tmp_path), url=server.url), lambda: START)) as vault:
            grant(vault, "draw", sender=_SENDER)
            give(vault, {"draw": {"email": "a@x.example"}}, _SENDER)
            assert _version(vault) == _version(vault) == 1
            with engine.begin() as connection:
                connection.execute(text("DROP TABLE segments"))
            with pytest.raises(StorageError, match="a table is missing"):
                _version(vault)
        engine.dispose()


@pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)
def test_the_connection_that_was_used_last_is_used_again(kind: str, vault: Vault) -> None:
    """So that one of several is kept busy, whose plans and rows are at hand, and the others rest."""
    number = text("SELECT pg_backend_pid()" if kind == "postgresql" else "SELECT CONNECTION_ID()")
    with vault.database.read() as one, vault.database.read() as two:
        used = {one.execute(number).scalar(), two.execute(number).scalar()}
    found = []
    for _ in range(3):
        with vault.database.read() as conn:
            found.append(conn.execute(number).scalar())
    assert len(used) == 2
    assert set(found) < used


def _hang_up(kind: str, number: Any) -> None:
    engine = create_engine(SERVERS[kind], future=True)
    with engine.connect() as other:
        other.execute(
            text(f"SELECT pg_terminate_backend({number}, 5000)" if kind == "postgresql" else f"KILL {number}")
        )
    engine.dispose()
