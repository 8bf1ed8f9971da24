"""Calling an ASGI application in this process, as a server would: one call, and what came back."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: The status.
        headers: The headers, names in small letters.
        body: The body.
        is_whole: Whether it came to its end.
        pieces: In how many pieces the body came.
        length: How long it was, in bytes.
    """

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)
    is_whole: bool = True
    pieces: int = 0
    length: int = 0

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Calls an application.

    Attributes:
        app: The application.
        token: What it comes with, or None.
        address: Where it says that it comes from.
        keeps: Whether bodies of answers are kept; else they are counted.
    """

    app: Starlette
    token: str | None = None
    address: str = "192.0.2.7"
    keeps: bool = True

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Call with GET."""
        return self.call("GET", path, (), headers or {})

    def post(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        """Call with POST and a JSON body."""
        sent = {"content-type": "application/json", **(headers or {})}
        return self.call("POST", path, [json.dumps(body).encode()], sent)

    def call(self, method: str, path: str, pieces: Iterable[bytes | float], headers: Mapping[str, str]) -> Answer:
        """Call; a number among the pieces of the body is a pause in seconds."""
        own = {} if self.token is None else {"authorization": f"Bearer {self.token}"}
        return asyncio.run(self._call(method, path, list(pieces), {**own, **headers}))

    async def _call(self, method: str, path: str, pieces: list[bytes | float], headers: Mapping[str, str]) -> Answer:
        plain, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": plain,
            "raw_path": plain.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "scheme": "http",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
            "client": (self.address, 50_000),
            "server": ("127.0.0.1", 8081),
        }
        sent: list[dict[str, Any]] = []
        came: list[bool] = []
        stays = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if came and not pieces:
                await stays.wait()  # who calls stays until the answer is there
                return {"type": "http.disconnect"}
            came.append(True)
            if pieces and isinstance(pieces[0], float):
                await asyncio.sleep(float(pieces.pop(0)))
            piece = pieces.pop(0) if pieces else b""
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        lengths: list[int] = []

        async def send(message: Any) -> None:
            if message.get("body"):
                lengths.append(len(message["body"]))
            if not self.keeps and sent and message["type"] == "http.response.body":
                del sent[1:]  # only whether there is more counts
                sent.append({**message, "body": b""})
                return
            sent.append(dict(message))

        try:
            await self.app(scope, receive, send)
        except Exception:
            if not sent:
                raise
        starts = [each for each in sent if each["type"] == "http.response.start"]
        found = {name.decode(): value.decode("latin-1") for name, value in starts[0]["headers"]}
        bodies = [each for each in sent if each["type"] == "http.response.body"]
        whole = bool(bodies) and not bodies[-1].get("more_body", False)
        body = b"".join(each.get("body", b"") for each in bodies)
        return Answer(starts[0]["status"], found, body, whole, len(lengths), sum(lengths))
