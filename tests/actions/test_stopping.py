"""One STOP, one confirmation; whoever is out already hears no second one."""

import asyncio

import pytest
from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from rasa_privacy.actions import base
from rasa_privacy.actions.base import Turn
from rasa_privacy.actions.consent import Stop
from rasa_privacy.dialogue.names import RESULT_SLOT
from rasa_privacy.rights.suppression import OPERATOR, lift_after_grant, suppress, suppressed
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import SENDER, Clock, active, evidence, give, grant

CONFIRMED = "Every consent of yours on record has ended"
ALREADY = "You are already opted out. No more advertising is sent to you."
WHATSAPP = "whatsapp:+491705558172"


def stop(vault: Vault, channel: str = "rest", sender: str = SENDER) -> str:
    """Say STOP and return what is answered; the form and the question end in any case."""
    turn = Turn(sender, "privacy_stop", (), pending=None, evidence=evidence(vault), responses={}, channel=channel)
    (reply,) = Stop().answer(vault, turn)
    assert {each.get("name") for each in reply.events} >= {"privacy_pending", "requested_slot"}
    return reply.text


@pytest.mark.parametrize(
    ("channel", "sender", "answer"),
    [
        ("rest", SENDER, ALREADY),
        ("socketio", "a-session", ALREADY),
        ("twilio", WHATSAPP, ALREADY),
        ("twilio", SENDER, ""),
        ("house_sms", SENDER, ""),
    ],
)
def test_a_second_stop_is_not_confirmed_again(
    vault: Vault, clock: Clock, channel: str, sender: str, answer: str
) -> None:
    """At once, and a day later: a chat says that it is so already, a text message is the one that may not be sent."""
    grant(vault, "newsletter", sender=sender)
    assert CONFIRMED in stop(vault, channel, sender)
    assert stop(vault, channel, sender) == answer
    clock.advance(days=1)
    assert stop(vault, channel, sender) == answer
    with vault.database.read() as connection:
        assert suppressed(vault, connection, sender) == "stop"


@pytest.mark.parametrize("channel", ["rest", "twilio"])
def test_stop_after_a_new_consent_is_confirmed_anew(vault: Vault, channel: str) -> None:
    """It ends that consent, whether the yes had lifted the suppression or was to something else than marketing."""
    assert CONFIRMED in stop(vault, channel)
    for purpose, is_lifted in (("newsletter", True), ("draw", False)):
        grant(vault, purpose)
        give(vault, {purpose: {"email": "ana@example.com"}})
        with vault.database.write() as connection:
            assert lift_after_grant(vault, connection, SENDER, purpose) is is_lifted
        assert CONFIRMED in stop(vault, channel)
        assert active(vault) == frozenset()
        assert CONFIRMED not in stop(vault, channel)


def test_who_was_put_on_the_list_by_an_operator_is_out_already(vault: Vault) -> None:
    """Nothing changes with the word, and the operator's reason stays."""
    vault.database.transact(lambda connection: suppress(vault, connection, SENDER, OPERATOR, vault.clock()))
    assert stop(vault) == ALREADY
    grant(vault, "draw")
    assert CONFIRMED in stop(vault)
    with vault.database.read() as connection:
        assert suppressed(vault, connection, SENDER) == OPERATOR


def test_an_empty_answer_is_no_message_and_a_success(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else an empty text message would go out, or the bot would say that it failed."""
    monkeypatch.setattr(base, "vault", lambda: vault)
    heard = {"text": "STOP", "intent": {"name": "privacy_stop"}, "entities": []}
    events = [{"event": "user", "text": "STOP", "parse_data": heard, "input_channel": "twilio"}]
    tracker = Tracker(
        SENDER,
        {},
        heard,
        events,
        paused=False,
        followup_action=None,
        active_loop={},
        latest_action_name="action_listen",
    )
    said = []
    for _ in range(2):
        dispatcher = CollectingDispatcher()
        done = asyncio.run(Stop().run(dispatcher, tracker, {}))
        assert SlotSet(RESULT_SLOT, Stop().name()) in done
        said.append([each["text"] for each in dispatcher.messages])
    assert [len(each) for each in said] == [1, 0]
    assert CONFIRMED in said[0][0]
