"""What this package adds to Rasa's message processor and to its remote actions.

1. Before a message is parsed, an action predicted or a payload sent, the person's consent is read in a thread, so that
   the components that need it do not read the database in Rasa's event loop. It is read anew for each step: a grant
   that an action made counts for the next prediction of the same turn.
2. Where the store fails, the person is told so; Rasa itself would answer nothing.
"""

import logging
from typing import Any

from rasa_privacy.components import runtime
from rasa_privacy.components.rasa_api import (
    CollectingOutputChannel,
    DialogueStateTracker,
    Domain,
    Event,
    MessageProcessor,
    RemoteAction,
    UserMessage,
    action_module,
    agent_module,
    forms_module,
)
from rasa_privacy.dialogue.turns import CLOSED
from rasa_privacy.errors import ModelMismatchError, PrivacyError

logger = logging.getLogger(__name__)


class ConsentProcessor(MessageProcessor):
    """Rasa's processor, which reads consent ahead and says when the store failed."""

    async def handle_message(self, message: UserMessage) -> list[dict[str, Any]] | None:
        """Handle a message; where the store fails, say so, and keep nothing of it."""
        try:
            answered: list[dict[str, Any]] | None = await super().handle_message(message)
        except ModelMismatchError:
            raise  # such a model has no words of ours
        except PrivacyError:
            logger.exception("A message could not be handled because of the protected store; nothing of it was kept.")
            answered = await self._say_closed(message)
        return answered

    async def _say_closed(self, message: UserMessage) -> list[dict[str, Any]] | None:
        tracker = DialogueStateTracker(message.sender_id, self.domain.slots)
        channel = message.output_channel
        said = await self._get_action(CLOSED).run(channel, self.nlg, tracker, self.domain)
        await self._send_bot_messages(said, tracker, channel)
        return list(channel.messages) if isinstance(channel, CollectingOutputChannel) else None

    async def parse_message(
        self, message: UserMessage, tracker: DialogueStateTracker | None = None, *arguments: Any, **named: Any
    ) -> dict[str, Any]:
        """Parse a message, consent read ahead."""
        await _read_ahead(tracker)
        try:
            parsed: dict[str, Any] = await super().parse_message(message, tracker, *arguments, **named)
            return parsed
        finally:
            runtime.forget()

    async def _run_prediction_loop(self, output_channel: Any, tracker: DialogueStateTracker) -> None:
        await _read_ahead(tracker)
        try:
            await super()._run_prediction_loop(output_channel, tracker)
        finally:
            runtime.forget()

    def predict_next_with_tracker_if_should(self, tracker: DialogueStateTracker) -> Any:
        """Predict the next action; what was read ahead holds for this prediction only."""
        try:
            return super().predict_next_with_tracker_if_should(tracker)
        finally:
            runtime.forget()

    async def _run_action(self, action: Any, tracker: DialogueStateTracker, *arguments: Any, **named: Any) -> bool:
        goes_on: bool = await super()._run_action(action, tracker, *arguments, **named)
        if goes_on:
            await _read_ahead(tracker)
        return goes_on


class ConsentRemoteAction(RemoteAction):
    """Rasa's remote action, whose payload is guarded and cut by consent that was read ahead."""

    async def run(self, output_channel: Any, nlg: Any, tracker: DialogueStateTracker, domain: Domain) -> list[Event]:
        """Run the action, consent read ahead. Rasa gives it a copy of the tracker, so the sender id must do."""
        await _read_ahead_of(tracker.sender_id)
        try:
            events: list[Event] = await super().run(output_channel, nlg, tracker, domain)
            return events
        finally:
            runtime.forget()


async def _read_ahead(tracker: DialogueStateTracker | None) -> None:
    if tracker is not None and runtime.handle_of(tracker) is not None:
        await _read_ahead_of(tracker.sender_id)


async def _read_ahead_of(sender_id: str) -> None:
    running = runtime.current()
    if running is None:
        return
    try:
        runtime.foresee(sender_id, await running.patience.run(lambda _: runtime.read_consent(running, sender_id)))
    except PrivacyError:
        runtime.foresee(sender_id, None)


def install() -> None:
    """Let Rasa make our processor and our remote actions."""
    agent_module.MessageProcessor = ConsentProcessor
    action_module.RemoteAction = ConsentRemoteAction
    forms_module.RemoteAction = ConsentRemoteAction
