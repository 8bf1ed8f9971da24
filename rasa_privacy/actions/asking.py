"""The questions that come before anything is collected, and their answers.

One question at a time: the age, a purpose with what it needs, its optional items. What was shown is recorded before it
is shown, with the hash of its text, but for the age (`asking_age`); an answer is recorded before it is confirmed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from rasa_sdk.events import SlotSet

from rasa_privacy.actions.asking_age import ask_age, record_age_asked
from rasa_privacy.actions.base import PrivacyAction, Reply, Turn, answer_buttons, called, cleared
from rasa_privacy.actions.confirming import code_question, confirm_by_code
from rasa_privacy.actions.pending_events import ask_again_with, forget_pending
from rasa_privacy.actions.proving import decline_proof, is_proof, proof_question
from rasa_privacy.actions.questions import Question, asked_again, question_of, topics_of
from rasa_privacy.consent.double_opt_in import end_code
from rasa_privacy.consent.ledger import is_asked_since, record_answer, record_asked, record_left_out
from rasa_privacy.consent.notice import name_of_item
from rasa_privacy.dialogue.names import ASK, EXPLAIN, GRANT, LIMIT, REFUSE, TOO_YOUNG, YOUNG_SLOT, action_of
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import LedgerError
from rasa_privacy.policy.topics import choice
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.own_acts import note_taken, own_act
from rasa_privacy.rights.suppression import lift_after_grant
from rasa_privacy.rights.withdrawal import Withdrawal, destroy, destroy_items, withdraw_all
from rasa_privacy.storage.vault import Vault

#: As long as Rasa's sessions are, unless the domain says otherwise.
_IN_SIGHT: Final = timedelta(hours=1)


class AskConsent(PrivacyAction):
    """Ask the question that waits, and record what was shown."""

    def name(self) -> str:
        """Return the action's name."""
        return ASK

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Record `asked` with the hash of the text, then show that text."""
        pending = _open(turn)
        if is_proof(pending):
            return proof_question(turn, pending)
        if pending.purposes[0] not in store.policy.purposes:
            raise LedgerError("the question is about a purpose that privacy.yml has no more, so it is not asked")
        waiting = code_question(store, turn, pending)
        if waiting is not None:
            return waiting
        question = question_of(store.policy, turn, pending)
        if pending.kind == "age":
            return [ask_age(store, turn, pending, question)]

        def record(connection: Any) -> bool:
            subject_id = store.subjects.find_or_create(connection, turn.sender_id, turn.evidence.at)
            if _was_just_shown(store, connection, subject_id, turn, pending, question):
                return False
            for notice in question.notices:
                record_asked(store, connection, subject_id, notice, turn.evidence)
            return True

        if not store.database.transact(record):
            again = asked_again(store.policy, turn, pending)
            return [Reply(again, answer_buttons(turn, question.response, pending), [])]
        dropped = [Reply(turn.words("utter_privacy_dropped"), [], [])] if pending.dropped else []
        return [*dropped, Reply(question.text, answer_buttons(turn, question.response, pending), [])]


class RecordGrant(PrivacyAction):
    """Record a yes to the question asked last."""

    def name(self) -> str:
        """Return the action's name."""
        return GRANT

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Record `granted`; only after the commit the bot says so."""
        if turn.intent not in ("privacy_grant", "privacy_limit"):
            raise LedgerError("nobody said yes; a grant is recorded after an answer only")
        pending = _open(turn)
        if pending.kind == "consent" and store.policy.purposes[pending.purposes[0]].double_opt_in:
            return confirm_by_code(store, turn, pending)

        def grant(connection: Any) -> None:
            if pending.kind == "age":
                record_age_asked(store, connection, turn, pending)
            subject_id = _subject(store, connection, turn)
            _record(store, connection, subject_id, topics_of(pending), turn, granted=True)
            if pending.kind == "consent":
                lift_after_grant(store, connection, turn.sender_id, pending.purposes[0])

        store.database.transact(grant)
        if pending.kind == "age":
            return []
        what = _items(store, turn, pending.items) if pending.kind == "optional" else _called(store, turn, pending)
        return [Reply(turn.words("utter_privacy_granted", called=what), [], [])]


class RecordRefusal(PrivacyAction):
    """Record a no to the question asked last, or that no answer was clear."""

    def name(self) -> str:
        """Return the action's name."""
        return REFUSE

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Record `refused`, and say what still works."""
        pending = _open(turn)
        if is_proof(pending):
            return decline_proof(turn)
        gone: tuple[str, ...] = ()
        if pending.kind != "age":
            gone = store.database.transact(lambda connection: _refuse(store, connection, turn, pending))
        if pending.kind == "optional":
            empty_log(store)
            return [_left_out(store, turn, pending.items, gone)]
        what = _called(store, turn, pending)
        if turn.intent != "privacy_refuse":
            return [Reply(turn.words("utter_privacy_counted_as_no", called=what), [], [])]
        contact = store.policy.controller.contact
        return [Reply(turn.words("utter_privacy_refused", called=what, contact=contact), [], [])]


class RecordLimits(PrivacyAction):
    """Record a yes that leaves something out; where that is needed, ask whether it may be used."""

    def name(self) -> str:
        """Return the action's name."""
        return LIMIT

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Record what was answered; a yes without what it needs is none."""
        pending = _open(turn)
        purpose = pending.purposes[0]
        declared = store.policy.purposes[purpose]
        out = [item for item in turn.items if item in declared.items]
        needed = tuple(item for item in out if item not in declared.choices)
        if turn.intent != "privacy_limit" or not out:
            raise LedgerError("the message leaves nothing out; ask again")
        if needed:
            waiting = replace(pending, kind="consent", items=needed)
            question = question_of(store.policy, turn, waiting)
            return [Reply(question.text, answer_buttons(turn, question.response, waiting), [ask_again_with(waiting)])]
        if pending.kind == "consent" and declared.double_opt_in:
            return confirm_by_code(store, turn, pending)  # what is optional has a question of its own, after the code

        def record(connection: Any) -> tuple[str, ...]:
            subject_id = _subject(store, connection, turn)
            granted = [item for item in pending.items if item not in out]
            topics = [choice(purpose, item) for item in granted] if pending.kind == "optional" else [purpose]
            _record(store, connection, subject_id, topics, turn, granted=True)
            for item in out:
                record_left_out(store, connection, subject_id, choice(purpose, item), purpose, turn.evidence)
            if pending.kind == "consent":
                lift_after_grant(store, connection, turn.sender_id, purpose)
            return _leave_out(store, connection, subject_id, pending, out, turn)

        gone = store.database.transact(record)
        empty_log(store)
        replies = [_left_out(store, turn, out, gone)]
        if pending.kind == "consent":
            replies.insert(0, Reply(turn.words("utter_privacy_granted", called=called(store, turn, purpose)), [], []))
        return replies


class TooYoung(PrivacyAction):
    """End kindly what somebody below the minimum age began."""

    def name(self) -> str:
        """Return the action's name."""
        return TOO_YOUNG

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """End every consent and destroy what it allowed. Of the answer only this session knows."""
        done = store.database.transact(lambda connection: self._end(store, connection, turn))
        if done.purposes:
            empty_log(store)
        text = turn.words("utter_privacy_too_young", controller=store.policy.controller.name)
        return [Reply(text, [], [*cleared(store, done.items), SlotSet(YOUNG_SLOT, value=True), forget_pending()])]

    @staticmethod
    def _end(store: Vault, connection: Any, turn: Turn) -> Withdrawal:
        done = withdraw_all(store, connection, turn.sender_id, turn.evidence)
        if done.purposes:
            subject_id = store.subjects.find(connection, turn.sender_id)
            note_taken(store, connection, own_act(store, "consent", subject_id, purposes=done.purposes))
        return done


def _was_just_shown(  # noqa: PLR0913, PLR0917 - store, transaction, whose, when and what
    store: Vault, connection: Any, subject_id: bytes, turn: Turn, pending: Pending, question: Question
) -> bool:
    """Return whether the person asked about the notice that they see, so that it need not be shown once more.

    One of longer ago was shown in another session, or stands far above.
    """
    if pending.kind != "consent" or pending.items or action_of(turn.intent) != EXPLAIN:
        return False
    since = turn.evidence.at - _IN_SIGHT
    return all(is_asked_since(store, connection, subject_id, notice, since) for notice in question.notices)


def _open(turn: Turn) -> Pending:
    if turn.pending is None or turn.pending.kind == "erase" or not turn.pending.purposes:
        raise LedgerError("no question about consent is open; ask again")
    return turn.pending


def _left_out(store: Vault, turn: Turn, items: Iterable[str], gone: Iterable[str]) -> Reply:
    """Return what is said of items that were left out; a value of before is emptied from its slot."""
    return Reply(turn.words("utter_privacy_left_out", items=_items(store, turn, items)), [], cleared(store, gone))


def _refuse(store: Vault, connection: Any, turn: Turn, pending: Pending) -> tuple[str, ...]:
    """Record a no, destroy what was held for it, and return the optional items whose slots are to be emptied."""
    subject_id = _subject(store, connection, turn)
    if pending.kind != "optional":
        end_code(connection, subject_id, pending.purposes[0], turn.evidence.at)
    _record(store, connection, subject_id, topics_of(pending), turn, granted=False)
    if pending.kind == "optional":
        return _leave_out(store, connection, subject_id, pending, pending.items, turn)
    gone = destroy(store, connection, subject_id, [pending.purposes[0]], turn.evidence.at)
    if gone:
        note_taken(store, connection, own_act(store, "consent", subject_id, purposes=gone))
    return ()


def _leave_out(  # noqa: PLR0913, PLR0917 - store, transaction, whose, of what, which and how
    store: Vault, connection: Any, subject_id: bytes, pending: Pending, items: Sequence[str], turn: Turn
) -> tuple[str, ...]:
    """Destroy what is held of optional items, and return those whose slots are to be emptied."""
    purpose = pending.purposes[0]
    left = destroy_items(store, connection, subject_id, purpose, items, turn.evidence.at)
    if left.destroyed:
        act = own_act(store, "consent", subject_id, purposes=[purpose], items=items)
        note_taken(store, connection, act)
    return left.items


def _subject(store: Vault, connection: Any, turn: Turn) -> bytes:
    subject_id: bytes | None = store.subjects.find_for_update(connection, turn.sender_id)
    if subject_id is None:
        raise LedgerError("the person was not asked; ask again")
    return subject_id


def _record(  # noqa: PLR0913 - store, transaction, whose answer, to what, when, and which
    store: Vault, connection: Any, subject_id: bytes, topics: Iterable[str], turn: Turn, *, granted: bool
) -> None:
    for topic in topics:
        record_answer(store, connection, subject_id, topic, granted=granted, evidence=turn.evidence)


def _called(store: Vault, turn: Turn, pending: Pending) -> str:
    return called(store, turn, pending.purposes[0])


def _items(store: Vault, turn: Turn, items: Iterable[str]) -> str:
    return turn.phrases.listed(name_of_item(store.policy, item, turn.evidence.language) for item in items)
