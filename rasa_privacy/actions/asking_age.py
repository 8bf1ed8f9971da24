"""The question about the age, of which nothing is on record until somebody says to be old enough.

Whoever is too young, or does not answer, leaves no record and no row: the law asks for a proof of the yes alone (GDPR
Art. 7(1), 8(2)), and of a child not even the fact of having been asked is kept (Art. 5(1)(c)). The text that was shown
is kept by its hash, as that of anybody; the hash stands in the question that waits, and with the yes both are recorded.
"""

from dataclasses import replace
from typing import Any

from rasa_privacy.actions.base import Reply, Turn, answer_buttons
from rasa_privacy.actions.pending_events import ask_again_with
from rasa_privacy.actions.questions import Question
from rasa_privacy.consent.ledger import keep_notice, record_asked
from rasa_privacy.consent.notice import Notice
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import LedgerError
from rasa_privacy.storage.vault import Vault


def ask_age(store: Vault, turn: Turn, pending: Pending, question: Question) -> Reply:
    """Return the question, with the hash of what is shown in the question that waits."""
    (notice,) = question.notices
    store.database.transact(lambda connection: keep_notice(store, connection, notice))
    waiting = replace(pending, shown=notice.hash.hex())
    return Reply(question.text, answer_buttons(turn, question.response, pending), [ask_again_with(waiting)])


def record_age_asked(store: Vault, connection: Any, turn: Turn, pending: Pending) -> None:
    """Record that the age was asked, for the yes that came.

    Raises:
        LedgerError: What was shown is no question about this age.
    """
    if not pending.shown:
        return  # asked by a release that recorded it at once
    try:
        stored = store.notices.get(connection, bytes.fromhex(pending.shown))
    except ValueError:
        stored = None
    if stored is None or stored.notice_id != pending.topic:
        raise LedgerError("the question about the age is not one that was shown; ask again")
    subject_id = store.subjects.find_or_create(connection, turn.sender_id, turn.evidence.at)
    notice = Notice(stored.notice_id, stored.version, stored.language, stored.text)
    record_asked(store, connection, subject_id, notice, turn.evidence)
