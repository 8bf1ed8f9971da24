"""The personal values in flight, and the names of the bot that are none.

* `remember` notes values (a message, a slot value, a sender id) for as long as they are recent. Only hashes are kept,
  salted by the interpreter for the life of the process, so that the registry is no copy of what it protects.
* `allow` notes names from the domain and the configuration: what a variable part of a log line may show.

Both are bounded and may be called from any thread. Nothing here knows logging, structlog or Rasa.
"""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

WITHHELD: Final = "[withheld]"

MIN_WORD_LETTERS: Final = 3  # a shorter word is only remembered as part of its whole value
MAX_TOKENS: Final = 256  # words of one value that are noted; a longer text is cut
MAX_REMEMBERED: Final = 16_384  # values per generation; two generations are searched
MAX_VOCABULARY: Final = 65_536  # names; a domain with more is logged with gaps

_TOKEN: Final = re.compile(r"[^\W_]+")


class _Generation:
    """Values that were remembered in the same stretch of time."""

    def __init__(self) -> None:
        self.texts: set[int] = set()
        self.words: set[int] = set()
        self.phrases: set[tuple[int, ...]] = set()
        self.lengths: dict[int, set[int]] = {}  # first word of a phrase -> lengths of the phrases it starts

    def note(self, text: str) -> None:
        tokens = [match[0].casefold() for match in _TOKEN.finditer(text)][:MAX_TOKENS]
        self.texts.add(hash(text.strip().casefold()))
        if not tokens:
            return
        phrase = tuple(map(hash, tokens))
        self.phrases.add(phrase)
        self.lengths.setdefault(phrase[0], set()).add(len(phrase))
        self.words.update(
            hashed for token, hashed in zip(tokens, phrase, strict=True) if len(token) >= MIN_WORD_LETTERS
        )


class Registry:
    """Remembered values in two generations: when the young one is full, the old one is forgotten."""

    def __init__(self, limit: int = MAX_REMEMBERED) -> None:
        """Make an empty registry.

        Args:
            limit: Values per generation.
        """
        self._limit = limit
        self._lock = threading.Lock()
        self._young = _Generation()
        self._old = _Generation()

    def remember(self, *values: object) -> None:
        """Note texts and numbers, and those inside sequences, sets and mappings (not their keys)."""
        for text in _texts(values):
            if hash(text.strip().casefold()) in self._young.texts:
                continue
            with self._lock:
                if len(self._young.texts) >= self._limit:
                    self._old, self._young = self._young, _Generation()
                self._young.note(text)

    def knows(self, text: str) -> bool:
        """Return whether this very text was remembered, apart from case and surrounding blanks."""
        hashed = hash(text.strip().casefold())
        return hashed in self._young.texts or hashed in self._old.texts

    def withhold(self, text: str) -> str:
        """Return the text with each remembered value, and each word of one, replaced by `[withheld]`.

        Words are compared whole and without case; between the words of a value any punctuation matches.
        """
        matches = list(_TOKEN.finditer(text))
        hashes = [hash(match[0].casefold()) for match in matches]
        pieces: list[str] = []
        position = index = 0
        while index < len(matches):
            length = self._longest(hashes, index)
            if length:
                pieces += [text[position : matches[index].start()], WITHHELD]
                position = matches[index + length - 1].end()
            index += length or 1
        pieces.append(text[position:])
        return "".join(pieces)

    def _longest(self, hashes: list[int], index: int) -> int:
        """Return how many words from `index` on are to be withheld: the longest value, else one word, else 0."""
        first = hashes[index]
        best = 0
        for generation in (self._young, self._old):
            for length in tuple(generation.lengths.get(first, ())):
                if best < length <= len(hashes) - index and tuple(hashes[index : index + length]) in generation.phrases:
                    best = length
            if not best and first in generation.words:
                best = 1
        return best


class Vocabulary:
    """Names that may stand in a log line."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Start with these names."""
        self._names = set(names)

    def allow(self, names: Iterable[str]) -> None:
        """Add names; blank ones and those past the limit are left out."""
        for name in names:
            if name.strip() and len(self._names) < MAX_VOCABULARY:
                self._names.add(name)

    def __contains__(self, name: str) -> bool:
        return name in self._names


def _texts(values: Iterable[object]) -> Iterator[str]:
    """Yield the texts in values, as Rasa would print them. Truth values and None tell nobody apart and are left out."""
    for value in values:
        if isinstance(value, str):
            if value.strip():
                yield value
        elif isinstance(value, Mapping):
            yield from _texts(value.values())
        elif isinstance(value, (list, tuple, set, frozenset)):
            yield from _texts(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield str(value)


#: The process-wide registry and vocabulary that the log scrubbing uses.
REGISTRY: Final = Registry()
VOCABULARY: Final = Vocabulary()
