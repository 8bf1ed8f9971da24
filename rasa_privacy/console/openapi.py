"""The OpenAPI document (3.1), made of the operations and their structs, so that it says nothing else than they do."""

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any, Final

import msgspec

from rasa_privacy.console.operation import (
    KEY_FORM,
    REASON_FORM,
    Body,
    Number,
    Operation,
    Public,
    Query,
    Reason,
    RequestId,
)
from rasa_privacy.console.problems import MEDIA_TYPE, DsrProblem, Problem

OPENAPI: Final = "3.1.0"
#: What stands in paths.
_IN_PATH: Final[dict[str, Any]] = {"number": Number, "id": RequestId}
_REF: Final = "#/components/schemas/{name}"
#: What every operation may answer.
_ALWAYS: Final = (401, 403, 429, 500, 503)
#: And those with a body.
_WITH_BODY: Final = (400, 408, 413, 415, 422)
_SAID: Final = {
    400: "The body is no JSON, or for OpenDSR: the call has not the form that this document says.",
    401: "There is no token, or it is not accepted.",
    403: "The operator may not do that.",
    404: "There is nothing of this name.",
    408: "The body came too slowly.",
    409: "What is stored, or privacy.yml, speaks against it.",
    413: "The body is too long.",
    415: "The body is not declared as JSON.",
    422: "The call has not the form that this document says, or holds personal data where none may stand.",
    429: "Too many wrong tokens came from this address, or the same call is still being answered.",
    500: "Something stored is damaged, or the program is wrong.",
    503: "The database does not answer; try again.",
}


def document(operations: Sequence[Operation], public: Iterable[Public] = ()) -> dict[str, Any]:
    """Return the document.

    Args:
        operations: What the API does for operators.
        public: Paths that answer everybody.
    """
    structs = {type_ for each in operations for type_ in (each.takes, each.gives) if isinstance(type_, type)}
    ordered = sorted((*structs, Problem, DsrProblem), key=lambda type_: type_.__name__)
    _, schemas = msgspec.json.schema_components(ordered, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {each.path: {"get": _public(each)} for each in public}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "rasa_privacy",
            "version": version("rasa_privacy"),
            "description": "What operators do with the data of people who chat, for a CRM or a consent platform.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"operator": {"type": "http", "scheme": "bearer", "bearerFormat": "rpo.name.secret"}},
        },
        "security": [{"operator": []}],
    }


def _operation(each: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": each.name,
        "summary": each.summary,
        "parameters": [*_parameters(each)],
        "responses": _responses(each),
    }
    if each.takes is not None:
        schema = {"$ref": _REF.format(name=each.takes.__name__)}
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return made


def _parameters(each: Operation) -> Iterable[dict[str, Any]]:
    for name, kind in _IN_PATH.items():
        if f"{{{name}}}" in each.path:
            yield {"name": name, "in": "path", "required": True, "schema": msgspec.json.schema(kind)}
    if each.takes is None or not issubclass(each.takes, Body):
        schema = {**msgspec.json.schema(Reason), "pattern": REASON_FORM}
        yield {"name": "X-Privacy-Reason", "in": "header", "schema": schema}
    if each.changes:
        schema = {"type": "string", "pattern": KEY_FORM}
        yield {"name": "Idempotency-Key", "in": "header", "schema": schema, "description": "Done once for a key."}
    if each.asks is not None:
        yield from _query(each.asks)


def _query(form: type[Query]) -> Iterable[dict[str, Any]]:
    shown = msgspec.json.schema(form)["$defs"][form.__name__]
    for name, schema in shown["properties"].items():
        yield {"name": name, "in": "query", "required": name in shown.get("required", ()), "schema": schema}


def _responses(each: Operation) -> dict[str, Any]:
    wrong = 400 if each.is_opendsr else 422
    with_body = _WITH_BODY if each.takes is not None and not each.is_opendsr else ()
    statuses = {*_ALWAYS, wrong, *with_body, *each.problems}
    statuses |= {409} if each.changes else set()
    made = {str(status): _problem(status, each) for status in sorted(statuses)}
    return {str(int(each.status)): {"description": "Done.", "content": dict(_content(each)), **_links(each)}, **made}


def _links(each: Operation) -> dict[str, Any]:
    """Return what an answer with the number of a request leads to, so that a client can follow it."""
    if each.name != "openRequest":
        return {}
    names = ("show", "take", "acknowledge", "identity", "extend", "refuse", "complete")
    parameters = {"number": "$response.body#/number"}
    return {"links": {name: {"operationId": f"{name}Request", "parameters": parameters} for name in names}}


def _content(each: Operation) -> Iterable[tuple[str, Any]]:
    if isinstance(each.gives, tuple):
        for media_type in each.gives:
            yield media_type, {}
        return
    yield "application/json", {"schema": {"$ref": _REF.format(name=each.gives.__name__)}}


def _problem(status: int, each: Operation) -> dict[str, Any]:
    form, media_type = (DsrProblem, "application/json") if each.is_opendsr else (Problem, MEDIA_TYPE)
    made: dict[str, Any] = {
        "description": _SAID[status],
        "content": {media_type: {"schema": {"$ref": _REF.format(name=form.__name__)}}},
    }
    if status == 429:  # noqa: PLR2004 - the status
        made["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return made


def _public(each: Public) -> dict[str, Any]:
    content: dict[str, Any] = {each.media_type: {}}
    answers = {"200": {"description": "Fine.", "content": content}}
    for status in each.problems:
        answers[str(status)] = {"description": _SAID[status], "content": {"application/json": {}}}
    return {"operationId": each.name, "summary": f"{each.path}, for everybody.", "security": [], "responses": answers}
