"""Errors that Rasa's HTTP server answers with, without the messages of foreign exceptions.

Rasa puts the text of whatever exception there was into its answer, and that may quote a slot's value, a message or a
bound parameter to whoever calls the API. The wording of the source stays; what was filled in is shown by the rules of
the log lines (`log_templates`), and of an exception its type and what may be shown of its message. An action that was
stopped (`triggers`) is answered with 409 and the reason.
"""

import sys
from types import FrameType
from typing import Any, Final

from rasa_privacy.components.log_exceptions import describe
from rasa_privacy.components.log_registry import WITHHELD
from rasa_privacy.components.log_templates import scrub_text
from rasa_privacy.components.triggers import CONFLICT, TriggerRefusedError

_SERVER: Final = "rasa.server"
_OURS: Final = "rasa_privacy"


def install() -> None:
    """Scrub the error responses of this process's HTTP server; without one, do nothing."""
    server = sys.modules.get(_SERVER)
    if server is None or hasattr(server.ErrorResponse.__init__, "scrubs"):
        return
    made = server.ErrorResponse.__init__

    def scrubbed(self: Any, status: Any, reason: str, message: str, *rest: Any, **more: Any) -> None:
        """Make an error response whose message is scrubbed."""
        refused = sys.exc_info()[1]
        if isinstance(refused, TriggerRefusedError) and not _is_ours(sys._getframe(1)):  # noqa: SLF001 - as below
            # Rasa turns every error of `POST .../execute` into 500; that somebody must not be reached is no failure.
            status, reason, message = CONFLICT, "Conflict", f"The action was not executed: {refused}."
            made(self, status, reason, message, *rest, **more)
            return
        made(self, status, reason, _message(message), *rest, **more)

    scrubbed.scrubs = True  # type: ignore[attr-defined]
    server.ErrorResponse.__init__ = scrubbed


def _is_ours(frame: FrameType) -> bool:
    """Return whether code of this package runs in a frame."""
    return str(frame.f_globals.get("__name__")).partition(".")[0] == _OURS


def _message(message: object) -> str:
    """Return what may be shown of a message, by the call of the caller's caller."""
    frame = sys._getframe(2)  # noqa: SLF001 - as the logging module does
    if _is_ours(frame):
        return str(message)
    try:
        text = scrub_text(frame.f_code.co_filename, frame.f_lineno, str(message))
        error = sys.exc_info()[1]
        return text.replace(WITHHELD, describe(error), 1) if error is not None else text
    except Exception:  # noqa: BLE001 - an answer without its reason is better than one with a value in it
        return WITHHELD
