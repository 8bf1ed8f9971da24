"""Talks made up at random: whatever is asked in the middle of what, a yes answers the question that was asked last."""

import random
from dataclasses import replace
from typing import Final

import pytest

from rasa_privacy.actions.base import PrivacyAction, Turn
from rasa_privacy.actions.correcting import Correct
from rasa_privacy.actions.data_rights import KeepData
from rasa_privacy.actions.forgetting import ForgetLast
from rasa_privacy.actions.pending_events import held_beneath
from rasa_privacy.actions.receipts import GiveReceipt
from rasa_privacy.actions.restricting import RestrictProcessing
from rasa_privacy.actions.statuses import RequestStatus
from rasa_privacy.dialogue.aftermath import QUESTIONS
from rasa_privacy.dialogue.names import (
    ACTIONS,
    ASK,
    CONFIRM,
    EXPLAIN,
    GRANT,
    LIMIT,
    LISTEN,
    PENDING_SLOT,
    REPLIES,
    REQUESTS,
    SEND_CODE,
    UNCLEAR,
    action_of,
)
from rasa_privacy.dialogue.turn_view import Decision
from rasa_privacy.errors import LedgerError
from rasa_privacy.policy.topics import item_of
from rasa_privacy.storage.vault import Vault
from tests.support import talk
from tests.support.vaults import evidence

#: After these a question about consent was said last, or what is shown with its buttons.
ASKED: Final = (ASK, GRANT, LIMIT, SEND_CODE, CONFIRM, UNCLEAR, EXPLAIN)
ALL: Final[dict[str, PrivacyAction]] = {
    **talk._ACTIONS,
    **{
        each.name(): each
        for each in (Correct(), KeepData(), ForgetLast(), GiveReceipt(), RestrictProcessing(), RequestStatus())
    },
}
TOPICS: Final = ("draw", "newsletter", "fitting", "draw:postcode", "newsletter:birthday")
#: What leads to a question, or answers one.
OFTEN: Final = (*["wish", "privacy_grant"] * 8, *["privacy_withdraw", "privacy_restrict", "privacy_confirm"] * 3)
TURNS: Final = 25


class Walk(talk.Talk):
    """A talk in which any intent may come, with anything named in it.

    Attributes:
        last: The last action of the turn before.
        done: What ran in this turn.
    """

    last: str = LISTEN
    done: list[str]

    def hear(self, intent: str, wanted: str, named: tuple[str, ...], also: tuple[str, ...]) -> None:
        """Take a turn as Rasa does, with the question that is open in it."""
        pending, last, own = self.pending, LISTEN, wanted
        is_open = pending is not None and (pending.kind == "code" or self.last in QUESTIONS)
        if not is_open:
            self.slots[PENDING_SLOT] = None  # as the policy does
        self.done = []
        for _ in range(TURNS):
            ran = tuple(each for each in reversed(self.done) if each in ACTIONS)
            view = replace(self._view(intent, last), named=named, also=also, ran=ran)
            if self._turns.forgets(view):
                self.slots[PENDING_SLOT] = None
            decision = self._turns.decide(view) or self._turns.gate(own, view) or Decision(own)
            if decision.pending is not ...:
                self.slots[PENDING_SLOT] = decision.pending.to_slot() if decision.pending else None
            last, own = decision.action, LISTEN
            self.loop = None if decision.end_loop else self.loop
            if last == LISTEN:
                return
            self.done.append(last)
            # Of a message that is two requests each action answers its own.
            own_intent = next((each for each in (intent, *also) if action_of(each) == last), intent)
            self._act(last, own_intent, named)
        raise AssertionError(f"the turn does not end: {self.done}")

    def _act(self, action: str, intent: str, named: tuple[str, ...]) -> None:
        if action not in ALL:
            self.loop = action if action.endswith("_form") else self.loop
            return
        before = self.pending
        items = tuple(item for each in named if (item := item_of(each)))
        purposes = tuple(each for each in named if each in self.vault.policy.purposes)
        turn = Turn(self.sender, intent, purposes, before, evidence(self.vault), {}, items=items, text="a@b.example")
        try:
            replies = ALL[action].answer(self.vault, turn)
        except LedgerError:
            return  # such as "leave something out", which names nothing
        for event in held_beneath(action, before, (each for reply in replies for each in reply.events)):
            if event.get("event") == "slot":
                self.slots[event["name"]] = event["value"]


def made_up(walk: Walk, chance: random.Random) -> tuple[str, tuple[str, ...]]:
    """Take a turn that nobody thought of; return its intent and what it named."""
    intent = chance.choice([*REQUESTS, *REPLIES, *OFTEN])
    named = tuple(chance.sample(TOPICS, chance.choice([0, 0, 0, 1, 2]))) if intent != "wish" else ()
    also = tuple(chance.sample([*REQUESTS], chance.choice([0, 0, 0, 1]))) if intent in REQUESTS else ()
    walk.hear(intent, chance.choice(["lead_form", "newsletter_form"]) if intent == "wish" else LISTEN, named, also)
    return intent, named


@pytest.mark.parametrize("seed", range(8))
def test_a_yes_answers_the_question_that_was_asked_last(vault: Vault, seed: int) -> None:
    """And no question about consent is left open behind something else, to which a yes would be an answer."""
    chance, granted = random.Random(seed), 0  # noqa: S311 - talks to try
    for number in range(12):
        walk = Walk(vault, f"person {number}")
        for _ in range(TURNS):
            said = made_up(walk, chance)
            assert GRANT not in walk.done or walk.last in ASKED, (said, walk.last, walk.done)
            granted += GRANT in walk.done
            walk.last = walk.done[-1] if walk.done else walk.last
            left = walk.pending
            if left is not None and left.is_about_consent and left.kind != "code" and walk.last in QUESTIONS:
                assert walk.last in ASKED, (said, left, walk.done)
    assert granted > 5
