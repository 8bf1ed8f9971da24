"""Deleting a part of what is held of a person, after it was planned and previewed (`parts`).

Rules:

1. Who has a purpose deleted takes its consent back. Who has an item deleted takes back the consent to it where it is
   optional; where it is needed the consent stays, and the bot asks for the value when it needs it again.
2. Order in one transaction: the journal hears of the part and its certificate, in all linked conversations; then
   ledger, journal, keys and rows (as `withdrawal`), certificate, request. After the commit the log is emptied and the
   store is read back; only then does the caller get a certificate. If the process dies in between, the next start does
   it all (`storage.replay`), unless it is too much for an entry of the journal (docs/LIMITATIONS.md).
3. The certificate is registered under a random id of its own: one that names a person says that they are gone. It has
   the number of values by purpose and item, as the plan counted them; none where a conversation is damaged.
4. Where texts are kept in full, the deleted values are masked in them (`part_masking`).
"""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rasa_privacy.consent.double_opt_in import end_code
from rasa_privacy.consent.ledger import Evidence, record_withdrawal
from rasa_privacy.crypto.identity import ID_BYTES
from rasa_privacy.errors import DAMAGED, StorageError
from rasa_privacy.policy.contacts import contact_item
from rasa_privacy.policy.topics import choice, item_of, purpose_of
from rasa_privacy.policy.verbs import PERSON
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.disclosure import held_error
from rasa_privacy.rights.erasure import ErasureCertificate, certificate_number, locked_people
from rasa_privacy.rights.own_acts import note_taken, own_act
from rasa_privacy.rights.part_masking import mask_texts, values_in_texts
from rasa_privacy.rights.parts import Plan, held_values, plan
from rasa_privacy.rights.requests import ANSWERED, NOTHING_HELD, answered, open_request
from rasa_privacy.rights.requests import PERSON as ASKED
from rasa_privacy.rights.withdrawal import withdraw
from rasa_privacy.storage import requests
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.erasures import destroy_topic
from rasa_privacy.storage.journal_entry import MAX_KINDS, PartErased, Withdrawn
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.outbox import tell_of
from rasa_privacy.storage.value_counts import KEYS, VALUES, with_values
from rasa_privacy.storage.vault import Vault


@dataclass(frozen=True, slots=True)
class Deleted:
    """What deleting a part did.

    Attributes:
        certificate: Its certificate.
        plan: What went and what stays.
        items: Items of which no purpose holds a value any more, whose slots are to be emptied.
    """

    certificate: ErasureCertificate
    plan: Plan
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be deleted.

    Attributes:
        items: Items of privacy.yml.
        purposes: Purposes of privacy.yml.
        evidence: How it was said.
        asked_by: Who opens the request, for its history.
    """

    items: Collection[str]
    purposes: Collection[str]
    evidence: Evidence
    asked_by: str


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What is about to be deleted of one person.

    Attributes:
        subject_id: The person.
        number: Of the certificate.
        plan: What goes and what stays.
        whole: Purposes that go whole.
        topics: What else goes: optional items, and purposes on another basis than consent.
        values: Values to be masked in texts that are kept in full, by item.
        key_ids: By topic the id of the key that is destroyed; empty where it is not known.
    """

    subject_id: bytes
    number: str
    plan: Plan
    whole: Sequence[str]
    topics: Sequence[str]
    values: Mapping[str, Iterable[str]]
    key_ids: Mapping[str, bytes]

    @property
    def counts(self) -> dict[str, int]:
        """How many values and keys go."""
        return {VALUES: sum(self.plan.goes.values()), KEYS: len(set(filter(None, self.key_ids.values())))}


def delete_parts(  # noqa: PLR0913 - store, whose, of what, how it was said, who does it and who asked
    vault: Vault,
    sender_ids: Sequence[str],
    items: Collection[str],
    purposes: Collection[str],
    evidence: Evidence,
    *,
    actor: str | None = PERSON,
    asked_by: str | None = None,
) -> list[Deleted | None]:
    """Delete items and purposes in conversations of one person, of which each is somebody of their own: all or none.

    It is verified by reading back.

    Args:
        vault: The open store.
        sender_ids: Rasa's conversation keys, at least one; the last is that of who asks.
        items: Items of privacy.yml.
        purposes: Purposes of privacy.yml.
        evidence: How it was said.
        actor: Who does it, for the audit log; None where the caller records it.
        asked_by: The member of staff who opens the request, for its history; None for the person.

    Returns:
        For each sender id what was done, or None where nothing of it is held there; deleting twice is not an error.

    Raises:
        HoldError: A legal hold keeps one of them; nothing was deleted.
        JournalError: The journal could not be written; nothing was deleted.
        StorageError: It could not be committed, the log could not be emptied, or reading back found something.
    """
    order = _Order(items, purposes, evidence, asked_by or ASKED)
    numbers = [certificate_number() for _ in sender_ids]

    def work(connection: Any) -> list[tuple[bytes, Deleted] | None]:
        done = _delete(vault, connection, sender_ids, numbers, order)
        for each in filter(None, done if actor is not None else ()):
            note_taken(vault, connection, _act(vault, *each, str(actor)))
        return done

    done = vault.database.transact(work)
    empty_log(vault)
    for each in filter(None, done):
        _verify(vault, *each)
    return [None if each is None else each[1] for each in done]


def _verify(vault: Vault, subject_id: bytes, deleted: Deleted) -> None:
    with vault.database.read() as connection:
        held = held_values(vault, connection, subject_id)
    if any(held[purpose][item] if purpose in held else 0 for purpose, item in deleted.plan.goes):
        raise StorageError("a part was deleted but reading back still finds it; ask for it again")


def _delete(
    vault: Vault, connection: Any, sender_ids: Sequence[str], numbers: Sequence[str], order: _Order
) -> list[tuple[bytes, Deleted] | None]:
    """Delete within a transaction; all of it is in the journal before the first of it is touched."""
    people = dict(zip(sender_ids, locked_people(vault, connection, sender_ids), strict=True))
    found = {
        sender_id: _prepare(vault, connection, subject_id, number, order)
        for (sender_id, subject_id), number in zip(people.items(), numbers, strict=True)
        if subject_id is not None
    }
    if any(each.plan.is_held for each in found.values()):
        raise held_error(connection, [each.subject_id for each in found.values()])
    _note(vault, connection, [each for each in found.values() if not each.plan.is_empty], order.evidence.at)
    done: list[tuple[bytes, Deleted] | None] = []
    for sender_id in sender_ids:
        each = found.get(sender_id)
        if each is not None and not each.plan.is_empty:
            done.append((each.subject_id, _carry_out(vault, connection, each, order)))
            continue
        if each is not None:
            reason = ANSWERED if any(done) and sender_id == sender_ids[-1] else NOTHING_HELD
            answered(
                vault, connection, "item_erasure", each.subject_id, order.evidence.at, reason, actor=order.asked_by
            )
        done.append(None)
    return done


def _prepare(vault: Vault, connection: Any, subject_id: bytes, number: str, order: _Order) -> _Prepared:
    found = plan(vault, connection, subject_id, order.items, order.purposes, order.evidence.at)
    keys = _key_ids(vault, connection, subject_id)
    whole = [name for name in order.purposes if name in {*found.ends, *(purpose for purpose, _ in found.goes)}]
    values = values_in_texts(vault, connection, subject_id, found) if vault.policy.messages.keep == "full" else {}
    topics = [choice(purpose, item) for purpose, item in found.goes if purpose not in whole]
    topics += [name for name in whole if not _by_consent(vault, name)]
    key_ids = {topic: keys.get(purpose_of(topic), b"") for topic in dict.fromkeys((*whole, *topics))}
    return _Prepared(subject_id, number, found, whole, topics, values, key_ids)


def _carry_out(vault: Vault, connection: Any, part: _Prepared, order: _Order) -> Deleted:
    subject_id, found, evidence, counts = part.subject_id, part.plan, order.evidence, part.counts
    withdraw(vault, connection, subject_id, [name for name in part.whole if _by_consent(vault, name)], evidence)
    _destroy(vault, connection, subject_id, part.topics, evidence)
    mask_texts(vault, connection, subject_id, part.values, evidence.at)
    known = {topic: key_id for topic, key_id in part.key_ids.items() if key_id}
    registered = _registered(found, counts)
    vault.erasures.certify(connection, os.urandom(ID_BYTES), evidence.at, part.number, registered, known)
    open_request(vault, connection, "item_erasure", subject_id, evidence.at, order.asked_by)
    requests.close_part(connection, subject_id, evidence.at, part.number)
    gone = tuple(dict.fromkeys(item for _, item in found.goes))
    still = {item for held in held_values(vault, connection, subject_id).values() for item in held}
    left = tuple(item for item in gone if item not in still)
    return Deleted(ErasureCertificate(part.number, evidence.at, counts), found, left)


def _act(vault: Vault, subject_id: bytes, deleted: Deleted, actor: str) -> AuditRecord:
    purposes, items = zip(*deleted.plan.goes, strict=True) if deleted.plan.goes else ((), ())
    counts = deleted.certificate.counts
    return own_act(vault, "erase", subject_id, purposes=purposes, items=items, counts=counts, actor=actor)


def _registered(found: Plan, counts: Mapping[str, int]) -> dict[str, int]:
    """Return what the certificate counts: the values of each item, unless nobody knows them."""
    if found.is_damaged:
        return {KEYS: counts[KEYS]}
    return with_values(counts, {choice(purpose, item): number for (purpose, item), number in found.goes.items()})


def _named(key_ids: Mapping[str, bytes]) -> dict[str, str]:
    return {topic: key_id.hex() for topic, key_id in key_ids.items()}


def _note(vault: Vault, connection: Any, parts: Sequence[_Prepared], at: datetime) -> None:
    """Note in the journal what is about to be erased under which numbers, but for what is too much for an entry."""
    entries = [
        PartErased(each.subject_id, at, each.number, _registered(each.plan, each.counts), _named(each.key_ids))
        for each in parts
    ]
    fitting = [each for each in entries if max(len(each.counts), len(each.key_ids)) <= MAX_KINDS]
    if fitting:
        vault.ledger.lock(connection)  # all transactions lock the ledger first
        vault.journal.write(connection, *fitting)


def _destroy(vault: Vault, connection: Any, subject_id: bytes, topics: Sequence[str], evidence: Evidence) -> None:
    """Record, note in the journal and destroy topics that no consent to a whole purpose stands for."""
    for topic in topics:
        purpose, item = purpose_of(topic), item_of(topic)
        if item and not record_withdrawal(vault, connection, subject_id, [topic], evidence):
            # By this record a replay of the journal knows that it was done, and leaves what was given afterwards.
            _record(vault, connection, subject_id, topic, evidence)
        if item and purpose in vault.policy.purposes and contact_item(vault.policy, purpose) == item:
            end_code(connection, subject_id, purpose, evidence.at)
    vault.journal.write(connection, *(Withdrawn(subject_id, evidence.at, topic) for topic in topics))
    for topic in topics:
        destroy_topic(vault.parts, vault.data_keys, connection, subject_id, topic, evidence.at)
    if topics:
        purposes, items = map(purpose_of, topics), filter(None, map(item_of, topics))
        tell_of(
            vault,
            connection,
            subject_id,
            "withdrawal",
            evidence.at,
            purposes=dict.fromkeys(purposes),
            items=dict.fromkeys(items),
        )


def _record(vault: Vault, connection: Any, subject_id: bytes, topic: str, evidence: Evidence) -> None:
    fields = (evidence.language, evidence.method, evidence.channel, evidence.at)
    vault.ledger.append(connection, LedgerRecord(subject_id, topic, "withdrawn", bytes(32), *fields))


def _by_consent(vault: Vault, purpose: str) -> bool:
    declared = vault.policy.purposes.get(purpose)
    return declared is None or declared.basis == "consent"


def _key_ids(vault: Vault, connection: Any, subject_id: bytes) -> dict[str, bytes]:
    try:
        return {name: key.key_id for name, key in vault.data_keys.of_subject(connection, subject_id).items()}
    except DAMAGED:
        return {}
