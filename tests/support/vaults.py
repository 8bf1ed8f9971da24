"""A store on disk with a clock that stands still, and what people do to it: asked, granted, withdrawn, values given."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from rasa_privacy.consent.ledger import Evidence, record_answer, record_asked, state_of
from rasa_privacy.consent.notice import Notice, terms_version
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.retention.due import SERVICE, due_at
from rasa_privacy.retention.lasting import note_given
from rasa_privacy.storage import links
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.vault import Vault, open_vault

PRIVACY = """\
version: 1
controller: {name: Northwind Outdoor, contact: privacy@northwind.example, policy_url: https://northwind.example/privacy}
items:
  full_name: {slot: full_name, entity: PERSON}
  email:     {slot: email, entity: email, detect: email}
  phone:     {slot: phone, entity: phone, detect: phone}
  postcode:  {slot: postcode, keep: {first: 3}}
  birthday:  {slot: birthday, keep: year}
not_personal: [favourite_activity]
messages: {keep: masked, retain: 30 days}
purposes:
  draw:
    says: {en: to enter you in the draw}
    basis: consent
    items: {full_name: required, email: required, postcode: optional}
    guards: [lead_form, action_submit]
    retain: 90 days
    consent_lasts: 12 months
  newsletter:
    says: {en: to send you our newsletter}
    basis: consent
    marketing: true
    items: {email: required, birthday: optional}
    guards: [newsletter_form]
    retain: until withdrawn
  fitting:
    says: {en: to book your fitting}
    basis: consent
    items: {full_name: required, phone: required}
    guards: [fitting_form]
    retain: 10 days
"""

#: A purpose by which the law keeps a name; to be added to PRIVACY.
BY_LAW = """\
  books:
    says: {en: to keep the books}
    basis: legal_obligation
    because: {en: tax law}
    items: {full_name: required}
    retain: 6 years
"""

START = datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=timezone.utc)
SENDER = "+49 170 5558172"


def policy(messages: str = "masked") -> Policy:
    """Return the policy of these tests, with another way to keep messages."""
    return msgspec.convert(yaml.safe_load(privacy_text(messages)), Policy)


def privacy_text(messages: str = "masked") -> str:
    """Return the privacy.yml of these tests, with another way to keep messages."""
    return PRIVACY.replace("keep: masked,", f"keep: {messages},")


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    @staticmethod
    def real() -> datetime:
        """Return the time that it really is, which a database's server knows too."""
        return datetime.now(timezone.utc)

    def advance(self, **length: float) -> datetime:
        """Move on by a `timedelta` of these arguments and return the time."""
        self.now += timedelta(**length)
        return self.now


def settings_in(folder: Path, messages: str = "masked") -> StoreSettings:
    """Write privacy.yml into a folder and return the settings of a store beside it."""
    (folder / "privacy.yml").write_text(privacy_text(messages), encoding="utf-8")
    return StoreSettings(f"sqlite:///{folder}/c.db", KeySettings("file", folder / "keys"), folder / "privacy.yml")


@pytest.fixture
def clock() -> Clock:
    """Return the one clock of a test."""
    return Clock()


@pytest.fixture
def vault(tmp_path: Path, clock: Clock) -> Iterator[Vault]:
    """Return an open store."""
    opened = open_vault(settings_in(tmp_path), clock)
    yield opened
    opened.close()


@pytest.fixture
def sql(tmp_path: Path) -> Callable[..., list[Any]]:
    """Return a function that runs plain SQL, as somebody with the file and without the key could."""

    def run(statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        with closing(sqlite3.connect(tmp_path / "c.db")) as connection, connection:
            return connection.execute(statement, parameters).fetchall()

    return run


def evidence(vault: Vault) -> Evidence:
    """Return how an answer was given, now."""
    return Evidence("button", "rest", "en", vault.clock())


def notice_of(policy: Policy, purpose: str, text: str = "May we?") -> Notice:
    """Return a notice of the purpose's terms as they are."""
    return Notice(purpose, terms_version(policy, purpose), "en", text)


def ask(vault: Vault, purpose: str, sender: str = SENDER) -> bytes:
    """Show a notice to a person and return the subject id."""
    with vault.database.write() as connection:
        subject_id = vault.subjects.find_or_create(connection, sender, vault.clock())
        record_asked(vault, connection, subject_id, notice_of(vault.policy, purpose), evidence(vault))
    return subject_id


def answer(vault: Vault, purpose: str, *, granted: bool, sender: str = SENDER) -> None:
    """Answer the notice that was shown last."""
    with vault.database.write() as connection:
        subject_id = vault.subjects.find(connection, sender)
        assert subject_id is not None
        record_answer(vault, connection, subject_id, purpose, granted=granted, evidence=evidence(vault))


def grant(vault: Vault, *purposes: str, sender: str = SENDER) -> bytes:
    """Ask a person about each purpose, let them agree, and return the subject id."""
    subject_id = b""
    for purpose in purposes:
        subject_id = ask(vault, purpose, sender)
        answer(vault, purpose, granted=True, sender=sender)
    return subject_id


def active(vault: Vault, sender: str = SENDER) -> frozenset[str]:
    """Return the purposes that a person allows now."""
    with vault.database.read() as connection:
        return state_of(vault, connection, vault.subjects.find(connection, sender), vault.clock()).active


def give(
    vault: Vault,
    values: Mapping[str, Mapping[str, object]],
    sender: str = SENDER,
    events: int = 1,
    starts: Sequence[int] = (),
) -> None:
    """Store events of which the first holds these values, by purpose and item, and set when they are due.

    `starts` are the ones among these events with which a session begins.
    """
    now = vault.clock()
    structure = [{"event": "slot", "timestamp": now.timestamp(), "name": "any", "value": None} for _ in range(events)]
    with vault.database.write() as connection:
        subject_id = vault.subjects.find_or_create(connection, sender, now)
        version, seq = vault.conversations.head(connection, sender)
        entries = {
            purpose: [[seq, ["value"], item, value] for item, value in items.items()]
            for purpose, items in values.items()
        }
        vault.conversations.append(connection, sender, version, structure, entries, starts, now)
        note_given(vault, connection, subject_id, entries, now)
        for purpose in (SERVICE, *entries):
            vault.data_keys.touch(connection, subject_id, purpose, due_at(vault.policy, purpose, entries, now))


def held(vault: Vault, sender: str = SENDER) -> dict[str, dict[str, object]]:
    """Return the stored values of a person by purpose and item."""
    with vault.database.read() as connection:
        stored = vault.conversations.load(connection, sender, all_sessions=True)
    if stored is None:
        return {}
    return {name: {entry[2]: entry[3] for entry in entries} for name, entries in stored.values.items() if entries}


def note_unwrapped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the purpose of each data key that is unwrapped from now on."""
    found: list[str] = []
    unwrap = DataKeys._unwrap

    def noted(keys: DataKeys, wrapped: bytes, subject_id: bytes, purpose: str) -> Any:
        found.append(purpose)
        return unwrap(keys, wrapped, subject_id, purpose)

    monkeypatch.setattr(DataKeys, "_unwrap", noted)
    return found


def ledger_events(vault: Vault, subject_id: bytes) -> list[tuple[str, str]]:
    """Return purpose and event of each ledger record of a subject."""
    with vault.database.read() as connection:
        return [(record.purpose, record.event) for record in vault.ledger.of_subject(connection, subject_id)]


def stored_senders(vault: Vault) -> list[str]:
    """Return the sender ids of all that is stored, that of what the law keeps among them."""
    with vault.database.read() as connection:
        return vault.senders.page(connection, 0, 100)[0]


def link(vault: Vault, sender: str, other: str) -> None:
    """Lead from one person to another, as a proof does."""

    def work(conn: Any) -> None:
        subject_id, other_id = (vault.subjects.find_for_update(conn, each) for each in (sender, other))
        assert subject_id is not None
        assert other_id is not None
        links.put(conn, vault.index, subject_id, other_id, vault.clock())

    vault.database.transact(work)
