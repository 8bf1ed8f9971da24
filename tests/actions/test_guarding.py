"""A bot's own actions run with consent only, and may ask for it."""

import asyncio
from typing import Any

import msgspec
import pytest
from rasa_sdk import Action
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Tracker

from rasa_privacy.actions import guarding
from rasa_privacy.actions.guarding import consented, requires_consent
from rasa_privacy.dialogue.names import ASK, CLOSED, TOO_YOUNG
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import SENDER, grant


@requires_consent("newsletter", "draw")
class SendTreat(Action):  # type: ignore[misc]  # rasa_sdk has no type hints that mypy can use
    """An action of a bot."""

    def name(self) -> str:
        """Return the action's name."""
        return "action_send_treat"

    async def run(self, *_: Any) -> list[dict[str, Any]]:
        """Do what needs consent."""
        return [{"event": "treat"}]


@pytest.fixture(autouse=True)
def opened(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """Let the decorator find the test's store."""
    monkeypatch.setattr(guarding, "vault", lambda: vault)
    return vault


def tracker(**slots: Any) -> Tracker:
    """Return the conversation as an action gets it."""
    return Tracker(
        SENDER, slots, {}, [], paused=False, followup_action=None, active_loop={}, latest_action_name="action_listen"
    )


def run(**slots: Any) -> list[dict[str, Any]]:
    """Run the action."""
    events: list[dict[str, Any]] = asyncio.run(SendTreat().run(CollectingDispatcher(), tracker(**slots), {}))
    return events


def test_the_action_runs_with_consent(vault: Vault) -> None:
    """To all that it names."""
    grant(vault, "newsletter", "draw")
    assert run() == [{"event": "treat"}]


def test_without_consent_it_is_asked_for_and_the_action_waits(vault: Vault) -> None:
    """What is missing only; the answer brings the action back."""
    grant(vault, "draw")
    slot, followup = run()
    assert Pending.from_slot(slot["value"]) == Pending("consent", "action_send_treat", ("newsletter",))
    assert followup["name"] == ASK


def test_the_age_comes_first(vault: Vault) -> None:
    """As at the gate; who is too young meets the kind end."""
    object.__setattr__(vault, "policy", msgspec.structs.replace(vault.policy, minimum_age=16))
    pending = Pending.from_slot(run()[0]["value"])
    assert pending is not None
    assert (pending.kind, pending.age) == ("age", 16)
    assert [event["name"] for event in run(privacy_too_young=True)] == [TOO_YOUNG]


def test_without_a_ledger_nobody_has_consented(vault: Vault, sql: Any) -> None:
    """Nothing runs, and the person is told that the store is away."""
    grant(vault, "newsletter", "draw")
    sql("ALTER TABLE ledger RENAME TO away")
    assert [event["name"] for event in run()] == [CLOSED]
    assert not consented(tracker(), "draw")


def test_an_action_may_ask(vault: Vault) -> None:
    """Of a purpose, and of an optional item."""
    assert not consented(tracker(), "draw")
    grant(vault, "draw")
    assert consented(tracker(), "draw")
    assert consented(tracker(), "draw", "email")
    assert not consented(tracker(), "draw", "postcode")
    grant(vault, "draw:postcode")
    assert consented(tracker(), "draw", "postcode")


def test_a_misspelt_name_is_named() -> None:
    """With the one that was meant."""
    with pytest.raises(ConfigurationError, match="did you mean 'newsletter'"):
        consented(tracker(), "newsleter")
    with pytest.raises(ConfigurationError, match="did you mean 'postcode'"):
        consented(tracker(), "draw", "post_code")
    with pytest.raises(ConfigurationError, match="names of purposes"):
        requires_consent()
    with pytest.raises(ConfigurationError, match="above the class"):
        requires_consent("draw")(SendTreat.run)
