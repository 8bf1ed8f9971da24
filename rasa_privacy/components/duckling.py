"""`PrivateDuckling`: Rasa's Duckling extractor, which sends messages without what Duckling does not need.

Duckling runs as a server of its own and gets each message in full. Here detectors' findings and values that are known
of the person are hidden before it is sent, character by character, so that the places of what it finds stay right.
Rules:

1. What a dimension looks for is sent where an active purpose covers its entity: an email address for `email` once the
   person consented, and not before.
2. A text that cannot be searched (too long, a detector failed) is not sent.
3. A tracker that did not come from our store has no active purposes and no known values.

A name that nobody has given the bot yet is not hidden: no detector finds it.
"""

from collections.abc import Collection
from itertools import chain
from typing import Any, Final

from rasa_privacy.components import runtime
from rasa_privacy.components.history import latest_entities
from rasa_privacy.components.rasa_api import (
    DefaultV1Recipe,
    DialogueStateTracker,
    DucklingEntityExtractor,
    Message,
)
from rasa_privacy.errors import DetectorError
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.masking import conceal

#: What a detector calls that which a dimension of Duckling looks for.
_KINDS: Final = {
    "email": "email",
    "phone-number": "phone",
    "credit-card-number": "payment_card",
    "time": "birth_date",
}

TEXT: Final = "text"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class PrivateDuckling(DucklingEntityExtractor):
    """Takes the place of `DucklingEntityExtractor` in config.yml, with the same options."""

    def process(self, messages: list[Message], tracker: DialogueStateTracker | None = None) -> list[Message]:
        """Add what Duckling finds in the hidden texts to the messages."""
        for message in messages:
            text = message.get(TEXT)
            hidden = self._hidden(text, message, tracker) if isinstance(text, str) else None
            if hidden is None:
                continue
            sent = Message({TEXT: hidden, "entities": []})
            sent.time = message.time
            super().process([sent])
            found = [_in(text, entity) for entity in sent.get("entities")]
            message.set("entities", [*(message.get("entities") or []), *found], add_to_output=True)
        return messages

    def _hidden(self, text: str, message: Message, tracker: DialogueStateTracker | None) -> str | None:
        """Return the text as it is sent; None where it must not be."""
        running = runtime.current()
        if running is None:
            return None
        state = runtime.consent_of(tracker) if tracker is not None else None
        covered = self._covered(running.splitter, state.active if state is not None else frozenset())
        kinds = {kind for dimension, kind in _KINDS.items() if dimension in covered}
        kinds |= {running.vault.policy.items[item].detect or "" for item in covered.values()}
        known = _known(message, tracker, running.splitter)
        try:
            findings = [finding for finding in running.splitter.detection.find(text) if finding.kind not in kinds]
        except DetectorError:
            return None
        return conceal(text, findings, {item: values for item, values in known.items() if item not in covered.values()})

    def _covered(self, splitter: EventSplitter, active: Collection[str]) -> dict[str, str]:
        """Return the dimensions whose entity an active purpose may have, each with its item."""
        items = {name: splitter.item_of_entity(name) for name in self.component_config["dimensions"] or _KINDS}
        return {name: item for name, item in items.items() if item is not None and splitter.purposes_for(item, active)}


def _known(message: Message, tracker: DialogueStateTracker | None, splitter: EventSplitter) -> dict[str, set[str]]:
    """Return what the person gave before, and what the extractors before this one found."""
    slots: dict[str, Any] = tracker.current_slot_values() if tracker is not None else {}
    said = latest_entities(reversed(tracker.events)) if tracker is not None else ()
    return splitter.known_values(slots.items(), chain(said, message.get("entities") or []))


def _in(text: str, entity: dict[str, Any]) -> dict[str, Any]:
    """Return an entity with the words of the message itself."""
    return {**entity, TEXT: text[entity["start"] : entity["end"]]} if TEXT in entity else entity
