"""`ConsentRemoteAction`: what this package adds to Rasa's call of the action server.

The consent by which `payload` cuts what is sent is read before the call, and so is what language models find in the
texts that go along (`read_ahead`).
"""

from functools import cache
from typing import Any

from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from rasa_privacy.components import runtime
from rasa_privacy.components.emitted_tracker import Recent, recent_texts
from rasa_privacy.components.rasa_api import DialogueStateTracker, Domain, Event, RemoteAction
from rasa_privacy.components.read_ahead import read_ahead_of, search_ahead


class ConsentRemoteAction(RemoteAction):
    """Rasa's remote action, whose payload is guarded and cut by consent that was read ahead."""

    def _action_call_format(self, tracker: DialogueStateTracker, domain: Domain) -> dict[str, Any]:
        running = runtime.current()
        seen = tracker if running is None else Recent(tracker, running.vault.policy.actions)
        body: dict[str, Any] = super()._action_call_format(seen, domain)
        return body

    async def run(self, output_channel: Any, nlg: Any, tracker: DialogueStateTracker, domain: Domain) -> list[Event]:
        """Run the action, consent read ahead. Rasa gives it a copy of the tracker, so the sender id must do."""
        await read_ahead_of(tracker.sender_id)
        running = runtime.current()
        if running is not None:
            await search_ahead(recent_texts(tracker, running.vault.policy.actions))
        try:
            events: list[Event] = await super().run(output_channel, nlg, tracker, domain)
            return events
        finally:
            runtime.forget()

    def _validate_action_result(self, result: dict[str, Any]) -> bool:
        """Check an answer as Rasa does, which looks at its own schema anew each time: most of the time of a call."""
        # What is wrong with a bad answer Rasa says itself.
        return _answers().is_valid(result) or bool(super()._validate_action_result(result))


@cache
def _answers() -> Validator:
    """Return what knows a good answer of an action server."""
    schema = RemoteAction.action_response_format_spec()
    checker: Validator = validator_for(schema)(schema)
    return checker
