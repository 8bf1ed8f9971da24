"""Which purposes a sentence names, by what people call them.

Rules:

1. A word such as `account` stands for all that somebody has, unless another word of an item's name is beside it:
   "delete my account number" is about the number, "delete my account" is not.
2. Two words are read as the one that they make: "Konto-Nummer" is a "Kontonummer", as is the "Nummer meines Kontos".

The words for all purposes (`everything`), for all of one's data (`account_words`) and those that name nothing alone
(`purpose_common`), and the endings in which the same word may differ (`word_endings`), are in the keyword files.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from rasa_privacy.dialogue.keywords import words_of
from rasa_privacy.dialogue.lexicon import spelt_wordings
from rasa_privacy.dialogue.packs import load_keywords
from rasa_privacy.dialogue.wordings import compile_wordings
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.topics import choice, choices

#: A text is read so far only: a withdrawal that takes longer names its purpose in the beginning or not at all.
_MAX_CHARACTERS: Final = 1000
#: A message that is only a name is no longer than this.
_LONGEST_NAME: Final = 100  # characters
#: A word is not cut to fewer letters than this by its ending.
_SHORTEST_STEM: Final = 3
#: Marks a purpose among items; no item is called so.
_OF_PURPOSE: Final = "\0"


@dataclass(frozen=True, slots=True)
class _Words:
    """What a language's keyword file says for this module."""

    everything: re.Pattern[str]
    common: frozenset[str]
    accounts: frozenset[str]
    endings: tuple[str, ...]

    def stem(self, word: str) -> str:
        """Return the word without the longest of the endings."""
        for ending in self.endings:
            if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
                return word.removesuffix(ending)
        return word

    def stems(self, words: Iterable[str]) -> frozenset[str]:
        """Return the stems of a text's words but for those that name nothing alone.

        In Italian `dati`, which are all one's data, has the stem of `data`, a date.
        """
        return frozenset(self.stem(word) for word in words if word not in self.common)


def named_purposes(text: str, policy: Policy, language: str) -> tuple[str, ...]:
    """Return the consent purposes that the text names, all for words such as `everything`, or none.

    A purpose is named where all telling words of its name (`called`, or its id) occur in the text.
    """
    consented = [name for name, purpose in policy.purposes.items() if purpose.basis == "consent"]
    known = _words(language)
    words = _plain(text)
    if known.everything.search("".join(f" {word}" for word in words) + " "):
        return tuple(consented)
    stems = known.stems(words)
    return tuple(name for name in consented if _is_named(stems, _names(name, policy, language), known))


def hinted_purpose(text: str, policy: Policy, language: str) -> tuple[str, ...]:
    """Return the one consent purpose of whose name the text has a telling word that nothing else is called by.

    "The draw" is the prize draw where no other purpose and no item has a draw in its name.
    """
    known = _words(language)
    stems = known.stems(_plain(text))
    items = frozenset[str]().union(*(_telling_stems(item, policy, language, known) for item in policy.items))
    telling = {name: _stems(_names(name, policy, language), language, known) for name in policy.purposes}
    hinted = [name for name, each in telling.items() if (each - items) & stems]
    return tuple(hinted) if len(hinted) == 1 and policy.purposes[hinted[0]].basis == "consent" else ()


def chosen_purposes(text: str, policy: Policy, language: str, purposes: Iterable[str]) -> tuple[str, ...]:
    """Return those of some purposes that an answer such as "the newsletter and the draw" names; none where it is none.

    Every word must name one of them, unless it names nothing alone; words such as `everything` name all.
    """
    known, possible = _words(language), tuple(purposes)
    text = _impolite(text, language)
    if known.everything.fullmatch("".join(f" {word}" for word in _plain(text)) + " "):
        return possible
    telling = {name: _stems(_names(name, policy, language), language, known) for name in possible}
    return _listed(text, telling, known) or ()


def is_a_name(text: str, policy: Policy, language: str) -> bool:
    """Return whether the text is the name of a purpose and nothing else, as "newsletter please" is."""
    if len(text) > _LONGEST_NAME:
        return False
    known = _words(language)
    telling = {name: _stems(_names(name, policy, language), language, known) for name in policy.purposes}
    return _listed(_impolite(text, language), telling, known) is not None


def named_choices(text: str, policy: Policy, language: str) -> tuple[str, ...]:
    """Return the optional items of consent purposes that the text names, by the names of their questions.

    An item is named where all telling words of its name (`called`, or its id) occur in the text.
    """
    known = _words(language)
    stems = known.stems(_plain(text))
    return tuple(
        choice(purpose, item)
        for purpose, item in choices(policy)
        if policy.purposes[purpose].basis == "consent" and _is_named(stems, _item_names(item, policy, language), known)
    )


def named_topics(text: str, policy: Policy, language: str) -> tuple[str, ...]:
    """Return what a request names: purposes on whatever basis, and items, each as the topic of a purpose that lists it.

    Nothing where it also says `everything`, unless that is about a purpose: "everything you have for the newsletter".
    """
    known = _words(language)
    telling = {item: _telling_stems(item, policy, language, known) for item in policy.items}
    words = _compounded(_plain(text), telling, known)
    stems = known.stems(words)
    purposes = [name for name in policy.purposes if _is_named(stems, _names(name, policy, language), known)]
    if purposes:
        return tuple(purposes)
    if known.everything.search("".join(f" {word}" for word in words) + " "):
        return ()
    alone = {stem: [item for item, each in telling.items() if stem in each] for stem in stems}
    found = {item for items in alone.values() if len(items) == 1 for item in items}
    found |= {item for item in telling if _is_named(stems, _item_names(item, policy, language), known)}
    if _says_account(words, telling, known):
        found = {item for item in found if telling[item].isdisjoint(known.accounts)}
    return item_topics(policy, (item for item in policy.items if item in found))


def item_topics(policy: Policy, items: Iterable[str]) -> tuple[str, ...]:
    """Return the topics that stand for items wherever they are held: of the first purpose that lists each."""
    using = ((item, policy.purposes_using(item)) for item in items)
    return tuple(choice(purposes[0], item) for item, purposes in using if purposes)


def listed_topics(text: str, policy: Policy, language: str) -> tuple[str, ...] | None:
    """Return the topics that a list of items and purposes names, and nothing else; None where it is no such list."""
    known = _words(language)
    telling = {item: _telling_stems(item, policy, language, known) for item in policy.items}
    purposes = {name: _stems(_names(name, policy, language), language, known) for name in policy.purposes}
    named = _listed(text, {**telling, **{f"{_OF_PURPOSE}{name}": each for name, each in purposes.items()}}, known)
    if named is None or _says_account(_compounded(_plain(text), telling, known), telling, known):
        return None
    items = item_topics(policy, (name for name in named if not name.startswith(_OF_PURPOSE)))
    return (*(name.removeprefix(_OF_PURPOSE) for name in named if name.startswith(_OF_PURPOSE)), *items)


def names_something(text: str, policy: Policy, language: str) -> bool:
    """Return whether the text has a word of an item's or a purpose's name."""
    known = _words(language)
    telling = {item: _telling_stems(item, policy, language, known) for item in policy.items}
    names = {name: _stems(_names(name, policy, language), language, known) for name in policy.purposes}
    stems = known.stems(_compounded(_plain(text), telling, known))
    return any(not stems.isdisjoint(each) for each in (*telling.values(), *names.values()))


def named_items(text: str, policy: Policy, language: str, items: Iterable[str]) -> tuple[str, ...] | None:
    """Return those of the items that a list such as "my phone and postcode" names; None where it is no such list.

    Every word must name one of them, unless it names nothing alone. A word that several share counts only where another
    word says which.
    """
    known = _words(language)
    telling = {item: _telling_stems(item, policy, language, known) for item in items}
    return _listed(_impolite(text, language), telling, known)


def _impolite(text: str, language: str) -> str:
    """Return the text without "please", and "thank you" at its end; as it is where it is too long to be a wording."""
    words = "".join(f"{word} " for word in words_of(text, language))
    found = _before_closing(language).fullmatch(words)
    return found[1] if found is not None else text


@lru_cache(maxsize=32)
def _before_closing(language: str) -> re.Pattern[str]:
    closing = compile_wordings(spelt_wordings(language), "closing", f"packs/{language}.keywords.yml")
    return re.compile(rf"((?:\S+ )+?){closing}{{0,2}}")


def _listed(text: str, telling: Mapping[str, frozenset[str]], known: _Words) -> tuple[str, ...] | None:
    words = _compounded(_plain(text), telling, known)
    stems = [known.stem(word) for word in words if word not in known.common]
    named: set[str] = set()
    for stem in stems:
        found = {item for item, words in telling.items() if stem in words}
        if not found:
            return None
        named |= found if len(found) == 1 else set()
    shared = [stem for stem in stems if not any(stem in telling[item] for item in named)]
    return tuple(item for item in telling if item in named) if named and not shared else None


def _compounded(words: Sequence[str], telling: Mapping[str, frozenset[str]], known: _Words) -> list[str]:
    """Return the words, two that follow each other as one where that is a word of a name and they alone are none.

    Of "Nummer meines Kontos" the second comes first in the word; what names nothing alone may stand between them.
    """
    every = frozenset[str]().union(*telling.values())
    found: list[str] = []
    for word in words:
        before = next((at for at in range(len(found) - 1, -1, -1) if found[at] not in known.common), None)
        one = f"{found[-1]}{word}" if found and known.stem(found[-1]) not in every else ""
        turned = f"{known.stem(word)}{found[before]}" if before is not None and before < len(found) - 1 else ""
        if one and known.stem(one) in every:
            found[-1] = one
        elif before is not None and turned and known.stem(turned) in every and known.stem(found[before]) not in every:
            found[before:] = [turned]
        else:
            found.append(word)
    return found


def _says_account(words: Iterable[str], telling: Mapping[str, frozenset[str]], known: _Words) -> bool:
    """Return whether a word for all that somebody has stands there alone, although an item's name has it too."""
    stems = [known.stem(word) for word in words if word not in known.common]
    for word in known.accounts.intersection(stems):
        names = [each for each in telling.values() if word in each]
        beside = frozenset[str]().union(*names) - known.accounts
        if names and stems.count(word) > sum(stem in beside for stem in stems):
            return True
    return False


def _telling_stems(item: str, policy: Policy, language: str, known: _Words) -> frozenset[str]:
    return _stems(_item_names(item, policy, language), language, known)


def _stems(names: Iterable[str], language: str, known: _Words) -> frozenset[str]:
    """Return the telling words of names, as they stand there and as a message's words are written out."""
    words = (word for name in names for word in (*_plain(name), *_written_out(name, language)))
    return frozenset(known.stem(word) for word in words if word not in known.common)


@lru_cache(maxsize=1024)
def _written_out(name: str, language: str) -> tuple[str, ...]:
    return words_of(name, language)


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
    words = _Words(re.compile(f" {everything}"), common, frozenset(), tuple(endings))
    return replace(words, accounts=frozenset(map(words.stem, _plain(sections["account_words"]))))
