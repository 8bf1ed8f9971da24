"""The audience of a purpose: the people who may be written to for it now, and nobody else.

Rules:

1. In are people with active, unexpired consent to the current notice (`rights.membership`).
2. Out are people who are suppressed: by their sender id, or by a contact that the purpose holds of them.
3. With `double_opt_in`, out is who did not confirm, and whose contact on file is not the confirmed one. A consent that
   was imported with its evidence needs no code.
4. What cannot be opened is left out and counted.
5. People come in the order of their subject ids, a page in a transaction: who is in, what is stored of them and who is
   suppressed are one state of the database. Who withdraws, is erased or suppressed is left out from the next page on.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from rasa_privacy.access.permit import Permit
from rasa_privacy.consent.double_opt_in import is_confirmed
from rasa_privacy.consent.imported import IMPORTED
from rasa_privacy.consent.limits import is_limited
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.contacts import contact_item
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.needs import is_sensitive
from rasa_privacy.rights.membership import EVERYBODY, PAGE_ANSWERS, Decision, check_purpose
from rasa_privacy.rights.suppression import has_agreed_since, suppressed_among
from rasa_privacy.storage import audience_rows, opt_in_codes
from rasa_privacy.storage.audience_contacts import contacts_of_reachable
from rasa_privacy.storage.audience_rows import StoredContact
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

#: Detectors whose items are contacts; their values are looked up among the suppressed ones.
_CONTACTS: Final = frozenset({"email", "phone"})


class Recipient(NamedTuple):
    """Somebody who may be written to.

    Attributes:
        sender_id: Rasa's conversation key.
        value: Value of the item that was asked for; None where none was asked for.
    """

    sender_id: str
    value: object


@dataclass(slots=True)
class Tally:
    """What became of those who were considered.

    Attributes:
        exported: People who may be written to.
        suppressed: People who agreed and whose contact is suppressed.
        unconfirmed: People whose contact on file was not confirmed by a code.
        limited: People who limit the use of sensitive data, of which the item is.
        without_value: People of whom the item is not held.
        unreadable: People whose stored data cannot be opened.
    """

    exported: int = 0
    suppressed: int = 0
    unconfirmed: int = 0
    limited: int = 0
    without_value: int = 0
    unreadable: int = 0

    def clear(self) -> None:
        """Begin to count anew."""
        self.exported = self.suppressed = self.unconfirmed = self.limited = self.without_value = self.unreadable = 0


def audience(  # noqa: PLR0913, PLR0917 - what is asked for, by whom, and where it is counted
    vault: Vault, permit: Permit, purpose: str, item: str | None, now: datetime, tally: Tally
) -> Iterator[Recipient]:
    """Yield who may be written to, with the value of an item.

    Args:
        vault: The open store.
        permit: A permit for `audience` that shows values in the clear, and covers the purpose and the item.
        purpose: A purpose that rests on consent.
        item: An item of the purpose, or None for the sender ids alone.
        now: The moment, aware and in UTC.
        tally: Is counted up; complete when the iterator ends. Then a line with the counts is logged.

    Raises:
        AccessError: The permit is for something else.
        ConfigurationError: There is no such purpose or item, or the purpose does not rest on consent.
    """
    check(vault.policy, permit, purpose, item)
    for page in pages(Decision(vault, purpose, now), item, tally):
        yield from page
    log_export(purpose, tally)


def check(policy: Policy, permit: Permit, purpose: str, item: str | None) -> None:
    """Check that an audience may be exported.

    Raises:
        AccessError: The permit is for something else.
        ConfigurationError: There is no such purpose or item, or the purpose does not rest on consent.
    """
    permit.require("audience")
    permit.require_clear()
    permit.require_purpose(purpose)
    if item is not None:
        permit.require_item(item)
    check_purpose(policy, purpose)
    if item is not None and item not in policy.purposes[purpose].items:
        raise ConfigurationError(f"purpose '{purpose}' has no item '{item}'; name one of its items in privacy.yml")


def pages(
    decision: Decision, item: str | None, tally: Tally, between: tuple[bytes, bytes] = EVERYBODY
) -> Iterator[list[Recipient]]:
    """Yield the audience page by page, after `check`; also a page with nobody in, so that its counts are told.

    Args:
        decision: Decides who is in, for the store, the purpose and the moment.
        item: As `audience`.
        tally: Is counted up, page by page.
        between: The subject id that the first person comes after, and that of the last.
    """
    vault, purpose = decision.vault, decision.purpose
    after: bytes | None = between[0]
    while after is not None:
        with vault.database.read() as connection:
            inside, after = decision.agreed(connection, (after, between[1]), PAGE_ANSWERS)
            opened = _opened(vault, connection, purpose, item, inside, tally) if inside else []
        yield opened


def log_export(purpose: str, tally: Tally) -> None:
    """Log the counts of an export that is complete."""
    logger.info(
        "An audience was exported: purpose %s, %d people; left out %d suppressed, %d unconfirmed, %d limited, "
        "%d without the item, %d unreadable.",
        purpose,
        tally.exported,
        tally.suppressed,
        tally.unconfirmed,
        tally.limited,
        tally.without_value,
        tally.unreadable,
    )


@dataclass(frozen=True, slots=True)
class _Codes:
    """What a page's people confirmed by a code.

    Attributes:
        confirmed: Hash of the confirmed contact, by person.
        excused: People whose consent was imported with its evidence.
    """

    confirmed: dict[bytes, bytes]
    excused: frozenset[bytes]


def _codes(vault: Vault, connection: Any, purpose: str, page: list[bytes]) -> _Codes | None:
    """Return what was confirmed, or None where the purpose needs no confirmation."""
    if not vault.policy.purposes[purpose].double_opt_in:
        return None
    methods = audience_rows.methods_of(connection, purpose, page)
    excused = frozenset(subject_id for subject_id, method in methods.items() if method == IMPORTED)
    return _Codes(opt_in_codes.confirmed(connection, page, purpose), excused)


def _opened(  # noqa: PLR0913, PLR0917 - what is asked for, of whom, and where it is counted
    vault: Vault, connection: Any, purpose: str, item: str | None, page: Sequence[bytes], tally: Tally
) -> list[Recipient]:
    """Open what is needed of people who agreed, and return those whom nothing speaks against."""
    found = contacts_of_reachable(connection, vault.data_keys, page, purpose)
    if not found:
        return []
    codes = _codes(vault, connection, purpose, list(found))
    contacts = frozenset(name for name, each in vault.policy.items.items() if each.detect in _CONTACTS)
    values, reached = dict[bytes, dict[str, object]](), dict[bytes, tuple[Sequence[str], Sequence[object]]]()
    for who, stored in found.items():
        if stored is not None:
            values[who] = each = _values(stored)
            on_file = [value for name, value in each.items() if name in contacts]
            reached[who] = [one.sender_id for one in stored], on_file
    out, limited = _out(vault, connection, reached), _limited(vault, connection, list(found), item)
    opened = list[Recipient]()
    for who, stored in found.items():
        if stored is None:
            tally.unreadable += 1
        elif not stored or who in out:
            tally.suppressed += 1
        elif codes is not None and not _is_confirmed(vault, purpose, who, values[who], codes):
            tally.unconfirmed += 1
        elif who in limited:
            tally.limited += 1
        elif item is not None and values[who].get(item) is None:
            tally.without_value += 1
        else:
            opened.append(Recipient(stored[-1].sender_id, values[who][item] if item is not None else None))
    tally.exported += len(opened)
    return opened


def _out(
    vault: Vault, connection: Any, reached: Mapping[bytes, tuple[Sequence[str], Sequence[object]]]
) -> frozenset[bytes]:
    """Return who is suppressed; not who said yes to marketing again after the STOP of a contact of theirs."""
    found = suppressed_among(vault, connection, reached)
    stopped = [who for who, at in found.items() if at is not None]
    records = vault.ledger.of_many(connection, stopped) if stopped else {}
    return frozenset(
        who for who, at in found.items() if at is None or not has_agreed_since(vault.policy, records.get(who) or (), at)
    )


def _limited(vault: Vault, connection: Any, page: Sequence[bytes], item: str | None) -> frozenset[bytes]:
    """Return who had the use of sensitive data limited, where the item is such; also whoever cannot be read."""
    if item is None or not is_sensitive(vault.policy, item):
        return frozenset()
    found, now = vault.ledger.of_many(connection, page), vault.clock()
    return frozenset(who for who, records in found.items() if records is None or is_limited(records, now))


def _is_confirmed(vault: Vault, purpose: str, subject_id: bytes, values: dict[str, object], codes: _Codes) -> bool:
    """Return whether the contact on file is the one that was confirmed, or the consent was imported."""
    digest = codes.confirmed.get(subject_id)
    if digest is None:
        return subject_id in codes.excused
    item = contact_item(vault.policy, purpose)
    return item is not None and is_confirmed(vault, subject_id, purpose, values.get(item), digest)


def _number(entry: Sequence[Any]) -> int:
    return int(entry[0])


def _values(stored: Sequence[StoredContact]) -> dict[str, object]:
    """Return the value of each item that was stored last."""
    if len(stored) == 1 and len(stored[0].entries) == 1:  # as most people's are
        _seq, _path, item, value = stored[0].entries[0]
        return {} if value is None else {item: value}
    entries = (entry for contact in stored for entry in sorted(contact.entries, key=_number))
    return {item: value for _seq, _path, item, value in entries if value is not None}
