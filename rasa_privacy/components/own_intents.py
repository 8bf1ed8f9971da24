"""Intents of the bot's own that mean a request of ours, where privacy.yml says so (`requests`).

Rules:

1. Such a message is the request, and our turn answers it. What a classifier gives is never certain, so a deletion is
   previewed and STOP is a withdrawal that is asked about; a button of the bot's own is as certain as one of ours.
2. A wish for a human stays the bot's own intent. Where the recogniser too sees the request in it, it is recorded and
   answered, and the bot's own answer, the hand-over, follows. Most who want a human, or press a button for one, want
   something else: there the hand-over alone is the answer.
3. It counts where the bot's classifier is sure (`guessing.CLAIMED`), since a request that nobody made must not be on
   record. Else the message is the bot's own alone.
4. What nobody typed or pressed asks for nothing.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from rasa_privacy.components.guessing import CLAIMED, NEVER_CERTAIN, UNSURE_BY_A_WORD
from rasa_privacy.components.rasa_api import IS_EXTERNAL, DialogueStateTracker, UserUttered
from rasa_privacy.components.recogniser import Guess
from rasa_privacy.components.triggers import is_triggered
from rasa_privacy.dialogue.names import ANSWERED_BY_THE_BOT
from rasa_privacy.dialogue.recognising import STOP
from rasa_privacy.minimize.kept_texts import is_payload
from rasa_privacy.minimize.own_values import ALSO
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.own_intents import OURS

HUMAN: Final = "privacy_human"
_WITHDRAW: Final = "privacy_withdraw"


def meant(policy: Policy, intent: str | None, sure: float) -> str | None:
    """Return the request that the classifier's intent means and that counts, or None.

    Args:
        policy: The privacy.yml in force.
        intent: The intent.
        sure: How sure the classifier is of it.
    """
    return policy.request_meant_by(intent) if sure >= CLAIMED else None


def taken(request: str | None, sure: float) -> tuple[str, float] | None:
    """Return the intent that a message gets for what it means, and how sure it is; None where it keeps its own."""
    if request is None or request in ANSWERED_BY_THE_BOT:
        return None
    return _WITHDRAW if request == STOP else request, min(sure, NEVER_CERTAIN)


def beside(request: str | None, guess: Guess | None) -> tuple[str, ...]:
    """Return the request that a message means beside being the bot's own, as it is named in the message.

    Args:
        request: What the classifier's intent means.
        guess: What the recogniser made of it, if anything.
    """
    if request is None or request not in ANSWERED_BY_THE_BOT or guess is None or guess.sure < UNSURE_BY_A_WORD:
        return ()
    return (request,) if request in {guess.intent, *guess.others} else ()


def pressed(policy: Policy, parsed: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parsed message; of the payload of a button of the bot's own, with the request that it means.

    A text with a "/" that Rasa could not read as a payload was guessed at, and is none.
    """
    intent = parsed.get("intent") or {}
    request = policy.request_meant_by(intent.get("name"))
    is_button = is_payload(str(parsed.get("text") or ""), intent.get("name"))
    if request is None or request in ANSWERED_BY_THE_BOT or not is_button:
        return dict(parsed)
    return {**parsed, "intent": {**intent, "name": request}, "entities": []}


def meant_beside(policy: Policy, tracker: DialogueStateTracker, named: Collection[str]) -> str | None:
    """Return the request that the latest message means beside being the bot's own, or None.

    Args:
        policy: The privacy.yml in force.
        tracker: The conversation.
        named: What the message names (`beside`).
    """
    message = tracker.latest_message
    if message is None or is_triggered(tracker):
        return None
    request = policy.request_meant_by(message.intent_name)
    return request if request in ANSWERED_BY_THE_BOT and request in named else None


def handing_over(policy: Policy, message: UserUttered | None) -> str | None:
    """Return the bot's own intent by which it hands over where a message is our wish for a human, and that alone.

    Args:
        policy: The privacy.yml in force.
        message: The message.
    """
    if message is None or message.intent_name != HUMAN or (message.metadata or {}).get(IS_EXTERNAL):
        return None
    if any(str(each.get("value")).startswith(ALSO) for each in message.entities or ()):
        return None  # the other request is answered after it
    return next(iter(policy.requests.get(HUMAN.removeprefix(OURS), ())), None)
