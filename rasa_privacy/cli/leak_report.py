"""What a leak test found: a table of items by doors, the place of each leak, and the same as JSON."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rasa_privacy.cli.leak_run import AFTER, DOORS, Request, Run
from rasa_privacy.cli.leak_search import MIN_MARK_CHARACTERS, Sink, search
from rasa_privacy.cli.leak_visitor import Visitor
from rasa_privacy.policy.counted import counted
from rasa_privacy.policy.needs import Needs

SENDER_ID: Final = "sender id"
_WITH: Final = "who consented"
_WITHOUT: Final = "who did not consent"


@dataclass(frozen=True, order=True)
class Leak:
    """A mark that was readable where it must not be.

    Attributes:
        item: Item of privacy.yml, or `sender id`.
        door: One of `DOORS`.
        person: Whose it was.
        place: File or request.
        form: How it was written there.
        at: Offset in bytes.
        when: Before or after the deletion.
    """

    item: str
    door: str
    person: str
    place: str
    form: str
    at: int
    when: str


@dataclass(frozen=True)
class Report:
    """The result of a run.

    Attributes:
        items: Items that were said, and `sender id`.
        doors: The doors that the bot has, with how many files or requests were searched.
        leaks: What was found, sorted.
        remained: How many people the store still knew after their deletion.
        unsaid: Items of which nothing was said.
        not_held: Items that nobody who consented could leave with the bot; a table without them proves less.
        unreached: Guarded forms and actions that no rule starts.
        proves_nothing: Whether the bot keeps items, and nobody could leave a value of any.
    """

    items: list[str]
    doors: dict[str, int]
    leaks: list[Leak]
    remained: int
    unsaid: list[str]
    not_held: list[str]
    unreached: list[str]
    proves_nothing: bool

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found, and something could have been."""
        return not self.leaks and not self.remained and not self.proves_nothing


def report_of(run: Run) -> Report:
    """Search everything and judge what was found."""
    said = {item for visitor in run.visitors for item in visitor.said}
    held = {item for visitor in run.visitors if visitor.consents for item in run.held[visitor.chat.sender]}
    used = {item for purpose in run.policy.purposes.values() for item in purpose.items}
    # What goes when a form is done was kept, and is not there any more.
    kept = {item for item in used if (declared := run.policy.items[item]).keep != "none" and declared.lasting is None}
    doors = {door: len({sink.name for _, sink in run.sinks if sink.door == door}) for door in DOORS}
    for request in run.requests:
        doors[request.door] += 1
    return Report(
        items=[*(item for item in run.policy.items if item in said), SENDER_ID],
        doors={door: count for door, count in doors.items() if count or door != "nlg"},
        leaks=_once([*_written(run), *_sent(run)]),
        remained=len(run.remained),
        unsaid=[item for item in run.policy.items if item not in said],
        not_held=sorted(kept - held),
        proves_nothing=bool(kept) and not held,
        unreached=[name for name in run.unreached if name not in {request.name for request in run.requests}],
    )


def _once(leaks: list[Leak]) -> list[Leak]:
    """Return each leak once: what was written before the deletion mostly still stands there after it."""
    first: dict[tuple[str, ...], Leak] = {}
    for leak in leaks:
        first.setdefault((leak.item, leak.door, leak.person, leak.place, leak.form), leak)
    return sorted(first.values())


def _marks(visitor: Visitor) -> dict[str, list[str]]:
    marks = {**visitor.marks(), SENDER_ID: [visitor.chat.sender]}
    return {item: [mark for mark in found if len(mark) >= MIN_MARK_CHARACTERS] for item, found in marks.items()}


def _written(run: Run) -> list[Leak]:
    """Return what is readable in files; nothing may be."""
    leaks = []
    for visitor in run.visitors:
        owner = {mark: item for item, marks in _marks(visitor).items() for mark in marks}
        for when, sink in run.sinks:
            leaks += [_leak(owner[found.mark], visitor, found, when) for found in search(owner, [sink])]
    return leaks


def _sent(run: Run) -> list[Leak]:
    """Return what is readable in requests, but for the items that the receiver needs and the person allows."""
    domain = run.bot.domain
    needs = Needs(run.policy, {name: form.required_slots for name, form in domain.forms.items()}, domain.shown)
    marks = {visitor.chat.sender: _marks(visitor) for visitor in run.visitors}
    leaks = []
    for number, request in enumerate(run.requests):
        sink = Sink(f"request {number} ({request.name})", request.body, request.door)
        about = [visitor for visitor in run.visitors if _is_about(request, visitor)]
        for visitor in run.visitors:
            allowed = _allowed(needs, run, visitor, request)
            # Who said the same, as with values of the builder's own, may have been meant.
            others = {mark for each in about if each is not visitor for mark in _flat(marks[each.chat.sender])}
            owner = {
                mark: item
                for item, found in marks[visitor.chat.sender].items()
                if item not in allowed
                for mark in found
                if mark not in others
            }
            leaks += [_leak(owner[found.mark], visitor, found, AFTER) for found in search(owner, [sink])]
    return leaks


def _flat(marks: Mapping[str, Iterable[str]]) -> set[str]:
    return {mark for found in marks.values() for mark in found}


def _is_about(request: Request, visitor: Visitor) -> bool:
    """Tell whose conversation an action was called in; an NLG server is not told."""
    return request.door == "actions" and json.dumps(visitor.chat.sender).encode() in request.body


def _allowed(needs: Needs, run: Run, visitor: Visitor, request: Request) -> frozenset[str]:
    """Return the items of a person that may be in a request; the action server is told whose it is."""
    if request.door == "actions" and not _is_about(request, visitor):
        return frozenset()
    told = frozenset({SENDER_ID}) if request.door == "actions" else frozenset[str]()
    if not visitor.consents or request.at > run.deleted.get(visitor.chat.sender, math.inf):
        return told
    needed = needs.of_action(request.name) if request.door == "actions" else needs.of_response(request.name)
    return told | (frozenset(visitor.policy.items) if needed is None else needed)


def _leak(item: str, visitor: Visitor, found: Any, when: str) -> Leak:
    person = _WITH if visitor.consents else _WITHOUT
    return Leak(item, found.sink.door, person, found.sink.name, found.form, found.at, when)


def as_json(report: Report) -> str:
    """Return the report as one JSON object, without any of the marks."""
    return json.dumps({"version": 1, "clean": report.is_clean, **asdict(report)}, indent=2)


def show(report: Report, console: Console) -> None:
    """Print the table, and below it each leak and what was not tested."""
    console.print(_table(report), soft_wrap=not console.is_terminal)
    for leak in report.leaks:
        _line(
            console,
            f"LEAK {leak.item} of somebody {leak.person}: {leak.door}, {leak.place}, {leak.form}, "
            f"byte {leak.at}, {leak.when}",
        )
    if report.remained:
        _line(console, f"LEAK {counted(report.remained, 'person')} still known to the store after their deletion")
    for items, what in (
        (report.unsaid, "nothing was said of it"),
        (report.not_held, "no value of somebody who consented was kept; name one that the bot takes with --values"),
        (report.unreached, "no rule or story starts it; write a --script"),
    ):
        for item in items:
            _line(console, f"Not tested in full: {item}: {what}")
    if report.proves_nothing:
        _line(console, "Nothing was tested: the bot kept no value of anybody. Name values that it takes with --values.")
    found = len(report.leaks) + report.remained
    if found or not report.proves_nothing:
        _line(console, counted(found, "leak") + "." if found else "Nothing leaked.")


def _table(report: Report) -> Table:
    table = Table(title="Readable in")
    table.add_column("item", no_wrap=True)  # the doors make room in a narrow terminal
    for door, count in report.doors.items():
        table.add_column(f"{door} ({count})")
    for item in report.items:
        cells = []
        for door in report.doors:
            found = sum(leak.item == item and leak.door == door for leak in report.leaks)
            cells.append(Text(f"LEAK {found}", style="bold red") if found else Text("-"))
        table.add_row(item, *cells)
    return table


def _line(console: Console, text: str) -> None:
    console.print(Text(text), highlight=False, soft_wrap=not console.is_terminal)
