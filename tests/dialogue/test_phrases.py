"""Parts of sentences: numbers, dates and lists as a language writes them, and variables that are filled in once."""

from datetime import date

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.dialogue.phrases import Phrases, fill, phrases_of

EN = phrases_of("en")
DE = Phrases(Locale("de"), {"day_one": "{count} Tag", "day_other": "{count} Tage", "until_withdrawn": "bis Widerruf"})
FR = Phrases(Locale("fr"), {"day_one": "{count} jour", "day_other": "{count} jours"})


@pytest.mark.parametrize(
    ("text", "english", "german"),
    [
        ("90 days", "90 days", "90 Tage"),
        ("1 day", "1 day", "1 Tag"),
        ("1 days", "1 day", "1 Tag"),
        ("30 minutes", "30 minutes", "30 Minuten"),
        ("1 hour", "1 hour", "1 Stunde"),
        ("2 weeks", "2 weeks", "2 Wochen"),
        ("12 months", "12 months", "12 Monate"),
        ("3 years", "3 years", "3 Jahre"),
    ],
)
def test_a_duration_is_said_in_the_language(text: str, english: str, german: str) -> None:
    """Each unit that privacy.yml knows has its words, and its singular."""
    assert (EN.duration(text), DE.duration(text)) == (english, german)
    assert DE.retention(text) == german


@pytest.mark.parametrize(
    ("language", "days", "units"),
    [
        ("de", ["1 Tag", "90 Tage"], ["Stunde", "Monate", "Jahre"]),
        ("es", ["1 día", "90 días"], ["hora", "meses", "años"]),
        ("fr", ["1\xa0jour", "90\xa0jours"], ["heure", "mois", "ans"]),
        ("it", ["1 giorno", "90 giorni"], ["ora", "mesi", "anni"]),
        ("nl", ["1 dag", "90 dagen"], ["uur", "maanden", "jaar"]),
        ("pt", ["1 dia", "90 dias"], ["hora", "meses", "anos"]),
    ],
)
def test_a_duration_is_written_out_in_every_language(language: str, days: list[str], units: list[str]) -> None:
    """Also where the CLDR has no long form of its own: never the name of a unit, such as "90 duration-day"."""
    phrases = phrases_of(language)
    assert [phrases.duration("1 day"), phrases.duration("90 days")] == days
    assert [phrases.duration(text).split()[1] for text in ("1 hour", "12 months", "3 years")] == units


def test_data_without_a_date_is_kept_until_consent_is_taken_back() -> None:
    """The words of privacy.yml are never shown as they are."""
    assert DE.retention("until withdrawn") == "bis Widerruf"
    assert EN.retention("until withdrawn") != "until withdrawn"


def test_a_date_is_said_in_the_language() -> None:
    """Day before month, as Europe writes it."""
    assert EN.day(date(2026, 11, 3)) == "3 November 2026"
    assert DE.day(date(2026, 3, 3)) == "3. M\u00e4rz 2026"


def test_a_list_ends_with_and() -> None:
    """None, one, two and three are sentences."""
    said = [EN.listed(["a", "b", "c"][:length]) for length in range(4)]
    assert said == ["", "a", "a and b", "a, b and c"]
    assert DE.listed(["a", "b", "c"]) == "a, b und c"


def test_a_phrase_that_counts_takes_the_form_of_its_language() -> None:
    """To a German none are several, to a Frenchwoman none is one (CLDR)."""
    assert [DE.count("day", number) for number in (0, 1, 2)] == ["0 Tage", "1 Tag", "2 Tage"]
    assert [FR.count("day", number) for number in (0, 1, 2)] == ["0 jour", "1 jour", "2 jours"]
    assert DE.count("day", 12345) == "12.345 Tage"
    assert FR.count("day", 1_000_000) == "1\u202f000\u202f000 jours"


@pytest.mark.parametrize(("value", "said"), [(True, "yes"), (False, "no"), (["a", "b"], "a and b"), (7, "7")])
def test_a_stored_value_is_said_in_words(value: object, said: str) -> None:
    """Nobody is shown `True` or a Python list."""
    assert EN.value(value) == said


def test_what_was_filled_in_is_not_filled_in_again() -> None:
    """A person who types a variable's name sees just that."""
    assert fill("{a} {b} {c}", {"a": "{b}", "b": "x"}) == "{b} x {c}"


@given(st.text(), st.text())
def test_a_value_comes_out_as_it_went_in(before: str, value: str) -> None:
    """Whatever it is made of."""
    assert fill(before.replace("{", "") + "{v}", {"v": value}) == before.replace("{", "") + value
