"""One leak test: a fresh copy of the bot, invented people who talk to it, and every byte that it wrote or sent.

The copy has a database, keys, logs, temporary files and an event broker's file of its own; the bot's are not touched.
What the bot's actions call is called for real.
"""

import random
import string
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from rasa_privacy.cli.leak_marks import Marks
from rasa_privacy.cli.leak_script import Script, play
from rasa_privacy.cli.leak_search import Sink, unpacked
from rasa_privacy.cli.leak_triggers import triggers
from rasa_privacy.cli.leak_visitor import Visitor
from rasa_privacy.cli.ports import LOCALHOST, choose_port
from rasa_privacy.cli.recording_proxy import RecordingProxy
from rasa_privacy.cli.run_folder import Changes, copy_bot, fresh_store, make_private_folder
from rasa_privacy.cli.servers import BotServers, ServerPlan
from rasa_privacy.policy.bot import Bot, read_bot
from rasa_privacy.policy.broker_settings import BROKER_TYPE
from rasa_privacy.policy.loader import load_policy
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.settings import load_settings
from rasa_privacy.storage.vault import Vault, open_vault

#: The ways out that are searched, in the order of the table.
DOORS: Final = ("store", "logs", "broker", "actions", "nlg", "model", "temp", "files")
BEFORE: Final = "before the deletion"
AFTER: Final = "after the deletion"

_SENDER_LETTERS: Final = 14


class Request(NamedTuple):
    """What went to the action server or to an NLG server.

    Attributes:
        door: `actions` or `nlg`.
        name: The called action, or the wanted response.
        body: What was sent.
        at: When, in seconds of the computer's steady clock.
    """

    door: str
    name: str
    body: bytes
    at: float = 0.0


@dataclass
class Run:
    """What a test did and found.

    Attributes:
        policy: The bot's privacy.yml.
        bot: The bot as it was read.
        visitors: The people.
        sinks: What was written and sent, and when it was looked at.
        requests: What went to the action server and to an NLG server.
        held: Items of which the store held a value, by sender.
        deleted: When each sender's data had been deleted, by the clock of the requests.
        remained: Senders that the store still knew after their deletion.
        unreached: Guarded forms and actions that no rule starts.
    """

    policy: Policy
    bot: Bot
    visitors: list[Visitor] = field(default_factory=list)
    sinks: list[tuple[str, Sink]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    held: dict[str, set[str]] = field(default_factory=dict)
    deleted: dict[str, float] = field(default_factory=dict)
    remained: list[str] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Places:
    """Where one run writes."""

    root: Path

    @property
    def copy(self) -> Path:
        """The bot's copy, current directory of both servers."""
        return self.root / "bot"

    @property
    def broker(self) -> Path:
        """What the event broker publishes."""
        return self.root / "published.jsonl"

    @property
    def run(self) -> Path:
        """Derived endpoints, credentials and logs."""
        return self.root / "run"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to test.

    Attributes:
        source: The bot's folder; not written.
        model: Its model.
        root: Private folder for the run; not deleted here.
        script: What people say; otherwise it is made from the bot's forms and privacy.yml.
        values: What to say for an item, where the bot takes none of the made-up ones.
        seed: What the marks are made from; the same one gives the same marks.
    """

    source: Path
    model: Path
    root: Path
    script: Script | None = None
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    seed: int = 0


def perform(plan: Plan) -> Run:
    """Let people talk to a copy of the bot, delete their data, and return everything that is there then.

    Raises:
        PrivacyError: The bot is not set up for it, or a server did not start or answer.
    """
    places = Places(plan.root)
    copy_bot(plan.source, places.copy)
    original = {path: path.read_bytes() for path in places.copy.rglob("*") if path.is_file()}
    bot = read_bot(places.copy, endpoints=places.copy / "endpoints.yml")
    run = Run(load_policy(places.copy / load_settings(places.copy / "endpoints.yml").privacy), bot)
    dice = random.Random(plan.seed)  # noqa: S311 - marks are no secrets, and to be made again
    with (
        _servers(places, bot, plan.model, run) as servers,
        closing(open_vault(load_settings(servers.endpoints))) as vault,
    ):
        for consents, steps in _people(plan.script, run.policy):
            visitor = _visitor(plan, run.policy, servers, dice, consents=consents)
            run.visitors.append(visitor)
            _talk(run, visitor, steps)
            run.held[visitor.chat.sender] = _held(vault, visitor.chat.sender)
        run.sinks += [(BEFORE, sink) for sink in _files(places, original)]
        for visitor in run.visitors:
            visitor.delete()
            run.deleted[visitor.chat.sender] = time.monotonic()
            if _is_known(vault, visitor.chat.sender):
                run.remained.append(visitor.chat.sender)
            visitor.tell_everything()
    run.sinks += [(AFTER, sink) for sink in _files(places, original)]
    run.sinks += [(AFTER, sink) for sink in unpacked(Sink(plan.model.name, plan.model.read_bytes(), "model"))]
    return run


def _visitor(plan: Plan, policy: Policy, servers: BotServers, dice: random.Random, *, consents: bool) -> Visitor:
    sender = "".join(dice.choices(string.ascii_lowercase, k=_SENDER_LETTERS))
    marks = Marks(policy, dice, plan.values)
    return Visitor(servers.chat(sender), policy, marks.values, consents=consents)


def _people(script: Script | None, policy: Policy) -> list[tuple[bool, tuple[str, ...] | None]]:
    if script is not None:
        return [(person.consents, person.steps) for person in script.people]
    asked = any(purpose.basis == "consent" for purpose in policy.purposes.values())
    return [(True, None), *([(False, None)] if asked else [])]


def _talk(run: Run, visitor: Visitor, steps: tuple[str, ...] | None) -> None:
    if steps is not None:
        play(visitor, steps)
        return
    if not visitor.consents:
        visitor.tell_everything()
        visitor.set_slots()
    for name, intent in triggers(run.bot, run.policy).items():
        if intent is None:
            run.unreached += [name] if name not in run.unreached else []
        else:
            visitor.start(intent)
    visitor.tell_everything()


@contextmanager
def _servers(places: Places, bot: Bot, model: Path, run: Run) -> Iterator[BotServers]:
    """Start both servers with recorders around them."""
    store, temporary = make_private_folder(places.root / "store"), make_private_folder(places.root / "tmp")
    action_port = choose_port(None, "--action-port")
    with ExitStack() as stack:
        proxy = stack.enter_context(RecordingProxy(f"http://{LOCALHOST}:{action_port}/webhook"))
        changes: dict[tuple[str, ...], Any] = {**fresh_store(places.copy, store), **_broker(bot, places.broker)}
        address = bot.endpoints.get("nlg").get("url").text
        nlg = None if address is None else stack.enter_context(RecordingProxy(address))
        if nlg is not None:
            changes["nlg", "url"] = nlg.url
        plan = ServerPlan(
            bot=places.copy,
            model=model,
            run_folder=places.run,
            action_port=action_port,
            action_url=proxy.url,
            changes=changes,
            environment={"TMPDIR": str(temporary)},
            debug=True,
        )
        yield stack.enter_context(BotServers(plan))
        for door, recorder in (("actions", proxy), ("nlg", nlg)):
            exchanges = [] if recorder is None else recorder.exchanges
            run.requests += [Request(door, each.action, each.payload, each.at) for each in exchanges]


def _broker(bot: Bot, file: Path) -> Changes:
    """Let a file stand for the event broker; wrapped as the bot has it, or in ours where it has none."""
    kind = bot.endpoints.get("event_broker").get("type").text if bot.endpoints.has("event_broker") else BROKER_TYPE
    inner = {"type": "file", "path": str(file)}
    return {("event_broker",): {"type": BROKER_TYPE, "broker": inner} if kind == BROKER_TYPE else inner}


def _files(places: Places, original: Mapping[Path, bytes]) -> Iterator[Sink]:
    """Yield every file of the run, but for those of the bot that are as they were."""
    for path in sorted(places.root.rglob("*")):
        if not path.is_file():
            continue
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue  # a temporary file that went meanwhile
        if original.get(path) != content:
            yield from unpacked(Sink(str(path.relative_to(places.root)), content, _door_of(path, places)))


def _door_of(path: Path, places: Places) -> str:
    if path == places.broker:
        return "broker"
    first = path.relative_to(places.root).parts[0]
    return {"store": "store", "tmp": "temp", "run": "logs"}.get(first, "files")


def _held(vault: Vault, sender: str) -> set[str]:
    with vault.database.read() as connection:
        stored = vault.conversations.load(connection, sender, all_sessions=True)
    return {entry[2] for entries in stored.values.values() for entry in entries} if stored is not None else set()


def _is_known(vault: Vault, sender: str) -> bool:
    with vault.database.read() as connection:
        return vault.subjects.find(connection, sender) is not None
