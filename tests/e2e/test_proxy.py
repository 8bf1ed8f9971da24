"""The recording proxy, before a small stand-in for the action server: no Rasa here."""

import json
import threading
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from http.client import RemoteDisconnected
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from rasa_privacy.cli.recording_proxy import RecordingProxy

_PAYLOAD = {"next_action": "action_submit_entry", "sender_id": "someone"}


class _ActionServer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = call["next_action"] == "action_submit_entry"
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(b'{"events": [], "responses": []}' if known else b'{"error": "unknown"}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@pytest.fixture
def proxy() -> Iterator[RecordingProxy]:
    """A proxy before a stand-in for the action server."""
    server = HTTPServer(("127.0.0.1", 0), _ActionServer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    with RecordingProxy(f"http://127.0.0.1:{server.server_port}/webhook") as running:
        yield running
    server.shutdown()
    thread.join()
    server.server_close()


def test_payload_and_answer_are_recorded_and_passed_on(proxy: RecordingProxy) -> None:
    """Rasa gets the action server's answer, and both sides are kept as bytes."""
    assert _call(proxy, _PAYLOAD) == {"events": [], "responses": []}
    (exchange,) = proxy.exchanges
    assert json.loads(exchange.payload) == _PAYLOAD
    assert exchange.action == "action_submit_entry"
    assert exchange.status == 200


def test_a_compressed_payload_is_recorded_readable(proxy: RecordingProxy) -> None:
    """A search for marks sees through the compression that Rasa can be told to use."""
    _send(proxy, zlib.compress(json.dumps(_PAYLOAD).encode()), {"Content-Encoding": "deflate"})
    assert json.loads(proxy.exchanges[0].payload) == _PAYLOAD


def test_an_error_of_the_action_server_is_passed_on(proxy: RecordingProxy) -> None:
    """Rasa sees the status that the action server gave."""
    with pytest.raises(urllib.error.HTTPError, match="404") as caught:
        _call(proxy, {"next_action": "action_unknown"})
    caught.value.close()
    assert proxy.exchanges[0].status == 404


def test_while_it_is_down_nothing_is_answered_and_the_payload_is_kept(proxy: RecordingProxy) -> None:
    """The connection ends without an answer, and afterwards calls work again."""
    with proxy.down(), pytest.raises((RemoteDisconnected, ConnectionResetError)):
        _call(proxy, _PAYLOAD)
    assert proxy.exchanges[0].status == 0
    assert json.loads(proxy.exchanges[0].payload) == _PAYLOAD
    assert _call(proxy, _PAYLOAD)


def test_an_answer_can_be_changed_on_its_way(proxy: RecordingProxy) -> None:
    """A test can play an action that returns other events, for as long as it wants."""

    def change(payload: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "events": [{"event": "slot", "name": "of", "value": payload["sender_id"]}]}

    with proxy.rewriting(change):
        assert _call(proxy, _PAYLOAD)["events"] == [{"event": "slot", "name": "of", "value": "someone"}]
    assert _call(proxy, _PAYLOAD)["events"] == []


def _call(proxy: RecordingProxy, payload: dict[str, str]) -> Any:
    return json.loads(_send(proxy, json.dumps(payload).encode(), {}))


def _send(proxy: RecordingProxy, raw: bytes, headers: dict[str, str]) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(proxy.url, raw, headers), timeout=10) as response:  # noqa: S310 - our own address
        content: bytes = response.read()
    return content
