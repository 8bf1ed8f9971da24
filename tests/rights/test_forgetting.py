"""What was said last is forgotten: text, values and what the bot answered, in the store, and nothing before it."""

import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.errors import HoldError, StorageError
from rasa_privacy.minimize.kept_texts import WITHHELD
from rasa_privacy.rights import forgetting, holds
from rasa_privacy.rights.forgetting import Forgotten, forget_last
from rasa_privacy.storage.conversation_parts import ConversationParts
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, active, evidence, grant, held

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
CANARY = "Ottokar-Canary"


def said(text: str, intent: str, at: float) -> dict[str, object]:
    """Return a message as it is stored."""
    parsed = {"intent": {"name": intent}, "entities": [{"entity": "PERSON", "value": None}], "text": text}
    return {"event": "user", "timestamp": at, "text": text, "parse_data": parsed}


def talk(vault: Vault, first: str, second: str) -> None:
    """Store two messages with what was noted from each, for two purposes, and what the bot answered."""
    grant(vault, "draw", "newsletter", "fitting")
    with vault.database.write() as connection:
        version, seq = vault.conversations.head(connection, SENDER)
        structure = [
            {"event": "session_started", "timestamp": 1.0},
            said(f"I am {first}", "inform", 2.0),
            {"event": "slot", "timestamp": 3.0, "name": "full_name", "value": None},
            {"event": "bot", "timestamp": 4.0, "text": f"Hello {first}", "data": {}},
            said(f"no, I am {second}", "inform", 5.0),
            {"event": "slot", "timestamp": 6.0, "name": "full_name", "value": None},
            {"event": "slot", "timestamp": 6.0, "name": "favourite_activity", "value": second},
            {"event": "bot", "timestamp": 7.0, "text": f"Hello {second}", "data": {"buttons": [{"title": second}]}},
        ]
        path = ["parse_data", "entities", 0, "value"]
        values = {
            name: [
                [seq + 1, path, "full_name", first],
                [seq + 2, ["value"], "full_name", first],
                [seq + 4, path, "full_name", second],
                [seq + 5, ["value"], "full_name", second],
            ]
            for name in ("draw", "fitting")
        }
        vault.conversations.append(connection, SENDER, version, structure, values, [0], vault.clock())


@each_kind
def test_the_last_message_is_forgotten_and_no_other(vault: Vault) -> None:
    """Its values for every purpose, its text, the slot that it filled, and the bot's words; consent stays."""
    talk(vault, "Ana Li", CANARY)
    assert forget_last(vault, SENDER, evidence(vault)) == Forgotten(("full_name",), ("full_name", "favourite_activity"))
    assert held(vault) == {"draw": {"full_name": "Ana Li"}, "fitting": {"full_name": "Ana Li"}}
    assert active(vault) == {"draw", "newsletter", "fitting"}
    with vault.database.read() as connection:
        stored = vault.conversations.load(connection, SENDER, all_sessions=True)
    assert stored is not None
    assert CANARY not in str(stored.structure)
    assert "Hello Ana Li" in str(stored.structure)
    assert [each["event"] for each in stored.structure][-4:] == ["user", "slot", "slot", "bot"]
    assert stored.structure[-1]["text"] == WITHHELD


def test_said_again_the_message_before_is_not_touched(vault: Vault) -> None:
    """Who asks twice is understood; the wish itself is not the message that is meant."""
    talk(vault, "Ana Li", CANARY)
    forget_last(vault, SENDER, evidence(vault))
    with vault.database.write() as connection:
        version, _ = vault.conversations.head(connection, SENDER)
        wish = said("[withheld]", "privacy_forget_last", 8.0)
        vault.conversations.append(connection, SENDER, version, [wish], {}, [], vault.clock())
    assert forget_last(vault, SENDER, evidence(vault)) == Forgotten((), ("full_name", "favourite_activity"))
    assert held(vault)["draw"] == {"full_name": "Ana Li"}


def test_nobody_and_a_legal_hold(vault: Vault) -> None:
    """Of somebody unknown there is nothing to forget; what a hold keeps is kept."""
    assert forget_last(vault, SENDER, evidence(vault)) is None
    talk(vault, "Ana Li", CANARY)
    permit = admit_local(vault, "retention")
    vault.database.transact(lambda connection: holds.add(vault, connection, SENDER, "case-17", permit))
    with pytest.raises(HoldError):
        forget_last(vault, SENDER, evidence(vault))
    assert held(vault)["draw"] == {"full_name": CANARY}


def test_nothing_is_claimed_that_reading_back_denies(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that is still there is an error."""
    talk(vault, "Ana Li", CANARY)
    monkeypatch.setattr(ConversationParts, "rewrite", lambda *_: None)
    with pytest.raises(StorageError, match="reading back"):
        forgetting.forget_last(vault, SENDER, evidence(vault))
