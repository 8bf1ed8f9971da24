"""What the chat says of a legal hold that may not be disclosed: the truth, and nothing of the hold."""

import re
from dataclasses import replace
from typing import Any

import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.actions.base import PrivacyAction, Turn
from rasa_privacy.actions.consent import Stop, WithdrawConsent
from rasa_privacy.actions.correcting import Correct
from rasa_privacy.actions.data_rights import Erase, PreviewErasure, ShowData
from rasa_privacy.actions.forgetting import ForgetLast
from rasa_privacy.actions.statuses import RequestStatus
from rasa_privacy.dialogue.packs import available_languages, load_pack
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.rights import holds as rules
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import SENDER, active, evidence, give, grant, held, link

VALUES = {"draw": {"full_name": "Ana Li", "email": "ana@a.example"}, "newsletter": {"birthday": "1990"}}
#: What would give a hold away.
TELLING = re.compile(r"legal hold|case-17|legal matter|legal reasons|\bheld for\b", re.IGNORECASE)


@pytest.fixture
def ana(vault: Vault) -> Vault:
    """Return the store with a person who is held silently."""
    grant(vault, "draw", "newsletter")
    give(vault, VALUES)
    hold(vault)
    return vault


def hold(vault: Vault, *, silent: bool = True, sender: str = SENDER) -> None:
    """Hold somebody."""
    permit = admit_local(vault, "retention")
    vault.database.transact(lambda conn: rules.add(vault, conn, sender, "case-17", permit, silent=silent))


def said(vault: Vault, action: PrivacyAction, intent: str, **fields: Any) -> str:
    """Return what an action says to the person."""
    turn = Turn(SENDER, intent, (), pending=None, evidence=evidence(vault), responses={})
    return "\n".join(reply.text for reply in action.answer(vault, replace(turn, **fields)))


def test_in_the_chat_the_person_is_told_the_truth_and_not_of_it(ana: Vault) -> None:
    """Preview, deletion, a part, the last message, correction, what is known, what became of it, STOP: none tells."""
    kept = "some data must be kept by law"
    whole, part = Pending("erase"), Pending("erase", items=("email",))
    answers = [
        said(ana, PreviewErasure(), "privacy_delete"),
        said(ana, Erase(), "privacy_confirm", pending=whole),
        said(ana, PreviewErasure(), "privacy_delete", items=("email",)),
        said(ana, PreviewErasure(), "privacy_delete", purposes=("draw",)),
        said(ana, Erase(), "privacy_confirm", pending=part),
    ]
    assert all(kept in each and "anything yet" in each for each in answers)
    others = [
        said(ana, Correct(), "privacy_value", pending=Pending("correct", items=("email",)), text="b@c.example"),
        said(ana, ShowData(), "privacy_access"),
        said(ana, RequestStatus(), "privacy_status"),
        said(ana, WithdrawConsent(), "privacy_withdraw", purposes=("newsletter",)),
        said(ana, Stop(), "privacy_stop"),
    ]
    assert "somebody will look at it" in others[0]
    assert kept.capitalize() in others[-1]
    assert "is deleted" not in others[-1]
    for each in (*answers, *others):
        assert not TELLING.search(each), each
    assert held(ana) == VALUES
    assert active(ana) == frozenset()


def test_the_last_message_is_not_forgotten_and_the_person_told_the_same(ana: Vault) -> None:
    """By the action that forgets."""
    event = {"event": "user", "timestamp": ana.clock().timestamp(), "text": "hello", "parse_data": {"text": "hello"}}

    def say(conn: Any) -> None:
        version, _ = ana.conversations.head(conn, SENDER)
        ana.conversations.append(conn, SENDER, version, [event, event], {}, [], ana.clock())

    ana.database.transact(say)
    assert "must be kept by law" in said(ana, ForgetLast(), "privacy_forget_last")


@pytest.mark.parametrize("language", available_languages())
def test_the_neutral_words_name_no_hold_in_any_language(language: str) -> None:
    """And are other words than those of an open hold."""
    responses = load_pack(language).responses
    pairs = {
        "utter_privacy_must_stay": "utter_privacy_held",
        "utter_privacy_stopped_must_stay": "utter_privacy_stopped_held",
        "utter_privacy_value_waits": "utter_privacy_held_value",
    }
    for neutral, telling in pairs.items():
        (first,), (second,) = responses[neutral], responses[telling]
        assert first["text"] != second["text"]
        assert "{controller}" not in first["text"]


def test_an_open_hold_is_told_also_where_it_is_on_a_linked_conversation(vault: Vault) -> None:
    """As before; and where a silent one keeps the person too, the open one is told."""
    grant(vault, "draw")
    give(vault, VALUES)
    hold(vault, silent=False)
    assert "for legal reasons" in " ".join(said(vault, PreviewErasure(), "privacy_delete").split())
    grant(vault, "draw", sender="web-7")
    hold(vault, sender="web-7")
    link(vault, SENDER, "web-7")
    assert "for legal reasons" in " ".join(said(vault, PreviewErasure(), "privacy_delete").split())
