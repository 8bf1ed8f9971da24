"""What the privacy actions say is what they did."""

import re
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from rasa_sdk import Tracker

from rasa_privacy.access.admission import admit_local
from rasa_privacy.actions.asking import AskConsent, RecordGrant, RecordRefusal
from rasa_privacy.actions.base import Reply, Turn, _turn
from rasa_privacy.actions.consent import Stop, WithdrawConsent
from rasa_privacy.actions.data_rights import Erase, KeepData, PreviewErasure, ShowData
from rasa_privacy.actions.explaining import Explain
from rasa_privacy.actions.receipts import GiveReceipt
from rasa_privacy.consent.receipts import open_receipt
from rasa_privacy.dialogue.packs import in_language
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import LedgerError
from rasa_privacy.policy.model import Storage
from rasa_privacy.policy.purpose_model import Purpose
from rasa_privacy.rights.holds import add as add_hold
from rasa_privacy.rights.suppression import suppressed
from rasa_privacy.storage import requests
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import SENDER, Clock, active, ask, evidence, give, grant, held, ledger_events

CONSENT = Pending("consent", "lead_form", ("draw",))


def turn(vault: Vault, *purposes: str, pending: Pending | None = None) -> Turn:
    """Return a turn that names these purposes."""
    intent = "privacy_confirm" if pending is not None and pending.kind == "erase" else "privacy_grant"
    return Turn(SENDER, intent, purposes, pending, evidence(vault), {})


def said(replies: list[Reply]) -> str:
    """Return all that is said."""
    return "\n".join(reply.text for reply in replies)


def cleared(replies: list[Reply]) -> set[str]:
    """Return the slots that are emptied."""
    events = [event for reply in replies for event in reply.events]
    return {event["name"] for event in events if event["event"] == "slot" and event["value"] is None}


def test_notice_that_is_shown_is_the_one_that_is_recorded(vault: Vault) -> None:
    """Asked, agreed, and the stored notice is word for word what was said."""
    (shown,) = AskConsent().answer(vault, turn(vault, pending=CONSENT))
    RecordGrant().answer(vault, turn(vault, pending=CONSENT))
    assert active(vault) == {"draw"}
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER)
        assert subject_id is not None
        _, granted = vault.ledger.of_subject(connection, subject_id)
        notice = vault.notices.get(connection, granted.notice_hash)
    assert notice is not None
    assert notice.text == shown.text


@pytest.mark.parametrize("action", [RecordGrant(), RecordRefusal()])
@pytest.mark.parametrize("pending", [None, CONSENT, Pending("erase")])
def test_answer_without_a_question_fails(vault: Vault, action: RecordGrant, pending: Pending | None) -> None:
    """The pending slot alone, which anybody can set, opens nothing."""
    with pytest.raises(LedgerError):
        action.answer(vault, turn(vault, pending=pending))
    assert active(vault) == frozenset()


def test_named_purpose_is_withdrawn_and_no_other(vault: Vault) -> None:
    """The draw's values stay when the newsletter is taken back."""
    grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"full_name": "Ana Li"}, "newsletter": {"birthday": "1990"}})
    replies = WithdrawConsent().answer(vault, turn(vault, "newsletter"))
    assert active(vault) == {"draw"}
    assert held(vault) == {"draw": {"full_name": "Ana Li"}}
    assert "birthday" in cleared(replies)


def test_naming_a_purpose_without_consent_takes_nothing_else(vault: Vault) -> None:
    """Who takes back the fitting, to which they never agreed, does not lose the draw."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    WithdrawConsent().answer(vault, turn(vault, "fitting"))
    assert active(vault) == {"draw"}
    assert held(vault) == {"draw": {"full_name": "Ana Li"}}


def test_unclear_withdrawal_is_asked_about(vault: Vault) -> None:
    """With one consent or two and no name nothing is withdrawn before the person chose."""
    grant(vault, "draw")
    (reply,) = WithdrawConsent().answer(vault, turn(vault))
    assert len(reply.buttons) == 1
    grant(vault, "newsletter")
    (reply,) = WithdrawConsent().answer(vault, turn(vault))
    assert len(reply.buttons) == 2
    assert active(vault) == {"draw", "newsletter"}


def test_stop_ends_everything(vault: Vault) -> None:
    """Each consent, its values, the form and the question."""
    subject_id = grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    replies = Stop().answer(vault, turn(vault))
    assert (active(vault), held(vault)) == (frozenset(), {})
    assert {"full_name", "email", "birthday", "privacy_pending", "requested_slot"} <= cleared(replies)
    assert ledger_events(vault, subject_id)[-2:] == [("draw", "withdrawn"), ("newsletter", "withdrawn")]


def test_stop_suppresses_the_contacts_on_file(vault: Vault) -> None:
    """They go with the consent; their hashes stay, so that no list reaches the person by them."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li", "email": "ana@example.com"}})
    Stop().answer(vault, turn(vault))
    with vault.database.read() as connection:
        assert suppressed(vault, connection, None, ["Ana@Example.com"]) == "stop"
        assert suppressed(vault, connection, None, ["bob@example.com"]) is None


def test_stop_of_somebody_unknown_is_confirmed_too(vault: Vault) -> None:
    """One confirmation, whoever asks, and nobody is made of it."""
    assert len(Stop().answer(vault, turn(vault))) == 1
    with vault.database.read() as connection:
        assert vault.subjects.find(connection, SENDER) is None
        assert suppressed(vault, connection, SENDER) == "stop"


def test_who_says_yes_to_marketing_again_may_be_written_to(vault: Vault) -> None:
    """STOP holds until a new yes to a marketing purpose; a yes to anything else does not lift it."""
    Stop().answer(vault, turn(vault))
    for purpose, reason in (("draw", "stop"), ("newsletter", None)):
        ask(vault, purpose)
        RecordGrant().answer(vault, turn(vault, pending=Pending("consent", None, (purpose,))))
        with vault.database.read() as connection:
            assert suppressed(vault, connection, SENDER) == reason


def test_values_are_shown_with_their_purpose(vault: Vault) -> None:
    """What is listed is what is stored."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    assert "Ana Li" in said(ShowData().answer(vault, turn(vault)))


def test_conversation_without_values_is_not_called_nothing(vault: Vault) -> None:
    """Somebody of whom events and a consent are stored is not told that nothing is."""
    nothing = said(ShowData().answer(vault, turn(vault)))
    grant(vault, "draw")
    give(vault, {}, events=3)
    assert said(ShowData().answer(vault, turn(vault))) != nothing


def test_erasure_needs_its_preview(vault: Vault) -> None:
    """Nothing is erased on a word alone; the preview changes nothing either."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    with pytest.raises(LedgerError):
        Erase().answer(vault, turn(vault, pending=CONSENT))
    PreviewErasure().answer(vault, turn(vault))
    KeepData().answer(vault, turn(vault, pending=Pending("erase")))
    assert held(vault) == {"draw": {"full_name": "Ana Li"}}


def test_erasure_says_its_certificate(vault: Vault) -> None:
    """The number that is said is in the journal, and a second time nothing is found."""
    subject_id = grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    PreviewErasure().answer(vault, turn(vault))
    text = said(Erase().answer(vault, turn(vault, pending=Pending("erase"))))
    with vault.database.read() as connection:
        number = vault.erasures.certificate_of(connection, subject_id)
    assert number is not None
    assert number in text
    assert "ER-" not in said(Erase().answer(vault, turn(vault, pending=Pending("erase"))))


@pytest.mark.parametrize("pending", [None, CONSENT, Pending("erase")])
def test_a_yes_that_nothing_was_previewed_for_previews(vault: Vault, pending: Pending | None) -> None:
    """The slot alone, which anybody can set, erases nobody; neither does a button that was passed on."""
    grant(vault, "draw")
    confirmed = replace(turn(vault, pending=pending), intent="privacy_confirm")
    (reply,) = Erase().answer(vault, confirmed)
    assert [event["value"] for event in reply.events] == [Pending("erase").to_slot()]
    assert active(vault) == {"draw"}


def test_a_late_yes_is_asked_for_again(vault: Vault, clock: Clock) -> None:
    """After an hour there may be more to delete; then the preview is shown again, and its yes counts."""
    grant(vault, "draw")
    PreviewErasure().answer(vault, turn(vault))
    clock.advance(minutes=61)
    assert "ER-" not in said(Erase().answer(vault, turn(vault, pending=Pending("erase"))))
    assert active(vault) == {"draw"}
    assert "ER-" in said(Erase().answer(vault, turn(vault, pending=Pending("erase"))))
    assert active(vault) == frozenset()


def test_somebody_elses_yes_deletes_nobody(vault: Vault) -> None:
    """A preview belongs to the conversation in which it was shown."""
    grant(vault, "draw")
    grant(vault, "draw", sender="ben")
    PreviewErasure().answer(vault, turn(vault))
    Erase().answer(vault, replace(turn(vault, pending=Pending("erase")), sender_id="ben"))
    assert active(vault) == active(vault, "ben") == {"draw"}


def test_damaged_conversation_can_still_be_previewed_for_erasure(vault: Vault) -> None:
    """Who asks to be erased gets to the confirmation, whatever can still be read."""
    ask(vault, "draw")
    give(vault, {}, events=2)
    with vault.database.write() as connection:
        connection.exec_driver_sql("UPDATE conversations SET manifest = x'00'")
    (reply,) = PreviewErasure().answer(vault, turn(vault))
    assert [event["value"] for event in reply.events] == [Pending("erase").to_slot()]


def explained(vault: Vault, intent: str, pending: Pending | None = None) -> str:
    """Return the answer to a question about privacy."""
    return said(Explain().answer(vault, replace(turn(vault, pending=pending), intent=intent)))


def test_what_may_be_meant_is_offered(vault: Vault) -> None:
    """A button for each request, in the words that can be typed as well; nothing is done yet."""
    offered = ("privacy_delete", "privacy_lift", "privacy_more", "privacy_access")  # two of them are never offered
    unsure = replace(turn(vault), intent="privacy_unsure", offered=offered)
    (reply,) = Explain().answer(vault, unsure)
    assert reply.buttons == [
        {"title": "Delete my data", "payload": "/privacy_delete"},
        {"title": "What do you know about me", "payload": "/privacy_access"},
    ]
    assert reply.events == []


def changed(vault: Vault, **fields: Any) -> Vault:
    """Return the store with another privacy.yml."""
    return replace(vault, policy=msgspec.structs.replace(vault.policy, **fields))


def test_receipt_has_the_text_that_was_shown_and_is_signed(vault: Vault) -> None:
    """Words first, then a document that the store's key verifies; nothing of what the person gave is in either."""
    (shown,) = AskConsent().answer(vault, turn(vault, pending=CONSENT))
    RecordGrant().answer(vault, turn(vault, pending=CONSENT))
    give(vault, {"draw": {"full_name": "Ana Li"}})
    words, token = GiveReceipt().answer(vault, turn(vault))
    assert shown.text in words.text
    assert "23 November 2026" in words.text
    assert "draw" in str(open_receipt(token.text, vault.signer.key.public()))
    assert "Ana" not in words.text + str(open_receipt(token.text, vault.signer.key.public()))


def test_receipt_of_nothing_says_so(vault: Vault) -> None:
    """Nobody gets a receipt of what was only asked, was refused, or was taken back."""
    nothing = said(GiveReceipt().answer(vault, turn(vault)))
    ask(vault, "draw")
    assert said(GiveReceipt().answer(vault, turn(vault))) == nothing
    grant(vault, "draw")
    Stop().answer(vault, turn(vault))
    assert said(GiveReceipt().answer(vault, turn(vault))) == nothing
    grant(vault, "newsletter")
    assert said(GiveReceipt().answer(vault, turn(vault))) != nothing


@pytest.mark.parametrize("intent", ["privacy_why", "privacy_what"])
def test_a_purpose_without_consent_says_why(vault: Vault, intent: str) -> None:
    """Who is not asked is told because of what (GDPR Art. 13(1)(c))."""
    by_law = Purpose(
        says={"en": "to keep the books"},
        basis="legal_obligation",
        because={"en": "tax law asks for it"},
        retain="1 year",
    )
    answer = explained(changed(vault, purposes={**vault.policy.purposes, "books": by_law}), intent)
    assert "tax law asks for it" in answer
    assert answer.count("tax law") == 1


def test_what_the_law_keeps_is_named_before_and_after_an_erasure(vault: Vault) -> None:
    """With the reason and the end; it is not among what goes, and the bot does not know the person any more."""
    books = Purpose(
        says={"en": "to keep the books"},
        called={"en": "the books"},
        basis="legal_obligation",
        because={"en": "tax law asks for it"},
        items={"phone": "required"},
        retain="6 years",
    )
    bot = changed(vault, purposes={**vault.policy.purposes, "books": books})
    grant(bot, "draw")
    give(bot, {"draw": {"full_name": "Ana Li"}, "books": {"phone": "+49 170 5558000"}})
    goes, stays = said(PreviewErasure().answer(bot, turn(bot))).split("This stays:")
    assert "full name (draw: 1 value)" in goes
    assert "phone" not in goes
    done = said(Erase().answer(bot, turn(bot, pending=Pending("erase"))))
    for text in (stays, done):
        assert "phone (the books), because the law demands it: tax law asks for it (until 23 November 2032)" in text
    assert "no personal details" in said(ShowData().answer(bot, turn(bot)))


def test_each_value_is_shown_with_purpose_basis_source_end_and_recipients(vault: Vault) -> None:
    """All that Art. 15(1) asks for, for each item in a line."""
    shared = msgspec.structs.replace(vault.policy.purposes["newsletter"], recipients=("Mailer Ltd",))
    bot = changed(vault, purposes={**vault.policy.purposes, "newsletter": shared})
    grant(bot, "draw", "newsletter")
    give(bot, {"draw": {"full_name": "Ana Li"}, "newsletter": {"email": "ana@b.example"}})
    lines = said(ShowData().answer(bot, turn(bot))).splitlines()
    agreed = "because you agreed; you told me on 23 November 2026; kept until"
    assert f"- full name: Ana Li (for draw: {agreed} 21 February 2027; shared with: nobody else)" in lines
    until = "you take your consent back; shared with: Mailer Ltd"
    assert f"- email: ana@b.example (for newsletter: {agreed} {until})" in lines


def test_a_question_about_the_open_question_is_answered_for_its_purpose(vault: Vault) -> None:
    """While the draw is asked about, nobody is told about the newsletter."""
    assert "newsletter" in explained(vault, "privacy_why")
    assert "newsletter" not in explained(vault, "privacy_why", CONSENT)


def asked_in(vault: Vault, loop: str, slot: str, intent: str, *named: str) -> str:
    """Return the answer to a question in the middle of a form that asks for a slot."""
    items = tuple(each for each in named if each in vault.policy.items)
    purposes = tuple(each for each in named if each in vault.policy.purposes)
    asking = replace(turn(vault, *purposes), intent=intent, items=items, loop=loop, slots={"requested_slot": slot})
    return said(Explain().answer(vault, asking))


@pytest.mark.parametrize("intent", ["privacy_why", "privacy_how_long", "privacy_who_sees", "privacy_what"])
def test_a_question_in_a_form_is_answered_for_what_it_asks_for(vault: Vault, intent: str) -> None:
    """For the purpose of the form, and the others are said to be there; by name they are told."""
    first, *rest = asked_in(vault, "newsletter_form", "email", intent).splitlines()
    lines = [line for line in (first, *rest) if line.startswith("- ")]
    assert [line.split(":")[0] for line in lines] == ["- newsletter"]
    assert any(line.startswith("We also ask for details for this: draw and fitting.") for line in rest)
    by_name = asked_in(vault, "newsletter_form", "email", intent, "fitting").splitlines()
    assert [line.split(":")[0] for line in by_name if line.startswith("- ")] == ["- fitting"]
    assert "We also ask" not in "\n".join(by_name)


def test_why_in_a_form_names_what_is_asked_for_alone(vault: Vault) -> None:
    """The email, and not the birthday; an item that is named counts before it, for the purposes that use it."""
    assert "- newsletter: email, to send you" in asked_in(vault, "newsletter_form", "email", "privacy_why")
    assert "- fitting: phone, to book" in asked_in(vault, "newsletter_form", "email", "privacy_why", "phone")
    assert "birthday" in asked_in(vault, "newsletter_form", "email", "privacy_what")
    # A form may ask for what is nothing personal, or for an item that its purposes do not use.
    assert "birthday" in asked_in(vault, "newsletter_form", "favourite_activity", "privacy_why")
    assert "- fitting: phone" in asked_in(vault, "newsletter_form", "phone", "privacy_why")
    assert asked_in(vault, "other_form", "favourite_activity", "privacy_why").count("- ") == len(vault.policy.purposes)


def test_an_item_that_is_named_is_told_of_alone(vault: Vault) -> None:
    """Outside of a form for each purpose that uses it; while a question is open for the one that is asked about."""
    why = replace(turn(vault), intent="privacy_why", items=("email",))
    assert "- draw: email, to enter" in said(Explain().answer(vault, why))
    assert "- newsletter: email, to send" in said(Explain().answer(vault, why))
    assert "newsletter" not in said(Explain().answer(vault, replace(why, pending=CONSENT)))
    phone = replace(why, items=("phone",), pending=CONSENT)
    assert "- fitting: phone" in said(Explain().answer(vault, phone))


def test_how_long_says_how_long_a_yes_counts(vault: Vault) -> None:
    """Data and consent each have their end."""
    lines = explained(vault, "privacy_how_long").splitlines()
    assert any("90 days" in line and "12 months" in line for line in lines)
    assert any("newsletter" in line and "take your consent back" in line for line in lines)
    assert not any("until withdrawn" in line for line in lines)


def test_where_is_answered_from_privacy_yml_or_not_at_all(vault: Vault) -> None:
    """What nobody declared is not made up; the person is told whom to ask."""
    assert explained(vault, "privacy_where").count("privacy@northwind.example") == 2
    stated = changed(vault, storage=Storage(location={"en": "in Frankfurt"}, transfers={"en": "to nowhere"}))
    answer = explained(stated, "privacy_where")
    assert "in Frankfurt" in answer
    assert "to nowhere" in answer
    assert "privacy@northwind.example" not in answer


def test_what_a_program_decides_is_said(vault: Vault) -> None:
    """As privacy.yml says it; where it says nothing, whom to ask (GDPR Art. 13(2)(f))."""
    assert "privacy@northwind.example" in explained(vault, "privacy_what")
    assert "decides about you by itself: nothing." in explained(
        changed(vault, automated_decisions="none"), "privacy_what"
    )
    decided = changed(vault, automated_decisions={"en": "who wins, by lot"})
    assert "decides about you by itself: who wins, by lot." in explained(decided, "privacy_what")


@pytest.mark.parametrize(
    ("pending", "answers"),
    [
        (CONSENT, ["Yes, I agree", "No, thank you"]),
        (Pending("age", "lead_form", ("draw",), age=16), ["Yes, I am", "No, I am not"]),
        (Pending("optional", "lead_form", ("draw",), items=("postcode",)), ["Yes, that too", "No, leave it out"]),
        (Pending("code", "lead_form", ("draw",)), []),
        (None, []),
    ],
)
def test_tell_me_more_keeps_the_answers_at_hand(vault: Vault, pending: Pending | None, answers: list[str]) -> None:
    """Whichever question is open, it can be answered from where more is told."""
    (reply,) = Explain().answer(vault, replace(turn(vault, pending=pending), intent="privacy_more"))
    shown = [
        button["title"] for button in reply.buttons if button["payload"].startswith(("/privacy_g", "/privacy_ref"))
    ]
    assert shown == answers


def test_two_questions_in_one_message_are_both_answered(vault: Vault) -> None:
    """In their order; what another action answers is not said here."""
    entities = [
        {"entity": "privacy_purpose", "value": f"also:{each}"} for each in ("privacy_who_sees", "privacy_access")
    ]
    message = {"text": "", "intent": {"name": "privacy_how_long"}, "entities": entities}
    tracker = Tracker(SENDER, {}, message, [], False, None, {}, "action_listen")  # noqa: FBT003 - as rasa_sdk has it
    both = _turn(vault, tracker, {}, Explain().name())
    assert (both.intent, both.also) == ("privacy_how_long", ("privacy_who_sees",))
    how_long, who_sees = Explain().answer(vault, both)
    assert how_long.text == explained(vault, "privacy_how_long")
    assert who_sees.text == explained(vault, "privacy_who_sees")
    assert _turn(vault, tracker, {}, ShowData().name()).also == ()


def test_a_complaint_is_told_the_authority(vault: Vault) -> None:
    """The one that privacy.yml names, or the one where the person lives."""
    named = msgspec.structs.replace(vault.policy.controller, authority="ICO, ico.example")
    assert "ICO, ico.example" in explained(changed(vault, controller=named), "privacy_complain")
    assert "where you live" in explained(vault, "privacy_complain")


def test_who_wants_a_person_is_told_how_to_reach_one(vault: Vault) -> None:
    """As who asks for the officer."""
    assert explained(vault, "privacy_human").startswith(explained(vault, "privacy_officer"))


@pytest.mark.parametrize(("intent", "kind"), [("privacy_complain", "complaint"), ("privacy_human", "human")])
def test_a_wish_for_staff_counts_as_the_first_thing_that_is_said(vault: Vault, intent: str, kind: str) -> None:
    """Nothing is stored of the person before; the request leads to their conversation, and is one however often."""
    answer = explained(vault, intent)
    assert explained(vault, intent) == answer
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER)
        (opened,) = requests.open_ones(connection)
    assert (opened.kind, opened.subject_id) == (kind, subject_id)
    assert subject_id is not None
    assert opened.number in answer


def test_a_machine_says_that_it_is_one(vault: Vault) -> None:
    """And who runs it, and how to reach a person."""
    answer = explained(vault, "privacy_machine")
    assert "not a human" in answer
    assert "Northwind Outdoor" in answer
    assert "privacy@northwind.example" in answer


def test_help_says_who_this_is_how_to_stop_and_whom_to_write_to(vault: Vault) -> None:
    """What the CTIA asks for in the answer to HELP."""
    answer = explained(vault, "privacy_help")
    assert all(part in answer for part in ("Northwind Outdoor", "STOP", "privacy@northwind.example"))


def test_a_reworded_response_is_said_and_another_languages_is_not(vault: Vault) -> None:
    """The builder's words count, in the language that they are in."""
    mine, german = {"text": "Mine, {contact}"}, in_language({"text": "Meins"}, "de")
    reworded = replace(turn(vault), intent="privacy_officer", responses={"utter_privacy_officer": [german, mine]})
    assert said(Explain().answer(vault, reworded)) == "Mine, privacy@northwind.example"
    only_german = replace(reworded, responses={"utter_privacy_officer": [german]})
    assert said(Explain().answer(vault, only_german)) == explained(vault, "privacy_officer")


def test_what_a_person_typed_is_shown_and_not_read(vault: Vault) -> None:
    """A value that looks like a variable stays what it is."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "{purpose} {expiry}"}})
    assert "{purpose} {expiry}" in said(ShowData().answer(vault, turn(vault)))


def requests_of(vault: Vault, subject_id: bytes) -> list[tuple[str, str, str]]:
    """Return kind, state and reason of each request of a person."""
    with vault.database.read() as connection:
        return sorted((each.kind, each.state, each.reason or "") for each in requests.all_of(connection, subject_id))


def test_showing_data_is_a_request_that_was_answered(vault: Vault) -> None:
    """It is on record each time, also for somebody of whom nothing is stored."""
    subject_id = grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    ShowData().answer(vault, turn(vault))
    assert requests_of(vault, subject_id) == [("access", "done", "answered")]
    ShowData().answer(vault, replace(turn(vault), sender_id="nobody"))
    with vault.database.read() as connection:
        assert [each.reason for each in requests.iterate(connection)].count("nothing_held") == 1


def test_a_deletion_is_a_request_from_its_preview_on(vault: Vault) -> None:
    """Who says no takes it back; who says nothing clear is still to be answered; who confirms is done."""
    subject_id = grant(vault, "draw")
    PreviewErasure().answer(vault, turn(vault))
    KeepData().answer(vault, replace(turn(vault), intent="privacy_cancel"))
    assert requests_of(vault, subject_id) == [("erasure", "refused", "taken_back")]
    PreviewErasure().answer(vault, turn(vault))
    KeepData().answer(vault, replace(turn(vault), intent="privacy_unclear"))
    assert requests_of(vault, subject_id)[0] == ("erasure", "received", "")
    PreviewErasure().answer(vault, turn(vault))
    Erase().answer(vault, turn(vault, pending=Pending("erase")))
    assert requests_of(vault, subject_id)[0] == ("erasure", "done", "erased")


def test_who_is_under_a_legal_hold_is_told_so(vault: Vault) -> None:
    """No preview, no deletion, an open request; also where the hold came between preview and yes. STOP says it too."""
    subject_id = grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    PreviewErasure().answer(vault, turn(vault))
    permit = admit_local(vault, "retention")
    vault.database.transact(lambda connection: add_hold(vault, connection, SENDER, "case-17", permit))
    for replies in (
        Erase().answer(vault, turn(vault, pending=Pending("erase"))),
        PreviewErasure().answer(vault, turn(vault)),
    ):
        assert "for legal reasons" in said(replies)
        assert 'Say "STOP" to end every consent' in said(replies)
        assert active(vault) == {"draw"}  # so it is not said that nothing is used
        assert "ER-" not in said(replies)
        assert cleared(replies) == {"privacy_pending"}
    assert requests_of(vault, subject_id) == [("erasure", "received", "")]
    assert held(vault) == {"draw": {"full_name": "Ana Li"}}
    assert "must be kept for now" in said(Stop().answer(vault, turn(vault)))
    assert active(vault) == frozenset()


def test_a_complaint_is_a_request_with_a_date(vault: Vault) -> None:
    """Staff see it; who the officer is, is answered at once; a question is no request."""
    subject_id = grant(vault, "draw")
    for intent in ("privacy_complain", "privacy_complain", "privacy_officer", "privacy_why"):
        explained(vault, intent)
    assert requests_of(vault, subject_id) == [("complaint", "received", ""), ("officer", "done", "answered")]


@pytest.mark.parametrize(("intent", "kind"), [("privacy_complain", "complaint"), ("privacy_human", "human")])
def test_a_wish_for_staff_has_a_number_and_a_date(vault: Vault, intent: str, kind: str) -> None:
    """After the answer; said again it is the same request, and staff see it among those that wait."""
    subject_id = grant(vault, "draw")
    answer = explained(vault, intent)
    assert vault.policy.controller.contact in answer
    assert "23 December 2026" in answer
    assert explained(vault, intent) == answer
    with vault.database.read() as connection:
        (opened,) = requests.open_of(connection, subject_id)
    assert opened.kind == kind
    assert opened.number in answer


def test_do_not_sell_is_done_at_once(vault: Vault) -> None:
    """What shares is closed when it is said, and the request is answered."""
    shared = msgspec.structs.replace(vault.policy.purposes["newsletter"], recipients=("Mailer Ltd",))
    store = changed(vault, purposes={**vault.policy.purposes, "newsletter": shared})
    subject_id = grant(store, "draw", "newsletter")
    assert "neither sold nor shared" in explained(store, "privacy_do_not_sell")
    assert active(store) == {"draw"}
    assert requests_of(store, subject_id) == [("do_not_sell", "done", "answered")]


def test_do_not_sell_counts_as_the_first_thing_that_is_said(vault: Vault) -> None:
    """A purpose that rests on a legitimate interest would share from the first value on, and nobody is asked for it."""
    shared = msgspec.structs.replace(
        vault.policy.purposes["newsletter"],
        basis="legitimate_interests",
        because={"en": "people like our news"},
        recipients=("Mailer Ltd",),
    )
    store = changed(vault, purposes={**vault.policy.purposes, "newsletter": shared})
    assert "newsletter" in active(store)
    assert "neither sold nor shared" in explained(store, "privacy_do_not_sell")
    assert "newsletter" not in active(store)


def test_the_year_of_birth_is_asked_for_before_yes_or_no(vault: Vault) -> None:
    """The first question names no age and has no buttons; its repeat has both; what was shown waits for the yes."""
    asking = changed(vault, minimum_age=16, ask_age="year")
    age = Pending("age", "lead_form", ("draw",), age=16)
    (first,) = AskConsent().answer(asking, turn(asking, pending=age))
    (second,) = AskConsent().answer(asking, turn(asking, pending=replace(age, repeated=True)))
    assert "in which year were you born" in first.text
    assert not re.search(r"\d", first.text)
    assert first.buttons == []
    assert "are you 16 or older" in second.text
    assert len(second.buttons) == 2
    hashes = [bytes.fromhex(each.events[0]["value"]["shown"]) for each in (first, second)]
    with vault.database.read() as connection:
        assert list(vault.ledger.iterate(connection)) == []
        texts = [vault.notices.get(connection, each) for each in hashes]
    assert [each.text for each in texts if each is not None] == [first.text, second.text]
