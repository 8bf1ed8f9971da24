"""`EncryptedTrackerStore`: the Store door. Minimises and seals on save, opens on retrieve.

Rules, in order:

1. The server does not start without a store that works: every failure in the constructor is a `PrivacyError`, which
   Rasa does not turn into an in-memory store. At run time nothing falls back to memory either (`_without_fallback`).
2. The ledger's chain is verified when the store opens. On save the ledger is read again, so that a withdrawal made
   during the turn counts for the turn.
3. A turn during which the person was erased is not stored: it belongs to the person who is gone. A tracker without a
   handle brings back nothing from before an erasure.
4. The loser of two writers re-reads the version and appends; nothing is lost.

Database work runs in a thread, so that a slow database delays its own conversation only.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from rasa_privacy.components import gate, log_scrubbing, payload, runtime
from rasa_privacy.components.event_types import event_from
from rasa_privacy.components.rasa_api import (
    DialogueStateTracker,
    Domain,
    EventBroker,
    FailSafeTrackerStore,
    TrackerStore,
    agent_module,
)
from rasa_privacy.components.runtime import Handle, Runtime
from rasa_privacy.components.turn_storage import TurnWriter
from rasa_privacy.components.vocabulary import entity_slots, shield_mappings, words_of
from rasa_privacy.dialogue.turns import ACTIONS
from rasa_privacy.errors import ConfigurationError, ConversationConflictError, ModelMismatchError, PrivacyError
from rasa_privacy.minimize.events import EventSplitter, join
from rasa_privacy.policy.settings import settings_from_mapping
from rasa_privacy.policy.slots import OWN_SLOTS
from rasa_privacy.retention.sweep import EVERY, sweep
from rasa_privacy.storage.vault import Vault, open_vault

logger = logging.getLogger(__name__)

#: Threads for database work; more would wait for SQLite's one writer.
_THREADS: Final = 4
#: How often the loser of two writers tries again.
_ATTEMPTS: Final = 10

T = TypeVar("T")


class EncryptedTrackerStore(TrackerStore):
    """Rasa's tracker store over `rasa_privacy.storage`.

    Args:
        domain: Rasa's domain; set again when the model is loaded.
        host: `url` of the `tracker_store` block in endpoints.yml.
        event_broker: Gets minimised events only.
        **settings: `keys` and `privacy` of the same block.

    Raises:
        PrivacyError: The store cannot be opened; the message says why and what to do.
    """

    def __init__(
        self,
        domain: Domain | None = None,
        host: str | None = None,
        event_broker: EventBroker | None = None,
        **settings: Any,
    ) -> None:
        try:
            vault = open_vault(settings_from_mapping({"url": host, **settings}, "endpoints.yml: tracker_store"))
            try:
                self._open(vault, domain, event_broker)
            except BaseException:
                vault.close()
                raise
        except (ImportError, AttributeError) as error:
            # Rasa would take these two for a wrong `type` and go on with an in-memory store.
            raise ConfigurationError(f"the encrypted tracker store cannot be made: {type(error).__name__}") from error

    def _open(self, vault: Vault, domain: Domain | None, event_broker: EventBroker | None) -> None:
        log_scrubbing.install()
        self._vault = vault
        self._runtime = Runtime(vault, EventSplitter(vault.policy), vault.policy.languages[0])
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="rasa-privacy-store")
        self._writer = TurnWriter(self._runtime)
        super().__init__(domain, event_broker)
        self.domain = domain
        runtime.install(self._runtime)
        gate.install()
        payload.install()
        _without_fallback()
        self._read(vault.ledger.verify)
        self._sweep()

    @property
    def domain(self) -> Domain:
        """Rasa's domain."""
        return self._domain

    @domain.setter
    def domain(self, domain: Domain | None) -> None:
        self._domain = domain or Domain.empty()
        self._refusal = _refusal_of(self._domain)
        shield_mappings(self._domain)
        self._runtime.splitter = EventSplitter(self._vault.policy, entity_slots(self._domain))
        log_scrubbing.allow(words_of(self._domain))
        if self._refusal is not None:
            raise self._refusal

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """Return the tracker with the events since the last session start, or None for an unknown conversation."""
        return await self._in_thread(lambda: self._load(sender_id, all_sessions=False))

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """Return the tracker with the events of all sessions, or None for an unknown conversation."""
        return await self._in_thread(lambda: self._load(conversation_id, all_sessions=True))

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Store the tracker's new events, minimised and sealed, and publish them in the same form."""
        log_scrubbing.remember(tracker.sender_id)
        published = await self._in_thread(lambda: self._save(tracker))
        if self.event_broker is not None:
            for body in published:
                self.event_broker.publish(body)

    async def exists(self, conversation_id: str) -> bool:
        """Return whether the conversation is stored."""
        return await self._in_thread(
            lambda: self._read(lambda connection: self._vault.conversations.exists(connection, conversation_id))
        )

    async def keys(self) -> Iterable[str]:
        """Return the sender ids of all stored conversations."""
        return await self._in_thread(
            lambda: self._read(lambda connection: list(self._vault.conversations.sender_ids(connection)))
        )

    async def stream_events(self, tracker: DialogueStateTracker) -> None:
        """Do nothing: `save` publishes what it stored, and only that."""

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _read(self, work: Callable[[Any], T]) -> T:
        with self._vault.database.read() as connection:
            return work(connection)

    def _load(self, sender_id: str, *, all_sessions: bool) -> DialogueStateTracker | None:
        if self._refusal is not None:
            # Rasa logs the error of the setter and goes on with the model; without a tracker nothing is collected.
            raise self._refusal
        log_scrubbing.remember(sender_id)
        vault = self._vault
        with vault.database.read() as connection:
            stored = vault.conversations.load(connection, sender_id, all_sessions=all_sessions)
            if stored is None or not stored.structure:
                return None
        join(stored.structure, stored.first_seq, stored.values)
        tracker = self.init_tracker(sender_id)
        numbers: list[int | None] = []
        for number, parameters in enumerate(stored.structure, start=stored.first_seq):
            event = event_from(parameters)
            if event is not None:
                tracker.update(event)
                numbers.append(number)
        held = {purpose: frozenset(entry[2] for entry in entries) for purpose, entries in stored.values.items()}
        runtime.attach(tracker, Handle(stored.subject_id, stored.version, numbers, held))
        log_scrubbing.remember(*_texts(tracker))
        return tracker

    def init_tracker(self, sender_id: str) -> DialogueStateTracker:
        """Return an empty tracker that is known to come from this store."""
        tracker = super().init_tracker(sender_id)
        runtime.attach(tracker, Handle(None, 0, [], {}))
        return tracker

    def _save(self, tracker: DialogueStateTracker, attempts: int = _ATTEMPTS) -> list[dict[str, Any]]:
        try:
            published = self._writer.write(tracker)
        except ConversationConflictError:
            if attempts == 1:
                raise
            return self._save(tracker, attempts - 1)
        self._sweep()
        return published

    def _sweep(self) -> None:
        """Remove what is due, at most once an hour; a failure is logged and tried again with the next save."""
        now = self._vault.clock()
        if self._runtime.swept_at is not None and now - self._runtime.swept_at < EVERY:
            return
        try:
            result = sweep(self._vault, now)
        except PrivacyError:
            logger.exception("Removing data that is due failed; it is tried again with the next turn.")
            return
        self._runtime.swept_at = now
        if result.purposes:
            logger.info("Removed data that was due: %d purposes, %d people.", result.purposes, result.people)


def _refusal_of(domain: Domain) -> ModelMismatchError | None:
    """Return why a model with this domain must not be served, or None."""
    if domain.is_empty() or set(ACTIONS) <= set(domain.action_names_or_texts):
        return None
    return ModelMismatchError(
        "this model was trained without rasa_privacy, so nothing would ask for consent; nothing is collected. "
        "Add the lines that 'rasa-privacy check' names to config.yml and train again"
    )


def _texts(tracker: DialogueStateTracker) -> list[str]:
    """Return the values that no log line may show: those in slots."""
    return [str(slot.value) for name, slot in tracker.slots.items() if slot.value is not None and name not in OWN_SLOTS]


def _without_fallback() -> None:
    """Keep Rasa from wrapping our store in one that falls back to memory."""

    def create(store: TrackerStore, *arguments: Any, **keywords: Any) -> TrackerStore:
        if isinstance(store, EncryptedTrackerStore):
            return store
        return FailSafeTrackerStore(store, *arguments, **keywords)

    agent_module.FailSafeTrackerStore = create
