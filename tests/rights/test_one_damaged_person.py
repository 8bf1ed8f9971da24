"""Ids and epochs that cannot be, and columns of another kind: one person's damage, which stops nobody and is named."""

import struct
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.consent.verification import verify_store
from rasa_privacy.errors import DAMAGED, LedgerError, PrivacyError, TamperedSegmentError
from rasa_privacy.policy.slot_readers import Readers
from rasa_privacy.report.gathering import gather
from rasa_privacy.retention.review import make_review
from rasa_privacy.retention.sweep import sweep
from rasa_privacy.rights.access import holdings
from rasa_privacy.rights.audience import Tally, audience
from rasa_privacy.rights.bulk_erasure import erase_before, erase_listed
from rasa_privacy.rights.bulk_run import Bulk, Line
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.parts import plan_all
from rasa_privacy.rights.portability import copy_of
from rasa_privacy.rights.requests import open_request
from rasa_privacy.rights.training_messages import Gathered, training_messages
from rasa_privacy.rights.withdrawal import destroy_items, withdraw
from rasa_privacy.storage.inspection import Damage, inspect_store
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import Clock, active, evidence, give, grant, held, settings_in

Sql = Callable[..., list[Any]]
each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
PEOPLE = ("ada", "bob", "eve")
#: What somebody may do to the rows of the second person; `:key` is a key of an epoch that nobody knows.
DAMAGES = {
    "conversation's id": "UPDATE conversations SET conversation_id = x'00ff' WHERE conversation_ref = 2",
    "number of changes": "UPDATE conversations SET version = -1 WHERE conversation_ref = 2",
    "epoch of a key": "UPDATE data_keys SET wrapped = ? WHERE purpose = 'draw' AND subject_id = ?",
    "epoch of each key": "UPDATE data_keys SET wrapped = ? WHERE subject_id = ?",
}
each_damage = pytest.mark.parametrize("name", DAMAGES)


@pytest.fixture
def people(vault: Vault) -> Vault:
    """Return a store with three people who agreed and gave values, in two sessions."""
    for sender in PEOPLE:
        grant(vault, "draw", "newsletter", sender=sender)
        address = f"{sender}@example.com"
        give(vault, {"draw": {"full_name": sender, "postcode": "123"}, "newsletter": {"email": address}}, sender)
        give(vault, {"draw": {"email": address}}, sender, starts=[0])
    return vault


def damage(sql: Sql, name: str) -> None:
    """Do one of DAMAGES."""
    ((who,),) = sql("SELECT subject_id FROM conversations WHERE conversation_ref = 2")
    wrapped = sql("SELECT wrapped FROM data_keys WHERE purpose = 'draw' AND subject_id = ?", (who,))[0][0]
    unknown = wrapped[:4] + struct.pack(">I", 99) + wrapped[8:]
    statement = DAMAGES[name]
    sql(statement, (unknown, who)[: statement.count("?")])


def listed(vault: Vault, *senders: str, **more: Any) -> list[str]:
    """Erase these people and return what became of each."""
    lines: list[Line] = []
    erase_listed(Bulk(vault, admit_local(vault, "erase"), lines.append, **more), senders)
    return [line.outcome for line in sorted(lines, key=lambda line: line.number)]


def looked_at(vault: Vault) -> list[str]:
    """Return the places that `check --database` names."""
    found: list[Damage] = []
    inspect_store(vault, found.append, lambda _: None)
    return [each.place for each in found]


@each_kind
@each_damage
def test_everybody_else_is_looked_at(people: Vault, sql: Sql, name: str, clock: Clock) -> None:
    """The check names the conversation; reports, reviews, audiences and examples for training leave it out."""
    damage(sql, name)
    assert looked_at(people) == ["conversation 2"]
    assert gather(people, admit_local(people, "report"), clock()).made_at == clock()
    review = make_review(people, admit_local(people, "report"), Readers({}), lambda _: None)
    assert {each.people for each in review.stored} == {2}
    tally, permit = Tally(), admit_local(people, "audience")
    reached = [each.value for each in audience(people, permit, "newsletter", "email", clock(), tally)]
    assert {"ada@example.com", "eve@example.com"} <= set(reached)
    assert len(reached) + tally.unreadable == 3
    assert training_messages(people, admit_local(people, "export"), None, Gathered()) == {}
    assert listed(people, *PEOPLE, is_preview=True) == ["erased"] * 3
    with pytest.raises(DAMAGED), people.database.read() as connection:
        holdings(people, connection, "bob")
    with pytest.raises(DAMAGED):
        copy_of(people, "bob", clock())


@each_kind
@each_damage
def test_such_a_person_is_erased_alone_or_among_many(people: Vault, sql: Sql, name: str) -> None:
    """With a certificate that says how many values there were where somebody can tell."""
    damage(sql, name)
    with people.database.read() as connection:
        subject_id = people.subjects.find(connection, "bob")
        assert subject_id is not None
        plan_all(people, connection, subject_id, people.clock())
    if name.startswith("epoch"):
        assert erase(people, "bob", evidence(people)) is not None
        assert listed(people, *PEOPLE) == ["erased", "unknown", "erased"]
    else:
        assert listed(people, *PEOPLE) == ["erased"] * 3
        assert erase(people, "bob", evidence(people)) is None
    with people.database.read() as connection:
        done = {each.subject_id: each.counts for each in people.erasures.since(connection, None)}
        assert people.subjects.find(connection, "bob") is None
    assert len(done) == 3
    assert [each.get("values") for each in done.values() if each is not done[subject_id]] == [4, 4]
    assert done[subject_id].get("values") == (4 if name == "epoch of a key" else None)


@each_kind
@each_damage
def test_what_is_due_of_everybody_goes(people: Vault, sql: Sql, name: str, clock: Clock) -> None:
    """The sweep removes the person too, once all of it is due."""
    damage(sql, name)
    assert sweep(people, clock.advance(days=100), trusted=True).left == 0
    assert held(people, "ada") == {"newsletter": {"email": "ada@example.com"}}
    with people.database.write() as connection:
        for sender in PEOPLE:
            who = people.subjects.find_for_update(connection, sender)
            assert who is not None
            withdraw(people, connection, who, ["newsletter"], evidence(people))
    assert sweep(people, clock.advance(days=40), trusted=True).people == 3


@each_kind
@each_damage
def test_silent_people_go_and_the_damaged_one_stays(people: Vault, sql: Sql, name: str, clock: Clock) -> None:
    """If nobody can tell since when they are silent."""
    damage(sql, name)
    lines: list[Line] = []
    erase_before(Bulk(people, admit_local(people, "erase"), lines.append), clock.advance(days=1))
    is_known = name == "epoch of a key"  # what happened last lies under another one
    assert [line.outcome for line in lines] == ["erased"] * (3 if is_known else 2)
    assert active(people, "bob") == (set() if is_known else {"draw", "newsletter"})


@pytest.mark.parametrize("of_ledger", ["at = 9223372036854775807", "at = 'soon'", "kind = 999"])
def test_whose_consent_does_not_verify_stops_no_export(people: Vault, sql: Sql, of_ledger: str, clock: Clock) -> None:
    """They are in no audience and in no examples for training; the others are."""
    of_second = "(SELECT subject_id FROM conversations WHERE conversation_ref = 2)"
    sql(f"UPDATE ledger SET {of_ledger} WHERE subject_id = {of_second}")  # noqa: S608 - a test's own
    permit = admit_local(people, "audience")
    reached = [each.sender_id for each in audience(people, permit, "newsletter", None, clock(), Tally())]
    assert sorted(reached) == ["ada", "eve"]
    gathered = Gathered()
    training_messages(people, admit_local(people, "export"), None, gathered)
    assert gathered.unreadable == 1


@pytest.mark.parametrize("value", ["'text'", "'sixteen letters.'", "7", "1.5", "x'00ff'", "x''"])
@pytest.mark.parametrize("column", ["conversation_id", "subject_id", "sealed_sender", "manifest", "version", "session"])
def test_a_column_of_another_kind_is_named(people: Vault, sql: Sql, column: str, value: str, clock: Clock) -> None:
    """SQLite stores any type in any column; what meets it raises an error of ours, and everybody else is reached."""
    if (column, value) == ("conversation_id", "x''"):
        return  # which is how it is stored
    sql(f"UPDATE conversations SET {column} = {value} WHERE conversation_ref = 2")  # noqa: S608 - a test's own
    assert "conversation 2" in looked_at(people)
    listed(people, *PEOPLE, is_preview=True)

    def own(connection: Any) -> None:
        subject_id = people.subjects.find_for_update(connection, "bob")
        assert subject_id is not None
        destroy_items(people, connection, subject_id, "draw", ["postcode"], clock())
        holdings(people, connection, "bob")

    with pytest.raises(PrivacyError):
        copy_of(people, "bob", clock())
    with pytest.raises(PrivacyError):
        people.database.transact(own)
    reached = [
        each.sender_id
        for each in audience(people, admit_local(people, "audience"), "newsletter", "email", clock(), Tally())
    ]
    assert {"ada", "eve"} <= set(reached)
    lines = listed(people, *PEOPLE)
    assert lines[::2] == ["erased"] * 2
    assert (lines[1] == "erased") == (column != "subject_id")


def test_a_person_who_lost_their_conversation_is_not_silent(people: Vault, sql: Sql, clock: Clock) -> None:
    """Nobody can tell since when, so they stay, and do not stop the others."""
    sql("DELETE FROM segments WHERE conversation_ref = 2")
    sql("DELETE FROM sessions WHERE conversation_ref = 2")
    sql("DELETE FROM conversations WHERE conversation_ref = 2")
    lines: list[Line] = []
    erase_before(Bulk(people, admit_local(people, "erase"), lines.append), clock.advance(days=1))
    assert [line.outcome for line in lines] == ["erased"] * 2


@each_kind
def test_a_segment_that_leaves_no_room_is_named(people: Vault, sql: Sql, kind: str) -> None:
    """Servers refuse what comes behind it, with an error of ours; numbered anew, the conversation goes on."""
    where = "WHERE conversation_ref = 2 AND session > 0 AND purpose = 'draw'"
    sql(f"UPDATE segments SET number = 2147483647 {where}")  # noqa: S608 - a test's own
    assert looked_at(people) == ["conversation 2"]
    with suppress(PrivacyError):
        give(people, {"newsletter": {"birthday": "1990"}}, "bob")
        assert kind == "sqlite"
    sql(f"UPDATE segments SET number = number - 2147480000 {where.replace('draw', 'newsletter')}")  # noqa: S608 - as above
    sql(f"UPDATE segments SET number = 99 {where}")  # noqa: S608 - as above
    give(people, {"newsletter": {"birthday": "1990"}}, "bob")
    assert held(people, "bob")["newsletter"]["birthday"] == "1990"
    assert looked_at(people) == []


def test_a_changed_request_keeps_nobody_from_being_erased(people: Vault, sql: Sql, clock: Clock) -> None:
    """Neither its person, alone or among many, nor the others of a page."""
    with people.database.write() as connection:
        for sender in PEOPLE:
            who = people.subjects.find_for_update(connection, sender)
            open_request(people, connection, "access", who, clock())
    sql("UPDATE requests SET answer_by = 'soon' WHERE number = (SELECT max(number) FROM requests)")
    assert listed(people, *PEOPLE) == ["erased"] * 3
    assert sql("SELECT count(*) FROM requests WHERE closed_at IS NULL") == [(0,)]


def test_a_request_of_no_kind_is_named(people: Vault, sql: Sql, clock: Clock) -> None:
    """The report says that its row was changed."""
    with people.database.write() as connection:
        open_request(people, connection, "access", people.subjects.find_for_update(connection, "bob"), clock())
    sql("UPDATE requests SET kind = x'00'")
    with pytest.raises(TamperedSegmentError, match="the row of a request was changed"):
        gather(people, admit_local(people, "report"), clock())


@pytest.mark.parametrize("column", ["notice_id", "version", "language", "text", "terms"])
def test_a_notice_that_holds_no_text_is_named(people: Vault, sql: Sql, column: str) -> None:
    """Whoever reads a consent to it, or checks the ledger, gets an error of ours."""
    sql(f"UPDATE notices SET {column} = x'00ff'")  # noqa: S608 - a test's own
    people.close()
    with closing(open_vault(settings_in(Path(people.database.name).parent), people.clock)) as opened:
        assert any(place.startswith("notice ") for place in looked_at(opened))
        with pytest.raises(LedgerError, match="notice"):
            active(opened, "bob")
        with opened.database.read() as connection, pytest.raises(LedgerError, match="notice"):
            verify_store(opened, connection)
