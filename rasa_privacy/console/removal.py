"""Operations that remove: what is due by privacy.yml, many people by a list, and whoever was silent since a day."""

from datetime import date, datetime, time, timezone
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from rasa_privacy.access.recording import record_now
from rasa_privacy.console.operation import CHANNEL, Body, Call, Operation, Sender
from rasa_privacy.console.problems import RefusedError
from rasa_privacy.retention.plan import plan
from rasa_privacy.retention.runs import run
from rasa_privacy.rights.bulk_erasure import erase_before, erase_listed
from rasa_privacy.rights.bulk_run import Bulk, Line

_AT_ONCE: Final = 1000
#: A call sweeps so long, and says whether more is due.
_SECONDS: Final = 30.0


class Plan(Body, kw_only=True):
    """What is due now, or at the beginning of a day (UTC)."""

    at: date | None = None


class Due(msgspec.Struct):
    """People by purpose whose time is over, how many nothing would be left of, and when the next are due.

    Attributes:
        items: People by item that lasts for some time (`keep: 7 days`), of whom values are over.
    """

    purposes: dict[str, int]
    people: int
    items: dict[str, int]
    next_at: datetime | None


class Sweep(Body, kw_only=True):
    """Remove what is due. Without `confirm` nothing is removed, and what is due is counted.

    Attributes:
        clock_is_right: Somebody has looked at the computer's clock.
    """

    confirm: bool = False
    clock_is_right: bool = False


class Swept(msgspec.Struct):
    """What was removed; `left` is still due: damaged or held, or there was no time (then `is_done` is false).

    Attributes:
        items: Of how many people values of an item were removed that lasted for some time.
    """

    purposes: int
    people: int
    items: int
    left: int
    is_done: bool


class EraseMany(Body, kw_only=True):
    """Whom to erase. Without `confirm` it is only said what would become of each."""

    senders: Annotated[list[Sender], Meta(min_length=1, max_length=_AT_ONCE)]
    confirm: bool = False


class EraseSilent(Body, kw_only=True):
    """Erase whoever was last heard of before a day (UTC). Without `confirm` they are only counted."""

    before: date
    confirm: bool = False


class BulkLine(msgspec.Struct):
    """What became of one sender of the list, by its place from 0 on, and which purposes keep something by law.

    Attributes:
        also: Certificates of linked conversations that were erased with it.
    """

    place: int
    outcome: str
    certificate: str
    kept_by_law: list[str]
    also: list[str]


class BulkErased(msgspec.Struct):
    """What became of how many; of each, where there was a list.

    Attributes:
        kept_by_law: Of how many who are erased something stays by a legal obligation.
        linked: How many linked conversations go with those of a list.
    """

    erased: bool
    counts: dict[str, int]
    kept_by_law: int
    linked: int
    lines: list[BulkLine]


def _plan(call: Call) -> Due:
    vault, permit = call.vault, call.permit("report")
    at = vault.clock() if call.body.at is None else _beginning(call.body.at)
    with vault.database.read() as connection:
        found = plan(vault, connection, at)
    record_now(vault, permit, purposes=found.purposes, counts={"due": found.number})
    return Due(found.purposes, found.people, found.items, found.next_at)


def _sweep(call: Call) -> Swept:
    vault, permit = call.vault, call.permit("retention")
    if not call.body.confirm:
        with vault.database.read() as connection:
            found = plan(vault, connection, vault.clock())
        record_now(vault, permit, purposes=found.purposes, counts={"due": found.number})
        return Swept(0, 0, 0, found.number, is_done=not found.number)
    done = run(vault, permit, seconds=_SECONDS, trusted=call.body.clock_is_right)
    return Swept(done.purposes, done.people, done.items, done.left, done.is_done)


def _erase_many(call: Call) -> BulkErased:
    lines: list[Line] = []
    bulk = Bulk(call.vault, call.permit("erase"), lines.append, is_preview=not call.body.confirm, channel=CHANNEL)
    erase_listed(bulk, call.body.senders)
    ordered = sorted(lines, key=lambda line: line.number)
    return _said(bulk, [_line(each) for each in ordered])


def _line(each: Line) -> BulkLine:
    return BulkLine(each.number - 1, each.outcome, each.certificate, list(each.kept), list(each.also))


def _erase_silent(call: Call) -> BulkErased:
    before = _beginning(call.body.before)
    if before > call.vault.clock():
        raise RefusedError(409, "the day lies in the future, so it would be everybody; name another one")
    bulk = Bulk(call.vault, call.permit("erase"), is_preview=not call.body.confirm, channel=CHANNEL)
    erase_before(bulk, before)
    return _said(bulk, [])


def _said(bulk: Bulk, lines: list[BulkLine]) -> BulkErased:
    return BulkErased(not bulk.is_preview, bulk.counts, bulk.kept, bulk.linked, lines)


def _beginning(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.utc)


OPERATIONS: Final = (
    Operation("POST", "/v1/retention/plan", "planRetention", "Count what is due.", _plan, Due, Plan),
    Operation(
        "POST",
        "/v1/retention/run",
        "runRetention",
        "Remove what is due, for half a minute at most; call again while `is_done` is false.",
        _sweep,
        Swept,
        Sweep,
        changes=True,
        problems=(409,),
    ),
    Operation(
        "POST",
        "/v1/subjects/erase-many",
        "eraseSubjects",
        "Erase the people of a list, verified by reading back.",
        _erase_many,
        BulkErased,
        EraseMany,
        changes=True,
    ),
    Operation(
        "POST",
        "/v1/subjects/erase-silent",
        "eraseSilentSubjects",
        "Erase whoever was last heard of before a day.",
        _erase_silent,
        BulkErased,
        EraseSilent,
        changes=True,
        problems=(409,),
    ),
)
