"""`BotWords`: what a bot says, kept in the database so that it need not be stored again with each conversation.

A row of `meta` for each domain that a server was started with: a keyed hash, then the words (docs/spec/segment.md,
section 3.2). It is committed before the first segment that needs it, and never deleted or changed to another, since
nobody can see from outside which segments do. It holds what the builder wrote, and nothing of a person.
"""

import hmac
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.bot_dictionary import MAX_WORDS_BYTES, BotDictionaries, words_id
from rasa_privacy.crypto.sealing import ZSTD_LEVEL
from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.query import Query
from rasa_privacy.storage.tables import meta

logger = logging.getLogger(__name__)

#: What the names of the rows begin with.
ROWS: Final = "bot words "
_DOMAIN: Final = "bot words"
_HASH_BYTES: Final = 32
_GET: Final = Query(select(meta.c.value).where(meta.c.name == bindparam("row")))
_LOCK: Final = select(meta.c.value).where(meta.c.name == bindparam("row")).with_for_update()
_PUT: Final = insert(meta)
_SET: Final = update(meta).where(meta.c.name == bindparam("row")).values(value=bindparam("right"))
_ROWS: Final = select(meta.c.name).where(meta.c.name.like(f"{ROWS}%")).order_by(meta.c.name)
#: Fewer are not worth a row.
_MIN_BYTES: Final = 256
#: Zstandard's level for the shortest payloads, which have more to find here than in the dictionary of all bots.
_HARD_LEVEL: Final = 6
_encode: Final = msgspec.msgpack.Encoder().encode
#: What follows the name of an action in its row as a rule predicts it (docs/spec/segment.md, section 5.1).
_BY_RULE: Final = _encode("RulePolicy") + b"\xca\x3f\x80\x00\x00\xc3"
#: What follows the name of an intent: the first bytes of a number from 2^-15 to 1.
_CONFIDENCE: Final = b"\xcb\x3f"


class BotWords:
    """The words in the database.

    Args:
        database: Where they are.
        index: Blind index of this database, which authenticates them.

    Attributes:
        dictionaries: What compresses with them.
    """

    def __init__(self, database: Database, index: BlindIndex) -> None:
        self._database = database
        self._index = index
        self._used = b""
        self.dictionaries = BotDictionaries(self._find, ZSTD_LEVEL, _HARD_LEVEL)

    def use(self, words: bytes) -> None:
        """Keep the words of a bot, and compress with them from now on.

        A row of them that was changed is written anew: the domain says what it held, and the log that it was changed.

        Raises:
            StorageError: The database cannot be written.
        """
        if words == self._used or len(words) < _MIN_BYTES:
            return
        row = _row(words_id(words))
        # Mostly they are there, and nobody has to be waited for who writes.
        rows = self._database.ask(_GET, row=row)
        if rows and self._is_right(row, rows[0][0]):
            kept = rows[0][0][_HASH_BYTES:]
        else:
            kept = self._database.transact(lambda conn: self._keep(conn, row, words))
        if kept == words:  # others with the same id were there before, in one case of four billion
            self.dictionaries.use(words)
            self._used = words

    def damaged(self) -> Iterator[str]:
        """Yield the name of each row that was changed, also where nothing needs it."""
        with self._database.read() as conn:
            rows = list(conn.execute(_ROWS).scalars())
        for row in rows:
            if not all(self._is_right(row, stored) for (stored,) in self._database.ask(_GET, row=row)):
                yield row

    def _keep(self, conn: Connection, row: str, words: bytes) -> bytes:
        stored = conn.execute(_LOCK, {"row": row}).scalar()
        if stored is not None and self._is_right(row, stored):
            return self._verified(row, stored)
        value = self._hash(words) + words
        if stored is None:
            conn.execute(_PUT, {"name": row, "value": value})
        else:
            conn.execute(_SET, {"row": row, "right": value})
            logger.error(
                "The row '%s' of the table 'meta' was changed by somebody; it is written anew from the bot's domain. "
                "Find out who may write to the database, and run 'rasa-privacy check --database'.",
                row,
            )
        return words

    def _find(self, name: bytes) -> bytes | None:
        row = _row(name)
        rows = self._database.ask(_GET, row=row)
        return self._verified(row, rows[0][0]) if rows else None

    def _verified(self, row: str, stored: bytes) -> bytes:
        if not self._is_right(row, stored):
            raise TamperedSegmentError(
                f"the row '{row}' of the table 'meta' was changed, and what was stored with it cannot be read; "
                "restore the row from a backup, or start a server with the model of that time"
            )
        return stored[_HASH_BYTES:]

    def _is_right(self, row: str, stored: bytes) -> bool:
        words = stored[_HASH_BYTES:]
        return _row(words_id(words)) == row and hmac.compare_digest(stored[:_HASH_BYTES], self._hash(words))

    def _hash(self, words: bytes) -> bytes:
        return self._index.of_bytes(_DOMAIN, words)


@dataclass(frozen=True, slots=True)
class BotSays:
    """What a builder wrote that stands in stored events.

    Attributes:
        intents: Names.
        actions: Names, those of responses among them.
        others: Names of slots, entities and whatever else has one.
        responses: By name the variations, each with `text`, `buttons` and more.
    """

    intents: Collection[str]
    actions: Collection[str]
    others: Collection[str]
    responses: Mapping[str, Iterable[Mapping[str, Any]]]


def words_of_bot(says: BotSays) -> bytes:
    """Return the words of a bot as they stand in the rows of events; the same domain gives the same.

    What stands in most turns comes last, where it costs the fewest bytes to point to. Of a bot that says too much,
    texts are left out before names, which stand in most turns; what is left out is compressed as it was before.
    """
    known = [_encode(name) + _BY_RULE for name in sorted(set(says.actions))]
    known += [_encode(name) + _CONFIDENCE for name in sorted(set(says.intents))]
    others = [_encode(name) for name in sorted(set(says.others) - set(says.actions) - set(says.intents))]
    said = [_said(name, variation) for name in sorted(says.responses) for variation in says.responses[name]]
    last = _joined(known, MAX_WORDS_BYTES)
    first = _joined(others, MAX_WORDS_BYTES - len(last))
    return first + _joined(said, MAX_WORDS_BYTES - len(first) - len(last)) + last


def _said(name: str, variation: Mapping[str, Any]) -> bytes:
    buttons = variation.get("buttons")
    try:
        said = _encode(name) + _encode(variation.get("text"))
        return said + _encode({"buttons": buttons}) if buttons else said
    except (TypeError, ValueError, OverflowError):  # what no event could hold either
        return _encode(name)


def _joined(pieces: Iterable[bytes], room: int) -> bytes:
    """Return as many different pieces as fit."""
    words, length = list[bytes](), 0
    for piece in dict.fromkeys(pieces):
        if length + len(piece) <= room:
            words.append(piece)
            length += len(piece)
    return b"".join(words)


def _row(name: bytes) -> str:
    return ROWS + name.hex()
