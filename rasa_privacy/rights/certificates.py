"""The certificate of erasure: what was destroyed, what stays and why, signed (docs/spec/certificate.md).

Rules:

1. It is made when somebody asks for it, and only after every table of the store was read and nothing of the person was
   found. So an erasure that a kill interrupted has none until the next start has completed it.
2. It holds no personal data: no sender id, no value, and not the random id under which the ledger keeps its records.

`certificate_files` writes, signs and checks the files of it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rasa_privacy.dialogue.language import choose
from rasa_privacy.errors import LedgerError, RequestError, StorageError
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.topics import item_of, purpose_of
from rasa_privacy.rights.erasure import verify_erased
from rasa_privacy.rights.writing_to import answered_in
from rasa_privacy.storage import deliveries, requests
from rasa_privacy.storage.conversation_rows import kept_name
from rasa_privacy.storage.erasures import Erasure
from rasa_privacy.storage.kept import Kept, kept_id, kept_of
from rasa_privacy.storage.remains import EXAMINED
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.value_counts import EVENTS, KEYS, MOST_READ_EVENTS, VALUES, values_of
from rasa_privacy.storage.vault import SERVICE, Vault

#: `typ` of a signed certificate.
CERTIFICATE_TYPE: Final = "erasure-certificate+jws"
#: Version 1 has no values by purpose and item, and other pages; such certificates are still checked.
VERSION: Final = 2

#: What is left of somebody who was erased, and why. None of it can be reached from the person.
STAYS: Final = {
    "consent ledger": "the record of choices under a random id; it shows that consent was asked for (GDPR Art. 7(1))",
    "requests and audit log": "that the request was answered, and when, without the person (GDPR Art. 5(2))",
    "tombstone": "a keyed hash of the sender id, so that a late write or an old copy does not bring the person back",
    "suppression": "a keyed hash of a contact that must not be written to again, where there is one (GDPR Art. 21(3))",
    "outbox": "the sender id, encrypted, until the other systems answered that they did their part, 30 days at most",
    "erasure journal": "the random id, so that a restored backup is erased again",
    "backups": "encrypted copies from before; unreadable once the epoch of the key-encryption key has ended",
}
_HOW: Final = (
    "after the commit every table of the store was read for the person's random id, and the database of the data keys "
    "for keys; none was found"
)
#: The same where a part was deleted and the person is still there.
PART_STAYS: Final = {
    "everything else": "what other purposes and items hold of the person, by what they agreed to",
    "consent ledger": STAYS["consent ledger"],
    "requests and audit log": "that the request was answered, and when (GDPR Art. 5(2))",
    "erasure journal": "the random id and what was deleted, so that a restored backup loses it again",
    "backups": STAYS["backups"],
}
_PART_HOW: Final = (
    "after the commit the person's conversations were read for values of these purposes and items, and none was found; "
    "the data keys that had sealed them are not among the person's keys any more"
)
#: What stays besides where a part was deleted of a conversation that is damaged.
_DAMAGED: Final = (
    "rows of a damaged conversation that its manifest does not list; their key was destroyed, nobody can open them"
)
#: Why there is no number of values.
_NOT_COUNTED: Final = (
    "a conversation was damaged, or began before values were counted and was erased from a list or longer than "
    f"{MOST_READ_EVENTS} events, or there were more pairs of purpose and item than are counted, or retention removed "
    "the person"
)
_ASKED: Final = ("erasure", "item_erasure")


def certificate(vault: Vault, number: str, now: datetime) -> dict[str, Any]:
    """Return the certificate of an erasure, unsigned, after reading back through every store.

    Args:
        vault: The open store.
        number: Number of the certificate, as the person was told it.
        now: The moment, aware and in UTC.

    Raises:
        RequestError: There is no certificate of this number.
        StorageError: Something of the person is still there.
    """
    with vault.database.read() as connection:
        erasure = _registered(vault, connection, number)
        kept = kept_of(vault, connection, erasure.subject_id, now)
        asked = [each for each in requests.of_certificate(connection, number) if each.kind in _ASKED]
        told = {each.system: each.state for each in deliveries.of_certificate(connection, number)}
    is_part = bool(erasure.counts) and EVENTS not in erasure.counts  # retention, which counts nothing, ends people
    if is_part:
        _verify_part(vault, erasure, asked)
    else:
        verify_erased(vault, erasure.subject_id)
    return {
        "type": CERTIFICATE_TYPE,
        "version": VERSION,
        "certificate": number,
        "store": vault.signer.store_id.hex(),
        "controller": {"name": vault.policy.controller.name, "contact": vault.policy.controller.contact},
        "erased_at": _time(erasure.erased_at),
        "request": asked[0].number if asked else None,
        "requested_at": _time(asked[0].opened_at) if asked else None,
        "destroyed": _destroyed(vault.policy, erasure, [each.purpose for each in kept]),
        "other_systems": told,
        "stays": _stays(erasure, is_part=is_part),
        **({"kept_by_law": [_kept(vault.policy, each) for each in kept]} if kept else {}),
        "verified": {
            "at": _time(now),
            "how": _PART_HOW if is_part else _HOW,
            "tables": ["data_keys"] if is_part else list(EXAMINED),
        },
    }


def kept_sender(vault: Vault, number: str) -> str:
    """Return the sender id by which staff find what the law keeps of an erased person, while there is any."""
    with vault.database.read() as connection:
        erasure = _registered(vault, connection, number)
    return kept_name(kept_id(vault, erasure.subject_id))


def language_of(vault: Vault, number: str) -> str:
    """Return the language for the certificate of somebody: that of their last answer in the ledger, of the bot's.

    Raises:
        RequestError: There is no certificate of this number.
    """
    first = vault.policy.languages[0]
    with vault.database.read() as connection:
        erasure = _registered(vault, connection, number)
        asked = [each.subject_id for each in requests.of_certificate(connection, number) if each.kind in _ASKED]
        try:
            records = vault.ledger.of_subject(connection, next(filter(None, asked), erasure.subject_id))
        except LedgerError:  # a ledger that does not verify says nothing
            return first
    return choose(vault.policy.languages, answered_in(records), None, None)


def _registered(vault: Vault, connection: Any, number: str) -> Erasure:
    found = vault.erasures.certificate(connection, number)
    if found is None:
        raise RequestError("there is no certificate of this number; see that it is written as it was given")
    return found


def _verify_part(vault: Vault, erasure: Erasure, asked: Sequence[Request]) -> None:
    """Check that no key that was destroyed is there.

    Raises:
        StorageError: One is.
    """
    for request in asked:
        if request.subject_id is None:
            continue
        with vault.database.read() as connection:
            keys = vault.data_keys.of_subject(connection, request.subject_id)
        if {key.key_id.hex() for key in keys.values()} & set((erasure.key_ids or {}).values()):
            raise StorageError("a part was deleted and its data key is there again; ask for the deletion again")


def _kept(policy: Policy, kept: Kept) -> dict[str, Any]:
    """Return what a purpose keeps, why, and until when."""
    because = policy.purposes[kept.purpose].because
    return {
        "purpose": kept.purpose,
        "items": sorted(kept.items),
        "values": sum(kept.items.values()),
        "why": "a legal obligation demands it (GDPR Art. 17(3)(b))",
        "because": because.get(policy.languages[0], ""),
        "until": _time(kept.until),
    }


def _stays(erasure: Erasure, *, is_part: bool) -> dict[str, str]:
    if not is_part:
        return dict(STAYS)
    return {**PART_STAYS, **({"damaged rows": _DAMAGED} if values_of(erasure.counts) is None else {})}


def _destroyed(policy: Policy, erasure: Erasure, kept: Collection[str]) -> dict[str, Any]:
    """Return what is known of what was destroyed: destroying a purpose's key destroys all of its items at once."""
    keys, values = erasure.key_ids or {}, values_of(erasure.counts)
    topics = [name for name in keys if name != SERVICE]
    # Of an erasure by an older release no keys are known, and of a key that is damaged no id.
    topics += sorted({purpose_of(name) for name in values or ()} - set(map(purpose_of, topics)))
    purposes: list[dict[str, Any]] = [
        {
            "purpose": purpose_of(name),
            "items": _items(policy, name),
            "values": None if values is None else _values(values, name),
            "data_key": keys.get(name) or None,
        }
        for name in topics
        if name not in kept
    ]
    counted = None if values is None else sum(sum(each["values"].values()) for each in purposes)
    return {
        **{name: erasure.counts.get(name) for name in (EVENTS, KEYS) if name in erasure.counts},
        VALUES: counted,
        **({} if values is not None else {"not_counted": _NOT_COUNTED}),
        "conversation_key": keys.get(SERVICE) or None,
        "purposes": purposes,
    }


def _values(values: Mapping[str, int], topic: str) -> dict[str, int]:
    """Return how many values there were by item, of the one item of a topic or all of its purpose."""
    purpose, wanted = purpose_of(topic), item_of(topic)
    found = {item_of(name): number for name, number in values.items() if purpose_of(name) == purpose}
    return {item: found[item] for item in sorted(found) if wanted in ("", item)}


def _items(policy: Policy, topic: str) -> list[str]:
    """Return the one item of a topic, or all that a purpose may hold."""
    if item_of(topic):
        return [item_of(topic)]
    return list(policy.purposes[topic].items) if topic in policy.purposes else []


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
