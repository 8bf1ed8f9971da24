"""A turn that is saved sets when its data goes, in each form that `retain:` has; the sweep then removes it."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from rasa_privacy.retention.sweep import sweep
from tests.components.test_lasting import EMAIL, at, items, said, take
from tests.support import vaults
from tests.support.vaults import SENDER, Clock, grant

pytestmark = pytest.mark.rasa

Keeping = Callable[[str], Any]
DAY = timedelta(days=1)


@pytest.fixture
def events(untouched: Any) -> Any:
    """Return Rasa's module of events."""
    return untouched.rasa_events


@pytest.fixture
def keeping(open_store: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Keeping:
    """Return a function that opens a store which keeps the draw's data like this, with consent to it."""

    def make(retain: str) -> Any:
        assert vaults.PRIVACY.count("retain: 90 days") == 1
        text = vaults.PRIVACY.replace("retain: 90 days", f"retain: {retain}").replace(
            "    consent_lasts: 12 months\n", ""
        )
        monkeypatch.setattr(vaults, "PRIVACY", text)
        store = open_store()
        grant(store._vault, "draw")
        return store

    return make


def swept(store: Any, at_time: datetime) -> set[str]:
    """Sweep by this time, and return the items of which a value is left."""
    sweep(store._vault, at_time, trusted=True)
    return items(store)


@pytest.mark.parametrize(
    ("retain", "days"),
    [
        ("20 days", 20),
        ("until withdrawn", None),
        ("until lead_form", 30),  # messages.retain, since the form is never done
        ("10 days after action_submit", 10),
    ],
)
async def test_values_go_when_their_time_is_over(
    keeping: Keeping, events: Any, clock: Clock, retain: str, days: int | None
) -> None:
    """Counted from the turn in which they were given."""
    store = keeping(retain)
    await take(store, said(events, clock))
    assert swept(store, clock() + ((days or 3000) - 1) * DAY) == {"full_name", "email"}
    if days is not None:
        assert swept(store, clock() + days * DAY) == set()


async def test_years_count_from_the_end_of_the_year(keeping: Keeping, events: Any, clock: Clock) -> None:
    """Of the year of the last use."""
    store = keeping("6 years after 31 December")
    await take(store, said(events, clock))
    end = datetime(clock().year + 7, 1, 1, tzinfo=timezone.utc)
    assert swept(store, end - DAY) == {"full_name", "email"}
    assert swept(store, end) == set()


@pytest.mark.parametrize(("retain", "days"), [("until lead_form", 0), ("10 days after action_submit", 10)])
async def test_what_is_declared_ends_or_begins_the_time(
    keeping: Keeping, events: Any, clock: Clock, retain: str, days: int
) -> None:
    """The form that is done, or the action that runs, days after the values were given."""
    store = keeping(retain)
    await take(store, said(events, clock, events.ActiveLoop("lead_form")))
    clock.advance(days=5)
    ending = [
        events.UserUttered("yes", intent={"name": "affirm"}, entities=[]),
        events.ActionExecuted("lead_form"),  # as Rasa runs a form for the last time
        events.ActiveLoop(None),
        events.ActionExecuted("action_submit"),
        events.ActionExecuted("action_listen"),
    ]
    assert swept(store, clock()) == {"full_name", "email"}
    tracker = await take(store, at(ending, clock))
    assert tracker.get_slot("email") == EMAIL
    if days:
        assert swept(store, clock() + timedelta(days=days, minutes=-1)) == {"full_name", "email"}
    assert swept(store, clock() + timedelta(days=days)) == set()


@pytest.mark.parametrize(
    ("agreed", "kept"), [((), timedelta(hours=24)), (("newsletter",), 30 * DAY)], ids=["never", "once"]
)
async def test_idle_conversations_go(
    open_store: Callable[..., Any], events: Any, clock: Clock, agreed: tuple[str, ...], kept: timedelta
) -> None:
    """A day after the last message of who never agreed, and after `messages.retain` of who did and told nothing."""
    store = open_store()
    vault = store._vault

    def is_known() -> bool:
        with vault.database.read() as connection:
            return vault.subjects.find(connection, SENDER) is not None

    if agreed:
        grant(vault, *agreed)
    for _ in range(2):
        await take(store, at([events.UserUttered("hello", intent={"name": "greet"}, entities=[])], clock))
        clock.advance(seconds=kept.total_seconds() * 0.9)
        sweep(vault, clock(), trusted=True)
        assert is_known()
    sweep(vault, clock.advance(seconds=kept.total_seconds() * 0.1), trusted=True)
    assert not is_known()
