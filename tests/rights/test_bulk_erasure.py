"""Many people at once are erased as one is: journal, ledger, certificates, tombstones, and read back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from rasa_privacy.access.admission import admit_local
from rasa_privacy.access.permit import issue
from rasa_privacy.errors import AccessError, JournalError, StorageError
from rasa_privacy.policy.operations import Erasure as ErasureRules
from rasa_privacy.policy.operations import OtherSystem
from rasa_privacy.rights import bulk_erasure
from rasa_privacy.rights.bulk_erasure import erase_before, erase_listed, lines_of
from rasa_privacy.rights.bulk_run import Bulk, Line
from rasa_privacy.rights.certificates import certificate
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.requests import open_request
from rasa_privacy.storage import deliveries, holds, requests
from rasa_privacy.storage.holds import Hold
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import Clock, evidence, give, grant, ledger_events, link, settings_in

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


def people(vault: Vault, *senders: str) -> dict[str, bytes]:
    """Store people with values and consent, and return their ids."""
    found = {}
    for sender in senders:
        found[sender] = grant(vault, "draw", "newsletter", sender=sender)
        give(vault, {"draw": {"full_name": f"Name of {sender}"}}, sender=sender, events=3)
    return found


def run(vault: Vault, senders: Any, **more: Any) -> list[Line]:
    """Erase these people and return the report."""
    lines: list[Line] = []
    erase_listed(Bulk(vault, admit_local(vault, "erase"), lines.append, **more), senders)
    return sorted(lines, key=lambda line: line.number)


@each_kind
def test_those_of_the_list_are_erased_and_nobody_else(vault: Vault) -> None:
    """Each with a certificate that says what was destroyed; a line of nobody, or that comes twice, is no error."""
    ids = people(vault, "a", "b", "c")
    lines = run(vault, ["a", "nobody", "c", "a", ""])
    assert [line.outcome for line in lines] == ["erased", "unknown", "erased", "unknown", "unknown"]
    with vault.database.read() as conn:
        assert vault.subjects.find(conn, "b") == ids["b"]
        assert vault.subjects.find(conn, "a") is None
        assert vault.erasures.tombstone_of(conn, "a") is not None
    made = certificate(vault, lines[0].certificate, vault.clock())
    assert made["destroyed"]["events"] == 3
    assert made["destroyed"]["conversation_key"]
    assert ledger_events(vault, ids["a"])[-2:] == [("draw", "withdrawn"), ("newsletter", "withdrawn")]
    with vault.database.read() as conn:
        vault.ledger.verify(conn)
        counts = [entry.record.counts for entry in vault.audit.entries(conn)]
    assert counts == [{"events": 6, "people": 2}, {"looked_at": 3}]  # the lines of nobody
    assert [line.outcome for line in run(vault, ["a", "c"])] == ["unknown", "unknown"]


@each_kind
def test_what_is_left_is_what_one_erasure_leaves(vault: Vault) -> None:
    """Certificate, journal entry and ledger of somebody erased among many are those of somebody erased alone."""
    ids = people(vault, "many", "alone")
    run(vault, ["many"])
    erase(vault, "alone", evidence(vault))
    with vault.database.read() as conn:
        done = {each.subject_id: each for each in vault.erasures.since(conn, None)}
        many, alone = done[ids["many"]], done[ids["alone"]]
        assert many.counts == alone.counts
        assert (many.key_ids or {}).keys() == (alone.key_ids or {}).keys()
        assert all(len(key_id) == 64 for key_id in (many.key_ids or {}).values())
        written = [entry for _, entry in vault.journal.after(0)]
    assert {entry.subject_id for entry in written} == set(ids.values())
    assert ledger_events(vault, ids["many"]) == ledger_events(vault, ids["alone"])


@each_kind
def test_who_must_stay_stays(vault: Vault) -> None:
    """A hold, a role that does not reach everything, a sender id that is another's; the report names the line alone."""
    ids = people(vault, "a", "b", "c", "d")
    with vault.database.write() as conn:
        holds.put(conn, Hold(ids["a"], "case-17", vault.clock(), "ana"))
    assert [line.outcome for line in run(vault, ["a", "b"], is_preview=True)] == ["held", "erased"]
    with vault.database.read() as conn:
        assert vault.subjects.find(conn, "b") == ids["b"]
    assert [line.outcome for line in run(vault, ["a", "b"])] == ["held", "erased"]
    reach = frozenset({"newsletter"})
    narrow = issue(operator="eva", role="support", verb="erase", reason="", items=None, purposes=reach, clear=False)
    lines: list[Line] = []
    erase_listed(Bulk(vault, narrow, lines.append), ["c"])
    assert lines == [Line(1, "beyond_role")]
    with pytest.raises(AccessError):
        erase_listed(Bulk(vault, admit_local(vault, "view")), ["c"])


def test_who_is_found_by_the_sender_id_of_another_stays(vault: Vault, sql: Any) -> None:
    """Somebody with the file gave one conversation the index of another."""
    ids = people(vault, "a", "b")
    vault.subjects._verified.clear()
    (index,) = sql("SELECT sender_index FROM conversations WHERE subject_id = ?", (ids["a"],))[0]
    theirs = "(SELECT conversation_ref FROM conversations WHERE subject_id = ?)"
    sql(f"DELETE FROM segments WHERE conversation_ref IN {theirs}", (ids["a"],))  # noqa: S608 - a test's own
    sql("DELETE FROM conversations WHERE subject_id = ?", (ids["a"],))
    sql("UPDATE conversations SET sender_index = ? WHERE subject_id = ?", (index, ids["b"]))
    assert [line.outcome for line in run(vault, ["a"])] == ["changed"]


@each_kind
def test_a_person_of_the_list_goes_with_all_linked_conversations(vault: Vault) -> None:
    """Each with its certificate; a link is followed one way and no further, and a line of its own is answered too."""
    people(vault, "a", "web", "phone", "far")
    for other in ("web", "phone"):
        link(vault, "a", other)
    link(vault, "phone", "far")
    preview = Bulk(vault, admit_local(vault, "erase"), is_preview=True)
    erase_listed(preview, ["a"])
    assert (preview.counts, preview.linked) == ({"erased": 1}, 2)
    first, second = run(vault, ["a", "web"])
    assert (first.outcome, second.outcome, len(first.also)) == ("erased", "erased", 2)
    assert second.certificate in first.also
    with vault.database.read() as conn:
        assert [vault.subjects.find(conn, name) is not None for name in ("a", "web", "phone", "far")] == [
            False,
            False,
            False,
            True,
        ]
        assert all(vault.erasures.certificate(conn, number) is not None for number in first.also)


@each_kind
def test_who_has_a_linked_conversation_that_must_stay_stays_whole(vault: Vault) -> None:
    """Held, or by a link that somebody wrote; and another one of the list goes."""
    ids = people(vault, "a", "web", "b", "c", "d")
    link(vault, "a", "web")
    link(vault, "c", "d")
    with vault.database.write() as conn:
        holds.put(conn, Hold(ids["web"], "case-17", vault.clock(), "ana"))
        conn.execute(text("UPDATE links SET linked_at = 1 WHERE subject_id = :who"), {"who": ids["c"]})
    expected = ["held", "erased", "changed"]
    assert [line.outcome for line in run(vault, ["a", "b", "c"], is_preview=True)] == expected
    assert [line.outcome for line in run(vault, ["a", "b", "c"])] == expected
    with vault.database.read() as conn:
        there = {name for name in ids if vault.subjects.find(conn, name)}
    assert there == {"a", "web", "c", "d"}


def test_by_a_day_conversations_go_and_not_those_that_are_linked(vault: Vault, clock: Clock) -> None:
    """One that is silent is no reason to end another one that is not."""
    people(vault, "old", "web")
    link(vault, "old", "web")
    day = clock.advance(days=10)
    give(vault, {"draw": {"full_name": "Still here"}}, sender="web")
    bulk = Bulk(vault, admit_local(vault, "erase"))
    erase_before(bulk, day)
    assert bulk.counts == {"erased": 1}
    with vault.database.read() as conn:
        assert vault.subjects.find(conn, "web") is not None


def test_other_systems_are_told_and_open_requests_closed(vault: Vault) -> None:
    """Each system of each person; who had asked to be deleted waits for the answers."""
    rules = ErasureRules(webhooks=(OtherSystem(name="crm", python="crm.erase"),))
    told = replace(vault, policy=msgspec.structs.replace(vault.policy, erasure=rules))
    ids = people(told, "a", "b")
    with told.database.write() as conn:
        asked = open_request(told, conn, "erasure", ids["a"], told.clock()).number
        other = open_request(told, conn, "access", ids["b"], told.clock()).number
    run(told, ["a", "b"])
    with told.database.read() as conn:
        assert deliveries.pending(conn) == 2
        states = {each.number: each.state for each in requests.iterate(conn)}
    assert states == {asked: "in_progress", other: "done"}


@each_kind
def test_whoever_was_silent_since_a_day_is_erased(vault: Vault, clock: Clock) -> None:
    """By the last event, not by when the person came first; who was only asked counts from then."""
    people(vault, "old", "faithful")
    grant(vault, "draw", sender="asked")
    day = clock.advance(days=10)
    give(vault, {"draw": {"full_name": "Still here"}}, sender="faithful")
    people(vault, "new")
    bulk = Bulk(vault, admit_local(vault, "erase"), is_preview=True)
    erase_before(bulk, day)
    assert bulk.counts == {"erased": 2}
    bulk = Bulk(vault, admit_local(vault, "erase"))
    erase_before(bulk, day)
    assert bulk.counts == {"erased": 2}
    with vault.database.read() as conn:
        there = {name for name in ("old", "faithful", "asked", "new") if vault.subjects.find(conn, name)}
    assert there == {"faithful", "new"}


@each_kind
def test_who_writes_while_the_silent_are_erased_stays(
    vault: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message came after the page was read and before the person was locked."""
    people(vault, "old", "back")
    day = clock.advance(days=10)
    judged = bulk_erasure._is_silent
    seen: list[bytes] = []

    def is_silent(store: Vault, subject_id: bytes, before: Any) -> bool:
        found = judged(store, subject_id, before)
        seen.append(subject_id)
        if len(seen) == 2:
            give(vault, {"draw": {"full_name": "Here again"}}, sender="back")
        return found

    monkeypatch.setattr(bulk_erasure, "_is_silent", is_silent)
    bulk = Bulk(vault, admit_local(vault, "erase"))
    erase_before(bulk, day)
    assert bulk.counts == {"erased": 1, "in_use": 1}
    with vault.database.read() as conn:
        assert vault.subjects.find(conn, "old") is None
        assert vault.subjects.find(conn, "back") is not None


def test_who_is_damaged_is_not_taken_for_silent(vault: Vault, clock: Clock, sql: Any) -> None:
    """Nobody can tell, so nothing is deleted."""
    people(vault, "a")
    day = clock.advance(days=10)
    sql("UPDATE segments SET sealed = x'00'")
    bulk = Bulk(vault, admit_local(vault, "erase"))
    erase_before(bulk, day)
    assert bulk.counts == {}


def test_more_than_a_page_is_erased_page_by_page(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """And each page is read back; what broke off is gone on with."""
    monkeypatch.setattr(bulk_erasure, "PAGE", {"sqlite": 3, "postgresql": 3, "mysql": 3})
    names = [f"p{number}" for number in range(8)]
    people(vault, *names)
    seen: list[Line] = []

    def stop(line: Line) -> None:
        seen.append(line)
        if len(seen) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erase_listed(Bulk(vault, admit_local(vault, "erase"), stop), names)
    outcomes = [line.outcome for line in run(vault, names)]
    assert outcomes == ["unknown"] * 6 + ["erased"] * 2


def test_what_the_journal_knows_is_carried_out_after_a_kill(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the journal and the commit: the next start completes the page."""
    vault = open_vault(settings_in(tmp_path), clock)
    people(vault, "a", "b")

    def killed(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(vault.expiry), "bury_all", killed)
    with pytest.raises(KeyboardInterrupt):
        run(vault, ["a", "b"])
    with vault.database.read() as conn:
        assert vault.subjects.find(conn, "a") is not None
    monkeypatch.undo()
    vault.close()
    vault = open_vault(settings_in(tmp_path), clock)
    assert vault.replayed.erased == 2
    assert [line.outcome for line in run(vault, ["a", "b"])] == ["unknown", "unknown"]
    vault.close()


def test_without_the_journal_nobody_is_erased(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes first."""
    people(vault, "a")

    def fail(*_: Any) -> None:
        raise JournalError("no journal today")

    monkeypatch.setattr(type(vault.journal), "write", fail)
    with pytest.raises(JournalError):
        run(vault, ["a"])
    with vault.database.read() as conn:
        assert vault.subjects.find(conn, "a") is not None


def test_what_is_found_afterwards_is_said(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of which a row is left is no success."""
    people(vault, "a")
    monkeypatch.setattr(type(vault.crowd), "remains", lambda *_: {"segments"})
    with pytest.raises(StorageError, match="segments"):
        run(vault, ["a"])


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"], indirect=True)
def test_whom_another_transaction_holds_is_left_for_later(vault: Vault) -> None:
    """The others go; the report says who is in use."""
    ids = people(vault, "a", "b")
    with vault.database.write() as conn:
        vault.subjects.lock(conn, ids["a"])
        assert [line.outcome for line in run(vault, ["a", "b"])] == ["in_use", "erased"]


def test_lines_are_read_as_they_are() -> None:
    """Line ends go, blanks stay; bytes that are no text are nobody and break nothing."""
    raw = iter([b"a\n", b" b \r\n", b"\xff\n", b"\n", b"c"])
    assert list(lines_of(raw)) == ["a", " b ", "\udcff", "", "c"]
