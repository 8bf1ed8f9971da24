"""What is said in one conversation holds in all that a proof of identity has found."""

from dataclasses import replace
from typing import Any

import pytest

from rasa_privacy.actions.base import PrivacyAction, Turn
from rasa_privacy.actions.consent import Stop, WithdrawConsent
from rasa_privacy.actions.correcting import Correct
from rasa_privacy.actions.data_rights import Erase, PreviewErasure, ShowData
from rasa_privacy.actions.explaining import Explain
from rasa_privacy.actions.restricting import RestrictProcessing
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.limits import is_limited
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.policy.topics import LIMITED, SALE_OR_SHARING, choice
from rasa_privacy.rights.reach import must_not_be_reached
from rasa_privacy.rights.suppression import lift_after_grant
from rasa_privacy.storage import holds
from rasa_privacy.storage.holds import Hold
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.vault import Vault
from tests.support.linked import proven
from tests.support.vaults import active, evidence, give, grant, held

EVERYWHERE = ("new", "web", "phone")


@pytest.fixture
def bot(vault: Vault) -> Vault:
    """Return a store in which `new` has proven to be `web` and `phone`."""
    return proven(vault)


def test_a_restriction_in_the_chat_reaches_all_while_a_proof_counts(bot: Vault) -> None:
    """And its end; a day later it is about the one conversation."""

    def say(intent: str) -> None:
        RestrictProcessing().answer(bot, Turn("new", intent, ("newsletter",), None, evidence(bot), {}))

    def active(sender: str) -> bool:
        with bot.database.read() as conn:
            return "newsletter" in state_of(bot, conn, bot.subjects.find(conn, sender), bot.clock()).active

    for sender in ("web", "phone"):
        grant(bot, "newsletter", sender=sender)
    say("privacy_restrict")
    assert [active(name) for name in ("new", "web", "phone")] == [False, False, False]
    say("privacy_lift")
    assert [active(name) for name in ("new", "web", "phone")] == [True, True, True]
    bot.clock.advance(days=1)  # type: ignore[attr-defined]
    say("privacy_restrict")
    assert [active(name) for name in ("new", "web", "phone")] == [False, True, True]


def test_what_only_a_linked_conversation_uses_can_be_stopped(bot: Vault) -> None:
    """The draw was never spoken of in the conversation that gave the proof; a day later it is none of its concern."""
    do(bot, RestrictProcessing(), "privacy_restrict", purposes=("draw",))
    for sender in ("web", "phone"):
        with bot.database.read() as conn:
            assert "draw" in state_of(bot, conn, id_of(bot, sender), bot.clock()).restricted
    do(bot, RestrictProcessing(), "privacy_lift", purposes=("draw",))
    bot.clock.advance(days=1)  # type: ignore[attr-defined]
    do(bot, RestrictProcessing(), "privacy_restrict", purposes=("draw",))
    with bot.database.read() as conn:
        assert "draw" in state_of(bot, conn, id_of(bot, "web"), bot.clock()).active


@pytest.mark.parametrize("intent", ["privacy_do_not_sell", "privacy_limit_sensitive"])
def test_no_sale_and_a_limit_said_in_the_chat_reach_all(bot: Vault, intent: str) -> None:
    """What concerns the person is on record in each conversation that the proof found."""
    Explain().answer(bot, Turn("new", intent, (), None, evidence(bot), {}))
    topic = {"privacy_do_not_sell": SALE_OR_SHARING, "privacy_limit_sensitive": LIMITED}[intent]
    with bot.database.read() as conn:
        for sender in ("new", "web", "phone"):
            subject_id = bot.subjects.find(conn, sender)
            assert subject_id is not None
            assert topic in {each.purpose for each in bot.ledger.of_subject(conn, subject_id)}


def do(bot: Vault, action: PrivacyAction, intent: str, **fields: Any) -> str:
    """Run an action in the conversation that gave the proof, and return what it says."""
    turn = Turn("new", intent, (), pending=None, evidence=evidence(bot), responses={})
    return "\n".join(reply.text for reply in action.answer(bot, replace(turn, **fields)))


def id_of(bot: Vault, sender: str) -> bytes:
    """Return the id of somebody who is stored."""
    with bot.database.read() as conn:
        found = bot.subjects.find(conn, sender)
    assert found is not None
    return found


def granted(bot: Vault, sender: str, purpose: str, item: str) -> None:
    """Let somebody agree to an optional item."""
    with bot.database.write() as conn:
        fields = ("en", "button", "rest", bot.clock())
        bot.ledger.append(conn, LedgerRecord(id_of(bot, sender), choice(purpose, item), "granted", bytes(32), *fields))


def delete_emails(bot: Vault) -> str:
    """Ask for the email address to be deleted, and agree."""
    do(bot, PreviewErasure(), "privacy_delete", items=("email",))
    return do(bot, Erase(), "privacy_confirm", pending=Pending("erase", items=("email",)))


def test_the_preview_of_a_deletion_names_what_all_hold(bot: Vault) -> None:
    """Items, events and consents of the linked conversations go too, so they are in it; a day later they are not."""
    said = do(bot, PreviewErasure(), "privacy_delete")
    assert all(
        name in said
        for name in (
            "full name (draw: 2 values)",
            "email (draw: 1 value)",  # both have the same
            "birthday",
            "consent for draw",
            "newsletter",
            "3 events",
        )
    )
    bot.clock.advance(days=1)  # type: ignore[attr-defined]
    said = do(bot, PreviewErasure(), "privacy_delete")
    assert "birthday" in said
    assert "email" not in said
    assert "draw" not in said


def test_what_several_conversations_hold_alike_is_shown_once(bot: Vault) -> None:
    """The same address of the same purpose; two names are two lines."""
    lines = do(bot, ShowData(), "privacy_access").splitlines()
    assert len([line for line in lines if "ana@example.com" in line]) == 1
    assert len([line for line in lines if "Name of" in line]) == 2


def test_a_hold_on_one_is_said_instead_of_the_preview(bot: Vault) -> None:
    """Nobody is asked for a yes that deletes nothing."""
    with bot.database.write() as conn:
        holds.put(conn, Hold(id_of(bot, "phone"), "case-17", bot.clock(), "ana"))
    assert "legal" in do(bot, PreviewErasure(), "privacy_delete")


def test_a_part_is_previewed_and_deleted_in_all_each_with_a_certificate(bot: Vault) -> None:
    """The conversation that asks holds nothing of it itself; a day later it is about that one alone."""
    assert "email (draw: 1 value)" in do(bot, PreviewErasure(), "privacy_delete", items=("email",))
    said = delete_emails(bot)
    assert said.count("ER-") == 2
    assert "Your certificate numbers are ER-" in said
    assert [list(held(bot, name).get("draw", ())) for name in ("web", "phone")] == [["full_name"], ["full_name"]]
    bot.clock.advance(days=1)  # type: ignore[attr-defined]
    said = do(bot, PreviewErasure(), "privacy_delete", items=("full_name",))
    assert "ER-" not in said
    assert "value" not in said
    assert [list(held(bot, name)["draw"]) for name in ("web", "phone")] == [["full_name"], ["full_name"]]


def test_a_purpose_is_deleted_in_all(bot: Vault) -> None:
    """With its consent."""
    do(bot, PreviewErasure(), "privacy_delete", purposes=("draw",))
    do(bot, Erase(), "privacy_confirm", pending=Pending("erase", purposes=("draw",)))
    assert [held(bot, name).get("draw") for name in EVERYWHERE] == [None, None, None]
    assert [active(bot, name) & {"draw"} for name in EVERYWHERE] == [set(), set(), set()]


def test_a_hold_on_one_keeps_the_part_in_all(bot: Vault) -> None:
    """Nothing is deleted, in no conversation."""
    with bot.database.write() as conn:
        holds.put(conn, Hold(id_of(bot, "phone"), "case-17", bot.clock(), "ana"))
    assert "ER-" not in delete_emails(bot)
    assert "email" in held(bot, "web")["draw"]


def test_a_correction_reaches_all_that_hold_the_item(bot: Vault) -> None:
    """And brings it to no other; a day later it is about the one conversation."""
    assert "Name of web" not in do(bot, Correct(), "privacy_correct", items=("full_name",), text="Ana Lind")
    assert [held(bot, name).get("draw", {}).get("full_name") for name in EVERYWHERE] == [None, "Ana Lind", "Ana Lind"]
    grant(bot, "draw", sender="new")
    give(bot, {"draw": {"full_name": "Anna"}}, sender="new")
    bot.clock.advance(days=1)  # type: ignore[attr-defined]
    do(bot, Correct(), "privacy_correct", items=("full_name",), text="Ana Li")
    assert [held(bot, name)["draw"]["full_name"] for name in EVERYWHERE] == ["Ana Li", "Ana Lind", "Ana Lind"]


def test_under_a_hold_nothing_is_corrected(bot: Vault) -> None:
    """Also where the hold is on a linked conversation; the request waits for staff."""
    with bot.database.write() as conn:
        holds.put(conn, Hold(id_of(bot, "phone"), "case-17", bot.clock(), "ana"))
    assert "RQ-" in do(bot, Correct(), "privacy_correct", items=("full_name",), text="Ana Lind")
    assert held(bot, "web")["draw"]["full_name"] == "Name of web"


def test_a_withdrawal_reaches_all_while_a_proof_counts(bot: Vault) -> None:
    """What only that consent allowed goes with it; a day later it is about the one conversation."""
    grant(bot, "newsletter", sender="web")
    said = do(bot, WithdrawConsent(), "privacy_withdraw", purposes=("draw",))
    assert "draw" in said
    assert [active(bot, name) for name in EVERYWHERE] == [{"newsletter"}, {"newsletter"}, set()]
    assert [held(bot, name).get("draw") for name in ("web", "phone")] == [None, None]
    with bot.database.read() as conn:
        noted = [entry.record for entry in bot.audit.entries(conn) if entry.record.verb == "consent"]
    ended = {id_of(bot, name): ("draw",) for name in ("web", "phone")}  # `new` had never agreed to the draw
    assert {act.subject_id: act.purposes for act in noted} == ended
    bot.clock.advance(days=1)  # type: ignore[attr-defined]
    do(bot, WithdrawConsent(), "privacy_withdraw", purposes=("newsletter",))
    assert [active(bot, name) for name in EVERYWHERE] == [set(), {"newsletter"}, set()]


def test_an_optional_item_is_taken_back_in_all(bot: Vault) -> None:
    """It is destroyed where it was agreed to; the slot of the conversation that never did is not emptied."""
    granted(bot, "web", "draw", "postcode")
    give(bot, {"draw": {"postcode": "123"}}, sender="web")
    turn = Turn("new", "privacy_withdraw", (), pending=None, evidence=evidence(bot), responses={})
    (reply,) = WithdrawConsent().answer(bot, replace(turn, items=("postcode",)))
    assert "postcode" not in held(bot, "web")["draw"]
    assert "postcode" not in {event.get("name") for event in reply.events}


def test_stop_ends_all_while_a_proof_counts_and_later_suppresses_all_the_same(bot: Vault) -> None:
    """Later nothing is destroyed elsewhere; nobody is written to there, until they say yes there again."""
    give(bot, {"draw": {"postcode": "123"}}, sender="web")
    bot.clock.advance(days=1)  # type: ignore[attr-defined]
    do(bot, Stop(), "privacy_stop")
    with bot.database.read() as conn:
        assert [must_not_be_reached(bot, conn, name) for name in EVERYWHERE] == [True, True, True]
    assert [active(bot, name) for name in EVERYWHERE] == [set(), {"draw"}, {"draw"}]
    assert held(bot, "web")["draw"]["postcode"] == "123"
    bot.clock.advance(days=1)  # type: ignore[attr-defined]
    grant(bot, "newsletter", sender="web")
    bot.database.transact(lambda conn: lift_after_grant(bot, conn, "web", "newsletter"))
    with bot.database.read() as conn:
        assert [must_not_be_reached(bot, conn, name) for name in EVERYWHERE] == [True, False, True]


def test_stop_with_a_proof_ends_the_consents_of_all(bot: Vault) -> None:
    """And destroys what only they allowed; from one that proved nothing it reaches another by the address alone."""
    turn = Turn("web", "privacy_stop", (), pending=None, evidence=evidence(bot), responses={})
    Stop().answer(bot, turn)
    with bot.database.read() as conn:
        assert [must_not_be_reached(bot, conn, name) for name in EVERYWHERE] == [False, True, True]
    assert active(bot, "phone") == {"draw"}
    do(bot, Stop(), "privacy_stop")
    assert [active(bot, name) for name in EVERYWHERE] == [set(), set(), set()]
    assert not held(bot, "phone").get("draw")


def test_a_link_that_was_changed_keeps_nobody_from_opting_out(bot: Vault, sql: Any) -> None:
    """It reaches the conversation that says it, and no other by a link that somebody wrote."""
    sql("UPDATE links SET mac = x'00'")
    do(bot, Stop(), "privacy_stop")
    with bot.database.read() as conn:
        assert [must_not_be_reached(bot, conn, name) for name in EVERYWHERE] == [True, False, False]


def test_the_end_of_a_limit_and_of_a_restriction_reach_all(bot: Vault) -> None:
    """Also of those that were said in another conversation, while a proof counts."""

    def limited() -> list[bool]:
        with bot.database.read() as conn:
            found = [bot.ledger.of_subject(conn, id_of(bot, name)) for name in EVERYWHERE]
        return [is_limited(records, bot.clock()) for records in found]

    do(bot, Explain(), "privacy_limit_sensitive")
    assert limited() == [True, True, True]
    do(bot, RestrictProcessing(), "privacy_lift")
    assert limited() == [False, False, False]
    turn = Turn("web", "privacy_restrict", ("draw",), pending=None, evidence=evidence(bot), responses={})
    RestrictProcessing().answer(bot, turn)
    assert active(bot, "web") == set()
    do(bot, RestrictProcessing(), "privacy_lift")
    assert active(bot, "web") == {"draw"}
    RestrictProcessing().answer(bot, turn)
    bot.clock.advance(days=1)  # type: ignore[attr-defined]
    do(bot, RestrictProcessing(), "privacy_lift")
    assert active(bot, "web") == set()
