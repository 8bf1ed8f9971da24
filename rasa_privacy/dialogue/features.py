"""What a message is made of for a classifier: pieces, runs and pairs of its words, and stretches across them.

Case, accents and punctuation are taken away as `wordings.fold` does; a question mark stays, since it tells a question
from a wish. Pieces make misspelt and inflected words alike; runs keep the order that tells "what you have" from
"have you"; pairs with other words between tell "delete ... about me" whatever it is that is about me; stretches have
the end of one word with the beginning of the next, which keeps the order of inflected and misspelt words too.
"""

import re
from typing import Final

from rasa_privacy.dialogue.wordings import fold

#: Lengths of pieces, in characters, and of runs, in words.
SHORTEST, LONGEST, WORDS = 2, 5, 3
#: Lengths of stretches, in characters.
STRETCHES: Final = (3, 6)
#: How many words may stand between a pair.
BETWEEN: Final = 4
#: More of a message says nothing more about what it is for; it bounds the time that a message takes.
MAX_CHARACTERS: Final = 400
#: A message of so many words, each with a capital, is taken for names: "Will Stop", "My Data Ltd".
_NAMES: Final = 2

_TOKEN: Final = re.compile(r"\w+|\?")
_WORD: Final = re.compile(r"[^\W\d_]+")


def pieces(text: str) -> list[str]:
    """Return the pieces of each word with its edges, as often as they occur."""
    found = []
    for token in _tokens(text):
        edged = f" {token} "
        for length in range(SHORTEST, min(LONGEST, len(edged)) + 1):
            found += [edged[start : start + length] for start in range(len(edged) - length + 1)]
    return found


def runs(text: str) -> list[str]:
    """Return the runs of one to three words, as often as they occur."""
    tokens = _tokens(text)
    lengths = range(1, WORDS + 1)
    return [" ".join(tokens[at : at + length]) for length in lengths for at in range(len(tokens) - length + 1)]


def pairs(text: str) -> list[str]:
    """Return the pairs of words with one to four others between them, as often as they occur."""
    tokens = _tokens(text)
    return [f"{first}~{second}" for at, first in enumerate(tokens) for second in tokens[at + 2 : at + 2 + BETWEEN]]


def stretches(text: str) -> list[str]:
    """Return the pieces of the whole message with the blanks between its words, as often as they occur."""
    edged = f" {' '.join(_tokens(text))} "
    lengths = range(STRETCHES[0], STRETCHES[1] + 1)
    return [edged[at : at + length] for length in lengths for at in range(len(edged) - length + 1)]


def words(text: str) -> list[str]:
    """Return the words, as they are compared."""
    return _tokens(text)


def looks_like_names(text: str) -> bool:
    """Return whether every word of the message has a capital, as in names and titles; all capitals are shouting."""
    words = _WORD.findall(text)
    return len(words) >= _NAMES and all(word[0].isupper() for word in words) and not text.isupper()


def _tokens(text: str) -> list[str]:
    tokens: list[str] = _TOKEN.findall(fold(text[:MAX_CHARACTERS]))
    return tokens
