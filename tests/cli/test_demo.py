import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from rasa_privacy.cli.demo_session import chosen
from rasa_privacy.cli.rest import Button
from rasa_privacy.cli.store_view import hex_lines

# The demo trains first, and a fingerprint names the version of Rasa that is installed.
pytestmark = pytest.mark.rasa

#: Stands in for Rasa: trains in a moment, and plays conversation 1 into the real store. `LEAKS` and `FORGETS` break it.
_RASA = """
import json, os, sys
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
arguments = sys.argv
if "train" in arguments:
    Path(arguments[arguments.index("--out") + 1], "model.tar.gz").write_text("model")
    raise SystemExit
from rasa_privacy.policy.settings import load_settings
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.vault import open_vault
settings = load_settings(Path(os.environ["RASA_PRIVACY_ENDPOINTS"]))
vault = open_vault(settings)
LEAKS, FORGETS = {leaks}, {forgets}
def now(): return datetime.now(timezone.utc)
def buttons(*payloads):
    return [dict(title=payload.split("_")[-1].title() + " it", payload=payload) for payload in payloads]
def answer(sender, text):
    with vault.database.write() as conn:
        subject = vault.subjects.find_or_create(conn, sender, now())
        def record(event, topic="prize_draw"):
            entry = LedgerRecord(subject, topic, event, b"n" * 32, "en", "button", "rest", now())
            vault.ledger.append(conn, entry)
        stored = vault.conversations.load(conn, sender)
        version, starts = (stored.version, []) if stored else (0, [0])
        vault.conversations.append(conn, sender, version, [text], dict(), starts, now())
        if "draw" in text:
            record("asked")
            link = vault.policy.controller.policy_url
            return dict(text="May we? " + link, buttons=buttons("/privacy_grant", "/privacy_refuse"))
        if text == "/privacy_grant":
            record("granted")
            vault.data_keys.get_or_create(conn, subject, "prize_draw", now())
            record("asked", "prize_draw:postcode")
            return dict(text="And your postcode?", buttons=buttons("/privacy_grant", "/privacy_refuse"))
        if text == "yes":
            record("granted", "prize_draw:postcode")
            return dict(text="Thank you. What is your name?")
        if text == "delete my data":
            return dict(text="All of it?", buttons=buttons("/privacy_confirm", "/privacy_cancel"))
        if text == "/privacy_confirm":
            if not FORGETS:
                vault.erasures.bury(conn, subject, now(), "ER-ABCD-EFGH-IJKL", dict(events=1))
            return dict(text="Deleted. Certificate ER-ABCD-EFGH-IJKL")
    if LEAKS:
        Path(settings.keys.path, "notes.txt").write_text(text.upper())
    return dict(text="email? postcode? NW-ABCDEF [bold]as typed[/bold]")
class Handler(BaseHTTPRequestHandler):
    def do_GET(self): self.send(dict(model_file=os.path.basename(arguments[arguments.index("-m") + 1])))
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send([answer(body["sender"], body["message"])])
    def send(self, value):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())
HTTPServer(("127.0.0.1", int(arguments[arguments.index("-p") + 1])), Handler).serve_forever()
"""
_ACTIONS = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')
HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("-p") + 1])), Handler).serve_forever()
"""
_ENDPOINTS = """
tracker_store:
  type: rasa_privacy.EncryptedTrackerStore
  url: sqlite:///conversations.db
  keys: {provider: file, path: keys}
  privacy: privacy.yml
"""
_PRIVACY = """
version: 1
controller: {name: Northwind, contact: p@northwind.example, policy_url: https://northwind.example/privacy}
items:
  email: {detect: email}
purposes:
  prize_draw: {says: {en: to enter you in the draw}, basis: consent, items: {email: required}, retain: 90 days}
"""
_DEMO = "import sys; from rasa_privacy.cli import main; main(sys.argv[1:])"


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    """A bot folder with stand-ins for Rasa and the action server, and the real store."""
    folder = tmp_path / "bot"
    files = {
        "config.yml": "",
        "endpoints.yml": _ENDPOINTS,
        "privacy.yml": _PRIVACY,
        "rasa/__init__.py": "",
        "rasa_sdk/__init__.py": "",
    }
    for name, text in {**files, "rasa/__main__.py": _rasa(), "rasa_sdk/__main__.py": _ACTIONS}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (tmp_path / "tmp").mkdir()
    return folder


class Terminal:
    """A demo on a terminal of its own, as a person would run it."""

    def __init__(self, bot: Path) -> None:
        self._master, slave = pty.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            _command(bot),
            cwd=bot.parent,
            env=_environment(bot),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def wait_for(self, text: str, seconds: float = 30) -> None:
        """Read until the text is on the screen."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if select.select([self._master], [], [], 0.1)[0]:
                self.shown += os.read(self._master, 65_536).decode(errors="replace")

    def type(self, text: str) -> None:
        """Type, and forget what was shown so far."""
        self.shown = ""
        os.write(self._master, text.encode())

    def close(self) -> None:
        """Close the terminal."""
        os.close(self._master)


@pytest.fixture
def terminal(bot: Path) -> Iterator[Terminal]:
    """A demo that waits for the first message."""
    running = Terminal(bot)
    try:
        running.wait_for("you> ")
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def test_without_a_terminal_the_script_is_played(bot: Path) -> None:
    """Each turn shows words, ledger, keys and stored bytes; the exit code is 0 and nothing is left."""
    done = _play(bot)
    assert done.returncode == 0, done.stderr
    for shown in (
        "you> [Grant it]",
        "[bold]as typed[/bold]",
        "granted",
        "prize_draw",
        "52 50 53 02",
        "ER-ABCD-EFGH-IJKL",
        "none was readable",
    ):
        assert shown in done.stdout, shown
    assert list((bot.parent / "tmp").iterdir()) == []
    assert not (bot / "conversations.db").exists()
    assert not (bot / "keys").exists()


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"forgets": True}, r"turn 8: not so: the person's keys are destroyed"),
        ({"leaks": True}, r"turn 4: 'Ana Lindqvist' is readable in the stored files"),
    ],
)
def test_a_turn_that_gives_something_else_is_exit_code_1(bot: Path, broken: dict[str, bool], said: str) -> None:
    """The turn is named with what should have been true."""
    (bot / "rasa" / "__main__.py").write_text(_rasa(**broken))
    done = _play(bot)
    assert done.returncode == 1
    assert re.search(said, done.stderr)


def test_a_bot_without_the_encrypted_store_is_a_clear_message(bot: Path) -> None:
    """The demo does not start for it, and says what is missing."""
    (bot / "endpoints.yml").write_text("action_endpoint: {url: http://localhost:5055/webhook}\n")
    done = _play(bot)
    assert done.returncode == 2
    assert "tracker_store" in done.stderr


def test_a_folder_without_a_bot_is_a_clear_message(bot: Path) -> None:
    """A wrong folder is named."""
    done = _play(bot / "rasa")
    assert done.returncode == 2
    assert "no endpoints.yml here" in done.stderr


def test_a_named_port_in_use_is_said_before_the_training(bot: Path) -> None:
    """Nobody waits half a minute for the message."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = _play(bot, "--port", port)
    assert done.returncode == 2
    assert f"port {port} is in use" in done.stderr
    assert "training" not in done.stdout


def test_on_a_terminal_a_number_presses_a_button(terminal: Terminal) -> None:
    """A typed number chooses a button, and the store is shown after the turn."""
    terminal.type("the draw please\n")
    terminal.wait_for("you> ")
    assert "1) Grant it" in terminal.shown
    terminal.type("1\n")
    terminal.wait_for("you> ")
    assert "granted" in terminal.shown


@pytest.mark.parametrize("leaving", ["/quit\n", "\x04", "\x03"])
def test_leaving_the_chat_is_exit_code_0(terminal: Terminal, bot: Path, leaving: str) -> None:
    """`/quit`, Ctrl-D and Ctrl-C end both servers, and delete what the run kept."""
    servers = psutil.Process(terminal.process.pid).children()
    assert len(servers) == 2
    if leaving == "\x03":
        terminal.process.send_signal(signal.SIGINT)
    else:
        terminal.type(leaving)
    terminal.wait_for("are deleted")
    assert terminal.process.wait(10) == 0
    assert not any(server.is_running() for server in servers)
    assert list((bot.parent / "tmp").iterdir()) == []


def test_closing_the_terminal_ends_everything(terminal: Terminal, bot: Path) -> None:
    """A window that is closed leaves neither process nor file."""
    servers = psutil.Process(terminal.process.pid).children()
    terminal.process.send_signal(signal.SIGHUP)
    terminal.close()
    terminal.process.wait(10)
    assert not any(server.is_running() for server in servers)
    assert list((bot.parent / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("typed", "sent"), [("1", "/a"), ("2", "/b"), ("3", "3"), ("0", "0"), ("²", "²"), ("hi", "hi")]
)
def test_only_the_number_of_a_button_is_a_choice(typed: str, sent: str) -> None:
    """Everything else is sent as it was typed."""
    assert chosen(typed, (Button("A", "/a"), Button("B", "/b"))) == sent


def test_stored_bytes_are_shown_as_they_are() -> None:
    """Each line has an offset, 16 bytes and their readable characters; the last may be shorter."""
    assert hex_lines(b"RPS\x01" + bytes(12) + b"end", rows=2) == [
        "0000  52 50 53 01 00 00 00 00 00 00 00 00 00 00 00 00  RPS.............",
        "0010  65 6e 64                                         end",
    ]


def _rasa(*, leaks: bool = False, forgets: bool = False) -> str:
    return _RASA.replace("{leaks}", str(leaks)).replace("{forgets}", str(forgets))


def _play(bot: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_command(bot), *options],
        cwd=bot.parent,
        env=_environment(bot),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def _command(bot: Path) -> list[str]:
    return [sys.executable, "-c", _DEMO, "demo", "--bot", str(bot)]


def _environment(bot: Path) -> dict[str, str]:
    """The temporary folder is a known one, so that a test sees what is left in it."""
    temporary = bot.parent / "tmp"
    return {**os.environ, "TMPDIR": str(temporary), "COLUMNS": "120", "TERM": "dumb"}
