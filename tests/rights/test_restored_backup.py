"""After a restore from a backup, neither an erased person nor a withdrawn purpose comes back."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from rasa_privacy.consent.ledger import state_of
from rasa_privacy.errors import JournalError, KeyDestroyedError
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.rights.access import holdings
from rasa_privacy.rights.certificates import certificate as written_certificate
from rasa_privacy.rights.erasure import ErasureCertificate, erase
from rasa_privacy.rights.requests import open_request
from rasa_privacy.rights.standing import do_not_sell, limit, restrict
from rasa_privacy.rights.withdrawal import destroy, withdraw
from rasa_privacy.storage import replay as replaying
from rasa_privacy.storage import requests
from rasa_privacy.storage.replay import Replayed, replay
from rasa_privacy.storage.tables import metadata
from rasa_privacy.storage.value_counts import numbers_of, values_of
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND, run_plain
from tests.support.parts import delete_part
from tests.support.vaults import (
    SENDER,
    Clock,
    active,
    ask,
    evidence,
    give,
    grant,
    held,
    ledger_events,
    settings_in,
)

_VALUES = {"draw": {"full_name": "Ana Li"}, "newsletter": {"birthday": "1990"}}
_NOTHING = Replayed(0, 0)
Rows = dict[str, list[dict[str, Any]]]


class Store:
    """A store that is opened and closed, and whose database is put back to an earlier state."""

    def __init__(self, settings: StoreSettings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.vault = open_vault(settings, clock)

    def reopen(self) -> Vault:
        """Stop and start."""
        self.vault.close()
        self.vault = open_vault(self.settings, self.clock)
        return self.vault

    def backup(self) -> Rows:
        """Return all rows of the conversation database."""
        engine = create_engine(self.settings.url, future=True)
        with engine.connect() as connection:
            rows = {
                table.name: [dict(row._mapping) for row in connection.execute(table.select())]
                for table in metadata.sorted_tables
            }
        engine.dispose()
        return rows

    def restore(self, rows: Rows, *only: str) -> None:
        """Stop, and put the rows of all tables (or of these) back."""
        self.vault.close()
        tables = [table for table in metadata.sorted_tables if not only or table.name in only]
        engine = create_engine(self.settings.url, future=True)
        with engine.begin() as connection:
            for table in reversed(tables):
                connection.execute(table.delete())
            for table in tables:
                if rows[table.name]:
                    connection.execute(table.insert(), rows[table.name])
        engine.dispose()


@pytest.fixture(params=["together", "apart", "own file"])
def store(request: pytest.FixtureRequest, tmp_path: Path, url: str, clock: Clock) -> Iterator[Store]:
    """Return a store whose keys lie with the conversations or apart, and whose journal is in each place."""
    settings = replace(settings_in(tmp_path), url=url)
    if request.param == "apart":
        settings = replace(settings, keys=replace(settings.keys, url=f"sqlite:///{tmp_path}/keys.db"))
    if request.param == "own file":
        settings = replace(settings, journal=tmp_path / "own.journal")
    made = Store(settings, clock)
    yield made
    made.vault.close()


@pytest.fixture
def subject_id(store: Store) -> bytes:
    """Return a person with two consents and three events."""
    subject_id = grant(store.vault, "draw", "newsletter")
    give(store.vault, _VALUES, events=3)
    return subject_id


def _erase(vault: Vault, sender: str = SENDER) -> ErasureCertificate:
    certificate = erase(vault, sender, evidence(vault))
    assert certificate is not None
    return certificate


def _withdraw(vault: Vault, subject_id: bytes, *purposes: str) -> None:
    vault.database.transact(lambda conn: withdraw(vault, conn, subject_id, purposes, evidence(vault)))


def _is_gone(vault: Vault, subject_id: bytes, certificate: ErasureCertificate) -> None:
    with vault.database.read() as connection:
        assert vault.subjects.find(connection, SENDER) is None
        assert vault.data_keys.due_of(connection, subject_id) == {}
        assert holdings(vault, connection, SENDER).is_empty
        tombstone = vault.erasures.tombstone_of(connection, SENDER)
        assert tombstone is not None
        assert tombstone.erased_at == certificate.erased_at
        found = vault.erasures.certificate(connection, certificate.number)
        assert found is not None
        assert (found.subject_id, found.erased_at) == (subject_id, certificate.erased_at)
        assert numbers_of(found.counts) == certificate.counts
        vault.ledger.verify(connection)
    assert active(vault) == frozenset()


@pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
def test_an_erased_person_does_not_come_back(store: Store, subject_id: bytes, clock: Clock) -> None:
    """The person is erased again with the same certificate and time, and the ledger shows the end of each consent."""
    grant(store.vault, "draw", sender="ben")
    old = store.backup()
    clock.advance(days=1)
    certificate = _erase(store.vault)
    store.restore(old)
    clock.advance(days=1)
    vault = store.reopen()
    _is_gone(vault, subject_id, certificate)
    with vault.database.read() as connection:
        found = vault.erasures.certificate(connection, certificate.number)
    assert found is not None
    assert values_of(found.counts) == {"draw:full_name": 1, "newsletter:birthday": 1}
    assert ledger_events(vault, subject_id)[-2:] == [("draw", "withdrawn"), ("newsletter", "withdrawn")]
    assert active(vault, "ben") == {"draw"}
    assert replay(vault) == _NOTHING


@pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
def test_a_withdrawn_purpose_does_not_come_back(store: Store, subject_id: bytes, clock: Clock) -> None:
    """Its values and its consent are gone, and those of the other purpose are there."""
    old = store.backup()
    clock.advance(days=1)
    _withdraw(store.vault, subject_id, "newsletter")
    store.restore(old)
    vault = store.reopen()
    assert active(vault) == {"draw"}
    assert held(vault) == {"draw": _VALUES["draw"]}
    with vault.database.read() as connection:
        last = vault.ledger.of_subject(connection, subject_id)[-1]
        assert set(vault.data_keys.due_of(connection, subject_id)) == {"service", "draw"}
    assert (last.purpose, last.event, last.method, last.at) == ("newsletter", "withdrawn", "journal", clock.now)
    assert replay(vault) == _NOTHING


@pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
def test_what_was_said_once_and_for_all_is_not_forgotten(store: Store, subject_id: bytes, clock: Clock) -> None:
    """A restriction, no sale and the limit are said again; what was lifted stays lifted, and nothing is said twice."""
    old = store.backup()

    def say(work: Callable[..., object], *more: Any, **options: bool) -> None:
        clock.advance(minutes=1)
        how = evidence(store.vault)
        store.vault.database.transact(lambda conn: work(store.vault, conn, subject_id, *more, how, **options))

    for purpose in ("draw", "newsletter"):
        say(restrict, [purpose], lift=False)
    say(restrict, ["newsletter"], lift=True)
    say(do_not_sell)
    say(limit)
    said = ledger_events(store.vault, subject_id)
    assert store.reopen().replayed == _NOTHING
    store.restore(old)
    vault = store.reopen()
    assert ledger_events(vault, subject_id) == said
    assert active(vault) == {"newsletter"}
    with vault.database.read() as connection:
        assert state_of(vault, connection, subject_id, clock()).limited
        vault.ledger.verify(connection)
    assert held(vault) == _VALUES
    assert replay(vault) == _NOTHING


@pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
def test_a_part_does_not_come_back(store: Store, subject_id: bytes, clock: Clock) -> None:
    """The item is destroyed again in the restored database; what it holds beside that stays."""
    old = store.backup()
    clock.advance(days=1)
    done = delete_part(store.vault, SENDER, ["full_name"], [], evidence(store.vault))
    assert done is not None
    store.restore(old)
    vault = store.reopen()
    assert held(vault) == {"newsletter": _VALUES["newsletter"]}
    assert active(vault) == {"draw", "newsletter"}
    assert replay(vault) == _NOTHING
    assert subject_id
    found = written_certificate(vault, done.certificate.number, clock())["destroyed"]
    assert [(each["purpose"], each["values"]) for each in found["purposes"]] == [("draw", {"full_name": 1})]
    assert found["purposes"][0]["data_key"]
    give(vault, {"draw": {"full_name": "Ana Lin"}})
    replay(vault, everything=True)
    assert held(vault)["draw"] == {"full_name": "Ana Lin"}


def test_a_part_of_before_answers_no_later_request(store: Store, subject_id: bytes, clock: Clock) -> None:
    """Only the table of certificates was put back: what was given and asked for since stays."""
    old = store.backup()
    clock.advance(days=1)
    done = delete_part(store.vault, SENDER, ["full_name"], [], evidence(store.vault))
    assert done is not None
    clock.advance(days=1)
    give(store.vault, {"draw": {"full_name": "Ana Lin"}})
    asked = store.vault.database.transact(
        lambda conn: open_request(store.vault, conn, "item_erasure", subject_id, clock())
    )
    store.restore(old, "erasures")
    vault = store.reopen()
    assert held(vault)["draw"] == {"full_name": "Ana Lin"}
    with vault.database.read() as connection:
        assert requests.find(connection, asked.number) == asked
        assert vault.erasures.certificate(connection, done.certificate.number) is not None


def test_not_even_sealed_bytes_come_back(tmp_path: Path, clock: Clock) -> None:
    """The old file is put back whole; after the start neither wrapped keys nor sealed values are in any file."""
    store = Store(settings_in(tmp_path), clock)
    grant(store.vault, "draw", "newsletter")
    give(store.vault, _VALUES, events=3)
    rows = store.backup()
    sealed = [row["sealed"] for row in rows["segments"]] + [row["wrapped"] for row in rows["data_keys"]]
    store.vault.close()
    database = tmp_path / "c.db"
    backup = database.read_bytes()
    assert all(raw in backup for raw in sealed)
    _erase(store.reopen())
    store.vault.close()
    database.write_bytes(backup)
    vault = store.reopen()
    left = b"".join(file.read_bytes() for file in tmp_path.glob("c.db*"))
    assert len(sealed) == 6
    # Their random parts: nonce, ciphertext and tag.
    assert not any(raw[-30:] in left for raw in sealed)
    vault.close()


def test_who_came_after_the_backup_is_certified_all_the_same(store: Store, clock: Clock) -> None:
    """The backup knows nothing of the person; the certificate is still found."""
    old = store.backup()
    clock.advance(days=1)
    subject_id = grant(store.vault, "draw")
    certificate = _erase(store.vault)
    store.restore(old)
    vault = store.reopen()
    with vault.database.read() as connection:
        assert vault.erasures.certificate_of(connection, subject_id) == certificate.number
        assert ledger_events(vault, subject_id) == []


def test_a_later_yes_in_the_backup_stays(store: Store, subject_id: bytes, clock: Clock) -> None:
    """What was withdrawn and then agreed to again before the backup is not taken away."""
    clock.advance(days=1)
    _withdraw(store.vault, subject_id, "newsletter")
    clock.advance(days=1)
    grant(store.vault, "newsletter")
    give(store.vault, {"newsletter": {"birthday": "1991"}})
    old = store.backup()
    _withdraw(store.vault, subject_id, "draw")
    store.restore(old)
    vault = store.reopen()
    assert active(vault) == {"newsletter"}
    assert replay(vault, everything=True) == _NOTHING
    assert held(vault) == {"newsletter": {"birthday": "1991"}}


def test_a_question_after_the_withdrawal_does_not_save_the_consent(
    store: Store, subject_id: bytes, clock: Clock
) -> None:
    """Only an answer is later than a withdrawal, asking alone is not."""
    old = store.backup()
    clock.advance(days=1)
    _withdraw(store.vault, subject_id, "newsletter")
    store.restore(old)
    clock.advance(days=1)
    store.vault = open_vault(replace(store.settings, journal=Path(f"{store.settings.privacy}.other")), clock)
    ask(store.vault, "newsletter")
    vault = store.reopen()
    assert active(vault) == {"draw"}


def test_a_refusal_that_destroyed_values_holds(store: Store, subject_id: bytes, clock: Clock) -> None:
    """Values of a consent that was refused when asked for anew do not come back; an empty no is not journalled."""
    old = store.backup()
    clock.advance(days=1)
    vault = store.vault
    vault.database.transact(lambda conn: destroy(vault, conn, subject_id, ["draw", "fitting"], clock.now))
    with vault.database.read() as connection:
        assert vault.journal.marks(connection).known.number == 1
    store.restore(old)
    assert held(store.reopen()) == {"newsletter": _VALUES["newsletter"]}


def test_single_tables_that_were_put_back_are_found_at_the_start(store: Store, subject_id: bytes) -> None:
    """Where the database still knows its journal but rows came back, the start erases them again."""
    old = store.backup()
    certificate = _erase(store.vault)
    store.restore(old, "subjects", "data_keys", "conversations", "sessions", "segments")
    vault = store.reopen()
    assert vault.replayed == Replayed(1, 0)
    _is_gone(vault, subject_id, certificate)
    assert replay(vault, everything=True) == _NOTHING


def test_many_entries_are_carried_out_in_parts(store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was erased and withdrawn is counted over all transactions."""
    monkeypatch.setattr(replaying, "_BATCH", 3)
    people = [f"person {number}" for number in range(8)]
    subjects = {name: grant(store.vault, "draw", sender=name) for name in people}
    old = store.backup()
    clock.advance(days=1)
    for name in people[:5]:
        _erase(store.vault, name)
    for name in people[5:]:
        _withdraw(store.vault, subjects[name], "draw")
    store.restore(old)
    vault = store.reopen()
    assert [active(vault, name) for name in people] == [frozenset()] * 8
    with vault.database.read() as connection:
        assert [vault.subjects.find(connection, name) for name in people] == [None] * 5 + [
            subjects[name] for name in people[5:]
        ]
        assert vault.journal.marks(connection).done == 8


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE conversations SET manifest = x'00', sealed_sender = x'00'",
        "UPDATE segments SET sealed = x'00'",
        "UPDATE data_keys SET wrapped = x'00'",
        "DELETE FROM data_keys WHERE purpose = 'service'",
    ],
)
def test_a_damaged_backup_is_replayed(tmp_path: Path, clock: Clock, sql: Callable[..., list[Any]], damage: str) -> None:
    """What cannot be read any more does not keep the store from opening, and is destroyed."""
    store = Store(settings_in(tmp_path), clock)
    gone, stays = grant(store.vault, "draw"), grant(store.vault, "draw", sender="ben")
    for sender in (SENDER, "ben"):
        give(store.vault, {"draw": {"full_name": "Any Name"}}, sender=sender)
    old = store.backup()
    clock.advance(days=1)
    certificate = _erase(store.vault)
    _withdraw(store.vault, stays, "draw")
    store.restore(old)
    sql(damage)
    vault = store.reopen()
    _is_gone(vault, gone, certificate)
    assert active(vault, "ben") == frozenset()
    with vault.database.read() as connection:
        assert "draw" not in vault.data_keys.due_of(connection, stays)
    vault.close()


@pytest.mark.usefixtures("subject_id")
def test_a_store_without_its_journal_does_not_open(store: Store, tmp_path: Path) -> None:
    """Without the journal nobody knows whom to keep out; putting it back is enough."""
    _erase(store.vault)
    store.vault.close()
    journal, away, keys = (
        store.settings.journal or tmp_path / "keys" / "erasures.journal",
        tmp_path / "away",
        store.settings.keys.url,
    )
    if keys is None:
        shutil.move(journal, away)
    else:
        run_plain(keys, "ALTER TABLE erasure_journal RENAME TO away")
    with pytest.raises(JournalError, match="put its newest copy back"):
        open_vault(store.settings, store.clock)
    if keys is None:
        shutil.move(away, journal)
    else:
        run_plain(keys, "ALTER TABLE away RENAME TO erasure_journal")
    assert replay(store.reopen()) == _NOTHING


def test_a_new_database_beside_an_old_journal_does_not_open(tmp_path: Path, clock: Clock) -> None:
    """The journal of a database that is gone is kept for it, and never written over."""
    store = Store(settings_in(tmp_path), clock)
    grant(store.vault, "draw")
    _erase(store.vault)
    store.vault.close()
    before = (tmp_path / "keys" / "erasures.journal").read_bytes()
    with pytest.raises(JournalError, match="another database"):
        open_vault(replace(store.settings, url=f"sqlite:///{tmp_path}/new.db"), clock)
    assert (tmp_path / "keys" / "erasures.journal").read_bytes() == before


def test_keys_that_went_first_are_followed(store: Store, subject_id: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the rows could not be deleted after the keys, nobody reads them, and asking again erases them."""
    vault = store.vault

    def fail(*_arguments: Any, **_named: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("rasa_privacy.storage.erasures.delete_of_subject", fail)
        with pytest.raises(ZeroDivisionError):
            _erase(vault)
    if vault.data_keys.apart:
        with pytest.raises(KeyDestroyedError):
            held(vault)
    _is_gone(vault, subject_id, _erase(vault))
    assert replay(store.reopen()) == _NOTHING
