"""`open_vault`: everything that the store knows, opened in one go and checked in order.

1. privacy.yml can be read.
2. The database can be reached and has this release's schema; so has the key database, where there is one.
3. The keys are there, and are this database's own (`founding.py`, `signer.py`).
4. The erasure journal is, too, and what the database does not know of it is carried out (`replay.py`).
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.identity import SERVICE as SERVICE  # noqa: PLC0414 - rooms above name it from here
from rasa_privacy.crypto.providers import open_provider
from rasa_privacy.errors import LedgerError, NotGrantedError
from rasa_privacy.policy.bot_regulations import Regulations, load_regulations
from rasa_privacy.policy.loader import load_policy
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.storage import contact_marks
from rasa_privacy.storage.attestations import Attestations
from rasa_privacy.storage.audit import AuditLog
from rasa_privacy.storage.books import AUDIT
from rasa_privacy.storage.bot_words import BotWords
from rasa_privacy.storage.checkpoints import Checkpoints
from rasa_privacy.storage.conversation_parts import ConversationParts
from rasa_privacy.storage.conversations import Conversations
from rasa_privacy.storage.crowd import Crowd
from rasa_privacy.storage.data_keys import DataKeys
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.due_keys import DueKeys
from rasa_privacy.storage.epochs import Epochs
from rasa_privacy.storage.erasures import Erasures
from rasa_privacy.storage.expiry import Expiry
from rasa_privacy.storage.founding import open_keys
from rasa_privacy.storage.journal import ErasureJournal, open_journal
from rasa_privacy.storage.ledger import ConsentLedger
from rasa_privacy.storage.notices import Notices
from rasa_privacy.storage.operators import Operators
from rasa_privacy.storage.replay import Replayed, replay
from rasa_privacy.storage.rotation import Rotation
from rasa_privacy.storage.schema import ensure_schema
from rasa_privacy.storage.senders import Senders
from rasa_privacy.storage.signer import Signer, open_signer
from rasa_privacy.storage.subjects import Subjects


def utc_now() -> datetime:
    """Return the current time, aware and in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True, slots=True)
class Vault:
    """The open store. Each aggregate's methods take a connection of `database.read()` or `database.write()`.

    Attributes:
        policy: What privacy.yml says.
        regulations: What the regulations say that it names.
        database: Connections and transactions.
        key_database: Where the data keys are; the same object where they have no database of their own.
        epochs: Key-encryption keys.
        rotation: How they are changed.
        index: Blind index of this database.
        signer: What signs for this store.
        bot_words: What the bot says, with which segments are compressed.
        data_keys: Keys of subjects and purposes.
        due_keys: Which of them are due.
        expiry: Removing many people at once.
        crowd: Reading what is stored of many people at once.
        subjects: Who chats.
        conversations: Their events.
        senders: Which sender ids have events.
        parts: Destroying a part of what these hold.
        ledger: Their consent.
        checkpoints: Signatures over it.
        audit: What operators did with their data.
        operators: Who may do something with it.
        attestations: What they have learned.
        notices: What they were shown.
        erasures: Who was erased.
        journal: The same, outside the database.
        replayed: What was carried out anew when the store was opened.
        clock: Current time, aware and in UTC.
    """

    policy: Policy
    regulations: Regulations
    database: Database
    key_database: Database
    epochs: Epochs = field(repr=False)
    rotation: Rotation = field(repr=False)
    index: BlindIndex = field(repr=False)
    signer: Signer
    bot_words: BotWords = field(repr=False)
    data_keys: DataKeys
    due_keys: DueKeys
    expiry: Expiry
    crowd: Crowd
    subjects: Subjects
    conversations: Conversations
    senders: Senders
    parts: ConversationParts
    ledger: ConsentLedger
    checkpoints: Checkpoints
    audit: AuditLog
    operators: Operators
    attestations: Attestations
    notices: Notices
    erasures: Erasures
    journal: ErasureJournal
    clock: Callable[[], datetime]
    replayed: Replayed = field(default_factory=lambda: Replayed(0, 0))

    def checkpoint(self) -> bool:
        """Empty the logs in which deleted rows and keys stand; return whether that worked (`Database.checkpoint`).

        Raises:
            StorageError: A database cannot be reached.
        """
        cleared = self.database.checkpoint()
        return cleared if self.key_database is self.database else self.key_database.checkpoint() and cleared

    def close(self) -> None:
        """Close the database connections."""
        self.database.close()
        self.key_database.close()


def open_vault(
    settings: StoreSettings,
    clock: Callable[[], datetime] = utc_now,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Vault:
    """Open the store that the settings name, making database and key where there is neither.

    Args:
        settings: The `tracker_store:` block of endpoints.yml.
        clock: Current time, aware and in UTC.
        random_bytes: Source of randomness.

    Raises:
        PolicyError: privacy.yml is wrong.
        ConfigurationError: The URL or the key provider is not supported.
        StorageError: The database cannot be reached.
        SchemaVersionError: It has the schema of another release.
        KeyProviderError: The key is missing, open to others, damaged, or another database's.
        TamperedSegmentError: The database's own key was changed.
        JournalError: The erasure journal was lost, changed, or is another database's.
        NotGrantedError: Something in it is to be carried out, and the database's user may not.
    """
    policy = load_policy(settings.privacy)
    regulations = load_regulations(policy.regulations, settings.privacy.parent.absolute())
    database = Database(settings.url)
    keys = Database(settings.keys.url) if settings.keys.url else database
    try:
        for each in {id(one): one for one in (database, keys)}.values():
            each.prepare()
            ensure_schema(each)
        epochs = Epochs(keys, open_provider(settings.keys, random_bytes))
        index = open_keys(database, keys, epochs, random_bytes, clock())
        signer = open_signer(database, keys, epochs, random_bytes)
        journal = open_journal(settings, index, None if keys is database else keys)
        vault = _vault(policy, regulations, database, keys, epochs, index, signer, journal, clock, random_bytes)
        _prepare(vault)
        return replace(vault, replayed=_replayed(vault))
    except BaseException:
        database.close()
        keys.close()
        raise


def _replayed(vault: Vault) -> Replayed:
    """Carry out the journal; who may only sweep is told who can."""
    try:
        return replay(vault)
    except NotGrantedError:
        raise NotGrantedError(
            f"{vault.journal.name}: a deletion or withdrawal in it is not carried out yet, and this user of the "
            "database may not do that; let the server, or an operator with 'rasa-privacy keys status', open the store "
            "first"
        ) from None


def _prepare(vault: Vault) -> None:
    """See to the ledger of an older release; one that does not verify stays as it is, and its records do not count."""
    with vault.database.read() as conn:
        prepared, has_audit = vault.ledger.is_prepared(conn), vault.audit.is_prepared(conn)
        marks = contact_marks.is_to_prepare(conn, vault.policy)
    if not prepared:
        _prepare_ledger(vault)
    if not has_audit:
        vault.database.transact(vault.audit.prepare)
    if marks:
        vault.database.transact(lambda conn: contact_marks.prepare(conn, vault.policy))


def _prepare_ledger(vault: Vault) -> None:
    try:
        with suppress(LedgerError):
            vault.database.transact(vault.ledger.prepare)
    except NotGrantedError:
        raise NotGrantedError(
            f"{vault.database.name}: the consent ledger of an older release is not prepared yet, and this user of the "
            "database may not do that; open the store once as who owns the tables, with 'rasa-privacy keys status'"
        ) from None


def _vault(  # noqa: PLR0913, PLR0917 - what open_vault has opened; a record of it would only be unpacked again
    policy: Policy,
    regulations: Regulations,
    database: Database,
    keys: Database,
    epochs: Epochs,
    index: BlindIndex,
    signer: Signer,
    journal: ErasureJournal,
    clock: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
) -> Vault:
    bot_words = BotWords(database, index)
    own = None if keys is database else keys
    data_keys = DataKeys(epochs, random_bytes, own, dictionaries=bot_words.dictionaries)
    due_keys = DueKeys(data_keys)
    subjects = Subjects(index, data_keys, random_bytes)
    checkpoints = Checkpoints(index, signer, clock)
    return Vault(
        policy=policy,
        regulations=regulations,
        database=database,
        key_database=keys,
        epochs=epochs,
        rotation=Rotation(keys, epochs, random_bytes),
        index=index,
        signer=signer,
        bot_words=bot_words,
        data_keys=data_keys,
        due_keys=due_keys,
        expiry=Expiry(due_keys),
        crowd=Crowd(index, data_keys),
        subjects=subjects,
        parts=ConversationParts(index, data_keys, random_bytes),
        conversations=Conversations(index, data_keys, subjects, random_bytes),
        senders=Senders(index, data_keys),
        ledger=ConsentLedger(index, checkpoints),
        checkpoints=checkpoints,
        audit=AuditLog(index, Checkpoints(index, signer, clock, AUDIT), signer),
        operators=Operators(index),
        attestations=Attestations(index),
        notices=Notices(),
        erasures=Erasures(index, data_keys),
        journal=journal,
        clock=clock,
    )
