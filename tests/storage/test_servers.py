"""PostgreSQL and MariaDB: what a server and the way to it can do to a transaction, and what the error then says."""

import builtins
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import create_engine, literal_column, select, text
from sqlalchemy.engine import make_url

from rasa_privacy.errors import ConfigurationError, ContentionError, StorageError, UnreachableError
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.query import Query
from tests.support.databases import EACH_SERVER, SERVERS, new_url

Sql = Callable[..., list[Any]]
#: How a server calls the number of the connection that asks for it.
_OWN = {"postgresql": "pg_backend_pid()", "mysql": "CONNECTION_ID()", "mariadb": "CONNECTION_ID()"}
pytestmark = pytest.mark.parametrize("kind", EACH_SERVER, indirect=True)


@pytest.fixture
def url(kind: str, tmp_path: Any) -> Iterator[str]:
    """Return the URL of a database with one table of numbered counters."""
    with new_url(kind, tmp_path) as found:
        engine = create_engine(found, future=True)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)"))
            connection.execute(text("INSERT INTO t VALUES (1, 0), (2, 0)"))
        engine.dispose()
        yield found


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """Return the database."""
    opened = Database(url)
    yield opened
    opened.close()


@contextmanager
def _hung_up(kind: str, database: Database) -> Iterator[None]:
    """Have the server close our connection, which another one asks for, and then go on."""
    with database.read() as conn:
        number = conn.execute(text(f"SELECT {_OWN[kind]}")).scalar()
    _hang_up(kind, number)
    yield


def _hang_up(kind: str, number: Any) -> None:
    engine = create_engine(SERVERS[kind], future=True)
    with engine.connect() as other:
        other.execute(
            text(f"SELECT pg_terminate_backend({number}, 5000)" if kind == "postgresql" else f"KILL {number}")
        )
    engine.dispose()


def _set(conn: Any, value: int, row: int = 1) -> None:
    conn.execute(text("UPDATE t SET n = :n WHERE id = :id"), {"n": value, "id": row})


def _get(database: Database, row: int = 1) -> int:
    with database.read() as conn:
        return int(conn.execute(text("SELECT n FROM t WHERE id = :id"), {"id": row}).scalar_one())


def test_a_connection_that_was_closed_while_idle_is_replaced(kind: str, database: Database) -> None:
    """A server that was started again between two turns is not noticed by anybody."""
    with _hung_up(kind, database), database.write() as conn:
        _set(conn, 7)
    with _hung_up(kind, database):
        assert _get(database) == 7


def test_a_connection_that_breaks_loses_only_its_transaction(kind: str, database: Database) -> None:
    """The turn's transaction fails as unreachable, nothing of it is written, and the next one works."""
    with pytest.raises(UnreachableError, match="connection broke"), database.write() as conn:
        _set(conn, 7)
        number = conn.execute(text(f"SELECT {_OWN[kind]}")).scalar()
        _hang_up(kind, number)
        _set(conn, 8)
    assert _get(database) == 0


def _asked(kind: str, database: Database) -> int:
    """Return the number of the connection that is kept for who asks."""
    return int(database.ask(Query(select(literal_column(_OWN[kind]))))[0][0])


def test_who_asks_again_asks_on_the_same_connection(kind: str, database: Database) -> None:
    """Also where transactions run meanwhile, which have others."""
    first = _asked(kind, database)
    with database.read() as conn:
        assert conn.execute(text(f"SELECT {_OWN[kind]}")).scalar() != first
        assert _asked(kind, database) == first
    assert _asked(kind, database) == first


def test_a_kept_connection_that_was_closed_is_replaced(kind: str, database: Database) -> None:
    """Nobody who reads notices that the server was started again."""
    number = _asked(kind, database)
    _hang_up(kind, number)
    assert _asked(kind, database) != number


def test_a_kept_connection_that_breaks_is_not_kept(kind: str, database: Database) -> None:
    """Who asked hears of it, and the next one gets another connection."""
    number = _asked(kind, database)
    sleep = "pg_sleep(10)" if kind == "postgresql" else "SLEEP(10)"
    killer = threading.Timer(0.5, _hang_up, (kind, number))
    killer.start()
    with pytest.raises(UnreachableError):
        database.ask(Query(select(literal_column(sleep))))
    killer.join()
    assert _asked(kind, database) != number


def test_threads_that_ask_at_once_have_connections_of_their_own(kind: str, database: Database) -> None:
    """Two statements on one connection would wait for each other, or break it."""
    sleep = "pg_sleep(0.2)" if kind == "postgresql" else "SLEEP(0.2)"
    asked = Query(select(literal_column(_OWN[kind]), literal_column(sleep)))
    with ThreadPoolExecutor(4) as threads:
        found = [each.result()[0][0] for each in [threads.submit(database.ask, asked) for _ in range(4)]]
    assert len(set(found)) == 4


def test_a_closed_database_holds_no_connection(kind: str, url: str) -> None:
    """What is kept goes with the others."""
    database = Database(url)
    number = _asked(kind, database)
    database.close()
    listed = (
        "SELECT count(*) FROM pg_stat_activity WHERE pid = :number"
        if kind == "postgresql"
        else "SELECT count(*) FROM information_schema.processlist WHERE id = :number"
    )
    engine = create_engine(SERVERS[kind], future=True)
    with engine.connect() as other:
        for _ in range(50):
            left = other.execute(text(listed), {"number": number}).scalar()
            other.rollback()
            if not left:
                break
            time.sleep(0.1)
    engine.dispose()
    assert left == 0


def test_a_port_nobody_listens_on_is_unreachable(kind: str) -> None:
    """The error names host and port and no user, and comes at once."""
    away = (
        make_url(SERVERS[kind]).set(port=1, username="jane", password="hunter2").render_as_string(hide_password=False)
    )
    with (
        pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1/test.*does not answer") as caught,
        Database(away).read(),
    ):
        pass
    assert "hunter2" not in str(caught.value)
    assert "jane" not in str(caught.value)


def test_a_wrong_login_is_named(kind: str) -> None:
    """The remedy says where user and password stand; neither is repeated."""
    url = make_url(SERVERS[kind]).set(username="jane_nobody", password="hunter2").render_as_string(hide_password=False)
    with pytest.raises(StorageError, match="refuses user or password") as caught, Database(url).read():
        pass
    assert "hunter2" not in str(caught.value)
    assert "jane" not in str(caught.value)


def test_a_database_that_is_not_there_is_named(kind: str) -> None:
    """The remedy is to make it."""
    url = make_url(SERVERS[kind]).set(database="not_there").render_as_string(hide_password=False)
    with pytest.raises(StorageError, match="no such database"), Database(url).read():
        pass


def test_a_missing_driver_is_named(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rasa would take an ImportError for a wish to keep conversations in memory; ours says what to install."""
    real = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.split(".", maxsplit=1)[0] in {"psycopg2", "pymysql"}:
            raise ModuleNotFoundError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigurationError, match=rf"pip install 'rasa_privacy\[{kind}\]'"):
        Database(SERVERS[kind])


def test_an_option_that_the_driver_does_not_know_is_named(kind: str) -> None:
    """A slip in the URL is no puzzle."""
    url = make_url(SERVERS[kind]).update_query_dict({"colour": "hunter2"}).render_as_string(hide_password=False)
    with pytest.raises((ConfigurationError, StorageError), match="option that the driver does not know") as caught:  # noqa: SIM117 - either may find it
        with Database(url).read():
            pass
    assert "hunter2" not in str(caught.value)


def test_a_deadlock_is_a_lost_race(database: Database) -> None:
    """Of two that wait for each other one is undone and run again, and both have their way."""
    met = threading.Barrier(2)
    attempts: list[int] = []

    def swap(first: int, second: int) -> None:
        def work(conn: Any) -> None:
            attempts.append(first)
            conn.execute(text("UPDATE t SET n = n + 1 WHERE id = :id"), {"id": first})
            if len(attempts) <= 2:
                met.wait(timeout=30)
            conn.execute(text("UPDATE t SET n = n + 1 WHERE id = :id"), {"id": second})

        database.transact(work)

    other = threading.Thread(target=swap, args=(2, 1))
    other.start()
    swap(1, 2)
    other.join()
    assert (_get(database, 1), _get(database, 2)) == (2, 2)
    assert len(attempts) > 2


def test_a_lock_that_is_held_too_long_is_a_lost_race(kind: str, database: Database) -> None:
    """Nobody waits for ever."""
    shorter = "SET LOCAL lock_timeout = 50" if kind == "postgresql" else "SET innodb_lock_wait_timeout = 1"
    with database.write() as holder:
        _set(holder, 1)
        with pytest.raises(ContentionError, match="holds a lock"), database.write() as conn:
            conn.execute(text(shorter))
            _set(conn, 2)
    assert _get(database) == 1


def test_a_statement_that_takes_too_long_is_ended(kind: str, database: Database) -> None:
    """A database that is too slow counts as one that does not answer."""
    shorter = "SET LOCAL statement_timeout = 50" if kind == "postgresql" else "SET max_statement_time = 0.05"
    slow = "SELECT pg_sleep(20)" if kind == "postgresql" else "SELECT SUM(seq % 7) FROM seq_1_to_4000000000"
    with pytest.raises(UnreachableError, match="took longer"), database.write() as conn:
        conn.execute(text(shorter))
        conn.execute(text(slow)).all()


def test_a_server_that_only_reads_is_named(kind: str, database: Database) -> None:
    """A replica refuses to write; the error says which server to name, reading goes on, and nothing was changed."""
    replica = ["SET TRANSACTION READ ONLY"]
    if kind == "mariadb":
        replica = ["SET SESSION TRANSACTION READ ONLY", "COMMIT", "START TRANSACTION"]
    with pytest.raises(StorageError, match=r"read-only \(a replica\?\); name the primary"), database.write() as conn:
        for statement in replica:
            conn.execute(text(statement))
        _set(conn, 1)
    assert _get(database) == 0


def test_a_second_creator_loses(database: Database) -> None:
    """A row that another transaction made first is a lost race, and `transact` finds it the next time."""
    with pytest.raises(ContentionError, match="there already"), database.write() as conn:
        conn.execute(text("INSERT INTO t VALUES (1, 0)"))


def test_each_session_is_set_up(kind: str, database: Database) -> None:
    """Durable commits, limits of time, and no cutting of what does not fit."""
    if kind == "postgresql":
        wanted = {
            "synchronous_commit": "on",
            "statement_timeout": "30s",
            "lock_timeout": "10s",
            "idle_in_transaction_session_timeout": "1min",
            "transaction_isolation": "read committed",
        }
        query = "SELECT current_setting('{}')"
    else:
        wanted = {"max_statement_time": "30.000000", "innodb_lock_wait_timeout": "10", "lock_wait_timeout": "10"}
        query = "SELECT CAST(@@SESSION.{} AS CHAR)"
    with database.write() as conn:
        assert {name: conn.execute(text(query.format(name))).scalar() for name in wanted} == wanted


def test_a_writer_sees_what_was_committed_while_it_waited(database: Database) -> None:
    """After a lock was waited for, the row is the newest, not that of the transaction's beginning."""
    with database.write() as conn:
        conn.execute(text("SELECT n FROM t WHERE id = 2")).all()
        with database.write() as other:
            _set(other, 5)
        assert conn.execute(text("SELECT n FROM t WHERE id = 1")).scalar() == 5
