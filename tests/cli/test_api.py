"""`rasa-privacy api`: where it listens, and the server with a real socket."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.applications import Starlette

from rasa_privacy.cli import main
from rasa_privacy.cli.ports import choose_port
from rasa_privacy.console.server import Address
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.storage.vault import open_vault
from tests.support.asgi import Client
from tests.support.key_threads import key_threads
from tests.support.operators import hire, with_roles
from tests.support.vaults import PRIVACY, give, settings_in


def test_the_document_is_printed_without_a_store() -> None:
    """For a platform that wants to know what the API does."""
    done = CliRunner().invoke(main, ["api", "--openapi"])
    assert done.exit_code == 0
    assert json.loads(done.output)["openapi"] == "3.1.0"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "api.northwind.example"])  # noqa: S104 - it is refused
def test_nothing_goes_over_a_network_in_plain(host: str, tmp_path: Path) -> None:
    """Without a certificate or a proxy it listens on this machine alone, and says so before it opens the store."""
    done = CliRunner().invoke(main, ["api", "--host", host, "--bot", str(tmp_path)])
    assert (done.exit_code, "in plain" in done.output) == (2, True)
    assert Address(host, behind_proxy=True).host == host


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "127.9.9.9"])
def test_this_machine_may_listen_to_itself(host: str) -> None:
    """Loopback addresses need no certificate."""
    assert Address(host).host == host


def test_a_certificate_needs_its_key_and_both_their_files(tmp_path: Path) -> None:
    """Nobody finds out at the first call."""
    file = tmp_path / "cert.pem"
    with pytest.raises(ConfigurationError, match="belong together"):
        Address("192.0.2.1", certificate=file)
    with pytest.raises(ConfigurationError, match="does not exist"):
        Address("192.0.2.1", certificate=file, key=file)


def write_endpoints(folder: Path) -> None:
    """Write an endpoints file beside a privacy.yml with roles."""
    settings_in(folder)
    (folder / "privacy.yml").write_text(f"{PRIVACY}roles:\n  dpo: {{may: all}}\n", encoding="utf-8")
    (folder / "endpoints.yml").write_text(
        f"tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  url: sqlite:///{folder}/c.db\n"
        "  keys: {provider: file, path: keys}\n  privacy: privacy.yml\n"
    )


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """As with every other command."""
    write_endpoints(tmp_path)
    done = CliRunner().invoke(main, ["api", "--bot", str(tmp_path)])
    assert done.exit_code == 2
    assert not (tmp_path / "c.db").exists()


@contextmanager
def serving(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """Run the command until its server answers; end it afterwards."""
    command = [sys.executable, "-c", "from rasa_privacy.cli import main; main()", "api", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            for _ in range(600):
                if answers(port):
                    break
                time.sleep(0.1)
            yield process
        finally:
            process.terminate()


def answers(port: int) -> bool:
    """Return whether a server is well there."""
    try:
        return call(port, "GET", "/health")[0] == 200
    except OSError:
        return False


def call(port: int, method: str, path: str, body: object = None, token: str = "") -> tuple[int, bytes]:
    """Call the server."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


PEOPLE = 300


@pytest.fixture
def token(tmp_path: Path) -> str:
    """Return the token of the officer of a store with many people."""
    vault = with_roles(open_vault(settings_in(tmp_path)))
    found = hire(vault)["dpo"]
    for number in range(PEOPLE):
        give(vault, {"draw": {"email": f"p{number}@x.example"}}, sender=f"web-{number}")
    vault.close()
    write_endpoints(tmp_path)
    return found


def test_the_command_serves_logs_no_person_and_ends(tmp_path: Path, token: str) -> None:
    """Its log has the path of the operation, and ends with the process."""
    port = choose_port(None, "--port")
    with serving(tmp_path, port) as process:
        status, body = call(port, "POST", "/v1/subjects/find", {"sender": "web-7"}, token)
        assert (status, json.loads(body)["purposes"]) == (200, ["draw"])
        assert call(port, "POST", "/v1/subjects/find", {"sender": "web-7"})[0] == 401
        process.terminate()
        _, log = process.communicate(timeout=60)
    assert "POST /v1/subjects/find 200" in log
    assert "web-7" not in log
    assert token[-20:] not in log


def test_a_server_that_is_killed_in_the_middle_loses_nothing(tmp_path: Path, token: str) -> None:
    """Who was erased is gone with a certificate; asked again, all are, and the books verify."""
    port = choose_port(None, "--port")
    everybody = {"senders": [f"web-{number}" for number in range(PEOPLE)], "confirm": True}
    with serving(tmp_path, port) as process:
        assert call(port, "POST", "/v1/subjects/find", {"sender": "web-7"}, token)[0] == 200
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/subjects/erase-many", json.dumps(everybody), headers)
        time.sleep(0.15)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with serving(tmp_path, port):
        status, body = call(port, "POST", "/v1/subjects/erase-many", everybody, token)
        done = json.loads(body)["counts"]
        assert (status, done.get("erased", 0) + done.get("unknown", 0)) == (200, PEOPLE)
    vault = open_vault(settings_in(tmp_path))
    with vault.database.read() as connection_:
        assert all(vault.subjects.find(connection_, f"web-{number}") is None for number in range(PEOPLE))
        vault.audit.verify(connection_)
        vault.ledger.verify(connection_)
    vault.close()


def test_the_command_lets_go_of_keys_beside_its_calls(
    tmp_path: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From before the first call, so that a key which another process destroyed leaves its memory."""
    assert token
    served: list[int] = []
    before = key_threads()
    monkeypatch.setattr("rasa_privacy.console.server.serve", lambda *_: served.append(len(key_threads() - before)))
    done = CliRunner().invoke(main, ["api", "--bot", str(tmp_path)])
    assert (done.exit_code, served) == (0, [1]), done.output


def test_the_command_sends_notices_as_its_endpoints_file_says(
    tmp_path: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where that names no sender, the answer says what to write into it, and nothing is put off."""
    said: list[str] = []

    def serve(app: Starlette, _: Address) -> None:
        client = Client(app, token)
        number = client.post("/v1/requests", {"sender": "web-7", "kind": "access"}).json()["number"]
        extended = client.post(f"/v1/requests/{number}/extend", {"because": "complexity", "told": "notify"})
        said.extend([str(extended.status), extended.json()["detail"]])

    monkeypatch.setattr("rasa_privacy.console.server.serve", serve)
    done = CliRunner().invoke(main, ["api", "--bot", str(tmp_path)])
    assert (done.exit_code, said[:1]) == (0, ["409"]), done.output
    assert "privacy_sender" in said[1]
