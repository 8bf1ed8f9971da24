"""Other systems are told of an erasure until they answer; only then is the request done."""

import gzip
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from http.client import BadStatusLine, HTTPException, IncompleteRead
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from rasa_privacy.errors import MalformedSegmentError, WebhookError
from rasa_privacy.policy.operations import Erasure, OtherSystem, Tidings
from rasa_privacy.retention.sweep import sweep
from rasa_privacy.rights import webhooks
from rasa_privacy.rights.certificates import certificate
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.posting import MAX_ANSWER, post
from rasa_privacy.rights.rectification import Right, put_right
from rasa_privacy.rights.requests import open_request
from rasa_privacy.rights.webhooks import deliver, deliver_quietly
from rasa_privacy.rights.withdrawal import withdraw
from rasa_privacy.storage import deliveries, requests
from rasa_privacy.storage.replay import replay
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.vault import Vault
from tests.support.certificates import write_certificate
from tests.support.databases import EACH_KIND, run_plain
from tests.support.parts import delete_part
from tests.support.vaults import SENDER, Clock, evidence, give, grant

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
CRM = OtherSystem(name="crm", url="https://crm.example/erasures", secret="TEST_CRM_SECRET")
SHOP = OtherSystem(name="shop", url="https://shop.example/erasures", secret="TEST_SHOP_SECRET")


class Systems:
    """What two systems were sent, and what they answer."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any], dict[str, str], bytes]] = []
        self.answers: dict[str, Any] = {}

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Take a POST."""
        system = url.split("//")[1].split(".", maxsplit=1)[0]
        self.got.append((system, json.loads(body), headers, body))
        answer = self.answers.get(system, (200, b'{"result": "done"}'))
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]


@pytest.fixture
def told(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """Return the store of a bot with two other systems, and a person."""
    for system in (CRM, SHOP):
        monkeypatch.setenv(str(system.secret), f"secret of {system.name}")
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    return with_systems(vault, CRM, SHOP)


def with_systems(vault: Vault, *systems: OtherSystem) -> Vault:
    """Return the store with other systems in privacy.yml."""
    return replace(vault, policy=msgspec.structs.replace(vault.policy, erasure=Erasure(webhooks=systems)))


def erased(vault: Vault) -> str:
    """Erase the person and return the certificate's number."""
    done = erase(vault, SENDER, evidence(vault))
    assert done is not None
    return done.number


def request_of(vault: Vault, number: str) -> Request:
    """Return the request that an erasure answered."""
    with vault.database.read() as conn:
        (found,) = requests.of_certificate(conn, number)
    return found


@each_kind
def test_the_request_is_done_when_all_have_answered(told: Vault, clock: Clock) -> None:
    """Each is told once who it was, signed; one that is away keeps the request open, and is told again."""
    systems, number = Systems(), erased(told)
    systems.answers["shop"] = OSError("away")
    assert request_of(told, number).state == "in_progress"
    assert deliver(told, clock(), systems) == 1
    assert request_of(told, number).is_open
    assert certificate(told, number, clock())["other_systems"] == {"crm": "done", "shop": "pending"}
    systems.answers["shop"] = (200, b'{"result": "nothing_held"}')
    assert deliver(told, clock(), systems) == 0
    assert deliver(told, clock.advance(minutes=2), systems) == 1
    found = request_of(told, number)
    assert (found.state, found.reason) == ("done", "erased")
    assert sorted(system for system, *_ in systems.got) == ["crm", "shop", "shop"]
    (first, second) = (headers["Idempotency-Key"] for system, _, headers, _ in systems.got if system == "shop")
    assert first == second
    for system, payload, headers, body in systems.got:
        assert payload["sender_ids"] == [SENDER]
        at, mac = headers["X-Privacy-Signature"].removeprefix("t=").split(",v1=")
        expected = hmac.new(f"secret of {system}".encode(), f"{at}.".encode() + body, hashlib.sha256)
        assert mac == expected.hexdigest()


@each_kind
def test_the_person_is_in_the_outbox_encrypted_and_until_the_answer_alone(told: Vault, url: str) -> None:
    """Neither before nor after can a thief of the database read who it was."""
    erased(told)
    rows = run_plain(url, "SELECT sealed FROM deliveries")
    assert len(rows) == 2
    assert all(SENDER.encode() not in bytes(sealed) for (sealed,) in rows)
    deliver(told, told.clock(), Systems())
    assert run_plain(url, "SELECT sealed FROM deliveries") == [(None,), (None,)]
    assert run_plain(url, "SELECT count(*) FROM data_keys") == [(0,)]


@pytest.mark.parametrize(
    "answer",
    [
        (200, b""),
        (200, b"garbage"),
        (200, b"[1]"),
        (200, b'{"result": "maybe"}'),
        (200, b'{"result": ["done"]}'),
        (200, b"\xff\xfe"),
        (200, b"[" * 60_000),
        (200, b'{"result": "done"}'.ljust(MAX_ANSWER + 1)),
        (204, b""),
        (302, b""),
        (500, b'{"result": "done"}'),
        OSError("away"),
        TimeoutError("slow"),
        ValueError("bad header"),
        BadStatusLine(f"no HTTP for {SENDER}"),
        IncompleteRead(SENDER.encode()),
        RuntimeError(SENDER),
    ],
)
def test_what_is_no_answer_is_tried_again(told: Vault, clock: Clock, answer: Any, caplog: Any) -> None:
    """Garbage never counts as done, and the log names the system and nobody."""
    systems, number = Systems(), erased(told)
    systems.answers["crm"] = answer
    assert deliver(told, clock(), systems) == 1
    assert certificate(told, number, clock())["other_systems"]["crm"] == "pending"
    assert request_of(told, number).is_open
    assert "system 'crm'" in caplog.text
    assert SENDER not in caplog.text


def test_an_outage_of_a_day_is_survived(told: Vault, clock: Clock) -> None:
    """With ever longer pauses, so that a system that is away is not flooded."""
    systems, number = Systems(), erased(told)
    systems.answers["crm"] = OSError("away")
    for _ in range(24 * 60):
        deliver(told, clock.advance(minutes=1), systems)
    tries = sum(system == "crm" for system, *_ in systems.got)
    assert 10 <= tries <= 14
    del systems.answers["crm"]
    deliver(told, clock.advance(hours=6), systems)
    assert request_of(told, number).state == "done"


def test_a_failure_keeps_the_request_open_for_staff(told: Vault, clock: Clock) -> None:
    """As it does when nobody answered within 30 days: then nobody can be told any more."""
    systems, number = Systems(), erased(told)
    systems.answers |= {"crm": (200, b'{"result": "failed"}'), "shop": OSError("away")}
    deliver(told, clock(), systems)
    deliver(told, clock.advance(days=31), systems)
    assert certificate(told, number, clock())["other_systems"] == {"crm": "failed", "shop": "failed"}
    assert request_of(told, number).is_open
    with told.database.read() as conn:
        assert deliveries.pending(conn) == 0


def test_a_delivery_that_was_changed_holds_up_no_other(told: Vault, clock: Clock, sql: Any, caplog: Any) -> None:
    """It is named in the log, and the other system is told."""
    erased(told)
    sql("UPDATE deliveries SET erased_at = 'soon' WHERE system = 'crm'")
    assert deliver(told, clock(), Systems()) == 1
    assert "was changed, so nobody is told of it" in caplog.text


def test_deliveries_that_were_changed_do_not_stand_before_others(
    told: Vault, clock: Clock, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they fill a page, the next one is of others."""
    monkeypatch.setattr(webhooks, "_AT_ONCE", 1)
    erased(told)
    sql("UPDATE deliveries SET erased_at = 'soon', next_at = 0 WHERE system = 'crm'")
    assert [deliver(told, clock(), Systems()) for _ in range(3)] == [0, 1, 0]


@each_kind
def test_two_that_deliver_at_once_send_once(told: Vault, clock: Clock) -> None:
    """A delivery is one process's for some minutes, and another's if that one died."""
    systems = Systems()
    erased(told)
    claimed = told.database.transact(lambda conn: deliveries.claim(conn, clock(), 50, clock() + timedelta(minutes=5)))
    assert len(claimed) == 2
    assert deliver(told, clock(), systems) == 0
    assert deliver(told, clock.advance(minutes=6), systems) == 2


def test_a_kill_between_journal_and_commit_tells_them_after_the_next_start(
    told: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The replay that completes the erasure notes whom to tell, since nobody else knows it any more."""

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(told.erasures), "bury", die)
        with pytest.raises(KeyboardInterrupt):
            erase(told, SENDER, evidence(told))
    systems = Systems()
    assert deliver(told, told.clock(), systems) == 0
    replay(told)
    assert deliver(told, told.clock(), systems) == 2
    assert systems.got[0][1]["sender_ids"] == [SENDER]


@each_kind
def test_half_a_surrogate_pair_in_a_sender_id_is_erased_and_told(told: Vault, clock: Clock) -> None:
    """The store takes such an id, so the outbox and the body of the message must, too."""
    strange, systems = "evil\ud800", Systems()
    grant(told, "draw", sender=strange)
    give(told, {"draw": {"full_name": "Bo"}}, strange)
    assert erase(told, strange, evidence(told)) is not None
    assert deliver(told, clock(), systems) == 2
    for system, payload, headers, body in systems.got:
        assert payload["sender_ids"] == [strange]
        at, mac = headers["X-Privacy-Signature"].removeprefix("t=").split(",v1=")
        expected = hmac.new(f"secret of {system}".encode(), f"{at}.".encode() + body, hashlib.sha256)
        assert mac == expected.hexdigest()


def test_what_cannot_be_told_is_not_in_the_journal(told: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the database would know nothing of it, and each start would fail at it again."""

    def fail(*_: object) -> None:
        raise MalformedSegmentError("damaged")

    monkeypatch.setattr(deliveries, "put", fail)
    with pytest.raises(MalformedSegmentError):
        erased(told)
    assert not list(told.journal.after(0))
    assert replay(told).erased == 0


@pytest.mark.parametrize("error", [MalformedSegmentError("damaged"), ValueError(SENDER)])
def test_what_cannot_be_told_after_a_kill_stops_no_start(
    told: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: Any, error: Exception
) -> None:
    """The person is erased; the request stays open, so that staff tell the systems by hand."""

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def fail(*_: object) -> None:
        raise error

    with told.database.write() as conn:
        open_request(told, conn, "erasure", told.subjects.find(conn, SENDER), clock())
    with monkeypatch.context() as patch:
        patch.setattr(type(told.erasures), "bury", die)
        with pytest.raises(KeyboardInterrupt):
            erase(told, SENDER, evidence(told))
    ((_, entry),) = told.journal.after(0)
    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "put", fail)
        assert replay(told).erased == 1
    number = entry.certificate  # type: ignore[union-attr]
    assert request_of(told, number).is_open
    assert certificate(told, number, clock())["other_systems"] == {"crm": "failed", "shop": "failed"}
    assert deliver(told, clock(), Systems()) == 0
    assert number in caplog.text
    assert SENDER not in caplog.text


def test_one_that_fails_in_an_unforeseen_way_holds_up_no_other(
    told: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """Each is told by itself, and the pauses grow."""
    erased(told)
    whom, failed = deliveries.whom, list[bytes]()

    def broken(*arguments: Any) -> Any:
        if not failed or arguments[2] in failed:
            failed.append(arguments[2])
            raise RuntimeError(SENDER)
        return whom(*arguments)

    monkeypatch.setattr(deliveries, "whom", broken)
    assert deliver(told, clock(), Systems()) == 1
    assert deliver(told, clock.advance(seconds=30), Systems()) == 0
    assert len(failed) == 1
    deliver(told, clock.advance(minutes=1), Systems())
    assert len(failed) == 2
    assert SENDER not in caplog.text


@pytest.mark.parametrize("error", [RuntimeError(SENDER), WebhookError("away")])
def test_beside_the_turns_nothing_is_raised(
    told: Vault, monkeypatch: pytest.MonkeyPatch, caplog: Any, error: Exception
) -> None:
    """What comes after it in the same thread, the reminders, goes on."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("rasa_privacy.rights.webhooks.deliver", fail)
    deliver_quietly(told)
    assert "it is tried again" in caplog.text
    assert SENDER not in caplog.text


def test_what_is_no_http_at_all_is_tried_again(told: Vault, clock: Clock) -> None:
    """Over a real socket."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"garbage\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        store = with_systems(told, OtherSystem(name="crm", url=url, secret="TEST_CRM_SECRET"))
        number = erased(store)
        assert deliver(store, clock()) == 0
        thread.join()
    assert certificate(store, number, clock())["other_systems"] == {"crm": "pending"}


def _hook(payload: dict[str, Any]) -> str:
    return {"ER": "nothing_held"}[payload["certificate"][:2]]


def _broken(payload: dict[str, Any]) -> str:
    raise ValueError(f"secret {payload}")


@pytest.mark.parametrize(("name", "state"), [("_hook", "nothing_held"), ("_broken", "pending"), ("_none", "pending")])
def test_a_function_is_asked_too(
    told: Vault, name: str, state: str, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """What it raises is not logged, since it may name the person."""
    import sys  # noqa: PLC0415 - this module, under a name that can be imported

    monkeypatch.setitem(sys.modules, "hooks_of_a_test", sys.modules[__name__])
    store = with_systems(told, OtherSystem(name="own", python=f"hooks_of_a_test.{name}"))
    number = erased(store)
    deliver(store, store.clock())
    assert certificate(store, number, store.clock())["other_systems"] == {"own": state}
    assert SENDER not in caplog.text


def test_without_its_secret_nothing_is_sent(told: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unsigned message could come from anybody."""
    monkeypatch.delenv("TEST_CRM_SECRET")
    systems = Systems()
    erased(told)
    assert deliver(told, told.clock(), systems) == 1
    assert [system for system, *_ in systems.got] == ["shop"]


@pytest.fixture
def server() -> Iterator[tuple[int, list[bytes]]]:
    """Return port and bodies of a real server that answers, and sends /away elsewhere."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(302 if self.path == "/away" else 200)
            self.send_header("Location", "/elsewhere")
            if self.path == "/packed":
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            answer = b'{"result": "done"}'
            self.wfile.write(gzip.compress(answer) if self.path == "/packed" else answer)

        def log_message(self, *_: Any) -> None: ...

    httpd = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield httpd.server_port, bodies
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_a_real_server_is_told_and_a_redirect_is_not_followed(server: tuple[int, list[bytes]]) -> None:
    """The body names a person, so it goes to the address in privacy.yml alone."""
    port, bodies = server
    assert post(f"http://127.0.0.1:{port}/erasures", b"{}", {}) == (200, b'{"result": "done"}')
    assert post(f"http://127.0.0.1:{port}/away", b"{}", {})[0] == 302
    assert len(bodies) == 2


def test_over_tls_the_other_side_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the authorities of this machine and by its name: nobody else is told."""
    certificate, key = write_certificate(tmp_path, Clock.real(), is_own_issuer=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HTTPServer(("127.0.0.1", 0), _Done) as httpd:
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        with pytest.raises(OSError, match="certificate verify failed"):
            post(f"https://localhost:{httpd.server_port}/", b"{}", {})
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert post(f"https://localhost:{httpd.server_port}/", b"{}", {}) == (200, b'{"result": "done"}')
        with pytest.raises(OSError, match="certificate verify failed"):
            post(f"https://127.0.0.1:{httpd.server_port}/", b"{}", {})
        httpd.shutdown()
        thread.join()


class _Done(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer that it is done."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"result": "done"}')

    def log_message(self, *_: Any) -> None: ...


def _head(connection: socket.socket) -> None:
    """Answer with headers that never end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: y\r\n")
        time.sleep(0.05)


def _body(connection: socket.socket) -> None:
    """Answer with a body that never ends, and whose beginning is a good answer."""
    connection.sendall(b'HTTP/1.1 200 OK\r\n\r\n{"result": "done"}')
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


def _silent(connection: socket.socket) -> None:
    """Answer nothing."""
    while connection.recv(65_536):
        pass


@pytest.mark.parametrize("answer", [_head, _body, _silent])
def test_one_that_drips_is_hung_up_on(answer: Callable[[socket.socket], None]) -> None:
    """Each byte comes in time, and the whole does not; half of an answer is none."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        begun = time.monotonic()
        with pytest.raises((OSError, HTTPException)):
            post(f"http://127.0.0.1:{listening.getsockname()[1]}/", b"{}", {}, 0.4)
        assert time.monotonic() - begun < 20
        thread.join()


def test_the_addresses_of_a_host_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with many addresses, none of which answers, takes as long as one of them."""
    tried: list[float] = []

    def silent(self: socket.socket, _address: object) -> None:
        tried.append(self.gettimeout() or 0.0)
        time.sleep(tried[-1])
        raise TimeoutError("timed out")

    places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{number}", 9)) for number in range(1, 31)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
    monkeypatch.setattr(socket.socket, "connect", silent)
    begun = time.monotonic()
    with pytest.raises(OSError, match="time"):
        post("http://many.example/", b"{}", {}, 0.3)
    assert time.monotonic() - begun < 3  # thirty times 0.3 seconds would be nine
    assert 0.0 < tried[0] <= 0.3
    assert len(tried) < 30


def test_the_second_address_of_a_host_is_tried(
    server: tuple[int, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that refuses leaves the time to the next one."""
    port, bodies = server
    with socket.create_server(("127.0.0.1", 0)) as closed:
        refusing = closed.getsockname()[1]
    places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", number)) for number in (refusing, port)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
    assert post("http://two.example/erasures", b"{}", {})[0] == 200
    assert bodies == [b"{}"]


def test_an_answer_is_not_unpacked(server: tuple[int, list[bytes]]) -> None:
    """A small one could become as large as it likes; nobody asks for it either."""
    port, bodies = server
    status, found = post(f"http://127.0.0.1:{port}/packed", b"{}", {})
    assert (status, found[:2], bodies) == (200, b"\x1f\x8b", [b"{}"])


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "a b", "url": "https://x.example", "secret": "S"},
        {"name": "a", "url": "http://x.example", "secret": "S"},
        {"name": "a", "url": "https://user@x.example", "secret": "S"},
        {"name": "a", "url": "http://localhost.evil.example", "secret": "S"},
        {"name": "a", "url": "https://x.example"},
        {"name": "a"},
        {"name": "a", "url": "https://x.example", "secret": "S", "python": "a.b"},
        {"name": "a", "python": "a.b", "secret": "S"},
        {"name": "a", "python": "a.b", "tell": ()},
    ],
)
def test_a_system_that_could_not_be_told_is_refused(fields: dict[str, Any]) -> None:
    """In the clear only to this machine."""
    with pytest.raises(ValueError, match=r"name|url|python|tell"):
        OtherSystem(**fields)


ALL: Final[tuple[Tidings, ...]] = ("correction", "withdrawal", "retention")


@pytest.fixture
def listening(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """Return the store of a bot whose shop is told of everything but erasures, and whose CRM of erasures alone."""
    for system in (CRM, SHOP):
        monkeypatch.setenv(str(system.secret), f"secret of {system.name}")
    grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"full_name": "Ana Li", "email": "a@b.example"}, "newsletter": {"email": "a@b.example"}})
    return with_systems(vault, CRM, msgspec.structs.replace(SHOP, tell=ALL))


def told_by(vault: Vault) -> list[tuple[str, dict[str, Any]]]:
    """Deliver what is due, and return which system got what."""
    systems = Systems()
    deliver(vault, vault.clock(), systems)
    return [(system, payload) for system, payload, _headers, _body in systems.got]


def correct(vault: Vault, subject_id: bytes, value: str, *purposes: str) -> None:
    """Put the email address right."""

    def work(connection: Any) -> object:
        return put_right(vault, connection, SENDER, subject_id, Right("email", value, purposes), vault.clock())

    vault.database.transact(work)


@each_kind
def test_a_correction_is_told_with_the_value_that_is_right_now(listening: Vault, url: str) -> None:
    """Only who asks for it is told; the outbox holds no value, and of two corrections the last one counts."""
    with listening.database.read() as conn:
        subject_id = listening.subjects.find(conn, SENDER)
    assert subject_id is not None
    for value in ("wrong@b.example", "ana@new.example"):
        correct(listening, subject_id, value, "draw", "newsletter")
    assert all(b"ana@new" not in bytes(sealed) for (sealed,) in run_plain(url, "SELECT sealed FROM deliveries"))
    got = told_by(listening)
    assert [system for system, _ in got] == ["shop", "shop"]
    for _, payload in got:
        assert (payload["type"], payload["value"], payload["items"]) == ("correction", "ana@new.example", ["email"])
        assert payload["sender_ids"] == [SENDER]
        assert payload["purposes"] == ["draw", "newsletter"]
    assert told_by(listening) == []


@each_kind
def test_what_is_taken_back_or_is_over_is_told(listening: Vault, clock: Clock) -> None:
    """A consent that ends, a part that is deleted, a purpose whose time is over, and at last the person."""
    with listening.database.read() as conn:
        subject_id = listening.subjects.find(conn, SENDER)
    assert subject_id is not None
    delete_part(listening, SENDER, ["full_name"], [], evidence(listening))
    ((_, part),) = told_by(listening)
    assert (part["type"], part["purposes"], part["items"]) == ("withdrawal", ["draw"], ["full_name"])
    sweep(listening, clock.advance(days=91), trusted=True)
    ((_, over),) = told_by(listening)
    assert (over["type"], over["purposes"], over["sender_ids"]) == ("retention", ["draw"], [SENDER])
    listening.database.transact(lambda conn: withdraw(listening, conn, subject_id, ["newsletter"], evidence(listening)))
    ((_, taken),) = told_by(listening)
    assert (taken["type"], taken["purposes"]) == ("withdrawal", ["newsletter"])
    assert taken["items"] == ["birthday"]  # the draw's consent still covers the email address
    sweep(listening, clock.advance(days=400), trusted=True)
    ((_, gone),) = told_by(listening)
    assert (gone["type"], gone["sender_ids"]) == ("retention", [SENDER])


def test_of_somebody_who_was_erased_meanwhile_nothing_else_is_told(listening: Vault) -> None:
    """The erasure is told to who asked for it; what was noted before ends, since it is about nobody."""
    with listening.database.read() as conn:
        subject_id = listening.subjects.find(conn, SENDER)
    assert subject_id is not None
    correct(listening, subject_id, "ana@new.example", "draw")
    number = erased(listening)
    assert [(system, payload["type"]) for system, payload in told_by(listening)] == [("crm", "erasure")]
    assert request_of(listening, number).state == "done"
    with listening.database.read() as conn:
        assert deliveries.pending(conn) == 0
