"""What the example bot makes of typed answers. Loads the module by its path, since the bot is no installed package."""

import importlib.util
import time
from pathlib import Path
from types import ModuleType

import pytest

_FILE = Path(__file__).parents[2] / "example_bot" / "actions" / "answers.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("northwind_answers", _FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


answers = _load()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ana Li", "Ana Li"),
        ("my name is Ana Li.", "Ana Li"),
        ("Hi, I'm José García", "José García"),
        ("Siobhan O'Neill", "Siobhan O'Neill"),
        ("Jean-Luc Moreau", "Jean-Luc Moreau"),
        ("Will Smith", "Will Smith"),
        ("Ng", "Ng"),
        ("田中 太郎", "田中 太郎"),
        ("Иван Петров", "Иван Петров"),
    ],
)
def test_name_is_kept_without_the_words_around_it(text: str, name: str) -> None:
    """Names of any script and length come through whole."""
    assert answers.full_name(text) == name


@pytest.mark.parametrize(
    "text",
    ["yes", "ok, thanks", "why do you ask", "who won?", "ana@x.example", "10115", "", "x" * 61, "a b c d e f g", "..."],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    """A question, an address, a number or a polite word is not stored as somebody's name."""
    assert answers.full_name(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("my postcode is sw1a 2aa, ok?", "SW1A 2AA"),
        ("10115", "10115"),
        ("it's 90210-1234", "90210-1234"),
        ("K1A 0B1", "K1A 0B1"),
        ("D02 X285", "D02 X285"),
        ("1012 AB", "1012 AB"),
        ("00-950", "00-950"),
        ("what's the weather", None),
        ("skip", None),
    ],
)
def test_postcode_is_found_in_the_answer(text: str, code: str | None) -> None:
    """The code alone is kept, in capitals."""
    assert answers.postcode(text) == code


@pytest.mark.parametrize("text", ["next Friday", "tomorrow at 5", "the 3rd of May", "12/06", "any day next week"])
def test_day_is_kept_in_the_users_words(text: str) -> None:
    """Weekdays, dates and relative days are days."""
    assert answers.fitting_day(text) == text


@pytest.mark.parametrize("text", ["hmm", "yes", "monkey business", "3 " * 40])
def test_what_names_no_day_is_refused(text: str) -> None:
    """An answer without a day is asked for again."""
    assert answers.fitting_day(text) is None


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("3 May 1990", "3 May 1990"),
        ("I was born on 4 March 1979, in Rome", "4 March 1979"),
        ("my birthday is the 9th of August", "9th of August"),
        ("24.12.1988", "24.12.1988"),
        ("12/05/1990", "12/05/1990"),
        ("1985-07-21", "1985-07-21"),
        ("October 31", "October 31"),
        ("May 3, 1990", "May 3, 1990"),
        ("whenever", None),
    ],
)
def test_birthday_is_kept_without_the_words_around_it(text: str, date: str | None) -> None:
    """The date alone is kept, so that less than the message is stored."""
    assert answers.birthday(text) == date


@pytest.mark.parametrize("text", ["skip", "Skip it!", "no thanks", "I'd rather not say", "pass", "prefer not to say"])
def test_skip_is_understood(text: str) -> None:
    """The ways to pass over an optional question are known without the classifier."""
    assert answers.is_skip(text)


@pytest.mark.parametrize("text", ["10115", "Nottingham", "Passau 94032", "3 May"])
def test_answer_is_not_taken_for_a_skip(text: str) -> None:
    """Words that only begin like a skip are answers."""
    assert not answers.is_skip(text)


@pytest.mark.parametrize("read", [answers.full_name, answers.postcode, answers.birthday, answers.fitting_day])
@pytest.mark.parametrize("unit", ["1 ", "1.", "no ", "May ", "hi, ", "a", "hello,,,,"])
def test_reading_stays_fast_on_hostile_text(read: object, unit: str) -> None:
    """Twenty thousand characters of anything take well under a second."""
    assert callable(read)
    started = time.perf_counter()
    read(unit * (20_000 // len(unit)))
    assert time.perf_counter() - started < 1.0
