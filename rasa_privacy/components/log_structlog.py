"""Scrubs what is logged through structlog, before any renderer or exception formatter sees it.

Rasa configures structlog once, from its command line, and loggers keep the list of processors that they were first used
with. So the processors are put into that very list, and `structlog.configure` is wrapped for later calls. The text
that leaves the list is marked as `Shown`; a structlog line without the mark is foreign to the log record factory and
withheld there.
"""

import sys
from collections.abc import Callable, MutableMapping
from types import FrameType
from typing import Any, Final

from rasa_privacy.components.log_exceptions import traceback_of
from rasa_privacy.components.log_templates import scrub_fitting
from rasa_privacy.components.log_values import Shown, shown_value

EventDict = MutableMapping[str, Any]

#: What structlog's own processors add between our first and our last look.
_ADDED: Final = frozenset({"level", "timestamp", "logger", "stack", "exception", "exc_info", "event_key"})
_MISSING: Final = object()


def hook_structlog() -> None:
    """Put the processors into structlog's present and every later configuration. Without structlog, do nothing."""
    try:
        import structlog  # noqa: PLC0415 - the action server may be without it
    except ImportError:
        return
    _insert(structlog.get_config()["processors"])
    if not hasattr(structlog.configure, "scrubs"):
        structlog.configure = _wrapped(structlog.configure)


def _wrapped(configure: Callable[..., None]) -> Callable[..., None]:
    def configure_and_scrub(processors: Any = None, *args: Any, **kwargs: Any) -> None:
        """Configure structlog, with the scrubbing processors in its list."""
        listed = None if processors is None else list(processors)
        if listed is not None:
            _insert(listed)
        configure(listed, *args, **kwargs)

    configure_and_scrub.scrubs = True  # type: ignore[attr-defined]
    return configure_and_scrub


def _insert(processors: Any) -> None:
    """Scrub before the first processor and before the last, the renderer, and mark what it renders."""
    if isinstance(processors, list) and scrub_first not in processors:
        processors.insert(max(len(processors) - 1, 0), scrub_last)
        processors.insert(0, scrub_first)
        processors.append(mark_shown)


def scrub_first(_logger: Any, method: str, event: EventDict) -> EventDict:
    """Scrub what the caller gave; an exception becomes the text of its traceback."""
    error = _error(method, event)
    place = _calling_frame()
    for name, value in list(event.items()):
        event[name] = _scrubbed(name, value, place)
    event["exc_info"] = None  # a formatter would print its messages, and some its local variables
    if error is not None:
        event["exception"] = Shown(traceback_of(error))
    return event


def scrub_last(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Scrub what other processors added, such as context variables."""
    for name, value in list(event.items()):
        if name not in _ADDED or not isinstance(value, (str, type(None))):
            event[name] = shown_value(name, value)
    return event


def mark_shown(_logger: Any, _method: str, rendered: Any) -> Any:
    """Mark the rendered line, so that the log record factory lets it pass."""
    return Shown(rendered) if isinstance(rendered, str) else rendered


def _error(method: str, event: EventDict) -> BaseException | None:
    """Return the exception that the caller logs, if any, as structlog would find it."""
    given = event.pop("exc_info", _MISSING)
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return next((part for part in given if isinstance(part, BaseException)), None)
    wanted = method == "exception" if given is _MISSING else bool(given)
    return sys.exc_info()[1] if wanted else None


def _scrubbed(name: str, value: Any, place: FrameType | None) -> Any:
    """Return a text as its template in the logging call shows it, and everything else by the rules of its name."""
    if type(value) is str and place is not None:
        literal = scrub_fitting(place.f_code.co_filename, place.f_lineno, value)
        if literal is not None:
            return Shown(literal)
    return shown_value(name, value)


def _calling_frame() -> FrameType | None:
    """Return the frame that logs: the innermost one outside structlog and this module."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - as the logging module does
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module != __name__ and not module.startswith("structlog"):
            return frame
        frame = frame.f_back
    return None
