"""`Notice`: the text shown before consent, with the version of what it promises.

The version is a hash of the terms (purpose, items, retention, recipients, controller), not of the wording: a better
sentence in the language pack does not make everybody be asked again, another recipient does. The exact text that a
person saw is kept by its own hash.

GDPR Art. 13(1)-(2) gives the parts; the sentences are in `dialogue/packs`.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from rasa_privacy.policy.model import UNTIL_WITHDRAWN, First, Item, Policy
from rasa_privacy.storage.notices import notice_hash


@dataclass(frozen=True, slots=True)
class Notice:
    """One purpose's notice as shown.

    Attributes:
        purpose: The purpose's name; also the notice's id.
        version: 16 hexadecimal digits of the terms' SHA-256.
        language: Language of the text.
        text: Exactly what the person saw, without buttons.
    """

    purpose: str
    version: str
    language: str
    text: str

    @property
    def hash(self) -> bytes:
        """SHA-256 over purpose, version, language and text, each length-prefixed (32 bytes)."""
        return notice_hash(self.purpose, self.version, self.language, self.text)


@lru_cache(maxsize=256)
def _terms_digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]


def terms_version(policy: Policy, purpose: str) -> str:
    """Return the version of what this purpose promises: 16 hexadecimal digits."""
    declared = policy.purposes[purpose]
    items = {
        name: (need, policy.items[name].keep, policy.items[name].category) for name, need in declared.items.items()
    }
    terms = (policy.controller, purpose, declared.says, declared.basis, declared.because, items)
    rest = (declared.retain, declared.recipients, declared.consent_lasts, declared.marketing, policy.minimum_age)
    return _terms_digest(msgspec.json.encode((terms, rest), order="deterministic"))


def name_of_item(policy: Policy, item: str, language: str) -> str:
    """Return what people call this item."""
    return policy.items[item].called.get(language, item.replace("_", " "))


def name_of_purpose(policy: Policy, purpose: str, language: str) -> str:
    """Return what people call this purpose."""
    return policy.purposes[purpose].called.get(language, purpose.replace("_", " "))


def retention_in_words(retain: str) -> str:
    """Return `90 days` or the words for data that stays until consent is taken back."""
    return "until you take your consent back" if retain == UNTIL_WITHDRAWN else retain


def items_in_words(policy: Policy, purpose: str, language: str) -> str:
    """Return the purpose's items for a sentence, optional ones marked, with how much of each is kept."""
    parts = []
    for name, need in policy.purposes[purpose].items.items():
        notes = [
            note for note in (_kept_in_words(policy.items[name]), "optional" if need == "optional" else "") if note
        ]
        called = name_of_item(policy, name, language)
        parts.append(f"{called} ({', '.join(notes)})" if notes else called)
    if len(parts) < 2:  # noqa: PLR2004 - one part needs no "and"
        return "".join(parts) or "no personal data"
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _kept_in_words(item: Item) -> str:
    """Return what is kept of a value where that is less than all of it."""
    if isinstance(item.keep, First):
        return f"only the first {item.keep.first} characters are kept"
    return {"masked": "kept masked", "year": "only the year is kept", "none": "not kept", "full": ""}[item.keep]
