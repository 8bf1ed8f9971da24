"""Exceptions without their messages.

The message of a foreign exception may carry anything: bound parameters, a request body, a slot value. So an exception
that is logged, or that nothing catches, is shown by its types, files, lines and functions; its message only if it is
one of ours (`PrivacyError` messages carry no personal data), and the operating system's text for an `OSError`.
Local variables are never shown.
"""

import os
import sys
import threading
import traceback
from types import TracebackType
from typing import Any, Final

from rasa_privacy.components.log_registry import REGISTRY, WITHHELD
from rasa_privacy.errors import PrivacyError

MAX_CHAIN: Final = 10  # causes of causes that are shown
MAX_FRAMES: Final = 60  # of one exception; the innermost ones

_CAUSE: Final = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT: Final = "\nDuring handling of the above exception, another exception occurred:\n\n"

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class WithheldError(Exception):
    """Stands for an exception in a log record; its class has that exception's name and module."""


def message_of(error: BaseException) -> str:
    """Return what may be shown of an exception's message."""
    if isinstance(error, PrivacyError):
        return REGISTRY.withhold(str(error))
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return f"[Errno {error.errno}] {os.strerror(error.errno)}"
    return WITHHELD if error.args else ""


def describe(error: BaseException) -> str:
    """Return one line: the type, and what may be shown of the message."""
    message = message_of(error)
    return f"{_type_name(type(error))}: {message}" if message else _type_name(type(error))


def traceback_of(error: BaseException) -> str:
    """Return the traceback with its causes, the innermost first, without messages and locals."""
    blocks: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    joint = ""
    while current is not None and id(current) not in seen and len(seen) < MAX_CHAIN:
        seen.add(id(current))
        blocks.append(_block(current) + joint)
        if current.__cause__ is not None:
            current, joint = current.__cause__, _CAUSE
        elif current.__context__ is not None and not current.__suppress_context__:
            current, joint = current.__context__, _CONTEXT
        else:
            current = None
    return "".join(reversed(blocks)).rstrip("\n")


def _block(error: BaseException) -> str:
    frames = traceback.format_tb(error.__traceback__, -MAX_FRAMES) if error.__traceback__ else []
    heading = "Traceback (most recent call last):\n" if frames else ""
    return f"{heading}{''.join(frames)}{describe(error)}\n"


def without_message(error: BaseException) -> ExcInfo:
    """Return exc_info for handlers that look at it: the type's name and the shown message, and no frames.

    Frames hold local variables, which some handlers print or send away; `LogRecord.exc_text` has the traceback.
    """
    kind = type(type(error).__name__, (WithheldError,), {"__module__": type(error).__module__})
    return kind, kind(message_of(error)), None


def _type_name(kind: type[BaseException]) -> str:
    return (
        kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    )


def hook_uncaught() -> None:
    """Let uncaught exceptions of the process, of threads and of destructors reach stderr without their messages."""
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def _uncaught(_kind: type[BaseException], error: BaseException, _frames: TracebackType | None) -> None:
    # One of ours that ends the process says what is wrong and what to do; where in the code it was raised helps nobody.
    _print(describe(error) if isinstance(error, PrivacyError) else traceback_of(error))


def _uncaught_in_thread(arguments: Any) -> None:
    if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
        _print(f"Exception in a thread:\n{traceback_of(arguments.exc_value)}")


def _unraisable(arguments: Any) -> None:
    if arguments.exc_value is not None:
        _print(f"Exception ignored:\n{traceback_of(arguments.exc_value)}")


def _print(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"{text}\n")
