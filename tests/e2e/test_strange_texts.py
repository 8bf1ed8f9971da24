"""What no keyboard writes, sent to a real bot with its whole pipeline: it answers, and keeps nothing in plain."""

import time
from typing import Final

import pytest

from tests.e2e.harness import RunningBot
from tests.e2e.people import Person, ledger_of, new_person, store_of
from tests.e2e.search import assert_nowhere

pytestmark = [pytest.mark.e2e]

#: Seconds that a message may take, with both servers on a busy machine.
PATIENCE: Final = 60


def texts_of(person: Person) -> dict[str, str]:
    """Return strange texts, each with an address in it."""
    mail = person.email
    return {
        "a megabyte of words": "a " * 500_000 + mail,
        "a megabyte in one word": "x" * 1_000_000 + f" {mail}",
        "more than is read": f"{mail} " + "word " * 2_000,
        "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea\ufe0f " * 50 + mail,
        "control characters": f"\x07\x1b[31m{mail}\x01\x1f",
        "right to left": f"\u202e\u05e9\u05dc\u05d5\u05dd\u200f {mail} \u202c\u0645\u0631\u062d\u0628\u0627",
        "half a character": f"\ud83d {mail} \udc00",
        "many marks": "e" + "\u0301" * 3_000 + f" {mail}",
    }


@pytest.mark.parametrize("agrees", [False, True], ids=["before consent", "after consent"])
def test_a_strange_text_is_answered_and_kept_nowhere(*, agrees: bool, bot: RunningBot) -> None:
    """One after the other in one conversation, which then goes on; nobody waits for minutes."""
    person = new_person()
    chat = bot.chat(person.sender)
    if agrees:
        chat.say("I want to enter the prize draw")
        chat.press("Yes, I agree")
        chat.press("Yes, that too")
    for name, text in texts_of(person).items():
        began = time.monotonic()
        chat.say(text)
        assert time.monotonic() - began < PATIENCE, name
    assert chat.say("hello")
    with store_of(bot) as vault, vault.database.read() as connection:
        stored = vault.conversations.load(connection, person.sender, all_sessions=True)
    assert stored is not None
    assert person.email not in str(stored.structure)
    assert sum(event["event"] == "user" for event in stored.structure) > len(texts_of(person))
    # After a grant a form asks, and what was typed goes to the action that looks at it.
    assert_nowhere([person.email], bot.sinks(payloads=not agrees))


@pytest.mark.parametrize("said", ["word ", "hello there ", "when are you open? "])
def test_an_answer_of_ten_thousand_characters_is_asked_back_once_and_then_a_no(said: str, bot: RunningBot) -> None:
    """Also where the bot's classifier takes it for a wish of the bot's own, which would pass the question by."""
    person = new_person()
    chat = bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    text = (said * 10_000)[:10_000]
    assert "yes or no" in chat.say(text)[0].text
    assert "count it as a no" in chat.say(text)[0].text
    assert ledger_of(bot, person.sender) == [("prize_draw", "asked"), ("prize_draw", "refused")]
