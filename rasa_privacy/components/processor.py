"""What this package adds to Rasa's message processor; what it adds to remote actions is in `remote_action`.

1. Before a message is parsed, an action predicted or a payload sent, the person's consent is read in a thread, so that
   the components that need it do not read the database in Rasa's event loop. It is read anew for each step: a grant
   that an action made counts for the next prediction of the same turn. The slots for conditions are set by it before.
2. A message that nobody typed, or an action that is named from outside (`triggers.py`), is stopped where the person
   must not be written to.
3. Global Privacy Control (`channels.py`) is recorded before the message that brought it is handled.
4. While the conversation is paused, STOP and the like are obeyed all the same, and nothing else.
5. The bot's own policies do not notice the privacy turns (`unnoticed.py`).
6. Where the store fails, the person is told so; Rasa itself would answer nothing.
7. Metadata and texts that Rasa cannot handle are cut (`message_metadata.py`, `message_text.py`).
8. A button of the bot's own that means a request is that request (`own_intents.py`).
9. Where language models look for names, they read a text in a thread before anything in the loop needs what they find.
"""

import logging
from contextvars import ContextVar
from typing import Any

from rasa_privacy.components import forms, runtime
from rasa_privacy.components.channels import signalled
from rasa_privacy.components.message_metadata import bounded
from rasa_privacy.components.message_text import as_read, of_whole, shortened
from rasa_privacy.components.own_intents import pressed
from rasa_privacy.components.privacy_turn import consent_slot_events, is_heard_while_paused, pending_of
from rasa_privacy.components.rasa_api import (
    CollectingOutputChannel,
    DialogueStateTracker,
    MessageProcessor,
    UserMessage,
    action_module,
    agent_module,
    forms_module,
)
from rasa_privacy.components.read_ahead import read_ahead, search_ahead
from rasa_privacy.components.remote_action import ConsentRemoteAction
from rasa_privacy.components.triggers import (
    SUPPRESSED,
    TriggerRefusedError,
    answer,
    execution_refusal_of,
    has_spoken,
    intent_refusal_of,
    is_refusal,
    is_triggered,
    record_refusal,
    refusal_of,
)
from rasa_privacy.components.unnoticed import seen_by_policies
from rasa_privacy.consent.opt_out_signals import record_gpc
from rasa_privacy.dialogue.names import CLOSED
from rasa_privacy.errors import ModelMismatchError, PrivacyError
from rasa_privacy.rights.reach import must_not_be_reached

logger = logging.getLogger(__name__)

#: Whether the gate has told the person in this turn that the store is closed; saying it again tells nothing.
_told_closed: ContextVar[bool] = ContextVar("rasa_privacy_told_closed", default=False)


class ConsentProcessor(MessageProcessor):
    """Rasa's processor, which reads consent ahead and says when the store failed."""

    async def handle_message(self, message: UserMessage) -> list[dict[str, Any]] | None:
        """Handle a message; where the store fails, say so, and keep nothing of it."""
        message.metadata = bounded(message.metadata)
        _told_closed.set(False)
        try:
            if signalled(message.metadata):
                await _record_signal(message)
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
        if not _told_closed.get():
            said = await self._get_action(CLOSED).run(channel, self.nlg, tracker, self.domain)
            await self._send_bot_messages(said, tracker, channel)
        return list(channel.messages) if isinstance(channel, CollectingOutputChannel) else None

    async def _handle_message_with_tracker(self, message: UserMessage, tracker: DialogueStateTracker) -> None:
        """Read a message; so comes what the HTTP API adds to a conversation, too."""
        message.text = shortened(message.text)
        await super()._handle_message_with_tracker(message, tracker)

    async def parse_message(
        self, message: UserMessage, tracker: DialogueStateTracker | None = None, *arguments: Any, **named: Any
    ) -> dict[str, Any]:
        """Parse a message, consent read ahead."""
        await read_ahead(tracker)
        read = as_read(message)
        await search_ahead([read.text or ""])
        runtime.heard_on(message.input_channel)
        try:
            parsed: dict[str, Any] = await super().parse_message(read, tracker, *arguments, **named)
            parsed = parsed if read is message else of_whole(parsed, message.text)
            running = runtime.current()
            return pressed(running.vault.policy, parsed) if running is not None else parsed
        finally:
            runtime.heard_on(None)
            runtime.forget()

    async def _run_prediction_loop(self, output_channel: Any, tracker: DialogueStateTracker) -> None:
        await read_ahead(tracker)
        try:
            await super()._run_prediction_loop(output_channel, tracker)
        finally:
            runtime.forget()

    def _should_handle_message(self, tracker: DialogueStateTracker) -> bool:
        """Return whether something is said to a message: also while a human has taken over, where a right is used."""
        return bool(super()._should_handle_message(tracker)) or is_heard_while_paused(tracker)

    def predict_next_with_tracker_if_should(self, tracker: DialogueStateTracker) -> Any:
        """Predict the next action; what was read ahead holds for this prediction only.

        Raises:
            TriggerRefusedError: Nobody typed the message, and it must not lead to that action.
        """
        try:
            action, prediction = super().predict_next_with_tracker_if_should(tracker)
        finally:
            runtime.forget()
        running = runtime.current()
        if running is not None and is_triggered(tracker):
            reason = refusal_of(running.vault.policy, action.name(), running.vault.clock())
            if reason is not None:
                raise TriggerRefusedError(reason)
        return action, prediction

    def _predict_next_with_tracker(self, tracker: DialogueStateTracker) -> Any:
        """Predict; the bot's own policies do not notice the privacy turns, and see the ledger of now in slots."""
        for event in consent_slot_events(tracker):
            tracker.update(event, self.domain)
        seen = tracker if tracker.followup_action else seen_by_policies(tracker)
        return super()._predict_next_with_tracker(seen)

    async def trigger_external_user_uttered(
        self, intent_name: str, entities: Any, tracker: DialogueStateTracker, output_channel: Any
    ) -> None:
        """Handle a message that nobody typed, unless it speaks for the person, who may not be written to either.

        Raises:
            Exception: It was stopped; Rasa's HTTP server answers 409 with the reason.
        """
        try:
            await _check_suppression(tracker.sender_id)
            _check_intent(intent_name, tracker)
            await super().trigger_external_user_uttered(intent_name, entities, tracker, output_channel)
        except TriggerRefusedError as refused:
            logger.warning("An external trigger was stopped: %s.", refused)
            await _audit(tracker.sender_id, refused)
            if has_spoken(tracker):
                await self.save_tracker(tracker)  # what was said before must not be forgotten
            raise answer(refused) from None

    async def execute_action(self, sender_id: str, action_name: str, *arguments: Any, **named: Any) -> Any:
        """Run an action that somebody named from outside, unless the person must not be written to.

        Raises:
            TriggerRefusedError: It was stopped; Rasa's HTTP server answers 500 with the reason.
        """
        try:
            await _check_suppression(sender_id)
            await _check_execution(sender_id, action_name)
        except TriggerRefusedError as refused:
            logger.warning("An action was not executed from outside: %s.", refused)
            await _audit(sender_id, refused)
            raise
        return await super().execute_action(sender_id, action_name, *arguments, **named)

    async def handle_reminder(self, reminder_event: Any, sender_id: str, output_channel: Any) -> None:
        """Handle a reminder; one that was stopped has nobody to answer to."""
        try:
            await super().handle_reminder(reminder_event, sender_id, output_channel)
        except Exception as error:
            if not is_refusal(error):
                raise

    async def _run_action(self, action: Any, tracker: DialogueStateTracker, *arguments: Any, **named: Any) -> bool:
        goes_on: bool = await super()._run_action(action, tracker, *arguments, **named)
        if action.name() == CLOSED:
            _told_closed.set(True)
        if goes_on:
            await read_ahead(tracker)
        return goes_on


async def _check_suppression(sender_id: str) -> None:
    """Stop a trigger to a person who is suppressed, or a contact of whom is.

    Raises:
        TriggerRefusedError: The person must not be written to.
    """
    running = runtime.current()
    if running is None:
        return
    vault = running.vault

    def look(_: Any) -> bool:
        with vault.database.read() as connection:
            return must_not_be_reached(vault, connection, sender_id)

    if await running.patience.run(look):
        raise TriggerRefusedError(SUPPRESSED)


def _check_intent(intent: str, tracker: DialogueStateTracker) -> None:
    """Stop a trigger that would speak for the person.

    Raises:
        TriggerRefusedError: It would answer a question of ours, or use a right.
    """
    running = runtime.current()
    if running is None:
        return
    reason = intent_refusal_of(running.vault.policy, intent, is_asked=pending_of(tracker) is not None)
    if reason is not None:
        raise TriggerRefusedError(reason)


async def _check_execution(sender_id: str, action: str) -> None:
    """Stop an action that is named from outside and is ours, lacks consent, or comes in quiet hours.

    Raises:
        TriggerRefusedError: It must not run.
    """
    running = runtime.current()
    if running is None:
        return
    try:
        state = await running.patience.run(lambda _: runtime.read_consent(running, sender_id))
    except PrivacyError:
        state = None
    active = state.active if state is not None else frozenset()
    reason = execution_refusal_of(running.vault.policy, action, active, running.vault.clock())
    if reason is not None:
        raise TriggerRefusedError(reason)


async def _audit(sender_id: str, refused: TriggerRefusedError) -> None:
    running = runtime.current()
    if running is not None:
        vault = running.vault
        await running.patience.run(lambda _: record_refusal(vault, sender_id, str(refused)))


async def _record_signal(message: UserMessage) -> None:
    """Record Global Privacy Control, once for each person."""
    running = runtime.current()
    if running is None:
        return
    vault = running.vault

    def record(connection: Any) -> None:
        subject_id = vault.subjects.find_or_create(connection, message.sender_id, vault.clock())
        record_gpc(vault, connection, subject_id, vault.clock(), message.input_channel or "other")

    await running.patience.run(lambda _: vault.database.transact(record))


def install() -> None:
    """Let Rasa make our processor and our remote actions."""
    agent_module.MessageProcessor = ConsentProcessor
    action_module.RemoteAction = ConsentRemoteAction
    forms_module.RemoteAction = ConsentRemoteAction
    forms.install()
