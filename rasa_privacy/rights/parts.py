"""What deleting a part of what is held of a person would do: an item wherever it is held, or all of one purpose.

Rules:

1. A legal hold keeps everything. A purpose that the law demands (`legal_obligation`) keeps what it holds.
2. What another purpose holds of an item stays there when the first purpose is deleted.
3. Of a conversation that is damaged a purpose counts as holding one value of each item that it lists.
4. People are told of different values: one that was typed and then filled a slot is stored twice, and said once.

`part_deletion` does it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from rasa_privacy.consent.ledger import state_of
from rasa_privacy.errors import DAMAGED
from rasa_privacy.minimize.event_fields import texts_of
from rasa_privacy.storage import holds
from rasa_privacy.storage.vault import SERVICE, Vault

Reason = Literal["law", "other"]

#: A value as it would be written: a list has several parts.
_Written = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Staying:
    """What stays although it was named.

    Attributes:
        item: The item.
        purpose: The purpose that holds it.
        why: The law demands it, or it is for another purpose than the one that was named.
    """

    item: str
    purpose: str
    why: Reason


@dataclass(frozen=True, slots=True)
class Plan:
    """What deleting a part would do.

    Attributes:
        goes: Number of stored values by purpose and item.
        ends: Purposes whose consent would end.
        stays: What stays of what was named.
        is_held: Whether a legal hold keeps everything.
        is_damaged: Whether a conversation is damaged, so that nobody knows how many values there are.
        written: The different values that go, as they would be written, by purpose and item.
    """

    goes: Mapping[tuple[str, str], int]
    ends: tuple[str, ...]
    stays: tuple[Staying, ...]
    is_held: bool = False
    is_damaged: bool = False
    written: Mapping[tuple[str, str], frozenset[_Written]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def different(self) -> dict[tuple[str, str], int]:
        """The number of different values by purpose and item; as many as are stored where a conversation is damaged."""
        return {each: len(self.written.get(each, ())) or number for each, number in self.goes.items()}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to delete and nothing to end."""
        return not self.goes and not self.ends


def plan(  # noqa: PLR0913, PLR0917 - store, transaction, whose, of what, when
    vault: Vault, connection: Any, subject_id: bytes, items: Collection[str], purposes: Collection[str], now: datetime
) -> Plan:
    """Return what deleting these items and purposes of a person would do.

    Args:
        vault: The open store.
        connection: An open read or write transaction.
        subject_id: The person.
        items: Items of privacy.yml.
        purposes: Purposes of privacy.yml.
        now: The moment, aware and in UTC.
    """
    held, written = _held(vault, connection, subject_id)
    goes: dict[tuple[str, str], int] = {}
    stays: list[Staying] = []
    for purpose, counts in held.items():
        for item, number in counts.items():
            named = purpose in purposes or item in items
            if named and not _by_law(vault, purpose):
                goes[purpose, item] = number
            elif named:
                stays.append(Staying(item, purpose, "law"))
    elsewhere = {item for purpose, item in goes if purpose in purposes}
    stays += [
        Staying(item, purpose, "other")
        for purpose, counts in held.items()
        for item in counts
        if item in elsewhere and item not in items and purpose not in purposes
    ]
    granted = state_of(vault, connection, subject_id, now).granted
    ends = tuple(name for name in vault.policy.purposes if name in granted and name in purposes)
    return Plan(goes, ends, tuple(stays), holds.is_held(connection, subject_id), written is None, _only(written, goes))


def plan_all(vault: Vault, connection: Any, subject_id: bytes, now: datetime) -> Plan:
    """Return what of a person's values and consents an erasure would reach; what the law keeps of it is in `kept`."""
    held, written = _held(vault, connection, subject_id)
    goes = {(purpose, item): number for purpose, counts in held.items() for item, number in counts.items()}
    granted = state_of(vault, connection, subject_id, now).granted
    ends = tuple(name for name in vault.policy.purposes if name in granted)
    return Plan(goes, ends, (), holds.is_held(connection, subject_id), written is None, _only(written, goes))


def merged(plans: Iterable[Plan]) -> Plan:
    """Return what deleting a part would do in several conversations of one person."""
    every = tuple(plans)
    goes: Counter[tuple[str, str]] = Counter()
    for each in every:
        goes.update(each.goes)
    ends = dict.fromkeys(name for each in every for name in each.ends)
    stays = dict.fromkeys(one for each in every for one in each.stays)
    is_held, is_damaged = any(each.is_held for each in every), any(each.is_damaged for each in every)
    # Where one is damaged nobody knows which of its values are among those of the others.
    known = () if is_damaged else goes
    written = {key: frozenset().union(*(each.written.get(key, ()) for each in every)) for key in known}
    return Plan(goes, tuple(ends), tuple(stays), is_held, is_damaged, written)


def held_values(vault: Vault, connection: Any, subject_id: bytes) -> dict[str, Counter[str]]:
    """Return how many values each purpose holds of each item; of what is damaged, one of each that it may hold."""
    return _held(vault, connection, subject_id)[0]


def _held(
    vault: Vault, connection: Any, subject_id: bytes
) -> tuple[dict[str, Counter[str]], dict[tuple[str, str], frozenset[_Written]] | None]:
    """Return what `held_values` does, and the different values; None for these where a conversation is damaged."""
    found: dict[str, Counter[str]] = {}
    written: defaultdict[tuple[str, str], set[_Written]] = defaultdict(set)
    try:
        for _sender, values in conversation_values(vault, connection, subject_id):
            for purpose, entries in values.items():
                there = [(str(item), value) for _seq, _path, item, value in entries if value is not None]
                found[purpose] = found.get(purpose, Counter()) + Counter(item for item, _ in there)
                for item, value in there:
                    written[purpose, item].add(tuple(texts_of(value)) or (str(value),))  # a yes or no has no text
    except DAMAGED:
        keys = vault.data_keys.due_of(connection, subject_id)
        declared = vault.policy.purposes
        return {name: Counter([*declared[name].items]) for name in keys if name != SERVICE and name in declared}, None
    order = [*vault.policy.purposes, *found]
    held = {name: found[name] for name in dict.fromkeys(order) if found.get(name)}
    return held, {key: frozenset(values) for key, values in written.items()}


def conversation_values(
    vault: Vault, connection: Any, subject_id: bytes
) -> Iterator[tuple[str, Mapping[str, list[list[Any]]]]]:
    """Yield the sender id of each conversation of a person, and its value entries by purpose.

    Raises:
        TamperedSegmentError: What is stored is not what was written.
        MalformedSegmentError: What is stored does not follow the format.
        KeyDestroyedError: The person was erased and rows are still there.
    """
    for sender_id in vault.senders.ids_of(connection, subject_id):
        stored = vault.conversations.load(connection, sender_id, all_sessions=True)
        if stored is not None:
            yield sender_id, stored.values


def _only(
    written: Mapping[tuple[str, str], frozenset[_Written]] | None, goes: Collection[tuple[str, str]]
) -> dict[tuple[str, str], frozenset[_Written]]:
    return {} if written is None else {key: values for key, values in written.items() if key in goes}


def _by_law(vault: Vault, purpose: str) -> bool:
    declared = vault.policy.purposes.get(purpose)
    return declared is not None and declared.basis == "legal_obligation"
