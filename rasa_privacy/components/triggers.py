"""External triggers: an intent that nobody typed must not reach who may not be written to.

They come by `trigger_intent` or from a reminder.

Rules:

1. A suppressed person is written to by no trigger.
2. A trigger that leads to a guarded action runs only with consent. Asking for the consent would be a message that
   nobody wanted, so the gate's question is not asked then either.
3. In the quiet hours of a purpose nothing that it guards is triggered.
4. The caller gets 409 with the reason; a reminder ends silently. The log has the reason and nobody's name.
"""

from datetime import datetime
from typing import Any

from rasa_privacy.components.rasa_api import IS_EXTERNAL, BotUttered, DialogueStateTracker, UserUttered, http_error
from rasa_privacy.consent.quiet_hours import is_quiet
from rasa_privacy.dialogue.turns import ASK, CLOSED
from rasa_privacy.errors import PrivacyError
from rasa_privacy.policy.model import Policy

SUPPRESSED = "the person must not be written to (suppressed)"
NO_CONSENT = "what it leads to needs a consent that the person has not given"


class TriggerRefusedError(PrivacyError):
    """An external trigger was stopped. The message is the reason."""


def is_triggered(tracker: DialogueStateTracker) -> bool:
    """Return whether the latest message is one that nobody typed."""
    message = tracker.latest_message
    return message is not None and bool((message.metadata or {}).get(IS_EXTERNAL))


def refusal_of(policy: Policy, action: str, now: datetime) -> str | None:
    """Return why a triggered message must not lead to this action, or None.

    Args:
        policy: The privacy.yml in force.
        action: What the gate lets run.
        now: The moment, aware.
    """
    if action in (ASK, CLOSED):
        return NO_CONSENT
    for purpose in policy.purposes_guarding(action):
        if is_quiet(policy.purposes[purpose].quiet_hours, now):
            return f"purpose '{purpose}' has quiet hours now"
    return None


def has_spoken(tracker: DialogueStateTracker) -> bool:
    """Return whether the bot said something since the latest message."""
    for event in reversed(tracker.events):
        if isinstance(event, UserUttered):
            return False
        if isinstance(event, BotUttered):
            return True
    return False


def answer(refused: TriggerRefusedError) -> Exception:
    """Return what the caller gets: 409 where there is an HTTP server."""
    return http_error(409, "Conflict", f"The intent was not triggered: {refused}.") or refused


def is_refusal(error: Any) -> bool:
    """Return whether an error is the answer to a trigger that was stopped."""
    return isinstance(error, TriggerRefusedError) or getattr(error, "status", None) == 409  # noqa: PLR2004 - as above
