"""Suppression: who must not be written to again, whatever consent says, and also after an erasure.

Rules:

1. Only keyed hashes are stored. A contact has one for each of its forms (`minimize.contacts`); a sender id has the one
   of its conversation, and those of the contact that it may be itself.
2. STOP writes one for the sender, and one for each contact that is on file then. A new yes to a marketing purpose by
   the same person lifts the first, since consent may be given anew (47 CFR 64.1200(a)(9)). One of a contact stays, and
   lets in whoever said such a yes afterwards, themselves: a consent that a list brought is not that.
3. What an operator added or a list brought stays until an operator removes it, and is not lifted by a yes.
4. Nothing here is in the rows of a person, so erasing the person keeps it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rasa_privacy.consent.state import IMPORTED as COLLECTED
from rasa_privacy.consent.state import Record
from rasa_privacy.errors import ContactError
from rasa_privacy.minimize.contacts import contact_forms, sender_forms
from rasa_privacy.policy.model import Policy
from rasa_privacy.storage import suppressions
from rasa_privacy.storage.subjects import SENDER_DOMAIN
from rasa_privacy.storage.vault import Vault

#: The person's own opt-out word.
STOP: Final = "stop"
OPERATOR: Final = "operator"
IMPORTED: Final = "imported"

_CONTACT_DOMAIN: Final = "contact"
#: All suppressions are read where there are no more for each person who is looked for: it takes less time than looking
#: for sender id and contacts of each.
_FEW: Final = 2


def suppress(vault: Vault, connection: Any, sender_id: str, reason: str, at: datetime) -> bool:
    """Suppress a sender.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`.
        sender_id: Rasa's conversation key.
        reason: STOP, OPERATOR or IMPORTED.
        at: The moment, aware and in UTC.

    Returns:
        Whether it is new.
    """
    return suppressions.put(connection, sender_indexes(vault, sender_id), reason, at, over=STOP) > 0


def stop_contacts(vault: Vault, connection: Any, contacts: Iterable[object], at: datetime) -> None:
    """Note that somebody said STOP who may be reached by these contacts; an earlier STOP counts from now on."""
    indexes = [index for contact in contacts for index in _lenient_indexes(vault, contact)]
    suppressions.remove(connection, indexes, only=STOP)
    suppressions.put(connection, indexes, STOP, at)


def suppress_contacts(vault: Vault, connection: Any, contacts: Iterable[str], reason: str, at: datetime) -> int:
    """Suppress email addresses and phone numbers, and return how many of them are new.

    Raises:
        ContactError: One is neither; nothing of these was written then.
    """
    forms = [contact_indexes(vault, contact) for contact in contacts]
    there = suppressions.reasons_of(connection, [index for each in forms for index in each])
    suppressions.put(connection, (index for each in forms for index in each), reason, at, over=STOP)
    return len({each for each in forms if not there.keys() & set(each)})


def remove_contacts(vault: Vault, connection: Any, contacts: Iterable[str]) -> int:
    """Lift the suppression of contacts, whatever its reason, and return how many of them were suppressed.

    Raises:
        ContactError: One is neither an email address nor a phone number.
    """
    return sum(suppressions.remove(connection, contact_indexes(vault, contact)) > 0 for contact in contacts)


def remove_sender(vault: Vault, connection: Any, sender_id: str) -> bool:
    """Lift the suppression of a sender, whatever its reason."""
    return suppressions.remove(connection, sender_indexes(vault, sender_id)) > 0


def lift_after_grant(vault: Vault, connection: Any, sender_id: str, purpose: str) -> bool:
    """Lift a sender's STOP after a new yes to a marketing purpose, in the transaction that records the yes.

    Returns:
        Whether there was one to lift.
    """
    declared = vault.policy.purposes.get(purpose)
    if declared is None or not declared.marketing:
        return False
    return suppressions.remove(connection, sender_indexes(vault, sender_id), only=STOP) > 0


def suppressed(vault: Vault, connection: Any, sender_id: str | None, contacts: Sequence[object] = ()) -> str | None:
    """Return why a person must not be written to, or None. Of several reasons one that a yes does not lift comes first.

    Args:
        vault: The open store.
        connection: An open read or write transaction.
        sender_id: Rasa's conversation key, if it is known.
        contacts: Values of contact items; what is neither an email address nor a phone number says nothing.
    """
    indexes = list(sender_indexes(vault, sender_id)) if sender_id is not None else []
    for contact in contacts:
        indexes += _lenient_indexes(vault, contact)
    found = suppressions.reasons_of(connection, indexes).values()
    return min(found, key=lambda reason: reason == STOP, default=None)


def suppressed_among(
    vault: Vault, connection: Any, people: Mapping[bytes, tuple[Sequence[str], Sequence[object]]]
) -> dict[bytes, datetime | None]:
    """Return those of these people who must not be written to.

    Each with the moment of a STOP by a contact, after which their own yes counts (`has_agreed_since`), or None where no
    yes does.

    Args:
        vault: The open store.
        connection: An open read or write transaction.
        people: By subject id the sender ids and the contacts.
    """
    few = suppressions.all_of_few(connection, _FEW * len(people))
    if few is not None and not few:
        return {}
    of_sender, of_contact = vault.index.finding(SENDER_DOMAIN), vault.index.finding(_CONTACT_DOMAIN)
    own, on_file = list[tuple[bytes, bytes]](), list[tuple[bytes, bytes]]()
    add_own, add_on_file = own.append, on_file.append
    for who, (senders, contacts) in people.items():
        for sender_id in senders:  # as `sender_indexes` says
            add_own((of_sender(sender_id), who))
            for form in sender_forms(sender_id):
                add_own((of_contact(form), who))
        for contact in contacts:
            for form in _lenient_forms(contact):
                add_on_file((of_contact(form), who))
    wanted = {index for index, _ in (*own, *on_file)}
    there = suppressions.found_of(connection, wanted) if few is None else suppressions.found_in(few, wanted)
    out: dict[bytes, datetime | None] = {}
    for (reason, at), who in [(there[index], who) for index, who in on_file if index in there]:
        earlier = out.get(who, at)
        out[who] = max(earlier, at) if reason == STOP and earlier is not None else None
    out.update([(who, None) for index, who in own if index in there])
    return out


def has_agreed_since(policy: Policy, records: Iterable[Record], at: datetime) -> bool:
    """Return whether a person's last yes to a marketing purpose was their own, and came after a moment.

    Args:
        policy: The privacy.yml in force.
        records: The person's records, the oldest first.
        at: The moment, aware and in UTC.
    """
    marketing = {name for name, purpose in policy.purposes.items() if purpose.marketing}
    last = {each.purpose: each for each in records if each.event == "granted" and each.purpose in marketing}
    return any(each.method != COLLECTED and each.at > at for each in last.values())


def sender_indexes(vault: Vault, sender_id: str) -> tuple[bytes, ...]:
    """Return the blind index of a sender id, which its conversation has too, and those of the contact that it is."""
    contact = (vault.index.to_find(_CONTACT_DOMAIN, form) for form in sender_forms(sender_id))
    return (vault.index.to_find(SENDER_DOMAIN, sender_id), *contact)


def contact_indexes(vault: Vault, contact: str) -> tuple[bytes, ...]:
    """Return the blind indexes of an email address or a phone number.

    Raises:
        ContactError: It is neither.
    """
    return tuple(vault.index.to_find(_CONTACT_DOMAIN, form) for form in contact_forms(contact))


def _lenient_indexes(vault: Vault, contact: object) -> tuple[bytes, ...]:
    return tuple(vault.index.to_find(_CONTACT_DOMAIN, form) for form in _lenient_forms(contact))


def _lenient_forms(contact: object) -> tuple[str, ...]:
    try:
        return contact_forms(str(contact))
    except ContactError:
        return ()
