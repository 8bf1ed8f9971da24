"""A second language that no pack has, made from English, so that what is said in it can be told from English.

Its code is `xx`. Each letter of what people read is a mark in it, dates and lists are Greek, and some of its fixed
wordings are Italian ones, of which `fine` is an opt-out there and an agreement in English.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import msgspec
import pytest

from rasa_privacy.dialogue import lexicon, packs, phrases, purposes, request_wordings
from rasa_privacy.policy.model import Policy
from rasa_privacy.storage.vault import Vault

OTHER: Final = "xx"
#: Stands for each letter of the pack.
MARK: Final = "\u00a4"

_PART: Final = re.compile(r"\{\w+\}|[^\W\d_]")
_WORDINGS: Final = {
    "opt_out": "basta\nfine\nstop",
    "privacy_delete": "cancella i miei dati",
    "privacy_withdraw": "revoco il consenso",
    "agree": "si\nva bene",
    "refuse": "no\nproprio no",
    "unclear": "forse",
    "hedges": "ma forse",
    "agreement": "si",
    "everything": "tutto",
}


def marked(text: str) -> str:
    """Return the text with a mark for each letter, and its variables as they are."""
    return _PART.sub(lambda found: found[0] if found[0].startswith("{") else MARK, text)


def _read_mapping(language: str, suffix: str, read: Any = packs.read_mapping) -> dict[str, Any]:
    raw: dict[str, Any] = read("en" if language == OTHER else language, suffix)
    if language != OTHER:
        return raw
    if suffix == ".keywords.yml":
        return {**raw, **_WORDINGS}
    if suffix != ".yml":
        return raw
    responses = {
        name: [
            {
                **variation,
                "text": marked(variation["text"]),
                "buttons": [{**button, "title": marked(button["title"])} for button in variation.get("buttons", [])],
            }
            for variation in variations
        ]
        for name, variations in raw["responses"].items()
    }
    return {**raw, "locale": "el", "responses": responses, "phrases": {k: marked(v) for k, v in raw["phrases"].items()}}


def _forget() -> None:
    for cached in (packs.load_pack, packs.load_keywords, packs.load_ordinary, lexicon.lexicon_of, phrases.phrases_of):
        cached.cache_clear()
    lexicon.known_words.cache_clear()
    purposes._words.cache_clear()
    purposes._written_out.cache_clear()
    request_wordings.request_wordings.cache_clear()


@pytest.fixture
def second_language(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the packs a second language, and return its code."""
    _forget()
    monkeypatch.setattr(packs, "read_mapping", _read_mapping)
    yield OTHER
    _forget()


def bilingual(policy: Policy) -> Policy:
    """Return the policy for English and the second language, in which each text for people is Greek."""
    _replace = msgspec.structs.replace
    both = {"en": "the thing", OTHER: "\u03a4\u03bf"}
    made = {
        name: _replace(
            purpose, says={**purpose.says, OTHER: "\u03b3\u03b9\u03b1"}, called=both,
            because=both if purpose.because else {},
        )
        for name, purpose in policy.purposes.items()
    }  # fmt: skip
    items = {name: _replace(item, called=both) for name, item in policy.items.items()}
    return _replace(policy, languages=("en", OTHER), purposes=made, items=items)


def speaking_both(vault: Vault) -> Vault:
    """Return the store with a policy in both languages."""
    return replace(vault, policy=bilingual(vault.policy))
