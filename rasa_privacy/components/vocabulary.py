"""What the components take from Rasa's domain: entity classes, safe words, and mappings shielded from our intents."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rasa_privacy.components.rasa_api import Domain
from rasa_privacy.dialogue.names import INTENTS
from rasa_privacy.storage.bot_words import BotSays, words_of_bot

#: A slot in a response's text, as Rasa fills it in (rasa/core/nlg/interpolator.py).
_FILLED: Final = re.compile(r"{([^\n{}]+)}")


def entity_slots(domain: Domain) -> dict[str, set[str]]:
    """Return which slots each entity fills by a `from_entity` mapping."""
    found: dict[str, set[str]] = {}
    for slot in domain.slots:
        for mapping in slot.mappings:
            entity = mapping.get("entity")
            if entity is not None:
                found.setdefault(str(entity), set()).add(slot.name)
    return found


def form_slots(domain: Domain) -> dict[str, list[str]]:
    """Return the slots that each form asks for."""
    return {str(form): list(domain.required_slots_for_form(form)) for form in domain.form_names}


def response_slots(domain: Domain) -> dict[str, set[str]]:
    """Return what stands between braces in the variations of each response."""
    return {
        str(name): {match for text in _texts(variations) for match in _FILLED.findall(text)}
        for name, variations in domain.responses.items()
    }


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _texts(part)


def words_of(domain: Domain) -> set[str]:
    """Return the names that the builder chose, which no log line needs to hide."""
    words = {*domain.intents, *domain.entities, *domain.action_names_or_texts, *domain.form_names}
    words.update(slot.name for slot in domain.slots)
    words.update(domain.responses)
    return {str(word) for word in words}


def stored_words(domain: Domain, names: set[str]) -> bytes:
    """Return what the bot says as the store keeps it once, so that no conversation need hold it again.

    A domain without responses, with which Rasa begins until it has loaded a model, has nothing to be kept.

    Args:
        domain: The domain.
        names: Those that the builder chose (`words_of`).
    """
    if not domain.responses:
        return b""
    responses = {str(name): variations for name, variations in domain.responses.items()}
    return words_of_bot(BotSays(domain.intents, domain.action_names_or_texts, names, responses))


def shield_mappings(domain: Domain) -> None:
    """Keep every slot mapping from filling a slot out of a privacy request.

    "delete my data" typed while a form waits for free text is no name: each mapping gets our intents as `not_intent`.
    A mapping that lists the intents it wants does not want ours.
    """
    for slot in domain.slots:
        for mapping in slot.mappings:
            if not mapping.get("intent"):
                mapping["not_intent"] = _with_ours(mapping)


def _with_ours(mapping: Mapping[str, Any]) -> list[str]:
    already = mapping.get("not_intent") or []
    listed = [already] if isinstance(already, str) else list(already)
    return [*listed, *(intent for intent in INTENTS if intent not in listed)]
