"""Which entities of a message may go on: those that an active purpose covers, and those that are of no person.

Of a privacy request nothing but our own entities is left. Where one was dropped is noted, without its value.
"""

from typing import Any

from rasa_privacy.components import runtime
from rasa_privacy.components.message_intents import intent_of
from rasa_privacy.components.rasa_api import DialogueStateTracker, Message
from rasa_privacy.dialogue.names import INTENTS
from rasa_privacy.minimize.entity_places import Said
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.kept_texts import UNDECLARED
from rasa_privacy.minimize.own_values import OWN_ENTITY


def allowed_entities(
    entities: list[dict[str, Any]],
    message: Message,
    tracker: DialogueStateTracker | None,
    running: runtime.Runtime | None,
) -> list[dict[str, Any]]:
    """Return the entities from which slots may be filled: those of no person, and those that a consent covers."""
    if running is None or tracker is None:
        return []
    splitter = running.splitter
    plain = [entity for entity in entities if splitter.is_plain_entity(str(entity.get("entity")))]
    if intent_of(message) in INTENTS or len(plain) == len(entities):
        return [entity for entity in plain if intent_of(message) not in INTENTS or entity["entity"] == OWN_ENTITY]
    state = runtime.consent_of(tracker)
    if state is None:
        return plain
    return [entity for entity in entities if _is_covered(str(entity.get("entity")), splitter, state.active)]


def dropped_places(
    entities: list[dict[str, Any]], allowed: list[dict[str, Any]], text: str, running: runtime.Runtime | None
) -> list[list[Any]]:
    """Say where something was dropped, without its value, so that Store can mask it in the text."""
    if running is None:
        return []
    gone = [entity for entity in entities if entity not in allowed]
    named = [(entity, running.splitter.item_of_entity(str(entity.get("entity")))) for entity in gone]
    said = Said(text)
    return [[*place, item or UNDECLARED] for entity, item in named for place in said.places(entity, item)]


def _is_covered(entity: str, splitter: EventSplitter, active: frozenset[str]) -> bool:
    item = splitter.item_of_entity(entity)
    return splitter.is_plain_entity(entity) or (item is not None and bool(splitter.purposes_for(item, active)))
