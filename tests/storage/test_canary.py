"""Marked personal data is searched for in every byte that is written, and in every message."""

import io
import json
import logging
import re
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import pyzipper

from rasa_privacy.access.admission import admit, break_glass
from rasa_privacy.access.course import questions
from rasa_privacy.access.login import login
from rasa_privacy.access.reviews import pending_reviews, review
from rasa_privacy.access.training import attest
from rasa_privacy.access.verification import note, verified
from rasa_privacy.cli.leak_search import Sink, search
from rasa_privacy.consent.double_opt_in import begin, confirm
from rasa_privacy.console.repeats import once
from rasa_privacy.errors import AccessError, HoldError, OptInError, PrivacyError
from rasa_privacy.policy.operations import Erasure, HandOver, Identity, OtherSystem, Tidings, Training
from rasa_privacy.policy.slot_readers import Readers
from rasa_privacy.retention.noting import note_older
from rasa_privacy.retention.review import make_review
from rasa_privacy.retention.review_duty import acknowledge, keep
from rasa_privacy.rights import holds, staff_access, staff_erasure, staff_rectification
from rasa_privacy.rights.contact_indexing import Indexed, index_contacts
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.handover import collect, offer
from rasa_privacy.rights.identity import ask as ask_for_proof
from rasa_privacy.rights.identity import prove, remember
from rasa_privacy.rights.opendsr import Submitted, cancel, submit
from rasa_privacy.rights.part_deletion import delete_parts
from rasa_privacy.rights.requests import open_request
from rasa_privacy.rights.suppression import suppress, suppress_contacts
from rasa_privacy.rights.webhooks import deliver
from rasa_privacy.storage import lasting_values
from rasa_privacy.storage.books import AUDIT, LEDGER
from rasa_privacy.storage.holds import every, remove
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.tables import metadata
from rasa_privacy.storage.vault import Vault
from tests.support.operators import hire, with_roles
from tests.support.vaults import ask, evidence, give, grant

_SENDER = "+4915199CANARYsender"
_VALUE = "Jane CANARYvalue jane@CANARYmail.example"
_CONTACT = "jane@CANARYmail.example"
_MARK = re.compile(rb"canary", re.IGNORECASE)
#: Tables that are empty here: the journal is a file beside the database, and a lease is about no person.
_NOT_FILLED = {"erasure_journal", "leases"}
#: Rows of `meta` that say how far something has come, by people, items or records.
_MARKS = {"known_contacts", "lasting_noted", "verified"}


def _found(folder: Path) -> list[str]:
    """Return which files show a mark, as it is or in base64, hexadecimal, UTF-16, JSON or a URL."""
    files = [Sink(file.name, file.read_bytes()) for file in folder.rglob("*") if file.is_file()]
    return [f"{each.sink.name}: {each.form}" for each in search(["canary"], files)]


def _dumped(rows: list[Any]) -> list[str]:
    """Return in which forms the columns of a table's rows show a mark, whatever their type."""
    columns = [value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row]
    return [each.form for each in search(["canary"], [Sink("column", column) for column in columns])]


def test_no_marked_byte_reaches_the_disk_or_a_log(
    vault: Vault, now: datetime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither sender id nor values are readable at any time, before and after erasure, uncompressed as they are."""
    caplog.set_level(logging.DEBUG)
    for number in range(12):
        with vault.database.write() as conn:
            version, count = vault.conversations.head(conn, _SENDER)
            values = {"draw": [[count, _VALUE]], "news": [[count, {"text": _VALUE}]]}
            starts = [0] if number % 5 == 0 else []
            vault.conversations.append(conn, _SENDER, version, [{"text": _VALUE}], values, starts, now)
            subject_id = vault.subjects.find_or_create(conn, _SENDER, now)
            vault.ledger.append(conn, LedgerRecord(subject_id, "draw", "asked", bytes(32), "en", "button", "rest", now))
        assert _found(tmp_path) == []
    with vault.database.write() as conn:
        vault.parts.drop_purpose(conn, subject_id, "news")
        vault.data_keys.destroy(conn, subject_id, "news")
        vault.erasures.bury(conn, subject_id, now, "ER-1", {"events": 12})
    assert _found(tmp_path) == []
    vault.database.checkpoint()
    assert _found(tmp_path) == []
    assert not _MARK.search(caplog.text.encode())


@pytest.mark.parametrize("hidden", [_SENDER, _VALUE, _CONTACT, _CONTACT.lower()])
def test_the_search_finds_what_was_written_in_another_form(hidden: str, tmp_path: Path) -> None:
    """In base64 at any place, and in hexadecimal, in a file and in a column."""
    raw = hidden.encode()
    for place in range(3):
        for form, shown in (("base64", b64encode(b"." * place + raw)), ("hex", raw.hex().encode()), ("plain", raw)):
            (tmp_path / "file").write_bytes(b"\0" + shown)
            assert f"file: {form}" in _found(tmp_path)
            assert form in _dumped([(7, None, shown)])


@pytest.mark.parametrize("passphrase", [None, "correct horse battery staple"])
def test_a_copy_that_is_collected_is_in_no_file_of_ours(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passphrase: str | None
) -> None:
    """No temporary file either, at any moment; encrypted nothing of it is readable on its way."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rules = HandOver(url="https://bot.example")
    handing = replace(vault, policy=msgspec.structs.replace(vault.policy, handover=rules))
    _chat(handing)
    link = handing.database.transact(lambda conn: offer(handing, conn, _SENDER, handing.clock()))
    before, sent = {*tmp_path.rglob("*")}, b""
    for chunk in collect(handing, link.url.rpartition("/")[2], passphrase, handing.clock()):
        assert {*tmp_path.rglob("*")} == before
        sent += chunk
    with pyzipper.AESZipFile(io.BytesIO(sent)) as packed:
        packed.setpassword((passphrase or "").encode())
        assert _MARK.search(packed.read("data.json"))
    assert _found(tmp_path) == []
    assert search(["canary"], [Sink("zip", sent)]) == []


@pytest.fixture
def staffed(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """Return the store with roles, a course, and another system that is told of everything."""
    monkeypatch.setenv("CRM", "secret of the crm")
    told: tuple[Tidings, ...] = ("erasure", "correction", "withdrawal", "retention")
    crm = OtherSystem(name="crm", url="https://crm.example/erasures", secret="CRM", tell=told)
    opened = with_roles(vault, Training(course="data-handling", valid_for="1 year", pass_mark=80))
    return replace(opened, policy=msgspec.structs.replace(opened.policy, erasure=Erasure(webhooks=(crm,))))


@pytest.mark.usefixtures("cheap_hashes")
def test_no_marked_byte_is_in_what_staff_and_other_systems_cause(
    staffed: Vault, sql: Callable[..., list[Any]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Codes, requests, holds, operators, courses, reviews, audit and outbox: each table gets a row, and is searched."""
    caplog.set_level(logging.DEBUG)
    vault, filled = staffed, set[str]()
    tokens = hire(vault)
    for step in (
        _chat,
        _ask_for_a_code,
        _prove_and_collect,
        lambda vault: _act(vault, tokens),
        _deliver,
        lambda vault: _pass_on(vault, tokens),
        _call_again,
        _suppress_and_sign,
        lambda vault: _look_through(vault, tokens),
        _delete_a_part,
        _deliver,
        _erase,
        _deliver,
    ):
        step(vault)
        rows = {name: sql(f"SELECT * FROM {name}") for name in metadata.tables}  # noqa: S608 - ours
        filled.update(name for name in rows if rows[name])
        assert {name: found for name in rows if (found := _dumped(rows[name]))} == {}
        assert _found(tmp_path) == []
    vault.checkpoint()
    assert _found(tmp_path) == []
    assert filled == set(metadata.tables) - _NOT_FILLED
    assert {name for (name,) in sql("SELECT name FROM meta")} >= _MARKS
    assert not _MARK.search(caplog.text.encode())


def _chat(vault: Vault) -> None:
    """Let a person agree and give values, in two sessions."""
    grant(vault, "draw", sender=_SENDER)
    give(vault, {"draw": {"full_name": _VALUE, "email": _CONTACT}}, _SENDER)
    with vault.database.write() as conn:
        subject_id = vault.subjects.find_for_update(conn, _SENDER)
        assert subject_id is not None
        lasting_values.note(conn, subject_id, ["full_name"], vault.clock())
        version, _ = vault.conversations.head(conn, _SENDER)
        vault.conversations.append(conn, _SENDER, version, [{"text": _VALUE, "timestamp": 1.0}], {}, [0], vault.clock())


def _ask_for_a_code(vault: Vault) -> None:
    """Send a code, and give back a wrong one; ask for a copy too."""
    subject_id = ask(vault, "newsletter", _SENDER)
    vault.database.transact(lambda conn: begin(vault, conn, subject_id, "newsletter", _CONTACT, vault.clock()))
    with pytest.raises(OptInError):
        confirm(vault, subject_id, "newsletter", _CONTACT, _VALUE, evidence(vault))
    vault.database.transact(lambda conn: open_request(vault, conn, "access", subject_id, vault.clock()))


def _prove_and_collect(vault: Vault) -> None:
    """Prove in another conversation to be the person, and make a link for the copy."""
    rules = {"identity": Identity(), "handover": HandOver(url="https://bot.example")}
    asking = replace(vault, policy=msgspec.structs.replace(vault.policy, **rules))
    entries = {"draw": [[0, [], "email", _CONTACT]]}
    person = ask(vault, "draw", _SENDER)
    vault.database.transact(lambda conn: remember(asking, conn, person, entries))
    other = f"{_SENDER} 2"
    code = vault.database.transact(lambda conn: ask_for_proof(asking, conn, other, _CONTACT, vault.clock()))
    assert prove(asking, other, code, vault.clock()) == 1
    link = vault.database.transact(lambda conn: offer(asking, conn, other, vault.clock()))
    assert not _MARK.search(f"{link!r} {link.url}".encode())


def _act(vault: Vault, tokens: dict[str, str]) -> None:
    """Learn; see, correct, hold and hand out what a person gave; break the glass; make both kinds of review."""
    officer, medic = login(vault, tokens["dpo"]), login(vault, tokens["medic"])
    asked = questions(vault.policy, Random(1))  # noqa: S311 - the same questions each time
    for operator in (officer, medic):
        attest(vault, operator, asked, [each.right for each in asked])
    with pytest.raises(AccessError):
        admit(vault, officer, "view", reason=f"asked by {_CONTACT}")
    permits = {
        verb: admit(vault, officer, verb, reason="a ticket of today", clear=True)
        for verb in ("view", "rectify", "export", "retention", "erase", "audit", "report")
    }
    assert staff_access.show(vault, _SENDER, permits["view"], clear=True)
    staff_rectification.rectify(vault, _SENDER, "full_name", f"{_VALUE} II", permits["rectify"])
    assert [each.whole() for each in staff_access.hand_out(vault, _SENDER, permits["export"])]
    for wrong in (_VALUE, _CONTACT):
        with pytest.raises(HoldError), vault.database.write() as conn:
            holds.add(vault, conn, _SENDER, wrong, permits["retention"])
    vault.database.transact(lambda conn: holds.add(vault, conn, _SENDER, "matter-7", permits["retention"]))
    with pytest.raises(HoldError):
        staff_erasure.erase_person(vault, _SENDER, permits["erase"])
    break_glass(vault, medic, "view", "fire in the data centre", lambda *_: None)
    with vault.database.read() as conn:
        (entry,) = pending_reviews(vault, conn)
    review(vault, permits["audit"], entry.seq)
    made = make_review(vault, permits["report"], Readers(), lambda _: None)
    assert keep(vault, permits["report"], made) is not None
    assert made.conversations == 1
    assert not _MARK.search(msgspec.json.encode(made))
    acknowledge(vault, permits["retention"], made, made.number)


def _pass_on(vault: Vault, tokens: dict[str, str]) -> None:
    """Let another system pass on what the person asked for, and take it back."""
    permit = admit(vault, login(vault, tokens["dpo"]), "requests")
    passed_on = Submitted(uuid4(), "portability", (_SENDER,), vault.clock(), ("https://consent.example/callbacks",))
    submit(vault, passed_on, permit)
    vault.database.transact(lambda conn: cancel(vault, conn, passed_on.dsr_id, permit))


def _call_again(vault: Vault) -> None:
    """Let the API answer a call that may be made again, with a marked value in all of it."""
    for _ in range(2):
        answer = once(vault, "crm", "rectifySubject", _VALUE, _SENDER.encode(), _VALUE.encode)
        assert answer == _VALUE.encode()


def _suppress_and_sign(vault: Vault) -> None:
    """Suppress a person and an address, and sign both books."""
    with vault.database.write() as conn:
        suppress(vault, conn, _SENDER, "stop", vault.clock())
        suppress_contacts(vault, conn, [_CONTACT], "complaint", vault.clock())
        vault.ledger.checkpoint(conn)
        vault.audit.checkpoint(conn)


def _look_through(vault: Vault, tokens: dict[str, str]) -> None:
    """Go through people and books, and stop on the way: how far that came is noted, with the last person."""
    items = {**vault.policy.items, "full_name": msgspec.structs.replace(vault.policy.items["full_name"], keep="7 days")}
    store = replace(vault, policy=msgspec.structs.replace(vault.policy, identity=Identity(), items=items))
    over = iter((False, True))
    assert not note_older(store, vault.clock(), lambda: next(over), lambda _began: None)
    index_contacts(store, admit(vault, login(vault, tokens["dpo"]), "keys"), indexed := Indexed(), lambda _number: None)
    assert indexed.people
    with vault.database.read() as conn:
        books = [verified(vault, conn, book, vault.clock()) for book in (LEDGER, AUDIT)]
    note(vault, "ana", ledger=books[0], audit=books[1])


def _delete_a_part(vault: Vault) -> None:
    """Let go of a person who was held, and delete an item of theirs, which the journal tells of by its name."""
    with vault.database.write() as conn:
        (hold,) = every(conn)
        remove(conn, hold.subject_id, hold.name)
    (deleted,) = delete_parts(vault, [_SENDER], ["full_name"], [], evidence(vault))
    assert deleted is not None
    assert deleted.items == ("full_name",)


def _erase(vault: Vault) -> None:
    """Erase the person."""
    assert erase(vault, _SENDER, evidence(vault)) is not None


def _deliver(vault: Vault) -> None:
    """Tell the other system of a correction or an erasure; it repeats what it was sent."""
    told: list[bytes] = []

    def send(_url: str, body: bytes, _headers: dict[str, str]) -> tuple[int, bytes]:
        told.append(body)
        return 200, json.dumps({"result": "done", "told": body.decode()}).encode()

    assert deliver(vault, vault.clock(), send) == 1
    assert [bool(_MARK.search(body)) for body in told] == [True]


def _failures(vault: Vault, sql: Callable[..., list[Any]], now: datetime) -> Iterator[Callable[[Any], Any]]:
    """Yield operations that fail, each with the marked data in its hands."""
    store = vault.conversations
    yield lambda conn: store.append(conn, _SENDER, 7, [_VALUE], {}, [], now)
    yield lambda conn: store.append(conn, _SENDER, 1, [{_VALUE: object()}], {}, [], now)
    yield lambda conn: store.append(conn, _SENDER, 1, [], {"draw": [[_VALUE]]}, [], now)
    yield lambda conn: store.append(conn, _SENDER, 1, [], {"draw": [[999, _VALUE]]}, [], now)
    yield lambda conn: store.append(conn, _SENDER, 1, [_VALUE], {}, [5], now)
    yield lambda conn: vault.erasures.bury(conn, b"CANARY", now, "ER", {})
    yield lambda conn: vault.subjects.find_or_create(conn, _SENDER + "2", now.replace(tzinfo=None))
    for change in (
        "UPDATE segments SET sealed = x'00'",
        "UPDATE segments SET purpose = 'other'",
        "DELETE FROM segments",
        "UPDATE conversations SET manifest = NULL",
        "UPDATE conversations SET conversation_id = x'00'",
        "UPDATE data_keys SET wrapped = randomblob(68)",
        "DELETE FROM data_keys",
        "DROP TABLE data_keys",
        "DROP TABLE conversations",
    ):
        sql(change)
        yield lambda conn: store.load(conn, _SENDER)


def test_no_error_shows_the_marked_data(
    vault: Vault, sql: Callable[..., list[Any]], now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    """Every failure is one of our errors, and neither it nor what led to it shows a sender id or a value."""
    caplog.set_level(logging.DEBUG)
    with vault.database.write() as conn:
        vault.conversations.append(conn, _SENDER, 0, [{"text": _VALUE}], {"draw": [[0, _VALUE]]}, [], now)
    failed = 0
    for operation in _failures(vault, sql, now):
        with pytest.raises(PrivacyError) as caught, vault.database.write() as conn:
            operation(conn)
        error: BaseException | None = caught.value
        while error is not None:
            shown = json.dumps([str(error), repr(error.args)])
            assert not _MARK.search(shown.encode()), type(error)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        failed += 1
    assert failed == 16
    assert not _MARK.search(caplog.text.encode())
