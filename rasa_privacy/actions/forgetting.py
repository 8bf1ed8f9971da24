"""The turn that forgets what was said last, at once: who asks for it has just said what they mean."""

from rasa_sdk.events import SlotSet

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn
from rasa_privacy.actions.parts import held_reply
from rasa_privacy.actions.pending_events import forget_pending
from rasa_privacy.consent.notice import name_of_item
from rasa_privacy.dialogue.names import FORGET
from rasa_privacy.errors import HoldError
from rasa_privacy.rights.forgetting import forget_last
from rasa_privacy.storage.vault import Vault


class ForgetLast(PrivacyAction):
    """Forget the last message: its text, and what was noted from it."""

    def name(self) -> str:
        """Return the action's name."""
        return FORGET

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Forget it, and say so after it was read back."""
        try:
            done = forget_last(store, turn.sender_id, turn.evidence)
        except HoldError:
            return [held_reply(store, turn)]
        if done is None:
            return [Reply(turn.words("utter_privacy_nothing_to_forget"), [], [forget_pending()])]
        named = [name_of_item(store.policy, item, turn.evidence.language) for item in done.items]
        gone = turn.phrases.listed([turn.phrases.say("your_last_message"), *named])
        events = [SlotSet(slot, None) for slot in done.slots]
        return [Reply(turn.words("utter_privacy_forgotten", gone=gone), [], [*events, forget_pending()])]
