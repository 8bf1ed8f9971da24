"""The quick way of opening what most people have says what the careful way says, whatever is stored."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from rasa_privacy.crypto.identity import SERVICE, Place
from rasa_privacy.crypto.sealing import seal
from rasa_privacy.errors import PrivacyError
from rasa_privacy.storage import audience_contacts, compaction
from rasa_privacy.storage.audience_contacts import contacts_of_many, contacts_of_reachable
from rasa_privacy.storage.audience_quick import quick
from rasa_privacy.storage.audience_rows import StoredContact, contacts_of
from rasa_privacy.storage.conversation_rows import by_subject
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.vaults import Clock, clock, give, grant, settings_in

__all__ = ["clock"]

Sql = Callable[..., list[Any]]
Found = dict[bytes, list[StoredContact] | None]
Both = Callable[..., Found | str]
NEWSLETTER: Final = "newsletter"
#: Each column of bytes of somebody's rows, by the rows' number where the store was filled by `people`.
BYTES: Final = (
    ("data_keys", "wrapped", f"purpose = '{SERVICE}'"),
    ("data_keys", "wrapped", f"purpose = '{NEWSLETTER}'"),
    ("conversations", "conversation_id", "1 = 1"),
    ("conversations", "sealed_sender", "1 = 1"),
    ("conversations", "manifest", "1 = 1"),
    ("segments", "sealed", f"purpose = '{NEWSLETTER}'"),
)
#: What somebody may do to the rows of a person, of whom `ref` is the conversation, and `bob` is another.
CHANGES: Final = (
    "UPDATE conversations SET version = version + 1 WHERE subject_id = :who",
    "UPDATE conversations SET version = 0 WHERE subject_id = :who",
    "UPDATE conversations SET version = 'text' WHERE subject_id = :who",
    "UPDATE conversations SET version = -1 WHERE subject_id = :who",
    "UPDATE conversations SET session = session + 1 WHERE subject_id = :who",
    "UPDATE conversations SET manifest = NULL WHERE subject_id = :who",
    "UPDATE conversations SET manifest = 'text' WHERE subject_id = :who",
    (
        "UPDATE conversations SET sealed_sender = (SELECT sealed_sender FROM conversations WHERE subject_id "
        "= :bob) WHERE subject_id = :who"
    ),
    "UPDATE conversations SET subject_id = :who WHERE subject_id = :bob",
    (
        "UPDATE conversations SET conversation_id = (SELECT subject_id FROM conversations WHERE "
        "subject_id = :bob) WHERE subject_id = :who"
    ),
    "DELETE FROM data_keys WHERE subject_id = :who AND purpose = 'service'",
    "DELETE FROM data_keys WHERE subject_id = :who AND purpose = 'newsletter'",
    (
        "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE subject_id = :bob AND purpose = "
        "'service') WHERE subject_id = :who AND purpose = 'newsletter'"
    ),
    "DELETE FROM segments WHERE conversation_ref = :ref AND purpose = 'newsletter'",
    "DELETE FROM segments WHERE conversation_ref = :ref",
    "UPDATE segments SET session = session + 1, number = number + 100 WHERE conversation_ref = :ref",
    "UPDATE segments SET purpose = 'newsletter' WHERE conversation_ref = :ref",
    "UPDATE segments SET number = number + 10 * conversation_ref, conversation_ref = :ref WHERE purpose = 'newsletter'",
    (
        "INSERT INTO segments (conversation_ref, session, number, purpose, sealed) SELECT conversation_ref, session, "
        "number + 100, purpose, sealed FROM segments WHERE conversation_ref = :ref"
    ),
    (
        "INSERT INTO segments (conversation_ref, session, number, purpose, sealed) SELECT :ref, 0, 99, purpose, sealed "
        "FROM segments WHERE conversation_ref != :ref AND purpose = 'newsletter' LIMIT 1"
    ),
    "DELETE FROM sessions WHERE conversation_ref = :ref",
    ("INSERT INTO sessions SELECT conversation_ref, 7, version, manifest FROM conversations WHERE subject_id = :who"),
)
_OWNED: Final = {
    "data_keys": "subject_id = ?",
    "conversations": "subject_id = ?",
    "segments": "conversation_ref = (SELECT conversation_ref FROM conversations WHERE subject_id = ?)",
    "sessions": "conversation_ref = (SELECT conversation_ref FROM conversations WHERE subject_id = ?)",
}


class _RolledBackError(Exception):
    """Ends a transaction without a trace."""


@pytest.fixture
def people(vault: Vault) -> dict[str, bytes]:
    """Store people of each kind, and return their subject ids."""
    found = {
        name: grant(vault, NEWSLETTER, sender=name) for name in ("ana", "bob", "none", "twice", "sessions", "both")
    }
    for name in ("ana", "bob", "twice", "sessions", "both"):
        give(vault, {NEWSLETTER: {"email": f"{name}@example.com"}}, sender=name)
    give(vault, {NEWSLETTER: {"email": "twice@new.example"}}, sender="twice")
    give(vault, {NEWSLETTER: {"email": "sessions@new.example"}}, sender="sessions", events=3, starts=[0])
    give(vault, {"draw": {"email": "both@example.com"}, NEWSLETTER: {"birthday": "1990"}}, sender="both")
    give(vault, {"draw": {"full_name": "Ana Example"}}, sender="ana")
    give(vault, {}, sender="none")
    return found


@pytest.fixture
def both(vault: Vault, people: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Both:
    """Return what tells what is found after some changes, or which error there is, once it saw both ways agree.

    The changes are rolled back.
    """

    def found_by(conn: Any) -> Found | str:
        try:
            return contacts_of_many(conn, vault.data_keys, list(people.values()), NEWSLETTER)
        except PrivacyError as error:
            return type(error).__name__

    def find(*changes: tuple[str, Any]) -> Found | str:
        with suppress(_RolledBackError), vault.database.write() as conn:
            for change in changes:
                conn.exec_driver_sql(*change)
            found = found_by(conn)
            with monkeypatch.context() as patch:
                patch.setattr(audience_contacts, "quick", lambda *_: lambda *_: None)
                assert found_by(conn) == found
            raise _RolledBackError
        return found

    return find


def where(table: str, condition: str) -> str:
    """Return the condition of a person's rows."""
    return f"{_OWNED[table]} AND {condition}"


def test_both_ways_find_what_is_found_one_by_one(
    vault: Vault, people: dict[str, bytes], both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one value, with none, with several, and with several sessions; the quick way opens those it is for."""
    quickly = set[str | None]()

    def spied(*arguments: Any) -> Any:
        open_one = quick(*arguments)

        def spy(*rows: Any) -> StoredContact | None:
            stored = open_one(*rows)
            quickly.add(stored and stored.sender_id)
            return stored

        return spy

    with monkeypatch.context() as patch, vault.database.read() as conn:
        patch.setattr(audience_contacts, "quick", spied)
        contacts_of_many(conn, vault.data_keys, list(people.values()), NEWSLETTER)
    assert {"ana", "bob", "both", "none"} <= quickly
    found = both()
    with vault.database.read() as conn:
        one_by_one = {each: contacts_of(conn, vault.data_keys, each, NEWSLETTER) for each in people.values()}
    assert found == one_by_one
    assert list(found) == list(people.values())


@pytest.mark.parametrize("place", BYTES, ids=str)
def test_every_changed_byte_is_noticed_by_both(
    people: dict[str, bytes], sql: Sql, both: Both, place: tuple[str, str, str]
) -> None:
    """Nothing is told of who has a changed byte, and everything of everybody else."""
    table, column, condition = place
    whole, ana = both(), people["ana"]
    assert isinstance(whole, dict)
    ((raw,),) = sql(f"SELECT {column} FROM {table} WHERE {where(table, condition)}", (ana,))  # noqa: S608 - our names
    raw = raw or ana  # the id of a conversation, which is not stored where it is the person's
    changes = [raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :] for at in range(len(raw))]
    others = raw[:-1], raw[1:], raw + b"\x00", b"\x00" + raw, b"", b"RPS\x01" + raw[4:]
    for changed in (*changes, *others):
        # No id of a conversation is the person's.
        expected = whole if column == "conversation_id" and not changed else {**whole, ana: None}
        change = f"UPDATE {table} SET {column} = ? WHERE {where(table, condition)}"  # noqa: S608 - our names
        assert both((change, (changed, ana))) == expected
    assert both() == whole


@pytest.mark.parametrize("person", ["ana", "none", "twice", "sessions", "both"])
def test_changed_rows_are_the_same_to_both(people: dict[str, bytes], sql: Sql, both: Both, person: str) -> None:
    """Rows that are gone, moved, doubled, exchanged or of another kind; none of them stops an export."""
    whole, who = both(), people[person]
    ((ref,),) = sql("SELECT conversation_ref FROM conversations WHERE subject_id = ?", (who,))
    values = {"who": who, "bob": people["bob"], "ref": ref}
    found = [
        both((change, {name: each for name, each in values.items() if f":{name}" in change})) for change in CHANGES
    ]
    assert sum(each != whole for each in found) >= len(CHANGES) // 2
    assert [change for change, each in zip(CHANGES, found, strict=True) if isinstance(each, str)] == []
    assert both() == whole


def test_dropped_sessions_are_noticed_by_both(people: dict[str, bytes], sql: Sql, both: Both) -> None:
    """A conversation of which all is gone but its last session does not pass for one of a single session."""
    whole, who = both(), people["sessions"]
    assert isinstance(whole, dict)
    ((ref,),) = sql("SELECT conversation_ref FROM conversations WHERE subject_id = ?", (who,))
    changes = [
        ("DELETE FROM sessions WHERE conversation_ref = ?", (ref,)),
        ("DELETE FROM segments WHERE conversation_ref = ? AND session = 0", (ref,)),
    ]
    assert [both(change) for change in changes] == [{**whole, who: None}] * 2
    assert both(*changes) == {**whole, who: None}


def test_a_dropped_one_of_two_segments_is_noticed_by_both(
    vault: Vault, people: dict[str, bytes], sql: Sql, both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is left with one segment of two does not pass for one who never had another: the first or the last."""
    monkeypatch.setattr(compaction, "MAX_TAIL_BYTES", 0)  # short segments would be written again as one
    ana = people["ana"]
    give(vault, {NEWSLETTER: {"email": "ana@new.example"}}, sender="ana")
    whole, of_ana = both(), where("segments", f"purpose = '{NEWSLETTER}'")
    assert isinstance(whole, dict)
    numbers = [number for (number,) in sql(f"SELECT number FROM segments WHERE {of_ana}", (ana,))]  # noqa: S608 - our names
    assert len(numbers) == 2
    for number in numbers:
        change = f"DELETE FROM segments WHERE {of_ana} AND number = ?"  # noqa: S608 - as above
        assert both((change, (ana, number))) == {**whole, ana: None}


def test_an_older_segment_of_the_same_place_is_noticed_by_both(
    vault: Vault, people: dict[str, bytes], both: Both
) -> None:
    """One that was sealed under the right key for the right place is refused unless the manifest lists it."""
    whole, ana = both(), people["ana"]
    assert isinstance(whole, dict)
    with vault.database.read() as conn:
        key = vault.data_keys.of_subject(conn, ana)[NEWSLETTER]
        place: Place = by_subject(conn, ana)[0].place
    older = seal(key, b"\x91\x94\x00\x91\xa5value\xa5email\xa7old@old", place.events(NEWSLETTER, 0, 0, 1), b"n" * 12)
    change = f"UPDATE segments SET sealed = ? WHERE {where('segments', f'purpose = {NEWSLETTER!r}')}"  # noqa: S608 - our names
    assert both((change, (older, ana))) == {**whole, ana: None}


def test_who_is_suppressed_or_has_no_conversation_is_not_reached(
    vault: Vault, people: dict[str, bytes], sql: Sql
) -> None:
    """By the keyed hash that the conversation has, in the same statement that reads it."""
    index = sql("SELECT sender_index FROM conversations WHERE subject_id = ?", (people["bob"],))[0][0]
    sql("INSERT INTO suppressions (contact_index, reason, at) VALUES (?, 'stop', 0)", (index,))
    everybody = [*people.values(), b"nobody's id....."]
    with vault.database.read() as conn:
        reached = contacts_of_reachable(conn, vault.data_keys, everybody, NEWSLETTER)
    assert list(reached) == [who for name, who in people.items() if name != "bob"]


def test_keys_in_a_database_of_their_own_open_the_same(tmp_path: Path, clock: Clock) -> None:
    """They cannot come with the conversations; who has none there is unreadable, or holds nothing for the purpose."""
    settings = settings_in(tmp_path)
    apart = open_vault(replace(settings, keys=replace(settings.keys, url=f"sqlite:///{tmp_path}/keys.db")), clock)
    people = {name: grant(apart, NEWSLETTER, sender=name) for name in ("ana", "bob", "cyd")}
    for name in people:
        give(apart, {NEWSLETTER: {"email": f"{name}@example.com"}}, sender=name)
    with apart.database.write() as conn:
        apart.data_keys.destroy(conn, people["bob"], SERVICE)
    with apart.database.read() as conn:
        found = contacts_of_reachable(conn, apart.data_keys, list(people.values()), NEWSLETTER)
        left = people["ana"], people["cyd"]
        expected = {who: contacts_of(conn, apart.data_keys, who, NEWSLETTER) for who in left}
    apart.close()
    assert found == {**expected, people["bob"]: None}
    assert [each[0].entries[0][-1] for each in expected.values()] == ["ana@example.com", "cyd@example.com"]
