"""Consent that ends: taken back in words, or with everything else by an opt-out word.

While a proof of identity counts, the conversations that it found are meant as well.
"""

from collections.abc import Collection
from typing import Any, Final

from rasa_sdk.events import ActiveLoop, ReminderCancelled, SlotSet

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn, asked_once_more, called, cleared, which_purpose
from rasa_privacy.actions.pending_events import forget_pending
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.notice import name_of_item
from rasa_privacy.dialogue.names import STOP, WITHDRAW
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.identity import writing_people
from rasa_privacy.rights.linked import stop_linked
from rasa_privacy.rights.own_acts import note_taken, own_act
from rasa_privacy.rights.withdrawal import Withdrawal, held_by_consent, merged, withdraw, withdraw_items
from rasa_privacy.storage.vault import Vault

#: The second is the button "no" of a question that was answered with yes.
_REQUESTS: Final = ("privacy_withdraw", "privacy_refuse")


class WithdrawConsent(PrivacyAction):
    """Take consent back for the purposes, or the optional items, that the person names."""

    def name(self) -> str:
        """Return the action's name."""
        return WITHDRAW

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """End the consents and destroy what only they allowed; ask which one where that is not clear."""
        turn = asked_once_more(turn, _REQUESTS)
        if turn.items and not turn.purposes:
            gone = store.database.transact(lambda connection: self._withdraw_items(store, connection, turn))
            empty_log(store)
            if any(gone):
                names = _gone(store, turn, tuple(dict.fromkeys(item for items in gone for item in items)))
                text = turn.words("utter_privacy_withdrawn", called=names, gone=names)
                return [Reply(text, [], [*cleared(store, gone[0]), forget_pending()])]
        done = store.database.transact(lambda connection: self._withdraw(store, connection, turn))
        empty_log(store)
        if isinstance(done, Reply):
            return [done]
        every = merged(done)
        ended = turn.phrases.listed(called(store, turn, name) for name in every.purposes)
        text = turn.words("utter_privacy_withdrawn", called=ended, gone=_gone(store, turn, every.removed))
        return [Reply(text, [], [*cleared(store, done[0].items), forget_pending()])]

    @staticmethod
    def _withdraw_items(store: Vault, connection: Any, turn: Turn) -> list[tuple[str, ...]]:
        """Take back the consent to the items; return which went in each conversation, this one first."""
        found = []
        for each in writing_people(store, connection, turn.sender_id, turn.evidence.at):
            found.append(gone := withdraw_items(store, connection, each, turn.items, turn.evidence))
            if gone:
                note_taken(store, connection, own_act(store, "consent", each, items=gone))
        return found

    @staticmethod
    def _withdraw(store: Vault, connection: Any, turn: Turn) -> list[Withdrawal] | Reply:
        """Withdraw from what the person named, here first; or return what to say instead."""
        people = writing_people(store, connection, turn.sender_id, turn.evidence.at)
        there = [_revocable(store, connection, each, turn) for each in people]
        granted = frozenset[str]().union(*there)
        wanted = [name for name in turn.purposes if name in granted]
        if not granted:
            return Reply(turn.words("utter_privacy_nothing_to_withdraw"), [], [])
        if (turn.purposes or turn.items) and not wanted:
            items = (name_of_item(store.policy, item, turn.evidence.language) for item in dict.fromkeys(turn.items))
            named = turn.phrases.listed([*(called(store, turn, name) for name in turn.purposes), *items])
            return Reply(turn.words("utter_privacy_not_agreed", called=named), [], [])
        if not wanted:
            # "Take me off the list" may mean something else than the one consent on record.
            return _which(store, turn, granted)
        done = []
        for each, revocable in zip(people, there, strict=True):
            done.append(ended := withdraw(store, connection, each, wanted, turn.evidence))
            gone = [name for name in wanted if name in revocable]
            if gone:
                note_taken(store, connection, own_act(store, "consent", each, purposes=gone, items=ended.items))
        return done


class Stop(PrivacyAction):
    """The opt-out word: every consent ends, with one confirmation and nothing after it (ADR 38)."""

    def name(self) -> str:
        """Return the action's name."""
        return STOP

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Withdraw from everything and suppress the sender, known or not; the form that runs ends with it."""
        done = store.database.transact(lambda conn: stop_linked(store, conn, turn.sender_id, turn.evidence))
        empty_log(store)
        events = [*cleared(store, done.items), forget_pending(), ActiveLoop(None), SlotSet("requested_slot", None)]
        events.append(ReminderCancelled())
        if not done.is_new:
            return [Reply("" if _is_texted(turn) else turn.words("utter_privacy_stopped_already"), [], events)]
        if done.is_held:
            held = "utter_privacy_stopped_held" if done.is_told else "utter_privacy_stopped_must_stay"
            return [Reply(turn.words(held), [], events)]
        return [Reply(turn.words("utter_privacy_stopped", say_delete=turn.phrases.say("say_delete")), [], events)]


def _is_texted(turn: Turn) -> bool:
    """Return whether the conversation is by text message, where a second confirmation may not be sent.

    Rasa's `twilio` has WhatsApp too, which is a chat and stands before the number.
    """
    by_twilio = turn.channel == "twilio" and not turn.sender_id.startswith("whatsapp:")
    return by_twilio or "sms" in turn.channel.lower()


def _revocable(store: Vault, connection: Any, subject_id: bytes, turn: Turn) -> frozenset[str]:
    """Return the purposes that were said yes to, and those whose consent ended and of which data is still held."""
    granted = state_of(store, connection, subject_id, turn.evidence.at).granted
    return granted | held_by_consent(store, connection, subject_id)


def _gone(store: Vault, turn: Turn, items: tuple[str, ...]) -> str:
    names = [name_of_item(store.policy, item, turn.evidence.language) for item in items]
    return turn.phrases.listed(names) or turn.phrases.say("nothing_else")


def _which(store: Vault, turn: Turn, granted: Collection[str]) -> Reply:
    possible = [name for name in store.policy.purposes if name in granted]
    return which_purpose(store, turn, "utter_privacy_which_purpose", "privacy_withdraw", possible)
