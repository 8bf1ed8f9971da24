"""`make_app`: the API as an ASGI application. Each operation becomes a route; nothing else answers.

The order within a call: who is it (401, 429), is it of the right form (400, 413, 415, 422), may they and can it be done
(403, 404, 409), and what it was. Nobody who is not let in can make the server read a body.
"""

import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from rasa_privacy.access.login import Operator
from rasa_privacy.console.bodies import BODY_BYTES, BODY_SECONDS, read_body, sent
from rasa_privacy.console.decoding import decode_body, decode_query, decode_reason
from rasa_privacy.console.gatekeeper import Gatekeeper
from rasa_privacy.console.operation import KEY_FORM, REASON_FORM, Call, Operation, Public, Reply, Stream, no_sender
from rasa_privacy.console.problems import MEDIA_TYPE, RefusedError, encode_dsr_problem, encode_problem, refusal
from rasa_privacy.console.repeats import answer_of, once, with_permits
from rasa_privacy.errors import AccessError, PrivacyError
from rasa_privacy.rights.extension import OpenSender
from rasa_privacy.rights.opendsr import OpenDsr
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

#: Names the reason of a call that has no body.
REASON_HEADER: Final = "X-Privacy-Reason"
#: Names a call that may be made again.
KEY_HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(KEY_FORM)
_REASON: Final = re.compile(REASON_FORM)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_REQUEST_ID_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may cost.

    Attributes:
        body_bytes: The longest body.
        body_seconds: How long it may take to come.
    """

    body_bytes: int = BODY_BYTES
    body_seconds: float = BODY_SECONDS


@dataclass(frozen=True, slots=True)
class Console:
    """What the routes share.

    Attributes:
        vault: The open store.
        gatekeeper: Lets operators in.
        limits: What one call may cost.
        opendsr: OpenDSR as it is set up, or None.
        open_sender: Opens what sends messages to people.
    """

    vault: Vault
    gatekeeper: Gatekeeper
    limits: Limits = field(default_factory=Limits)
    opendsr: OpenDsr | None = None
    open_sender: OpenSender = no_sender


Endpoint = Callable[[Request], Awaitable[Response]]


def make_app(console: Console, operations: Sequence[Operation], public: Sequence[Public] = ()) -> Starlette:
    """Return the application.

    Args:
        console: What the routes share.
        operations: What it does for operators.
        public: Paths that answer everybody.
    """
    routes = [
        Route(each.path, _guarded(each.path, _endpoint(console, each), opendsr=each.is_opendsr), methods=[each.method])
        for each in operations
    ]
    routes += [Route(each.path, _guarded(each.path, _open(console.vault, each)), methods=["GET"]) for each in public]
    handlers: dict[Any, Any] = {HTTPException: _not_routed}
    app = Starlette(routes=_joined(routes), exception_handlers=handlers)
    app.router.redirect_slashes = False  # an address is right or it is not
    return app


def _joined(routes: list[Route]) -> list[Route]:
    """Return the routes with one for each path, so that a wrong method is told all that are right."""
    methods: dict[str, dict[str, Endpoint]] = {}
    for route in routes:
        for method in (route.methods or set()) - {"HEAD"}:
            methods.setdefault(route.path, {})[method] = route.endpoint
    return [Route(path, _by_method(found), methods=list(found)) for path, found in methods.items()]


def _by_method(found: dict[str, Endpoint]) -> Endpoint:
    async def chosen(request: Request) -> Response:
        # Starlette lets HEAD in where GET is; it gets the same answer, whose body the server does not send.
        return await found["GET" if request.method == "HEAD" else request.method](request)

    return chosen


def _open(vault: Vault, each: Public) -> Endpoint:
    async def endpoint(_request: Request) -> Response:
        return _response(await run_in_threadpool(each.give, vault))

    return endpoint


def _endpoint(console: Console, operation: Operation) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        authorization = request.headers.get("authorization")
        address = request.client.host if request.client is not None else ""
        operator = await run_in_threadpool(console.gatekeeper.enter, authorization, address)
        raw = await read_body(request, console.limits.body_bytes, console.limits.body_seconds)
        try:
            made = await run_in_threadpool(_answer, console, operation, operator, request, raw)
        except AccessError:
            await run_in_threadpool(console.gatekeeper.still_there, operator, authorization)
            raise
        if isinstance(made, Stream):
            return StreamingResponse(sent(made.pieces), media_type=made.media_type)
        return _response(made)

    return endpoint


def _response(made: Reply) -> Response:
    return Response(made.body, made.status, dict(made.headers), made.media_type)


def _answer(console: Console, operation: Operation, operator: Operator, request: Request, raw: bytes) -> Reply | Stream:
    """Decode a call, do it, and return the body of its answer."""
    body = query = None
    reason = request.headers.get(REASON_HEADER, "")
    if _REASON.fullmatch(reason) is None:
        raise RefusedError(422, f"{REASON_HEADER} is of printable ASCII characters")
    if operation.takes is not None:
        body = decode_body(raw, request.headers.get("content-type"), operation.takes)
        reason = getattr(body, "reason", reason)
    if operation.asks is not None:
        query = decode_query(request.query_params.multi_items(), operation.asks)
    elif request.query_params:
        raise RefusedError(422, "this has no query; what it needs stands in the body, never in the address")
    number = str(request.path_params.get("number") or request.path_params.get("id", ""))
    why = decode_reason(reason)
    call = Call(console.vault, operator, body, query, number, why, raw, console.opendsr, console.open_sender)
    key = request.headers.get(KEY_HEADER) if operation.changes else None
    if key is None:
        made = operation.run(call)
        return made if isinstance(made, (Stream, Reply)) else Reply(msgspec.json.encode(made))
    if _KEY.fullmatch(key) is None:
        raise RefusedError(422, "an Idempotency-Key is 1 to 64 letters, digits and '-', '_', '.', ':'")
    console.gatekeeper.still_there(operator, request.headers.get("authorization"))  # also where no permit was asked for
    work, said = partial(_kept, operation, call), f"{number} ".encode() + raw
    return Reply(answer_of(call, once(console.vault, operator.name, operation.name, key, said, work)))


def _kept(operation: Operation, call: Call) -> bytes:
    answer = msgspec.json.encode(operation.run(call))
    return with_permits(call.permits, answer)


def _guarded(path: str, endpoint: Endpoint, *, opendsr: bool = False) -> Endpoint:
    """Return an endpoint whose errors become problems, with its headers and its line in the log."""

    async def guarded(request: Request) -> Response:
        request_id, begun = secrets.token_hex(_REQUEST_ID_BYTES), time.monotonic()
        try:
            response = await endpoint(request)
        except PrivacyError as error:
            response = _problem(refusal(error), request_id, opendsr=opendsr)
        except ClientDisconnect:
            gone = RefusedError(400, "the connection was closed before the body was there")
            response = _problem(gone, request_id, opendsr=opendsr)
        except Exception as error:  # noqa: BLE001 - its text may be somebody's; nothing of it may get out
            kind = type(error).__name__
            logger.error("api: %s %s failed (%s), call %s", request.method, path, kind, request_id)  # noqa: TRY400 - as above
            failed = RefusedError(500, "this failed; the log names the kind of error")
            response = _problem(failed, request_id, opendsr=opendsr)
        response.headers.update({**_HEADERS, "X-Request-Id": request_id})
        took = (time.monotonic() - begun) * 1000
        logger.info("api: %s %s %d in %.0f ms, call %s", request.method, path, response.status_code, took, request_id)
        return response

    return guarded


def _problem(error: RefusedError, request_id: str, *, opendsr: bool = False) -> Response:
    if opendsr:
        status, body = encode_dsr_problem(error.status, str(error))
        return Response(body, status, dict(error.headers), "application/json")
    body = encode_problem(error.status, str(error), request_id)
    return Response(body, error.status, dict(error.headers), MEDIA_TYPE)


async def _not_routed(_request: Request, error: Exception) -> Response:
    """Answer what no route answers: an unknown path, or another method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = (error.headers if isinstance(error, HTTPException) else None) or {}
    detail = "there is nothing here; /openapi.json says what there is" if status == 404 else "this method is not for it"  # noqa: PLR2004 - the status
    request_id = secrets.token_hex(_REQUEST_ID_BYTES)
    response = _problem(RefusedError(status, detail, tuple(headers.items())), request_id)
    response.headers.update({**_HEADERS, "X-Request-Id": request_id})
    return response
