"""Text made comparable, and wordings compiled to patterns that read it.

A wording is words with alternatives and optional parts: `(delete|erase) [all] my <data>`, where `<data>` is another
section of the file. There is no repetition, so each describes finitely many word sequences and matching stays linear.

Reading drops case, accents, punctuation, emoji, invisible characters and repeated letters or words, and writes
contractions, elisions and short forms out (`don't` and `dont` are `do not`). A face of punctuation is the emoji that it
stands for. Nothing that was read is kept, since it may be personal.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from rasa_privacy.errors import ConfigurationError

#: A longer message is never one of the wordings. It is not cut: its beginning alone could be one.
MAX_CHARACTERS: Final = 1000
MAX_WORDS: Final = 32
#: So many single letters in a row are a word that is spelt out.
_SPELT_OUT: Final = 3

_APOSTROPHES: Final = re.compile("[\u2018\u2019\u201b\u02bc\u00b4\u0060\u2032\uff07]")
_TOKEN: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[.,;:!?\n\u2026\u2013\u2014()]+|@|-{2,}")
_ACRONYM: Final = re.compile(r"\b(?:[^\W\d_]\.){2,}[^\W\d_]?(?!\w)")
_LONG_RUN: Final = re.compile(r"([^\W\d_])\1{2,}")
#: Faces of punctuation, each with the emoji that it stands for. A letter or digit is part of one only after a blank.
_FACES: Final = (
    (re.compile(r"(?:>?[:=;]['\u2019\u00b4]?-?[(\[{<]|(?<!\S)(?:T_T|;_;|:'?-?[cC]|D:))(?=[\s.,!?]|$)"), "\U0001f641"),
    (re.compile(r"(?:[:=]-?[/\\|@]|(?<!\S):-?[sS$])(?=[\s.,!?]|$)"), "\U0001f615"),
    (re.compile(r"(?<!\S)(?:-[_.]+-'?|[._]_[._]|[oO][._]+[oO]|\u00ac[_.]?\u00ac)(?=[\s,!?]|$)"), "\U0001f611"),
    (re.compile(r"(?<!\S)(?:[:=]-?[D3]|<3)(?=[\s.,!?]|$)"), "\U0001f642"),
)
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe0e\ufe0f\ufeff]")
_OPTIONAL: Final = re.compile(r"\[[^\[\]]*\]")
#: The signs and words that a wording is made of.
PARTS: Final = re.compile(r"<[a-z_]+>|[\[\]()|]|[^\s\[\]()|<>]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """A message as comparable words.

    Attributes:
        clauses: The words between two punctuation marks, in order, none empty.
        asks: Whether there is a question mark.
        symbols: Characters beyond letters and ASCII, such as emoji.
        trails: Whether it ends in dots, as what is left unsaid does.
        repeated: The words that were said twice in a row, as they were written.
    """

    clauses: tuple[tuple[str, ...], ...]
    asks: bool
    symbols: frozenset[str]
    trails: bool = False
    repeated: frozenset[str] = frozenset()

    @property
    def words(self) -> tuple[str, ...]:
        """All words in order."""
        return tuple(word for clause in self.clauses for word in clause)


def read(text: str, spellings: Mapping[str, tuple[str, ...]]) -> Reading | None:
    """Return the message as comparable words, or None where it is too long to be a wording."""
    text = text.strip()
    if len(text) > MAX_CHARACTERS:
        return None
    chunks = text.split()
    if len(chunks) > 2 * MAX_WORDS and len(set(chunks)) > 1:
        return None  # told cheaply, before each word is looked at
    for face, emoji in _FACES:
        text = face.sub(f" {emoji} ", text)
    folded = fold(text)
    parts = _parts(folded)
    if parts is None:
        return None
    clauses = _clauses(parts, spellings)
    if sum(map(len, clauses)) > MAX_WORDS:
        return None
    symbols = frozenset() if text.isascii() else frozenset(c for c in set(text) if c > "\u2100" and not c.isalnum())
    return Reading(
        tuple(clauses),
        asks=any("?" in part for part in parts),
        symbols=symbols,
        trails=folded.rstrip().endswith(".."),
        repeated=_repeated(parts),
    )


def _clauses(parts: list[str], spellings: Mapping[str, tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the words between two marks, written out, each once where it is said twice in a row."""
    clauses: list[tuple[str, ...]] = []
    clause: list[str] = []
    for part in parts:
        if _is_word(part):
            words = _written_out(part, spellings)
            if tuple(clause[-len(words) :]) != words:
                clause.extend(words)
        elif clause:
            clauses.append(tuple(clause))
            clause = []
    if clause:
        clauses.append(tuple(clause))
    return clauses


def _repeated(parts: list[str]) -> frozenset[str]:
    """Return the words that follow themselves, whatever mark stands between the two."""
    words = [part for part in parts if _is_word(part)]
    return frozenset(word for word, following in pairwise(words) if word == following)


def _written_out(word: str, spellings: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the words that a word stands for; an elision such as `l'` is a spelling of its own, before any word."""
    if word in spellings:
        return spellings[word]
    elided, apostrophe, rest = word.partition("'")
    if apostrophe and elided + apostrophe in spellings:
        return (*spellings[elided + apostrophe], *spellings.get(rest, (rest,)))
    return (word,)


def _parts(text: str) -> list[str] | None:
    """Return words and punctuation in order; None for too many, unless it is one word over and over."""
    parts: list[str] = _TOKEN.findall(text)
    words = [part for part in parts if _is_word(part)]
    if len(words) > MAX_WORDS:
        return words[:2] if len(set(words)) == 1 else None
    if len(words) >= _SPELT_OUT and all(len(word) == 1 for word in words):
        return ["".join(words)]  # "s t o p"
    return parts


def _is_word(part: str) -> bool:
    return part[0].isalnum() or part == "@"


def fold(text: str) -> str:
    """Return the text without case, accents and invisible characters, with one kind of apostrophe."""
    if not text.isascii():
        # Apostrophes first: to NFKD, some of them are a blank and an accent.
        text = unicodedata.normalize("NFKD", _APOSTROPHES.sub("'", _INVISIBLE.sub("", text)))
        for mark in {c for c in set(text) if unicodedata.combining(c)}:
            text = text.replace(mark, "")
    text = _LONG_RUN.sub(r"\1", text.replace("`", "'").casefold())
    return _ACRONYM.sub(lambda found: found[0].replace(".", ""), text) if "." in text else text


def words_in(sections: Mapping[str, str], wordings: str, where: str) -> frozenset[str]:
    """Return the words of these wordings and of the sections they name, without those that may be left out.

    Raises:
        ConfigurationError: A section is unknown.
    """
    words: set[str] = set()
    for part in PARTS.findall(_OPTIONAL.sub(" ", wordings)):
        if part.startswith("<"):
            if part[1:-1] not in sections:
                raise ConfigurationError(f"{where}: '{part}' is not a section; add or rename it")
            words |= words_in(sections, sections[part[1:-1]], where)
        elif part not in "[]()|":
            words.add(fold(part))
    return frozenset(words)


def compile_wordings(sections: Mapping[str, str], section: str, where: str) -> str:
    """Return the regular expression of a section: one of its wordings, each word followed by a blank.

    Raises:
        ConfigurationError: A bracket is not closed or a part is unknown.
    """
    return _compile(sections, section, where, ())


def _compile(sections: Mapping[str, str], section: str, where: str, within: tuple[str, ...]) -> str:
    if section not in sections or section in within:
        raise ConfigurationError(f"{where}: '<{section}>' is not a section or contains itself; add or rename it")
    lines = [line for line in sections[section].splitlines() if line.strip()]
    wordings = [_wording(line, sections, where, (*within, section)) for line in lines]
    return f"(?:{'|'.join(wordings)})"


def _wording(line: str, sections: Mapping[str, str], where: str, within: tuple[str, ...]) -> str:
    opened: list[str] = []
    out = []
    for part in PARTS.findall(line):
        if part in "([":
            opened.append(part)
            out.append("(?:")
        elif part in ")]":
            if not opened or opened.pop() + part not in ("()", "[]"):
                raise ConfigurationError(f"{where}: brackets of '{line.strip()}' do not match; correct them")
            out.append(")" if part == ")" else ")?")
        elif part == "|":
            out.append("|")
        elif part.startswith("<"):
            out.append(_compile(sections, part[1:-1], where, within))
        else:
            out.append(re.escape(fold(part)) + " ")
    if opened:
        raise ConfigurationError(f"{where}: a bracket of '{line.strip()}' is not closed; close it")
    return f"(?:{''.join(out)})" if "|" in out else "".join(out)
