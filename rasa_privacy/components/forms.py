"""Forms ask for nothing that the person left out.

A form's required slot that holds an optional item without a yes is passed over: nobody is asked for what was refused,
and a value for it would be dropped at Collect anyway. The form's own purposes must be active; where they are not, the
gate decides.
"""

from typing import Any

from rasa_privacy.components import runtime
from rasa_privacy.components.rasa_api import DialogueStateTracker, Domain, Event, FormAction, forms_module
from rasa_privacy.errors import PrivacyError


class ConsentFormAction(FormAction):
    """Rasa's form, without the slots that may not be filled now."""

    _withheld: frozenset[str] = frozenset()

    def required_slots(self, domain: Domain) -> list[str]:
        """Return the slots to ask for."""
        return [slot for slot in super().required_slots(domain) if slot not in self._withheld]

    async def run(self, output_channel: Any, nlg: Any, tracker: DialogueStateTracker, domain: Domain) -> list[Event]:
        """Run the form, consent read ahead."""
        self._withheld = await withheld_slots(self.name(), tracker.sender_id)
        events: list[Event] = await super().run(output_channel, nlg, tracker, domain)
        return events


async def withheld_slots(form: str, sender_id: str) -> frozenset[str]:
    """Return the slots that a form must not ask this person for."""
    running = runtime.current()
    if running is None:
        return frozenset()
    try:
        state = await running.patience.run(lambda _: runtime.read_consent(running, sender_id))
    except PrivacyError:
        return frozenset()
    policy, splitter = running.vault.policy, running.splitter
    if not state.active.issuperset(policy.purposes_guarding(form)):
        return frozenset()
    slots = {item.slot: name for name, item in policy.items.items() if item.slot is not None}
    return frozenset(slot for slot, item in slots.items() if not splitter.purposes_for(item, state.active))


def install() -> None:
    """Let Rasa make our forms."""
    forms_module.FormAction = ConsentFormAction
