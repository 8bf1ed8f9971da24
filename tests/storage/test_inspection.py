"""`inspect_store` finds each kind of damage, names it by row, and goes on; so does the store itself."""

import secrets
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.retention.sweep import sweep
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.withdrawal import withdraw
from rasa_privacy.storage.inspection import Damage, Inspection, count_conversations, inspect_store
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND, new_url, run_plain
from tests.support.vaults import Clock, active, clock, evidence, give, grant, held, link, settings_in, sql
from tests.support.vaults import vault as _vault

__all__ = ["clock", "sql"]

vault = _vault
Sql = Callable[..., list[Any]]
PEOPLE = ("ada 1", "bob 2", "eve 3")


def look(vault: Vault) -> tuple[Inspection, list[Damage]]:
    """Look at everything."""
    found: list[Damage] = []
    steps: list[int] = []

    seen = inspect_store(vault, found.append, steps.append)
    assert sum(steps) == count_conversations(vault)
    assert seen.damages == len(found)
    return seen, found


@pytest.fixture
def people(vault: Vault) -> Vault:
    """Return a store with three people who consented and gave their names."""
    for sender in PEOPLE:
        grant(vault, "draw", sender=sender)
        give(vault, {"draw": {"full_name": f"Name of {sender}"}}, sender, events=5)
    link(vault, PEOPLE[0], PEOPLE[2])
    vault.database.transact(vault.ledger.checkpoint)
    return vault


def test_a_store_in_order_has_no_damage(people: Vault) -> None:
    """Everything is counted, and nothing is found."""
    seen, found = look(people)
    assert found == []
    assert seen == Inspection(conversations=3, damaged=0, events=15, keys=6, records=6, checkpoints=1, notices=1)


def test_an_empty_store_has_no_damage(vault: Vault) -> None:
    """There is nothing to find where there is nothing."""
    assert look(vault) == (Inspection(), [])


_OF_SECOND = "(SELECT subject_id FROM conversations WHERE conversation_ref = 2)"

#: What somebody with the file could do to the second conversation, and what is said of it.
DAMAGES = {
    "segment changed": ("UPDATE segments SET sealed = zeroblob(80) WHERE conversation_ref = 2", "conversation 2", ""),
    "segment dropped": ("DELETE FROM segments WHERE conversation_ref = 2", "conversation 2", "restore the database"),
    "segment without room behind it": (
        "UPDATE segments SET number = 2147483647 WHERE conversation_ref = 2 AND purpose = 'draw'",
        "conversation 2",
        "leaves no room for others",
    ),
    "manifest changed": ("UPDATE conversations SET manifest = x'00' WHERE conversation_ref = 2", "conversation 2", ""),
    "version changed": ("UPDATE conversations SET version = 9 WHERE conversation_ref = 2", "conversation 2", ""),
    "sender changed": (
        "UPDATE conversations SET sealed_sender = (SELECT subject_id FROM conversations) WHERE conversation_ref = 2",
        "conversation 2",
        "",
    ),
    "index changed": (
        "UPDATE conversations SET sender_index = zeroblob(32) WHERE conversation_ref = 2",
        "conversation 2",
        "its blind index is another sender's",
    ),
    "key changed": (
        "UPDATE data_keys SET wrapped = zeroblob(68) WHERE purpose = 'draw' AND subject_id = OF_SECOND",
        "conversation 2",
        "key of purpose 'draw'",
    ),
    "purpose of a key is no text": (
        "UPDATE data_keys SET purpose = CAST(x'647261FF' AS TEXT) WHERE purpose = 'draw' AND subject_id = OF_SECOND",
        "conversation 2",
        "the purpose of a key is no text",
    ),
    "keys gone": (
        "DELETE FROM data_keys WHERE subject_id = OF_SECOND",
        "conversation 2",
        "it has no key",
    ),
    "structure key gone": (
        "DELETE FROM data_keys WHERE purpose = 'service' AND subject_id = OF_SECOND",
        "conversation 2",
        "the key of its structure is missing",
    ),
    "key of a purpose gone": (
        "DELETE FROM data_keys WHERE purpose = 'draw' AND subject_id = OF_SECOND",
        "conversation 2",
        "the key of purpose 'draw' is missing",
    ),
    "ledger changed": (
        "UPDATE ledger SET kind = (SELECT min(kind) FROM ledger_kinds WHERE event = 'asked') WHERE seq = 2",
        "consent ledger",
        "record 2 was changed",
    ),
    "kinds of records gone": ("DELETE FROM ledger_kinds", "consent ledger", "record 1 was changed"),
    "ledger cut": ("DELETE FROM ledger WHERE seq = 6", "consent ledger", "not its true end"),
    "checkpoint changed": ("UPDATE checkpoints SET at = 0", "consent ledger", "checkpoint 1 was forged or changed"),
    "checkpoint gone": ("DELETE FROM checkpoints", "consent ledger", "checkpoint 0 is not the last one"),
    "audit log made up": (
        "INSERT INTO audit VALUES (1, 0, 'ann', 'dpo', 'view', 'done', NULL, '', '{}', zeroblob(32), zeroblob(32))",
        "audit log",
        "record 1 was changed or added",
    ),
    "notice changed": ("UPDATE notices SET text = 'May we not?'", "notice ", "its text was changed"),
    "notice gone": ("DELETE FROM notices", "consent ledger", "6 records name a notice that is not there"),
    "link changed": ("UPDATE links SET linked_at = linked_at + 1", "link ", "made or changed by hand"),
    "orphans": ("INSERT INTO segments VALUES (77, 0, 1, 'draw', x'00')", "segments", "1 belong to no conversation"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_named_by_its_row_and_nobody_by_name(people: Vault, sql: Sql, name: str) -> None:
    """The place is a row, the rest is still looked at, and no sender id or value is told."""
    statement, place, why = DAMAGES[name]
    sql(statement.replace("OF_SECOND", _OF_SECOND))
    seen, found = look(people)
    assert [damage.place.startswith(place) and why in damage.why for damage in found] == [True], found
    assert seen.conversations == 3
    assert seen.damaged == (place == "conversation 2")
    assert seen.events == (10 if seen.damaged else 15)
    assert not any(word in f"{found}" for word in (*PEOPLE, "Name of"))


def test_a_purpose_that_ended_is_no_damage(people: Vault, clock: Clock) -> None:
    """Keys that were destroyed by a withdrawal or by time, in the last session and in an older one, are not missed."""
    grant(people, "fitting", sender="ada 1")
    give(people, {"fitting": {"phone": "+49"}}, "ada 1")
    give(people, {"draw": {"email": "b@c.example"}}, "bob 2", starts=[0])
    with people.database.write() as connection:
        subject_id = people.subjects.find_for_update(connection, "bob 2")
        assert subject_id is not None
        withdraw(people, connection, subject_id, ["draw"], evidence(people))
    sweep(people, clock.advance(days=15))
    assert [set(held(people, sender)) for sender in PEOPLE] == [{"draw"}, set(), {"draw"}]
    assert look(people)[1] == []


def test_every_damaged_conversation_is_found(people: Vault, sql: Sql) -> None:
    """The first does not hide the second."""
    sql("UPDATE segments SET sealed = zeroblob(80) WHERE conversation_ref IN (1, 3)")
    seen, found = look(people)
    assert [damage.place for damage in found] == ["conversation 1", "conversation 3"]
    assert (seen.damaged, seen.events) == (2, 5)


@pytest.mark.parametrize("name", [name for name, (_, place, _) in DAMAGES.items() if place == "conversation 2"])
def test_a_damaged_conversation_stops_no_other(people: Vault, clock: Clock, sql: Sql, name: str) -> None:
    """The others are read, go on, are swept and erased; the damaged one itself can still be erased or is not found."""
    sql(DAMAGES[name][0].replace("OF_SECOND", _OF_SECOND))
    assert held(people, "ada 1") == {"draw": {"full_name": "Name of ada 1"}}
    give(people, {"draw": {"full_name": "Eve N."}}, "eve 3")
    assert held(people, "eve 3") == {"draw": {"full_name": "Eve N."}}
    assert active(people, "ada 1") == {"draw"}
    assert erase(people, "ada 1", evidence(people)) is not None
    sweep(people, clock.advance(days=400))
    assert held(people, "eve 3") == {}


def test_memory_stays_flat(vault: Vault) -> None:
    """Looking at many conversations needs a small part of what they hold."""
    length, people = 60_000, 150
    for number in range(people):
        give(vault, {"draw": {"full_name": secrets.token_hex(length // 2)}}, f"person {number}")
    tracemalloc.start()
    look(vault)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < people * length / 5


@pytest.mark.parametrize("on", EACH_KIND)
def test_every_database_is_looked_at(on: str, tmp_path: Path, clock: Clock) -> None:
    """Counts and damage are the same on the three databases."""
    with new_url(on, tmp_path) as url, closing(open_vault(replace(settings_in(tmp_path), url=url), clock)) as vault:
        for sender in PEOPLE:
            grant(vault, "draw", sender=sender)
            give(vault, {"draw": {"full_name": "Ada"}}, sender, events=5)
        seen, found = look(vault)
        assert found == []
        assert (seen.conversations, seen.events, seen.keys, seen.records, seen.notices) == (3, 15, 6, 6, 1)
        run_plain(url, "DELETE FROM segments WHERE conversation_ref = 2")
        seen, found = look(vault)
        assert [damage.place for damage in found] == ["conversation 2"]
        assert seen.events == 10


@pytest.mark.postgresql
def test_what_hangs_on_nobody_is_found_without_foreign_keys(tmp_path: Path) -> None:
    """PostgreSQL has no foreign keys, so each table that hangs on another is looked through."""
    with new_url("postgresql", tmp_path) as url, closing(open_vault(replace(settings_in(tmp_path), url=url))) as vault:
        nobody = bytes(16)
        for statement, number in (
            (
                "INSERT INTO segments (conversation_ref, session, number, purpose, sealed) VALUES (7, 0, 1, 'draw', ?)",
                1,
            ),
            ("INSERT INTO sessions (conversation_ref, session, version, manifest) VALUES (7, 0, 1, ?)", 1),
            ("INSERT INTO links (subject_id, other_id, linked_at, mac) VALUES (?, ?, 0, ?)", 3),
            ("INSERT INTO known_contacts VALUES (?, ?, 'draw', 'email')", 2),
            ("INSERT INTO handovers (token_hash, subject_id, expires_at) VALUES (?, ?, 0)", 2),
        ):
            run_plain(url, statement, [nobody] * number)
        _, found = look(vault)
    *hanging, changed = found
    assert [each.place for each in hanging] == ["handovers", "known_contacts", "links", "links", "segments", "sessions"]
    assert hanging[-1].why == "1 belong to no conversation; somebody changed the tables by hand"
    assert changed.place == f"link {nobody.hex()}"
