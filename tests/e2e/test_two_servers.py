"""Two Rasa servers on one database: people are answered by either, and what one is told the other one obeys."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rasa_privacy.cli.rest import BotMessage, Chat
from rasa_privacy.cli.run_folder import copy_bot
from rasa_privacy.cli.servers import BotServers, ServerPlan
from tests.e2e.harness import EXAMPLE_BOT
from tests.e2e.people import new_person
from tests.support.databases import new_url

pytestmark = [pytest.mark.e2e]

Pair = tuple[BotServers, BotServers]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def pair(request: pytest.FixtureRequest, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two bots with one database and one key; each has a folder and an action server of its own."""
    shared = tmp_path_factory.mktemp("shared")
    with ExitStack() as stack:
        url = stack.enter_context(new_url(request.param, shared))
        changes = {("tracker_store", "url"): url, ("tracker_store", "keys", "path"): str(shared / "keys")}
        servers = []
        for name in ("one", "other"):
            folder = copy_bot(EXAMPLE_BOT, shared / name)
            plan = ServerPlan(bot=folder, model=model, run_folder=folder / "run", changes=changes)
            servers.append(stack.enter_context(BotServers(plan)))
        yield servers[0], servers[1]


def text_of(messages: list[BotMessage]) -> str:
    """Return what the bot said in one turn."""
    return "\n".join(message.text for message in messages)


def asks_for_consent(chat: Chat) -> bool:
    """Return whether the last turn offered the two buttons of a consent question."""
    return [button.payload.split("{")[0] for button in chat.offered][:2] == ["/privacy_grant", "/privacy_refuse"]


def test_person_is_answered_by_either(pair: Pair) -> None:
    """Each turn of one form goes to the other server; a grant at one holds at the other."""
    person = new_person()
    one, other = (servers.chat(person.sender) for servers in pair)
    one.say("I want to enter the prize draw")
    assert asks_for_consent(one)
    assert "postcode" in text_of(other.say("/privacy_grant"))
    assert "full name" in text_of(one.say("yes"))
    assert "email" in text_of(one.say(person.name)).lower()
    assert "postcode" in text_of(other.say(person.email)).lower()
    assert "You're in the draw" in text_of(one.say(person.postcode))


def test_withdrawal_at_one_closes_the_gate_at_the_other(pair: Pair) -> None:
    """STOP said to one server counts at the other one with the next turn."""
    person = new_person()
    one, other = (servers.chat(person.sender) for servers in pair)
    other.say("I want to enter the prize draw")
    other.press("Yes, I agree")
    assert "full name" in text_of(other.press("Yes, that too"))
    one.say("STOP")
    other.say("I want to enter the prize draw")
    assert asks_for_consent(other)


def test_erasure_at_one_is_obeyed_by_the_other(pair: Pair) -> None:
    """The other server had the person's keys and served them a moment ago; now they are nobody."""
    person = new_person()
    one, other = (servers.chat(person.sender) for servers in pair)
    other.say("I want to enter the prize draw")
    other.press("Yes, I agree")
    other.press("Yes, that too")
    other.say(person.name)
    one.say("delete my data")
    assert "ER-" in text_of(one.press("Yes, delete it"))
    other.say("I want to enter the prize draw")
    assert asks_for_consent(other)
    assert person.name not in text_of(other.say("what do you know about me?"))
