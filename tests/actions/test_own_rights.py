"""Rights turns with bad input: a yes that is late, comes twice, or from somebody else; who is gone meanwhile."""

import re
from dataclasses import replace
from typing import Any

import pytest

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn
from rasa_privacy.actions.consent import WithdrawConsent
from rasa_privacy.actions.correcting import Correct
from rasa_privacy.actions.data_rights import Erase, KeepData, PreviewErasure
from rasa_privacy.actions.explaining import Explain
from rasa_privacy.actions.forgetting import ForgetLast
from rasa_privacy.actions.restricting import RestrictProcessing
from rasa_privacy.actions.statuses import RequestStatus
from rasa_privacy.dialogue.names import PENDING_SLOT
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.extension import extend
from rasa_privacy.storage import requests
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import SENDER, Clock, active, evidence, give, grant, held

VALUES = {
    "draw": {"full_name": "Ana Li", "email": "a@b.example"},
    "fitting": {"full_name": "Ana Li", "phone": "+49 170 5558172"},
}


class Talk:
    """One person's turns with the actions, which carry the open question from one to the next as Rasa does."""

    def __init__(self, vault: Vault, sender: str = SENDER) -> None:
        self.vault = vault
        self.sender = sender
        self.pending: Pending | None = None
        self.replies: list[Reply] = []

    def do(self, action: PrivacyAction, intent: str, **fields: Any) -> str:
        """Run an action and return what it says."""
        how = evidence(self.vault)
        turn = Turn(self.sender, intent, (), pending=self.pending, evidence=how, responses={})
        self.replies = action.answer(self.vault, replace(turn, **fields))
        for event in (event for reply in self.replies for event in reply.events):
            if event.get("name") == PENDING_SLOT:
                self.pending = Pending.from_slot(event["value"])
            elif event["event"] == "reset_slots":
                self.pending = None
        return "\n".join(reply.text for reply in self.replies)

    def ask_for_phone(self) -> str:
        """Ask for the phone number to be deleted."""
        return self.do(PreviewErasure(), "privacy_delete", items=("phone",))

    def agree(self, **fields: Any) -> str:
        """Say yes."""
        return self.do(Erase(), "privacy_confirm", **fields)


@pytest.fixture
def ana(vault: Vault) -> Talk:
    """Return somebody who gave values for two purposes."""
    grant(vault, "draw", "newsletter", "fitting")
    give(vault, VALUES)
    return Talk(vault)


def kinds(vault: Vault) -> list[tuple[str, str, str | None]]:
    """Return kind, state and reason of each request of the person."""
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER)
        found = requests.all_of(connection, subject_id) if subject_id is not None else []
    return sorted((each.kind, each.state, each.reason) for each in found)


def test_a_part_is_previewed_then_deleted_with_a_certificate(vault: Vault, ana: Talk) -> None:
    """The preview counts and says what stays; nothing is deleted before the yes."""
    assert "phone (fitting: 1 value)" in ana.ask_for_phone()
    assert held(vault) == VALUES
    (reply,) = ana.replies
    assert reply.buttons[0]["payload"] == '/privacy_confirm{"privacy_purpose": ["fitting:phone"]}'
    said = ana.agree()
    assert "Your certificate number is ER-" in said
    assert held(vault) == {**VALUES, "fitting": {"full_name": "Ana Li"}}
    assert ana.pending is None
    assert next(event["name"] for event in ana.replies[0].events if event["value"] is None) == "phone"
    assert kinds(vault) == [("item_erasure", "done", "answered")]


def test_a_value_that_is_stored_twice_is_said_once(vault: Vault, ana: Talk) -> None:
    """Typed, it is an entity of the message and then a slot; the certificate counts both, as they are stored."""
    give(vault, {"fitting": {"phone": VALUES["fitting"]["phone"]}})
    assert "phone (fitting: 1 value)" in ana.ask_for_phone()
    give(vault, {"fitting": {"phone": "+44 20 7946 0018"}})
    assert "phone (fitting: 2 values)" in ana.ask_for_phone()
    said = ana.agree()
    assert "phone (fitting: 2 values)" in said
    number = re.search(r"ER-[A-Z0-9-]+", said)
    assert number is not None
    with vault.database.read() as connection:
        certificate = vault.erasures.certificate(connection, number[0])
    assert certificate is not None
    assert certificate.counts["values"] == 3


def test_a_no_takes_the_part_back(vault: Vault, ana: Talk) -> None:
    """And not a request to be deleted as a whole."""
    ana.ask_for_phone()
    ana.do(KeepData(), "privacy_cancel")
    assert held(vault) == VALUES
    assert kinds(vault) == [("item_erasure", "refused", "taken_back")]


def test_a_late_yes_is_previewed_anew(vault: Vault, ana: Talk, clock: Clock) -> None:
    """Of the same part; the yes to that counts."""
    ana.ask_for_phone()
    clock.advance(hours=2)
    assert "phone (fitting: 1 value)" in ana.agree()
    assert held(vault) == VALUES
    assert "ER-" in ana.agree()
    assert "phone" not in held(vault)["fitting"]


def test_a_yes_that_comes_twice_deletes_nothing_else(vault: Vault, ana: Talk) -> None:
    """The button names its part, so a second press of it is about that part, of which nothing is left."""
    ana.ask_for_phone()
    ana.agree(items=("phone",))
    before = held(vault)
    assert "nothing of that in store" in ana.agree(items=("phone",))
    assert ana.pending is None
    assert held(vault) == before
    assert active(vault) == {"draw", "newsletter", "fitting"}


def test_a_yes_from_somebody_else_deletes_nothing(vault: Vault, ana: Talk) -> None:
    """Neither of theirs nor of the person who was asked."""
    ana.ask_for_phone()
    ben = Talk(vault, "ben")
    assert "nothing of that in store" in ben.agree(items=("phone",))
    ben.pending = ana.pending  # a slot that was copied from one conversation to another
    ben.agree()
    assert held(vault) == VALUES


def test_who_was_erased_between_question_and_answer_is_told_so(vault: Vault, ana: Talk) -> None:
    """Nothing comes back: neither by a yes, nor by a value that is typed for the person who is gone."""
    ana.ask_for_phone()
    erase(vault, SENDER, evidence(vault))
    assert "nothing of that in store" in ana.agree()
    ana.pending = Pending("correct", items=("phone",))
    assert "nothing in store" in ana.do(Correct(), "privacy_value", text="+49 170 5558000")
    assert "no message of yours" in ana.do(ForgetLast(), "privacy_forget_last")
    assert "no personal details" in ana.do(RestrictProcessing(), "privacy_restrict")
    assert "no request of yours" in ana.do(RequestStatus(), "privacy_status")
    assert held(vault) == {}


def test_a_value_is_put_right_in_two_steps(vault: Vault, ana: Talk) -> None:
    """What cannot be one is asked for again, and a no changes nothing."""
    assert "only the right value" in ana.do(Correct(), "privacy_correct", items=("email",))
    assert "could not take that" in ana.do(Correct(), "privacy_value", text="not an address")
    assert ana.pending == Pending("correct", items=("email",))
    assert "nothing was changed" in ana.do(Correct(), "privacy_refuse")
    assert held(vault) == VALUES
    ana.do(Correct(), "privacy_correct", items=("email",))
    said = ana.do(Correct(), "privacy_value", text="ana@new.example")
    assert "ana@new.example" in said
    assert held(vault)["draw"]["email"] == "ana@new.example"
    assert kinds(vault) == [("rectification", "done", "answered")]


def test_what_is_held_of_nothing_cannot_be_corrected(vault: Vault, ana: Talk) -> None:
    """No value is taken in by that door: only what is stored can be wrong."""
    assert "nothing in store" in ana.do(Correct(), "privacy_correct", items=("birthday",), text="1990")
    assert "birthday" not in str(held(vault))


def test_restricting_asks_for_which_purpose_and_is_lifted_by_saying_so(vault: Vault, ana: Talk) -> None:
    """Where several use data; the gate obeys at once, the data stays, and the person is told how to end it."""
    ana.do(RestrictProcessing(), "privacy_restrict")
    assert len(ana.replies[0].buttons) == 3
    assert active(vault) == {"draw", "newsletter", "fitting"}
    said = ana.do(RestrictProcessing(), "privacy_restrict", purposes=("fitting",))
    assert 'say "use my data again"' in said
    assert active(vault) == {"draw", "newsletter"}
    assert held(vault) == VALUES
    ana.do(RestrictProcessing(), "privacy_lift")
    assert active(vault) == {"draw", "newsletter", "fitting"}
    assert kinds(vault) == [("restriction", "done", "answered")]


def test_which_purpose_to_restrict_stays_asked_after_an_unclear_answer(vault: Vault, ana: Talk) -> None:
    """In the words of the request that asked; nothing is restricted, nor lifted, by it."""
    ana.do(RestrictProcessing(), "privacy_restrict")
    assert ana.pending == Pending("which", "privacy_restrict", ("draw", "newsletter", "fitting"))
    ana.pending = replace(ana.pending, repeated=True)
    for intent in ("privacy_unclear", "privacy_why"):
        ana.do(RestrictProcessing(), intent)
        assert [each["payload"].partition("{")[0] for each in ana.replies[0].buttons] == ["/privacy_restrict"] * 3
        assert ana.pending == Pending("which", "privacy_restrict", ("draw", "newsletter", "fitting"), repeated=True)
    assert active(vault) == {"draw", "newsletter", "fitting"}


@pytest.mark.parametrize("request_", ["privacy_restrict", "privacy_lift"])
def test_what_is_no_answer_restricts_and_lifts_nothing_where_one_purpose_is_left(
    vault: Vault, ana: Talk, request_: str
) -> None:
    """The others may have ended meanwhile, on another channel; the one that is left is asked about."""
    if request_ == "privacy_lift":
        ana.do(RestrictProcessing(), "privacy_restrict", purposes=("draw", "newsletter"))
    ana.do(RestrictProcessing(), request_)
    elsewhere = Talk(vault)
    if request_ == "privacy_lift":
        elsewhere.do(RestrictProcessing(), request_, purposes=("draw",))
    else:
        elsewhere.do(WithdrawConsent(), "privacy_withdraw", purposes=("draw", "fitting"))
    before = active(vault)
    ana.do(RestrictProcessing(), "privacy_unclear")
    assert active(vault) == before
    assert ana.pending == Pending("which", request_, ("newsletter",))


def test_what_is_no_answer_lifts_no_limit_where_no_purpose_is_left(vault: Vault, ana: Talk) -> None:
    """That sensitive data is used for little was said apart, and ends only when somebody says so."""
    ana.do(Explain(), "privacy_limit_sensitive")
    ana.do(RestrictProcessing(), "privacy_restrict", purposes=("draw", "newsletter"))
    ana.do(RestrictProcessing(), "privacy_lift")
    Talk(vault).do(RestrictProcessing(), "privacy_lift", purposes=("draw", "newsletter"))
    said = ana.do(RestrictProcessing(), "privacy_unclear")
    assert said == ana.do(RestrictProcessing(), "privacy_unclear")
    assert ana.do(RestrictProcessing(), "privacy_lift") != said


def test_which_consent_is_taken_back_is_asked_and_waited_for(vault: Vault, ana: Talk) -> None:
    """Of those that were given; the answer ends that one and the question."""
    ana.do(WithdrawConsent(), "privacy_withdraw")
    assert ana.pending == Pending("which", "privacy_withdraw", ("draw", "newsletter", "fitting"))
    ana.do(WithdrawConsent(), "privacy_withdraw", purposes=("draw",))
    assert ana.pending is None
    assert active(vault) == {"newsletter", "fitting"}


@pytest.mark.parametrize("intent", ["privacy_grant", "privacy_why", "privacy_unclear"])
@pytest.mark.parametrize(
    ("action", "request_"), [(WithdrawConsent(), "privacy_withdraw"), (RestrictProcessing(), "privacy_restrict")]
)
def test_a_button_of_an_older_question_does_not_say_which_is_meant(
    vault: Vault, ana: Talk, action: PrivacyAction, request_: str, intent: str
) -> None:
    """Whoever presses an older "yes", or its "why", has not taken that consent back; the question stands."""
    ana.do(action, request_)
    asked = ana.pending
    ana.do(action, intent, purposes=("draw",))
    ana.do(action, intent, items=("email",))
    assert active(vault) == {"draw", "newsletter", "fitting"}
    assert held(vault) == VALUES
    assert ana.pending == asked


def test_the_no_of_an_older_question_takes_its_consent_back(vault: Vault, ana: Talk) -> None:
    """Also while it is asked which one is meant: it is as easy to find as the yes was."""
    ana.do(WithdrawConsent(), "privacy_withdraw")
    ana.do(WithdrawConsent(), "privacy_refuse", purposes=("draw",))
    assert active(vault) == {"newsletter", "fitting"}


def test_which_item_is_wrong_is_asked_and_waited_for(ana: Talk) -> None:
    """Once more after an unclear answer; the item's name then asks for the right value."""
    asked = ana.do(Correct(), "privacy_correct")
    assert ana.pending is not None
    assert (ana.pending.kind, ana.pending.action, ana.pending.purposes) == ("which", "privacy_correct", ())
    assert "email" in ana.pending.items
    assert ana.do(Correct(), "privacy_unclear") == asked
    ana.do(Correct(), "privacy_correct", items=("email",))
    assert ana.pending == Pending("correct", items=("email",))


def test_a_wrong_value_is_asked_for_anew_after_an_explanation(ana: Talk) -> None:
    """In the words of the question, since nothing was typed that could be no value."""
    asked = ana.do(Correct(), "privacy_correct", items=("email",))
    assert ana.do(Correct(), "privacy_why") == asked
    assert ana.do(Correct(), "privacy_unclear") != asked


def test_objecting_means_marketing_first(vault: Vault, ana: Talk) -> None:
    """Where one purpose may be objected to, no question is asked (GDPR Art. 21(2))."""
    assert "newsletter" in ana.do(RestrictProcessing(), "privacy_object")
    assert active(vault) == {"draw", "fitting"}
    assert kinds(vault) == [("objection", "done", "answered")]


def test_objecting_to_what_is_not_used_denies_no_other_use(vault: Vault) -> None:
    """The draw goes on, and the person is not told that nothing of theirs is used."""
    grant(vault, "draw")
    ana = Talk(vault)
    assert "nothing to stop: newsletter." in ana.do(RestrictProcessing(), "privacy_object", purposes=("newsletter",))
    assert active(vault) == {"draw"}


def test_what_became_of_requests_is_told_with_number_and_date(ana: Talk) -> None:
    """The open ones first."""
    ana.ask_for_phone()
    ana.do(RestrictProcessing(), "privacy_object")
    said = ana.do(RequestStatus(), "privacy_status").splitlines()
    assert "deletion of a part: in progress, to be answered by 23 December 2026" in said[1]
    assert "objection: done on 23 November 2026" in said[2]
    assert "RQ-" in said[1]


def test_taking_back_what_was_not_agreed_to_says_so_of_that_alone(vault: Vault) -> None:
    """And does not deny the consent that is on record."""
    grant(vault, "draw")
    ana = Talk(vault)
    said = ana.do(WithdrawConsent(), "privacy_withdraw", purposes=("newsletter",))
    assert "nothing to take back: newsletter." in said
    assert "still counts" in said
    assert active(vault) == {"draw"}
    assert "no consent of yours on record at the moment" in Talk(vault, "ben").do(WithdrawConsent(), "privacy_withdraw")


def test_that_a_request_takes_longer_is_told_with_the_reason(vault: Vault, ana: Talk) -> None:
    """And with the new date, whoever told the person before."""
    ana.ask_for_phone()
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER)
        (asked,) = requests.open_of(connection, subject_id or b"")
    vault.database.transact(lambda conn: extend(vault, conn, asked.number, "complexity", "Eva", vault.clock()))
    said = ana.do(RequestStatus(), "privacy_status").splitlines()
    assert said[1].endswith("takes longer, because it is complex; to be answered by 23 February 2027 at the latest")
