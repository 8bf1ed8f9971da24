"""The privacy turns as a pure state machine: what the bot must do next, given what it sees.

`ConsentPolicy` and `ConsentGate` build a `TurnView` from the tracker and obey the `Decision`. No Rasa import here, no
clock and no database, so every path can be tested as a table.

Rules, in order:

1. After one of our actions: if it did not report success, say so and claim nothing; else go on as the action demands.
2. A loop that runs without the consent it needs is ended, and the question is asked.
3. A message that is a privacy request is answered, whatever else is going on. One that is two is answered twice: first
   what shows something, then what changes something.
   Of a wish for a human the bot's own answer, the hand-over, follows ours, also where ours failed, if privacy.yml names
   an intent for it.
4. Any other action passes the gate: it runs only if all purposes that guard it are active.

A gate that holds an action back asks, in this order and one at a time: the age, where there is a minimum; each purpose
that is missing; after its yes, its optional items; at last the purposes that are asked about beside it. Then the action
runs. A no to a purpose that the action needs ends that; a no to another changes nothing else.

A question about consent that is interrupted comes back by itself (`interruptions`), and so does that of a form.

A button of a question that is closed answers nothing. A yes is asked for afresh, since what was shown then may not be
what holds now; where there is nothing to ask, the person is told that nothing has changed.

After a yes to a purpose with double opt-in, the contact is asked for where none is on file, and then the one-time code.
The action waits for the code where it needs the purpose; else it runs at once. A code may come in later, too.
"""

from collections.abc import Sequence
from dataclasses import replace

from rasa_privacy.dialogue.aftermath import CLOSING, RETURNING, WAITING
from rasa_privacy.dialogue.interruptions import beneath, comes_back, declined, is_reopened, is_withdrawn
from rasa_privacy.dialogue.names import (
    ACTIONS,
    ANSWERS,
    ASK,
    CLOSED,
    CONFIRM,
    ERASE,
    EXPLAIN,
    FALLBACK,
    GRANT,
    LATE,
    LIMIT,
    LISTEN,
    LOCAL,
    MORE,
    NOT_ERASED,
    REFUSE,
    REPLIES,
    REQUESTS,
    STOP,
    TOO_YOUNG,
    UNAVAILABLE,
    UNCHANGED,
    UNSURE,
    WITHDRAW,
    action_of,
)
from rasa_privacy.dialogue.replies import ANSWERED_BY, OF_A_CODE, YES_OR_NO, asked_by, unclear
from rasa_privacy.dialogue.turn_view import Asking, Decision, Pending, TurnView
from rasa_privacy.policy.topics import choice, item_of, purpose_of


class Turns:
    """Decides by one privacy.yml.

    Args:
        asking: What it says of asking.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def decide(self, view: TurnView) -> Decision | None:
        """Return what a privacy turn demands next, or None where the other policies decide."""
        if view.bot_answers_too and view.last_action in (EXPLAIN, UNAVAILABLE):
            failed = view.last_action == EXPLAIN and not view.succeeded
            return Decision(UNAVAILABLE) if failed else None
        if view.last_action in ACTIONS:
            return self._after_action(view)
        if view.last_action in LOCAL:
            return self._return(view) if view.last_action in (LATE, UNCHANGED) else Decision(LISTEN)
        held = self._guard_loop(view)
        if view.last_action == LISTEN:
            return self._on_message(view) or held
        return held

    def gate(self, action: str, view: TurnView) -> Decision | None:
        """Return what runs instead of `action`, or None where it may run."""
        if action in ACTIONS or action in LOCAL:
            return None
        if action == LISTEN and is_reopened(view):
            return Decision(ASK, view.pending)
        if action == FALLBACK and view.bot_answers_too and view.last_action in (EXPLAIN, UNAVAILABLE):
            return self._return(view)  # the bot has no hand-over of its own to follow ours
        if action == FALLBACK and view.has_resumed:
            # To the bot's policies the last message is our yes or no, of which they know nothing; all was said.
            return Decision(LISTEN)
        return self._held_back(action, view)

    def _held_back(self, action: str, view: TurnView) -> Decision | None:
        """Return what is asked or said before an action whose purposes are not active, or None where it may run."""
        needed = self._asking.guards.get(action, ())
        if needed and view.active is None:
            return Decision(CLOSED, pending=None, end_loop=view.active_loop is not None)
        active = view.active or frozenset()
        missing = tuple(name for name in needed if name not in active)
        end_loop = bool(missing) and view.active_loop == action
        if missing and view.is_too_young:
            return Decision(TOO_YOUNG, pending=None, end_loop=end_loop)
        first = self._first(view) if action != LISTEN and view.active_loop is None else ()
        wanted = tuple(dict.fromkeys([*missing, *first]))
        if not wanted:
            return None
        return _question(Pending("consent", action, wanted), view, end_loop=end_loop)

    def _first(self, view: TurnView) -> tuple[str, ...]:
        """Return what is to be asked before the answer to a message that has just come."""
        if view.last_action != LISTEN or view.active is None or view.is_too_young:
            return ()
        return tuple(name for name in self._asking.first if name in view.due and name not in view.active)

    def _guard_loop(self, view: TurnView) -> Decision | None:
        return self.gate(view.active_loop, view) if view.active_loop is not None else None

    def _after_action(self, view: TurnView) -> Decision:
        if not view.succeeded and not self._was_granted(view):
            return Decision(NOT_ERASED if view.last_action == ERASE else UNAVAILABLE, pending=None)
        next_one = next((found for each in view.also if (found := action_of(each)) and found not in view.ran), None)
        if next_one is not None and view.last_action not in ANSWERS:
            return Decision(next_one) if comes_back(next_one, view) else Decision(next_one, beneath(next_one, view))
        if view.last_action in ANSWERS:
            return self._after_answer(view)
        if view.last_action in RETURNING:
            return self._return(view)
        return Decision(LISTEN)

    @staticmethod
    def _was_granted(view: TurnView) -> bool:
        """Return whether a grant is in the ledger although its report was lost on the way."""
        pending = view.pending
        if view.last_action != GRANT or view.active is None or pending is None or pending.kind != "consent":
            return False
        return pending.purposes[:1] != () and pending.purposes[0] in view.active

    def _after_answer(self, view: TurnView) -> Decision:
        """After an answer: ask what is next, or run what was held back. The ledger decides, not the reply."""
        pending = view.pending
        ended = Decision(LISTEN if view.last_action == REFUSE else UNAVAILABLE, pending=None)
        if pending is None or view.active is None or not pending.purposes:
            return self._return(view) if view.last_action in OF_A_CODE.values() else ended
        if pending.kind == "age":
            # Where the age is still in question nobody was found to be old enough, so nothing is asked any more.
            asked = Pending("consent", pending.action, pending.purposes)
            return ended if view.age is not None else _question(asked, view)
        if view.last_action in OF_A_CODE.values() and pending.kind not in ("contact", "code"):
            return Decision(ASK, pending)  # the code came while another question was open
        if pending.kind in ("contact", "code") and view.last_action != REFUSE:
            waiting = self._await_code(view, pending)
            if waiting is not None:
                return waiting
        after = self._after_purpose(view, pending, view.active)
        if after == Decision(LISTEN, None) and view.last_action == CONFIRM:
            # The code was for a contact that had been put right in the middle of something.
            return (
                Decision(ASK, pending.held) if pending.held is not None else replace(self._return(view), pending=None)
            )
        return after

    def _after_purpose(self, view: TurnView, pending: Pending, active: frozenset[str]) -> Decision:
        """After the answer to a purpose or its optional items: what is next to be asked, or what was held back."""
        purpose = pending.purposes[0]
        if pending.kind != "optional" and purpose not in active:
            return self._after_refusal(view, pending)
        open_items = self._open_choices(purpose, view)
        if open_items and pending.kind != "optional":
            return Decision(ASK, Pending("optional", pending.action, pending.purposes, items=open_items))
        return self._go_on(pending.action, self._rest(pending, view), view)

    def _rest(self, pending: Pending, view: TurnView) -> tuple[str, ...]:
        """Return what is still to be asked after the answer to the first purpose."""
        beside = [name for name in self._asking.beside.get(pending.purposes[0], ()) if name in view.due]
        return tuple(dict.fromkeys([*pending.purposes[1:], *beside]))

    def _await_code(self, view: TurnView, pending: Pending) -> Decision | None:
        """Wait for contact or code, unless it came; what needs no such purpose goes on while the code is on its way."""
        if pending.purposes[0] in (view.active or ()):
            return None
        needed = pending.purposes[0] in self._asking.guards.get(pending.action or "", ())
        if needed or pending.action is None or pending.purposes[0] not in view.waiting:
            return Decision(LISTEN)
        return self._go_on(pending.action, self._rest(pending, view), view)

    def _after_refusal(self, view: TurnView, pending: Pending) -> Decision:
        if view.last_action == LIMIT and pending.items:
            return Decision(LISTEN)  # what was left out is needed, and the person is asked whether it may be used
        if view.last_action != REFUSE:
            return Decision(UNAVAILABLE, pending=None)
        if pending.purposes[0] in self._asking.guards.get(pending.action or "", ()):
            return Decision(LISTEN, pending=None)
        return self._go_on(pending.action, pending.purposes[1:], view)

    def _go_on(self, action: str | None, purposes: Sequence[str], view: TurnView) -> Decision:
        """Ask for the next purpose that is missing, or run what was held back."""
        active = view.active or frozenset()
        rest = tuple(name for name in purposes if name not in active)
        if rest:
            return Decision(ASK, Pending("consent", action, rest))
        missing = [name for name in self._asking.guards.get(action or "", ()) if name not in active]
        return Decision(LISTEN if missing else action or LISTEN, pending=None)

    def _open_choices(self, purpose: str, view: TurnView) -> tuple[str, ...]:
        items = self._asking.choices.get(purpose, ())
        return tuple(item for item in items if choice(purpose, item) not in view.answered)

    def _return(self, view: TurnView) -> Decision:
        """After an answer: back to the question that waits, to the loop that runs, or to the person."""
        if view.last_action == WITHDRAW and is_withdrawn(view):
            return replace(self._return(replace(view, pending=None)), pending=None)
        asks_again = comes_back(view.last_action, view)
        if view.is_paused or (view.pending is not None and view.last_action in WAITING and not asks_again):
            return Decision(LISTEN)
        held = self._guard_loop(view)
        if held is not None and view.last_action in CLOSING:
            stands = asks_again and view.pending is not None and view.pending.action != view.active_loop
            return Decision(ASK if stands else LISTEN, view.pending if stands else None, end_loop=True)
        if view.last_action == EXPLAIN and view.intent in (MORE, UNSURE):
            return Decision(LISTEN)
        if asks_again and view.pending is not None:
            return Decision(asked_by(view.pending), view.pending)
        return Decision(view.active_loop if view.active_loop is not None and held is None else LISTEN)

    def _on_message(self, view: TurnView) -> Decision | None:
        request = REQUESTS.get(view.intent or "")
        if request == STOP:
            return Decision(STOP, None, end_loop=True)
        is_declined = declined(view)
        if is_declined is not None and view.pending is not None:
            return Decision(REFUSE) if is_declined else unclear(view.pending)
        if request is not None:
            # What is asked again stands; after anything else a "yes" would answer something else.
            stands = request == EXPLAIN and not view.bot_answers_too
            if stands or comes_back(request, view):
                return Decision(request)
            return Decision(request, beneath(request, view))
        return self._on_reply(view, view.pending)

    def _on_reply(self, view: TurnView, pending: Pending | None) -> Decision | None:
        if view.intent in OF_A_CODE and (view.waiting or (pending is not None and pending.kind == "code")):
            return Decision(OF_A_CODE[view.intent])
        if pending is None and view.named and view.intent in YES_OR_NO:
            return self._on_late_button(view, view.named[0])
        if pending is None or view.intent not in REPLIES:
            # A confirmation that is late or comes twice is previewed again, or told that nothing is stored.
            return Decision(ERASE) if view.intent == "privacy_confirm" else None
        # A button of another question is no answer to this one; neither is it to leave out again what is needed.
        answer = ANSWERED_BY[pending.kind].get(str(view.intent))
        if answer is not None and not (answer == LIMIT and pending.kind == "consent" and pending.items):
            return Decision(answer, pending.held) if answer == UNCHANGED else Decision(answer)
        if pending.kind == "age" and self._asking.asks_year and not pending.repeated:
            # The year of birth is asked for once; what it left open is asked for with yes or no.
            return Decision(ASK, replace(pending, repeated=True))
        return unclear(pending)

    def _on_late_button(self, view: TurnView, topic: str) -> Decision | None:
        if view.is_paused or view.active is None or self._guard_loop(view) is not None:
            return None
        purpose, item = purpose_of(topic), item_of(topic)
        is_open = view.intent == "privacy_grant" and topic not in view.active and not view.is_too_young
        if is_open and not item and purpose in self._asking.choices:
            return _question(Pending("consent", view.active_loop, (purpose,)), view)
        if is_open and purpose in view.active and item in self._asking.choices.get(purpose, ()):
            return Decision(ASK, Pending("optional", view.active_loop, (purpose,), items=(item,)))
        return Decision(LATE)

    def forgets(self, view: TurnView) -> bool:
        """Return whether a message passes the open question by, so that a later "yes" must not answer it."""
        if view.pending is not None and view.pending.kind == "code":
            return False  # the mail may take a while, and nothing but the code is taken for it
        ours = view.intent in REPLIES or view.intent in REQUESTS or view.wants_human
        return view.last_action == LISTEN and view.pending is not None and not ours


def _question(pending: Pending, view: TurnView, *, end_loop: bool = False) -> Decision:
    """Return the first question on the way to these purposes: the age comes before everything else."""
    if view.age is not None:
        pending = replace(pending, kind="age", age=view.age)
    return Decision(ASK, pending, end_loop=end_loop)
