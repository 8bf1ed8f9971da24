"""The privacy turns as a table: what the bot does next, given what it sees."""

from dataclasses import replace
from typing import Any

import pytest

from rasa_privacy.dialogue.names import (
    ASK,
    CLOSED,
    CORRECT,
    ERASE,
    EXPLAIN,
    EXPORT,
    FALLBACK,
    GRANT,
    INTENTS,
    KEEP,
    LATE,
    LISTEN,
    MORE,
    NOT_ERASED,
    PREVIEW,
    RECEIPT,
    REFUSE,
    REPLIES,
    RESTRICT,
    SHOW,
    STATUS,
    STOP,
    UNAVAILABLE,
    UNCHANGED,
    UNCLEAR,
    UNSURE,
    WITHDRAW,
)
from rasa_privacy.dialogue.turn_view import Asking, Decision, Pending, TurnView
from rasa_privacy.dialogue.turns import Turns
from rasa_privacy.policy.contacts import PROOF
from rasa_privacy.policy.own_intents import REQUEST_NAMES

TURNS = Turns(Asking({"lead_form": ("draw",), "newsletter_form": ("newsletter",), "both_form": ("draw", "newsletter")}))
CONSENT = Pending("consent", "lead_form", ("draw",))
ERASURE = Pending("erase")


def view(  # noqa: PLR0913 - one parameter for each field, so that a test names only what it is about
    intent: str | None = None,
    *,
    last: str = LISTEN,
    ok: bool = True,
    pending: Pending | None = None,
    loop: str | None = None,
    active: frozenset[str] | None = frozenset(),
) -> TurnView:
    """Return a view with harmless defaults."""
    return TurnView(intent, last, ok, pending, loop, active)


DRAW = frozenset({"draw"})


@pytest.mark.parametrize(
    ("seen", "action"),
    [
        (view("privacy_delete"), PREVIEW),
        (view("privacy_delete", loop="lead_form", active=DRAW), PREVIEW),
        (view("privacy_access", loop="lead_form", active=DRAW), SHOW),
        (view("privacy_why", pending=CONSENT), EXPLAIN),
        (view("privacy_unsure"), EXPLAIN),
        (view("privacy_withdraw"), WITHDRAW),
        (view("privacy_stop"), STOP),
        (view("privacy_grant", pending=CONSENT), GRANT),
        (view("privacy_refuse", pending=CONSENT), REFUSE),
        (view("privacy_cancel", pending=CONSENT), UNCLEAR),
        (view("privacy_confirm", pending=CONSENT), UNCLEAR),
        (view("privacy_unclear", pending=CONSENT), UNCLEAR),
        (view("privacy_confirm", pending=ERASURE), ERASE),
        (view("privacy_grant", pending=ERASURE), UNCLEAR),
        (view("privacy_cancel", pending=ERASURE), KEEP),
        (view("privacy_refuse", pending=ERASURE), UNCLEAR),
    ],
)
def test_message_is_answered_by_its_privacy_turn(seen: TurnView, action: str) -> None:
    """A privacy request or an awaited answer is served whatever else is going on."""
    decision = TURNS.decide(seen)
    assert decision is not None
    assert decision.action == action


@pytest.mark.parametrize(
    "intent", ["privacy_grant", "privacy_cancel", "privacy_refuse", "privacy_unclear", "enter_draw"]
)
def test_answer_without_a_question_decides_nothing(intent: str) -> None:
    """A yes that answers nothing is no consent and no erasure."""
    assert TURNS.decide(view(intent)) is None


def named(intent: str, topic: str, **more: Any) -> TurnView:
    """Return a view of a button that names its question, which is closed."""
    return replace(view(intent, **more), named=(topic,))


LATE_TURNS = Turns(
    Asking({"lead_form": ("draw",)}, choices={"draw": ("postcode",), "newsletter": ()}),
)


@pytest.mark.parametrize(
    ("seen", "decision"),
    [
        (named("privacy_grant", "draw"), Decision(ASK, Pending("consent", None, ("draw",)))),
        (
            named("privacy_grant", "newsletter", loop="lead_form", active=DRAW),
            Decision(ASK, Pending("consent", "lead_form", ("newsletter",))),
        ),
        (
            named("privacy_grant", "draw:postcode", active=DRAW),
            Decision(ASK, Pending("optional", None, ("draw",), items=("postcode",))),
        ),
        (named("privacy_grant", "draw:postcode"), Decision(LATE)),
        (named("privacy_grant", "draw", active=DRAW), Decision(LATE)),
        (named("privacy_grant", "gone"), Decision(LATE)),
        (named("privacy_grant", "draw:gone", active=DRAW), Decision(LATE)),
        (named("privacy_grant", "minimum_age:16"), Decision(LATE)),
        (named("privacy_refuse", "newsletter", active=DRAW), Decision(LATE)),
        (replace(named("privacy_grant", "draw"), is_too_young=True), Decision(LATE)),
        (replace(named("privacy_grant", "draw"), is_paused=True), None),
        (named("privacy_grant", "draw", active=None), None),
    ],
)
def test_a_late_button_is_asked_afresh_or_changes_nothing(seen: TurnView, decision: Decision | None) -> None:
    """A yes to a question that is closed is never a grant: what was shown then may not be what holds now."""
    assert LATE_TURNS.decide(seen) == decision


def test_a_late_yes_asks_for_the_age_first() -> None:
    """As any other way to the question does."""
    decision = LATE_TURNS.decide(replace(named("privacy_grant", "draw"), age=16))
    assert decision == Decision(ASK, Pending("age", None, ("draw",), age=16))


def test_a_form_goes_on_after_a_late_button() -> None:
    """It repeats its question; without one the bot listens."""
    assert LATE_TURNS.decide(view(last=LATE, loop="lead_form", active=DRAW)) == Decision("lead_form")
    assert LATE_TURNS.decide(view(last=LATE)) == Decision(LISTEN)


def test_a_late_or_second_confirmation_is_answered() -> None:
    """By the action that erases, which previews again or says that nothing is stored; it never erases on this alone."""
    assert TURNS.decide(view("privacy_confirm")) == Decision(ERASE)


def test_stop_ends_the_form_and_every_question() -> None:
    """STOP in a form ends the form and whatever was being asked."""
    assert TURNS.decide(view("privacy_stop", loop="lead_form", active=DRAW)) == Decision(STOP, None, end_loop=True)


@pytest.mark.parametrize("last", [ASK, STOP, PREVIEW, ERASE, KEEP])
def test_bot_listens_after_the_turn(last: str) -> None:
    """Nothing more is said after a turn that ends with the bot's words."""
    assert TURNS.decide(view(last=last)) == Decision(LISTEN)


@pytest.mark.parametrize("last", [ASK, GRANT, REFUSE, WITHDRAW, STOP, PREVIEW, SHOW, EXPLAIN, KEEP])
def test_action_that_did_not_report_success_is_not_believed(last: str) -> None:
    """When the action server is down the person is told, and the question is closed."""
    assert TURNS.decide(view(last=last, ok=False, pending=CONSENT)) == Decision(UNAVAILABLE, None)


def test_failed_erasure_is_named_as_such() -> None:
    """After an erasure that failed the person hears that nothing was deleted."""
    assert TURNS.decide(view(last=ERASE, ok=False, pending=ERASURE)) == Decision(NOT_ERASED, None)


def test_grant_resumes_the_action_that_was_held_back() -> None:
    """Nobody has to type the wish twice."""
    assert TURNS.decide(view(last=GRANT, pending=CONSENT, active=DRAW)) == Decision("lead_form", None)


@pytest.mark.parametrize("active", [frozenset(), None, frozenset({"newsletter"})])
def test_reported_grant_that_the_ledger_does_not_show_opens_nothing(active: frozenset[str] | None) -> None:
    """The ledger decides, not the action's report."""
    assert TURNS.decide(view(last=GRANT, pending=CONSENT, active=active)) == Decision(UNAVAILABLE, None)


def test_second_purpose_is_asked_after_the_first() -> None:
    """An action with two purposes needs a yes to each, asked one after the other."""
    both = Pending("consent", "both_form", ("draw", "newsletter"))
    asked = TURNS.decide(view(last=GRANT, pending=both, active=DRAW))
    assert asked == Decision(ASK, Pending("consent", "both_form", ("newsletter",)))


def test_question_comes_again_after_an_explanation() -> None:
    """The question "why do you need this?" is answered, and then ours stands again."""
    assert TURNS.decide(view("privacy_why", last=EXPLAIN, pending=CONSENT)) == Decision(ASK, CONSENT)
    assert TURNS.decide(view("privacy_unsure", last=EXPLAIN, pending=CONSENT)) == Decision(LISTEN)


def test_form_goes_on_after_an_answer() -> None:
    """A question about privacy in the middle of a form does not end the form."""
    assert TURNS.decide(view(last=SHOW, loop="lead_form", active=DRAW)) == Decision("lead_form")


def test_form_ends_when_its_consent_was_withdrawn() -> None:
    """After a withdrawal in a form nothing more is asked."""
    assert TURNS.decide(view(last=WITHDRAW, loop="lead_form")) == Decision(LISTEN, None, end_loop=True)


def test_loop_that_runs_without_consent_is_ended_and_asked_for() -> None:
    """A form that a FollowupAction started past the ensemble is caught at the next prediction."""
    assert TURNS.decide(view(last="lead_form", loop="lead_form")) == Decision(ASK, CONSENT, end_loop=True)


def test_gate_lets_an_allowed_action_run() -> None:
    """With active consent, and for actions that nothing guards, the gate is not noticed."""
    assert TURNS.gate("lead_form", view(active=DRAW)) is None
    assert TURNS.gate("utter_opening_hours", view(active=None)) is None


def test_gate_asks_for_what_is_missing_only() -> None:
    """A purpose that is active already is not asked about again."""
    decision = TURNS.gate("both_form", view(active=DRAW))
    assert decision == Decision(ASK, Pending("consent", "both_form", ("newsletter",)))


def test_gate_closes_when_the_ledger_cannot_be_read() -> None:
    """No ledger, no consent."""
    assert TURNS.gate("lead_form", view(active=None)) == Decision(CLOSED, None)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "yes",
        3,
        [],
        {},
        {"kind": "all"},
        {"kind": "consent", "purposes": "draw"},
        {"kind": "consent", "purposes": [1]},
    ],
)
def test_foreign_slot_value_is_no_pending_question(value: object) -> None:
    """The slot can be set through the HTTP API; what is not ours counts as nothing."""
    assert Pending.from_slot(value) is None


def test_question_that_is_passed_by_is_forgotten() -> None:
    """A "yes" that comes after something else answers something else."""
    assert TURNS.forgets(view("ask_opening_hours", pending=CONSENT))
    assert not TURNS.forgets(view("privacy_grant", pending=CONSENT))
    assert not TURNS.forgets(view("privacy_why", pending=CONSENT))
    assert TURNS.decide(view("privacy_restrict", pending=CONSENT)) == Decision(RESTRICT, None)


@pytest.mark.parametrize(
    ("intent", "action"),
    [
        ("privacy_access", SHOW),
        ("privacy_export", EXPORT),
        ("privacy_receipt", RECEIPT),
        ("privacy_status", STATUS),
        ("privacy_why", EXPLAIN),
    ],
)
@pytest.mark.parametrize(
    "pending", [CONSENT, Pending("age", "lead_form", ("draw",), age=16)], ids=lambda each: each.kind
)
def test_a_question_about_consent_comes_back_after_what_was_shown(intent: str, action: str, pending: Pending) -> None:
    """So what the person wanted is not lost, and a "yes" answers what was asked last; not beside a human."""
    asked = view(intent, pending=pending)
    assert TURNS.decide(asked) == Decision(action)
    assert TURNS.decide(replace(asked, last_action=action)) == Decision(ASK, pending)
    assert TURNS.decide(replace(asked, last_action=action, succeeded=False)) == Decision(UNAVAILABLE, None)
    assert TURNS.decide(replace(asked, last_action=action, is_paused=True)) == Decision(LISTEN)


def test_a_question_for_a_proof_does_not_come_back_by_itself() -> None:
    """What was asked for first is answered after the proof; asked for anew, it asks for the proof anew."""
    proof = Pending("contact", SHOW, (PROOF,))
    assert TURNS.decide(view("privacy_access", pending=proof)) == Decision(SHOW, None)
    assert TURNS.decide(view("privacy_access", last=SHOW, pending=proof)) == Decision(LISTEN)


def test_of_two_requests_in_an_open_question_the_second_may_end_it() -> None:
    """After "show me my data and delete it" the question is the one about the deletion."""
    both = replace(view("privacy_access", pending=CONSENT), also=("privacy_delete",))
    assert TURNS.decide(both) == Decision(SHOW)
    assert TURNS.decide(replace(both, last_action=SHOW, ran=(SHOW,))) == Decision(PREVIEW)
    shown = replace(both, also=("privacy_receipt",), last_action=SHOW, ran=(SHOW,))
    assert TURNS.decide(shown) == Decision(RECEIPT)
    assert TURNS.decide(replace(shown, last_action=RECEIPT, ran=(SHOW, RECEIPT))) == Decision(ASK, CONSENT)


def test_grant_whose_report_was_lost_is_not_denied() -> None:
    """What stands in the ledger is not called undone."""
    lost = view(last=GRANT, ok=False, pending=CONSENT, active=DRAW)
    assert TURNS.decide(lost) == Decision("lead_form", None)


def test_pending_survives_the_slot() -> None:
    """What is written to the slot is what is read back."""
    for pending in (CONSENT, ERASURE, Pending("consent", None, ("a", "b"), dropped=True)):
        assert Pending.from_slot(pending.to_slot()) == pending


def test_nothing_goes_on_in_a_paused_conversation() -> None:
    """What was asked is answered; neither the form nor our own question comes back while a human is there."""
    assert TURNS.decide(replace(view("privacy_access", active=DRAW), is_paused=True)) == Decision(SHOW, None)
    for seen in (view(last=SHOW, loop="lead_form", active=DRAW), view("privacy_why", last=EXPLAIN, pending=CONSENT)):
        assert TURNS.decide(replace(seen, is_paused=True)) == Decision(LISTEN)


def test_what_the_year_of_birth_leaves_open_is_asked_for_once_more() -> None:
    """With yes or no then; what stays unclear after that counts as no. Without `ask_age: year` it is as ever."""
    age = Pending("age", "lead_form", ("draw",), age=16)
    asking = Turns(Asking({"lead_form": ("draw",)}, asks_year=True))
    repeated = replace(age, repeated=True)
    assert asking.decide(view("privacy_unclear", pending=age)) == Decision(ASK, repeated)
    assert asking.decide(view("privacy_unclear", pending=repeated)) == Decision(REFUSE)
    assert asking.decide(view("privacy_grant", pending=repeated)) == Decision(GRANT)
    assert TURNS.decide(view("privacy_unclear", pending=age)) == Decision(UNCLEAR, repeated)


def test_a_message_that_is_two_requests_is_answered_twice() -> None:
    """The second action runs after the first, and once; it does not run where the first failed."""
    both = replace(view("privacy_access", last=SHOW), also=("privacy_delete",), ran=(SHOW,))
    assert TURNS.decide(replace(both, last_action=LISTEN, ran=())) == Decision(SHOW, None)
    assert TURNS.decide(both) == Decision(PREVIEW, None)
    assert TURNS.decide(replace(both, last_action=PREVIEW, ran=(PREVIEW, SHOW))) == Decision(LISTEN)
    failed = TURNS.decide(replace(both, succeeded=False))
    assert failed is not None
    assert failed.action == UNAVAILABLE


@pytest.mark.parametrize("action", [ERASE, CORRECT])
def test_a_question_that_an_action_left_is_waited_for(action: str) -> None:
    """Also while a form runs; without one the form goes on."""
    seen = view("privacy_correct", last=action, loop="lead_form", active=DRAW)
    assert TURNS.decide(replace(seen, pending=Pending("correct", items=("email",)))) == Decision(LISTEN)
    assert TURNS.decide(seen) == Decision("lead_form")


def test_a_form_whose_purpose_was_deleted_or_restricted_just_ends() -> None:
    """The person knows why, so nobody asks for consent again."""
    for action in (ERASE, RESTRICT, WITHDRAW):
        ended = TURNS.decide(view("privacy_restrict", last=action, loop="lead_form"))
        assert ended == Decision(LISTEN, pending=None, end_loop=True)


def test_what_is_no_value_is_asked_for_once_more_and_then_left() -> None:
    """By the action that asked, which knows the words."""
    asked = Pending("correct", items=("email",))
    again = TURNS.decide(view("privacy_unclear", pending=asked))
    assert again == Decision(CORRECT, replace(asked, repeated=True))
    assert TURNS.decide(view("privacy_unclear", pending=replace(asked, repeated=True))) == Decision(CORRECT, None)
    assert TURNS.decide(view("privacy_value", pending=asked)) == Decision(CORRECT)
    assert TURNS.decide(view("privacy_refuse", pending=asked)) == Decision(CORRECT)
    assert TURNS.forgets(view("enter_draw", pending=asked))


WHICH = Pending("which", "privacy_withdraw", ("draw", "newsletter"))


def test_which_purpose_is_meant_is_waited_for() -> None:
    """Also in a form, whose own question would drown it; a no changes nothing, and the form goes on."""
    assert TURNS.decide(view(last=WITHDRAW, pending=WHICH, loop="lead_form", active=DRAW)) == Decision(LISTEN)
    assert TURNS.decide(view("privacy_withdraw", pending=WHICH)) == Decision(WITHDRAW, None)
    for said in ("privacy_cancel", "privacy_refuse"):
        assert TURNS.decide(view(said, pending=WHICH)) == Decision(UNCHANGED, None)
    assert TURNS.decide(view(last=UNCHANGED, loop="lead_form", active=DRAW)) == Decision("lead_form")
    assert TURNS.decide(view(last=UNCHANGED)) == Decision(LISTEN)
    assert TURNS.forgets(view("enter_draw", pending=WHICH))


@pytest.mark.parametrize(
    ("request_", "action"),
    [
        ("privacy_withdraw", WITHDRAW),
        ("privacy_lift", RESTRICT),
        ("privacy_correct", CORRECT),
        ("privacy_why", UNCHANGED),
        ("nothing", UNCHANGED),
    ],
)
def test_which_purpose_is_meant_is_asked_twice_at_most(request_: str, action: str) -> None:
    """By the action that asked; the slot may hold anything, which ends the question."""
    asked = replace(WHICH, action=request_)
    for said in ("privacy_unclear", "privacy_confirm"):
        assert TURNS.decide(view(said, pending=asked)) == Decision(action, replace(asked, repeated=True))
        assert TURNS.decide(view(said, pending=replace(asked, repeated=True))) == Decision(UNCHANGED, None)


def test_a_question_of_ours_comes_back_after_an_explanation_in_its_own_words() -> None:
    """Each by the action that asks it."""
    value = Pending("correct", items=("email",))
    for pending, action in ((WHICH, WITHDRAW), (value, CORRECT), (CONSENT, ASK)):
        assert TURNS.decide(view("privacy_why", last=EXPLAIN, pending=pending)) == Decision(action, pending)
        assert TURNS.decide(view("privacy_why", last=action, pending=pending)) == Decision(LISTEN)


def test_what_may_be_mapped_is_every_request_of_ours() -> None:
    """privacy.yml may name each of them, and nothing that only answers or asks back."""
    requests = {name for name in INTENTS if name not in REPLIES} - {MORE, UNSURE}
    assert {f"privacy_{name}" for name in REQUEST_NAMES} == requests


def test_the_bots_own_hand_over_follows_the_record_of_the_wish() -> None:
    """Our turn first, then the bot's policies decide; also where ours failed, once that was said."""
    wish = replace(view("privacy_human", pending=CONSENT), bot_answers_too=True)
    assert TURNS.decide(wish) == Decision(EXPLAIN)
    recorded = replace(wish, pending=None, last_action=EXPLAIN)
    assert TURNS.decide(recorded) is None
    assert TURNS.decide(replace(recorded, succeeded=False)) == Decision(UNAVAILABLE)
    assert TURNS.decide(replace(recorded, last_action=UNAVAILABLE)) is None
    assert TURNS.decide(replace(recorded, last_action="utter_talk_to_human")) is None
    assert TURNS.decide(replace(recorded, bot_answers_too=False)) == Decision(LISTEN)


def test_a_bot_without_an_answer_of_its_own_goes_on_after_ours() -> None:
    """It does not say that it has not understood; a form asks on, and so does a question about consent."""
    said = replace(view("privacy_human", last=EXPLAIN), bot_answers_too=True, wants_human=True)
    assert TURNS.gate(FALLBACK, said) == Decision(LISTEN)
    assert TURNS.gate(FALLBACK, replace(said, active_loop="lead_form", active=DRAW)) == Decision("lead_form")
    assert TURNS.gate(FALLBACK, replace(said, pending=CONSENT)) == Decision(ASK, CONSENT)
    assert TURNS.gate(FALLBACK, replace(said, last_action=UNAVAILABLE)) == Decision(LISTEN)
    assert TURNS.gate("utter_talk_to_human", said) is None
