"""What is said in one conversation holds in all that a proof of identity has found."""

import pytest

from rasa_privacy.actions.base import Turn
from rasa_privacy.actions.explaining import Explain
from rasa_privacy.actions.restricting import RestrictProcessing
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.policy.topics import LIMITED, SALE_OR_SHARING
from rasa_privacy.storage.vault import Vault
from tests.support.linked import proven
from tests.support.vaults import evidence, grant


@pytest.fixture
def bot(vault: Vault) -> Vault:
    """Return a store in which `new` has proven to be `web` and `phone`."""
    return proven(vault)


def test_a_restriction_in_the_chat_reaches_all_while_a_proof_counts(bot: Vault) -> None:
    """And its end; a day later it is about the one conversation."""

    def say(intent: str) -> None:
        RestrictProcessing().answer(bot, Turn("new", intent, ("newsletter",), True, None, evidence(bot), {}))  # noqa: FBT003 - certain

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


@pytest.mark.parametrize("intent", ["privacy_do_not_sell", "privacy_limit_sensitive"])
def test_no_sale_and_a_limit_said_in_the_chat_reach_all(bot: Vault, intent: str) -> None:
    """What concerns the person is on record in each conversation that the proof found."""
    Explain().answer(bot, Turn("new", intent, (), True, None, evidence(bot), {}))  # noqa: FBT003 - certain
    topic = {"privacy_do_not_sell": SALE_OR_SHARING, "privacy_limit_sensitive": LIMITED}[intent]
    with bot.database.read() as conn:
        for sender in ("new", "web", "phone"):
            subject_id = bot.subjects.find(conn, sender)
            assert subject_id is not None
            assert topic in {each.purpose for each in bot.ledger.of_subject(conn, subject_id)}
