"""Conversations against a model: lists in memory."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage import conversation_rows as table
from rasa_privacy.storage.conversation_head import verified_head
from rasa_privacy.storage.subjects import SENDER_DOMAIN
from rasa_privacy.storage.value_counts import values_of
from rasa_privacy.storage.vault import open_vault

_NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)
_SENDERS = st.sampled_from(["+49151", "web-7"])
_PURPOSES = st.sampled_from(["draw", "news", "fitting"])
_ITEMS = st.sampled_from(["email", "phone"])
_SAID = st.sampled_from([None, "a", 7])
_PRIVACY = (
    "version: 1\ncontroller: {name: N, contact: p@n.example, policy_url: https://n.example}\n"
    "purposes: {draw: {says: {en: to draw}, basis: consent, guards: [lead_form], retain: 90 days}}\n"
)


class Conversations(RuleBasedStateMachine):
    """Each rule does the same to the store and to lists."""

    def __init__(self) -> None:
        super().__init__()
        # No TemporaryDirectory: Hypothesis makes machines that it does not tear down.
        path = self._folder = Path(tempfile.mkdtemp())
        (path / "privacy.yml").write_text(_PRIVACY)
        keys = KeySettings("file", path / "keys")
        self._vault = open_vault(StoreSettings(f"sqlite:///{path}/c.db", keys, path / "privacy.yml"))
        self._events: dict[str, list[Any]] = {}
        self._first: dict[str, int] = {}
        self._values: dict[str, dict[str, list[Any]]] = {}

    def teardown(self) -> None:
        """Remove the store."""
        self._vault.close()
        shutil.rmtree(self._folder)

    @initialize(sender=_SENDERS)
    def begin(self, sender: str) -> None:
        """Start with one conversation."""
        self._append(sender, ["first"], {}, [])

    @rule(sender=_SENDERS, count=st.integers(1, 4), starts=st.sets(st.integers(0, 3)), data=st.data())
    def append(self, sender: str, count: int, starts: set[int], data: st.DataObject) -> None:
        """Add events with values of any event so far."""
        old = len(self._events.get(sender, []))
        numbers = st.lists(st.integers(0, old + count - 1), max_size=3)
        values = {purpose: data.draw(numbers) for purpose in data.draw(st.sets(_PURPOSES, max_size=2))}
        entries: dict[str, list[Any]] = {
            purpose: [[n, [], data.draw(_ITEMS), data.draw(_SAID)] for n in chosen]
            for purpose, chosen in values.items()
        }
        self._append(sender, [[old + n] for n in range(count)], entries, sorted(s for s in starts if s < count))

    @rule(sender=_SENDERS, purpose=_PURPOSES)
    def drop(self, sender: str, purpose: str) -> None:
        """Drop a purpose and its key."""
        with self._vault.database.write() as conn:
            subject_id = self._vault.subjects.find(conn, sender)
            if subject_id is not None:
                self._vault.parts.drop_purpose(conn, subject_id, purpose)
                self._vault.data_keys.destroy(conn, subject_id, purpose)
        self._values.get(sender, {}).pop(purpose, None)

    @rule(sender=_SENDERS, purpose=_PURPOSES, item=_ITEMS)
    def drop_item(self, sender: str, purpose: str, item: str) -> None:
        """Drop one item of a purpose."""
        self._change(sender, lambda conn, who: self._vault.parts.drop_item(conn, who, purpose, item, _NOW))
        held = self._values.get(sender, {})
        held[purpose] = [entry for entry in held.get(purpose, []) if entry[2] != item]

    @rule(sender=_SENDERS)
    def rewrite(self, sender: str) -> None:
        """Write the structure anew; the values stay."""
        self._change(sender, lambda conn, who: self._vault.parts.rewrite(conn, who, _marked, _NOW))
        if sender in self._events:
            self._events[sender] = _marked(self._events[sender])

    @rule(sender=_SENDERS)
    def clear(self, sender: str) -> None:
        """Take all events out; the person stays."""
        self._change(sender, lambda conn, _who: self._vault.conversations.clear(conn, sender))
        if sender in self._events:
            self._events[sender], self._first[sender], self._values[sender] = [], 0, {}

    @rule(sender=_SENDERS)
    def erase(self, sender: str) -> None:
        """Erase a person."""
        with self._vault.database.write() as conn:
            subject_id = self._vault.subjects.find(conn, sender)
            if subject_id is not None:
                self._vault.erasures.bury(conn, subject_id, _NOW, subject_id.hex(), {})
        for part in (self._events, self._first, self._values):
            part.pop(sender, None)

    @invariant()
    def store_and_model_are_equal(self) -> None:
        """What is loaded is what the lists hold."""
        for sender in ("+49151", "web-7"):
            with self._vault.database.read() as conn:
                every = self._vault.conversations.load(conn, sender, all_sessions=True)
                last = self._vault.conversations.load(conn, sender)
            if sender not in self._events:
                assert every is last is None
                continue
            assert every is not None
            assert last is not None
            first = self._first[sender]
            assert every.structure == self._events[sender]
            assert (last.first_seq, last.structure) == (first, self._events[sender][first:])
            assert _sorted(every.values) == _sorted(self._values[sender])
            kept = {name: [e for e in entries if e[0] >= first] for name, entries in self._values[sender].items()}
            assert _sorted(last.values) == _sorted({name: entries for name, entries in kept.items() if entries})

    @invariant()
    def values_are_counted(self) -> None:
        """The head knows how many values there are of each purpose and item, and so does what an erasure registers."""
        for sender in ("+49151", "web-7"):
            with self._vault.database.read() as conn:
                row = table.by_sender(conn, self._vault.index.to_find(SENDER_DOMAIN, sender))
                if row is None:
                    continue
                keys = self._vault.data_keys.of_subject(conn, row.place.subject_id)
                counts = self._vault.erasures.inventory(conn, row.place.subject_id).counts
            held = self._values.get(sender, {})
            found = {name: Counter(entry[2] for entry in held[name] if entry[3] is not None) for name in held}
            assert verified_head(row, keys).values == {name: counted for name, counted in found.items() if counted}
            assert values_of(counts) == {f"{name}:{item}": n for name in found for item, n in found[name].items()}

    def _change(self, sender: str, work: Callable[[Any, bytes], object]) -> None:
        with self._vault.database.write() as conn:
            subject_id = self._vault.subjects.find(conn, sender)
            if subject_id is not None:
                work(conn, subject_id)

    def _append(self, sender: str, structure: list[Any], values: dict[str, list[Any]], starts: list[int]) -> None:
        with self._vault.database.write() as conn:
            version, old = self._vault.conversations.head(conn, sender)
            self._vault.conversations.append(conn, sender, version, structure, values, starts, _NOW)
        self._events.setdefault(sender, []).extend(structure)
        if starts:
            self._first[sender] = old + starts[-1]
        self._first.setdefault(sender, 0)
        for purpose, entries in values.items():
            if entries:
                self._values.setdefault(sender, {}).setdefault(purpose, []).extend(entries)
        self._values.setdefault(sender, {})


def _marked(structure: Sequence[Any]) -> list[Any]:
    return [[*entry, "rewritten"] for entry in structure]


def _sorted(values: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {purpose: sorted(entries, key=repr) for purpose, entries in values.items() if entries}


TestConversations = Conversations.TestCase
TestConversations.settings = settings(
    max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
