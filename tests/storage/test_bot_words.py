"""What the bot says, kept once for all conversations."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.crypto.bot_dictionary import MAX_WORDS_BYTES, BotDictionaries, words_id
from rasa_privacy.errors import MalformedSegmentError, StorageError, TamperedSegmentError
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.storage.bot_words import BotSays, words_of_bot
from rasa_privacy.storage.dialects.backend import LOCK_SECONDS
from rasa_privacy.storage.inspection import Damage, inspect_store
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND

_LINES = [f"Line {number} of what our bot says about prizes, opening hours and shipping." for number in range(20)]
_SAYS = BotSays(
    ["greet"], ["utter_hours"], ["email"], {f"utter_{n}": [{"text": text}] for n, text in enumerate(_LINES)}
)
_WORDS = words_of_bot(_SAYS)
_EVENTS = [
    {"event": "bot", "timestamp": 1790000000.5, "text": text, "data": {}, "metadata": {}} for text in _LINES[::2]
]

Save = Callable[..., int]
Load = Callable[..., Any]
Sql = Callable[..., list[Any]]


@pytest.fixture
def other(vault: Vault, settings: StoreSettings, now: datetime) -> Iterator[Vault]:
    """Return the same store as another process has it, which knows of no bot."""
    assert vault.policy
    with closing(open_vault(settings, clock=lambda: now)) as opened:
        yield opened


def _loaded(vault: Vault, sender: str) -> Any:
    with vault.database.read() as conn:
        stored = vault.conversations.load(conn, sender)
    assert stored is not None
    return stored.structure


def _sealed(vault: Vault) -> list[bytes]:
    with vault.database.read() as conn:
        return [
            bytes(row[0])
            for row in conn.exec_driver_sql("SELECT sealed FROM segments ORDER BY conversation_ref, session, number")
        ]


def _damages(vault: Vault) -> list[Damage]:
    found: list[Damage] = []
    inspect_store(vault, found.append, lambda _: None)
    return found


@pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
def test_what_was_stored_with_words_is_read_by_a_process_that_has_no_bot(
    vault: Vault, other: Vault, save: Save
) -> None:
    """It is shorter, and the other one finds the words when it meets them; what is older stays readable."""
    save("before", _EVENTS)
    vault.bot_words.use(_WORDS)
    save("after", _EVENTS)
    plain, worded = _sealed(vault)
    assert len(worded) < len(plain) - 30
    assert _loaded(other, "after") == _loaded(other, "before") == _loaded(vault, "after") == _EVENTS
    assert _damages(other) == []


def test_a_process_that_waited_for_the_words_reads_them_in_a_transaction_of_its_own(
    vault: Vault, other: Vault, save: Save
) -> None:
    """Also where it began to read before they were written."""
    save("a", _EVENTS)
    with other.database.read() as conn:
        assert other.conversations.load(conn, "a") is not None
        vault.bot_words.use(_WORDS)
        save("b", _EVENTS)
    assert _loaded(other, "b") == _EVENTS


@pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
def test_words_are_kept_once_and_new_ones_beside_them(vault: Vault, other: Vault, save: Save) -> None:
    """Two servers with one domain share a row, and a conversation goes on with the words of the next domain."""
    vault.bot_words.use(_WORDS)
    other.bot_words.use(_WORDS)
    vault.bot_words.use(_WORDS)
    save("a", _EVENTS)
    vault.bot_words.use(newer := _WORDS + b"and more of it")
    save("a", _EVENTS)
    save("b", _EVENTS)
    with vault.database.read() as conn:
        names = [name for (name,) in conn.exec_driver_sql("SELECT name FROM meta WHERE name LIKE 'bot words %%'")]
    assert sorted(names) == sorted(f"bot words {words_id(words).hex()}" for words in (_WORDS, newer))
    assert _loaded(other, "a") == _EVENTS * 2
    assert _loaded(other, "b") == _EVENTS


def test_words_that_are_there_are_used_while_somebody_else_writes(vault: Vault, other: Vault, save: Save) -> None:
    """A server that starts again, or gets its model anew, waits for nobody and needs not write."""
    vault.bot_words.use(_WORDS)
    with vault.database.write():
        before = time.monotonic()
        other.bot_words.use(_WORDS)
        assert time.monotonic() - before < LOCK_SECONDS / 2
    assert other.bot_words.dictionaries.current() is not None
    save("a", _EVENTS)
    assert _loaded(other, "a") == _EVENTS


@pytest.mark.parametrize(
    "change",
    [
        "CAST(substr(value, 1, 200) || x'41' || substr(value, 202) AS BLOB)",
        "CAST(substr(value, 1, length(value) - 1) AS BLOB)",
        "x''",
        "'a text'",
        "CAST(x'00' || substr(value, 2) AS BLOB)",
    ],
)
def test_words_that_were_changed_open_nothing(vault: Vault, other: Vault, save: Save, sql: Sql, change: str) -> None:
    """No conversation is read with other words than it was stored with."""
    vault.bot_words.use(_WORDS)
    save("a", _EVENTS)
    sql(f"UPDATE meta SET value = {change} WHERE name LIKE 'bot %'")  # noqa: S608 - one of the above
    with pytest.raises(TamperedSegmentError, match=r"bot words [0-9a-f]{8}.*backup"):
        _loaded(other, "a")
    with pytest.raises(TamperedSegmentError, match="bot words"):  # nor by another bot, which knows others
        other.bot_words.use(_WORDS + b"and more of it")
        _loaded(other, "a")


@pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
def test_a_server_with_the_same_bot_writes_changed_words_anew(
    vault: Vault, other: Vault, save: Save, sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    """It comes up, what was stored with them opens again, and the log says that somebody changed the row."""
    vault.bot_words.use(_WORDS)
    save("a", _EVENTS)
    sql("UPDATE meta SET value = x'00' WHERE name = ?", (f"bot words {words_id(_WORDS).hex()}",))
    assert _damages(other) != []
    other.bot_words.use(_WORDS)
    assert "was changed by somebody" in caplog.text
    assert _damages(other) == []
    assert _loaded(other, "a") == _EVENTS
    assert other.bot_words.dictionaries.current() is not None
    caplog.clear()
    other.bot_words.use(_WORDS)
    vault.bot_words.use(_WORDS)
    assert caplog.text == ""


def test_changed_words_are_damage_before_anything_needs_them(vault: Vault, sql: Sql) -> None:
    """`check --database` names the row."""
    vault.bot_words.use(_WORDS)
    vault.bot_words.use(_WORDS + b"and more of it")
    assert _damages(vault) == []
    row = f"bot words {words_id(_WORDS).hex()}"
    sql("UPDATE meta SET value = CAST(substr(value, 1, 99) AS BLOB) WHERE name = ?", (row,))
    (found,) = _damages(vault)
    assert found.place == row
    assert found.why.startswith("it was changed")
    sql(
        "UPDATE meta SET value = (SELECT value FROM meta WHERE name LIKE 'bot %' AND name != ?) WHERE name = ?",
        (row, row),
    )
    assert [found.place for found in _damages(vault)] == [row]


def test_missing_words_are_damage_of_the_conversations_that_need_them(
    vault: Vault, other: Vault, save: Save, sql: Sql
) -> None:
    """Those that were stored without them are in order."""
    save("plain", _EVENTS)
    vault.bot_words.use(_WORDS)
    save("worded", _EVENTS)
    sql("DELETE FROM meta WHERE name LIKE 'bot %'")
    (found,) = _damages(other)
    assert found.place == "conversation 2"
    assert "words of the bot" in found.why


def test_words_of_another_store_are_refused(vault: Vault, other: Vault, save: Save, sql: Sql, tmp_path: Path) -> None:
    """Their keyed hash is made with the other store's key."""
    vault.bot_words.use(_WORDS)
    save("a", _EVENTS)
    sql("UPDATE meta SET value = CAST(? || substr(value, 33) AS BLOB) WHERE name LIKE 'bot %'", (bytes(range(32)),))
    with pytest.raises(TamperedSegmentError, match="bot words"):
        _loaded(other, "a")
    assert (tmp_path / "privacy.yml").exists()


def test_words_that_are_missing_are_named_and_harm_no_other_conversation(
    vault: Vault, other: Vault, save: Save, sql: Sql
) -> None:
    """What was stored without them opens; what needs them says where to get them from, and opens once they are back."""
    save("plain", _EVENTS)
    vault.bot_words.use(_WORDS)
    save("worded", _EVENTS)
    ((value,),) = sql("SELECT value FROM meta WHERE name LIKE 'bot %'")
    sql("DELETE FROM meta WHERE name LIKE 'bot %'")
    assert _loaded(other, "plain") == _EVENTS
    with pytest.raises(MalformedSegmentError, match=r"words of the bot.*backup"):
        _loaded(other, "worded")
    sql("INSERT INTO meta (name, value) VALUES (?, ?)", (f"bot words {words_id(_WORDS).hex()}", value))
    assert _loaded(other, "worded") == _EVENTS


def test_a_server_with_the_same_bot_puts_missing_words_back(vault: Vault, other: Vault, save: Save, sql: Sql) -> None:
    """As after a restore of a backup from before they were written, or where a changed row was deleted."""
    vault.bot_words.use(_WORDS)
    save("worded", _EVENTS)
    sql("DELETE FROM meta WHERE name LIKE 'bot %'")
    other.bot_words.use(_WORDS + b"and more of it")
    assert [found.place for found in _damages(other)] == ["conversation 1"]
    other.bot_words.use(_WORDS)
    assert _damages(other) == []
    assert _loaded(other, "worded") == _EVENTS


def test_words_with_the_id_of_others_are_not_used(
    vault: Vault, other: Vault, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first stay, and what comes is stored without the second."""
    vault.bot_words.use(_WORDS)
    monkeypatch.setattr("rasa_privacy.storage.bot_words.words_id", lambda _: words_id(_WORDS))
    vault.bot_words.use(_WORDS[::-1])
    save("a", _EVENTS)
    assert _loaded(other, "a") == _EVENTS


def test_a_bot_that_says_little_gets_no_row(vault: Vault, sql: Sql) -> None:
    """An empty domain, with which Rasa's store begins, is not kept."""
    vault.bot_words.use(words_of_bot(BotSays([], [], [], {})))
    vault.bot_words.use(words_of_bot(BotSays(["greet"], [], [], {})))
    assert sql("SELECT name FROM meta WHERE name LIKE 'bot %'") == []


def test_one_domain_gives_one_row_whatever_its_order() -> None:
    """Sets and mappings of Rasa come in any order."""
    turned = BotSays(["greet"], ["utter_hours"], ["email"], dict(list(_SAYS.responses.items())[::-1]))
    assert words_of_bot(turned) == _WORDS
    assert words_of_bot(BotSays({"b", "a"}, [], [], {})) == words_of_bot(BotSays({"a", "b"}, [], [], {}))


def test_a_domain_that_says_too_much_is_cut() -> None:
    """What does not fit is left out, and nothing is cut in two; what cannot be stored is no reason to fail."""
    responses: dict[str, list[dict[str, Any]]] = {f"utter_{n:04}": [{"text": f"{n:04}" * 50}] for n in range(1000)}
    responses["utter_odd"] = [{"text": "\ud800"}, {"text": None}, {"buttons": [{"title": 2**70}]}]
    intents = [f"intent_{number}" for number in range(50)]
    words = words_of_bot(BotSays(intents, ["action_listen"], ["email"], responses))
    assert MAX_WORDS_BYTES - 250 < len(words) <= MAX_WORDS_BYTES
    for kept in (
        b"0000" * 50,
        *map(str.encode, intents),
        b"action_listen",
        b"email",
    ):  # names are in more turns than any text
        assert kept in words
    many = [f"action_{number:040}" for number in range(3000)]
    assert len(words_of_bot(BotSays(many, many, many, responses))) <= MAX_WORDS_BYTES
    with pytest.raises(StorageError, match="over the cap"):
        BotDictionaries(lambda _: None, 3, 6).use(bytes(MAX_WORDS_BYTES + 1))


def test_words_go_into_no_other_row(vault: Vault, save: Save, settings: StoreSettings) -> None:
    """What people write comes into no row of words: it is the same before and after a conversation."""
    vault.bot_words.use(_WORDS)
    path = settings.url.removeprefix("sqlite:///")

    def rows() -> list[Any]:
        with closing(sqlite3.connect(path)) as file:
            return file.execute("SELECT name, value FROM meta WHERE name LIKE 'bot %'").fetchall()

    before = rows()
    save("a", [{"event": "user", "timestamp": 1.5, "text": "I am Jane and live in Rome"}])
    assert rows() == before
    assert before[0][1][32:] == _WORDS


def test_words_outlive_the_epoch_in_which_they_were_written(
    vault: Vault, settings: StoreSettings, now: datetime, save: Save
) -> None:
    """Their keyed hash is made with the index key, which stays the same when the keys that wrap it are changed."""
    vault.bot_words.use(_WORDS)
    save("a", _EVENTS)
    vault.rotation.begin_epoch(now)
    assert sum(vault.rotation.rewrap()) > 0
    vault.rotation.end_epoch(1, now)
    with closing(open_vault(settings, clock=lambda: now)) as later:
        assert _loaded(later, "a") == _EVENTS
        assert _damages(later) == []
        later.bot_words.use(_WORDS)
        with later.database.read() as conn:
            names = conn.exec_driver_sql("SELECT name FROM meta WHERE name LIKE 'bot words %'").all()
    assert len(names) == 1
