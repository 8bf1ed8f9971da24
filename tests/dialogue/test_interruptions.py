"""A question about consent that is interrupted comes back by itself, once, and nothing comes back after a deletion."""

from dataclasses import replace

import pytest

from rasa_privacy.dialogue.names import (
    ASK,
    CONFIRM,
    CORRECT,
    ERASE,
    EXPLAIN,
    FORGET,
    KEEP,
    LISTEN,
    PREVIEW,
    REFUSE,
    REQUESTS,
    RESTRICT,
    SHOW,
    UNCHANGED,
    UNCLEAR,
    WITHDRAW,
)
from rasa_privacy.dialogue.turn_view import Asking, Decision, Pending, TurnView
from rasa_privacy.dialogue.turns import Turns
from rasa_privacy.policy.contacts import PROOF

TURNS = Turns(Asking({"draw_form": ("draw",), "newsletter_form": ("newsletter",)}, {"draw": ("postcode",)}))
DRAW = frozenset({"draw"})
NEWSLETTER = Pending("consent", "newsletter_form", ("newsletter",))
OPTIONAL = Pending("optional", "draw_form", ("draw",), items=("postcode",))
AGE = Pending("age", "newsletter_form", ("newsletter",), age=16)
CODE = Pending("code", "newsletter_form", ("newsletter",))
ABOUT_CONSENT = [NEWSLETTER, OPTIONAL, AGE, CODE]


def view(
    intent: str | None = None,
    *,
    last: str = LISTEN,
    pending: Pending | None = None,
    loop: str | None = None,
    active: frozenset[str] = DRAW,
) -> TurnView:
    """Return a view with harmless defaults."""
    return TurnView(intent, last, succeeded=True, pending=pending, active_loop=loop, active=active)


@pytest.mark.parametrize("pending", ABOUT_CONSENT, ids=lambda each: each.kind)
@pytest.mark.parametrize(
    ("intent", "action"),
    [
        ("privacy_correct", CORRECT),
        ("privacy_withdraw", WITHDRAW),
        ("privacy_delete", PREVIEW),
        ("privacy_access", SHOW),
        ("privacy_human", EXPLAIN),
    ],
)
def test_a_question_stands_while_a_request_is_answered(intent: str, action: str, pending: Pending) -> None:
    """It is asked again after it, and not beside a human; where the request failed it is not."""
    asked = view(intent, pending=pending)
    assert TURNS.decide(asked) == Decision(action)
    done = replace(asked, last_action=action)
    assert TURNS.decide(done) == Decision(ASK, pending)
    assert TURNS.decide(replace(done, is_paused=True)) == Decision(LISTEN)
    failed = TURNS.decide(replace(done, succeeded=False))
    assert failed is not None
    assert failed.pending is None


def test_a_question_is_held_beneath_that_of_the_request() -> None:
    """It waits until that is answered; a deletion that was not carried out, or cancelled, gives it back."""
    erasure = Pending("erase", held=NEWSLETTER)
    assert TURNS.decide(view("privacy_delete", last=PREVIEW, pending=erasure)) == Decision(LISTEN)
    assert TURNS.decide(view("privacy_cancel", pending=erasure)) == Decision(KEEP)
    assert TURNS.decide(view("privacy_cancel", last=KEEP, pending=NEWSLETTER)) == Decision(ASK, NEWSLETTER)
    assert TURNS.decide(view("privacy_unclear", pending=erasure)) == Decision(UNCLEAR, replace(erasure, repeated=True))
    assert TURNS.decide(view("privacy_unclear", pending=replace(erasure, repeated=True))) == Decision(KEEP)
    # Another request in the middle of that goes back to the first question, not to the deletion.
    assert TURNS.decide(view("privacy_access", pending=erasure)) == Decision(SHOW, NEWSLETTER)


def test_nothing_comes_back_after_a_deletion() -> None:
    """Who has just been forgotten is not asked for data."""
    assert TURNS.decide(view("privacy_confirm", last=ERASE, pending=None)) == Decision(LISTEN)
    assert TURNS.decide(view("privacy_confirm", last=ERASE, pending=NEWSLETTER)) == Decision(LISTEN)


@pytest.mark.parametrize("kind", ["which", "correct"])
def test_a_question_comes_back_where_which_or_what_is_not_answered(kind: str) -> None:
    """After a no, or what stays unclear."""
    asked = Pending(kind, "privacy_withdraw", ("draw",), items=("email",), held=NEWSLETTER)  # type: ignore[arg-type]
    action = CORRECT if kind == "correct" else UNCHANGED
    refused = Decision(CORRECT) if kind == "correct" else Decision(UNCHANGED, NEWSLETTER)
    assert TURNS.decide(view("privacy_refuse", pending=asked)) == refused
    unclear = view("privacy_unclear", pending=replace(asked, repeated=True))
    assert TURNS.decide(unclear) == Decision(action, NEWSLETTER)
    assert TURNS.decide(view("privacy_unclear", last=action, pending=NEWSLETTER)) == Decision(ASK, NEWSLETTER)


def test_a_withdrawal_of_what_is_asked_for_answers_it() -> None:
    """It is a no; so is one of the purpose whose optional item is asked about. The form that lacks it ends."""
    named = replace(view("privacy_withdraw", last=WITHDRAW, pending=NEWSLETTER), named=("newsletter",))
    assert TURNS.decide(named) == Decision(LISTEN, None)
    gone = replace(view(last=WITHDRAW, pending=OPTIONAL, active=frozenset()), named=("draw",))
    assert TURNS.decide(gone) == Decision(LISTEN, None)
    in_form = replace(view(last=WITHDRAW, pending=NEWSLETTER, loop="draw_form", active=frozenset()), named=("draw",))
    assert TURNS.decide(in_form) == Decision(ASK, NEWSLETTER, end_loop=True)


@pytest.mark.parametrize("last", [CORRECT, WITHDRAW, KEEP, SHOW, EXPLAIN, PREVIEW, UNCHANGED])
def test_the_question_of_a_form_comes_back(last: str) -> None:
    """As long as the form has the consent that it needs."""
    assert TURNS.decide(view(last=last, loop="draw_form")) == Decision("draw_form")


def test_a_question_comes_back_after_the_bots_own_hand_over() -> None:
    """Once, when the bot has said how to reach a human; not where a human has taken the conversation over."""
    wish = replace(view("talk_to_human", pending=NEWSLETTER), wants_human=True)
    assert TURNS.decide(wish) is None
    assert not TURNS.forgets(wish)
    said = replace(wish, last_action="utter_human")
    assert TURNS.gate(LISTEN, wish) is None
    assert TURNS.gate(LISTEN, said) == Decision(ASK, NEWSLETTER)
    assert TURNS.gate(LISTEN, replace(said, is_paused=True)) is None
    assert TURNS.gate(LISTEN, replace(said, ran=(ASK,))) is None
    assert TURNS.gate(LISTEN, replace(said, wants_human=False)) is None
    assert TURNS.gate(LISTEN, replace(said, pending=Pending("erase"))) is None


def test_a_question_comes_back_after_the_code_for_a_corrected_contact() -> None:
    """Else the form goes on, in the middle of which the contact was put right."""
    code = Pending("code", None, ("newsletter",), held=OPTIONAL)
    both = frozenset({"draw", "newsletter"})
    assert TURNS.decide(view("privacy_code", last=CONFIRM, pending=code, active=both)) == Decision(ASK, OPTIONAL)
    alone = view("privacy_code", last=CONFIRM, pending=replace(code, held=None), loop="draw_form", active=both)
    assert TURNS.decide(alone) == Decision("draw_form", None)


def test_what_restricts_ends_the_question() -> None:
    """Who wants less done with their data is not asked for more."""
    assert TURNS.decide(view("privacy_restrict", pending=NEWSLETTER)) == Decision(RESTRICT, None)
    assert TURNS.decide(view("privacy_refuse", last=REFUSE, pending=NEWSLETTER)) == Decision(LISTEN, None)


@pytest.mark.parametrize("intent", [intent for intent, action in REQUESTS.items() if action in {RESTRICT, FORGET}])
def test_a_request_that_ends_the_question_ends_it_where_it_is_held_too(intent: str) -> None:
    """Left open and not asked again, it would take the next "yes" for a consent."""
    which = Pending("which", "privacy_withdraw", ("draw", "newsletter"), held=NEWSLETTER)
    asked = view(intent, pending=which)
    request = TURNS.decide(asked)
    assert request == Decision(REQUESTS[intent], None)
    beside = replace(view("privacy_access", last=SHOW, pending=which), also=(intent,))
    assert TURNS.decide(beside) == Decision(REQUESTS[intent], None)


def test_what_is_held_survives_the_slot_and_nothing_else_does() -> None:
    """The slot can be set through the HTTP API: only a question about consent is held, and only one."""
    held = Pending("erase", held=NEWSLETTER)
    assert Pending.from_slot(held.to_slot()) == held
    proof = Pending("contact", SHOW, (PROOF,))
    for wrong in (proof, Pending("erase"), Pending("consent", None, ("draw",), held=NEWSLETTER)):
        assert Pending.from_slot(Pending("erase", held=wrong).to_slot()) == Pending("erase")
    endless: dict[str, object] = {"kind": "erase"}
    endless["held"] = endless
    assert Pending.from_slot(endless) is None


TWO = Pending("optional", "draw_form", ("draw",), items=("postcode", "birthday"))


@pytest.mark.parametrize(
    ("pending", "named", "active", "decision"),
    [
        (OPTIONAL, ("draw:postcode",), DRAW, Decision(REFUSE)),
        (OPTIONAL, ("draw:postcode", "newsletter:postcode"), DRAW, Decision(REFUSE)),
        # It is on record for something else, so it is taken back there.
        (OPTIONAL, ("draw:postcode", "newsletter:postcode"), DRAW | {"newsletter:postcode"}, Decision(WITHDRAW)),
        (OPTIONAL, ("draw:birthday",), DRAW, Decision(WITHDRAW)),
        (OPTIONAL, ("draw",), DRAW, Decision(WITHDRAW)),
        (OPTIONAL, (), DRAW, Decision(WITHDRAW)),
        (NEWSLETTER, ("draw:postcode",), DRAW, Decision(WITHDRAW)),
        # A no to one of two leaves the other open: it is asked again, and then all count as no.
        (TWO, ("draw:postcode",), DRAW, Decision(UNCLEAR, replace(TWO, repeated=True))),
        (replace(TWO, repeated=True), ("draw:postcode",), DRAW, Decision(REFUSE)),
        (TWO, ("draw:postcode", "draw:birthday"), DRAW, Decision(REFUSE)),
    ],
)
def test_a_withdrawal_of_what_is_being_asked_for_is_the_no(
    pending: Pending, named: tuple[str, ...], active: frozenset[str], decision: Decision
) -> None:
    """There is nothing on record to take back, and asking which consent is meant would ask for what was said."""
    seen = replace(view("privacy_withdraw", pending=pending, active=active), named=named)
    assert TURNS.decide(seen) == decision
