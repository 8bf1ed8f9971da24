"""`Visitor`: an invented person who talks to a running bot, and what they said.

A visitor answers what the bot asks: our questions by their buttons, a form's by the marked values of the item whose
slot is asked for, anything else by the first button or a word. What is asked for is read from Rasa's HTTP API.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from rasa_privacy.cli.leak_marks import Value
from rasa_privacy.cli.rest import BotMessage, Button, Chat, request_json
from rasa_privacy.errors import ServerError
from rasa_privacy.policy.model import Policy

#: Turns after which a form that has no end is given up.
MAX_TURNS: Final = 60
_API_SECONDS: Final = 30.0
_REQUESTED: Final = "requested_slot"
_GRANT: Final = ("/privacy_grant", "/privacy_confirm")
_REFUSE: Final = ("/privacy_refuse", "/privacy_cancel")
#: Said where the bot wants something that is no item, in turn.
_FILLERS: Final = ("hiking", "yes", "2", "skip")


@dataclass
class Visitor:
    """One invented person.

    Attributes:
        chat: The conversation.
        policy: The bot's privacy.yml.
        values: What to say for each item, in turn.
        consents: Whether they agree to what they are asked.
        said: The values that were said, by item.
        stuck: Slots that no value filled.
    """

    chat: Chat
    policy: Policy
    values: dict[str, list[Value]]
    consents: bool
    said: dict[str, list[Value]] = field(default_factory=dict)
    stuck: set[str] = field(default_factory=set)
    _tries: dict[str, int] = field(default_factory=dict)

    def start(self, intent: str) -> None:
        """Want something, and answer until the bot asks nothing more."""
        self._tries.clear()
        self.chat.say(f"/{intent}")
        for _ in range(MAX_TURNS):
            button = self._answering_button()
            if button is not None:
                self.chat.say(button.payload)
                continue
            slot = self._asked_for()
            if slot is None or not self._answer(slot):
                return

    def tell_everything(self) -> None:
        """Say a value of each item in a sentence of its own, without being asked."""
        for item in self.policy.items:
            value = self.said[item][-1] if item in self.said else self.values[item][0]
            self.tell(item, value, f"My {item.replace('_', ' ')} is {value.text}")

    def set_slots(self) -> None:
        """Let another program put values into the slots, past what reads messages."""
        for item, declared in self.policy.items.items():
            if declared.slot is not None:
                value = self.values[item][0]
                self.said.setdefault(item, []).append(value)
                event = {"event": "slot", "name": declared.slot, "value": value.text}
                self._api("tracker/events", [event])

    def tell(self, item: str, value: Value, text: str) -> list[BotMessage]:
        """Say a text with a value of an item in it."""
        self.said.setdefault(item, []).append(value)
        return self.chat.say(text)

    def delete(self) -> None:
        """Ask for deletion and confirm it.

        Raises:
            ServerError: The bot offers nothing to confirm.
        """
        self.chat.say("/privacy_access")
        self.chat.say("/privacy_delete")
        confirm = next((button for button in self.chat.offered if button.payload.startswith("/privacy_confirm")), None)
        if confirm is not None:  # whoever is unknown to the store has nothing to delete
            self.chat.say(confirm.payload)
        elif self.consents:
            raise ServerError("the bot did not offer to delete the data; ask it for that by hand and look at its log")

    def marks(self) -> dict[str, list[str]]:
        """Return what must be found nowhere, by item."""
        return {
            item: list(dict.fromkeys(mark for value in values for mark in value.marks))
            for item, values in self.said.items()
        }

    def _answering_button(self) -> Button | None:
        """Return the button that answers a question of ours, or None where none is open."""
        wanted = _GRANT if self.consents else _REFUSE
        return next((button for button in self.chat.offered if button.payload.startswith(wanted)), None)

    def _asked_for(self) -> str | None:
        """Return the slot that a form waits for."""
        tracker = self._api("tracker?include_events=NONE")
        asked = tracker.get("slots", {}).get(_REQUESTED)
        return asked if isinstance(asked, str) and (tracker.get("active_loop") or {}).get("name") else None

    def _answer(self, slot: str) -> bool:
        """Answer a form's question; False where nothing is left to say."""
        number = self._tries[slot] = self._tries.get(slot, -1) + 1
        item = self.policy.item_of_slot(slot)
        if item is None:
            own = [button.payload for button in self.chat.offered]
            answers = own or list(_FILLERS)
            if number < len(answers):
                self.chat.say(answers[number])
                return True
        elif number < len(self.values[item]):
            value = self.values[item][number]
            self.tell(item, value, value.text)
            return True
        self.stuck.add(slot)
        self.chat.say("/restart")
        return False

    def _api(self, path: str, body: Any = None) -> Any:
        return request_json(f"{self.chat.url}/conversations/{self.chat.sender}/{path}", body, seconds=_API_SECONDS)
