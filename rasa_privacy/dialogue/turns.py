"""The privacy turns as a pure state machine: what the bot must do next, given what it sees.

`ConsentPolicy` and `ConsentGate` build a `TurnView` from the tracker and obey the `Decision`. No Rasa import here, no
clock and no database, so every path can be tested as a table.

Rules, in order:

1. After one of our actions: if it did not report success, say so and claim nothing; else go on as the action demands.
2. A loop that runs without the consent it needs is ended, and the question is asked.
3. A message that is a privacy request is answered, whatever else is going on.
4. Any other action passes the gate: it runs only if all purposes that guard it are active.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

LISTEN: Final = "action_listen"

ASK: Final = "action_privacy_ask_consent"
GRANT: Final = "action_privacy_record_grant"
REFUSE: Final = "action_privacy_record_refusal"
WITHDRAW: Final = "action_privacy_withdraw"
STOP: Final = "action_privacy_stop"
PREVIEW: Final = "action_privacy_preview_erasure"
ERASE: Final = "action_privacy_erase"
KEEP: Final = "action_privacy_keep"
SHOW: Final = "action_privacy_show_data"
EXPLAIN: Final = "action_privacy_explain"
RECEIPT: Final = "action_privacy_receipt"

#: Every action of the action server that this package adds.
ACTIONS: Final = (ASK, GRANT, REFUSE, WITHDRAW, STOP, PREVIEW, ERASE, KEEP, SHOW, EXPLAIN, RECEIPT)

#: Responses that Rasa says by itself, also when the action server is down.
UNCLEAR: Final = "utter_privacy_unclear"
UNAVAILABLE: Final = "utter_privacy_unavailable"
NOT_ERASED: Final = "utter_privacy_failed_erase"
CLOSED: Final = "utter_privacy_closed"
LOCAL: Final = (UNCLEAR, UNAVAILABLE, NOT_ERASED, CLOSED)

#: The slots that carry the dialogue's own state. None of them opens anything: the ledger decides.
PENDING_SLOT: Final = "privacy_pending"
RESULT_SLOT: Final = "privacy_result"
#: The language of the conversation (`language`); the bot's first where it is empty.
LANGUAGE_SLOT: Final = "privacy_language"

#: Intents that start a turn of their own, and the action that answers.
_REQUESTS: Final = {
    "privacy_stop": STOP,
    "privacy_withdraw": WITHDRAW,
    "privacy_delete": PREVIEW,
    "privacy_access": SHOW,
    "privacy_why": EXPLAIN,
    "privacy_how_long": EXPLAIN,
    "privacy_who_sees": EXPLAIN,
    "privacy_officer": EXPLAIN,
    "privacy_what": EXPLAIN,
    "privacy_where": EXPLAIN,
    "privacy_who_are_you": EXPLAIN,
    "privacy_complain": EXPLAIN,
    "privacy_machine": EXPLAIN,
    "privacy_help": EXPLAIN,
    "privacy_receipt": RECEIPT,
}
#: Intents that only answer a question of ours.
REPLIES: Final = ("privacy_grant", "privacy_refuse", "privacy_confirm", "privacy_cancel", "privacy_unclear")
#: Every intent that this package adds.
INTENTS: Final = (*_REQUESTS, *REPLIES)

#: What answers which question, and the action that takes the answer.
_ANSWERS: Final = {
    "consent": {"privacy_grant": GRANT, "privacy_refuse": REFUSE},
    "erase": {"privacy_confirm": ERASE, "privacy_cancel": KEEP},
}
#: After these a message can be an answer.
QUESTIONS: Final = (ASK, PREVIEW, UNCLEAR)
#: After these the conversation goes on where it was.
_RETURNING: Final = (SHOW, EXPLAIN, WITHDRAW, KEEP, RECEIPT)


@dataclass(frozen=True, slots=True)
class Pending:
    """A question of ours that waits for an answer.

    Attributes:
        kind: What was asked: consent, or whether to erase.
        action: The action that the gate held back, to be resumed after a yes.
        purposes: Purposes still to be asked about, the current one first.
        dropped: Whether the message that led here held personal data that was not kept.
    """

    kind: Literal["consent", "erase"]
    action: str | None = None
    purposes: tuple[str, ...] = ()
    dropped: bool = False

    def to_slot(self) -> dict[str, Any]:
        """Return the value for the slot `privacy_pending`."""
        return {"kind": self.kind, "action": self.action, "purposes": list(self.purposes), "dropped": self.dropped}

    @classmethod
    def from_slot(cls, value: object) -> "Pending | None":
        """Read the slot back; anything that is not ours is no pending question."""
        if not isinstance(value, dict) or value.get("kind") not in ("consent", "erase"):
            return None
        purposes = value.get("purposes") or []
        action = value.get("action")
        if not isinstance(purposes, list) or not all(isinstance(name, str) for name in purposes):
            return None
        return cls(
            value["kind"], action if isinstance(action, str) else None, tuple(purposes), bool(value.get("dropped"))
        )


@dataclass(frozen=True, slots=True)
class TurnView:
    """What a decision depends on.

    Attributes:
        intent: Intent of the latest message.
        last_action: The action that ran last; `action_listen` when a message has just come.
        succeeded: Whether the last action, if ours, reported success.
        pending: The question that waits, if any.
        active_loop: The form or loop that runs, if any.
        active: Purposes that are active now, read from the ledger; None where it cannot be read.
    """

    intent: str | None
    last_action: str
    succeeded: bool
    pending: Pending | None
    active_loop: str | None
    active: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to run next.

    Attributes:
        action: Name of the action or response.
        pending: The new value of the pending question; `...` leaves it as it is.
        end_loop: Whether the running loop is ended first.
    """

    action: str
    pending: Pending | Any | None = field(default=...)
    end_loop: bool = False


class Turns:
    """Decides by one privacy.yml.

    Args:
        guards: Purposes (in the order to ask) of each guarded action or form.
    """

    def __init__(self, guards: dict[str, Sequence[str]]) -> None:
        self._guards = {action: tuple(purposes) for action, purposes in guards.items()}

    def is_guarded(self, action: str) -> bool:
        """Return whether some purpose guards this action."""
        return action in self._guards

    def decide(self, view: TurnView) -> Decision | None:
        """Return what a privacy turn demands next, or None where the other policies decide."""
        if view.last_action in ACTIONS:
            return self._after_action(view)
        if view.last_action in LOCAL:
            return Decision(LISTEN)
        held = self._guard_loop(view)
        if view.last_action == LISTEN:
            return self._on_message(view) or held
        return held

    def gate(self, action: str, view: TurnView, *, dropped: bool = False) -> Decision | None:
        """Return what runs instead of `action`, or None where it may run."""
        purposes = self._guards.get(action)
        if purposes is None:
            return None
        if view.active is None:
            return Decision(CLOSED, pending=None, end_loop=view.active_loop is not None)
        missing = tuple(name for name in purposes if name not in view.active)
        if not missing:
            return None
        return Decision(ASK, Pending("consent", action, missing, dropped), end_loop=view.active_loop == action)

    def _guard_loop(self, view: TurnView) -> Decision | None:
        return self.gate(view.active_loop, view) if view.active_loop is not None else None

    def _after_action(self, view: TurnView) -> Decision:
        if not view.succeeded and not self._was_granted(view):
            return Decision(NOT_ERASED if view.last_action == ERASE else UNAVAILABLE, pending=None)
        if view.last_action == GRANT:
            return self._resume(view)
        if view.last_action in _RETURNING:
            return self._return(view)
        return Decision(LISTEN)

    @staticmethod
    def _was_granted(view: TurnView) -> bool:
        """Return whether a grant is in the ledger although its report was lost on the way."""
        pending = view.pending
        if view.last_action != GRANT or view.active is None or pending is None:
            return False
        return pending.purposes[:1] != () and pending.purposes[0] in view.active

    def _resume(self, view: TurnView) -> Decision:
        """After a grant: ask for the next purpose, or run what was held back. The ledger decides, not the reply."""
        pending = view.pending
        if pending is None or view.active is None or not pending.purposes:
            return Decision(UNAVAILABLE, pending=None)
        if pending.purposes[0] not in view.active:
            return Decision(UNAVAILABLE, pending=None)
        rest = tuple(name for name in pending.purposes if name not in view.active)
        if rest:
            return Decision(ASK, Pending("consent", pending.action, rest))
        return Decision(pending.action or LISTEN, pending=None)

    def _return(self, view: TurnView) -> Decision:
        """After an answer: back to the question that waits, to the loop that runs, or to the person."""
        held = self._guard_loop(view)
        if held is not None and view.last_action == WITHDRAW:
            return Decision(LISTEN, pending=None, end_loop=True)
        if view.pending is not None and view.pending.kind == "consent" and view.last_action == EXPLAIN:
            return Decision(ASK, view.pending)
        if view.active_loop is not None and held is None:
            return Decision(view.active_loop)
        return Decision(LISTEN)

    def _on_message(self, view: TurnView) -> Decision | None:
        request = _REQUESTS.get(view.intent or "")
        if request == STOP:
            return Decision(STOP, None, end_loop=True)
        if request is not None:
            # Only an explanation comes back to the question; after anything else a "yes" would answer something else.
            return Decision(request) if request == EXPLAIN else Decision(request, None)
        if view.pending is None or view.intent not in REPLIES:
            return None
        # A button of another question is no answer to this one.
        return Decision(_ANSWERS[view.pending.kind].get(str(view.intent), UNCLEAR))

    def forgets(self, view: TurnView) -> bool:
        """Return whether a message passes the open question by, so that a later "yes" must not answer it."""
        ours = view.intent in REPLIES or view.intent in _REQUESTS
        return view.last_action == LISTEN and view.pending is not None and not ours
