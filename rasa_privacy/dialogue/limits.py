"""Answers that are more than yes or no: a yes that leaves something out, and an age in years.

Rules:

1. "Yes, but not my phone" is a yes to the rest where every word after the limit names an item in question. Anything
   else is unclear and asked about again; it is never a plain yes.
2. A one-time code is one number of six digits, however they are grouped. Where it is not what was asked for last, the
   message must be that number alone.
3. An age is one number alone with words that belong to it. "I will be 16 soon" is none.
4. A year of birth is one year alone with words that belong to it; the day and the month may be there as numbers.

The words are data: the sections `limits`, `age_words` and `birth_words` of `packs/<language>.keywords.yml`.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from rasa_privacy.dialogue.keywords import reply, words_of
from rasa_privacy.dialogue.packs import load_keywords
from rasa_privacy.dialogue.purposes import named_items
from rasa_privacy.dialogue.wordings import compile_wordings, fold
from rasa_privacy.policy.model import Policy

_OLDEST: Final = 120
_CODE_DIGITS: Final = 6
_DAY_AND_MONTH: Final = 2
_LAST_DAY: Final = 31
_LONGEST_WITH_CODE: Final = 200  # characters
_FOUR_DIGITS: Final = re.compile(r"(?<!\d)\d{4}(?!\d)")
_RUN: Final = re.compile(r"\d(?:[ \u00a0.-]?\d)*")
_ONLY_DIGITS: Final = re.compile(r"\d(?:[ \u00a0.-]?\d)*[.!]?")


def left_out(text: str, languages: Sequence[str], policy: Policy, items: Iterable[str]) -> tuple[str, ...]:
    """Return the items that a yes leaves out, or none where the message is no such yes.

    Args:
        text: The message as the person wrote it.
        languages: The bot's languages, the conversation's first.
        policy: The privacy.yml in force.
        items: The items in question.
    """
    asked = tuple(items)
    for language in languages:
        words = "".join(f"{word} " for word in words_of(text, language))
        limit = _limits(language).search(f" {words}")
        if limit is None or reply(words[: max(limit.start(), 0)], language) != "yes":
            continue
        named = named_items(f" {words}"[limit.end() :], policy, language, asked)
        if named:
            return named
    return ()


def age_in(text: str, languages: Sequence[str]) -> int | None:
    """Return the age in years that the message says, or None where it says none."""
    for language in languages:
        words = words_of(text, language)
        numbers = {_number(word) for word in words if word.isdecimal()}
        others = {word for word in words if not word.isdecimal()}
        if len(numbers) == 1 and others <= _age_words(language):
            age = numbers.pop()
            return age if 0 < age <= _OLDEST else None
    return None


def year_in(text: str, languages: Sequence[str], this_year: int) -> int | None:
    """Return the year of birth that the message says, or None where it says none, or more than that."""
    for language in languages:
        words = words_of(text, language)
        numbers = [_number(word) for word in words if word.isdecimal()]
        years = {number for number in numbers if this_year - _OLDEST <= number <= this_year}
        beside = [number for number in numbers if number not in years]
        others = {word for word in words if not word.isdecimal()}
        is_date = len(beside) <= _DAY_AND_MONTH and all(number <= _LAST_DAY for number in beside)
        if len(years) == 1 and is_date and others <= _age_words(language) | _birth_words(language):
            return years.pop()
    return None


def has_year(text: str, this_year: int) -> bool:
    """Return whether a message holds what may be a year of birth, whatever else it says."""
    runs = ("".join(str(unicodedata.digit(digit)) for digit in run) for run in _FOUR_DIGITS.findall(text))
    return any(this_year - _OLDEST <= int(run) <= this_year for run in runs)


def old_enough(year: int, age: int, this_year: int) -> bool | None:
    """Return whether somebody who was born in a year has an age; None where that depends on the day."""
    return None if this_year - year == age else this_year - year > age


def code_in(text: str, *, alone: bool) -> str | None:
    """Return the one-time code in a message, or None where there is none.

    Args:
        text: The message as the person wrote it.
        alone: Whether the message must be nothing else.
    """
    if len(text) > _LONGEST_WITH_CODE:
        return None
    plain = unicodedata.normalize("NFKC", text).strip()
    if alone and not _ONLY_DIGITS.fullmatch(plain):
        return None
    found = {"".join(str(unicodedata.digit(sign)) for sign in run if sign.isdecimal()) for run in _RUN.findall(plain)}
    return found.pop() if len(found) == 1 and len(next(iter(found))) == _CODE_DIGITS else None


def _number(word: str) -> int:
    return int("".join(str(unicodedata.digit(digit)) for digit in word[:4]))


@lru_cache(maxsize=32)
def _limits(language: str) -> re.Pattern[str]:
    wordings = compile_wordings(load_keywords(language), "limits", f"packs/{language}.keywords.yml")
    return re.compile(f" {wordings}")


@lru_cache(maxsize=32)
def _birth_words(language: str) -> frozenset[str]:
    return frozenset(fold(load_keywords(language)["birth_words"]).split())


@lru_cache(maxsize=32)
def _age_words(language: str) -> frozenset[str]:
    return frozenset(fold(load_keywords(language)["age_words"]).split())
