"""Consent receipts: what a person agreed to, as a signed document for them (docs/spec/ledger.md, section 8).

A receipt is built of the ledger's records and of the notice that was shown with the terms that it stood for, so it
says what was agreed to then, whatever privacy.yml says now. It holds kinds of data, the random id of the person and no
value.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.receipt_forms import Fact, Facts, iso_27560, kantara
from rasa_privacy.consent.terms import read_terms
from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import LedgerError
from rasa_privacy.policy.topics import choice
from rasa_privacy.storage.ledger_record import LedgerEntry, columns_of, record_bytes
from rasa_privacy.storage.notices import StoredNotice
from rasa_privacy.storage.vault import Vault

Form = Literal["27560", "kantara"]
FORMS: Final[tuple[Form, ...]] = ("27560", "kantara")
#: `typ` of a signed receipt.
RECEIPT_TYPE: Final = "consent-receipt+jws"


def receipt(  # noqa: PLR0913, PLR0917 - store, transaction, whose consent, to what, when, and how it is written
    vault: Vault, connection: Any, subject_id: bytes, purpose: str, now: datetime, form: Form = "27560"
) -> dict[str, Any]:
    """Return the receipt of one person's consent to one purpose, unsigned.

    Args:
        vault: The open store.
        connection: An open read or write transaction.
        subject_id: The person.
        purpose: The purpose; privacy.yml need not have it any more.
        now: The moment, aware and in UTC.
        form: `27560` for ISO/IEC TS 27560:2023, `kantara` for Kantara Consent Receipt 1.1.

    Raises:
        LedgerError: There is no answer to make a receipt of, it is no yes (`kantara`), its notice is not there, or a
            record was changed.
    """
    entries = [each for each in vault.ledger.entries_of(connection, subject_id) if each.record.purpose == purpose]
    answers = [each for each in entries if each.record.event != "asked"]
    if not answers:
        raise LedgerError(f"purpose '{purpose}': this person has not answered, so there is no receipt")
    if form == "kantara" and answers[-1].record.event != "granted":
        raise LedgerError(f"purpose '{purpose}': the last answer is no yes; take the form 27560, which can say that")
    facts = _facts(vault, connection, entries, answers[-1], now)
    return kantara(facts) if form == "kantara" else iso_27560(facts)


def sign_receipt(vault: Vault, made: Mapping[str, Any]) -> str:
    """Return a receipt signed by the store: JWS, compact, Ed25519, with the receipt in it."""
    return vault.signer.key.token(made, RECEIPT_TYPE)


def open_receipt(token: str, key: VerifyingKey) -> dict[str, Any]:
    """Return the receipt in a JWS.

    Raises:
        SignatureError: It was changed, is none, or another store signed it.
    """
    opened: dict[str, Any] = key.open_token(token, RECEIPT_TYPE)
    return opened


def _facts(vault: Vault, connection: Any, entries: list[LedgerEntry], deciding: LedgerEntry, now: datetime) -> Facts:
    record = deciding.record
    stored = _notice(vault, connection, deciding)
    status, agreed = _standing(vault, connection, deciding, now)
    record_id = f"{vault.signer.store_id.hex()}:{deciding.seq}"
    controller = vault.policy.controller
    return Facts(
        receipt_id=uuid.uuid5(
            uuid.NAMESPACE_OID,
            f"{record_id}:{record_bytes(list(columns_of(deciding.seq, record).values())).hex()}:{now.isoformat()}",
        ).urn,
        record_id=record_id,
        principal=uuid.UUID(bytes=record.subject_id).urn,
        issued_at=now,
        status=status,
        terms=read_terms(stored.terms or ""),
        notice={
            "version": stored.version,
            "sha256": stored.hash.hex(),
            "language": stored.language,
            "text": stored.text,
        },
        contact={"address": controller.address, "phone": controller.phone, "country": controller.country},
        agreed=agreed,
        events=[
            Fact(each.record.event, each.record.method, each.record.channel, each.record.at)
            for each in entries
            if each.seq <= deciding.seq
        ],
    )


def _notice(vault: Vault, connection: Any, deciding: LedgerEntry) -> StoredNotice:
    stored = vault.notices.get(connection, deciding.record.notice_hash)
    if stored is None or stored.terms is None:
        raise LedgerError(
            f"consent ledger: the terms that record {deciding.seq} answered were not kept (a record of an older "
            "release, or of a browser's signal), so there is no receipt; ask again"
        )
    return stored


def _standing(vault: Vault, connection: Any, deciding: LedgerEntry, now: datetime) -> tuple[str, dict[str, bool]]:
    """Return what the answer is worth now, and the optional items that were answered with a yes that still stands.

    A yes may have expired, or privacy.yml may say something else since. Only the fold knows which answers count.
    """
    record = deciding.record
    if record.event != "granted":
        return record.event, {}
    if record.purpose not in vault.policy.purposes:
        return "superseded", {}
    state = state_of(vault, connection, record.subject_id, now)
    status = state.purposes[record.purpose].status
    if status != "granted":
        return status, {}
    topics = {item: choice(record.purpose, item) for item in vault.policy.purposes[record.purpose].choices}
    # A restriction keeps an item from being used, and takes no yes back.
    said_yes = state.active | state.restricted
    return status, {item: topic in said_yes for item, topic in topics.items() if topic in state.answered}
