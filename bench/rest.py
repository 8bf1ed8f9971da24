"""A whole turn over REST: the example bot with Rasa's SQL tracker store and nothing of ours, and with all of ours.

Both are real servers with their action servers, on SQLite files. They take turns with the same messages, so that what
else the machine does hits each.
"""

import itertools
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Final

import yaml

from bench.recognition import without_packs
from bench.support.report import ROOT, Table, milliseconds, publish, verdict
from rasa_privacy.cli.rest import request_json
from rasa_privacy.cli.run_folder import copy_bot
from rasa_privacy.cli.servers import BotServers, ServerPlan
from rasa_privacy.cli.training import train

WITH: Final = "with"
WITHOUT: Final = "without"
#: Events of a conversation at which turns are timed, and most times Rasa's own time (DESIGN.md, section 8).
GOAL: Final = {20: 1.0, 1_000: 0.7}
#: People at each length, and turns of each that count.
PEOPLE: Final = {20: 12, 1_000: 2}
TURNS: Final = {20: 3, 1_000: 30}
#: Intents of the bot that ask for nothing personal, so that both bots do the same.
ORDINARY: Final = ("ask_opening_hours", "ask_prizes", "ask_who_won", "ask_shipping", "greet", "thank")

METHOD: Final = """Medians and 95th percentiles of what a client waits for Rasa's REST channel, both bots by turns with
the same messages, which ask for nothing personal. Without: the example bot without any of our components, its
conversations in Rasa's SQL tracker store. With: the example bot as it is. Each is a Rasa server and an action server,
with SQLite files that wait for the disk. The lengths are events of one session, stored turn by turn as they came; the
turns that are timed make it longer."""


class StockServers(BotServers):
    """Servers that open Rasa's own REST channel in place of ours."""

    def _prepare(self) -> None:
        super()._prepare()
        (self.plan.run_folder / "credentials.yml").write_text("rest:\n", encoding="utf-8")


@contextmanager
def serving(folder: Path, *, ours: bool) -> Iterator[BotServers]:
    """Train a copy of the example bot and serve it; yield its servers."""
    copy_bot(ROOT / "example_bot", folder)
    if not ours:
        strip(folder)
    model = train(folder, folder.parent / f"models {folder.name}")
    start = BotServers if ours else StockServers
    with start(ServerPlan(bot=folder, model=model, run_folder=folder / "run")) as servers:
        yield servers


def strip(folder: Path) -> None:
    """Take everything of ours out of a copy of the example bot."""
    without_packs(folder)
    endpoints = yaml.safe_load((folder / "endpoints.yml").read_text(encoding="utf-8"))
    endpoints["tracker_store"] = {"type": "SQL", "dialect": "sqlite", "db": "rasa.db"}
    (folder / "endpoints.yml").write_text(yaml.safe_dump(endpoints), encoding="utf-8")
    actions = folder / "actions" / "__init__.py"
    lines = actions.read_text(encoding="utf-8").replace('"rasa_privacy"', "").splitlines()
    kept = [line for line in lines if not re.match(r"import rasa_privacy", line)]
    actions.write_text("\n".join(kept) + "\n", encoding="utf-8")


def messages() -> Iterator[str]:
    """Yield everyday messages for ever."""
    said = yaml.safe_load((ROOT / "tests" / "example_bot" / "heldout.yml").read_text(encoding="utf-8"))
    return itertools.cycle([text for intent in ORDINARY for text in said.get(intent, ())])


def turn(servers: BotServers, sender: str, text: str) -> float:
    """Return the seconds that a client waits."""
    start = time.perf_counter()
    answer = servers.chat(sender).say(text)
    seconds = time.perf_counter() - start
    if not answer:
        raise SystemExit(f"the bot said nothing to {text!r}, so the time means nothing")
    return seconds


def measure(bots: dict[str, BotServers], length: int) -> dict[str, list[float]]:
    """Return the seconds of turns at one length, by bot."""
    times: dict[str, list[float]] = {name: [] for name in bots}
    for person in range(PEOPLE[length]):
        sender, said = f"4930{length}{person:03d}", messages()
        while events(bots[WITHOUT], sender) < length:
            for text in itertools.islice(said, max(length // 100, 1)):
                for servers in bots.values():
                    turn(servers, sender, text)
        for number in range(TURNS[length]):
            text = next(said)
            for name in sorted(bots, reverse=bool(number % 2)):
                times[name].append(turn(bots[name], sender, text))
    return times


def events(servers: BotServers, sender: str) -> int:
    """Return how many events a bot has of a person."""
    state = request_json(f"{servers.url}/conversations/{sender}/tracker?include_events=ALL", seconds=60)
    return len(state["events"])


def row(length: int, times: dict[str, list[float]], word: str) -> tuple[str, ...]:
    """Return a row for the median or the 95th percentile."""
    of = {name: median(values) if word == "p50" else quantiles(values, n=20)[-1] for name, values in times.items()}
    share, shown = of[WITH] / of[WITHOUT], [milliseconds(of[name]) for name in (WITHOUT, WITH)]
    met = verdict(met=share <= GOAL[length]) if word == "p50" else ""
    goal = f"<= {GOAL[length]}x the time" if word == "p50" else "-"
    return f"a turn at {length:,} events, {word}", *shown, f"{share:.2f}x the time", goal, met


def main() -> None:
    """Measure, print, and write the document."""
    rows = []
    with (
        TemporaryDirectory() as folder,
        serving(Path(folder) / WITHOUT, ours=False) as without,
        serving(Path(folder) / WITH, ours=True) as ours,
    ):
        bots = {WITHOUT: without, WITH: ours}
        for text in itertools.islice(messages(), 10):  # the first turns load what a server loads once
            for servers in bots.values():
                turn(servers, "warming up", text)
        for length in GOAL:
            print(f"conversations of {length} events ...", flush=True)
            times = measure(bots, length)
            rows += [row(length, times, word) for word in ("p50", "p95")]
    head = ("work", "without", "with", "with against without", "goal", "")
    publish("rest", Table("A whole turn over REST", " ".join(METHOD.split()), head, rows))


if __name__ == "__main__":
    main()
