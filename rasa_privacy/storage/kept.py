"""What the law demands that it stays of somebody who is erased (GDPR Art. 17(3)(b)), apart from everything else.

Rules:

1. It is what purposes with the basis `legal_obligation` hold whose time is not over, and nothing else: no text, no
   event but the ones that values hang on, no consent, no contact by which the person is found.
2. Before a person is erased it is sealed anew for a person of its own, who has no name but one that we make. So the
   erasure itself is whole, the bot never meets the values again, and no other purpose has a key to them.
3. The id of that person is a keyed hash of the id of the erased one. So a certificate leads to what stays, and an
   erasure that is carried out again finds its own copy; without the index key nothing connects the two.
4. The keys keep their dates: the sweep destroys them, and with the last of them the person.
5. Where keys have a database of their own, which no transaction of the conversations can hold back, the copy is
   committed before the erasure begins. An erasure that finds another value under its lock than the copy has does
   nothing, and begins anew (`after_keeping`). A copy that is replaced keeps its keys until the new one is committed.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from rasa_privacy.crypto.identity import ID_BYTES, SERVICE
from rasa_privacy.errors import DAMAGED, ContentionError, PrivacyError
from rasa_privacy.storage import holds, lasting_values
from rasa_privacy.storage.conversation_rows import kept_name
from rasa_privacy.storage.erasures import delete_rows

if TYPE_CHECKING:
    from rasa_privacy.storage.vault import Vault

BY_LAW: Final = "legal_obligation"
T = TypeVar("T")

_DOMAIN: Final = "kept by law"
#: How often an erasure begins anew because a value came.
_TRIES: Final = 5


class _ValueCameError(PrivacyError):
    """A copy that was committed is not what is to be kept now."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What one purpose keeps.

    Attributes:
        purpose: Its name.
        items: Number of values by item.
        until: When the sweep destroys it, aware and in UTC.
    """

    purpose: str
    items: Mapping[str, int]
    until: datetime


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of an item, with the purposes that hold it; `at` is when it was given, in seconds since 1970."""

    at: float
    item: str
    value: Any
    purposes: tuple[str, ...]


def kept_id(vault: "Vault", subject_id: bytes) -> bytes:
    """Return the id under which stays what the law keeps of an erased person."""
    return vault.index.of_bytes(_DOMAIN, subject_id)[:ID_BYTES]


def kept_by_law(
    vault: "Vault", connection: Any, subject_id: bytes, now: datetime, purposes: Collection[str] | None = None
) -> tuple[Kept, ...]:
    """Return what an erasure of this person would leave, of these purposes alone where they are named.

    It is nothing of who is damaged, since that cannot be read.
    """
    until = _until(vault, connection, subject_id, now)
    until = {name: at for name, at in until.items() if purposes is None or name in purposes}
    if not until:
        return ()
    counts = {name: Counter[str]() for name in until}
    for each in _values(vault, connection, subject_id, until):
        for purpose in each.purposes:
            counts[purpose][each.item] += 1
    return tuple(Kept(name, dict(counts[name]), until[name]) for name in until if counts[name])


def kept_of(vault: "Vault", connection: Any, subject_id: bytes, now: datetime) -> tuple[Kept, ...]:
    """Return what stays now of somebody who was erased."""
    return kept_by_law(vault, connection, kept_id(vault, subject_id), now)


def kept_after(vault: "Vault", subject_ids: Collection[bytes], now: datetime) -> dict[bytes, tuple[Kept, ...]]:
    """Return what stays of each of these people, who were erased; nothing is asked where no law keeps anything."""
    if not subject_ids or not _purposes(vault):
        return {}
    with vault.database.read() as connection:
        return {each: kept_of(vault, connection, each, now) for each in subject_ids}


def keep(vault: "Vault", connection: Any, subject_id: bytes, now: datetime) -> bool:
    """Copy what the law keeps of a person who is about to be erased, in place of an earlier copy; say if there is any.

    Where keys lie apart, the copy must be there (`after_keeping`), and it is only compared.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`, in which the person is locked and nothing of them is destroyed
            yet.
        subject_id: The person.
        now: Aware UTC time.

    Raises:
        _ValueCameError: Keys lie apart, and the copy is not what is to be kept now.
    """
    return _keep(vault, connection, subject_id, now, may_copy=not vault.data_keys.apart)


def _keep(vault: "Vault", connection: Any, subject_id: bytes, now: datetime, *, may_copy: bool) -> bool:
    until = _until(vault, connection, subject_id, now)
    values = _values(vault, connection, subject_id, until) if until else ()
    if not values:
        return False
    own = kept_id(vault, subject_id)
    is_there = vault.subjects.lock(connection, own)
    there = _values(vault, connection, own, until) if is_there else ()
    if there == values:
        return True
    if not may_copy:
        raise _ValueCameError
    if is_there:
        _discard(vault, connection, own, is_readable=bool(there))
    _store(vault, connection, own, values, until, now)
    return True


def after_keeping(
    vault: "Vault", subject_ids: Collection[bytes], now: datetime, work: Callable[[Any], T], *, ordered: bool = False
) -> T:
    """Run a transaction that erases these people, after what the law keeps of them was stored for good (rule 5).

    Args:
        vault: The open store.
        subject_ids: Whom it may erase; nobody need be named where not `needs_keeping_first`.
        now: Aware UTC time.
        work: What `Database.transact` takes; it calls `keep` for each before it destroys anything of them.
        ordered: Whether the journal orders it, so that no hold stops it.

    Raises:
        ContentionError: New values came each time; nothing was erased.
        StorageError: As `Database.transact`.
    """
    for _ in range(_TRIES):
        for each in subject_ids if needs_keeping_first(vault) else ():
            _copy_first(vault, each, now, ordered=ordered)
        try:
            return vault.database.transact(work)
        except _ValueCameError:
            continue
    raise ContentionError("somebody who is to be erased writes all the time; do it again")


def needs_keeping_first(vault: "Vault") -> bool:
    """Return whether a copy must be committed before an erasure: where keys lie apart and a law keeps anything."""
    return vault.data_keys.apart and bool(_purposes(vault))


def _copy_first(vault: "Vault", subject_id: bytes, now: datetime, *, ordered: bool) -> None:
    def work(connection: Any) -> None:
        if vault.subjects.lock(connection, subject_id) and (ordered or not holds.is_held(connection, subject_id)):
            _keep(vault, connection, subject_id, now, may_copy=True)

    vault.database.transact(work)


def _purposes(vault: "Vault") -> list[str]:
    return [name for name, each in vault.policy.purposes.items() if each.basis == BY_LAW]


def _until(vault: "Vault", connection: Any, subject_id: bytes, now: datetime) -> dict[str, datetime]:
    """Return until when each purpose keeps what it holds of a person, of those whose time is not over."""
    purposes = _purposes(vault)
    if not purposes:
        return {}
    due = vault.data_keys.due_of(connection, subject_id)
    return {name: at for name in purposes if (at := due.get(name)) is not None and at > now}


def _values(vault: "Vault", connection: Any, subject_id: bytes, purposes: Mapping[str, datetime]) -> tuple[_Value, ...]:
    """Return the different values of these purposes, each as it was given first."""
    found: dict[tuple[str, bytes], tuple[float, Any, set[str]]] = {}
    try:
        for sender_id in vault.senders.ids_of(connection, subject_id):
            stored = vault.conversations.load(connection, sender_id, all_sessions=True, purposes=tuple(purposes))
            if stored is None:
                continue
            times = [float(event["timestamp"] or 0.0) for event in stored.structure]
            for purpose in purposes:
                for seq, _path, item, value in stored.values.get(purpose, ()):
                    if value is None:
                        continue
                    at = times[seq - stored.first_seq]
                    same = (item, msgspec.json.encode(value))
                    first, _, names = found.get(same, (at, value, set()))
                    found[same] = (min(first, at), value, {*names, purpose})
    except DAMAGED:
        return ()
    return tuple(
        _Value(at, item, value, tuple(sorted(names))) for (item, _), (at, value, names) in sorted(found.items())
    )


def _store(  # noqa: PLR0913, PLR0917 - store, transaction, for whom, what, until when, and now
    vault: "Vault",
    connection: Any,
    own: bytes,
    values: tuple[_Value, ...],
    until: Mapping[str, datetime],
    now: datetime,
) -> None:
    name = kept_name(own)
    vault.subjects.create(connection, name, own, now)
    declared = vault.policy.items
    slots = [declared[each.item].slot if each.item in declared else None for each in values]
    structure = [
        {"event": "slot", "timestamp": each.at, "name": slot or each.item, "value": None}
        for slot, each in zip(slots, values, strict=True)
    ]
    entries: dict[str, list[list[Any]]] = {}
    for seq, each in enumerate(values):
        for purpose in each.purposes:
            entries.setdefault(purpose, []).append([seq, ["value"], each.item, each.value])
    version, _ = vault.conversations.head(connection, name)
    vault.conversations.append(connection, name, version, structure, entries, [], now)
    for purpose in entries:
        vault.data_keys.touch(connection, own, purpose, until[purpose])
    vault.data_keys.touch(connection, own, SERVICE, max(until[purpose] for purpose in entries))
    for each in values:
        item = declared.get(each.item)
        if item is not None and item.lasting is not None and item.lasting.duration is not None:
            lasting_values.note(connection, own, [each.item], datetime.fromtimestamp(each.at, tz=timezone.utc))


def _discard(vault: "Vault", connection: Any, own: bytes, *, is_readable: bool) -> None:
    """Take away a copy that is not what is to be kept now.

    Keys that lie apart would be gone before the new copy is there, so they go on to seal that one.
    """
    if not (vault.data_keys.apart and is_readable):
        vault.data_keys.destroy_all(connection, own)
    delete_rows(connection, own)
