import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from rasa_privacy.cli.ports import choose_port
from rasa_privacy.cli.rest import BotMessage, Button, Chat, find_button
from rasa_privacy.errors import ServerError

_BUTTONS = (Button("Yes, enter me", "/privacy_grant"), Button("No, thanks", "/privacy_refuse"))
_ANSWERS = {
    b"buttons": b'[{"text": "May we?", "buttons": [{"title": "Yes, enter me", "payload": "/privacy_grant"}]}, {}]',
    b"privacy_grant": b'[{"text": "Granted."}]',
    b"object": b'{"status": "failure"}',
    b"broken": b"<html>",
}


class _Rest(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = next((answer for word, answer in _ANSWERS.items() if word in body), None)
        self.send_response(500 if answer is None else 200)
        self.end_headers()
        self.wfile.write(answer or b"secret traceback")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@pytest.fixture
def chat() -> Iterator[Chat]:
    """A conversation with a stand-in for Rasa's REST channel."""
    server = HTTPServer(("127.0.0.1", 0), _Rest)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Chat(f"http://127.0.0.1:{server.server_port}", "someone")
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_pressed_button_sends_its_payload(chat: Chat) -> None:
    """The button of the last turn is found by a part of its title, and is gone after the next turn."""
    first, second = chat.say("buttons, please")
    assert first == BotMessage("May we?", _BUTTONS[:1])
    assert second == BotMessage("")
    assert chat.press("yes") == [BotMessage("Granted.")]
    assert chat.offered == ()


@pytest.mark.parametrize(("title", "count"), [("maybe", 0), ("e", 1), ("n", 2)])
def test_a_title_must_name_one_button(title: str, count: int) -> None:
    """None or several matches are refused, with the titles that there are."""
    if count == 1:
        assert find_button(_BUTTONS[:1], title) == _BUTTONS[0]
        return
    with pytest.raises(ServerError, match=rf"{count} buttons match '{title}'; .*'Yes, enter me', 'No, thanks'"):
        find_button(_BUTTONS, title)


@pytest.mark.parametrize(
    ("text", "cause"),
    [("object", "not a list of messages"), ("broken", "no answer"), ("anything else", "answered with status 500")],
)
def test_a_wrong_answer_is_named_without_what_was_said(chat: Chat, text: str, cause: str) -> None:
    """Neither the message nor the answer shows in the error."""
    with pytest.raises(ServerError, match=cause) as caught:
        chat.say(text)
    assert "secret" not in str(caught.value)
    assert text not in str(caught.value)


def test_a_server_that_is_not_there_is_named() -> None:
    """A refused connection is a message with the address."""
    url = f"http://127.0.0.1:{choose_port(None, '--port')}"
    with pytest.raises(ServerError, match=f"{url}.*no answer"):
        Chat(url, "someone").say("hello")
