"""Messages that name what they are about, for the minimizer and the payload: items, purposes, a value that is right.

Rules:

1. A wording that names something is certain, as other fixed wordings are. A guess is looked through for names.
   "Change my address" may be the bot's own business: it counts where the bot has a value of what is to be changed.
2. Of a message that is two requests the one that shows something comes first, then STOP, then what changes something.
   In a window "quit and delete my data" is one, the deletion: "quit" only closes it.
3. What was typed as the right value goes to the action that takes it, and to no other.
4. After "which one?" the name of a purpose, or of an item, alone is the request that asked; so is "yes" where only one
   may be meant.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rasa_privacy.components.rasa_api import DialogueStateTracker
from rasa_privacy.components.runtime import Runtime, in_window
from rasa_privacy.dialogue.keywords import cancels, closes
from rasa_privacy.dialogue.named_requests import (
    DELETE,
    QUESTIONS,
    NamedRequest,
    beside_closing,
    both_of,
    correction_of,
    deletion_named,
    deletion_of,
    question_of,
    restriction_of,
)
from rasa_privacy.dialogue.names import PENDING_SLOT, REQUESTS
from rasa_privacy.dialogue.purposes import (
    chosen_purposes,
    hinted_purpose,
    is_a_name,
    item_topics,
    named_choices,
    named_items,
    named_purposes,
    named_topics,
)
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.minimize.own_values import ALSO
from rasa_privacy.minimize.single_values import single_value
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.topics import item_of

CORRECT: Final = "privacy_correct"
VALUE: Final = "privacy_value"
WITHDRAW: Final = "privacy_withdraw"

#: What is looked through for names of items and purposes.
NAMING: Final = frozenset({DELETE, CORRECT, "privacy_restrict", "privacy_object", "privacy_lift", *QUESTIONS})
_FIRST: Final = ("privacy_access", "privacy_export", "privacy_receipt", "privacy_status", "privacy_stop")
#: Answers and requests of which none is the right value that was asked for.
_NO_VALUES: Final = frozenset({"privacy_unclear", "privacy_grant", None})


def named_request(
    text: str,
    languages: Sequence[str],
    running: Runtime | None,
    tracker: DialogueStateTracker | None,
    *,
    asked: bool = False,
) -> tuple[NamedRequest, tuple[str, ...]] | None:
    """Return what a message asks for by a wording that names something, and all that it names; None for no such one.

    Args:
        text: The message as the person wrote it.
        languages: The bot's languages, the conversation's first.
        running: The store's runtime.
        tracker: The conversation.
        asked: Whether a question of ours is open.
    """
    if running is None:
        return None
    policy, in_form = running.vault.policy, tracker is not None and tracker.active_loop_name is not None
    one = deletion_of(text, languages, policy) or restriction_of(text, languages, policy)
    one = one or correction_of(text, languages, policy, in_form=in_form)
    if one is not None and (one.intent != CORRECT or _is_known(one, policy, tracker)):
        return one, one.topics
    beside = beside_closing(text, languages, policy) if in_window() else None
    both = both_of(text, languages, policy, asked=asked) if beside is None else None
    if beside is not None or both is None:
        one = beside or question_of(text, languages, policy, asked=asked or in_form)
        return (one, one.topics) if one is not None else None
    first, second = sorted(both, key=_rank)
    return first, (*first.topics, *second.topics, f"{ALSO}{second.intent}")


def _is_known(request: NamedRequest, policy: Policy, tracker: DialogueStateTracker | None) -> bool:
    """Return whether the bot has a value of the item that is to be changed."""
    slot = policy.items[item_of(request.topics[0])].slot
    return tracker is not None and slot in tracker.slots and tracker.slots[slot].value is not None


def _rank(request: NamedRequest) -> int:
    return _FIRST.index(request.intent) if request.intent in _FIRST else len(_FIRST)


def chosen_in(
    text: str, languages: Sequence[str], pending: Pending | None, running: Runtime | None, recognised: str | None
) -> NamedRequest | None:
    """Return the request with the purposes or items that an answer to "which one?" names; None for no such answer."""
    if running is None or pending is None or pending.kind != "which" or pending.action not in REQUESTS:
        return None
    policy = running.vault.policy
    if recognised == "privacy_confirm" and len(pending.purposes) + len(pending.items) == 1:
        return NamedRequest(pending.action, languages[0], (*pending.purposes, *item_topics(policy, pending.items)))
    if recognised not in (None, "privacy_unclear") or text.startswith("/"):
        return None
    read = ((each, _chosen(text, policy, each, pending)) for each in languages)
    return next((NamedRequest(pending.action, each, chosen) for each, chosen in read if chosen), None)


def _chosen(text: str, policy: Policy, language: str, pending: Pending) -> tuple[str, ...]:
    items = [item for item in pending.items if item in policy.items]
    if items:
        return item_topics(policy, named_items(text, policy, language, items) or ())
    return chosen_purposes(text, policy, language, [name for name in pending.purposes if name in policy.purposes])


def names_in(text: str, intent: str | None, policy: Policy, language: str) -> tuple[str, ...]:
    """Return what a request names that was guessed, or recognised by a wording without a name.

    A withdrawal names purposes, else optional items, else the purpose of which it has a word.
    """
    if intent == WITHDRAW:
        named = named_purposes(text, policy, language) or named_choices(text, policy, language)
        return named or hinted_purpose(text, policy, language)
    if intent == DELETE:
        return deletion_named(text, policy, language)
    return named_topics(text, policy, language) if intent in NAMING else ()


def is_none_of_ours(text: str, languages: Sequence[str], running: Runtime | None, *, in_form: bool) -> bool:
    """Return whether a message is no request, whatever anybody guesses.

    In a form `cancel` is about the form, in a window `end` about the chat, and "newsletter please" takes nothing back.
    """
    return (
        (in_form and any(cancels(text, each) for each in languages))
        or (in_window() and any(closes(text, each) for each in languages))
        or (running is not None and any(is_a_name(text, running.vault.policy, each) for each in languages))
    )


def is_value(text: str, pending: Pending | None, running: Runtime | None, recognised: str | None) -> bool:
    """Return whether a message is the right value that was asked for."""
    return recognised in _NO_VALUES and _asked_value(text, pending, running) is not None


def said_value(json_body: Mapping[str, Any], running: Runtime) -> str | None:
    """Return the right value in the latest message of a payload, for the action that takes it."""
    tracker = json_body["tracker"]
    said = tracker.get("latest_message") or {}
    text, intent = str(said.get("text") or ""), (said.get("intent") or {}).get("name")
    if intent == VALUE:
        return _asked_value(text, Pending.from_slot((tracker.get("slots") or {}).get(PENDING_SLOT)), running)
    policy = running.vault.policy
    one = correction_of(text, policy.languages, policy)
    parts = both_of(text, policy.languages, policy) if one is None else (one,)
    return next((part.value for part in parts or () if part.intent == CORRECT and part.value), None)


def _asked_value(text: str, pending: Pending | None, running: Runtime | None) -> str | None:
    if running is None or pending is None or pending.kind != "correct" or not pending.items:
        return None
    declared = running.vault.policy.items.get(pending.items[0])
    return None if declared is None else single_value(text, declared.detect)
