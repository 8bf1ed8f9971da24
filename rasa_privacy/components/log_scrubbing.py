"""Log lines without personal data, at every level and of every logger of the process.

`install` changes five doors, each once: the log record factory and `Logger.makeRecord` (text, exception, `extra`), the
processors of structlog, warnings, and the hooks for uncaught exceptions. The rules:

1. Literal text of the source passes; a variable part passes only if `log_holes` knows it to be harmless.
2. Of exceptions the types and places pass, and the messages of `PrivacyError`.
3. Our own loggers (`rasa_privacy.*`) pass but for values that were remembered.
4. Where scrubbing itself fails, the line is withheld. Logging never raises.

Not covered: `print`, records that somebody builds without the factory, and what a handler adds from elsewhere.
"""

import logging
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TextIO

from rasa_privacy.components.log_exceptions import describe, hook_uncaught, traceback_of, without_message
from rasa_privacy.components.log_registry import REGISTRY, VOCABULARY, WITHHELD
from rasa_privacy.components.log_structlog import hook_structlog
from rasa_privacy.components.log_templates import fitting, scrub_fitting, scrub_text
from rasa_privacy.components.log_values import Shown, shown_value

if TYPE_CHECKING:
    from types import FrameType

OWN_LOGGERS: Final = "rasa_privacy"
MAX_CALLERS: Final = 8  # of a warning that are searched for its text
_FAILED: Final = "[withheld: this line could not be scrubbed]"


def install() -> None:
    """Scrub all logging of this process from now on. Calling it again changes nothing, or repairs what was undone."""
    if not hasattr(logging.getLogRecordFactory(), "scrubs"):
        logging.setLogRecordFactory(_scrubbing_factory(logging.getLogRecordFactory()))
    if not hasattr(logging.Logger.makeRecord, "scrubs"):
        logging.Logger.makeRecord = _scrubbing_make_record(logging.Logger.makeRecord)  # type: ignore[method-assign]
    if not hasattr(warnings.showwarning, "scrubs"):
        warnings.showwarning = _scrubbing_showwarning(warnings.showwarning)
    hook_structlog()
    hook_uncaught()


def remember(*values: object) -> None:
    """Note personal values that are in flight: texts, numbers, or collections of them. Only their hashes are kept."""
    REGISTRY.remember(*values)


def allow(words: Iterable[str]) -> None:
    """Let these names stand in variable parts of log lines: actions, intents, slots, entities, components."""
    VOCABULARY.allow(words)


def _scrubbing_factory(previous: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    def scrubbed_record(  # noqa: PLR0913, PLR0917 - the signature of a log record factory
        name: Any, level: Any, fn: Any, lno: Any, msg: Any, args: Any, exc_info: Any, *rest: Any, **kwargs: Any
    ) -> logging.LogRecord:
        """Make a record whose text and exception are scrubbed."""
        error = exc_info[1] if isinstance(exc_info, tuple) and isinstance(exc_info[1], BaseException) else None
        safe_info = None if error is None else without_message(error)
        record = previous(name, level, fn, lno, _text(str(name), fn, lno, msg, args), (), safe_info, *rest, **kwargs)
        if error is not None:
            record.exc_text = _or_failed(lambda: traceback_of(error))
        return record

    scrubbed_record.scrubs = True  # type: ignore[attr-defined]
    return scrubbed_record


def _or_failed(scrub: Callable[[], str]) -> str:
    """Return what `scrub` returns. A line is lost, never shown, where a value's own methods or our rules fail."""
    try:
        return scrub()
    except Exception:  # noqa: BLE001 - logging must not raise, and the cause may carry the value
        return _FAILED


def _text(name: str, path: str, line: int, msg: Any, args: Any) -> str:
    if isinstance(msg, Shown):
        return msg
    if isinstance(msg, BaseException) and not args:
        return _or_failed(lambda: describe(msg))
    scrub = _own if name == OWN_LOGGERS or name.startswith(f"{OWN_LOGGERS}.") else scrub_text
    if _is_event_file(name, path):
        return str(msg)
    try:
        text = _formatted(msg, args)
    except Exception:  # noqa: BLE001 - a value's own __str__, or a template that does not fit its arguments
        return _or_failed(lambda: f"{scrub(path, line, str(msg))} [arguments withheld]")
    error = sys.exc_info()[1]
    if error is not None and text.startswith("Traceback (most recent call last):"):  # traceback.format_exc()
        return _or_failed(lambda: traceback_of(error))
    return _or_failed(lambda: scrub(path, line, text))


def _is_event_file(name: str, path: str) -> bool:
    """Rasa's FileEventBroker writes its events as log lines; what our store publishes there is minimised already."""
    return name == "event-logger" and path.replace("\\", "/").endswith("rasa/core/brokers/file.py")


def _formatted(msg: Any, args: Any) -> str:
    if not args:
        return str(msg)
    if isinstance(args, tuple) and len(args) == 1 and isinstance(args[0], Mapping) and args[0]:
        args = args[0]  # as LogRecord does
    return str(str(msg) % args)


def _own(path: str, line: int, text: str) -> str:
    """Withhold remembered values from the variable parts of one of our own lines."""
    fit = fitting(path, line, text)
    if fit is None:
        return REGISTRY.withhold(text)
    template, filled = fit
    return template.fill([REGISTRY.withhold(hole) for hole in filled])


def _scrubbing_make_record(previous: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    def make_record(self: logging.Logger, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """Make a record, with its `extra` attributes scrubbed."""
        record = previous(self, *args, **kwargs)
        extra = kwargs.get("extra", args[8] if len(args) > 8 else None)  # noqa: PLR2004 - its place in makeRecord
        for name in extra or ():
            record.__dict__[name] = _extra(name, record.__dict__.get(name))
        return record

    make_record.scrubs = True  # type: ignore[attr-defined]
    return make_record


def _extra(name: str, value: Any) -> Any:
    try:
        return shown_value(name, value)
    except Exception:  # noqa: BLE001 - as in _or_failed
        return WITHHELD


def _scrubbing_showwarning(previous: Callable[..., None]) -> Callable[..., None]:
    def showwarning(  # noqa: PLR0913, PLR0917 - the signature of warnings.showwarning
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        """Show a warning with its text scrubbed."""
        safe = _or_failed(lambda: _warning_text(filename, lineno, str(message)))
        previous(safe, category, filename, lineno, file, line)

    showwarning.scrubs = True  # type: ignore[attr-defined]
    return showwarning


def _warning_text(path: str, line: int, text: str) -> str:
    """Scrub a warning by its own place, or by that of a caller: Rasa's `raise_warning` warns for others."""
    scrubbed = scrub_fitting(path, line, text)
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - as the warnings module does
    for _ in range(MAX_CALLERS):
        if scrubbed is not None or frame is None:
            break
        scrubbed = scrub_fitting(frame.f_code.co_filename, frame.f_lineno, text)
        frame = frame.f_back
    return scrub_text(path, line, text) if scrubbed is None else scrubbed
