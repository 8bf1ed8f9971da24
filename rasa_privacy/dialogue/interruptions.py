"""Which question about consent comes back by itself after an interruption, and when. Pure, as `turns` is, which asks.

Rules:

1. It stays open while something is explained, shown, corrected, withdrawn, previewed and not deleted, or while the bot
   hands over to a human without pausing the conversation. After that it is asked again, once.
2. While a question of the request itself is open, it is held beneath that (`Pending.held`).
3. It does not come back where the withdrawal was about the same purpose, nor after a deletion.
4. A withdrawal of the optional items that are asked for, of which no yes is on record, is the no: nothing comes back.
"""

from dataclasses import replace
from typing import Final

from rasa_privacy.dialogue.names import (
    ASK,
    CORRECT,
    EXPLAIN,
    EXPORT,
    KEEP,
    LISTEN,
    PREVIEW,
    RECEIPT,
    SHOW,
    STATUS,
    UNCHANGED,
    WITHDRAW,
)
from rasa_privacy.dialogue.turn_view import Pending, TurnView
from rasa_privacy.policy.topics import choice, item_of

#: These show something and change nothing.
_SHOWING: Final = (SHOW, EXPORT, RECEIPT, STATUS)
#: In the middle of these a question about consent stays open, and after them it is asked again.
_KEEPING: Final = (*_SHOWING, CORRECT, WITHDRAW, PREVIEW, KEEP, UNCHANGED)


def comes_back(action: str, view: TurnView) -> bool:
    """Return whether the open question is asked again after this action.

    After an explanation each is but for that of an erasure; after a request those about consent.
    """
    pending = view.pending
    if pending is None or pending.kind == "erase" or view.is_paused:
        return False
    if pending.is_about_consent:
        return action == EXPLAIN or action in _KEEPING
    return action == EXPLAIN and not view.bot_answers_too


def is_reopened(view: TurnView) -> bool:
    """Return whether the question about consent is asked again, since the bot has answered who wanted a human."""
    pending = view.pending
    is_over = view.last_action == LISTEN or view.is_paused or ASK in view.ran
    return view.wants_human and not is_over and pending is not None and pending.is_about_consent


def is_withdrawn(view: TurnView) -> bool:
    """Return whether a withdrawal answered the question about consent that was open: it is about the same purpose."""
    pending = view.pending
    if pending is None or not pending.is_about_consent:
        return False
    purpose = pending.purposes[0]
    return purpose in view.named or (pending.kind == "optional" and purpose not in (view.active or ()))


def declined(view: TurnView) -> bool | None:
    """Return whether a withdrawal is a no to all optional items that are asked for; None where it is about none.

    False where it is about some of them, so that the others are still open.
    """
    pending = view.pending
    if view.intent != "privacy_withdraw" or pending is None or pending.kind != "optional":
        return None
    asked, named = {choice(pending.purposes[0], item) for item in pending.items}, set(view.named)
    if asked.isdisjoint(named) or view.active is None or not named.isdisjoint(view.active):
        return None
    items = {item_of(each) for each in named}
    return items == set(pending.items) if items <= set(pending.items) else None


def beneath(action: str, view: TurnView) -> Pending | None:
    """Return the question about consent beneath the one that is open, where it comes back after this action."""
    held = view.pending.held if view.pending is not None else None
    return held if comes_back(action, replace(view, pending=held)) else None
