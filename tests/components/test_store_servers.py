"""Two servers on one database: what one process does to a person, the other one obeys before the next turn."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.withdrawal import withdraw
from rasa_privacy.storage import waiting
from tests.support.databases import EACH_KIND, EACH_SERVER, EmptyUrl
from tests.support.vaults import SENDER, active, evidence, grant, held

pytestmark = pytest.mark.rasa

EMAIL = "zoe.quartz@mail.example"


@pytest.fixture(params=EACH_KIND)
def url(request: pytest.FixtureRequest, tmp_path: Path, empty_url: EmptyUrl) -> Iterator[str]:
    """Return where a database of each kind is."""
    with empty_url(request.param, tmp_path) as address:
        yield address


@pytest.fixture
def pair(open_store: Callable[..., Any]) -> tuple[Any, Any]:
    """Return two stores as two servers have them; the person agreed, and said something to each."""
    one, other = open_store("full"), open_store("full")
    grant(one._vault, "draw", "newsletter")
    return one, other


async def turn(store: Any, untouched: Any, text: str, **slots: object) -> Any:
    """Let a turn be handled by one of the servers."""
    tracker = await store.get_or_create_tracker(SENDER, append_action_listen=False)
    tracker.update(untouched.rasa_events.UserUttered(text, {"name": "greet"}))
    for name, value in slots.items():
        tracker.update(untouched.rasa_events.SlotSet(name, value))
    await store.save(tracker)
    return tracker


async def texts(store: Any) -> list[str]:
    """Return the stored messages."""
    tracker = await store.retrieve_full_tracker(SENDER)
    return [] if tracker is None else [event.text for event in tracker.events if event.type_name == "user"]


async def test_turns_alternate_between_servers(pair: tuple[Any, Any], untouched: Any) -> None:
    """Each sees what the other stored."""
    for number in range(6):
        await turn(pair[number % 2], untouched, f"message {number}", email=f"{number}@mail.example")
        tracker = await pair[(number + 1) % 2].retrieve(SENDER)
        assert tracker.get_slot("email") == f"{number}@mail.example"
    assert await texts(pair[0]) == await texts(pair[1]) == [f"message {number}" for number in range(6)]


async def test_erasure_by_the_other_server(pair: tuple[Any, Any], untouched: Any) -> None:
    """Whose keys this one has unwrapped is nobody for it from then on, and what it still holds is not stored."""
    one, other = pair
    await turn(one, untouched, "hello", email=EMAIL)
    tracker = await turn(other, untouched, "hello again")
    assert erase(one._vault, SENDER, evidence(one._vault)) is not None
    tracker.update(untouched.rasa_events.UserUttered("too late", {"name": "greet"}))
    await other.save(tracker)
    assert untouched.runtime.consent_of(tracker).active == frozenset()
    assert not await other.exists(SENDER)
    assert await other.retrieve(SENDER) is None
    assert list(await other.keys()) == []
    assert active(other._vault) == frozenset()


async def test_person_who_comes_back_to_the_other_server_is_new(pair: tuple[Any, Any], untouched: Any) -> None:
    """It uses the new keys, not those that it had unwrapped before the erasure."""
    one, other = pair
    await turn(other, untouched, "hello", email=EMAIL)
    erase(one._vault, SENDER, evidence(one._vault))
    grant(one._vault, "draw")
    await turn(other, untouched, "back again", email="new@mail.example")
    assert await texts(one) == ["back again"]
    assert held(one._vault) == {"draw": {"email": "new@mail.example"}}


async def test_withdrawal_by_the_other_server(pair: tuple[Any, Any], untouched: Any) -> None:
    """The value that both had is not opened and not stored for that purpose any more, whoever holds its key."""
    one, other = pair
    await turn(one, untouched, "hello", email=EMAIL, full_name="Zoe Quartz")
    tracker = await turn(other, untouched, "hm", email=EMAIL, full_name="Zoe Quartz")
    with one._vault.database.write() as connection:
        subject_id = one._vault.subjects.find(connection, SENDER)
        withdraw(one._vault, connection, subject_id, ["draw"], evidence(one._vault))
    tracker.update(untouched.rasa_events.SlotSet("full_name", "Zoe Q."))
    await other.save(tracker)
    assert held(other._vault) == {"newsletter": {"email": EMAIL}}
    again = await other.retrieve(SENDER)
    assert (again.get_slot("full_name"), again.get_slot("email")) == (None, EMAIL)


@pytest.mark.parametrize("url", EACH_SERVER, indirect=True)
async def test_saving_a_turn_asks_a_server_three_times(
    pair: tuple[Any, Any], untouched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock goes with the read, the ledger is asked alone, and all that is written goes with the commit (ADR 35)."""
    store, sent = pair[0], []
    execute = waiting._execute

    def noted(dialect: str, connection: Any, statements: Any) -> Any:
        sent.append([statement.sql for statement in statements])
        return execute(dialect, connection, statements)

    await turn(store, untouched, "hello", email=EMAIL)
    tracker = await store.retrieve(SENDER)
    tracker.update(untouched.rasa_events.UserUttered("and again", {"name": "greet"}))
    monkeypatch.setattr(waiting, "_execute", noted)
    await store.save(tracker)
    assert len(sent) == 3
    assert sent[-1][-1] == "COMMIT"
    assert await texts(pair[1]) == ["hello", "and again"]
