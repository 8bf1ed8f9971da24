"""Message texts go when `messages.retain` is over, also while a newsletter's values stay until it is withdrawn."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.minimize.event_texts import without_texts
from rasa_privacy.minimize.kept_texts import WITHHELD
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.retention.due import SERVICE
from rasa_privacy.retention.sweep import SweepResult, sweep
from rasa_privacy.storage.conversation_rewriting import Rewriting
from rasa_privacy.storage.opened_conversation import StoredConversation
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, Clock, give, grant, held

each_database = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
SAID = "the tall tale of the heron"


def message(text: str, at: float, name: str = "chat") -> dict[str, Any]:
    """Return the structure of a message, as it is stored."""
    parsed = {"intent": {"name": name, "confidence": 0.9}, "entities": [], "text": text, "metadata": {}}
    return {"event": "user", "timestamp": at, "text": text, "parse_data": {**parsed, "message_id": None}}


def talk(vault: Vault, clock: Clock, text: str = SAID) -> None:
    """Store two sessions of a person who gets the newsletter: a value in the first, texts in both."""
    at = clock().timestamp()
    sessions = [
        {"event": "session_started", "timestamp": at},
        message(text, at),
        {"event": "slot", "timestamp": at, "name": "email", "value": None},
        {"event": "bot", "timestamp": at, "text": f"You said: {text}", "data": {"buttons": [{"title": text}]}},
        {"event": "session_started", "timestamp": at},
        message(text, at),
        message("/stop", at, "stop"),
        {"event": "action", "timestamp": at, "name": "action_listen"},
    ]
    with vault.database.write() as connection:
        subject_id = vault.subjects.find_or_create(connection, SENDER, clock())
        version, seq = vault.conversations.head(connection, SENDER)
        values = {"newsletter": [[seq + 2, ["value"], "email", "ana@x.example"]]}
        vault.conversations.append(connection, SENDER, version, sessions, values, [0, 4], clock())
        vault.data_keys.touch(connection, subject_id, SERVICE, clock.now.replace(year=clock.now.year + 1))
        vault.data_keys.touch(connection, subject_id, "newsletter", None)


def stored(vault: Vault, *, every: bool = True) -> StoredConversation:
    """Return what is stored of the person."""
    with vault.database.read() as connection:
        found = vault.conversations.load(connection, SENDER, all_sessions=every)
    assert found is not None
    return found


def sealed(vault: Vault) -> list[bytes]:
    """Return everything sealed of the person's structure, as a backup would hold it."""
    with vault.database.read() as connection:
        newest = vault.senders.newest_sealed(connection, SENDER, 100)
    return [content for purpose, content in newest if purpose == SERVICE]


@each_database
def test_texts_go_at_their_time_and_values_stay(store: Vault, clock: Clock) -> None:
    """Two sessions lose their texts, in the store and in what a backup holds of it, and the bot can go on with both."""
    grant(store, "newsletter")
    talk(store, clock)
    before, old = stored(store), sealed(store)
    with store.database.read() as connection:
        key = store.data_keys.get(connection, before.subject_id, SERVICE)
    assert SAID in repr(before.structure)
    assert sweep(store, clock.advance(days=366), trusted=True) == SweepResult(1, 0)
    after = stored(store)
    assert SAID not in repr(after.structure)
    assert after.structure == without_texts(before.structure)
    assert [event["text"] for event in after.structure if event["event"] == "user"] == [WITHHELD, WITHHELD, "/stop"]
    assert [event["event"] for event in after.structure] == [event["event"] for event in before.structure]
    assert (after.values, after.first_seq, after.event_count) == (before.values, 0, 8)
    assert (stored(store, every=False).first_seq, len(stored(store, every=False).structure)) == (4, 4)
    assert held(store) == {"newsletter": {"email": "ana@x.example"}}
    with store.database.read() as connection:
        new = store.data_keys.get(connection, before.subject_id, SERVICE)
        assert store.senders.ids_of(connection, before.subject_id) == [SENDER]
    assert key is not None
    assert new is not None
    assert key.key_id != new.key_id
    assert all(key.key_id[:16] in content[:32] for content in old)
    assert not any(key.key_id[:16] in content[:32] for content in sealed(store))


def test_nothing_is_opened_where_nothing_was_said_since(
    vault: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each day's sweep asks one column; what is said later goes at its own time."""
    opened: list[bytes] = []
    rewrite = Rewriting.rewrite

    def noticed(self: Rewriting, subject_id: bytes, *arguments: Any) -> bool:
        opened.append(subject_id)
        return rewrite(self, subject_id, *arguments)

    monkeypatch.setattr(Rewriting, "rewrite", noticed)
    grant(vault, "newsletter")
    talk(vault, clock)
    for _ in range(3):
        sweep(vault, clock.advance(days=366), trusted=True)
    assert len(opened) == 1
    talk(vault, clock, "another tale")
    assert "another tale" in repr(stored(vault).structure)
    assert sweep(vault, clock.advance(days=366), trusted=True) == SweepResult(1, 0)
    assert "another tale" not in repr(stored(vault).structure)
    assert stored(vault).event_count == 16
    assert len(opened) == 2
    assert held(vault)["newsletter"] == {"email": "ana@x.example"}


def test_a_server_that_read_before_finds_out(vault: Vault, clock: Clock) -> None:
    """Its save meets another version, so that it reads again and does not bring the texts back."""
    grant(vault, "newsletter")
    talk(vault, clock)
    version = stored(vault).version
    sweep(vault, clock.advance(days=366), trusted=True)
    assert stored(vault).version > version


def test_a_conversation_without_texts_is_not_written_anew(vault: Vault, clock: Clock) -> None:
    """Values alone have nothing to lose, so the key stays."""
    grant(vault, "newsletter")
    give(vault, {"newsletter": {"birthday": "1990"}})
    version = stored(vault).version
    done = sweep(vault, clock.advance(days=31))
    assert done == SweepResult(0, 0)
    assert done.put_off == 1  # the structure, on which the value hangs
    assert stored(vault).version == version


def test_a_damaged_conversation_keeps_its_texts_and_stops_nobody(
    vault: Vault, clock: Clock, sql: Callable[..., list[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    """It is left as it is, and the log says so."""
    grant(vault, "newsletter")
    talk(vault, clock)
    sql("UPDATE segments SET sealed = zeroblob(length(sealed)) WHERE purpose = 'service'")
    assert sweep(vault, clock.advance(days=366), trusted=True) == SweepResult(0, 0)
    assert "texts that are due is damaged" in caplog.text


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_keys_in_a_database_of_their_own_stay(settings: StoreSettings, tmp_path: Path, clock: Clock) -> None:
    """A key would be gone before the rows are there; the texts go all the same."""
    keys = replace(settings.keys, url=f"sqlite:///{tmp_path}/keys.db")
    vault = open_vault(replace(settings, keys=keys), clock)
    grant(vault, "newsletter")
    talk(vault, clock)
    with vault.database.read() as connection:
        key = vault.data_keys.get(connection, stored(vault).subject_id, SERVICE)
    assert sweep(vault, clock.advance(days=366), trusted=True) == SweepResult(1, 0)
    assert SAID not in repr(stored(vault).structure)
    with vault.database.read() as connection:
        assert vault.data_keys.get(connection, stored(vault).subject_id, SERVICE) == key
    vault.close()
