import os
import signal
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import yaml

from rasa_privacy.cli.ports import choose_port, is_free
from rasa_privacy.cli.rest import request_json
from rasa_privacy.cli.servers import BotServers, ServerPlan
from rasa_privacy.errors import ServerError

#: Stands in for both real servers: found first, because `python -m` looks in the current directory, the bot's folder.
_SERVER = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
STATUS, ANSWER = {status}, {answer!r}
arguments = sys.argv
print("started", flush=True)
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        seen = {{"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}}
        body = json.dumps(seen if self.path == "/seen" else ANSWER).encode()
        self.send_response(STATUS)
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
HTTPServer(("127.0.0.1", int(arguments[arguments.index("-p") + 1])), Handler).serve_forever()
"""
_DEAD = "print('line before the end'); raise SystemExit('no module named actions')"
_SILENT = "import time; time.sleep(60)"
_HEALTHY_RASA = _SERVER.format(status=200, answer={"model_file": "model.tar.gz"})
_HEALTHY_ACTIONS = _SERVER.format(status=200, answer={"status": "ok"})

#: Makes the plan of a bot whose two servers run this code.
MakePlan = Callable[..., ServerPlan]


@pytest.fixture
def make_plan(tmp_path: Path) -> MakePlan:
    """A function that makes a bot with stand-ins for both servers; healthy ones where none is named."""

    def make(rasa: str = _HEALTHY_RASA, actions: str = _HEALTHY_ACTIONS, **options: int) -> ServerPlan:
        bot = tmp_path / "bot"
        for name, code in {"rasa": rasa, "rasa_sdk": actions}.items():
            (bot / name).mkdir(parents=True)
            (bot / name / "__init__.py").touch()
            (bot / name / "__main__.py").write_text(code)
        (bot / "endpoints.yml").write_text(
            "action_endpoint:\n  url: http://localhost:5055/webhook\nnlg: {url: http://n}\n"
        )
        return ServerPlan(
            bot=bot, model=tmp_path / "model.tar.gz", run_folder=tmp_path / "run", port=options.get("port"),
            action_port=options.get("action_port"), debug=True,
        )  # fmt: skip

    return make


def test_both_servers_are_healthy_inside_and_gone_outside(make_plan: MakePlan) -> None:
    """Entering waits until both answer; leaving frees both ports and ends every process."""
    with BotServers(make_plan()) as servers:
        servers.check()
        assert not is_free(servers.port)
        assert not is_free(servers.action_port)
        children = _children()
        assert len(children) == 2
    assert is_free(servers.port)
    assert is_free(servers.action_port)
    assert not any(child.is_running() for child in children)


def test_rasa_calls_the_action_server_that_was_started(make_plan: MakePlan) -> None:
    """The derived endpoints name the chosen action port, keep the rest, and stand in a private folder."""
    plan = make_plan()
    with BotServers(plan) as servers:
        derived = yaml.safe_load(servers.endpoints.read_text())
    assert derived == {
        "action_endpoint": {"url": f"http://127.0.0.1:{servers.action_port}/webhook"},
        "nlg": {"url": "http://n"},
    }
    assert stat.S_IMODE(plan.run_folder.stat().st_mode) == 0o700


def test_the_servers_are_started_for_this_computer_only(make_plan: MakePlan) -> None:
    """Both run in the bot's folder, without telemetry, with the derived endpoints, and listen on this computer only."""
    plan = make_plan()
    with BotServers(plan) as servers:
        seen = [_seen(servers.url), _seen(f"http://127.0.0.1:{servers.action_port}")]
    for entry in seen:
        assert entry["folder"] == str(plan.bot)
        assert entry["environment"]["RASA_TELEMETRY_ENABLED"] == "false"
        assert entry["environment"]["RASA_PRIVACY_ENDPOINTS"] == str(servers.endpoints)
        assert entry["environment"]["SANIC_HOST"] == "127.0.0.1"
        assert "-vv" in entry["arguments"]
    assert {"--enable-api", "-i", "127.0.0.1"} <= set(seen[0]["arguments"])


def test_named_ports_are_used(make_plan: MakePlan) -> None:
    """A free port that was named is the one that is used."""
    wanted = choose_port(None, "--port")
    with BotServers(make_plan(port=wanted)) as servers:
        assert servers.port == wanted


def test_a_named_port_in_use_stops_before_anything_starts(make_plan: MakePlan) -> None:
    """The message names port and option, and no process was started."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        plan = make_plan(action_port=other.getsockname()[1])
        with pytest.raises(ServerError, match=r"port \d+ is in use .*--action-port"), BotServers(plan):
            pass
    assert not (plan.run_folder / "actions.log").exists()


def test_the_same_port_twice_is_refused(make_plan: MakePlan) -> None:
    """Two servers cannot share a port."""
    port = choose_port(None, "--port")
    with pytest.raises(ServerError, match="named twice"), BotServers(make_plan(port=port, action_port=port)):
        pass


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        ({"rasa": _DEAD}, r"Rasa server did not start: it ended with exit code 1.*\n.*no module named actions"),
        ({"actions": _DEAD}, r"action server did not start: it ended with exit code 1.*\n.*no module named actions"),
        ({"rasa": _SERVER.format(status=409, answer={})}, "server did not start: it could not load the model.*log"),
        ({"rasa": _SERVER.format(status=200, answer={"model_file": "b"})}, "another program answers on its port"),
        ({"actions": _SERVER.format(status=200, answer=[])}, "another program answers on its port"),
        ({"rasa": _SILENT}, "Rasa server did not start: it did not answer in time"),
    ],
)  # fmt: skip
def test_a_server_that_does_not_become_healthy_stops_both(
    make_plan: MakePlan, monkeypatch: pytest.MonkeyPatch, broken: dict[str, str], cause: str
) -> None:
    """The message names the server, the cause and the end of its log, and no process is left."""
    monkeypatch.setattr("rasa_privacy.cli.servers.START_SECONDS", 3.0)
    with pytest.raises(ServerError, match=f"(?s){cause}"), BotServers(make_plan(**broken)):
        pass
    assert _children() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_nothing_is_left_when_starting_is_interrupted(make_plan: MakePlan, error: type[BaseException]) -> None:
    """Ctrl-C, or any error while waiting, ends what was started already."""

    def interrupt(_what: str) -> None:
        assert len(_children()) == 2
        raise error

    with pytest.raises(error), BotServers(make_plan(), report=interrupt):
        pass
    assert _children() == []


def test_a_server_that_ends_later_is_noticed_without_showing_its_log(make_plan: MakePlan) -> None:
    """By then people have chatted, so the message names the log and does not quote it."""
    with BotServers(make_plan()) as servers:
        victim = next(child for child in _children() if "rasa_sdk" in child.cmdline())
        os.kill(victim.pid, signal.SIGKILL)
        while victim.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        with pytest.raises(
            ServerError, match=r"action server ended by itself with exit code -9; .*actions\.log"
        ) as caught:
            servers.check()
        assert "started" not in str(caught.value)


def test_the_action_server_can_be_stopped_and_started_alone(make_plan: MakePlan) -> None:
    """A test of its failure gets it back on the same port."""
    with BotServers(make_plan()) as servers:
        servers.stop_actions()
        assert is_free(servers.action_port)
        servers.start_actions()
        assert not is_free(servers.action_port)
        servers.check()
    assert _children() == []


def _children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]


def _seen(url: str) -> Any:
    return request_json(f"{url}/seen", seconds=5)
