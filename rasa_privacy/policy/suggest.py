"""Small words for error messages: quoting a name safely, and guessing what a misspelt one meant."""

import difflib
from collections.abc import Iterable
from typing import Final

#: Longer names are cut in messages, so that a broken file cannot flood the terminal.
MAX_SHOWN_CHARACTERS: Final = 60


def shown(word: str) -> str:
    """Return the word in quotes, cut to `MAX_SHOWN_CHARACTERS`, with control characters escaped."""
    return repr(word if len(word) <= MAX_SHOWN_CHARACTERS else word[: MAX_SHOWN_CHARACTERS - 1] + "…")


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like the word, or None where none is like it. Case does not count."""
    by_folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold()[:MAX_SHOWN_CHARACTERS], by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'email'?`, or an empty text where nothing is like the word."""
    name = closest(word, known)
    return f"; did you mean {shown(name)}?" if name is not None else ""


def listed(words: Iterable[str]) -> str:
    """Return the words in quotes with commas between, for example `'slot', 'entity'`."""
    return ", ".join(shown(word) for word in words)
