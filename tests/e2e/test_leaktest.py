"""`rasa-privacy leaktest` on the example bot as it is, and on one that leaks wherever something can leak."""

import io
import json
import random
import shutil
import string
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.cli.leak_marks import Marks
from rasa_privacy.cli.run_folder import copy_bot
from rasa_privacy.policy.loader import load_policy
from tests.e2e.harness import EXAMPLE_BOT

pytestmark = [pytest.mark.e2e]

COMMAND = str(Path(sys.executable).with_name("rasa-privacy"))
SEED = 7

#: In the process of the actions: to the screen, to files of its own, and past the store into its database.
ACTION_LEAKS = """
import base64, sqlite3, tempfile
from contextlib import closing
from pathlib import Path

def _leak(tracker):
    email, name = tracker.get_slot("email"), tracker.get_slot("full_name")
    if email and name:
        print("entry of", email, flush=True)
        Path("entries.txt").write_text(f"{email}\\n", encoding="utf-16-le")
        Path(tempfile.gettempdir(), "entry").write_bytes(base64.b64encode(b"n:" + name.encode()))
        Path("../store/entries.journal").write_text(email.encode().hex())
        with closing(sqlite3.connect("../store/conversations.db", timeout=60)) as store, store:
            store.execute("CREATE TABLE IF NOT EXISTS entries (email TEXT)")
            store.execute("INSERT INTO entries VALUES (?)", [email])

_run = ActionSubmitEntry.run

def _leaking(self, dispatcher, tracker, domain):
    _leak(tracker)
    return _run(self, dispatcher, tracker, domain)

ActionSubmitEntry.run = _leaking
"""

#: In the server's process, past what cuts payloads and events: what was typed goes to the actions and to the broker.
SERVER_LEAKS = """
from rasa.core.brokers.file import FileEventBroker
from rasa.core.lock_store import InMemoryLockStore
from rasa_privacy.components import payload

class Locks(InMemoryLockStore):
    def __init__(self, endpoint_config=None):
        super().__init__()

typed = []
_cut, _publish = payload._cut, FileEventBroker.publish

def _uncut(body, running, active):
    typed.append(body["tracker"]["latest_message"]["text"])
    return {**_cut(body, running, active), "history": list(typed)}

def _leaking(self, event):
    _publish(self, {**event, "typed": typed[-1] if typed else None})

payload._cut, FileEventBroker.publish = _uncut, _leaking

from rasa_privacy.components import nlg

_state = nlg._Safe.current_state

def _whole(self, verbosity=None):
    return {**_state(self, verbosity), "typed": self._tracker.latest_message.text}

nlg._Safe.current_state = _whole
"""


@contextmanager
def nlg_server(model: Path) -> Iterator[str]:
    """Serve the responses of a model's domain, each in its first wording; yield the address."""
    with tarfile.open(model) as archive:
        metadata = archive.extractfile("metadata.json")
        assert metadata is not None
        responses = json.load(metadata)["domain"]["responses"]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["response"]
            answer = json.dumps({"text": responses[asked][0].get("text", asked)}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/nlg"
        finally:
            server.shutdown()
            thread.join()


def with_nlg(bot: Path, url: str) -> Path:
    """Let a bot ask an NLG server for its responses."""
    with (bot / "endpoints.yml").open("a", encoding="utf-8") as endpoints:
        endpoints.write(f"\nnlg:\n  url: {url}\n")
    return bot


def leaking(bot: Path) -> Path:
    """Return a copy of the example bot that leaks wherever something can leak, but for its model."""
    copy_bot(EXAMPLE_BOT, bot)
    with (bot / "actions" / "campaign.py").open("a", encoding="utf-8") as source:
        source.write(ACTION_LEAKS)
    (bot / "leaks.py").write_text(SERVER_LEAKS, encoding="utf-8")
    with (bot / "endpoints.yml").open("a", encoding="utf-8") as endpoints:
        endpoints.write("\nlock_store:\n  type: leaks.Locks\n")
    return bot


def leaking_model(model: Path, target: Path) -> Path:
    """Return a copy of a model with what the first person of the test is going to say in it."""
    policy = load_policy(EXAMPLE_BOT / "privacy.yml")
    dice = random.Random(SEED)  # noqa: S311 - marks that are made again
    dice.choices(string.ascii_lowercase, k=14)  # the person's sender id
    phone = Marks(policy, dice).values["phone"][0].text
    with tarfile.open(model) as given, tarfile.open(target, "w:gz") as made:
        for member in given:
            made.addfile(member, given.extractfile(member) if member.isfile() else None)
        content = json.dumps({"example": phone}).encode()
        extra = tarfile.TarInfo("components/examples.json")
        extra.size = len(content)
        made.addfile(extra, io.BytesIO(content))
    return target


def leaktest(bot: Path, model: Path) -> tuple[int, dict[str, Any]]:
    """Run the command and return its exit code and its JSON."""
    command = [COMMAND, "leaktest", "--bot", str(bot), "--model", str(model), "--json", "--seed", str(SEED)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400)
    assert done.stdout, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, result


def test_the_example_bot_leaks_nothing(model: Path) -> None:
    """Everything was said, kept and deleted, and nothing of it is readable anywhere."""
    code, report = leaktest(EXAMPLE_BOT, model)
    assert report["leaks"] == []
    assert (code, report["clean"], report["remained"]) == (0, True, 0)
    assert (report["unsaid"], report["not_held"], report["unreached"]) == ([], [], [])
    assert all(report["doors"][door] for door in ("store", "logs", "broker", "actions", "model"))
    assert len(report["items"]) == 7


def test_an_nlg_server_is_sent_no_value_without_a_consent(model: Path, tmp_path: Path) -> None:
    """It writes every response of the example bot, and learns names of intents and actions, and a random id."""
    with nlg_server(model) as url:
        code, report = leaktest(with_nlg(copy_bot(EXAMPLE_BOT, tmp_path / EXAMPLE_BOT.name), url), model)
    assert (code, report["leaks"], report["unsaid"]) == (0, [], [])
    assert report["doors"]["nlg"] > len(report["items"])


def test_a_leak_that_is_planted_in_each_sink_is_found(model: Path, tmp_path: Path) -> None:
    """Database, files beside it, logs, broker, payloads, NLG server, model, temporary and other files: exit code 1."""
    bot = leaking(tmp_path / EXAMPLE_BOT.name)
    with nlg_server(model) as url:
        code, report = leaktest(with_nlg(bot, url), leaking_model(model, tmp_path / model.name))
    assert code == 1
    assert report["clean"] is False
    leaks = report["leaks"]
    by_door: dict[str, set[tuple[str, str]]] = {}
    for leak in leaks:
        by_door.setdefault(leak["door"], set()).add((leak["item"], leak["form"]))
    assert set(by_door) == {"store", "logs", "broker", "actions", "nlg", "model", "temp", "files"}
    assert by_door["files"] == {("email", "utf-16")}
    assert by_door["temp"] == {("full_name", "base64")}
    assert by_door["store"] == {("email", "plain"), ("email", "hex")}
    assert by_door["model"] == {("phone", "plain")}
    assert ("email", "plain") in by_door["logs"] & by_door["broker"] & by_door["actions"] & by_door["nlg"]
    places = {leak["place"] for leak in leaks if leak["door"] in ("files", "temp")}
    assert places == {"bot/entries.txt", "tmp/entry"}
    assert any(leak["place"].startswith("store/conversations.db") for leak in leaks)
    assert any(leak["place"] == "store/entries.journal" for leak in leaks)
    shutil.rmtree(bot)
