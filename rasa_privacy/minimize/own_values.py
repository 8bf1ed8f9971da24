"""`OwnValues`: what this package itself writes into its slots and its entity.

Slots can be set, and entities sent, from outside: of what comes in ours nothing but these values is kept.
"""

from dataclasses import replace
from typing import Final

from rasa_privacy.dialogue.names import ACTIONS, INTENTS, LANGUAGE_SLOT, YOUNG_SLOT
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.minimize.event_fields import NAME
from rasa_privacy.policy.contacts import PROOF
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.slots import says_consent
from rasa_privacy.policy.topics import choice

#: The entity that this package adds; in it, as in our slots, only what this package writes is kept.
OWN_ENTITY: Final = "privacy_purpose"

#: Begins a value of it that says what else a message asks for: the intent of a second request.
ALSO: Final = "also:"


class OwnValues:
    """What this package writes for one privacy.yml."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._topics = {*policy.purposes, *(choice(name, item) for name in policy.purposes for item in policy.items)}
        self._topics |= {*INTENTS, *(f"{ALSO}{intent}" for intent in INTENTS)}
        self._asked_of = {*policy.purposes, *(() if policy.identity is None else (PROOF,))}

    def is_topic(self, value: object) -> bool:
        """Return whether this is a value that our entity may have."""
        return str(value) in self._topics

    def of_slot(self, name: str, value: object) -> object:
        """Return the value of our slot if it is one that this package writes, or None."""
        if name == "privacy_result":
            return value if value in ACTIONS else None
        if name == YOUNG_SLOT or says_consent(name):
            return value if isinstance(value, bool) else None
        if name == LANGUAGE_SLOT:
            return value if value in self._policy.languages else None
        pending = Pending.from_slot(value)
        if pending is None or not set(pending.purposes) <= self._asked_of:
            return None
        if not set(pending.items) <= set(self._policy.items):
            return None
        named = NAME.fullmatch(pending.action or "") is not None
        return pending.to_slot() if named or pending.action is None else replace(pending, action=None).to_slot()
