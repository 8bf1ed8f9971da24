"""Reports over long books: the same figures as counting one by one, on each database, with memory that stays flat."""

import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.access.recording import record_now
from rasa_privacy.access.reviews import pending_reviews
from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.policy.slot_readers import Readers
from rasa_privacy.policy.verbs import PERSON
from rasa_privacy.report.breach import scope
from rasa_privacy.report.gathering import gather
from rasa_privacy.retention.review import make_review
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage.audit import Wanted
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import Clock, answer, ask, give, grant, privacy_text

each_database = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


@pytest.fixture
def store(url: str, tmp_path: Path, clock: Clock) -> Iterator[Vault]:
    """Return an open store on the database of this test."""
    (tmp_path / "privacy.yml").write_text(privacy_text(), encoding="utf-8")
    settings = StoreSettings(url, KeySettings("file", tmp_path / "keys"), tmp_path / "privacy.yml")
    opened = open_vault(settings, clock)
    yield opened
    opened.close()


def records(vault: Vault, number: int) -> list[AuditRecord]:
    """Return records of some kinds, people and roles."""
    verbs, outcomes = ("view", "export", "consent"), ("done", "refused", "failed")
    return [
        AuditRecord(
            vault.clock(),
            PERSON if each % 5 == 0 else f"operator-{each % 7}",
            verbs[each % 3],
            outcomes[each % 11 % 3],
            role=("support", "")[each % 2],
            subject_id=(each % 17).to_bytes(16, "big"),
            items=("email",) if each % 2 else (),
        )
        for each in range(number)
    ]


@each_database
def test_what_the_database_counts_is_what_one_by_one_gives(store: Vault, clock: Clock) -> None:
    """Answers by month, deletions by month, accesses by role, and whom a breach touched."""
    before = clock.now
    for number in range(4):
        grant(store, "draw", sender=f"person {number}")
        ask(store, "fitting", sender=f"person {number}")
        answer(store, "fitting", granted=False, sender=f"person {number}")
        clock.advance(days=20)
    erase(store, "person 2", Evidence("button", "rest", "en", clock()))
    made = records(store, 300)
    store.database.transact(lambda connection: store.audit.append(connection, *made))
    report = gather(store, admit_local(store, "report"), clock.advance(seconds=1))
    months = {each.purpose: each.months for each in report.consents}
    assert months["draw"] == {
        "2026-11": {"granted": 1},
        "2026-12": {"granted": 1},
        "2027-01": {"granted": 2},
        "2027-02": {"withdrawn": 1},
    }
    assert sum(count["refused"] for count in months["fitting"].values()) == 4
    assert report.removal.erased == {"2027-02": 1}
    wanted = Counter(
        (
            "people themselves" if each.operator == PERSON else each.role or "no role",
            each.verb if each.outcome == "done" else f"{each.verb} ({each.outcome})",
        )
        for each in made
    )
    assert {(role, what): n for role, counts in report.access.items() for what, n in counts.items()} == dict(wanted)
    assert {each.book: each.records for each in report.chains} == {"consent ledger": 17, "audit log": 300}
    found = scope(store, admit_local(store, "audit"), before, clock.now)  # before what the report noted
    others = [each for each in made if each.operator != PERSON]
    assert found.people == len({each.subject_id for each in others if each.outcome != "refused"})
    assert found.own_acts == len(made) - len(others)
    assert found.by_operator == dict(Counter(each.operator for each in others))
    assert found.changed == 4


def test_more_records_than_a_page_are_all_counted(vault: Vault) -> None:
    """In both directions, without one twice; and a page that is exactly full ends."""
    made = records(vault, 3_000)
    vault.database.transact(lambda connection: vault.audit.append(connection, *made))
    with vault.database.read() as connection:
        forward = [entry.seq for entry in vault.audit.each(connection, Wanted(verb="view"))]
        back = [entry.seq for entry in vault.audit.each(connection, Wanted(verb="view"), newest_first=True)]
    assert len(forward) == 1_000
    assert forward == sorted(forward) == back[::-1]


def test_no_broken_glass_is_forgotten_behind_many(vault: Vault) -> None:
    """The oldest of more than ten thousand still waits for its review."""
    glass = AuditRecord(vault.clock(), "ana", "break_glass")
    for _ in range(11):
        vault.database.transact(lambda connection: vault.audit.append(connection, *[glass] * 1_000))
    with vault.database.read() as connection:
        assert pending_reviews(vault, connection)[0].seq == 1


def test_a_report_over_a_long_log_takes_little_memory(vault: Vault, clock: Clock) -> None:
    """Of ten thousand records not one stays; a list of them would take ten times as much."""
    for _ in range(20):
        made = records(vault, 500)
        vault.database.transact(lambda connection: vault.audit.append(connection, *made))  # noqa: B023 - run at once
    permit = admit_local(vault, "report")
    gather(vault, permit, clock.now)
    tracemalloc.start()
    gather(vault, permit, clock.now)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000


def test_explaining_is_not_reading(vault: Vault) -> None:
    """A review does not take an item for one that somebody looked at because it was planned, explained or corrected."""
    grant(vault, "fitting")
    give(vault, {"fitting": {"phone": "+49 30 5550123", "full_name": "Ana"}})
    record_now(vault, admit_local(vault, "report"), items=["phone"])
    vault.database.transact(
        lambda connection: vault.audit.append(connection, AuditRecord(vault.clock(), PERSON, "view", items=("phone",)))
    )
    assert "phone" in make_review(vault, admit_local(vault, "report"), Readers(), lambda _: None).never_read
    record_now(vault, admit_local(vault, "view"), items=["phone"])
    assert "phone" not in make_review(vault, admit_local(vault, "report"), Readers(), lambda _: None).never_read
