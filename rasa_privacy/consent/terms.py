"""What a purpose promises: its terms, their version, and what differs between two of them.

The version is a hash of the terms (purpose, items, retention, recipients, controller), not of the wording: a better
sentence in the language pack does not make everybody be asked again, another recipient does. The terms are kept with
the notice that stood for them, so that it can be said later what people agreed to. Who read a notice in one language
is not asked again because of what the terms say in another: a translation that was added promises them nothing else.

The stored form is the JSON that is hashed: two lists, in the order of `_FIRST` and `_SECOND`, and after them an object
of what a later release added, where a setting at its default is left out. So an option that nobody uses changes no
version. Where the controller can be reached besides its `contact` is no term.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.topics import age_of, purpose_of
from rasa_privacy.storage.notices import StoredNotice

_CONTROLLER: Final = ("name", "contact", "policy_url", "officer")
_FIRST: Final = ("controller", "purpose", "says", "basis", "because", "items")
_SECOND: Final = ("retain", "recipients", "consent_lasts", "marketing", "minimum_age")
_ITEM: Final = ("need", "keep", "category")
#: Terms that are texts by language, as are all of `storage`.
_TEXTS: Final = ("says", "because", "automated_decisions")


def terms_text(policy: Policy, purpose: str) -> str:
    """Return the terms of a purpose as the JSON that is stored and hashed."""
    declared = policy.purposes[purpose]
    controller = {name: getattr(policy.controller, name) for name in _CONTROLLER}
    items = {
        name: (need, policy.items[name].keep, policy.items[name].category) for name, need in declared.items.items()
    }
    values = {
        "controller": _Ordered(**controller),
        "purpose": purpose,
        "items": items,
        "minimum_age": policy.minimum_age,
    }
    first, second = ([values.get(name, getattr(declared, name, None)) for name in names] for names in (_FIRST, _SECOND))
    added = _added(policy)
    return msgspec.json.encode([first, second, *([added] if added else [])], order="deterministic").decode()


def terms_version(policy: Policy, topic: str) -> str:
    """Return the version of what is promised: 16 hexadecimal digits.

    Args:
        policy: What privacy.yml says.
        topic: A purpose, or the question about an optional item, which stands under its purpose's terms, or about an
            age, which has none but itself.
    """
    return version_of(topic if age_of(topic) is not None else terms_text(policy, purpose_of(topic)))


def still_hold(policy: Policy, topic: str, stored: StoredNotice) -> bool:
    """Return whether what a notice stood for is what is promised now, in the notice's own language.

    Args:
        policy: What privacy.yml says; it has the topic's purpose.
        topic: A purpose, or the question about an optional item or an age.
        stored: The notice, as the store verified it.
    """
    if stored.version == terms_version(policy, topic):
        return True
    if stored.terms is None or age_of(topic) is not None or version_of(stored.terms) != stored.version:
        return False
    now = terms_text(policy, purpose_of(topic))
    return _in_language(stored.terms, stored.language) == _in_language(now, stored.language)


@lru_cache(maxsize=256)
def _in_language(text: str, language: str) -> dict[str, Any]:
    """Return stored terms with each text in one language alone."""
    terms = read_terms(text)
    for name in _TEXTS:
        if isinstance(terms.get(name), dict):
            terms[name] = terms[name].get(language)
    if isinstance(terms.get("storage"), dict):
        terms["storage"] = {name: texts.get(language) for name, texts in terms["storage"].items()}
    return terms


@lru_cache(maxsize=256)
def version_of(text: str) -> str:
    """Return the version of stored terms: the beginning of their SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_terms(text: str) -> dict[str, Any]:
    """Return stored terms by name; those of a later release keep the names that it gave them."""
    first, second, *added = msgspec.json.decode(text)
    terms = dict(zip(_FIRST, first, strict=True)) | dict(zip(_SECOND, second, strict=True))
    terms["items"] = {name: dict(zip(_ITEM, item, strict=True)) for name, item in terms["items"].items()}
    return terms | (added[0] if added else {})


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what differs between two terms, one sentence for each field."""
    return list(_changes(before, after, ""))


def _added(policy: Policy) -> dict[str, Any]:
    """Return the terms that came later and promise something: where data is kept, and what a program decides."""
    added: dict[str, Any] = {} if policy.storage is None else {"storage": policy.storage}
    # GDPR Art. 13(1)(f) and (2)(f). That no program decides anything is nothing to agree to.
    if isinstance(policy.automated_decisions, dict) and policy.automated_decisions:
        added["automated_decisions"] = policy.automated_decisions
    return added


class _Ordered(msgspec.Struct):
    """The controller as it is hashed; the order of its fields counts."""

    name: str
    contact: str
    policy_url: str
    officer: str | None


def _changes(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted(before.keys() | after.keys()):
            below = f"{path}.{name}" if path else str(name)
            if name not in before:
                yield f"{below} was added: {_said(after[name])}"
            elif name not in after:
                yield f"{below} was removed: {_said(before[name])}"
            else:
                yield from _changes(before[name], after[name], below)
    elif before != after:
        yield f"{path} was {_said(before)}, is {_said(after)}"


def _said(value: Any) -> str:
    if value is None or value in ([], {}, ""):
        return "nothing"
    return value if isinstance(value, str) else msgspec.json.encode(value, order="deterministic").decode()
