"""`SessionWriter`: adds segments to a session and merges them in tiers (docs/spec/segment.md, section 7).

Each entry is written again once per level, so a save costs little on average, and a session of n saves has at most
3 segments per level and log4(n) levels.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.crypto.sealing import seal, tag_of
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.storage.manifest import Purposes, SegmentRef
from rasa_privacy.storage.payload import merged, payloads
from rasa_privacy.storage.segment_rows import delete_rows, insert_row, tail
from rasa_privacy.storage.session import Session

#: So many segments of one level become one of the next. Small segments compress badly: with 4, a conversation of 40
#: events takes half the space that it takes with 8, and each entry is written again once more at most.
MERGE_WIDTH: Final = 4
#: Longest payload, in bytes, that merging makes.
MAX_MERGED_BYTES: Final = 4 * 2**20
#: Longest payload, in bytes, that the end of a session makes, so that no turn waits for it.
MAX_CLOSING_BYTES: Final = 256 * 2**10
#: Segments of this level are never merged.
FINAL_LEVEL: Final = 15


class SessionWriter:
    """Writes into one session.

    Args:
        conn: A connection of `Database.write`.
        session: The session, with a key for each purpose that is written.
        random_bytes: Source of randomness, as `os.urandom`.
    """

    def __init__(self, conn: Connection, session: Session, random_bytes: Callable[[int], bytes]) -> None:
        self._conn = conn
        self._session = session
        self._random_bytes = random_bytes

    def add_structure(self, first_seq: int, entries: Sequence[Any], refs: list[SegmentRef]) -> None:
        """Seal one entry per event, from event `first_seq` on, and list the segments in `refs`."""
        for count, payload in payloads(entries):
            refs.append(self._insert(SERVICE, SegmentRef(first_seq, count, 0, b""), payload))
            first_seq += count
        self._merge(SERVICE, refs)

    def add_values(self, purpose: str, entries: Sequence[Any], refs: list[SegmentRef]) -> None:
        """Seal value entries, whose first element is their event's number, and list the segments in `refs`."""
        start = 0
        for count, payload in payloads(entries):
            refs.append(self._insert(purpose, SegmentRef(entries[start][0], count, 0, b""), payload))
            start += count
        self._merge(purpose, refs)

    def _insert(self, purpose: str, ref: SegmentRef, payload: bytes) -> SegmentRef:
        """Seal a payload under the identity of `ref` and return `ref` with its tag."""
        session = self._session
        key = session.keys[purpose]
        sealed = seal(key, payload, session.identity(purpose, ref), self._random_bytes(NONCE_BYTES))
        insert_row(self._conn, session.ref, session.first, purpose, sealed)
        return SegmentRef(ref.first_seq, ref.count, ref.level, tag_of(sealed))

    def close(self, purposes: Purposes) -> None:
        """Merge each purpose of a session that is over into one segment, unless it is long."""
        for purpose, refs in purposes.items():
            if len(refs) > 1 and purpose in self._session.keys and refs[-1].level < FINAL_LEVEL:
                self._join(purpose, refs, len(refs), MAX_CLOSING_BYTES)

    def _merge(self, purpose: str, refs: list[SegmentRef]) -> None:
        while is_mergeable(refs):
            if not self._join(purpose, refs, MERGE_WIDTH, MAX_MERGED_BYTES):
                run = refs[-MERGE_WIDTH:]
                refs[-MERGE_WIDTH:] = [SegmentRef(ref.first_seq, ref.count, FINAL_LEVEL, ref.tag) for ref in run]

    def _join(self, purpose: str, refs: list[SegmentRef], width: int, most_bytes: int) -> bool:
        """Replace the last `width` segments by one unless its payload would pass `most_bytes`; say whether it was."""
        session, run = self._session, refs[-width:]
        rows = tail(self._conn, session.ref, session.first, purpose, width)
        if len(rows) != width:
            raise TamperedSegmentError(f"{session.where(purpose)}: rows that the manifest lists are missing")
        parts = [
            session.open_one(purpose, len(refs) - width + number, ref, sealed)
            for number, (ref, (_, sealed)) in enumerate(zip(run, rows, strict=True))
        ]
        if sum(map(len, parts)) > most_bytes:
            return False
        delete_rows(self._conn, [segment_id for segment_id, _ in rows])
        level = min(FINAL_LEVEL, max(ref.level for ref in run) + 1)
        joined = SegmentRef(run[0].first_seq, sum(ref.count for ref in run), level, b"")
        refs[-width:] = [self._insert(purpose, joined, merged(parts))]
        return True


def is_mergeable(refs: Sequence[SegmentRef]) -> bool:
    """Say whether the last segments are due to be merged."""
    run = refs[-MERGE_WIDTH:]
    level = run[-1].level if run else FINAL_LEVEL
    return len(run) == MERGE_WIDTH and level < FINAL_LEVEL and all(ref.level == level for ref in run)
