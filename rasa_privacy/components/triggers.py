"""External triggers: what nobody typed must not reach who may not be written to.

They come by `trigger_intent`, from a reminder, or as an action that is named past the dialogue (`POST .../execute`).

Rules:

1. A suppressed person is written to by no trigger; nor is who has a suppressed contact on file.
2. A trigger that leads to a guarded action runs only with consent. Asking for the consent would be a message that
   nobody wanted, so the gate's question is not asked then either.
3. In the quiet hours of a purpose nothing that it guards is triggered.
4. What nobody typed answers no question of ours, uses no right and takes nothing back: our intents, the bot's own yes
   and no while a question is open, and our actions are triggered by nobody. Else a caller could record a consent that
   nobody gave. The actions refuse such a message themselves too (`actions.base`).
5. The caller gets 409 with the reason (of an action that was to be executed through `error_responses`, since Rasa turns
   every error of that door into 500); a reminder ends silently. The log has the reason and nobody's name, the audit log
   the random id too.
"""

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from rasa_privacy.components.rasa_api import IS_EXTERNAL, BotUttered, DialogueStateTracker, UserUttered, http_error
from rasa_privacy.consent.quiet_hours import is_quiet
from rasa_privacy.dialogue.names import ACTIONS, ASK, CLOSED, INTENTS, LOCAL, TOO_YOUNG
from rasa_privacy.errors import PrivacyError
from rasa_privacy.policy.model import Policy, Replies
from rasa_privacy.policy.needs import guarding
from rasa_privacy.policy.verbs import TRIGGER
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

#: RFC 9110, section 15.5.10: the request conflicts with how things stand.
CONFLICT: Final = 409
#: Who is in the audit log for what comes from outside: Rasa knows nothing of its callers.
SERVER: Final = "rasa-server"
SUPPRESSED = "the person must not be written to (suppressed)"
ONLY_THE_PERSON = "only the person may answer a question about privacy or use a right"
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
    if action in (ASK, TOO_YOUNG, CLOSED):
        return NO_CONSENT
    if action in ACTIONS or action in LOCAL:
        return ONLY_THE_PERSON
    return _quiet(policy, guarding(policy, action), now)


def intent_refusal_of(policy: Policy, intent: str, *, is_asked: bool) -> str | None:
    """Return why an intent must not be triggered, or None.

    Args:
        policy: The privacy.yml in force.
        intent: Its name.
        is_asked: Whether a question of ours is open.
    """
    replies = policy.replies or Replies()
    answers = (*INTENTS, *replies.grant, *replies.refuse) if is_asked else INTENTS
    return ONLY_THE_PERSON if intent in answers else None


def execution_refusal_of(policy: Policy, action: str, active: Collection[str], now: datetime) -> str | None:
    """Return why an action must not be executed from outside, or None.

    Args:
        policy: The privacy.yml in force.
        action: Its name.
        active: Purposes that the person allows.
        now: The moment, aware.
    """
    if action in ACTIONS:
        return ONLY_THE_PERSON
    purposes = guarding(policy, action)
    return NO_CONSENT if not purposes <= set(active) else _quiet(policy, purposes, now)


def _quiet(policy: Policy, purposes: Collection[str], now: datetime) -> str | None:
    for purpose in sorted(purposes):
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
    return http_error(CONFLICT, "Conflict", f"The intent was not triggered: {refused}.") or refused


def record_refusal(vault: Vault, sender_id: str, reason: str) -> None:
    """Write to the audit log that a trigger was stopped; one that cannot be written is stopped all the same."""

    def write(connection: Any) -> None:
        subject_id = vault.subjects.find(connection, sender_id)
        made = AuditRecord(vault.clock(), SERVER, TRIGGER, "refused", subject_id=subject_id, reason=reason)
        vault.audit.append(connection, made)

    try:
        vault.database.transact(write)
    except PrivacyError:
        logger.exception("That a trigger was stopped is not in the audit log.")


def is_refusal(error: Any) -> bool:
    """Return whether an error is the answer to a trigger that was stopped."""
    return isinstance(error, TriggerRefusedError) or getattr(error, "status", None) == CONFLICT
