"""Rasa's REST and socket channels, which also see a browser's Global Privacy Control (`Sec-GPC: 1`).

They are named in credentials.yml in place of `rest` and `socketio`, keep those names and addresses, and put `gpc: true`
into the metadata of each message that came with the signal. `processor.py` records it once for each person. Nothing
else of the request is kept.
"""

from contextvars import ContextVar
from typing import Any, Final

from rasa_privacy.components.rasa_api import RestInput as StockRestInput
from rasa_privacy.components.rasa_api import SocketIOInput as StockSocketIOInput
from rasa_privacy.components.rasa_api import UserMessage

#: Key of the metadata.
GPC_KEY: Final = "gpc"
_HEADER: Final = "Sec-GPC"
_ENVIRON: Final = "HTTP_SEC_GPC"
_ON: Final = "1"  # the only value that says anything (GPC specification, section 3.2)


_connection_signals: ContextVar[bool] = ContextVar("rasa_privacy_gpc", default=False)


def signalled(metadata: object) -> bool:
    """Return whether a message came with the signal."""
    return isinstance(metadata, dict) and metadata.get(GPC_KEY) is True


class RestInput(StockRestInput):
    """The REST channel: `rasa_privacy.RestInput` in credentials.yml."""

    def get_metadata(self, request: Any) -> dict[str, Any] | None:
        """Return the request's metadata, and the signal where the header says it."""
        metadata: dict[str, Any] | None = super().get_metadata(request)
        if request.headers.get(_HEADER, "").strip() != _ON:
            return metadata
        return {**(metadata if isinstance(metadata, dict) else {}), GPC_KEY: True}


class SocketIOInput(StockSocketIOInput):
    """The socket channel: `rasa_privacy.SocketIOInput` in credentials.yml. The header comes with the connection."""

    def blueprint(self, on_new_message: Any) -> Any:
        """Return Rasa's blueprint, whose messages carry the signal of their connection."""

        async def with_signal(message: UserMessage) -> Any:
            if _connection_signals.get():
                given = message.metadata if isinstance(message.metadata, dict) else {}
                message.metadata = {**given, GPC_KEY: True}
            return await on_new_message(message)

        made = super().blueprint(with_signal)
        # Rasa's handler knows the connection and does not pass it on; so it is looked at just before.
        handlers = self.sio.handlers[self.namespace or "/"]
        handle = handlers[self.user_message_evt]

        async def looked_at(sid: str, data: Any) -> Any:
            environ = self.sio.get_environ(sid, self.namespace) or {}
            _connection_signals.set(environ.get(_ENVIRON, "").strip() == _ON)
            return await handle(sid, data)

        handlers[self.user_message_evt] = looked_at
        return made
