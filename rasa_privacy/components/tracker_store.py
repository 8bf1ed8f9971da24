"""`EncryptedTrackerStore`: the Store door. Minimises and seals on save, opens on retrieve.

Rules, in order:

1. The server does not start without a store that works: every failure in the constructor is a `PrivacyError`, which
   Rasa does not turn into an in-memory store. At run time nothing falls back to memory either (`memory_fallback`).
2. The ledger's chain is verified when the store opens. On save the ledger is read again, so that a withdrawal made
   during the turn counts for the turn.
3. A turn during which the person was erased is not stored: it belongs to the person who is gone. A tracker without a
   handle brings back nothing from before an erasure.
4. The loser of two writers re-reads the version and appends; nothing is lost.
5. A database that goes away is waited for, and then the person is told (`processor.py`); nothing is kept elsewhere.

Database work runs in a thread, so that a slow database delays its own conversation only.
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, TypeVar

from rasa_privacy.access.admission import SERVER
from rasa_privacy.components import (
    error_responses,
    gate,
    lock_store,
    log_scrubbing,
    memory_fallback,
    nlg,
    payload,
    processor,
    runtime,
)
from rasa_privacy.components.announcing import Announcer
from rasa_privacy.components.event_broker import PrivateEventBroker
from rasa_privacy.components.history import watch
from rasa_privacy.components.patience import Patience
from rasa_privacy.components.publishing import Published, outgoing_splitter
from rasa_privacy.components.rasa_api import (
    DialogueStateTracker,
    Domain,
    EventBroker,
    TrackerStore,
)
from rasa_privacy.components.reminding import remind_beside
from rasa_privacy.components.reviewing import review_beside
from rasa_privacy.components.runtime import Handle, Runtime
from rasa_privacy.components.threads import Threads
from rasa_privacy.components.tracker_reader import read_tracker
from rasa_privacy.components.tracker_state import EmptySlots, empty_tracker
from rasa_privacy.components.turn_storage import TurnWriter
from rasa_privacy.components.vocabulary import (
    entity_slots,
    form_slots,
    response_slots,
    shield_mappings,
    stored_words,
    words_of,
)
from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.dialogue.names import ACTIONS
from rasa_privacy.errors import ConfigurationError, ModelMismatchError, StorageError
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.policy.needs import Needs
from rasa_privacy.policy.settings import settings_from_mapping
from rasa_privacy.retention.review_duty import acknowledgements
from rasa_privacy.retention.schedule import start as start_sweeping
from rasa_privacy.rights.coarsening import aids_of
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage.book_counts import LastCounted
from rasa_privacy.storage.key_expiry import expire_beside
from rasa_privacy.storage.vault import Vault, open_vault

logger = logging.getLogger(__name__)

#: Threads for database work, so many conversations can wait for a slow database before others do.
_THREADS: Final = 8

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
        log_scrubbing.install()  # first, so that what fails here is said as all else is
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
        self._vault = vault
        self._lacks_words = False
        self._patience = Patience(Threads(_THREADS, "rasa-privacy-store"))
        self._runtime = Runtime(
            vault,
            EventSplitter(vault.policy, aids=aids_of(vault)),
            Needs(vault.policy),
            vault.policy.languages[0],
            self._patience,
        )
        self._runtime.splitter.detection.load()
        self._writer = TurnWriter(self._runtime)
        self._announcer: Announcer | None = None
        if isinstance(event_broker, PrivateEventBroker):
            self._announcer = Announcer(self._runtime, event_broker)
        self.event_broker = event_broker  # before Rasa's constructor, which sets the domain first
        super().__init__(domain, event_broker)
        self.domain = domain
        runtime.install(self._runtime)
        gate.install()
        payload.install()
        nlg.install()
        lock_store.install()
        error_responses.install()
        processor.install()
        memory_fallback.forbid(EncryptedTrackerStore)
        self._read(vault.ledger.verify)
        expire_beside(self._vault)
        start_sweeping(self, _vault_of, partial(_after_sweep, acknowledged=acknowledgements()))

    @property
    def domain(self) -> Domain:
        """Rasa's domain."""
        return self._domain

    @domain.setter
    def domain(self, domain: Domain | None) -> None:
        self._domain = domain or Domain.empty()
        self._refusal = _refusal_of(self._domain)
        shield_mappings(self._domain)
        self._slots = EmptySlots(self._domain.slots)
        names, aids = words_of(self._domain), aids_of(self._vault)
        self._runtime.splitter = EventSplitter(self._vault.policy, entity_slots(self._domain), aids, names)
        self._runtime.needs = Needs(self._vault.policy, form_slots(self._domain), response_slots(self._domain))
        if self.event_broker is not None:
            self._runtime.outgoing = outgoing_splitter(self._runtime.splitter, self._vault.policy, self._domain)
        log_scrubbing.allow(names)
        if self._refusal is not None:
            raise self._refusal
        self._keep_words(stored_words(self._domain, names))

    def _keep_words(self, words: bytes) -> None:
        """Keep what the bot says once for all; where the database is away, that costs bytes, and not the model."""
        try:
            self._vault.bot_words.use(words)
        except StorageError as error:
            if not self._lacks_words:
                logger.warning(
                    "What the bot says could not be kept once for all conversations (%s); each takes more bytes until "
                    "a model is loaded while the database can be written.",
                    type(error).__name__,
                )
            self._lacks_words = True
        else:
            self._lacks_words = False

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """Return the tracker with the events since the last session start, or None for an unknown conversation."""
        return await self._patience.run(lambda _: self._load(sender_id, all_sessions=False))

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """Return the tracker with the events of all sessions, or None for an unknown conversation."""
        return await self._patience.run(lambda _: self._load(conversation_id, all_sessions=True))

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Store the tracker's new events, minimised and sealed, and publish them in the same form."""
        log_scrubbing.remember(tracker.sender_id)
        published = await self._patience.run(lambda again: self._save(tracker, again=again))
        if self.event_broker is not None:
            for body in published:
                self.event_broker.publish(body)
        if self._announcer is not None:
            await self._announcer.run()

    async def exists(self, conversation_id: str) -> bool:
        """Return whether the conversation is stored."""
        return await self._read_patiently(
            lambda connection: self._vault.conversations.exists(connection, conversation_id)
        )

    async def keys(self) -> Iterable[str]:
        """Return the sender ids of all stored conversations."""
        return await self._read_patiently(lambda connection: list(self._vault.senders.ids(connection)))

    async def count_conversations(self, after_timestamp: float = 0.0) -> int:
        """Return the number of conversations with an event at or after a time, as Rasa Pro asks for.

        Args:
            after_timestamp: Seconds since 1970. With more than 0 the last session of each conversation is opened.
        """
        if after_timestamp <= 0:
            return await self._read_patiently(self._vault.conversations.count)
        count = 0
        for sender_id in await self.keys():
            tracker = await self.retrieve(sender_id)
            count += tracker is not None and any(event.timestamp >= after_timestamp for event in tracker.events)
        return count

    async def delete(self, sender_id: str) -> None:
        """Erase the person behind a conversation, as Rasa Pro asks for: a conversation is not deleted by halves."""
        evidence = Evidence("outside", "tracker store", self._runtime.language, self._vault.clock())
        await self._patience.run(lambda _: erase(self._vault, sender_id, evidence, SERVER))

    async def update(self, tracker_to_keep: DialogueStateTracker, apply_deletion_only: bool = True) -> None:  # noqa: FBT001, FBT002 - Rasa Pro's signature
        """Keep of a conversation what Rasa Pro's jobs leave of it.

        Args:
            tracker_to_keep: What is left.
            apply_deletion_only: Whether only the events from before its first one are deleted. Else it takes the place
                of all that is stored.
        """
        if not tracker_to_keep.events:
            return
        sender_id, first = tracker_to_keep.sender_id, tracker_to_keep.events[0].timestamp
        if apply_deletion_only:
            await self._patience.run(lambda _: self._writer.trim(sender_id, first))
        else:
            await self._patience.run(lambda _: self._writer.replace(tracker_to_keep))
        # What was deleted stands in SQLite's log until then; where a reader keeps it, the next checkpoint does it.
        await self._patience.run(lambda _: self._vault.database.checkpoint())

    async def stream_events(self, tracker: DialogueStateTracker) -> None:
        """Do nothing: `save` publishes what it stored, and only that."""

    async def _read_patiently(self, work: Callable[[Any], T]) -> T:
        return await self._patience.run(lambda _: self._read(work))

    def _read(self, work: Callable[[Any], T]) -> T:
        with self._vault.database.read() as connection:
            return work(connection)

    def _load(self, sender_id: str, *, all_sessions: bool) -> DialogueStateTracker | None:
        if self._refusal is not None:
            # Rasa logs the error of the setter and goes on with the model; without a tracker nothing is collected.
            raise self._refusal
        make = self._init_full_tracker if all_sessions else self.init_tracker
        return read_tracker(self._runtime, make, sender_id, all_sessions=all_sessions)

    def init_tracker(self, sender_id: str) -> DialogueStateTracker:
        """Return an empty tracker that is known to come from this store."""
        return _known(empty_tracker(sender_id, self._slots, self.max_event_history))

    def _init_full_tracker(self, sender_id: str) -> DialogueStateTracker:
        """Return an empty tracker that keeps all events, whatever `max_event_history` the last caller asked for."""
        return _known(empty_tracker(sender_id, self._slots, None))

    def _save(self, tracker: DialogueStateTracker, *, again: bool) -> list[Published]:
        return self._writer.write(tracker, again=again)


def _after_sweep(vault: Vault, acknowledged: LastCounted) -> None:
    """Do what one server of many does now and then."""
    remind_beside(vault)
    review_beside(vault, acknowledged)


def _vault_of(store: EncryptedTrackerStore) -> Vault:
    return store._vault  # noqa: SLF001 - the store's own module


def _known(tracker: DialogueStateTracker) -> DialogueStateTracker:
    """Let an empty tracker be known to come from this store."""
    watch(tracker)
    runtime.attach(tracker, Handle(None, 0, [], {}))
    return tracker


def _refusal_of(domain: Domain) -> ModelMismatchError | None:
    """Return why a model with this domain must not be served, or None."""
    if domain.is_empty() or set(ACTIONS) <= set(domain.action_names_or_texts):
        return None
    return ModelMismatchError(
        "this model was trained without rasa_privacy, so nothing would ask for consent; nothing is collected. "
        "Add the lines that 'rasa-privacy check' names to config.yml and train again"
    )
