"""Which purposes a sentence names, by what people call them."""

import re
import unicodedata
from collections.abc import Iterable

from rasa_privacy.policy.model import Policy

#: Words that many names share and that therefore name nothing alone.
_COMMON = frozenset("a an and by data for in monthly my of on our service the to weekly with your".split())  # noqa: SIM905 - one line to read and to change
_ALL = re.compile(r"\b(everything|all of it|all consents?|all purposes|completely)\b")


def named_purposes(text: str, policy: Policy, language: str) -> tuple[str, ...]:
    """Return the consent purposes that the text names, all for words such as `everything`, or none.

    A purpose is named where all telling words of its name (`called`, or its id) occur in the text.
    """
    consented = [name for name, purpose in policy.purposes.items() if purpose.basis == "consent"]
    plain = _plain(text)
    if _ALL.search(plain):
        return tuple(consented)
    words = frozenset(plain.split())
    return tuple(name for name in consented if _is_named(words, _names(name, policy, language)))


def _names(purpose: str, policy: Policy, language: str) -> Iterable[str]:
    yield purpose.replace("_", " ")
    called = policy.purposes[purpose].called.get(language)
    if called:
        yield called


def _is_named(words: frozenset[str], names: Iterable[str]) -> bool:
    for name in names:
        telling = [word for word in _plain(name).split() if word not in _COMMON]
        if telling and all(_occurs(word, words) for word in telling):
            return True
    return False


def _occurs(word: str, words: frozenset[str]) -> bool:
    return word in words or f"{word}s" in words or word.removesuffix("s") in words


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text[:1000].casefold())
    return " ".join(re.findall(r"\w+", "".join(c for c in folded if not unicodedata.combining(c))))
