"""Consent turns: ask, record a yes, record a no, take it back, stop."""

from typing import Any

from rasa_sdk.events import ActiveLoop, ReminderCancelled, SlotSet

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn, forget_pending
from rasa_privacy.consent.ledger import record_answer, record_asked, state_of
from rasa_privacy.consent.notice import Notice, items_in_words, name_of_item, name_of_purpose, terms_version
from rasa_privacy.dialogue.turns import ASK, GRANT, REFUSE, STOP, WITHDRAW
from rasa_privacy.errors import LedgerError
from rasa_privacy.minimize.events import OWN_ENTITY
from rasa_privacy.policy.model import Policy
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.suppression import STOP as STOPPED
from rasa_privacy.rights.suppression import lift_after_grant, suppress
from rasa_privacy.rights.withdrawal import Withdrawal, destroy, held_by_consent, withdraw
from rasa_privacy.storage.vault import Vault


class AskConsent(PrivacyAction):
    """Show the notice of the first purpose that is missing, and record what was shown."""

    def name(self) -> str:
        """Return the action's name."""
        return ASK

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Record `asked` with the hash of the text, then show that text."""
        if turn.pending is None or not turn.pending.purposes or turn.pending.purposes[0] not in store.policy.purposes:
            raise LedgerError("nothing is to be asked; the question is lost, so nothing is recorded")
        notice = _notice(store.policy, turn.pending.purposes[0], turn)

        def record(connection: Any) -> None:
            subject_id = store.subjects.find_or_create(connection, turn.sender_id, turn.evidence.at)
            record_asked(store, connection, subject_id, notice, turn.evidence)

        store.database.transact(record)
        dropped = [Reply(turn.words("utter_privacy_dropped"), [], [])] if turn.pending.dropped else []
        buttons = [_for_purpose(button, notice.purpose) for button in turn.buttons("utter_privacy_ask")]
        return [*dropped, Reply(notice.text, buttons, [])]


class RecordGrant(PrivacyAction):
    """Record a yes to the notice shown last."""

    def name(self) -> str:
        """Return the action's name."""
        return GRANT

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Record `granted`; only after the commit the bot says so."""
        if turn.intent != "privacy_grant":
            raise LedgerError("nobody said yes; a grant is recorded after an answer only")
        purpose = _asked_purpose(turn)

        def grant(connection: Any) -> None:
            _record(store, connection, turn, purpose, granted=True)
            lift_after_grant(store, connection, turn.sender_id, purpose)

        store.database.transact(grant)
        return [Reply(turn.words("utter_privacy_granted", called=_called(store, turn, purpose)), [], [])]


class RecordRefusal(PrivacyAction):
    """Record a no to the notice shown last."""

    def name(self) -> str:
        """Return the action's name."""
        return REFUSE

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Record `refused`, and say what still works."""
        purpose = _asked_purpose(turn)

        def refuse(connection: Any) -> None:
            subject_id = _record(store, connection, turn, purpose, granted=False)
            destroy(store, connection, subject_id, [purpose], turn.evidence.at)

        store.database.transact(refuse)
        text = turn.words(
            "utter_privacy_refused", called=_called(store, turn, purpose), contact=store.policy.controller.contact
        )
        return [Reply(text, [], [forget_pending()])]


class WithdrawConsent(PrivacyAction):
    """Take consent back for the purposes that the person names."""

    def name(self) -> str:
        """Return the action's name."""
        return WITHDRAW

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """End the consents and destroy what only they allowed; ask which one where that is not clear."""
        done = store.database.transact(lambda connection: self._withdraw(store, connection, turn))
        empty_log(store)
        if isinstance(done, Reply):
            return [done]
        called = turn.phrases.listed(_called(store, turn, name) for name in done.purposes)
        text = turn.words("utter_privacy_withdrawn", called=called, gone=_gone(store, turn, done.items))
        return [Reply(text, [], [*_cleared(store, done.items), forget_pending()])]

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
        return withdraw(store, connection, subject_id, wanted, turn.evidence)


class Stop(PrivacyAction):
    """The opt-out word: every consent ends, with one confirmation and nothing after it."""

    def name(self) -> str:
        """Return the action's name."""
        return STOP

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Withdraw from everything and suppress the sender, known or not; the form that runs ends with it."""

        def withdraw_all(connection: Any) -> tuple[str, ...]:
            suppress(store, connection, turn.sender_id, STOPPED, turn.evidence.at)
            subject_id = store.subjects.find_for_update(connection, turn.sender_id)
            if subject_id is None:
                return ()
            everything = {*store.policy.purposes, *store.data_keys.due_of(connection, subject_id)}
            return withdraw(store, connection, subject_id, everything, turn.evidence).items

        items = store.database.transact(withdraw_all)
        empty_log(store)
        events = [*_cleared(store, items), forget_pending(), ActiveLoop(None), SlotSet("requested_slot", None)]
        events.append(ReminderCancelled())
        return [Reply(turn.words("utter_privacy_stopped"), [], events)]


def _record(store: Vault, connection: Any, turn: Turn, purpose: str, *, granted: bool) -> bytes:
    """Record an answer to the notice shown last, and return the subject id."""
    subject_id = store.subjects.find_for_update(connection, turn.sender_id)
    if subject_id is None:
        raise LedgerError("the person was not asked; ask again")
    record_answer(store, connection, subject_id, purpose, granted=granted, evidence=turn.evidence)
    return subject_id


def _for_purpose(button: dict[str, str], purpose: str) -> dict[str, str]:
    """Name the purpose in the button, so that an older one cannot answer a newer question."""
    return {**button, "payload": f'{button["payload"]}{{"{OWN_ENTITY}": "{purpose}"}}'}


def _asked_purpose(turn: Turn) -> str:
    if turn.pending is None or turn.pending.kind != "consent" or not turn.pending.purposes:
        raise LedgerError("no question about consent is open; ask again")
    return turn.pending.purposes[0]


def _revocable(store: Vault, connection: Any, subject_id: bytes | None, turn: Turn) -> frozenset[str]:
    """Return the purposes that were said yes to, and those whose consent ended and of which data is still held."""
    granted = state_of(store, connection, subject_id, turn.evidence.at).granted
    return granted if subject_id is None else granted | held_by_consent(store, connection, subject_id)


def _notice(policy: Policy, purpose: str, turn: Turn) -> Notice:
    declared, language = policy.purposes[purpose], turn.evidence.language
    text = turn.words(
        "utter_privacy_ask",
        controller=policy.controller.name,
        called=name_of_purpose(policy, purpose, language),
        says=declared.says[language],
        items=items_in_words(policy, purpose, language),
        retention=turn.phrases.retention(declared.retain),
        recipients=turn.phrases.listed(declared.recipients) or turn.phrases.say("nobody_else"),
        policy_url=policy.controller.policy_url,
        contact=policy.controller.contact,
        age=_age(policy, turn),
    )
    return Notice(purpose, terms_version(policy, purpose), language, text)


def _age(policy: Policy, turn: Turn) -> str:
    if not policy.minimum_age:
        return ""
    return f" {turn.phrases.say('age_confirmation', age=str(policy.minimum_age))}"


def _called(store: Vault, turn: Turn, purpose: str) -> str:
    return name_of_purpose(store.policy, purpose, turn.evidence.language)


def _gone(store: Vault, turn: Turn, items: tuple[str, ...]) -> str:
    called = [name_of_item(store.policy, item, turn.evidence.language) for item in items]
    return turn.phrases.listed(called) or turn.phrases.say("nothing_else")


def _cleared(store: Vault, items: tuple[str, ...]) -> list[dict[str, Any]]:
    slots = [store.policy.items[item].slot for item in items]
    return [SlotSet(slot, None) for slot in slots if slot is not None]


def _which(store: Vault, turn: Turn, granted: frozenset[str]) -> Reply:
    buttons = [
        {"title": _called(store, turn, name), "payload": f'/privacy_withdraw{{"{OWN_ENTITY}": "{name}"}}'}
        for name in store.policy.purposes
        if name in granted
    ]
    return Reply(turn.words("utter_privacy_which_purpose"), buttons, [])
