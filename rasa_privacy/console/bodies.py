"""Bodies of calls and of answers, as they come in and go out: capped in length and in time, and closed at the end."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from rasa_privacy.console.problems import RefusedError
from rasa_privacy.errors import PrivacyError

#: The longest body: an import of some thousand consents.
BODY_BYTES: Final = 1_048_576
#: How long a body may take to come, in seconds.
BODY_SECONDS: Final = 20.0
#: About how much of an answer is made before it is sent.
_PART_BYTES: Final = 16_384


async def read_body(request: Request, longest: int, seconds: float) -> bytes:
    """Return the body of a call.

    Raises:
        RefusedError: It is too long (413), or comes too slowly (408).
        ClientDisconnect: The connection was closed.
    """
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > longest:
        raise _too_long(longest)
    try:
        return await asyncio.wait_for(_read(request, longest), seconds)
    except asyncio.TimeoutError:
        raise RefusedError(408, "the body did not come in time", (("Connection", "close"),)) from None


async def _read(request: Request, longest: int) -> bytes:
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > longest:
            raise _too_long(longest)
    return bytes(found)


def _too_long(longest: int) -> RefusedError:
    return RefusedError(413, f"the body is longer than {longest:,} bytes", (("Connection", "close"),))


def _parts(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces in larger parts: to change threads for each line costs more than the line."""
    part = bytearray()
    try:
        for piece in pieces:
            part += piece
            if len(part) >= _PART_BYTES:
                yield bytes(part)
                part.clear()
    except Exception:
        if part:
            yield bytes(part)
        raise
    if part:
        yield bytes(part)


async def sent(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what a thread makes, in parts of about _PART_BYTES, and end its work when the caller goes away.

    What was made before it broke off goes out first.

    Raises:
        PrivacyError: It cannot go on; whoever serves breaks the answer off, and logs the error with its text.
    """
    parts = _parts(pieces)
    try:
        while (part := await run_in_threadpool(next, parts, None)) is not None:
            yield part
    except PrivacyError:
        raise
    except Exception as error:  # noqa: BLE001 - its text may be somebody's, and Uvicorn logs what gets to it
        raise RefusedError(500, f"the answer broke off ({type(error).__name__})") from None
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
