"""What the privacy actions have in common: the open store, the words, the report of success.

An action that fails raises; rasa_sdk answers with an error, Rasa goes on without its events, and `ConsentPolicy`, which
looks for the report of success and does not find it, tells the person that nothing was done. A message that nobody
typed, of a trigger or a reminder, is such a failure: nobody but the person answers a question or uses a right.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from rasa_sdk import Action
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Tracker

from rasa_privacy.actions.pending_events import ask_again_with, held_beneath
from rasa_privacy.components import log_scrubbing
from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.consent.notice import name_of_purpose
from rasa_privacy.dialogue.language import choose
from rasa_privacy.dialogue.names import (
    LANGUAGE_SLOT,
    PENDING_SLOT,
    RESULT_SLOT,
    action_of,
)
from rasa_privacy.dialogue.packs import load_pack, variation_in
from rasa_privacy.dialogue.phrases import Phrases, fill, phrases_of
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import LedgerError, PrivacyError
from rasa_privacy.minimize.own_values import ALSO, OWN_ENTITY
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.settings import endpoints_path, load_settings
from rasa_privacy.policy.topics import item_of
from rasa_privacy.storage.key_expiry import expire_beside
from rasa_privacy.storage.vault import Vault, open_vault

logger = logging.getLogger(__name__)

#: Rasa's own channels (rasa 3.6.21, rasa/core/channels). The ledger is forever, and a client may name any channel.
_CHANNELS: Final = frozenset(
    [
        "botframework",
        "callback",
        "cmdline",
        "facebook",
        "google_assistant",
        "hangouts",
        "mattermost",
        "rasa",
        "rest",
        "rocketchat",
        "slack",
        "socketio",
        "telegram",
        "twilio",
        "twilio_voice",
        "webexteams",
    ]
)


@lru_cache(maxsize=1)
def vault() -> Vault:
    """Return this process's store, opened by the same endpoints.yml that the server reads."""
    opened = open_vault(load_settings(endpoints_path()))
    expire_beside(opened)
    return opened


@dataclass(frozen=True, slots=True)
class Turn:
    """What an action knows of the turn.

    Attributes:
        sender_id: Rasa's conversation key.
        intent: Intent of the latest message.
        purposes: Purposes that the message named.
        items: Items of the purpose in question that the message named.
        offered: Requests that the message may be, likeliest first, where that is not sure.
        pending: The question that waited for an answer.
        evidence: How and when it was said.
        responses: The privacy responses, as the builder may have reworded them.
        text: What the payload lets through of the message: a contact or a code to the actions that take one.
        slots: Values of slots, as the payload lets them through.
        loop: The form or loop that runs, if any.
        channel: The channel, as its connector calls itself.
        default_language: The bot's first language, in which responses without a condition are.
        also: What else of this action the message asks for, where it is two requests.
    """

    sender_id: str
    intent: str
    purposes: tuple[str, ...]
    pending: Pending | None
    evidence: Evidence
    responses: Mapping[str, list[dict[str, Any]]]
    default_language: str = "en"
    channel: str = ""
    items: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    slots: Mapping[str, Any] = field(default_factory=dict, repr=False)
    loop: str | None = None
    also: tuple[str, ...] = ()

    @property
    def phrases(self) -> Phrases:
        """The parts of sentences in the conversation's language."""
        return phrases_of(self.evidence.language)

    def words(self, name: str, **variables: str) -> str:
        """Return the text of a response with its variables filled in."""
        return fill(str(self._response(name)["text"]), variables)

    def buttons(self, name: str) -> list[dict[str, str]]:
        """Return the buttons of a response."""
        return [dict(button) for button in self._response(name).get("buttons") or []]

    def _response(self, name: str) -> Mapping[str, Any]:
        language = self.evidence.language
        reworded = variation_in(language, self.default_language, self.responses.get(name) or [])
        return reworded or load_pack(language).responses[name][0]


@dataclass(slots=True)
class Reply:
    """What an action says and leaves behind.

    Attributes:
        text: What the bot says; empty for nothing.
        buttons: Buttons under it.
        events: rasa_sdk events beside the report of success.
    """

    text: str
    buttons: list[dict[str, str]]
    events: list[dict[str, Any]]


class PrivacyAction(Action, ABC):
    """An action of this package: `answer` does the work in a thread, and what it returns is said afterwards."""

    @abstractmethod
    def name(self) -> str:
        """Return the action's name in the domain."""

    @abstractmethod
    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Do the work and return what to say; each claim in it is committed."""

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Run the action, and report success in the slot `privacy_result`."""
        log_scrubbing.remember(tracker.sender_id)
        try:
            replies = await asyncio.to_thread(self._answer, tracker, domain)
        except PrivacyError:
            logger.exception("%s failed; the person is told that nothing was done.", self.name())
            raise
        events: list[dict[str, Any]] = []
        for reply in replies:
            if reply.text:
                dispatcher.utter_message(text=reply.text, buttons=reply.buttons or None)
            events += held_beneath(self.name(), Pending.from_slot(tracker.get_slot(PENDING_SLOT)), reply.events)
        return [*events, SlotSet(RESULT_SLOT, self.name())]

    def _answer(self, tracker: Tracker, domain: Mapping[str, Any]) -> list[Reply]:
        if _is_external(tracker.latest_message or {}):
            raise LedgerError("nobody typed the latest message; only the person answers a question or uses a right")
        store = vault()
        return self.answer(store, _turn(store, tracker, domain, self.name()))


def _is_external(message: Mapping[str, Any]) -> bool:
    """Return whether a trigger or a reminder made the message (rasa 3.6.21, UserUttered.create_external)."""
    text = str(message.get("text") or "")
    return bool((message.get("metadata") or {}).get("is_external")) or text.startswith("EXTERNAL: ")


def _turn(store: Vault, tracker: Tracker, domain: Mapping[str, Any], action: str) -> Turn:
    message = tracker.latest_message or {}
    text = message.get("text") or ""
    channel = tracker.get_latest_input_channel()
    entities = [entity for entity in message.get("entities") or [] if entity.get("entity") == OWN_ENTITY]
    named = [str(entity.get("value")) for entity in entities]
    # Of a message that is two requests each action answers its own.
    intent = str((message.get("intent") or {}).get("name") or "")
    intents = [store.policy.request_meant_by(intent) or intent]
    intents += [topic.removeprefix(ALSO) for topic in named if topic.startswith(ALSO)]
    own = [each for each in intents if action_of(each) == action] or intents[:1]
    evidence = Evidence(
        method="button" if text.startswith("/") else "words",
        channel=channel if channel in _CHANNELS else "other",
        language=choose(store.policy.languages, tracker.get_slot(LANGUAGE_SLOT), None, None),
        at=store.clock(),
    )
    return Turn(
        sender_id=tracker.sender_id,
        intent=own[0],
        purposes=tuple(topic for topic in named if topic in store.policy.purposes),
        items=tuple(item for topic in named if (item := item_of(topic)) in store.policy.items),
        offered=tuple(topic for topic in named if action_of(topic) is not None),
        pending=Pending.from_slot(tracker.get_slot(PENDING_SLOT)),
        evidence=evidence,
        responses=(domain or {}).get("responses") or {},
        default_language=store.policy.languages[0],
        channel=str(channel or ""),
        text=text,
        slots=tracker.slots,
        loop=(tracker.active_loop or {}).get("name"),
        also=tuple(own[1:]),
    )


def which_purpose(store: Vault, turn: Turn, response: str, intent: str, purposes: Iterable[str]) -> Reply:
    """Return the question which purpose a request means: by a button, or by its name in words.

    Args:
        store: The open store.
        turn: The turn.
        response: The response that asks.
        intent: Intent of the request.
        purposes: Purposes that may be meant.
    """
    possible, before = tuple(purposes), turn.pending
    buttons = [
        {"title": called(store, turn, name), "payload": f'/{intent}{{"{OWN_ENTITY}": "{name}"}}'} for name in possible
    ]
    repeated = before is not None and before.kind == "which" and before.repeated
    pending = Pending("which", intent, possible, repeated=repeated)
    return Reply(turn.words(response), buttons, [ask_again_with(pending)])


def asked_once_more(turn: Turn, requests: Collection[str]) -> Turn:
    """Return the turn as the request that asked "which one?" where the message is no such request, but asks it again.

    What such a message names is not meant: the button of an older question names its purpose too, also a yes to it.

    Args:
        turn: The turn.
        requests: Intents that make the request, or answer what it asked.
    """
    asked = turn.pending
    if asked is None or asked.kind != "which" or turn.intent in requests:
        return turn
    return replace(turn, intent=asked.action or turn.intent, purposes=(), items=())


def called(store: Vault, turn: Turn, purpose: str) -> str:
    """Return what people call a purpose, in the conversation's language."""
    return name_of_purpose(store.policy, purpose, turn.evidence.language)


def cleared(store: Vault, items: Iterable[str]) -> list[dict[str, Any]]:
    """Return the events that empty the slots of these items."""
    slots = [store.policy.items[item].slot for item in items]
    return [SlotSet(slot, None) for slot in slots if slot is not None]


def response_of(policy: Policy, pending: Pending) -> str | None:
    """Return the response of a question about consent, whose buttons answer it; None for a question of another kind."""
    if pending.kind == "age":
        # The neutral question names no age; its repeat does, and takes a yes or a no.
        by_year = policy.ask_age == "year" and not pending.repeated
        return "utter_privacy_ask_year" if by_year else "utter_privacy_ask_age"
    if pending.kind == "optional":
        return "utter_privacy_ask_optional"
    if pending.kind == "consent":
        return "utter_privacy_needs_item" if pending.items else "utter_privacy_ask"
    return None


def answer_buttons(turn: Turn, response: str, pending: Pending) -> list[dict[str, str]]:
    """Return a question's buttons; those that answer name the question, so that an older one answers no newer."""
    return [
        {**button, "payload": f'{button["payload"]}{{"{OWN_ENTITY}": "{pending.topic}"}}'}
        if button["payload"] in ("/privacy_grant", "/privacy_refuse")
        else button
        for button in turn.buttons(response)
    ]
