"""`Notice`: the text shown before consent, with the version of what it promises (`terms`).

The exact text that a person saw is kept by its own hash. GDPR Art. 13(1)-(2) gives the parts; the sentences and their
parts are in `dialogue/packs`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from rasa_privacy.consent.terms import terms_version
from rasa_privacy.dialogue.phrases import phrases_of
from rasa_privacy.policy.item_model import Ends, Item
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.topics import LIMITED, RESTRICTED, SALE_OR_SHARING, age_of, item_of, purpose_of
from rasa_privacy.storage.notices import notice_hash

Need = Literal["required", "optional"]

__all__ = ["Notice", "items_in_words", "name_of_item", "name_of_purpose", "name_of_topic", "terms_version"]


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


def name_of_item(policy: Policy, item: str, language: str) -> str:
    """Return what people call this item."""
    return policy.items[item].called.get(language, item.replace("_", " "))


def name_of_purpose(policy: Policy, purpose: str, language: str) -> str:
    """Return what people call this purpose."""
    return policy.purposes[purpose].called.get(language, purpose.replace("_", " "))


def name_of_topic(policy: Policy, topic: str, language: str) -> str:
    """Return what people call what a record of the ledger is about, also if privacy.yml has it no more."""
    phrases = phrases_of(language)
    if topic == SALE_OR_SHARING or topic.startswith(LIMITED):
        return phrases.say("request_do_not_sell" if topic == SALE_OR_SHARING else "request_limit_sensitive")
    years, restricted = age_of(topic), topic.removeprefix(RESTRICTED)
    if years is not None:
        return phrases.say("page_age", count=str(years))
    if restricted != topic:
        purpose = name_of_topic(policy, restricted, language)
        return phrases.say("item_with_notes", item=phrases.say("request_restriction"), notes=purpose)
    name, item = purpose_of(topic), item_of(topic)
    purpose = name_of_purpose(policy, name, language) if name in policy.purposes else name
    if not item:
        return purpose
    called = name_of_item(policy, item, language) if item in policy.items else item
    return phrases.say("item_with_notes", item=purpose, notes=called)


def items_in_words(
    policy: Policy, purpose: str, language: str, *, only: Need | None = None, among: Collection[str] = ()
) -> str:
    """Return the purpose's items for a sentence, optional ones marked, with how much of each is kept.

    Args:
        policy: What privacy.yml says.
        purpose: The purpose.
        language: The language to say it in.
        only: Leave the others out, as a question does that asks for what a purpose needs. Where nobody is asked, all
            are named.
        among: Name of them only these, where the purpose has one of them.
    """
    phrases = phrases_of(language)
    parts = []
    declared = policy.purposes[purpose].items
    wanted = set(declared) & set(among) or set(declared)
    for name, need in declared.items():
        if name not in wanted or (only is not None and need != only):
            continue
        optional = phrases.say("optional") if need == "optional" else ""
        notes = [note for note in (_kept_in_words(policy.items[name], language), optional) if note]
        called = name_of_item(policy, name, language)
        parts.append(phrases.say("item_with_notes", item=called, notes=", ".join(notes)) if notes else called)
    return phrases.listed(parts) or phrases.say("no_items")


def _kept_in_words(item: Item, language: str) -> str:
    """Return what is kept of a value where that is less than all of it."""
    if isinstance(item.keep, Ends):
        end, count = ("keep_first", item.keep.first) if item.keep.first else ("keep_last", item.keep.last)
        return phrases_of(language).count(end, count or 1)
    lasting, phrases = item.lasting, phrases_of(language)
    if lasting is None:
        return "" if item.keep == "full" else phrases.say(f"keep_{item.keep}")
    if lasting.duration is not None:
        return phrases.say("keep_for", duration=phrases.duration(lasting.duration))
    return phrases.say("keep_session" if lasting.session else "keep_until")
