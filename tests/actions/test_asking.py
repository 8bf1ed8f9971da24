"""Questions and answers as a person meets them: the turns, the actions and the ledger together."""

from dataclasses import replace as with_parts
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from rasa_privacy.actions.asking import AskConsent, RecordGrant, RecordLimits
from rasa_privacy.actions.base import PrivacyAction, Reply, Turn
from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.dialogue.names import UNCLEAR
from rasa_privacy.dialogue.packs import available_languages
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import LedgerError
from rasa_privacy.policy.model import AgeByCountry, Policy
from rasa_privacy.retention.sweep import sweep
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.withdrawal import withdraw
from rasa_privacy.storage.tables import metadata
from rasa_privacy.storage.vault import Vault
from tests.support.talk import Talk
from tests.support.vaults import SENDER, Clock, active, ask, evidence, give, grant, held

YES, NO, UNSURE, LEAVE_OUT = "privacy_grant", "privacy_refuse", "privacy_unclear", "privacy_limit"


def changed(vault: Vault, *, purposes: dict[str, dict[str, Any]] | None = None, **fields: Any) -> Vault:
    """Return the store under another privacy.yml."""
    policy: Policy = msgspec.structs.replace(vault.policy, **fields)
    declared = dict(policy.purposes)
    for name, parts in (purposes or {}).items():
        declared[name] = msgspec.structs.replace(declared[name], **parts)
    return with_parts(vault, policy=msgspec.structs.replace(policy, purposes=declared))


def withdrawn(vault: Vault, purpose: str) -> None:
    """Take a consent back from outside the conversation."""

    def work(connection: Any) -> None:
        subject_id = vault.subjects.find_for_update(connection, SENDER)
        assert subject_id is not None
        withdraw(vault, connection, subject_id, [purpose], evidence(vault))

    vault.database.transact(work)


def ledger(vault: Vault) -> list[tuple[str, str]]:
    """Return what is recorded of the person."""
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER)
        assert subject_id is not None
        return [(each.purpose, each.event) for each in vault.ledger.of_subject(connection, subject_id)]


# A yes.


@pytest.mark.parametrize("action", [RecordGrant(), RecordLimits()])
@pytest.mark.parametrize("intent", ["enter_draw", NO, UNSURE, "privacy_access", ""])
def test_no_action_records_a_yes_that_nobody_said(vault: Vault, action: PrivacyAction, intent: str) -> None:
    """However it came to run, such as by a story or a follow-up: it is the message that says yes."""
    pending = Talk(vault).want("lead_form").pending
    turn = Turn(SENDER, intent, (), pending=pending, evidence=evidence(vault), responses={}, items=("postcode",))
    with pytest.raises(LedgerError):
        action.answer(vault, turn)
    assert ledger(vault) == [("draw", "asked")]


# A question before the answer.


def test_a_question_about_the_notice_does_not_show_it_once_more(vault: Vault) -> None:
    """The answer, and what is asked in short; the yes is one to the notice that was shown."""
    talk = Talk(vault).want("lead_form")
    (notice,) = talk.said
    answer, again = talk.reply("privacy_how_long").said
    assert "90 days" in answer
    assert again == "So, may Northwind Outdoor use these details to enter you in the draw: full name and email?"
    assert talk.reply("privacy_where").said[1] == again
    assert ledger(vault) == [("draw", "asked")]
    talk.reply(YES)
    assert active(vault) == {"draw"}
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER)
        assert subject_id is not None
        granted = next(each for each in vault.ledger.of_subject(connection, subject_id) if each.event == "granted")
        shown = vault.notices.get(connection, granted.notice_hash)
    assert shown is not None
    assert shown.text == notice


def test_a_notice_that_changed_meanwhile_is_shown_whole(vault: Vault) -> None:
    """What was read is not what would be agreed to."""
    talk = Talk(vault).want("lead_form")
    talk.vault = changed(vault, purposes={"draw": {"recipients": ("Mailhouse Ltd",)}})
    assert "Mailhouse Ltd" in talk.reply("privacy_how_long").said[1]
    assert ledger(vault) == [("draw", "asked"), ("draw", "asked")]


def test_a_question_about_what_is_needed_comes_back_as_it_was(vault: Vault) -> None:
    """Whether the email may be used after all is another question than whether all of it may."""
    talk = Talk(vault).want("lead_form").reply(LEAVE_OUT, "email")
    needed = talk.said[-1]
    assert "email" in needed
    assert talk.reply("privacy_why").said[-1] == needed


def test_a_notice_of_longer_ago_is_shown_whole(vault: Vault, clock: Clock) -> None:
    """It was shown in another session, as where the bot asks anew after its hand-over, or stands far above."""
    talk = Talk(vault).want("lead_form")
    (notice,) = talk.said
    clock.advance(minutes=59)
    assert talk.reply("privacy_how_long").said[1] != notice
    clock.advance(minutes=2)
    assert talk.reply("privacy_how_long").said[1] == notice
    assert ledger(vault) == [("draw", "asked"), ("draw", "asked")]
    anew = Evidence("words", "rest", "en", vault.clock() + timedelta(days=90))
    pending = Pending("consent", "action_submit", ("draw",))
    handed_over = Turn(SENDER, "privacy_human", (), pending=pending, evidence=anew, responses={})
    assert AskConsent().answer(vault, handed_over)[0].text == notice


def test_after_something_else_than_a_question_the_notice_is_shown_whole(vault: Vault) -> None:
    """A list of what is stored stands between."""
    talk = Talk(vault).want("lead_form")
    (notice,) = talk.said
    assert talk.reply("privacy_access").said[-1] == notice


# Optional items.


def test_optional_items_are_asked_for_apart(vault: Vault) -> None:
    """The question of the purpose does not name them; they have their own, and then the form starts."""
    talk = Talk(vault).want("lead_form")
    assert "full name" in talk.said[-1]
    assert "postcode" not in talk.said[-1]
    assert "postcode" in talk.reply(YES).said[-1]
    assert talk.ran == []
    assert talk.reply(YES).ran == ["lead_form"]
    assert active(vault) == {"draw", "draw:postcode"}


def test_a_no_to_optional_items_closes_nothing(vault: Vault) -> None:
    """The form starts all the same, without them."""
    talk = Talk(vault).want("lead_form").reply(YES).reply(NO)
    assert talk.ran == ["lead_form"]
    assert active(vault) == {"draw"}
    assert ledger(vault)[-1] == ("draw:postcode", "refused")


def test_a_yes_to_optional_items_ends_with_their_purpose(vault: Vault) -> None:
    """Who takes the purpose back and agrees again is asked about them again."""
    talk = Talk(vault).want("lead_form").reply(YES).reply(YES)
    withdrawn(vault, "draw")
    assert active(vault) == frozenset()
    assert "postcode" in talk.want("lead_form").reply(YES).said[-1]
    assert active(vault) == {"draw"}


def test_a_yes_that_leaves_an_optional_item_out_is_a_yes_to_the_rest(vault: Vault) -> None:
    """Nothing is asked about what was left out."""
    talk = Talk(vault).want("lead_form").reply(LEAVE_OUT, "postcode")
    assert talk.ran == ["lead_form"]
    assert active(vault) == {"draw"}
    assert ledger(vault) == [("draw", "asked"), ("draw", "granted"), ("draw:postcode", "refused")]


def test_a_yes_that_leaves_out_what_is_needed_is_asked_back(vault: Vault) -> None:
    """It is no plain yes; only the answer to the question after it counts."""
    talk = Talk(vault).want("lead_form").reply(LEAVE_OUT, "email")
    assert "email" in talk.said[-1]
    assert active(vault) == frozenset()
    again = talk.reply(LEAVE_OUT, "email")
    assert again.said == [UNCLEAR]
    assert active(vault) == frozenset()
    talk.reply(YES)
    assert active(vault) == {"draw"}


def test_some_of_several_optional_items(vault: Vault) -> None:
    """Each has its own record."""
    both = changed(
        vault, purposes={"draw": {"items": {"full_name": "required", "email": "optional", "phone": "optional"}}}
    )
    talk = Talk(both).want("lead_form").reply(YES).reply(LEAVE_OUT, "phone")
    assert talk.ran == ["lead_form"]
    assert active(both) == {"draw", "draw:email"}


def test_a_value_of_an_older_notice_goes_with_the_no(vault: Vault) -> None:
    """It was required then; now it is optional, and the person does not want it kept."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li", "postcode": "902"}})
    withdrawn_terms = changed(vault, purposes={"draw": {"says": {"en": "to enter you in another draw"}}})
    talk = Talk(withdrawn_terms)
    talk.slots["postcode"] = "902"
    talk.want("lead_form").reply(YES).reply(NO)
    assert held(vault) == {"draw": {"full_name": "Ana Li"}}
    assert talk.slots["postcode"] is None


def test_yes_but_not_that_destroys_what_was_stored(vault: Vault) -> None:
    """The same in one sentence."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li", "postcode": "902"}})
    other_terms = changed(vault, purposes={"draw": {"says": {"en": "to enter you in another draw"}}})
    Talk(other_terms).want("lead_form").reply(LEAVE_OUT, "postcode")
    assert held(vault) == {"draw": {"full_name": "Ana Li"}}


def test_an_optional_item_is_taken_back_in_words(vault: Vault) -> None:
    """Its value goes, its purpose stays."""
    talk = Talk(vault).want("lead_form").reply(YES).reply(YES)
    give(vault, {"draw": {"full_name": "Ana Li", "postcode": "902"}})
    talk.slots["postcode"] = "902"
    talk.reply("privacy_withdraw", "postcode")
    assert "postcode has ended" in talk.said[-1]
    assert talk.slots["postcode"] is None
    assert active(vault) == {"draw"}
    assert held(vault) == {"draw": {"full_name": "Ana Li"}}


def test_who_takes_back_an_item_without_consent_is_not_asked_which_consent(vault: Vault) -> None:
    """What was named is said to be on no record, and everything else stands."""
    talk = Talk(vault).want("lead_form").reply(YES).reply(NO).reply("privacy_withdraw", "postcode")
    assert "nothing to take back: postcode." in talk.said[0]
    assert talk.pending is None
    assert active(vault) == {"draw"}


def test_who_takes_back_what_is_being_asked_for_has_said_no(vault: Vault) -> None:
    """To the question about the postcode, "I take back my postcode" is the no; nobody is asked which consent."""
    talk = Talk(vault).want("lead_form").reply(YES).reply("privacy_withdraw", "postcode")
    assert talk.said[0] == "All right, I leave this out: postcode."
    assert talk.ran == ["lead_form"]
    assert ledger(vault)[-1] == ("draw:postcode", "refused")
    assert active(vault) == {"draw"}


# The short question.


def shown(vault: Vault) -> list[tuple[str, str]]:
    """Return each record of the person about the draw: what happened, and the text that its hash stands for."""
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER)
        assert subject_id is not None
        found = []
        for each in vault.ledger.of_subject(connection, subject_id):
            notice = vault.notices.get(connection, each.notice_hash)
            assert notice is not None
            if each.purpose == "draw":
                found.append((each.event, notice.text))
        return found


def test_a_yes_to_the_short_question_names_the_notice_that_was_shown(vault: Vault) -> None:
    """After an answer about it the question comes back in short; what is on record is the notice, shown in full."""
    talk = Talk(vault).want("lead_form")
    (notice,) = talk.said
    assert talk.reply("privacy_why").said[-1].startswith("So, may Northwind Outdoor use these details")
    talk.reply(YES)
    assert shown(vault) == [("asked", notice), ("granted", notice)]


def test_a_notice_that_changed_during_an_explanation_is_shown_in_full(vault: Vault) -> None:
    """The yes then names the text of after the change, and a yes to the one of before is none."""
    talk = Talk(vault).want("lead_form")
    (before,) = talk.said
    talk.reply("privacy_why")
    talk.vault = changed(vault, purposes={"draw": {"says": {"en": "to enter you in another draw"}}})
    after = talk.reply("privacy_why").said[-1]
    assert "to enter you in another draw" in after
    assert not after.startswith("So, may")
    talk.reply(YES)
    assert shown(vault) == [("asked", before), ("asked", after), ("granted", after)]


def test_a_yes_to_a_short_question_of_before_a_change_is_none(vault: Vault) -> None:
    """The notice above it holds no more."""
    talk = Talk(vault).want("lead_form").reply("privacy_why")
    talk.vault = changed(vault, purposes={"draw": {"says": {"en": "to enter you in another draw"}}})
    with pytest.raises(LedgerError, match="changed after it was shown"):
        talk.reply(YES)
    assert [event for event, _ in shown(vault)] == ["asked"]


@pytest.mark.parametrize("language", available_languages())
def test_the_short_question_has_the_buttons_of_the_whole(vault: Vault, language: str) -> None:
    """In each language, yes and no with the same words, and neither speaks for one of them."""
    parts = {"says": {language: "..."}, "called": {language: "..."}}
    spoken = changed(vault, languages=(language,), purposes={"draw": parts})
    whole, short = (asked(spoken, language, intent) for intent in ("wish", "privacy_why"))
    assert short.text != whole.text
    assert short.buttons == whole.buttons
    assert [button["payload"].partition("{")[0] for button in short.buttons] == [f"/{YES}", f"/{NO}", "/privacy_more"]


def asked(vault: Vault, language: str, intent: str) -> Reply:
    """Return the question about the draw as it is shown after a message of this intent."""
    known = Evidence("words", "rest", language, vault.clock())
    pending = Pending("consent", "lead_form", ("draw",))
    (reply,) = AskConsent().answer(vault, Turn(SENDER, intent, (), pending=pending, evidence=known, responses={}))
    return reply


# What is not clearly yes.


def test_unclear_answers_count_as_no_after_one_repeat(vault: Vault) -> None:
    """One gentle repeat, and then a no that is said to be one."""
    talk = Talk(vault).want("lead_form").reply(UNSURE)
    assert talk.said == [UNCLEAR]
    talk.reply(UNSURE)
    assert "count it as a no" in talk.said[0]
    assert talk.pending is None
    assert talk.ran == []
    assert ledger(vault)[-1] == ("draw", "refused")


def test_a_clear_answer_after_the_repeat_counts(vault: Vault) -> None:
    """The repeat is a question like the first."""
    talk = Talk(vault).want("lead_form").reply(UNSURE).reply(YES).reply(NO)
    assert talk.ran == ["lead_form"]


def test_somebody_who_flips_ten_times_has_the_last_word(vault: Vault) -> None:
    """Each answer is recorded, and the last one counts."""
    talk = Talk(vault)
    for _ in range(5):
        talk.want("lead_form").reply(YES).reply(NO)
        withdrawn(vault, "draw")
        talk.want("lead_form").reply(NO)
    assert active(vault) == frozenset()
    assert [event for purpose, event in ledger(vault) if purpose == "draw"].count("granted") == 5


def test_two_answers_at_once_are_one_yes_or_none(vault: Vault) -> None:
    """The second answer finds no question open: nothing is recorded twice."""
    first, second = Talk(vault).want("lead_form"), Talk(vault)
    second.slots = dict(first.slots)
    first.reply(YES)
    with pytest.raises(Exception, match="was not asked about"):
        second.reply(NO)
    assert active(vault) == {"draw"}


# When people are asked.


def test_at_the_first_message_every_purpose_is_asked_about(vault: Vault) -> None:
    """Each on its own; then the bot answers what was said."""
    first = changed(vault, ask="first_message")
    talk = Talk(first).want("action_hours")
    assert talk.ran == []
    talk.reply(NO).reply(NO)
    assert talk.ran == []
    assert talk.reply(YES).ran == ["action_hours"]
    assert active(first) == {"fitting"}
    assert talk.want("action_hours").ran == ["action_hours"] * 2


def test_one_purpose_is_asked_about_at_the_first_message(vault: Vault) -> None:
    """The others wait until they are wanted."""
    first = changed(vault, purposes={"fitting": {"ask": "first_message"}})
    talk = Talk(first).want("action_hours").reply(NO)
    assert talk.ran == ["action_hours"]
    assert ledger(first) == [("fitting", "asked"), ("fitting", "refused")]


def test_the_wanted_form_that_was_refused_does_not_start(vault: Vault) -> None:
    """A no to what the form needs ends it; the bot does not ask again at once."""
    first = changed(vault, ask="first_message")
    talk = Talk(first).want("lead_form").reply(NO)
    assert talk.ran == []
    assert talk.pending is None


def test_a_question_that_was_passed_by_is_not_asked_again_and_again(vault: Vault) -> None:
    """Who does not answer is not nagged."""
    first = changed(vault, ask="first_message")
    talk = Talk(first).want("action_hours")
    talk.want("action_hours").want("action_hours").want("action_hours")
    asked = [purpose for purpose, event in ledger(first) if event == "asked"]
    assert sorted(asked) == sorted(set(asked))


def test_a_question_anew_is_not_asked_again_and_again(vault: Vault) -> None:
    """Who agreed to older terms, or whose yes has ended, is asked once by the bot; after that they must want it."""
    first = changed(vault, ask="first_message")
    talk = Talk(first).want("action_hours").reply(YES).reply(NO).reply(NO).reply(NO)
    other = changed(first, purposes={"draw": {"recipients": ("Parcel Post",)}})
    talk = Talk(other).want("action_hours")
    assert "Parcel Post" in talk.said[-1]
    assert ledger(other)[-2:] == [("draw", "superseded"), ("draw", "asked")]
    assert talk.want("action_hours").said == []
    assert "Parcel Post" in talk.want("lead_form").said[-1]


def test_a_no_is_left_alone_until_its_time(vault: Vault, clock: Clock) -> None:
    """With `ask_again_after` the bot asks by itself again, and not a day before."""
    again = changed(vault, purposes={"fitting": {"ask": "first_message", "ask_again_after": "12 months"}})
    talk = Talk(again).want("action_hours").reply(NO)
    clock.advance(days=364)
    assert talk.want("action_hours").said == []
    clock.advance(days=2)
    assert "fitting" in talk.want("action_hours").said[-1]


def test_who_wants_it_after_a_no_is_asked(vault: Vault) -> None:
    """A no is no wall."""
    talk = Talk(vault).want("lead_form").reply(NO).want("lead_form")
    assert "to enter you in the draw" in talk.said[-1]


def test_a_purpose_beside_is_asked_about_after_the_yes(vault: Vault) -> None:
    """Its no changes nothing, and it is not asked about again."""
    beside = changed(vault, purposes={"draw": {"also_ask": ("newsletter",)}})
    talk = Talk(beside).want("lead_form").reply(YES).reply(NO)
    assert "newsletter" in talk.said[-1]
    assert talk.reply(NO).ran == ["lead_form"]
    withdrawn(beside, "draw")
    assert talk.want("lead_form").reply(YES).reply(NO).ran == ["lead_form"] * 2


def test_a_purpose_beside_is_not_asked_about_after_a_no(vault: Vault) -> None:
    """Who does not want the draw is not offered more."""
    beside = changed(vault, purposes={"draw": {"also_ask": ("newsletter",)}})
    talk = Talk(beside).want("lead_form").reply(NO)
    assert talk.pending is None


def test_a_required_purpose_is_asked_about_with_its_reason(vault: Vault) -> None:
    """Bundling is said, and a no to either closes the form."""
    bundled = changed(vault, purposes={"draw": {"requires": {"fitting": {"en": "the prize is fitted"}}}})
    talk = Talk(bundled).want("lead_form").reply(YES).reply(NO)
    assert "the prize is fitted" in talk.said[-1]
    assert talk.ran == []
    assert talk.reply(NO).ran == []
    assert talk.pending is None


# Age.


def test_the_age_is_asked_before_anything(vault: Vault) -> None:
    """Once; then consent is asked for."""
    aged = changed(vault, minimum_age=16)
    talk = Talk(aged).want("lead_form")
    assert "16 or older" in talk.said[-1]
    assert "to enter you in the draw" in talk.reply(YES).said[-1]
    talk.reply(NO)
    assert "16 or older" not in talk.want("newsletter_form").said[-1]
    assert ledger(aged)[:2] == [("minimum_age:16", "asked"), ("minimum_age:16", "granted")]


def rows_of(vault: Vault, *, but: str) -> dict[str, list[Any]]:
    """Return every row of every table but one."""
    with vault.database.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in metadata.sorted_tables
            if table.name != but
        }


def test_who_is_too_young_meets_a_kind_end_and_nothing_is_kept(vault: Vault) -> None:
    """In this session another try is answered the same. No table has a row more, but for the text of the question."""
    aged = changed(vault, minimum_age=16)
    before = rows_of(aged, but="notices")
    talk = Talk(aged).want("lead_form")
    assert rows_of(aged, but="notices") == before
    talk.reply(NO)
    assert "parent or guardian" in talk.said[-1]
    assert "parent or guardian" in talk.want("newsletter_form").said[-1]
    assert talk.ran == []
    assert rows_of(aged, but="notices") == before
    assert active(aged) == frozenset()


def test_the_conversation_of_who_is_too_young_goes_after_a_day(vault: Vault, clock: Clock) -> None:
    """By it they are not asked again today; then there is no row of theirs, and no sealed sender id."""
    aged = changed(vault, minimum_age=16)
    before = rows_of(aged, but="notices")
    Talk(aged).want("lead_form").reply(NO)
    give(aged, {}, events=4)
    clock.advance(hours=25)
    sweep(aged, clock(), trusted=True)
    left = rows_of(aged, but="notices")
    changed_tables = {name for name, rows in left.items() if rows != before[name]}
    # That a run of the retention was, and its certificate and mark, by which no old copy brings the conversation back.
    assert changed_tables <= {"audit", "leases", "meta", "erasures", "tombstones"}
    with aged.database.read() as connection:
        assert aged.subjects.find(connection, SENDER) is None


def test_a_question_about_the_age_that_nobody_was_shown_is_not_answered(vault: Vault) -> None:
    """The slot alone, which anybody can set, records no yes; neither does the text of another question."""
    aged = changed(vault, minimum_age=16)
    ask(aged, "draw", sender="ben")
    with aged.database.read() as connection:
        ben = aged.subjects.find(connection, "ben")
        assert ben is not None
        other = aged.ledger.of_subject(connection, ben)[-1].notice_hash.hex()
    for shown in ("", "00" * 32, "no number", other):
        pending = Pending("age", "lead_form", ("draw",), age=16, shown=shown)
        turn = Turn(SENDER, YES, (), pending=pending, evidence=evidence(aged), responses={})
        with pytest.raises(LedgerError):
            RecordGrant().answer(aged, turn)


def test_an_unclear_age_is_no_yes(vault: Vault) -> None:
    """After one repeat nothing is asked any more."""
    aged = changed(vault, minimum_age=16)
    talk = Talk(aged).want("lead_form").reply(UNSURE).reply(UNSURE)
    assert "count it as a no" in talk.said[0]
    assert talk.pending is None
    with aged.database.read() as connection:
        assert aged.subjects.find(connection, SENDER) is None


def test_the_age_is_that_of_the_country(vault: Vault) -> None:
    """A higher one is asked for again; a lower one is covered."""
    aged = changed(vault, minimum_age=AgeByCountry(slot="country", otherwise=16))
    talk = Talk(aged)
    talk.slots["country"] = "at"
    assert "14 or older" in talk.want("lead_form").said[-1]
    talk.reply(YES).reply(NO)
    talk.slots["country"] = "DE"
    assert "16 or older" in talk.want("lead_form").said[-1]
    talk.reply(YES).reply(NO)
    talk.slots["country"] = ["odd"]
    assert "to enter you in the draw" in talk.want("lead_form").said[-1]


# From outside.


def test_a_withdrawal_from_outside_ends_the_form_at_the_next_turn(vault: Vault) -> None:
    """The ledger is read at each turn."""
    talk = Talk(vault).want("lead_form").reply(YES).reply(NO)
    talk.loop = "lead_form"
    withdrawn(vault, "draw")
    talk.want("lead_form")
    assert "to enter you in the draw" in talk.said[-1]
    assert "lead_form" not in talk.ran[1:]


def test_who_is_erased_in_the_middle_of_a_form_is_somebody_new(vault: Vault) -> None:
    """By staff, while the form waits for an answer: the next turn asks anew, and nothing of before is there."""
    talk = Talk(vault).want("lead_form").reply(YES).reply(NO)
    talk.loop = "lead_form"
    give(vault, {"draw": {"full_name": "Ana Li"}})
    assert erase(vault, SENDER, evidence(vault)) is not None
    talk.want("lead_form")
    assert "to enter you in the draw" in talk.said[-1]
    assert talk.ran == ["lead_form"]
    assert (ledger(vault), held(vault)) == ([("draw", "asked")], {})
