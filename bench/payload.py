"""What the action server and an NLG server are sent, against Rasa's own requests: bytes, and time until they were read.

Either server is a process of its own that reads the request and answers with no events, or with a text.
"""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from rasa.core.actions import action as action_module
from rasa.core.actions.action import RemoteAction
from rasa.core.channels.channel import CollectingOutputChannel
from rasa.core.nlg.callback import CallbackNaturalLanguageGenerator
from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
from rasa.plugin import plugin_manager
from rasa.shared.core.events import Event as RasaEvent
from rasa.utils.endpoints import EndpointConfig

from bench.support.report import Table, milliseconds, publish, verdict
from bench.support.stores import OURS, STOCK, Stores, consent, domains, open_stores
from bench.support.talk import Talk
from rasa_privacy.components.nlg import PrivateNlg

LENGTHS: Final = (20, 1_000, 20_000)
ROUNDS: Final = 15
ACTION: Final = "action_submit_entry"
RESPONSE: Final = "utter_entry_confirmed"
SENDER: Final = "4930123456789"
PLUGIN: Final = "rasa_privacy"
METHOD: Final = f"""Medians of {ROUNDS} calls of `{ACTION}`, and of {ROUNDS} requests for `{RESPONSE}`, by each, by
turns in one process, on the same generated conversation of a person who consented to the prize draw. A call is Rasa's
`RemoteAction.run`, or `generate` of its NLG: the request is written and sent over HTTP to a process that parses it,
and the answer is read. Ours reads the consent from the ledger, masks texts and cuts values in that time. To the
action server both carry the whole domain, as Rasa sends it to every action. `history: turn`."""


@dataclass(frozen=True)
class Side:
    """One side of the comparison.

    Attributes:
        name: Stock or ours.
        action: The remote action.
        generator: What asks the NLG server.
        domain: What the action sends.
    """

    name: str
    action: Any
    generator: Any
    domain: Any


#: Sends one request of a side about a conversation.
Ask = Callable[[Side, Any], Awaitable[None]]


def serve(pipe: Connection) -> None:
    """Be an action server, and at `/nlg` an NLG server: parse each request.

    At the pipe it says where it listens, and how long each request was.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            json.loads(raw)
            pipe.send(len(raw))
            body = b'{"text": "Hi"}' if self.path == "/nlg" else b'{"events": [], "responses": []}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pipe.send(server.server_port)
    server.serve_forever()


@contextmanager
def action_server() -> Iterator[tuple[str, Connection]]:
    """Run an action server and yield its address and the pipe."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}", here
    finally:
        process.terminate()
        process.join()


def tracker_of(stores: Stores, name: str, events: list[RasaEvent]) -> Any:
    """Return a tracker with these events, as Rasa holds it while it handles a message."""
    tracker = stores.by_name[name].init_tracker(SENDER)
    tracker.events.extend(events)
    for event in events[-2_000:]:  # what decides the state; applying 20,000 would say the same
        event.apply_to(tracker)
    return tracker


async def to_action(side: Side, tracker: Any) -> None:
    """Call the action server once."""
    nlg = TemplatedNaturalLanguageGenerator(side.domain.responses)
    await side.action.run(CollectingOutputChannel(), nlg, tracker, side.domain)


async def to_nlg(side: Side, tracker: Any) -> None:
    """Ask the NLG server once."""
    await side.generator.generate(RESPONSE, tracker, "rest", domain_responses=side.domain.responses)


async def call(ask: Ask, side: Side, tracker: Any, pipe: Connection) -> tuple[float, int]:
    """Return the seconds of one call and the bytes that were sent."""
    manager = plugin_manager()
    hooks = manager.get_plugin(PLUGIN)
    if side.name == STOCK:
        manager.unregister(name=PLUGIN)
    try:
        start = time.perf_counter()
        await ask(side, tracker)
        return time.perf_counter() - start, int(pipe.recv())
    finally:
        if side.name == STOCK:
            manager.register(hooks, PLUGIN)


async def measure(folder: Path) -> list[tuple[str, ...]]:
    """Return a row for each server and length."""
    domain = domains()
    rows: dict[str, list[tuple[str, ...]]] = {"action": [], "NLG": []}
    with open_stores("SQLite", folder, domain) as stores, action_server() as (url, pipe):
        consent(stores.vault, SENDER)
        actions, nlg = EndpointConfig(f"{url}/webhook"), EndpointConfig(f"{url}/nlg")
        sides = (
            Side(STOCK, RemoteAction(ACTION, actions), CallbackNaturalLanguageGenerator(nlg), domain[STOCK]),
            Side(OURS, action_module.RemoteAction(ACTION, actions), PrivateNlg(nlg), domain[OURS]),
        )
        for length in LENGTHS:
            events = [RasaEvent.from_parameters(event) for turn in Talk(7).events(length) for event in turn]
            trackers = {side.name: tracker_of(stores, side.name, events) for side in sides}
            for server, ask in (("action", to_action), ("NLG", to_nlg)):
                times, sizes = await by_turns(ask, sides, trackers, pipe)
                rows[server].append(row(f"{length:,} to the {server} server", times, sizes))
    return [*rows["action"], *rows["NLG"]]


async def by_turns(
    ask: Ask, sides: Sequence[Side], trackers: dict[str, Any], pipe: Connection
) -> tuple[dict[str, float], dict[str, int]]:
    """Return the median seconds of each side, and the bytes that it sent."""
    times: dict[str, list[float]] = {side.name: [] for side in sides}
    sizes: dict[str, int] = {}
    for number in range(ROUNDS + 1):
        for side in sides:
            taken, sizes[side.name] = await call(ask, side, trackers[side.name], pipe)
            if number:  # the first compiles statements, which a server does once
                times[side.name].append(taken)
    return {name: median(found) for name, found in times.items()}, sizes


def row(name: str, times: dict[str, float], sizes: dict[str, int]) -> tuple[str, ...]:
    """Return the cells of one length."""
    return (
        name,
        *(f"{sizes[side] / 1024:,.1f} KiB" for side in (STOCK, OURS)),
        f"{sizes[STOCK] / sizes[OURS]:,.1f}x",
        *(milliseconds(times[side]) for side in (STOCK, OURS)),
        f"{times[OURS] / times[STOCK]:.2f}x the time",
        "<= 1x the time",
        verdict(met=times[OURS] <= times[STOCK]),
    )


def main() -> None:
    """Measure, print, and write the document."""
    head = ("events", "stock", "ours", "fewer bytes", "stock", "ours", "time", "goal", "")
    with TemporaryDirectory() as folder:
        rows = asyncio.run(measure(Path(folder)))
    publish("payload", Table("What the action server and an NLG server are sent", " ".join(METHOD.split()), head, rows))


if __name__ == "__main__":
    main()
