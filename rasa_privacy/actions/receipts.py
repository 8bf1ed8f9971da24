"""The receipt turn: what a person agreed to, when, and the exact text that was shown to them; then the signed document.

The words come from the ledger and from the stored notice. The document (`consent.receipts`) is a message of its own, so
that it can be kept whole. A notice of an older release has no terms to sign; then there are the words only.
"""

from collections.abc import Iterator
from typing import Any

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.notice import name_of_purpose
from rasa_privacy.consent.receipts import receipt, sign_receipt
from rasa_privacy.dialogue.names import RECEIPT
from rasa_privacy.errors import LedgerError
from rasa_privacy.rights.own_acts import note_seen, own_act
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.vault import Vault


class GiveReceipt(PrivacyAction):
    """Give a receipt of each consent that is on record."""

    def name(self) -> str:
        """Return the action's name."""
        return RECEIPT

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Read the consents; nothing is changed."""
        with store.database.read() as connection:
            subject_id = store.subjects.find(connection, turn.sender_id)
            agreed = state_of(store, connection, subject_id, turn.evidence.at).granted
            granted = [purpose for purpose in store.policy.purposes if purpose in agreed]
            records = store.ledger.of_subject(connection, subject_id) if subject_id is not None else []
            given = {record.purpose: record for record in records if record.event == "granted"}
            texts = [text for purpose in granted for text in _receipt(store, connection, turn, given[purpose])]
        if texts:
            handed = own_act(store, "export", subject_id, purposes=granted, counts={"receipts": len(granted)})
            store.database.transact(lambda connection: note_seen(store, connection, handed))
        return [Reply(text, [], []) for text in texts or [turn.words("utter_privacy_no_receipt")]]


def _receipt(store: Vault, connection: Any, turn: Turn, record: LedgerRecord) -> Iterator[str]:
    """Yield the receipt in words, and then the signed one.

    Raises:
        LedgerError: The notice is not there, or a record was changed.
    """
    notice = store.notices.get(connection, record.notice_hash)
    if notice is None:
        raise LedgerError(f"the notice of purpose '{record.purpose}' is not there; run 'rasa-privacy check --database'")
    given = turn.phrases.say(
        "receipt_given", date=turn.phrases.day(record.at), version=notice.version, text=notice.text
    )
    called = name_of_purpose(store.policy, record.purpose, turn.evidence.language)
    yield turn.words("utter_privacy_receipt", called=called, receipt=given)
    if notice.terms is not None:
        made = receipt(store, connection, record.subject_id, record.purpose, turn.evidence.at)
        yield sign_receipt(store, made)
