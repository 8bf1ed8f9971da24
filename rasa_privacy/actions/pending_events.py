"""Events that close the question that waits, or put another one in its place."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from rasa_sdk.events import SlotSet

from rasa_privacy.dialogue.names import (
    ANSWERS,
    CONFIRM,
    CORRECT,
    EXPORT,
    KEEP,
    PENDING_SLOT,
    PREVIEW,
    SEND_CODE,
    SHOW,
    WITHDRAW,
)
from rasa_privacy.dialogue.turn_view import Pending

#: Actions of requests that may come up in the middle of a question about consent; of a deletion only until it is done.
_INTERRUPTING: Final = (SHOW, EXPORT, CORRECT, WITHDRAW, PREVIEW, KEEP, SEND_CODE, CONFIRM)


def forget_pending() -> dict[str, Any]:
    """Return the event that ends the waiting for an answer."""
    event: dict[str, Any] = SlotSet(PENDING_SLOT, None)
    return event


def ask_again_with(pending: Pending) -> dict[str, Any]:
    """Return the event that puts another question in place of the one that waits."""
    event: dict[str, Any] = SlotSet(PENDING_SLOT, pending.to_slot())
    return event


def held_beneath(action: str, before: Pending | None, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events of a request so that a question about consent which it interrupts is not lost.

    Where the request closes its own question, that one is open again; where it asks one, that one is held beneath it.

    Args:
        action: The action that made the events.
        before: The question that was open.
        events: Its events.
    """
    if before is None or action not in _INTERRUPTING:
        return list(events)
    asked = before if before.is_about_consent and action not in ANSWERS else before.held
    if asked is None:
        return list(events)
    standing = replace(asked, held=None)
    return [_over(standing, event) if event.get("name") == PENDING_SLOT else event for event in events]


def _over(standing: Pending, event: dict[str, Any]) -> dict[str, Any]:
    question = Pending.from_slot(event.get("value"))
    return ask_again_with(standing if question is None else replace(question, held=standing))
