"""For a bot's own actions: run only with consent, and ask what a person allows.

```python
@requires_consent("newsletter")
class SendTreat(Action):
    ...
```

The ledger is read each time. Where it cannot be read, nobody has consented.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from rasa_sdk import Action
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.interfaces import Tracker

from rasa_privacy.actions.base import vault
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.state import ConsentState
from rasa_privacy.dialogue.names import ASK, CLOSED, PENDING_SLOT, TOO_YOUNG, YOUNG_SLOT
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import ConfigurationError, PrivacyError
from rasa_privacy.policy.ages import minimum_age
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.suggest import did_you_mean
from rasa_privacy.policy.topics import choice

_Guarded = TypeVar("_Guarded", bound=type[Action])

_RUN: Final = "run"


def consented(tracker: Tracker, purpose: str, item: str | None = None) -> bool:
    """Return whether a purpose may use the person's data now.

    Args:
        tracker: The conversation, as the action got it.
        purpose: A purpose of privacy.yml.
        item: An optional item of it, to ask about that.

    Raises:
        ConfigurationError: privacy.yml has no such purpose, or it has no such item.
    """
    policy = vault().policy
    _check(policy, (purpose,))
    if item is not None and item not in policy.purposes[purpose].items:
        hint = did_you_mean(item, policy.purposes[purpose].items)
        raise ConfigurationError(f"purpose '{purpose}' has no item '{item}'{hint}")
    state = _state(tracker.sender_id)
    if state is None or purpose not in state.active:
        return False
    return item is None or item not in policy.purposes[purpose].choices or choice(purpose, item) in state.active


def requires_consent(*purposes: str) -> Any:
    """Let an action run only while all these purposes are active; otherwise they are asked about, and it runs then.

    Where the purposes of an action are known in privacy.yml, `guards` there does the same and shows it to everybody.

    Args:
        purposes: Purposes of privacy.yml, in the order to ask.

    Raises:
        ConfigurationError: None is named, or what is decorated is no class of an action.
    """
    if not purposes or not all(isinstance(purpose, str) for purpose in purposes):
        raise ConfigurationError("requires_consent needs the names of purposes: @requires_consent('newsletter')")

    def guarded(action: _Guarded) -> _Guarded:
        if not (isinstance(action, type) and issubclass(action, Action)):
            raise ConfigurationError("requires_consent stands above the class of an action, not above a method")
        run = action.run

        async def run_with_consent(
            self: Action, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Mapping[str, Any]
        ) -> Any:
            """Run the action, or have the person asked."""
            instead = await asyncio.to_thread(_instead, self.name(), purposes, tracker)
            return await run(self, dispatcher, tracker, domain) if instead is None else instead

        setattr(action, _RUN, run_with_consent)
        return action

    return guarded


def _instead(action: str, purposes: tuple[str, ...], tracker: Tracker) -> list[dict[str, Any]] | None:
    """Return the events that have the person asked, or None where the action may run."""
    policy, state = vault().policy, _state(tracker.sender_id)
    _check(policy, purposes)
    if state is None:
        return [FollowupAction(CLOSED)]
    missing = state.missing(purposes)
    if not missing:
        return None
    if tracker.get_slot(YOUNG_SLOT):
        return [FollowupAction(TOO_YOUNG)]
    age = minimum_age(policy, tracker.slots) or 0
    if age > state.confirmed_age:
        pending = Pending("age", action, missing, age=age)
    else:
        pending = Pending("consent", action, missing)
    return [SlotSet(PENDING_SLOT, pending.to_slot()), FollowupAction(ASK)]


def _state(sender_id: str) -> ConsentState | None:
    store = vault()
    try:
        with store.database.read() as connection:
            return state_of(store, connection, store.subjects.find(connection, sender_id), store.clock())
    except PrivacyError:
        return None


def _check(policy: Policy, purposes: tuple[str, ...]) -> None:
    for purpose in purposes:
        if purpose not in policy.purposes:
            hint = did_you_mean(purpose, policy.purposes)
            raise ConfigurationError(f"privacy.yml has no purpose '{purpose}'{hint}")
