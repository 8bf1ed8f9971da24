"""Operations on the requests of people: list, show, open, and each step. `rights.requests` has the rules."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from rasa_privacy.access.recording import record, record_now
from rasa_privacy.console.operation import AboutPerson, Body, Call, Name, Operation, Query
from rasa_privacy.console.problems import RefusedError
from rasa_privacy.rights import extension
from rasa_privacy.rights import requests as rules
from rasa_privacy.rights.clocks import Kind
from rasa_privacy.rights.extension import extend_with_notice
from rasa_privacy.storage import deliveries
from rasa_privacy.storage import requests as rows
from rasa_privacy.storage.requests import Request

_NUMBER: Final = re.compile(r"RQ(-[0-9A-HJKMNP-TV-Z]{4}){3}")
#: The words of `rights.extension`, `rights.requests` and `rights.deeds`; a test holds them equal.
ReasonToExtend = Literal["complexity", "number_of_requests"]
ReasonToRefuse = Literal[
    "not_identified",
    "unfounded",
    "excessive",
    "legal_obligation",
    "legal_claims",
    "legal_hold",
    "rights_of_others",
    "compelling_grounds",
    "taken_back",
]
DoneElsewhere = Literal["other_system", "in_person", "already_so"]


class PersonRequest(msgspec.Struct):
    """A request. It holds no personal data; `person` is a random id, and null where nothing is stored of them."""

    number: str
    kind: str
    state: str
    person: str | None
    regulation: str
    received_at: datetime
    answer_by: datetime
    acknowledge_by: datetime | None
    owner: str | None
    stands_still_since: datetime | None
    closed_at: datetime | None
    reason: str | None
    certificate: str | None


class RequestStep(msgspec.Struct):
    """One thing that happened to a request."""

    at: datetime
    step: str
    by: str
    reason: str | None


class ToldSystem(msgspec.Struct):
    """Another system that is told of an erasure."""

    system: str
    state: str
    attempts: int


class RequestList(msgspec.Struct):
    """Requests, the most urgent first."""

    requests: list[PersonRequest]


class RequestHistory(msgspec.Struct):
    """A request with all that happened to it."""

    request: PersonRequest
    steps: list[RequestStep]
    systems: list[ToldSystem]


class Wanted(Query, kw_only=True):
    """Which requests."""

    closed: bool = False
    kind: Kind | None = None
    owner: Name | None = None


class Open(AboutPerson, kw_only=True):
    """A request that came by another way. Its clock begins now."""

    kind: Kind


class ProofStep(Body, kw_only=True):
    """Whether the person was asked to prove who they are, or did."""

    step: Literal["asked", "proven"]


class Extend(Body, kw_only=True):
    """Why the date is put off, and how the person is told.

    Attributes:
        told: `yes` where you told the person; `notify` sends them a notice, and nothing is put off where that fails.
    """

    because: ReasonToExtend
    told: Literal["yes", "notify"]


class Refuse(Body, kw_only=True):
    """Why it is refused. The person must have been told that, why, and where to complain."""

    because: ReasonToRefuse
    told: Literal["yes"]


class Complete(Body, kw_only=True):
    """That a request was answered.

    Attributes:
        done_elsewhere: Why no record of this store tells that what it asks for was done.
    """

    done_elsewhere: DoneElsewhere | None = None


def shown(each: Request) -> PersonRequest:
    """Return a request as it goes out."""
    return PersonRequest(
        number=each.number,
        kind=each.kind,
        state=each.state,
        person=None if each.subject_id is None else each.subject_id.hex(),
        regulation=each.regulation,
        received_at=each.opened_at,
        answer_by=each.answer_by,
        acknowledge_by=each.acknowledge_by,
        owner=each.owner,
        stands_still_since=each.paused_at,
        closed_at=each.closed_at,
        reason=each.reason,
        certificate=each.certificate,
    )


def _list(call: Call) -> RequestList:
    vault, wanted = call.vault, call.query
    permit = call.permit("requests")
    with vault.database.read() as connection:
        found = list(rows.iterate(connection)) if wanted.closed else rows.open_ones(connection)
    chosen = [each for each in found if wanted.kind in {None, each.kind} and wanted.owner in {None, each.owner}]
    record_now(vault, permit, counts={"requests": len(chosen)})
    return RequestList([shown(each) for each in chosen])


def _show(call: Call) -> RequestHistory:
    vault, permit = call.vault, call.permit("requests")
    with vault.database.read() as connection:
        found = _found(call, connection)
        steps = [
            RequestStep(each.at, each.step, each.actor, each.reason) for each in rows.steps_of(connection, found.number)
        ]
        told = [] if found.certificate is None else deliveries.of_certificate(connection, found.certificate)
    record_now(vault, permit, subject_id=found.subject_id, counts={"requests": 1})
    systems = [ToldSystem(each.system, each.state, each.attempts) for each in told]
    return RequestHistory(shown(found), steps, systems)


def _found(call: Call, connection: Any) -> Request:
    found = rows.find(connection, call.number) if _NUMBER.fullmatch(call.number) else None
    if found is None:
        raise RefusedError(404, "there is no request of this number")
    return found


def _open(call: Call) -> PersonRequest:
    vault, permit = call.vault, call.permit("requests")

    def work(connection: Any) -> Request:
        subject_id = vault.subjects.find_for_update(connection, call.body.sender)
        new = rules.open_request(vault, connection, call.body.kind, subject_id, vault.clock(), permit.operator)
        record(vault, connection, permit, subject_id=subject_id, counts={"requests": 1})
        return new

    return shown(vault.database.transact(work))


def _identity(call: Call, connection: Any, who: str, now: datetime) -> Request:
    if call.body.step == "asked":
        return rules.ask_for_proof(call.vault, connection, call.number, who, now)
    return rules.proven(connection, call.number, who, now)


Rule = Callable[[Call, Any, str, datetime], Request]


def _step(rule: Rule) -> Callable[[Call], PersonRequest]:
    """Return what runs a rule in a transaction and records it."""

    def run(call: Call) -> PersonRequest:
        vault, permit = call.vault, call.permit("requests")

        def work(connection: Any) -> Request:
            _found(call, connection)
            changed = rule(call, connection, permit.operator, vault.clock())
            record(vault, connection, permit, subject_id=changed.subject_id, counts={"requests": 1})
            return changed

        return shown(vault.database.transact(work))

    return run


def _complete(call: Call, connection: Any, who: str, now: datetime) -> Request:
    return rules.complete(call.vault, connection, call.number, who, now, call.body.done_elsewhere)


def _extend(call: Call) -> PersonRequest:
    vault, number, because = call.vault, call.number, call.body.because
    if call.body.told == "yes":
        return _step(lambda _, conn, who, now: extension.extend(vault, conn, number, because, who, now))(call)
    permit = call.permit("requests")
    with vault.database.read() as connection:
        _found(call, connection)
    return shown(extend_with_notice(vault, number, because, permit, call.open_sender))


def _operation(name: str, summary: str, run: Callable[[Call], PersonRequest], takes: type[Body] = Body) -> Operation:
    path, operation_id = f"/v1/requests/{{number}}/{name}", f"{name}Request"
    return Operation("POST", path, operation_id, summary, run, PersonRequest, takes, changes=True, problems=(404, 409))


OPERATIONS: Final = (
    Operation("GET", "/v1/requests", "listRequests", "List what waits for an answer.", _list, RequestList, asks=Wanted),
    Operation(
        "POST",
        "/v1/requests",
        "openRequest",
        "Open a request that came by another way; of one kind a person has one open request.",
        _open,
        PersonRequest,
        Open,
        changes=True,
    ),
    Operation(
        "GET",
        "/v1/requests/{number}",
        "showRequest",
        "Show a request and every step that it went.",
        _show,
        RequestHistory,
        problems=(404,),
    ),
    _operation("take", "Own a request.", _step(lambda call, conn, who, now: rules.take(conn, call.number, who, now))),
    _operation(
        "acknowledge",
        "Note that the person got a confirmation of receipt.",
        _step(lambda call, conn, who, now: rules.acknowledge(conn, call.number, who, now)),
    ),
    _operation("identity", "Note that a proof of identity is waited for, or came.", _step(_identity), ProofStep),
    _operation(
        "extend",
        "Put the date off, once, where the law allows it; the person is sent a notice, or was told.",
        _extend,
        Extend,
    ),
    _operation(
        "refuse",
        "Refuse a request, for a reason that the law knows.",
        _step(lambda call, conn, who, now: rules.refuse(call.vault, conn, call.number, call.body.because, who, now)),
        Refuse,
    ),
    _operation(
        "complete",
        "Note that a request was answered, where the records tell so; one to be deleted completes itself.",
        _step(_complete),
        Complete,
    ),
)
