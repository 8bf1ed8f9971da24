"""Errors as problem details (RFC 9457): a status, and our text, which names place, cause and remedy and no person."""

from http import HTTPStatus
from typing import Final

import msgspec

from rasa_privacy.errors import (
    AccessError,
    ConfigurationError,
    ContactError,
    ContentionError,
    HoldError,
    ImportLineError,
    JournalError,
    LedgerError,
    OptInError,
    PolicyError,
    PrivacyError,
    RequestError,
    RetentionError,
    SenderError,
    StorageError,
    UnreachableError,
)

MEDIA_TYPE: Final = "application/problem+json"

#: The status of each error of ours; the first that fits counts.
_STATUS: Final[tuple[tuple[type[PrivacyError], int], ...]] = (
    (AccessError, 403),
    (ImportLineError, 422),
    (ContactError, 422),
    (RequestError, 409),
    (HoldError, 409),
    (RetentionError, 409),
    (OptInError, 409),
    (LedgerError, 500),
    (JournalError, 503),
    (SenderError, 503),
    (UnreachableError, 503),
    (ContentionError, 503),
    (StorageError, 500),
    (ConfigurationError, 409),
    (PolicyError, 409),
)


#: What is wrong with the form of a call.
_WRONG_FORM: Final = frozenset((408, 413, 415, 422))


class Problem(msgspec.Struct, kw_only=True):
    """A problem.

    Attributes:
        type: A URI of the kind of problem; `about:blank` where the status says it all.
        title: The status in words.
        status: The status.
        detail: What is wrong, and what to do.
        request_id: Names this call in the log.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str


class RefusedError(PrivacyError):
    """A call that is not answered.

    Attributes:
        status: The status.
        headers: Headers of the answer.
    """

    def __init__(self, status: int, detail: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers


def refusal(error: PrivacyError) -> RefusedError:
    """Return an error of ours as what the caller is told."""
    if isinstance(error, RefusedError):
        return error
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    return RefusedError(status, str(error))


class DsrError(msgspec.Struct):
    """An error of OpenDSR (section 7.6)."""

    code: int
    message: str


class DsrProblem(msgspec.Struct):
    """An error as OpenDSR wraps it (section 7.7)."""

    error: DsrError


def encode_dsr_problem(status: int, detail: str) -> tuple[int, bytes]:
    """Return status and body of an error of OpenDSR, which has 400 for whatever is wrong with a call (section 7.5)."""
    code = 400 if status in _WRONG_FORM else status
    return code, msgspec.json.encode(DsrProblem(DsrError(code, detail)))


def encode_problem(status: int, detail: str, request_id: str) -> bytes:
    """Return the body of a problem."""
    title = HTTPStatus(status).phrase
    return msgspec.json.encode(Problem(title=title, status=status, detail=detail, request_id=request_id))
