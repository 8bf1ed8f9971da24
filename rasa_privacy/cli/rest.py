"""A client of Rasa's REST channel: one person who types, reads and presses buttons.

Standard library only. It never uses a proxy of the environment: what people type stays on this computer.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rasa_privacy.errors import ServerError

TURN_SECONDS: Final = 60.0
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Button:
    """What a person may press instead of typing."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class BotMessage:
    """One message of the bot: its text, and the buttons below it."""

    text: str
    buttons: tuple[Button, ...] = ()


@dataclass
class Chat:
    """A conversation of one person with a running bot.

    Attributes:
        url: Base address of the Rasa server.
        sender: Rasa's conversation key.
        offered: The buttons of the bot's last turn.
    """

    url: str
    sender: str
    offered: tuple[Button, ...] = field(default=(), init=False)

    def say(self, text: str) -> list[BotMessage]:
        """Send a text and return the bot's messages.

        Raises:
            ServerError: The server does not answer, or not with messages.
        """
        answer = request_json(
            f"{self.url}/webhooks/rest/webhook", {"sender": self.sender, "message": text}, seconds=TURN_SECONDS
        )
        if not isinstance(answer, list):
            raise ServerError(f"{self.url}: the answer is not a list of messages; is this the REST channel of Rasa?")
        messages = [_bot_message(entry) for entry in answer]
        self.offered = tuple(button for message in messages for button in message.buttons)
        return messages

    def press(self, title: str) -> list[BotMessage]:
        """Press a button of the bot's last turn, and return the bot's messages.

        Args:
            title: The button's whole title, or a part that only one title has; case does not matter.

        Raises:
            ServerError: The last turn offered no such button, or several.
        """
        return self.say(find_button(self.offered, title).payload)


def find_button(offered: Sequence[Button], title: str) -> Button:
    """Return the one button with this title, or with this part of a title.

    Raises:
        ServerError: There is none, or several; the message lists the titles, which are the bot's own words.
    """
    wanted = title.casefold()
    matches = [button for button in offered if button.title.casefold() == wanted]
    matches = matches or [button for button in offered if wanted in button.title.casefold()]
    if len(matches) != 1:
        titles = ", ".join(repr(button.title) for button in offered) or "none"
        raise ServerError(f"{len(matches)} buttons match {title!r}; the bot offers: {titles}")
    return matches[0]


def request_json(url: str, body: Any = None, *, seconds: float) -> Any:
    """Return the JSON answer to a GET, or to a POST of `body` where there is one.

    Raises:
        ServerError: No connection, an error status, or no JSON. The message holds neither body nor answer.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310 - our own address
    try:
        with _DIRECT.open(request, timeout=seconds) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            raise ServerError(f"{url}: answered with status {error.code}; its log says why") from None
    except (OSError, ValueError) as error:
        raise ServerError(f"{url}: no answer ({type(error).__name__}); is the server running?") from None


def _bot_message(entry: Any) -> BotMessage:
    buttons = tuple(Button(button["title"], button["payload"]) for button in entry.get("buttons") or ())
    return BotMessage(entry.get("text") or "", buttons)
