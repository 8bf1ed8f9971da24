"""Marked values: what an invented person says of each item, and by which pieces it is found again.

Words are random syllables that no text holds by accident; numbers pass the checks of detectors and forms. What a bot's
forms accept is not known beforehand, so there are several values for an item, to be tried in turn.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rasa_privacy.cli.leak_search import MIN_MARK_CHARACTERS
from rasa_privacy.policy.item_model import Item
from rasa_privacy.policy.model import Policy

_CONSONANTS: Final = "bdfgklmnprtvz"
_VOWELS: Final = "aeiou"
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_MONTHS: Final = ("January", "February", "March", "April", "June", "July", "August", "September", "October")
_FIRST_DIGITS_OF_A_CARD: Final = "411111"  # of the test numbers of a card brand
_MOD_97: Final = 97


@dataclass(frozen=True, slots=True)
class Value:
    """Something to say for an item.

    Attributes:
        text: What is said.
        marks: What must be found nowhere: the text, and pieces of it that point at the person by themselves.
    """

    text: str
    marks: tuple[str, ...]


class Marks:
    """Makes the values of one person.

    Args:
        policy: Names the items.
        dice: Where the randomness comes from.
        given: Values of the builder's own, by item; each is its own mark.
    """

    def __init__(self, policy: Policy, dice: random.Random, given: Mapping[str, Sequence[str]] | None = None) -> None:
        self._dice = dice
        self._given = given or {}
        self.values = {name: self._values(name, item) for name, item in policy.items.items()}

    def _values(self, name: str, item: Item) -> list[Value]:
        """Return what may be said for an item, the likeliest first."""
        if name in self._given:
            return [_value(text) for text in self._given[name]]
        if item.detect in _DETECTED:
            return [getattr(self, _DETECTED[item.detect])()]
        likely = [maker for hint, maker in _HINTS.items() if hint in name.lower()]
        return [getattr(self, maker)() for maker in dict.fromkeys((*likely, *_ANYTHING))]

    def word(self) -> str:
        """Return a word that stands nowhere else."""
        return "".join(self._dice.choice(_CONSONANTS) + self._dice.choice(_VOWELS) for _ in range(5))

    def _name(self) -> Value:
        given, family = self.word().title(), self.word().title()
        return Value(f"{given} {family}", (f"{given} {family}", given, family))

    def _sentence(self) -> Value:
        word = self.word()
        return Value(f"I would rather say {word} here", (word,))

    def _email(self) -> Value:
        local = f"{self.word()}.{self.word()}"
        return Value(f"{local}@{self.word()}.example", (local,))

    def _phone(self) -> Value:
        # +49 30 23125 is a block of numbers for invented people in films (Bundesnetzagentur).
        end = f"{self._dice.randrange(1000):03d}"
        return Value(f"+49 30 23125{end}", (f"30 23125{end}", f"3023125{end}"))

    def _date(self) -> Value:
        day, month, year = self._dice.randrange(1, 28), self._dice.choice(_MONTHS), self._dice.randrange(1951, 1999)
        text = f"{day} {month} {year}"
        return Value(f"{self._dice.choice(_WEEKDAYS)} {text}", (text,))

    def _postcode(self) -> Value:
        letters = "".join(self._dice.choices("ABDEFGHJLNPQRSTUWXYZ", k=3))
        first, second = self._dice.randrange(1, 10), self._dice.randrange(1, 10)
        outer, inner = f"{letters[0]}Q{first}{letters[1]}", f"{second}{letters[2]}Z"
        return Value(f"{outer} {inner}", (f"{outer} {inner}", f"{outer}{inner}"))

    def _number(self) -> Value:
        return _value(str(self._dice.randrange(10**8, 10**9)))

    def _card(self) -> Value:
        body = _FIRST_DIGITS_OF_A_CARD + f"{self._dice.randrange(10**9):09d}"
        digits = body + str(-_luhn_sum(body) % 10)
        grouped = " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))
        return Value(grouped, (grouped, digits))

    def _iban(self) -> Value:
        account = f"{self._dice.randrange(10**17, 10**18)}"
        check = _MOD_97 + 1 - int(f"{account}131400") % _MOD_97  # ISO 13616: DE is 1314
        digits = f"DE{check:02d}{account}"
        grouped = " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))
        return Value(grouped, (grouped, digits))


#: Detectors whose findings have a form, and what makes one.
_DETECTED: Final = {"email": "_email", "phone": "_phone", "payment_card": "_card", "iban": "_iban"}


#: Parts of an item's name, and what the item then is likely to be.
_HINTS: Final = {
    "name": "_name",
    "post": "_postcode",
    "zip": "_postcode",
    "birth": "_date",
    "date": "_date",
    "day": "_date",
    "phone": "_phone",
    "mobile": "_phone",
    "mail": "_email",
    "number": "_number",
}
_ANYTHING: Final = ("_name", "_date", "_postcode", "_phone", "_email", "_number", "_sentence")


def _value(text: str) -> Value:
    return Value(text, (text,) if len(text) >= MIN_MARK_CHARACTERS else ())


def _luhn_sum(body: str) -> int:
    """Return the Luhn sum of digits that still need their check digit (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * 2 if index % 2 == 0 else int(digit) for index, digit in enumerate(reversed(body))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled)  # noqa: PLR2004 - casting out nines
