"""Which purposes a sentence names, by what people call them.

The words for all of them (`everything`), those that name nothing alone (`purpose_common`) and the endings in which the
same word may differ (`word_endings`) are in the language's keyword file.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rasa_privacy.dialogue.packs import load_keywords
from rasa_privacy.dialogue.wordings import compile_wordings
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.topics import choice, choices

#: A text is read so far only: a withdrawal that takes longer names its purpose in the beginning or not at all.
_MAX_CHARACTERS: Final = 1000
#: A word is not cut to fewer letters than this by its ending.
_SHORTEST_STEM: Final = 3


@dataclass(frozen=True, slots=True)
class _Words:
    """What a language's keyword file says for this module."""

    everything: re.Pattern[str]
    common: frozenset[str]
    endings: tuple[str, ...]

    def stem(self, word: str) -> str:
        """Return the word without the longest of the endings."""
        for ending in self.endings:
            if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
                return word.removesuffix(ending)
        return word


def named_purposes(text: str, policy: Policy, language: str) -> tuple[str, ...]:
    """Return the consent purposes that the text names, all for words such as `everything`, or none.

    A purpose is named where all telling words of its name (`called`, or its id) occur in the text.
    """
    consented = [name for name, purpose in policy.purposes.items() if purpose.basis == "consent"]
    known = _words(language)
    words = _plain(text)
    if known.everything.search("".join(f" {word}" for word in words) + " "):
        return tuple(consented)
    stems = frozenset(map(known.stem, words))
    return tuple(name for name in consented if _is_named(stems, _names(name, policy, language), known))


def named_choices(text: str, policy: Policy, language: str) -> tuple[str, ...]:
    """Return the optional items of consent purposes that the text names, by the names of their questions.

    An item is named where all telling words of its name (`called`, or its id) occur in the text.
    """
    known = _words(language)
    stems = frozenset(map(known.stem, _plain(text)))
    return tuple(
        choice(purpose, item)
        for purpose, item in choices(policy)
        if policy.purposes[purpose].basis == "consent" and _is_named(stems, _item_names(item, policy, language), known)
    )


def named_items(text: str, policy: Policy, language: str, items: Iterable[str]) -> tuple[str, ...] | None:
    """Return those of the items that a list such as "my phone and postcode" names; None where it is no such list.

    Every word must name one of them, unless it names nothing alone. A word that several share counts only where another
    word says which.
    """
    known = _words(language)
    telling = {item: _telling_stems(item, policy, language, known) for item in items}
    stems = [known.stem(word) for word in _plain(text) if word not in known.common]
    named: set[str] = set()
    for stem in stems:
        found = {item for item, words in telling.items() if stem in words}
        if not found:
            return None
        named |= found if len(found) == 1 else set()
    shared = [stem for stem in stems if not any(stem in telling[item] for item in named)]
    return tuple(item for item in telling if item in named) if named and not shared else None


def _telling_stems(item: str, policy: Policy, language: str, known: _Words) -> frozenset[str]:
    names = _item_names(item, policy, language)
    return frozenset(known.stem(word) for name in names for word in _plain(name) if word not in known.common)


def _item_names(item: str, policy: Policy, language: str) -> tuple[str, ...]:
    return item.replace("_", " "), policy.items[item].called.get(language, "")


def _names(purpose: str, policy: Policy, language: str) -> Iterable[str]:
    yield purpose.replace("_", " ")
    called = policy.purposes[purpose].called.get(language)
    if called:
        yield called


def _is_named(stems: frozenset[str], names: Iterable[str], known: _Words) -> bool:
    for name in names:
        telling = [known.stem(word) for word in _plain(name) if word not in known.common]
        if telling and stems.issuperset(telling):
            return True
    return False


def _plain(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKD", text[:_MAX_CHARACTERS].casefold())
    return re.findall(r"\w+", "".join(c for c in folded if not unicodedata.combining(c)))


@lru_cache(maxsize=32)
def _words(language: str) -> _Words:
    sections = load_keywords(language)
    everything = compile_wordings(sections, "everything", f"packs/{language}.keywords.yml")
    common = frozenset(word for line in sections["purpose_common"].splitlines() for word in _plain(line))
    endings = sorted(_plain(sections["word_endings"]), key=len, reverse=True)
    # A wording ends each of its words with a blank; the blank before it makes it begin with a whole word.
    return _Words(re.compile(f" {everything}"), common, tuple(endings))
