"""`mask`: a text with what was found in it, and what the person is known to have said, replaced by names.

`Hi, I'm Ana Li, ana@x.example` becomes `Hi, I'm [full_name], [email]`. Rules:

1. A finding becomes `[kind]`; a known value becomes `[item]`. Where the two overlap, all of both is replaced.
2. Known values are found as whole words, whatever their case and accents, also with umlauts spelt out, with letters of
   another script that look alike, and wherever spaces or signs part the words of a value or the digits of a number.
   Scripts that write no spaces between words have no whole words.
3. The words of a value of two to four are found in any order: "Li, Ana". Of a value of two to eight words each word of
   three letters or more is replaced as well; a longer one is a sentence.
4. What is masked already stays as it is, so masking twice is masking once.

Words are looked up, not searched by patterns: the time is linear in the text. Who masks many texts with the same values
makes those ready once (`known_values`).
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from rasa_privacy.minimize.detectors import DETECTORS, Finding
from rasa_privacy.minimize.folded_words import Word, folded_words, words_of
from rasa_privacy.minimize.known_values import Folded, KnownValues, ready, spellings
from rasa_privacy.policy.detector_names import PRESIDIO_NAMES

_MAX_GAP: Final = 3  # characters between two words of one value, such as ", " or " - "

#: What `mask` writes.
PLACEHOLDER: Final = re.compile(r"\[([A-Za-z][A-Za-z0-9_-]{0,63})\]")


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
        self._words = list(words_of(text))  # read once, since a message may hold hundreds of values

    def of(self, value: str) -> list[tuple[int, int]]:
        """Return start and end of each place of a value."""
        whole = {_letters(spelling) for spelling in spellings((value,))}
        found = _known_spans(self._words, KnownValues({"value": (value,)}).folded, ())
        return [(start, end) for start, end, _ in found if _letters(self._text[start:end]) in whole]


def _letters(value: str) -> str:
    """Return what is the same for a value however its words are grouped and ordered, and another for one word of it."""
    return "".join(sorted("".join(folded_words(value))))


def _spans(text: str, findings: Sequence[Finding], known: Mapping[str, Collection[str]]) -> list[tuple[int, int, str]]:
    kinds = {*DETECTORS, *PRESIDIO_NAMES, *known, *(finding.kind for finding in findings)}
    words = list(words_of(text))
    spans = [_over_whole_words(finding, words) for finding in findings]
    if any(known.values()):
        placeholders = [match.span() for match in PLACEHOLDER.finditer(text) if match[1] in kinds]
        spans.extend(_known_spans(words, ready(known).folded, placeholders))
    return _united(spans)


def _known_spans(
    words: Sequence[Word], known: Folded, placeholders: Sequence[tuple[int, int]]
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


def _outside(words: Sequence[Word], placeholders: Sequence[tuple[int, int]]) -> list[Word]:
    free: list[Word] = []
    waiting = list(reversed(placeholders))
    for word in words:
        while waiting and waiting[-1][1] <= word.start:
            waiting.pop()
        if not waiting or word.end <= waiting[-1][0]:
            free.append(word)
    return free


def _match_at(words: Sequence[Word], index: int, known: Folded, turned: Mapping[str, str]) -> tuple[Word, str | None]:
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


def _over_whole_words(finding: Finding, words: Sequence[Word]) -> tuple[int, int, str]:
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
