"""No pattern of the detectors can hold its thread: its search cannot be ended from outside, so it ends by itself."""

import importlib
import pkgutil
import re
from time import thread_time
from typing import Final

import pytest

import rasa_privacy.minimize

_PARTS: Final = (
    "a", "A", "1", "a1", "A1 ", "1 ", "1.", "1-", "a.", "a ", "a@", "@", " ", ". ", "..", "::", "1:", "a:", "-", "_",
    "at ", "a dot ", "(at) ", "[.]", "pin ", "pass ", "password for a ", "eyJ", "eyJa.", "-----BEGIN ", "://a:",
    "-----BEGIN PRIVATE KEY-----", "?key=", "1 1/", "12 may ", "+1 (", "\u20ac", "\xb01'", "[a", "AB12 ", "\u05d0",
    "\n", "1 - ", "a - 1", "a 1 ", "a.b?", "a.b/?a=b&", "1,00000 ", "my password is ",
)  # fmt: skip
_CHARACTERS: Final = 4_000
#: Seconds of one search; the slowest takes a tenth. What backtracks over all of it takes minutes.
_SECONDS: Final = 1.0


def _patterns() -> dict[str, re.Pattern[str]]:
    found = {}
    for module in pkgutil.iter_modules(rasa_privacy.minimize.__path__):
        names = vars(importlib.import_module(f"rasa_privacy.minimize.{module.name}"))
        found.update({f"{module.name}.{name}": each for name, each in names.items() if isinstance(each, re.Pattern)})
    return found


def _seconds(pattern: re.Pattern[str], part: str, characters: int) -> float:
    text = (part * characters)[:characters]
    start = thread_time()
    for _ in pattern.finditer(text + "\x00"):
        pass
    return thread_time() - start


@pytest.mark.parametrize(("name", "pattern"), _patterns().items(), ids=_patterns())
def test_no_pattern_backtracks_without_bound(name: str, pattern: re.Pattern[str]) -> None:
    """On texts made of one part over and over, of a growing length, so that a bad one fails here and does not hang."""
    for part in _PARTS:
        for characters in (40, 200, 1_000, _CHARACTERS):
            taken = _seconds(pattern, part, characters)
            assert taken < _SECONDS, f"{name} takes {taken:.1f} s for {characters} characters of {part!r}"


def test_a_pattern_that_backtracks_would_be_noticed() -> None:
    """The measure can fail."""
    bad, good = (_seconds(re.compile(pattern), "a", 22) for pattern in ("(?:a+)+b", "a+b"))
    assert bad > 1_000 * good
