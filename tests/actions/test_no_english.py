"""Whatever an action says comes from the pack, from privacy.yml, or from what the person gave."""

import re
from collections.abc import Iterator
from dataclasses import replace as with_parts
from typing import Any, Final

import msgspec
import pytest

from rasa_privacy.actions.asking import AskConsent, RecordGrant, RecordLimits, RecordRefusal, TooYoung
from rasa_privacy.actions.base import PrivacyAction, Reply, Turn
from rasa_privacy.actions.confirming import ConfirmCode, SendCode
from rasa_privacy.actions.consent import Stop, WithdrawConsent
from rasa_privacy.actions.correcting import Correct
from rasa_privacy.actions.data_rights import Erase, HandOver, KeepData, PreviewErasure, ShowData
from rasa_privacy.actions.explaining import _ANSWERS, Explain
from rasa_privacy.actions.forgetting import ForgetLast
from rasa_privacy.actions.receipts import GiveReceipt
from rasa_privacy.actions.restricting import RestrictProcessing
from rasa_privacy.actions.statuses import RequestStatus
from rasa_privacy.consent.double_opt_in import end_code
from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.dialogue.names import ACTIONS
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.policy.contacts import PROOF
from rasa_privacy.policy.item_model import Item
from rasa_privacy.policy.model import Controller, Policy, Storage
from rasa_privacy.policy.operations import Identity
from rasa_privacy.policy.purpose_model import Purpose
from rasa_privacy.storage.vault import Vault
from tests.support.languages import OTHER, second_language, speaking_both
from tests.support.vaults import SENDER, give

__all__ = ["second_language"]

#: What is nobody's language: certificate numbers, the version of a notice, and a signed document as a whole.
_CODES: Final = re.compile(r"\b(?:ER|RQ)(-[A-Z0-9]{4}){3}\b|\b[0-9a-f]{16}\b|^[\w-]+\.[\w-]+\.[\w-]+$")
_LATIN: Final = re.compile(r"[A-Za-z]+")
_CONSENT: Final = Pending("consent", "lead_form", ("draw",))
_OPTIONAL: Final = Pending("optional", "lead_form", ("draw",), items=("postcode",))
_AGE: Final = Pending("age", "lead_form", ("draw",), age=16)


def spelt(policy: Policy, *, rich: bool) -> Policy:
    """Return the policy with nothing Latin in what is shown as it is, and either everything or little declared."""
    replace = msgspec.structs.replace
    empty = Purpose(says={OTHER: "\u03b3"}, called={OTHER: "\u03b4"}, basis="consent", retain="1 hour")
    if not rich:
        controller = Controller(name="\u03a9", contact="\u03c9", policy_url="://")
        return replace(policy, controller=controller, purposes={**policy.purposes, "empty": empty})
    others = ("\u03b6", "\u03b7")
    by_law = replace(
        empty, basis="contract", because={OTHER: "\u03b5"}, items={"phone": "required", "card": "optional"}
    )
    draw = replace(policy.purposes["draw"], recipients=others)
    return replace(
        policy,
        controller=Controller(name="\u03a9", contact="\u03c9", policy_url="://", authority="\u03b1\u03c1"),
        minimum_age=16,
        storage=Storage(location={OTHER: "\u03b8"}, transfers={OTHER: "\u03b9"}),
        items={
            **policy.items,
            "phone": Item(slot="phone", keep="masked", called={OTHER: "\u03ba"}),
            "card": Item(slot="card", keep="none", called={OTHER: "\u03bb"}),
        },
        purposes={**policy.purposes, "draw": draw, "empty": empty, "law": by_law},
    )


@pytest.fixture(params=[True, False], ids=["rich", "sparse"])
def other(vault: Vault, second_language: str, request: pytest.FixtureRequest) -> Vault:
    """Return the store of a bot whose second language is no human one."""
    assert second_language == OTHER
    both = speaking_both(vault)
    object.__setattr__(both, "policy", spelt(both.policy, rich=request.param))
    return both


def turn(vault: Vault, intent: str, *purposes: str, pending: Pending | None = None) -> Turn:
    """Return a turn in the second language."""
    how = Evidence("words", "rest", OTHER, vault.clock())
    return Turn(SENDER, intent, purposes, pending=pending, evidence=how, responses={})


def conversation(vault: Vault) -> Iterator[tuple[PrivacyAction, list[Reply]]]:
    """Run every action, most of them with and without something to say, and yield what each says."""

    def run(action: PrivacyAction, intent: str, *purposes: str, pending: Pending | None = None) -> list[Reply]:
        return action.answer(vault, turn(vault, intent, *purposes, pending=pending))

    for action in (ShowData(), PreviewErasure(), GiveReceipt(), WithdrawConsent(), KeepData(), Stop()):
        yield action, run(action, "")
    dropped = Pending("consent", "lead_form", ("draw",), dropped=True)
    yield AskConsent(), run(AskConsent(), "", pending=dropped)
    yield RecordRefusal(), run(RecordRefusal(), "privacy_refuse", pending=_CONSENT)
    for purpose in vault.policy.purposes:
        yield AskConsent(), run(AskConsent(), "", pending=Pending("consent", None, (purpose,)))

    def agree(*purposes: str) -> Iterator[tuple[PrivacyAction, list[Reply]]]:
        for purpose in purposes:
            question = Pending("consent", None, (purpose,))
            yield AskConsent(), run(AskConsent(), "", pending=question)
            yield RecordGrant(), run(RecordGrant(), "privacy_grant", pending=question)

    for question in (_AGE, _OPTIONAL):
        yield AskConsent(), run(AskConsent(), "", pending=question)
        yield RecordRefusal(), run(RecordRefusal(), "", pending=question)
    yield TooYoung(), run(TooYoung(), "privacy_refuse", pending=_AGE)
    yield from agree("empty")
    yield WithdrawConsent(), run(WithdrawConsent(), "", "empty")
    yield SendCode(), run(SendCode(), "privacy_resend")
    yield ConfirmCode(), run(ConfirmCode(), "privacy_code")
    yield from agree("draw", "newsletter")
    for item, wanted in (("full_name", _CONSENT), ("postcode", _CONSENT), ("postcode", _OPTIONAL)):
        yield AskConsent(), run(AskConsent(), "", pending=wanted)
        limited = with_parts(turn(vault, "privacy_limit", pending=wanted), items=(item,))
        yield RecordLimits(), RecordLimits().answer(vault, limited)
    yield Explain(), run(Explain(), "privacy_more", pending=_CONSENT)
    unsure = with_parts(turn(vault, "privacy_unsure"), offered=("privacy_delete", "privacy_why"))
    yield Explain(), Explain().answer(vault, unsure)
    give(vault, {"draw": {"full_name": "\u0391", "postcode": True}, "newsletter": {"email": ["\u0392"]}}, events=3)
    for action in (ShowData(), PreviewErasure(), GiveReceipt(), WithdrawConsent()):
        yield action, run(action, "")
    yield HandOver(), run(HandOver(), "privacy_export")
    yield from proofs(vault)
    yield from parts(vault, run)
    for intent in (*_ANSWERS, "privacy_other"):
        yield Explain(), run(Explain(), intent)
        yield Explain(), run(Explain(), intent, pending=_CONSENT)
    yield WithdrawConsent(), run(WithdrawConsent(), "", "draw", "newsletter")
    yield from agree("draw")
    give(vault, {"draw": {"full_name": "\u0391"}})
    yield PreviewErasure(), run(PreviewErasure(), "privacy_delete")
    yield Erase(), run(Erase(), "privacy_confirm", pending=Pending("erase"))
    yield Erase(), run(Erase(), "privacy_confirm", pending=Pending("erase"))


def proofs(vault: Vault) -> Iterator[tuple[PrivacyAction, list[Reply]]]:
    """Ask for a proof, name a contact that nobody has, guess, have another code sent, and decline."""
    object.__setattr__(vault, "policy", msgspec.structs.replace(vault.policy, identity=Identity()))
    question = Pending("contact", "action_privacy_show_data", (PROOF,))

    def say(action: PrivacyAction, intent: str, **fields: Any) -> tuple[PrivacyAction, list[Reply]]:
        return action, action.answer(vault, with_parts(turn(vault, intent), **fields))

    for action in (ShowData(), HandOver(), PreviewErasure()):
        yield say(action, "privacy_access")
    yield say(AskConsent(), "", pending=question)
    yield say(SendCode(), "privacy_contact", pending=question, text="a@b.example")
    waiting = with_parts(question, kind="code")
    yield say(AskConsent(), "", pending=waiting)
    yield say(SendCode(), "privacy_resend", pending=waiting)
    yield say(ConfirmCode(), "privacy_code", pending=waiting, text="0")
    yield say(RecordRefusal(), "privacy_refuse", pending=waiting)
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER) or b""
    end_code_of(vault, subject_id)
    yield say(ConfirmCode(), "privacy_code", pending=waiting, text="0")
    object.__setattr__(vault, "policy", msgspec.structs.replace(vault.policy, identity=None))


def end_code_of(vault: Vault, subject_id: bytes) -> None:
    """Let a code open nothing any more."""
    vault.database.transact(lambda connection: end_code(connection, subject_id, PROOF, vault.clock()))


def parts(vault: Vault, run: Any) -> Iterator[tuple[PrivacyAction, list[Reply]]]:
    """Delete and correct parts, restrict and lift, and ask what became of it all."""

    def say(action: PrivacyAction, intent: str, **fields: Any) -> tuple[PrivacyAction, list[Reply]]:
        return action, action.answer(vault, with_parts(turn(vault, intent), **fields))

    yield ForgetLast(), run(ForgetLast(), "privacy_forget_last")
    for item in ("postcode", "email", "birthday"):
        yield say(PreviewErasure(), "privacy_delete", items=(item,))
    yield say(PreviewErasure(), "privacy_delete", purposes=("draw",))
    yield say(Erase(), "privacy_confirm", pending=Pending("erase", items=("postcode",)))
    yield Correct(), run(Correct(), "privacy_correct")
    yield say(Correct(), "privacy_correct", items=("full_name",))
    question = Pending("correct", items=("full_name",))
    for intent in ("privacy_unclear", "privacy_refuse"):
        yield Correct(), run(Correct(), intent, pending=question)
    yield say(Correct(), "privacy_value", pending=question, text="\u0393")
    yield say(Correct(), "privacy_correct", items=("birthday",), text="\u0394")
    yield say(Correct(), "privacy_value", pending=Pending("correct", items=("email",)), text="\u0394")
    for intent in ("privacy_restrict", "privacy_object", "privacy_lift"):
        yield RestrictProcessing(), run(RestrictProcessing(), intent)
        yield RestrictProcessing(), run(RestrictProcessing(), intent, "draw", "newsletter")
    for intent in ("privacy_limit_sensitive", "privacy_do_not_sell", "privacy_complain"):
        yield Explain(), run(Explain(), intent)
    for _ in range(2):
        yield RestrictProcessing(), run(RestrictProcessing(), "privacy_lift")
    yield RequestStatus(), run(RequestStatus(), "privacy_status")


def test_no_action_says_an_english_word_of_its_own(other: Vault) -> None:
    """In a language of marks and Greek letters, any Latin one that is left stands in the code."""
    said = set()
    for action, replies in conversation(other):
        said.add(action.name())
        assert replies, action.name()
        for reply in replies:
            for text in (reply.text, *(button["title"] for button in reply.buttons)):
                assert text
                assert _LATIN.findall(_CODES.sub("", text)) == [], (action.name(), text)
    assert said == set(ACTIONS)
