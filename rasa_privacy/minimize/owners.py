"""`Owners`: whose item each slot and each entity is, and which purposes may have it."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from rasa_privacy.minimize.event_fields import texts_of
from rasa_privacy.minimize.own_values import OWN_ENTITY
from rasa_privacy.minimize.view import View
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.slots import is_own
from rasa_privacy.policy.topics import choice, choices

#: Rasa's slot for what a form asks next; never personal.
REQUESTED_SLOT: Final = "requested_slot"


class Owners:
    """Who owns what by one privacy.yml and one domain.

    Args:
        policy: The privacy.yml in force.
        entity_slots: Which slots each entity fills, from the domain's mappings.
    """

    def __init__(self, policy: Policy, entity_slots: Mapping[str, Collection[str]] | None = None) -> None:
        self._policy = policy
        self._slot_items = {item.slot: name for name, item in policy.items.items() if item.slot}
        self._purposes_of = {name: frozenset(policy.purposes_using(name)) for name in policy.items}
        self._optional = {(purpose, item): choice(purpose, item) for purpose, item in choices(policy)}
        self._plain = frozenset(policy.not_personal) | {REQUESTED_SLOT}
        self._entity_items = {item.entity: name for name, item in policy.items.items() if item.entity}
        self._plain_entities = set(self._plain)
        for entity, slots in (entity_slots or {}).items():
            self._classify_entity(entity, slots)

    def _classify_entity(self, entity: str, slots: Collection[str]) -> None:
        """An entity is what its slots are; where they differ, the personal one counts."""
        items = [self._slot_items[slot] for slot in slots if slot in self._slot_items]
        if items:
            self._entity_items.setdefault(entity, items[0])
        elif slots and all(slot in self._plain for slot in slots):
            self._plain_entities.add(entity)

    def is_slot(self, name: str) -> bool:
        """Return whether this is a slot of privacy.yml, or one of ours or of Rasa's."""
        return name in self._slot_items or self.is_plain_slot(name)

    def item_of_slot(self, slot: str) -> str | None:
        """Return the item that this slot holds, or None."""
        return self._slot_items.get(slot)

    def item_of_entity(self, entity: str) -> str | None:
        """Return the item that this entity carries, or None."""
        return self._entity_items.get(entity)

    def is_plain_slot(self, slot: str) -> bool:
        """Return whether this slot is declared `not_personal` or is our own."""
        return slot in self._plain or is_own(slot)

    def is_plain_entity(self, entity: str) -> bool:
        """Return whether this entity carries nothing personal."""
        return entity in self._plain_entities or entity == OWN_ENTITY

    def purposes_for(self, item: str, active: Collection[str]) -> frozenset[str]:
        """Return the active purposes that may have this item: where it is optional, those it was granted to."""
        found = self._purposes_of[item].intersection(active)
        return frozenset(name for name in found if self._optional.get((name, item), name) in active)

    def may_have(self, item: str, view: View) -> bool:
        """Return whether an active purpose may have this item, and the receiver needs it."""
        return (view.items is None or item in view.items) and bool(self.purposes_for(item, view.active))

    def known_values(
        self, slots: Iterable[tuple[object, object]], entities: Iterable[Mapping[str, Any]] = ()
    ) -> dict[str, set[str]]:
        """Return what the person gave, by item, as it would be written.

        Args:
            slots: Names and values of slots; a slot may stand there more than once.
            entities: Entities of messages.
        """
        known: dict[str, set[str]] = {}
        given = [(self._slot_items.get(str(name)), value) for name, value in slots]
        given += [(self._entity_items.get(str(entity.get("entity"))), entity.get("value")) for entity in entities]
        for item, value in given:
            if item is not None:
                known.setdefault(item, set()).update(texts_of(value))
        return known
