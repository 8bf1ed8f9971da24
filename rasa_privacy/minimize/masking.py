"""`mask`: a text with what was found in it, and what the person is known to have said, replaced by names.

`Hi, I'm Ana Li, ana@x.example` becomes `Hi, I'm [full_name], [email]`. Rules:

1. A finding becomes `[kind]`; a known value becomes `[item]`. Where the two overlap, all of both is replaced.
2. Known values are found as whole words, whatever their case and accents, also with umlauts spelt out, with letters of
   another script that look alike, and wherever spaces or signs part the words of a value or the digits of a number.
   Scripts that write no spaces between words have no whole words.
3. The words of a value of two to four are found in any order: "Li, Ana". Of a value of two to eight words each word of
   three letters or more is replaced as well; a longer one is a sentence.
4. What is masked already stays as it is, so masking twice is masking once.

Words are looked up, not searched by patterns: the time is linear in the text, and no cache keeps what people said.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final, NamedTuple

from rasa_privacy.minimize.detectors import DETECTORS, Finding
from rasa_privacy.minimize.lookalikes import SMALL_FORMS
from rasa_privacy.policy.detector_names import PRESIDIO_NAMES

_MIN_LETTERS: Final = 3  # of a word that is replaced by itself
_MIN_DIGITS: Final = 5  # of a value whose digits may be written in groups
_MAX_NAME_WORDS: Final = 8  # of a name or a postal address; a value of more words is a sentence
_MAX_TURNED_WORDS: Final = 4  # of a value whose words are found in any order
_MAX_RUN: Final = 200  # characters of a value that are looked for at once
_MAX_GAP: Final = 3  # characters between two words of one value, such as ", " or " - "

# Scripts without spaces between words: Thai to Myanmar, Khmer, Kana, Han, and Hangul, which glues its particles on.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff"
)
_WORD: Final = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")
#: What `mask` writes.
PLACEHOLDER: Final = re.compile(r"\[([A-Za-z][A-Za-z0-9_-]{0,63})\]")
# Letters with a stroke, which Unicode does not take apart, and two written as one.
_STROKES: Final = {
    "\u0142": "l", "\u00f8": "o", "\u0111": "d", "\u0127": "h", "\u0131": "i", "\u0167": "t", "\u00e6": "ae",
    "\u0153": "oe", "\u00fe": "th", "\u00f0": "d",
}  # fmt: skip
# How they are written where a keyboard has none: "Mueller".
_SPELT_OUT: Final = str.maketrans({"\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue", "\u00f8": "oe", "\u00e5": "aa"})
_INVISIBLE: Final = frozenset({"Mn", "Me", "Cf"})  # Unicode categories: accents, enclosing marks, zero-width signs


class _Word(NamedTuple):
    """A word of a text as it is compared, and where it stands in the text."""

    folded: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Known:
    """The known values as they are compared, each with its item.

    Attributes:
        words: Single words.
        runs: Values that may stand over several words, written together.
        turned: The same with their words in any order.
        starts: The first two characters of each run.
        longest: Characters of the longest run.
    """

    words: Mapping[str, str]
    runs: Mapping[str, str]
    turned: Mapping[str, str]
    starts: frozenset[str]
    longest: int


def mask(text: str, findings: Sequence[Finding], known: Mapping[str, Collection[str]]) -> str:
    """Return the text with findings and known values replaced by `[kind]` and `[item]`.

    Args:
        text: What a person or the bot said.
        findings: What `detectors.find` found in this very text.
        known: Values that the person gave, by item.
    """
    return _replace(text, _spans(text, findings, known))


def conceal(text: str, findings: Sequence[Finding], known: Mapping[str, Collection[str]]) -> str:
    """Return the text with each character of what `mask` would replace as an x, so that all places stay as they are.

    Args:
        text: What a person said.
        findings: What `detectors.find` found in this very text.
        known: Values that the person gave, by item.
    """
    hidden = list(text)
    for start, end, _ in _spans(text, findings, known):
        hidden[start:end] = "x" * (end - start)
    return "".join(hidden)


class Places:
    """Finds where values stand whole in one text, as known values are found.

    Args:
        text: What a person said.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = list(_words(text))  # read once, since a message may hold hundreds of values

    def of(self, value: str) -> list[tuple[int, int]]:
        """Return start and end of each place of a value."""
        whole = {_letters(spelling) for spelling in _spellings((value,))}
        found = _known_spans(self._words, _collect({"value": (value,)}), ())
        return [(start, end) for start, end, _ in found if _letters(self._text[start:end]) in whole]


def _letters(value: str) -> str:
    """Return what is the same for a value however its words are grouped and ordered, and another for one word of it."""
    return "".join(sorted("".join(word.folded for word in _words(value))))


def _spans(text: str, findings: Sequence[Finding], known: Mapping[str, Collection[str]]) -> list[tuple[int, int, str]]:
    kinds = {*DETECTORS, *PRESIDIO_NAMES, *known, *(finding.kind for finding in findings)}
    words = list(_words(text))
    spans = [_over_whole_words(finding, words) for finding in findings]
    if any(known.values()):
        placeholders = [match.span() for match in PLACEHOLDER.finditer(text) if match[1] in kinds]
        spans.extend(_known_spans(words, _collect(known), placeholders))
    return _united(spans)


def _words(text: str) -> Iterator[_Word]:
    """Yield the words of a text, without accents and case."""
    if text.isascii():
        for match in _WORD.finditer(text.lower()):
            yield _Word(match[0], match.start(), match.end())
        return
    folded, origin = _folded(text)
    for match in _WORD.finditer(folded):
        yield _Word(match[0], origin[match.start()], origin[match.end()])


def _folded(text: str) -> tuple[str, list[int]]:
    """Return the text as it is compared, and for each of its characters, and its end, the place in the text."""
    parts: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        part = character.lower() if character.isascii() else _fold(character)
        parts.append(part)
        origin.extend([index] * len(part))
    origin.append(len(text))
    return "".join(parts), origin


def _fold(character: str) -> str:
    compatible = unicodedata.normalize("NFKC", character)
    wide = compatible if len(compatible) == 1 else character
    if wide.isdecimal():
        return str(unicodedata.decimal(wide))
    bare = [
        SMALL_FORMS.get(part) or _STROKES.get(part, part)
        for part in unicodedata.normalize("NFD", wide.casefold())
        if unicodedata.category(part) not in _INVISIBLE
    ]
    return unicodedata.normalize("NFC", "".join(bare))


def _collect(known: Mapping[str, Collection[str]]) -> _Known:
    words: dict[str, str] = {}
    alone: dict[str, str] = {}
    runs: dict[str, str] = {}
    turned: dict[str, str] = {}
    for item in sorted(known):
        for value in sorted(_spellings(known[item])):
            parts = [word.folded for word in _words(value)]
            together = "".join(parts)
            if len(parts) == 1:
                words[together] = item
            if len(parts) > 1 or sum(character.isdigit() for character in together) >= _MIN_DIGITS:
                runs.update(dict.fromkeys(_pieces(parts), item))
            if 1 < len(parts) <= _MAX_TURNED_WORDS:
                turned.update(dict.fromkeys(map("".join, permutations(parts)), item))
            if "@" not in value:
                alone.update(dict.fromkeys(_name_words(parts), item))
    every = {**turned, **runs}
    starts, longest = frozenset(run[:2] for run in every), max(map(len, every), default=0)
    return _Known({**alone, **words}, runs, turned, starts, longest)


def _spellings(values: Collection[str]) -> set[str]:
    """Return values, and how those with umlauts are written without."""
    small = [unicodedata.normalize("NFC", value).lower() for value in values if not value.isascii()]
    return {*values, *(value.translate(_SPELT_OUT) for value in small)}


def _pieces(parts: Sequence[str]) -> Iterator[str]:
    """Yield a value's words written together, a long value in pieces, so that looking for it stays quick."""
    piece = ""
    for part in parts:
        if piece and len(piece) + len(part) > _MAX_RUN:
            yield piece
            piece = ""
        piece += part
    yield piece


def _name_words(parts: Sequence[str]) -> Iterator[str]:
    """Yield the words of a name or address that point at the person by themselves; a sentence has none."""
    for part in parts if 1 < len(parts) <= _MAX_NAME_WORDS else ():
        if sum(character.isalpha() for character in part) >= _MIN_LETTERS:
            yield part


def _known_spans(
    words: Sequence[_Word], known: _Known, placeholders: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and item of the longest known value at each word, none inside a placeholder."""
    free = _outside(words, placeholders)
    done = 0
    for index, first in enumerate(free):
        if len(first.folded) > 1 and first.folded[:2] not in known.starts and first.folded not in known.words:
            continue  # no value begins so, and most words are such
        # Words in another order count only where no value as it was said has taken the first of them.
        last, item = _match_at(free, index, known, known.turned if first.start >= done else {})
        if item is not None:
            done = max(done, last.end)
            yield first.start, last.end, item


def _outside(words: Sequence[_Word], placeholders: Sequence[tuple[int, int]]) -> list[_Word]:
    free: list[_Word] = []
    waiting = list(reversed(placeholders))
    for word in words:
        while waiting and waiting[-1][1] <= word.start:
            waiting.pop()
        if not waiting or word.end <= waiting[-1][0]:
            free.append(word)
    return free


def _match_at(words: Sequence[_Word], index: int, known: _Known, turned: Mapping[str, str]) -> tuple[_Word, str | None]:
    """Return the last word and the item of the longest known value that begins here; None for no item."""
    first = words[index]
    best = (first, known.words.get(first.folded))
    run, end = "", first.start
    for place in range(index, len(words)):
        word = words[place]
        run += word.folded
        if word.start - end > _MAX_GAP or len(run) > known.longest or (len(run) > 1 and run[:2] not in known.starts):
            break
        if run in known.runs or run in turned:
            best = (word, known.runs.get(run) or turned[run])
        end = word.end
    return best


def _over_whole_words(finding: Finding, words: Sequence[_Word]) -> tuple[int, int, str]:
    """A finding that ends inside a word takes the whole word: its rest would be read as a word of its own."""
    start, end = finding.start, finding.end
    first = bisect_right(words, start, key=lambda word: word.end)
    last = bisect_left(words, end, key=lambda word: word.start) - 1
    if first <= last:
        start, end = min(start, words[first].start), max(end, words[last].end)
    return start, end, finding.kind


def _united(spans: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Return the spans sorted, with overlapping ones joined under the name of the longest."""
    united: list[tuple[int, int, str]] = []
    longest = 0
    for start, end, name in sorted(spans):
        if united and start < united[-1][1]:
            first, last, kept = united[-1]
            united[-1] = (first, max(last, end), name if end - start > longest else kept)
            longest = max(longest, end - start)
        else:
            united.append((start, end, name))
            longest = end - start
    return united


def _replace(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    done = 0
    for start, end, name in spans:
        parts += [text[done:start], f"[{name}]"]
        done = end
    return "".join([*parts, text[done:]])
