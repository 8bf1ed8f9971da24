"""The rule that no slot is forgotten: each one is an item or is named under `not_personal`."""

from collections.abc import Iterable
from typing import Final

from rasa_privacy.errors import PolicyError
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.suggest import listed

#: Slots that Rasa adds to every domain (rasa/shared/core/constants.py).
RASA_SLOTS: Final = frozenset({"requested_slot", "session_started_metadata"})

#: Slots that the plug-ins add (`dialogue.names`).
OWN_SLOTS: Final = frozenset({"privacy_pending", "privacy_result", "privacy_language", "privacy_too_young"})

_CONSENT: Final = "privacy_consent_"


def consent_slot(purpose: str) -> str:
    """Return the slot that says whether a purpose is active, for the conditions of forms, rules and responses.

    It opens nothing: the ledger decides.
    """
    return f"{_CONSENT}{purpose}"


def says_consent(slot: str) -> bool:
    """Tell whether a slot is one of those."""
    return slot.startswith(_CONSENT)


def is_own(slot: str) -> bool:
    """Tell whether the plug-ins add this slot."""
    return slot in OWN_SLOTS or says_consent(slot)


def is_exempt(slot: str) -> bool:
    """Tell whether a slot belongs to Rasa or to the plug-ins, and so needs no word in privacy.yml."""
    return slot in RASA_SLOTS or is_own(slot)


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
