"""The review: what is stored, what nothing reads, which consents end; acknowledged as it was made."""

import re

import msgspec
import pytest
from sqlalchemy import text

from rasa_privacy.access.admission import admit_local
from rasa_privacy.access.recording import record_now
from rasa_privacy.errors import AccessError, RetentionError
from rasa_privacy.policy.durations import Length
from rasa_privacy.policy.operations import Retention
from rasa_privacy.policy.slot_readers import Readers
from rasa_privacy.retention.review import Review, make_review
from rasa_privacy.retention.review_duty import (
    acknowledge,
    acknowledgements,
    keep,
    kept,
    last_acknowledged,
    overdue_by_rows,
    overdue_since,
)
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, START, Clock, give, grant


def made(vault: Vault, *read: str) -> Review:
    """Return a review of a bot whose action `action_submit` reads these slots, page by page."""
    readers = Readers({"action_submit": frozenset(read)})
    return make_review(vault, admit_local(vault, "report"), readers, lambda _: None, page=1)


def made_and_kept(vault: Vault) -> Review:
    """Make a review, and keep it with its record."""
    review = made(vault)
    assert keep(vault, admit_local(vault, "report"), review) is not None
    return review


def with_reviews(vault: Vault, every: str | None) -> Vault:
    """Let privacy.yml ask for reviews."""
    policy = msgspec.structs.replace(vault.policy, retention=Retention(review_every=every))
    object.__setattr__(vault, "policy", policy)
    return vault


def test_it_counts_by_purpose_item_and_age(vault: Vault, clock: Clock) -> None:
    """People, values, the oldest day and the newest; and items that nobody gave."""
    grant(vault, "draw", "newsletter", sender="one")
    give(
        vault,
        {"draw": {"full_name": "Ana", "email": "a@post.example"}, "newsletter": {"email": "a@post.example"}},
        "one",
    )
    clock.advance(days=3)
    give(vault, {"draw": {"full_name": "Anna"}}, "one")
    grant(vault, "draw", sender="two")
    give(vault, {"draw": {"full_name": "Bo"}}, "two")
    review = made(vault)
    rows = {(each.purpose, each.item): each for each in review.stored}
    name = rows["draw", "full_name"]
    assert (name.people, name.values, name.oldest, name.newest) == (2, 3, "2026-11-23", "2026-11-26")
    assert name.last_used == "2026-11-26"
    assert rows["newsletter", "email"].people == 1
    assert (review.conversations, review.damaged) == (2, 0)
    assert review.never_given == ("birthday", "phone", "postcode")
    assert "Ana" not in msgspec.json.encode(review).decode()


def test_what_nothing_reads_is_named(vault: Vault) -> None:
    """Neither an action nor a response nor an operator."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana", "email": "a@post.example", "postcode": "100"}})
    assert made(vault, "full_name").never_read == ("email", "postcode")
    record_now(vault, admit_local(vault, "view"), items=["email"])
    assert made(vault, "full_name").never_read == ("postcode",)


def test_consents_that_end_soon_are_counted(vault: Vault, clock: Clock) -> None:
    """The draw's consents last 12 months; before the last 90 days none is named, and ended ones are not either."""
    grant(vault, "draw")
    assert made(vault).ending == {}
    clock.advance(days=365 - 80)
    assert made(vault).ending == {"draw": 1}
    clock.advance(days=81)
    assert made(vault).ending == {}


def test_the_last_use_is_that_of_the_bot_or_of_an_operator(vault: Vault, clock: Clock) -> None:
    """When an action that reads it ran in its conversation, and when somebody looked; not when another one ran."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana", "postcode": "100"}})
    clock.advance(days=2)
    ran(vault, "action_submit")
    clock.advance(days=2)
    ran(vault, "action_other")
    rows = {each.item: each for each in made(vault, "full_name").stored}
    assert (rows["full_name"].newest, rows["full_name"].last_used) == ("2026-11-23", "2026-11-25")
    assert rows["postcode"].last_used == "2026-11-23"
    record_now(vault, admit_local(vault, "view"), items=["postcode"])
    assert {each.item: each.last_used for each in made(vault).stored} == {
        "full_name": "2026-11-23",
        "postcode": "2026-11-27",
    }


def ran(vault: Vault, action: str) -> None:
    """Store that an action ran in the conversation."""
    event = {"event": "action", "timestamp": vault.clock().timestamp(), "name": action}
    with vault.database.write() as connection:
        version, _ = vault.conversations.head(connection, SENDER)
        vault.conversations.append(connection, SENDER, version, [event], {}, [], vault.clock())


def test_without_the_bots_files_nothing_is_called_unread(vault: Vault) -> None:
    """A server may run without the source of the actions; to call everything unread there would be wrong."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana"}})
    review = make_review(vault, admit_local(vault, "report"), Readers(is_whole=False), lambda _: None)
    assert (review.never_read, review.is_source_seen) == ((), False)
    assert made(vault).never_read == ("full_name",)


def test_an_operator_acknowledges_the_review_that_was_made(vault: Vault, clock: Clock) -> None:
    """The audit log keeps its number; a changed one is refused, and so is a permit for something else."""
    grant(vault, "draw")
    review = made_and_kept(vault)
    permit = admit_local(vault, "retention")
    forged = msgspec.structs.replace(review, damaged=9)
    with pytest.raises(RetentionError, match="was changed"):
        acknowledge(vault, permit, forged, review.number)
    with pytest.raises(AccessError):
        acknowledge(vault, admit_local(vault, "view"), review, review.number)
    clock.advance(days=1)
    acknowledge(vault, permit, msgspec.json.decode(msgspec.json.encode(review), type=Review), review.number)
    with vault.database.read() as connection:
        assert last_acknowledged(vault, connection) == clock()
        log = [(entry.record.verb, entry.record.reason) for entry in vault.audit.entries(connection)]
        assert log == [("report", f"review {review.number}"), ("retention", f"review {review.number}")]


def test_a_review_is_acknowledged_once(vault: Vault) -> None:
    """The second time says who did it and when."""
    grant(vault, "draw")
    review, permit = made_and_kept(vault), admit_local(vault, "retention")
    acknowledge(vault, permit, review, review.number)
    said = re.escape(f"{review.number} was acknowledged on 2026-11-23 by {permit.operator} (record 2 of the audit log)")
    with pytest.raises(RetentionError, match=said):
        acknowledge(vault, permit, review, review.number)


def test_only_the_newest_review_that_was_made_is_acknowledged(vault: Vault, clock: Clock) -> None:
    """An older one and one that no store made are refused, each with what to do."""
    grant(vault, "draw")
    permit = admit_local(vault, "retention")
    nobody = made(vault)
    with pytest.raises(RetentionError, match=r"does not say that RV-\S+ was made; make one"):
        acknowledge(vault, permit, nobody, nobody.number)
    older = made_and_kept(vault)
    clock.advance(days=1)
    newer = made_and_kept(vault)
    with pytest.raises(RetentionError, match=rf"not the newest review: {newer.number} was made on 2026-11-24"):
        acknowledge(vault, permit, older, older.number)
    acknowledge(vault, permit, newer, newer.number)
    with vault.database.read() as connection:
        found = kept(connection)
    assert found is not None
    assert found.review == newer


def test_a_review_from_before_one_was_due_is_too_old(vault: Vault, clock: Clock) -> None:
    """What it says is not what there is now."""
    grant(vault, "draw")
    wanted = with_reviews(vault, "6 months")
    old = made_and_kept(wanted)
    clock.advance(days=187)
    with pytest.raises(RetentionError, match=r"is of 2026-11-23, and one of 2027-05-23 or later is due; make it"):
        acknowledge(wanted, admit_local(wanted, "retention"), old, old.number)
    new = made_and_kept(wanted)
    acknowledge(wanted, admit_local(wanted, "retention"), new, new.number)


def test_a_review_is_overdue_in_time(vault: Vault, clock: Clock) -> None:
    """Six months after the first question, and six months after it was acknowledged; never where none is wanted."""
    grant(vault, "draw")
    wanted = with_reviews(vault, "6 months")
    with wanted.database.read() as connection:
        assert overdue_since(wanted, connection, clock.advance(days=180)) is None
        assert overdue_since(wanted, connection, clock.advance(days=7)) == START.replace(year=2027, month=5)
    review = made_and_kept(wanted)
    acknowledge(wanted, admit_local(wanted, "retention"), review, review.number)
    with wanted.database.read() as connection:
        assert overdue_since(wanted, connection, clock()) is None
        assert overdue_since(wanted, connection, clock.advance(days=187)) is not None
        assert overdue_since(with_reviews(wanted, None), connection, clock()) is None


def test_a_bot_that_asks_for_no_consent_is_reviewed_too(vault: Vault, clock: Clock) -> None:
    """The consent ledger of one that rests on a contract stays empty; then it counts from the audit log."""
    wanted = with_reviews(vault, "6 months")
    record_now(vault, admit_local(vault, "retention"), counts={"people": 0, "left": 0})
    begun = clock()
    clock.advance(days=60)
    record_now(vault, admit_local(vault, "retention"), counts={"people": 0, "left": 0})
    with wanted.database.read() as connection:
        assert overdue_since(wanted, connection, clock()) is None
        for overdue in (
            overdue_since(wanted, connection, clock.advance(days=130)),
            overdue_by_rows(wanted.policy, connection, clock()),
        ):
            assert overdue == begun + Length("6 months")


@pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
def test_the_rows_say_the_same_without_keys(store: Vault, clock: Clock) -> None:
    """From the first question, and from the last acknowledgement; a sweep in between is none."""
    wanted, permit = with_reviews(store, "6 months"), admit_local(store, "retention")
    with store.database.read() as connection:
        assert overdue_by_rows(wanted.policy, connection, clock()) is None
    grant(store, "draw")
    clock.advance(days=187)
    with store.database.read() as connection:
        since = overdue_by_rows(wanted.policy, connection, clock())
        assert since is not None
        assert since == overdue_since(wanted, connection, clock())
    review = made_and_kept(wanted)
    acknowledge(wanted, permit, review, review.number)
    at = clock()
    clock.advance(days=186)
    record_now(store, permit, counts={"people": 0, "left": 0})
    with store.database.read() as connection:
        assert overdue_by_rows(wanted.policy, connection, at) is None
        assert overdue_by_rows(wanted.policy, connection, clock()) == at + Length("6 months")


@pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
def test_whoever_asks_again_reads_only_what_came_since(store: Vault, clock: Clock) -> None:
    """A server asks each hour, and an audit log may be long; what was read is not read again while it is the same."""
    wanted, permit, known = with_reviews(store, "6 months"), admit_local(store, "retention"), acknowledgements()

    def last() -> object:
        with store.database.read() as connection:
            return known.at(connection)

    def write(statement: str) -> None:
        with store.database.write() as connection:
            connection.execute(text(statement))

    assert last() is None
    record_now(store, permit, counts={"people": 0, "left": 0})
    assert last() is None
    review = made_and_kept(wanted)
    clock.advance(days=1)
    acknowledge(wanted, permit, review, review.number)
    at = clock()
    assert last() == at
    clock.advance(days=1)
    record_now(store, permit, counts={"people": 0, "left": 0})
    assert last() == at
    write("UPDATE audit SET verb = 'view' WHERE verb = 'retention'")
    assert last() == at
    write("DELETE FROM audit WHERE seq = (SELECT last FROM (SELECT max(seq) AS last FROM audit) AS found)")
    assert last() is None
