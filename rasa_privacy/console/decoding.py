"""Bodies and queries, decoded strictly: one JSON object of a known form, in UTF-8, without fields that nobody knows.

What is refused is named by its place and its rule. A value is never quoted: it may be somebody's.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

import msgspec

from rasa_privacy.access.reasons import checked_reason
from rasa_privacy.console.operation import Query
from rasa_privacy.console.problems import RefusedError
from rasa_privacy.errors import AccessError

T = TypeVar("T")
#: What msgspec quotes: names of fields that are not ours, and values of closed lists.
_UNKNOWN: Final = re.compile(r"(unknown field) `.*`", re.DOTALL)
_INVALID: Final = re.compile(r"Invalid enum value .*?( - at `\$[^`]*`)?$", re.DOTALL)


def decode_body(raw: bytes, content_type: str | None, form: type[msgspec.Struct]) -> msgspec.Struct:
    """Return a body.

    Raises:
        RefusedError: It is no JSON (400, 415), or not of this form (422).
    """
    if (content_type or "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "send JSON, with 'Content-Type: application/json'")
    try:
        return msgspec.json.decode(raw, type=form)
    except msgspec.ValidationError as error:
        raise RefusedError(422, f"the body is not of the form that /openapi.json says: {_said(error)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RefusedError(400, "the body is no JSON in UTF-8") from None


def decode_query(pairs: Iterable[tuple[str, str]], form: type[Query]) -> Query:
    """Return a query.

    Raises:
        RefusedError: A parameter is unknown, is there twice, or has a wrong value (422).
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise RefusedError(422, "a parameter of the query stands there twice")
        found[name] = value
    return _convert(found, form)


def decode_reason(reason: str) -> str:
    """Return a reason as it may stand in the audit log.

    Raises:
        RefusedError: It is too long, more than a line, or holds personal data (422).
    """
    try:
        return checked_reason(reason)
    except AccessError as error:
        raise RefusedError(422, str(error)) from None


def _convert(found: Mapping[str, str], form: type[T]) -> T:
    try:
        return msgspec.convert(found, form, strict=False)
    except msgspec.ValidationError as error:
        raise RefusedError(422, f"the query is not of the form that /openapi.json says: {_said(error)}") from None


def _said(error: msgspec.ValidationError) -> str:
    return _INVALID.sub(r"none of the allowed values\1", _UNKNOWN.sub(r"\1", str(error)))
