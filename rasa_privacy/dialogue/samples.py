"""Sentences made from wordings, to learn from: what `wordings` reads, written out at random, the same each time.

A wording such as `(delete|erase) [all] my <data>` stands for many sentences; a few of each are enough for a classifier.
"""

import random
from collections.abc import Iterator, Mapping
from typing import Final

from rasa_privacy.dialogue.wordings import PARTS

#: How often a part that may be left out is said.
_SAID: Final = 0.4
#: So many tries for each sentence that is wanted: a short wording has fewer than are asked for.
_TRIES: Final = 3
_SIGNS: Final = "([<"

#: A sequence of words, sections and choices; a choice is the sequences that it is between.
_Part = str | list["_Sequence"]
_Sequence = list[_Part]


def samples(sections: Mapping[str, str], section: str, each: int) -> list[str]:
    """Return up to `each` different sentences of every wording of a section, sorted within each."""
    source = random.Random(section)  # noqa: S311 - the same sentences in every training, no secret
    made: list[str] = []
    for line in _lines(sections, section):
        # What has no signs is one sentence; most lines of what only the recogniser learns are.
        tries = each * _TRIES if any(sign in line for sign in _SIGNS) else 1
        made += sorted({" ".join(_spoken(sections, line, source)) for _ in range(tries)})[:each]
    return made


def _lines(sections: Mapping[str, str], section: str) -> list[str]:
    return [line for line in sections[section].splitlines() if line.strip()]


def _spoken(sections: Mapping[str, str], line: str, source: random.Random) -> list[str]:
    return _said(sections, _choice(iter(PARTS.findall(line)), ""), source)


def _choice(parts: Iterator[str], closing: str) -> list[_Sequence]:
    """Return the alternatives up to the closing bracket; what may be left out has an empty one first."""
    alternatives: list[_Sequence] = [[]]
    for part in parts:
        if part == closing:
            break
        if part == "|":
            alternatives.append([])
        elif part in "([":
            chosen = _choice(parts, ")" if part == "(" else "]")
            alternatives[-1].append(chosen if part == "(" else [["["], *chosen])
        else:
            alternatives[-1].append(part)
    return alternatives


def _said(sections: Mapping[str, str], alternatives: list[_Sequence], source: random.Random) -> list[str]:
    if alternatives[0] == ["["]:
        if source.random() >= _SAID:
            return []
        alternatives = alternatives[1:]
    words: list[str] = []
    for part in source.choice(alternatives):
        if isinstance(part, list):
            words += _said(sections, part, source)
        elif part.startswith("<"):
            words += _spoken(sections, source.choice(_lines(sections, part[1:-1])), source)
        else:
            words.append(part)
    return words
