"""The tables, as this release sees them. `migrations/` makes them; a test holds both equal.

Times are integers, microseconds since 1970 in UTC. Blobs named `sealed`, `manifest` and `wrapped` follow docs/spec/.
"""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text
from sqlalchemy.ext.compiler import compiles

from rasa_privacy.errors import StorageError, TamperedSegmentError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
#: Far in the year 9999.
_MAX_MICROS: Final = 253_402_000_000_000_000
_MICROSECOND: Final = timedelta(microseconds=1)


class Blob(LargeBinary):  # type: ignore[misc]  # SQLAlchemy 1.4 has no type hints
    """Bytes. What a tamperer stored as another type becomes bytes that cannot verify, instead of a TypeError."""

    cache_ok = True

    def bind_processor(self, dialect: Any) -> None:
        """Give bytes to the driver as they are: each of ours takes them, and wrapping them costs more than the rest."""

    def result_processor(self, dialect: Any, coltype: Any) -> Callable[[Any], Any]:  # noqa: ARG002
        """Return the function that reads a column value."""
        return as_bytes


@compiles(Blob, "mysql")  # type: ignore[untyped-decorator]  # SQLAlchemy 1.4 has no type hints
def _mariadb_blob(blob: Blob, *_: Any, **__: Any) -> str:
    """Return the type that can be a key where there is a length, and holds any sealed segment where there is none."""
    return f"VARBINARY({blob.length})" if blob.length else "LONGBLOB"


def as_bytes(value: Any) -> bytes | None:
    """Return a column value as bytes, also what a tamperer stored as something else."""
    if type(value) is bytes or value is None:
        return value
    return value.tobytes() if isinstance(value, memoryview) else str(value).encode("utf-8", "replace")


#: An integer that counts up by itself on every database.
_Counter: Final = BigInteger().with_variant(Integer(), "sqlite")

#: A number of an event, a change or a segment of one conversation: `MAX_NUMBER` at most. SQLite keeps
#: each in as few bytes as it needs.
_Number: Final = Integer().with_variant(BigInteger(), "sqlite")
MAX_NUMBER: Final = 2**31 - 1

#: Of a table that is mostly its key: SQLite keeps the rows in the tree of the key, and no other one beside it.
_IN_KEY_ORDER: Final[dict[str, Any]] = {"sqlite_with_rowid": False}

metadata: Final = MetaData()

meta: Final = Table(
    "meta", metadata, Column("name", String(64), primary_key=True), Column("value", Blob, nullable=False)
)

system_keys: Final = Table(
    "system_keys", metadata, Column("name", String(64), primary_key=True), Column("wrapped", Blob, nullable=False)
)

subjects: Final = Table(
    "subjects",
    metadata,
    Column("created_at", BigInteger, nullable=False),
    Column("subject_id", Blob(16), primary_key=True),
    # A keyed hash of how many records the ledger has of them, and which is the last: a removed one is noticed.
    Column("ledger_mac", Blob(32)),
)

epochs: Final = Table(
    "epochs",
    metadata,
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("fingerprint", Blob(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
)

# No foreign key: the data keys may lie in a database of their own (`keys.url`), where there are no subjects.
data_keys: Final = Table(
    "data_keys",
    metadata,
    Column("subject_id", Blob(16), primary_key=True),
    Column("purpose", String(255), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("wrapped", Blob, nullable=False),
    Column("due_at", BigInteger),
    Index("data_keys_due_first", "due_at"),
    **_IN_KEY_ORDER,
)

conversations: Final = Table(
    "conversations",
    metadata,
    Column("conversation_ref", _Counter, primary_key=True),
    # Empty where it is the subject's (`crypto.identity.conversation_of`), as in all that were made since schema 0023.
    Column("conversation_id", Blob(16), nullable=False),
    Column("subject_id", Blob(16), ForeignKey("subjects.subject_id"), nullable=False),
    # As in the other tables where rows are found by a keyed hash: its first 15 bytes.
    Column("sender_index", Blob(32), nullable=False),
    Column("sealed_sender", Blob, nullable=False),
    Column("version", _Number, nullable=False),
    Column("session", _Number, nullable=False),
    Column("manifest", Blob),
    # The version up to which it holds no texts; 0, or None in old rows, where nobody has looked.
    Column("textless", _Number),
    Index("conversations_sender", "sender_index", unique=True),
    Index("conversations_subject", "subject_id"),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("conversation_ref", BigInteger, ForeignKey("conversations.conversation_ref"), primary_key=True),
    Column("session", BigInteger, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("manifest", Blob, nullable=False),
)

segments: Final = Table(
    "segments",
    metadata,
    Column("conversation_ref", BigInteger, ForeignKey("conversations.conversation_ref"), primary_key=True),
    Column("session", _Number, primary_key=True, autoincrement=False),
    # Its place among the segments of the session, of all purposes; one that is deleted leaves a gap.
    Column("number", _Number, primary_key=True, autoincrement=False),
    Column("purpose", String(255), nullable=False),
    Column("sealed", Blob, nullable=False),
)

# What records say beside who and when, each once, since most say the same. Nothing of a person.
ledger_kinds: Final = Table(
    "ledger_kinds",
    metadata,
    Column("kind", Integer, primary_key=True, autoincrement=False),
    Column("purpose", String(255), nullable=False),
    Column("event", String(32), nullable=False),
    Column("notice_hash", Blob(32), nullable=False),
    Column("language", String(35), nullable=False),
    Column("method", String(64), nullable=False),
    Column("channel", String(64), nullable=False),
    Index("ledger_kinds_notice", "notice_hash"),
)

# Numbers come first: PostgreSQL begins each of them at a multiple of its bytes.
ledger: Final = Table(
    "ledger",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Integer, nullable=False),
    Column("subject_id", Blob(16), nullable=False),
    # Empty in records of schema 3 and older until the store is opened, which sees to them.
    Column("mac", Blob(32)),
    # Of records of schema 23 and older; the links of later ones are computed by who follows the chain.
    Column("link", Blob(32)),
    Index("ledger_subject", "subject_id"),
)


def _checkpoints(name: str) -> Table:
    """Return the table of the signatures over one book."""
    return Table(
        name,
        metadata,
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("seq", BigInteger, nullable=False),
        Column("link", Blob(32), nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("signature", Blob(64), nullable=False),
    )


checkpoints: Final = _checkpoints("checkpoints")

audit: Final = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("operator", String(64), nullable=False),
    Column("role", String(64), nullable=False),
    Column("verb", String(32), nullable=False),
    Column("outcome", String(16), nullable=False),
    # The random id of one person; empty where a record is about several or none.
    Column("subject_id", Blob(16)),
    Column("reason", String(255), nullable=False),
    Column("details", Text, nullable=False),
    Column("link", Blob(32), nullable=False),
    Column("mac", Blob(32), nullable=False),
    Index("audit_subject", "subject_id"),
    Index("audit_at", "at"),
)

audit_checkpoints: Final = _checkpoints("audit_checkpoints")

operators: Final = Table(
    "operators",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("roles", Text, nullable=False),
    Column("token_hash", String(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    # A keyed hash of all of the above, so that nobody becomes an operator by writing into the table.
    Column("mac", Blob(32), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", BigInteger),
)

attestations: Final = Table(
    "attestations",
    metadata,
    Column("attestation", _Counter, primary_key=True),
    Column("operator", String(64), nullable=False),
    Column("course", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("correct", Integer, nullable=False),
    Column("passed", Integer, nullable=False),
    Column("mac", Blob(32), nullable=False),
    Index("attestations_operator", "operator", "at"),
)

# The same keyed hash as `subjects.ledger_mac`, of people whose records outlive their row there.
ledger_people: Final = Table(
    "ledger_people",
    metadata,
    Column("subject_id", Blob(16), primary_key=True),
    Column("mac", Blob(32), nullable=False),
    **_IN_KEY_ORDER,
)

notices: Final = Table(
    "notices",
    metadata,
    Column("hash", Blob(32), primary_key=True),
    Column("notice_id", String(255), nullable=False),
    Column("version", String(64), nullable=False),
    Column("language", String(35), nullable=False),
    Column("text", Text, nullable=False),
    Column("terms", Text),
)

erasures: Final = Table(
    "erasures",
    metadata,
    Column("certificate", String(64), primary_key=True),
    Column("subject_id", Blob(16), nullable=False),
    Column("erased_at", BigInteger, nullable=False),
    Column("counts", Text, nullable=False),
    # The ids of the data keys by purpose, as JSON; empty in rows of schema 6 and older.
    Column("key_ids", Text),
    Index("erasures_subject", "subject_id"),
)

# Used only where the keys have a database of their own; otherwise the journal is a file (docs/spec/journal.md).
erasure_journal: Final = Table(
    "erasure_journal",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", Blob, nullable=False),
    Column("link", Blob(32), nullable=False),
)

tombstones: Final = Table(
    "tombstones",
    metadata,
    Column("sender_index", Blob(32), primary_key=True),
    Column("erased_at", BigInteger, nullable=False),
    **_IN_KEY_ORDER,
)

# Keyed hashes of contacts and sender ids. On purpose no part of a subject: they outlive an erasure.
suppressions: Final = Table(
    "suppressions",
    metadata,
    Column("contact_index", Blob(32), primary_key=True),
    Column("reason", String(32), nullable=False),
    Column("at", BigInteger, nullable=False),
)

opt_in_codes: Final = Table(
    "opt_in_codes",
    metadata,
    Column("subject_id", Blob(16), primary_key=True),
    Column("purpose", String(255), primary_key=True),
    Column("code_hash", Blob(32), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("contact", Blob),
)

# Keyed hashes of the contacts that codes went to lately. On purpose no part of a subject, so that deleting oneself and
# beginning anew sends nobody more mails.
code_mails: Final = Table(
    "code_mails",
    metadata,
    Column("mail_id", Blob(16), primary_key=True),
    Column("contact_index", Blob(32), nullable=False),
    Column("sent_at", BigInteger, nullable=False),
    Index("code_mails_contact", "contact_index"),
)

# What people ask for, and each step of it. On purpose no part of a subject: they outlive an erasure.
requests: Final = Table(
    "requests",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("subject_id", Blob(16)),
    Column("regulation", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner", String(255)),
    Column("opened_at", BigInteger, nullable=False),
    Column("answer_by", BigInteger, nullable=False),
    Column("acknowledge_by", BigInteger),
    Column("paused_at", BigInteger),
    Column("extended_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("reason", String(32)),
    Column("certificate", String(64)),
    Index("requests_subject", "subject_id"),
    Index("requests_open", "closed_at", "answer_by"),
)

request_steps: Final = Table(
    "request_steps",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("step", String(32), nullable=False),
    Column("actor", String(255), nullable=False),
    Column("reason", String(32)),
)

# Who does what only one process at a time may do, and until when.
leases: Final = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", Blob(16), nullable=False),
    Column("until", BigInteger, nullable=False),
)

# Of whom else somebody has proven to be, each with a keyed hash. Whoever of the two goes takes the row along.
links: Final = Table(
    "links",
    metadata,
    Column("subject_id", Blob(16), ForeignKey("subjects.subject_id", ondelete="CASCADE"), primary_key=True),
    Column("other_id", Blob(16), ForeignKey("subjects.subject_id", ondelete="CASCADE"), primary_key=True),
    Column("linked_at", BigInteger, nullable=False),
    Column("mac", Blob(32), nullable=False),
    Index("links_other", "other_id"),
)

# Keyed hashes of the contacts that each purpose holds of a person, so that they are found by them.
known_contacts: Final = Table(
    "known_contacts",
    metadata,
    Column("subject_id", Blob(16), ForeignKey("subjects.subject_id", ondelete="CASCADE"), primary_key=True),
    Column("contact_index", Blob(32), primary_key=True),
    Column("purpose", String(255), primary_key=True),
    Column("item", String(255), primary_key=True),
    Index("known_contacts_contact", "contact_index"),
    **_IN_KEY_ORDER,
)

# Links by which people collect the copy of their data: a hash of what stands in each, and whether it was used.
handovers: Final = Table(
    "handovers",
    metadata,
    Column("token_hash", Blob(32), primary_key=True),
    Column("subject_id", Blob(16), ForeignKey("subjects.subject_id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Index("handovers_subject", "subject_id"),
    Index("handovers_expire", "expires_at"),
)

# Names a person only by the random id, and goes with them.
holds: Final = Table(
    "holds",
    metadata,
    Column("subject_id", Blob(16), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("added_at", BigInteger, nullable=False),
    Column("added_by", String(64), nullable=False),
)

# Of whom a value is stored that lasts for some time (`keep: 7 days`), and when the oldest of an item was given.
lasting_values: Final = Table(
    "lasting_values",
    metadata,
    Column("subject_id", Blob(16), primary_key=True),
    Column("item", String(255), primary_key=True),
    Column("given_at", BigInteger, nullable=False),
    Index("lasting_values_oldest", "item", "given_at", "subject_id"),
    **_IN_KEY_ORDER,
)

# Requests that came by OpenDSR: the platform's UUID, our number, and URLs of endpoints.yml; it names nobody.
dsr_requests: Final = Table(
    "dsr_requests",
    metadata,
    Column("dsr_id", Blob(16), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("number", String(64), nullable=False),
    Column("is_first", Integer, nullable=False),
    Column("callbacks", Text, nullable=False),
    Column("told", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("next_at", BigInteger),
    Index("dsr_requests_next", "next_at"),
)

# Calls of the API that may be made again: keyed hashes of whose and what, and the answer, sealed under its own key.
api_answers: Final = Table(
    "api_answers",
    metadata,
    Column("call_name", Blob(32), primary_key=True),
    Column("answer_id", Blob(16), nullable=False),
    Column("said", Blob(32), nullable=False),
    Column("sealed", Blob),
    Column("lasts_until", BigInteger, nullable=False),
    Index("api_answers_over", "lasts_until"),
)

# What other systems are still to be told; it names the person in `sealed` alone, until they answered.
deliveries: Final = Table(
    "deliveries",
    metadata,
    Column("delivery_id", Blob(16), primary_key=True),
    Column("system", String(64), nullable=False),
    Column("certificate", String(64), nullable=False),
    Column("sealed", Blob),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("erased_at", BigInteger, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("answered_at", BigInteger),
    Index("deliveries_due", "state", "next_at"),
    Index("deliveries_certificate", "certificate"),
)


def to_micros(moment: datetime) -> int:
    """Return the stored form of an aware datetime.

    Raises:
        StorageError: The datetime has no time zone.
    """
    if moment.tzinfo is None:
        raise StorageError("a datetime without a time zone was given; use datetime.now(timezone.utc)")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the aware UTC datetime of a stored time.

    Raises:
        TamperedSegmentError: Something else than a time stands there, which SQLite allows.
    """
    if type(micros) is not int or abs(micros) > _MAX_MICROS:
        raise TamperedSegmentError("a stored time is none; restore the row from a backup, or erase the person")
    return _EPOCH + timedelta(microseconds=micros)
