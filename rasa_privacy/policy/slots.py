"""The rule that no slot is forgotten: each one is an item or is named under `not_personal`."""

from collections.abc import Iterable
from typing import Final

from rasa_privacy.errors import PolicyError
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.suggest import listed

#: Slots that Rasa adds to every domain (rasa/shared/core/constants.py).
RASA_SLOTS: Final = frozenset({"requested_slot", "session_started_metadata"})

#: Slots that the plug-ins add (`dialogue.turns`).
OWN_SLOTS: Final = frozenset({"privacy_pending", "privacy_result", "privacy_language"})


def is_exempt(slot: str) -> bool:
    """Tell whether a slot belongs to Rasa or to the plug-ins, and so needs no word in privacy.yml."""
    return slot in RASA_SLOTS or slot in OWN_SLOTS


def unclassified_slots(policy: Policy, slots: Iterable[str]) -> list[str]:
    """Return the slots of a domain that are neither items nor named under `not_personal`, sorted."""
    known = {item.slot for item in policy.items.values()} | set(policy.not_personal)
    return sorted({slot for slot in slots if slot not in known and not is_exempt(slot)})


def check_slots(policy: Policy, slots: Iterable[str], where: str) -> None:
    """Make sure that privacy.yml says of every slot whether it is personal.

    Args:
        policy: What privacy.yml says.
        slots: The names of the domain's slots.
        where: The file to name in the message, usually the path of privacy.yml.

    Raises:
        PolicyError: At least one slot is not classified; all of them are listed.
    """
    missing = unclassified_slots(policy, slots)
    if missing:
        raise PolicyError(
            f"{where}:1:1: the domain has slots of which nothing says whether they are personal: {listed(missing)}; "
            "give each an item with 'slot: <name>', or name it under 'not_personal'"
        )
