"""Consents that were collected elsewhere: what is refused, what is recorded, and that nothing is overruled."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from rasa_privacy.consent.collected import Collected, Outcome, import_all, outcome, read_line
from rasa_privacy.consent.ledger import record_withdrawal
from rasa_privacy.consent.opt_out_signals import record_gpc
from rasa_privacy.consent.restrictions import record_restriction
from rasa_privacy.errors import ImportLineError
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.withdrawal import withdraw_items
from rasa_privacy.storage.vault import SERVICE, Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import Clock, active, answer, ask, evidence, grant, ledger_events

on_each_database = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
LINE = {
    "sender": "ana",
    "purpose": "newsletter",
    "at": "2026-05-01T12:00:00Z",
    "evidence": "paper form of the fair 2026, binder 3",
    "method": "paper",
}


def line(vault: Vault, **changes: Any) -> Collected:
    """Return a line with some fields changed; a field that is None is left out."""
    fields = {name: value for name, value in {**LINE, **changes}.items() if value is not None}
    return read_line(vault.policy, msgspec.json.encode(fields), vault.clock())


def bring(vault: Vault, *lines: Collected) -> list[Outcome]:
    """Import lines."""
    return vault.database.transact(lambda connection: import_all(vault, connection, lines, vault.clock()))


@on_each_database
def test_a_consent_is_recorded_with_its_evidence(vault: Vault) -> None:
    """It counts from then on, at the time when it was given, and names where the proof lies."""
    assert bring(vault, line(vault, optional=["birthday"])) == ["new"]
    assert active(vault, "ana") == {"newsletter", "newsletter:birthday"}
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, "ana")
        assert subject_id is not None
        record, optional = vault.ledger.of_subject(connection, subject_id)
        notice = vault.notices.get(connection, record.notice_hash)
    assert (record.event, record.method, record.channel) == ("granted", "imported", "paper")
    assert record.at == datetime(2026, 5, 1, 12, tzinfo=timezone.utc)
    assert notice is not None
    assert notice.text.endswith("Evidence: paper form of the fair 2026, binder 3")
    assert notice.terms is not None
    assert (optional.purpose, optional.event, optional.at) == ("newsletter:birthday", "granted", record.at)


@on_each_database
def test_an_import_can_be_run_again(vault: Vault) -> None:
    """What is there is passed over, also twice in one file."""
    lines = [line(vault), line(vault, sender="bob"), line(vault)]
    assert bring(vault, *lines) == ["new", "new", "there"]
    assert bring(vault, *lines, line(vault, sender="cem")) == ["there", "there", "there", "new"]


@on_each_database
def test_optional_items_that_a_line_names_only_later_are_recorded(vault: Vault) -> None:
    """Also where the proof is named in other words; the consent itself is not recorded twice."""
    assert bring(vault, line(vault)) == ["new"]
    more = line(vault, optional=["birthday"])
    assert bring(vault, more, more) == ["new", "there"]
    assert active(vault, "ana") == {"newsletter", "newsletter:birthday"}
    assert bring(vault, line(vault, sender="bob")) == ["new"]
    assert bring(vault, line(vault, sender="bob", optional=["birthday"], evidence="binder 3, second page")) == ["new"]
    assert active(vault, "bob") == {"newsletter", "newsletter:birthday"}
    for sender in ("ana", "bob"):
        with vault.database.read() as connection:
            subject_id = vault.subjects.find(connection, sender)
        assert subject_id is not None
        assert ledger_events(vault, subject_id) == [("newsletter", "granted"), ("newsletter:birthday", "granted")]


@pytest.mark.parametrize("what", ["newsletter", "newsletter:birthday"])
def test_optional_items_of_an_old_line_overrule_no_later_answer(vault: Vault, what: str) -> None:
    """Neither an answer about the item nor the end of its consent; and the import says so."""
    assert bring(vault, line(vault)) == ["new"]
    ask(vault, what, sender="ana")
    answer(vault, what, granted=False, sender="ana")
    assert bring(vault, line(vault, optional=["birthday"])) == ["answered"]
    assert "newsletter:birthday" not in active(vault, "ana")


def test_a_later_answer_is_not_overruled(vault: Vault) -> None:
    """Who said no since, or took the consent back, is not made to agree again; who said no before, is."""
    ask(vault, "newsletter", sender="ana")
    answer(vault, "newsletter", granted=False, sender="ana")
    subject_id = grant(vault, "newsletter", sender="bob")
    with vault.database.write() as connection:
        record_withdrawal(vault, connection, subject_id, ["newsletter"], evidence(vault))
    assert bring(vault, line(vault), line(vault, sender="bob")) == ["answered", "answered"]
    assert active(vault, "ana") == active(vault, "bob") == frozenset()
    assert ledger_events(vault, subject_id)[-1] == ("newsletter", "withdrawn")


def test_an_optional_item_that_was_taken_back_since_stays_so(vault: Vault) -> None:
    """Also where the yes to its purpose is older than the consent on paper, which counts for the rest."""
    assert bring(vault, line(vault, optional=["birthday"])) == ["new"]
    with vault.database.write() as connection:
        subject_id = vault.subjects.find_for_update(connection, "ana")
        assert subject_id is not None
        assert withdraw_items(vault, connection, subject_id, ["birthday"], evidence(vault)) == ("birthday",)
    newer = line(vault, at="2026-05-02T12:00:00Z", optional=["birthday"])
    assert newer.grant.at < vault.clock()
    assert bring(vault, newer) == ["new"]
    assert active(vault, "ana") == {"newsletter"}
    assert ledger_events(vault, subject_id)[-2:] == [("newsletter:birthday", "withdrawn"), ("newsletter", "granted")]


def test_a_consent_after_an_older_no_counts(vault: Vault, clock: Clock) -> None:
    """Given on paper after the no in the chat."""
    ask(vault, "newsletter", sender="ana")
    answer(vault, "newsletter", granted=False, sender="ana")
    later = clock.advance(days=30) - timedelta(days=1)
    assert bring(vault, line(vault, at=later.isoformat())) == ["new"]
    assert active(vault, "ana") == {"newsletter"}


def test_an_optional_item_is_agreed_to_only_where_the_line_names_it(vault: Vault) -> None:
    """A form that asked for the newsletter is no proof of a yes to the birthday; who took that back keeps it so."""
    assert bring(vault, line(vault), line(vault, sender="bob", optional=["birthday"])) == ["new", "new"]
    assert active(vault, "ana") == {"newsletter"}
    with vault.database.write() as connection:
        bob = vault.subjects.find(connection, "bob")
        assert bob is not None
        record_withdrawal(vault, connection, bob, ["newsletter:birthday"], evidence(vault))
    assert bring(vault, line(vault, sender="bob", at="2026-05-02T12:00:00Z")) == ["new"]
    assert active(vault, "bob") == {"newsletter"}


@pytest.mark.parametrize("later", [False, True])
def test_a_yes_of_before_lifts_neither_a_signal_nor_a_restriction(vault: Vault, clock: Clock, *, later: bool) -> None:
    """A paper form from May says nothing about what the person said in November; one from December does."""
    sharing = msgspec.structs.replace(vault.policy.purposes["newsletter"], recipients=("Mailhouse Ltd",))
    purposes = {**vault.policy.purposes, "newsletter": sharing}
    told = replace(vault, policy=msgspec.structs.replace(vault.policy, purposes=purposes))
    with told.database.write() as connection:
        ana = told.subjects.find_or_create(connection, "ana", told.clock())
        record_gpc(told, connection, ana, told.clock())
        bob = told.subjects.find_or_create(connection, "bob", told.clock())
        record_restriction(told, connection, bob, ["draw"], evidence(told), lift=False)
    when = {"at": (clock.advance(days=30) - timedelta(days=1)).isoformat()} if later else {}
    found = bring(told, line(told, **when), line(told, sender="bob", purpose="draw", **when))
    assert found == (["new", "new"] if later else ["answered", "answered"])
    assert (active(told, "ana"), active(told, "bob")) == (
        ({"newsletter"}, {"draw"}) if later else (frozenset(), frozenset())
    )


def test_a_deleted_person_is_not_brought_back(vault: Vault, clock: Clock) -> None:
    """A consent from before the deletion is left out; one from after it is a new one."""
    grant(vault, "draw", sender="ana")
    erase(vault, "ana", evidence(vault))
    assert bring(vault, line(vault)) == ["erased"]
    with vault.database.read() as connection:
        assert vault.subjects.find(connection, "ana") is None
    later = clock.advance(days=30) - timedelta(days=1)
    assert bring(vault, line(vault, at=later.isoformat())) == ["new"]


def test_a_person_of_whom_only_a_consent_is_held_goes_with_it(vault: Vault) -> None:
    """The consent to the draw ends after twelve months; then nothing of the person is due to stay."""
    bring(vault, line(vault, purpose="draw"))
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, "ana")
        assert subject_id is not None
        due = vault.data_keys.due_of(connection, subject_id)[SERVICE]
    assert due == datetime(2026, 5, 1, 12, tzinfo=timezone.utc) + timedelta(days=365)


def test_looking_writes_nothing(vault: Vault) -> None:
    """The dry run leaves no person and no record."""
    with vault.database.read() as connection:
        assert outcome(vault, connection, line(vault), vault.clock()) == "new"
        assert vault.subjects.find(connection, "ana") is None
        assert list(vault.ledger.iterate(connection)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"purpose": "sales"}, "'purpose' must be one of those .*: draw, newsletter, fitting"),
        ({"at": "2026-05-01T12:00:00"}, "'at' needs a time zone"),
        ({"at": "2027-05-01T12:00:00Z"}, "'at' is in the future"),
        ({"at": "yesterday"}, "it is no JSON object"),
        ({"optional": ["postcode"]}, "'optional' must be optional items of the purpose: birthday"),
        ({"optional": ["email"]}, "'optional' must be optional items of the purpose: birthday"),
        ({"optional": "birthday"}, "it is no JSON object"),
        ({"sender": ""}, "'sender' must be 1 to 255"),
        ({"sender": "x" * 256}, "'sender' must be 1 to 255"),
        ({"method": "Paper form"}, "'method' must be one word"),
        ({"evidence": "  "}, "'evidence' must say where the proof is"),
        ({"evidence": "x" * 501}, "'evidence' must say where the proof is"),
        ({"evidence": "mail of ana.lind@example.com"}, "'evidence' holds personal data"),
        ({"evidence": "call to +49 170 5558172"}, "'evidence' holds personal data"),
        ({"evidence": "form of ana"}, "'evidence' holds personal data"),
        ({"evidence": None}, "it is no JSON object"),
        ({"name": "Ana Lindqvist"}, "it is no JSON object"),
    ],
)
def test_a_line_that_is_not_right_is_refused(vault: Vault, changes: dict[str, Any], message: str) -> None:
    """The message says what is missing, and quotes nothing of it."""
    with pytest.raises(ImportLineError, match=message) as refused:
        line(vault, **changes)
    assert not [secret for secret in ("Lindqvist", "ana.lind", "5558172", "yesterday") if secret in str(refused.value)]


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[]", b"[" * 9_000, b"x" * 10_001])
def test_nonsense_is_one_of_our_errors(vault: Vault, raw: bytes) -> None:
    """Whatever the bytes are."""
    with pytest.raises(ImportLineError):
        read_line(vault.policy, raw, vault.clock())
