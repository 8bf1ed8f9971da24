"""Consent that ends: taken back in words, or with everything else by an opt-out word."""

from typing import Any

from rasa_sdk.events import ActiveLoop, ReminderCancelled, SlotSet

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn, called, cleared, forget_pending
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.notice import name_of_item
from rasa_privacy.dialogue.turns import STOP, WITHDRAW
from rasa_privacy.minimize.events import OWN_ENTITY
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.own_acts import note_taken, own_act
from rasa_privacy.rights.suppression import STOP as STOPPED
from rasa_privacy.rights.suppression import suppress
from rasa_privacy.rights.withdrawal import Withdrawal, held_by_consent, withdraw, withdraw_all, withdraw_items
from rasa_privacy.storage import holds
from rasa_privacy.storage.vault import Vault


class WithdrawConsent(PrivacyAction):
    """Take consent back for the purposes, or the optional items, that the person names."""

    def name(self) -> str:
        """Return the action's name."""
        return WITHDRAW

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """End the consents and destroy what only they allowed; ask which one where that is not clear."""
        if turn.items and not turn.purposes:
            items = store.database.transact(lambda connection: self._withdraw_items(store, connection, turn))
            empty_log(store)
            if items:
                names = _gone(store, turn, items)
                text = turn.words("utter_privacy_withdrawn", called=names, gone=names)
                return [Reply(text, [], [*cleared(store, items), forget_pending()])]
        done = store.database.transact(lambda connection: self._withdraw(store, connection, turn))
        empty_log(store)
        if isinstance(done, Reply):
            return [done]
        ended = turn.phrases.listed(called(store, turn, name) for name in done.purposes)
        text = turn.words("utter_privacy_withdrawn", called=ended, gone=_gone(store, turn, done.items))
        return [Reply(text, [], [*cleared(store, done.items), forget_pending()])]

    @staticmethod
    def _withdraw_items(store: Vault, connection: Any, turn: Turn) -> tuple[str, ...]:
        subject_id = store.subjects.find_for_update(connection, turn.sender_id)
        if subject_id is None:
            return ()
        gone = withdraw_items(store, connection, subject_id, turn.items, turn.evidence)
        if gone:
            note_taken(store, connection, own_act(store, "consent", subject_id, items=gone))
        return gone

    @staticmethod
    def _withdraw(store: Vault, connection: Any, turn: Turn) -> Withdrawal | Reply:
        """Withdraw from what the person named, or return what to say instead."""
        subject_id = store.subjects.find_for_update(connection, turn.sender_id)
        granted = _revocable(store, connection, subject_id, turn)
        wanted = [name for name in turn.purposes if name in granted]
        if subject_id is None or not granted or (turn.purposes and not wanted):
            return Reply(turn.words("utter_privacy_nothing_to_withdraw"), [], [])
        if not wanted:
            # "Take me off the list" may mean something else than the one consent on record.
            return _which(store, turn, granted)
        done = withdraw(store, connection, subject_id, wanted, turn.evidence)
        note_taken(store, connection, own_act(store, "consent", subject_id, purposes=wanted, items=done.items))
        return done


class Stop(PrivacyAction):
    """The opt-out word: every consent ends, with one confirmation and nothing after it."""

    def name(self) -> str:
        """Return the action's name."""
        return STOP

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Withdraw from everything and suppress the sender, known or not; the form that runs ends with it."""

        def stop(connection: Any) -> tuple[tuple[str, ...], bool]:
            suppress(store, connection, turn.sender_id, STOPPED, turn.evidence.at)
            done = withdraw_all(store, connection, turn.sender_id, turn.evidence)
            subject_id = store.subjects.find(connection, turn.sender_id)
            is_held = subject_id is not None and holds.is_held(connection, subject_id)
            stopped = own_act(store, "suppress", subject_id, purposes=done.purposes, items=done.items)
            note_taken(store, connection, stopped)
            return done.items, is_held

        items, is_held = store.database.transact(stop)
        empty_log(store)
        events = [*cleared(store, items), forget_pending(), ActiveLoop(None), SlotSet("requested_slot", None)]
        events.append(ReminderCancelled())
        if is_held:
            return [Reply(turn.words("utter_privacy_stopped_held"), [], events)]
        return [Reply(turn.words("utter_privacy_stopped", say_delete=turn.phrases.say("say_delete")), [], events)]


def _revocable(store: Vault, connection: Any, subject_id: bytes | None, turn: Turn) -> frozenset[str]:
    """Return the purposes that were said yes to, and those whose consent ended and of which data is still held."""
    granted = state_of(store, connection, subject_id, turn.evidence.at).granted
    return granted if subject_id is None else granted | held_by_consent(store, connection, subject_id)


def _gone(store: Vault, turn: Turn, items: tuple[str, ...]) -> str:
    names = [name_of_item(store.policy, item, turn.evidence.language) for item in items]
    return turn.phrases.listed(names) or turn.phrases.say("nothing_else")


def _which(store: Vault, turn: Turn, granted: frozenset[str]) -> Reply:
    buttons = [
        {"title": called(store, turn, name), "payload": f'/privacy_withdraw{{"{OWN_ENTITY}": "{name}"}}'}
        for name in store.policy.purposes
        if name in granted
    ]
    return Reply(turn.words("utter_privacy_which_purpose"), buttons, [])
