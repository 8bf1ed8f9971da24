"""`Needs`: which items an action or a response is sent, of those that the person's consent allows.

1. An action gets the items of the purposes that guard it, and those that privacy.yml names for it under `actions`.
2. The validation of a form gets what the form gets, and what the form asks for.
3. A response gets the items of the slots that stand in its text, as `{full_name}`, and those of rule 1.
4. Of somebody who limits the use of sensitive data, an item of such a category goes only to an action that a purpose
   guards which needs it: not where it is optional, not by `actions`, and into no response.
5. Our own actions read the store by themselves and get none. But those that send one-time codes get the contacts to
   which they go.

Pure: what the domain says is passed in.
"""

from collections.abc import Collection, Mapping
from typing import Final

from rasa_privacy.policy.categories import SENSITIVE
from rasa_privacy.policy.contacts import contact_item
from rasa_privacy.policy.model import Policy

#: The form's action and its validation belong together: `validate_lead_form` is guarded with `lead_form`.
VALIDATION: Final = "validate_"
#: How the names of our own actions begin.
_OURS: Final = "action_privacy_"
#: Those of them that send one-time codes, or fill the slot of a contact that was empty.
_SENDING: Final = frozenset(f"{_OURS}{name}" for name in ("record_grant", "record_limits", "send_code", "confirm_code"))
#: Rasa's action that judges what the person has just said, for any slot.
VALIDATE_MAPPINGS: Final = "action_validate_slot_mappings"


def is_validation(action: str) -> bool:
    """Return whether an action judges values, so that it needs them uncut."""
    return action.startswith((VALIDATION, VALIDATE_MAPPINGS))


def guarding(policy: Policy, action: str) -> frozenset[str]:
    """Return the purposes that must be active for an action, or for the form that it validates."""
    return frozenset((*policy.purposes_guarding(action), *policy.purposes_guarding(action.removeprefix(VALIDATION))))


def is_sensitive(policy: Policy, item: str) -> bool:
    """Return whether an item is of a category that a person may limit the use of."""
    return policy.items[item].category in SENSITIVE


class Needs:
    """What each action and response needs, by one privacy.yml and one domain.

    Args:
        policy: The privacy.yml in force.
        form_slots: The slots that each form asks for.
        response_slots: The slots that stand in the texts of each response.
    """

    def __init__(
        self,
        policy: Policy,
        form_slots: Mapping[str, Collection[str]] | None = None,
        response_slots: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._policy = policy
        confirming = (name for name, purpose in policy.purposes.items() if purpose.double_opt_in)
        self._contacts = frozenset(item for name in confirming if (item := contact_item(policy, name)) is not None)
        self._form_slots = form_slots or {}
        self._response_slots = response_slots or {}

    def of_action(self, action: str) -> frozenset[str] | None:
        """Return the items that an action needs, or None for one that needs whatever was just said."""
        if action == VALIDATE_MAPPINGS:
            return None
        if action.startswith(_OURS):
            return self._contacts if action in _SENDING else frozenset()
        form = action.removeprefix(VALIDATION)
        asked = self._form_slots.get(form, ()) if form != action else ()
        return self._declared(action) | self._declared(form) | self._items_of(asked)

    def of_response(self, response: str) -> frozenset[str]:
        """Return the items that a response needs."""
        return self._declared(response) | self._items_of(self._response_slots.get(response, ()))

    def within_limit(self, name: str, items: frozenset[str]) -> frozenset[str]:
        """Return the items that an action or a response is sent of somebody who limits the use of sensitive data.

        Args:
            name: Name of the action or the response.
            items: What it is sent of others.
        """
        purposes = self._policy.purposes
        guarded = [each.items for each in purposes.values() if name in each.guards]
        needed = {item for held in guarded for item, need in held.items() if need == "required"}
        return frozenset(item for item in items if item in needed or not is_sensitive(self._policy, item))

    def _declared(self, name: str) -> frozenset[str]:
        guarding = [purpose.items for purpose in self._policy.purposes.values() if name in purpose.guards]
        return frozenset(self._policy.actions.items.get(name, ())).union(*guarding)

    def _items_of(self, slots: Collection[str]) -> frozenset[str]:
        return frozenset(item for item in map(self._policy.item_of_slot, slots) if item is not None)
