"""Starts, watches and stops the two processes of a bot: the Rasa server and the action server.

Rules:
    1. Both listen on this computer only.
    2. `BotServers` is a context manager: it is entered when both are healthy, and left when nothing of them runs.
    3. Both read one derived endpoints file in a private run folder; the bot's own files stay as they are.
    4. Until both are healthy, an error shows the end of the log. Later it does not: by then people have chatted.
"""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from rasa_privacy.cli.ports import LOCALHOST, choose_port
from rasa_privacy.cli.processes import Process, stop_all
from rasa_privacy.cli.rest import Chat, request_json
from rasa_privacy.cli.run_folder import ACTION_URL, Changes, derive_endpoints, make_private_folder, write_credentials
from rasa_privacy.errors import ServerError

#: Importing TensorFlow from a cold disk on a busy machine takes most of this.
START_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.1
_PROBE_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class ServerPlan:
    """What to start.

    Attributes:
        bot: Folder of the bot, the current directory of both processes: relative paths of endpoints.yml start here.
        model: Trained model.
        run_folder: Private folder for endpoints, credentials and logs; made if needed.
        port: Port of the Rasa server; None for a free one.
        action_port: Port of the action server; None for a free one.
        action_url: Where Rasa calls actions; None for the action server itself. A proxy goes here.
        changes: More values to change in the derived endpoints file.
        environment: Variables to add for both processes.
        debug: Whether both log at debug level. Such logs show what people say.
    """

    bot: Path
    model: Path
    run_folder: Path
    port: int | None = None
    action_port: int | None = None
    action_url: str | None = None
    changes: Changes = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    debug: bool = False


class BotServers:
    """Both servers of one bot, as a context manager.

    Attributes:
        plan: What was asked for.
        endpoints: The derived endpoints file, once entered.
        port: Port of the Rasa server, once entered.
        action_port: Port of the action server, once entered.
    """

    def __init__(self, plan: ServerPlan, *, report: Callable[[str], None] = lambda _: None) -> None:
        """Prepare, and start nothing yet.

        Args:
            plan: What to start.
            report: Called with what is being waited for, for people to read.
        """
        self.plan = plan
        self.endpoints = plan.run_folder / "endpoints.yml"
        self.port = 0
        self.action_port = 0
        self._report = report
        self._processes: list[Process] = []

    def __enter__(self) -> "BotServers":  # noqa: PYI034 - typing.Self needs Python 3.11
        """Start both and return when both are healthy.

        Raises:
            ServerError: A port is in use, or a process did not become healthy. Nothing is left running.
            ConfigurationError: endpoints.yml cannot be read.
        """
        with ExitStack() as undo:
            undo.callback(self.stop)
            self._prepare()
            # Started together, because importing takes most of the time and there may be two cores.
            self.start_actions(wait=False)
            self._start_rasa()
            self._await_actions()
            self._await_rasa()
            undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop both, whatever happened."""
        self.stop()

    @property
    def url(self) -> str:
        """Base address of the Rasa server."""
        return f"http://{LOCALHOST}:{self.port}"

    @property
    def logs(self) -> tuple[Path, Path]:
        """Log of the Rasa server, and of the action server."""
        return self.plan.run_folder / "rasa.log", self.plan.run_folder / "actions.log"

    def chat(self, sender: str) -> Chat:
        """Return a conversation with the bot under this sender id."""
        return Chat(self.url, sender)

    def check(self) -> None:
        """Raise if a process has ended by itself.

        Raises:
            ServerError: It names the process and its exit code, and not the log's content: people have chatted.
        """
        for process in self._processes:
            code = process.exit_code()
            if code is not None:
                raise ServerError(f"the {process.name} ended by itself with exit code {code}; its log is {process.log}")

    def stop(self) -> None:
        """Stop both. Nothing of them runs afterwards; doing it twice is no error."""
        stop_all(self._processes)
        self._processes.clear()

    def stop_actions(self) -> None:
        """Stop the action server only, as a test of a failure would."""
        self._process("action server").stop()
        self._processes = [process for process in self._processes if process.name != "action server"]

    def start_actions(self, *, wait: bool = True) -> None:
        """Start the action server on its port.

        Args:
            wait: Whether to return only when it is healthy.

        Raises:
            ServerError: It did not become healthy.
        """
        command = ["-m", "rasa_sdk", "--actions", "actions", "-p", str(self.action_port)]
        self._start("action server", command, self.logs[1])
        if wait:
            self._await_actions()

    def _prepare(self) -> None:
        """Choose ports and write what the processes read."""
        plan = self.plan
        self.port = choose_port(plan.port, "--port")
        self.action_port = choose_port(plan.action_port, "--action-port")
        if self.port == self.action_port:
            raise ServerError(f"port {self.port} is named twice; give --port and --action-port different numbers")
        make_private_folder(plan.run_folder)
        action_url = plan.action_url or f"http://{LOCALHOST}:{self.action_port}/webhook"
        derive_endpoints(plan.bot / "endpoints.yml", self.endpoints, {**plan.changes, ACTION_URL: action_url})
        write_credentials(plan.run_folder / "credentials.yml")

    def _start_rasa(self) -> None:
        """Start the Rasa server, and do not wait."""
        run = self.plan.run_folder
        command = ["-m", "rasa", "run", "--enable-api", "-i", LOCALHOST, "-p", str(self.port)]
        command += ["-m", str(self.plan.model.resolve()), "--endpoints", str(self.endpoints.resolve())]
        command += ["--credentials", str((run / "credentials.yml").resolve())]
        self._start("Rasa server", command, self.logs[0])

    def _start(self, name: str, arguments: list[str], log: Path) -> None:
        """Start one process with what both need."""
        environment = {
            "RASA_TELEMETRY_ENABLED": "false",
            "RASA_PRIVACY_ENDPOINTS": str(self.endpoints.resolve()),
            "SANIC_HOST": LOCALHOST,  # rasa_sdk listens on all interfaces otherwise
            "PYTHONUNBUFFERED": "1",
            "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
            **self.plan.environment,
        }
        command = [sys.executable, *arguments, *(["-vv"] if self.plan.debug else [])]
        self._processes.append(Process(name, command, folder=self.plan.bot, log=log, environment=environment))

    def _await_actions(self) -> None:
        """Wait until the action server answers."""
        self._await("action server", f"http://{LOCALHOST}:{self.action_port}/health", _says_ok)

    def _await_rasa(self) -> None:
        """Wait until the Rasa server answers with the model that it was started with."""
        self._await("Rasa server", f"{self.url}/status", lambda answer: _names_model(answer, self.plan.model))

    def _await(self, name: str, url: str, is_healthy: Callable[[Any], bool]) -> None:
        """Wait until one address answers as it should, or its process has ended or takes too long."""
        self._report(f"waiting for the {name}")
        process = self._process(name)
        deadline = time.monotonic() + START_SECONDS
        while (code := process.exit_code()) is None:
            cause = _probe(url, is_healthy)
            if cause is None:
                return
            if cause != _NOT_YET or time.monotonic() > deadline:
                raise ServerError(_start_failure(process, cause))
            time.sleep(_POLL_SECONDS)
        raise ServerError(_start_failure(process, f"it ended with exit code {code}"))

    def _process(self, name: str) -> Process:
        return next(process for process in self._processes if process.name == name)


_NOT_YET: Final = "it did not answer in time"


def _probe(url: str, is_healthy: Callable[[Any], bool]) -> str | None:
    """Return None for a healthy answer, `_NOT_YET` for none, or what is wrong with it."""
    try:
        answer = request_json(url, seconds=_PROBE_SECONDS)
    except ServerError as error:
        # Rasa answers 409 Conflict when it runs without a model.
        return "it could not load the model" if "status 409" in str(error) else _NOT_YET
    return None if is_healthy(answer) else "another program answers on its port"


def _start_failure(process: Process, cause: str) -> str:
    return (
        f"the {process.name} did not start: {cause}; mend what the end of its log names and start again. "
        f"{process.log}:\n{process.last_lines()}"
    )


def _says_ok(answer: Any) -> bool:
    return isinstance(answer, dict) and answer.get("status") == "ok"


def _names_model(answer: Any, model: Path) -> bool:
    return isinstance(answer, dict) and answer.get("model_file") == model.name
