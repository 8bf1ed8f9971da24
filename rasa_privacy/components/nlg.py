"""The request to an NLG server: the Emit door of `nlg:` in endpoints.yml.

Rasa sends the whole tracker. Here the server gets what an action of the same needs gets (`payload.py`): the events that
`actions` of privacy.yml names, and the slots that stand in the response's text in the domain, of active purposes.

1. It learns the person's random id and never the sender id: it renders a text, and answers to nobody.
2. The arguments that an action hands to a response go along, buttons among them, but for values that the response may
   not have, also inside lists and mappings.
3. Where the ledger cannot be read nobody has consented, and the server gets names of intents and actions alone.
"""

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, Final

from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

from rasa_privacy.components import runtime
from rasa_privacy.components.emitted_tracker import Recent, State, minimised, recent_texts
from rasa_privacy.components.history import latest_entities, latest_values
from rasa_privacy.components.publishing import without_foreign_id
from rasa_privacy.components.rasa_api import (
    CallbackNaturalLanguageGenerator,
    DialogueStateTracker,
    nlg_module,
    nlg_response_format_spec,
)
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.state import ConsentState
from rasa_privacy.errors import EmitError, PrivacyError
from rasa_privacy.minimize.event_fields import SENDER, channel_name, number_of, texts_of
from rasa_privacy.minimize.known_values import KnownValues
from rasa_privacy.minimize.masking import mask
from rasa_privacy.minimize.view import View

_FEWEST_CHARACTERS: Final = 6


class PrivateNlg(CallbackNaturalLanguageGenerator):
    """Rasa's NLG over HTTP, with a minimised request."""

    async def generate(
        self, utter_action: str, tracker: DialogueStateTracker, output_channel: str, **kwargs: Any
    ) -> State | None:
        """Return the response that the server writes.

        Raises:
            EmitError: There is no protected store in this process.
            RasaException: The server's answer is no response.
        """
        running = runtime.current()
        if running is None:
            raise EmitError(
                "nlg: no response was asked for, because this process has no protected store to minimise the request "
                "with; set 'tracker_store' in endpoints.yml as 'rasa-privacy check' says"
            )
        person, state = await running.patience.run(lambda _: _person(running, tracker.sender_id))
        items = running.needs.of_response(utter_action)
        if state.limited:
            items = running.needs.within_limit(utter_action, items)
        view = View(state.active, {}, items=items)
        detection = running.splitter.detection
        if detection.takes_long:
            texts = recent_texts(tracker, running.vault.policy.actions)
            await running.patience.run(lambda _: detection.search_ahead(texts))
        safe = _Safe(tracker, running, view, person)
        arguments = {
            name: value if name == "domain_responses" else safe.argument(value) for name, value in kwargs.items()
        }
        channel = channel_name(output_channel) or ""  # who calls the REST channel may name it after the person
        answer: State | None = await super().generate(utter_action, safe, channel, **arguments)
        return answer

    @staticmethod
    def validate_response(content: State | None) -> bool:
        """Check an answer as Rasa does, which looks at its own schema anew each time: most of the time of a request.

        Raises:
            RasaException: The answer is no response.
        """
        # What is wrong with a bad answer Rasa says itself.
        return _answers().is_valid(content) or bool(CallbackNaturalLanguageGenerator.validate_response(content))


@cache
def _answers() -> Validator:
    """Return what knows a good answer of an NLG server."""
    schema = nlg_response_format_spec()
    checker: Validator = validator_for(schema)(schema)
    return checker


class _Safe(Recent):
    """A tracker as the NLG server sees it."""

    def __init__(self, tracker: DialogueStateTracker, running: runtime.Runtime, view: View, person: str) -> None:
        super().__init__(tracker, running.vault.policy.actions)
        self._splitter, self._view = running.splitter, view
        self.sender_id = person

    def current_state(self, _verbosity: object = None) -> State:
        """Return the state that may leave the process."""
        state = minimised(super().current_state(), self._splitter, self._settings, self._view)
        message = without_foreign_id(state["latest_message"])
        events = [without_foreign_id(event) for event in state["events"]]
        return {**state, "sender_id": self.sender_id, "latest_message": message, "events": events}

    def current_slot_values(self) -> State:
        """Return the slots by which Rasa chooses, in this process, the variation of a response."""
        slots: State = self._tracker.current_slot_values()
        return slots

    def argument(self, value: object) -> object:
        """Return what an action hands to a response, without values that the response may not have."""
        if isinstance(value, Mapping):
            return {self.argument(name): self.argument(part) for name, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.argument(part) for part in value]
        written = next(texts_of(value), "")
        sender_id = self._tracker.sender_id
        is_long = len(sender_id) >= _FEWEST_CHARACTERS  # a shorter one stands in other words by accident
        anonymous = written.replace(sender_id, f"[{SENDER}]") if is_long or written == sender_id else written
        masked = mask(anonymous, (), self._withheld)
        return value if masked == written else masked

    @cached_property
    def _withheld(self) -> KnownValues:
        """The values that the response may not have, by item."""
        slots = self._tracker.current_slot_values().items()
        given = latest_values(reversed(self._tracker.events))
        said = latest_entities(reversed(self._tracker.events))
        known = self._splitter.known_values([*slots, *given], said)
        withheld = {item: found for item, found in known.items() if not self._splitter.may_have(item, self._view)}
        return KnownValues({**number_of(self._tracker.sender_id), **withheld})


def _person(running: runtime.Runtime, sender_id: str) -> tuple[str, ConsentState]:
    """Return a person's random id, empty for nobody yet, and what they allow."""
    vault = running.vault
    try:
        with vault.database.read() as connection:
            subject_id = vault.subjects.find(connection, sender_id)
            state = state_of(vault, connection, subject_id, vault.clock())
    except PrivacyError:
        return "", ConsentState({}, frozenset())
    return "" if subject_id is None else subject_id.hex(), state


def install() -> None:
    """Let Rasa make our generator where `nlg:` names a server."""
    nlg_module.CallbackNaturalLanguageGenerator = PrivateNlg
