"""Reviews by servers: when one is due, by one of many, once; and by no other while it is being made."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest

from rasa_privacy.access.admission import SERVER, admit_local
from rasa_privacy.errors import RetentionError
from rasa_privacy.policy.operations import Retention
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.policy.slot_readers import Readers
from rasa_privacy.retention.lease import LEASE_LENGTH
from rasa_privacy.retention.review import make_review
from rasa_privacy.retention.review_duty import acknowledge, keep, kept, overdue_since
from rasa_privacy.retention.review_schedule import LEASE, review_when_due, waited_for
from rasa_privacy.storage import leases, meta_rows
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import Clock, give, grant

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


def wanting(vault: Vault) -> Vault:
    """Return the store with reviews that are made twice a year."""
    return replace(vault, policy=msgspec.structs.replace(vault.policy, retention=Retention(review_every="6 months")))


def reviews(vault: Vault) -> list[AuditRecord]:
    """Return the records that a review was made."""
    with vault.database.read() as connection:
        found = [entry.record for entry in vault.audit.entries(connection)]
    return [record for record in found if record.verb == "report" and "review" in record.counts]


def made(vault: Vault) -> Any:
    """Let a server make what is due, without rests."""
    return review_when_due(wanting(vault), Readers(), rest=0.0)


def test_a_server_makes_each_review_that_is_due_once(vault: Vault, clock: Clock) -> None:
    """None before it is due, one then, and the next half a year after somebody looked at it."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana"}})
    assert made(vault) is None
    clock.advance(days=187)
    first = made(vault)
    assert first is not None
    assert first.review.conversations == 1
    (record,) = reviews(vault)
    assert (record.operator, record.reason) == (SERVER, f"review {first.number}; a review is due")
    clock.advance(days=30)
    assert made(vault) is None  # it waits for somebody
    acknowledge(wanting(vault), admit_local(vault, "retention"), first.review, first.number)
    assert made(vault) is None
    clock.advance(days=187)
    assert made(vault) is not None
    assert len(reviews(vault)) == 2


@each_kind
def test_of_many_servers_one_makes_the_review(store: Vault, settings: StoreSettings, clock: Clock) -> None:
    """Also where all begin in the same moment."""
    grant(store, "draw")
    give(store, {"draw": {"full_name": "Ana"}})
    clock.advance(days=187)
    servers = [open_vault(settings, clock) for _ in range(3)]
    together = Barrier(len(servers))

    def work(server: Vault) -> object:
        together.wait(20)
        return made(server)

    with ThreadPoolExecutor(len(servers)) as pool:
        found = [each for each in pool.map(work, servers) if each is not None]
    for server in servers:
        server.close()
    assert len(found) == len(reviews(store)) == 1
    with store.database.read() as connection:
        assert kept(connection) == found[0]
        assert leases.held_until(connection, LEASE) is None


def test_a_second_review_for_the_same_time_is_dropped(vault: Vault, clock: Clock) -> None:
    """A timer and a server that both saw that one was due: the later one keeps nothing, and records nothing."""
    grant(vault, "draw")
    clock.advance(days=187)
    due = waited_for(wanting(vault))
    permit = admit_local(vault, "report")
    one, other = (make_review(vault, permit, Readers(), lambda _: None) for _ in range(2))
    assert keep(vault, permit, one, due=due) is not None
    assert keep(vault, permit, other, due=due) is None
    assert len(reviews(vault)) == 1


def test_while_one_server_is_at_it_no_other_begins(vault: Vault, clock: Clock) -> None:
    """Until its lease is over: then it has died, and another one makes the review."""
    grant(vault, "draw")
    clock.advance(days=187)
    dead = bytes(16)
    assert vault.database.transact(lambda conn: leases.take(conn, LEASE, dead, clock(), LEASE_LENGTH))
    assert made(vault) is None
    clock.advance(minutes=6)
    assert made(vault) is not None


def test_a_server_that_lost_its_lease_stops(vault: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the one that took it over is alone; nothing of the first is kept."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana"}})
    clock.advance(days=187)
    looked: list[int] = []

    def steal(_: float) -> None:
        looked.append(1)
        clock.advance(minutes=6)
        vault.database.transact(
            lambda conn: leases.take(conn, LEASE, b"other" + bytes(11), clock(), timedelta(minutes=5))
        )

    monkeypatch.setattr("rasa_privacy.retention.review_schedule.time.sleep", steal)
    with pytest.raises(RetentionError, match="went to another process"):
        made(vault)
    assert looked
    assert reviews(vault) == []


def test_it_rests_between_pages(vault: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nineteen times as long as each page took, as a sweep beside turns does."""
    for number in range(25):
        grant(vault, "draw", sender=f"person-{number}")
        give(vault, {"draw": {"full_name": "Ana"}}, f"person-{number}")
    clock.advance(days=187)
    rests: list[float] = []
    moments = iter(range(1000))
    monkeypatch.setattr("rasa_privacy.retention.review_schedule.time.monotonic", lambda: float(next(moments)))
    monkeypatch.setattr("rasa_privacy.retention.review_schedule.time.sleep", rests.append)
    assert review_when_due(wanting(vault), Readers()) is not None
    assert rests == [19.0] * 3


def test_a_row_that_was_changed_by_hand_stops_no_review(vault: Vault, clock: Clock) -> None:
    """What stands there is no review, so the server makes the one that is due in its place."""
    grant(vault, "draw")
    clock.advance(days=187)
    vault.database.transact(lambda connection: meta_rows.write(connection, "review", b"nonsense"))
    found = made(vault)
    assert found is not None
    with vault.database.read() as connection:
        assert kept(connection) == found


def test_while_a_review_waits_no_book_is_verified(vault: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """That may take months, in which each sweep asks whether one is due."""
    grant(vault, "draw")
    clock.advance(days=187)
    verified = Mock(wraps=overdue_since)
    monkeypatch.setattr("rasa_privacy.retention.review_schedule.overdue_since", verified)
    assert made(vault) is not None
    assert verified.call_count == 1
    clock.advance(hours=1)
    assert waited_for(wanting(vault)) is None
    assert verified.call_count == 1


def test_none_is_made_where_privacy_yml_wants_none(vault: Vault, clock: Clock) -> None:
    """Without `review_every` nothing is ever due."""
    grant(vault, "draw")
    clock.advance(days=1000)
    assert waited_for(vault) is None
    assert review_when_due(vault, Readers()) is None
