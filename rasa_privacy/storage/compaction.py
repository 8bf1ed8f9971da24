"""`SessionWriter`: adds segments to a session and merges them in tiers (docs/spec/segment.md, section 7).

A short last segment is written again with what is new, since short ones take more bytes and more time to read. Long
ones are merged in tiers: each entry is written again once per level, so a save costs little on average, and a session
of n long segments has at most 3 per level and log4(n) levels.
"""

from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.crypto.sealing import seal, tag_of
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.storage.manifest import FINAL_LEVEL, Purposes, SegmentRef
from rasa_privacy.storage.payload import merged, payloads
from rasa_privacy.storage.segment_rows import delete_rows, insert_row, tail, update_row
from rasa_privacy.storage.session import Session

#: So many segments of one level become one of the next. Small segments compress badly: with 4, a conversation of 40
#: events takes half the space that it takes with 8, and each entry is written again once more at most.
MERGE_WIDTH: Final = 4
#: Longest payload, in bytes, that what is new is added to, and that this makes: about 120 events. Sealed it is a
#: quarter of that, which each save writes anew.
MAX_TAIL_BYTES: Final = 12 * 2**10
#: Longest payload, in bytes, that merging makes.
MAX_MERGED_BYTES: Final = 4 * 2**20
#: Longest payload, in bytes, that the end of a session makes, so that no turn waits for it.
MAX_CLOSING_BYTES: Final = 256 * 2**10


class SessionWriter:
    """Writes into one session.

    Args:
        conn: A connection of `Database.write`.
        session: The session, with a key for each purpose that is written.
        random_bytes: Source of randomness, as `os.urandom`.
        tails: Number and bytes of the last row of each purpose of which they were read before; each counts once.
    """

    def __init__(
        self,
        conn: Connection,
        session: Session,
        random_bytes: Callable[[int], bytes],
        tails: MutableMapping[str, tuple[int, bytes]],
    ) -> None:
        self._conn = conn
        self._session = session
        self._random_bytes = random_bytes
        self._tails = tails

    def add_structure(self, first_seq: int, entries: Sequence[Any], refs: list[SegmentRef]) -> None:
        """Seal one entry per event, from event `first_seq` on, and list the segments in `refs`."""
        for count, payload in payloads(entries):
            self._add(SERVICE, SegmentRef(first_seq, count, 0, b""), payload, refs)
            first_seq += count
        self._merge(SERVICE, refs)

    def add_values(self, purpose: str, entries: Sequence[Any], refs: list[SegmentRef]) -> None:
        """Seal value entries, whose first element is their event's number, and list the segments in `refs`."""
        start = 0
        for count, payload in payloads(entries):
            self._add(purpose, SegmentRef(entries[start][0], count, 0, b""), payload, refs)
            start += count
        self._merge(purpose, refs)

    def _add(self, purpose: str, new: SegmentRef, payload: bytes, refs: list[SegmentRef]) -> None:
        """Add a payload to the last segment while both are short, or as a segment of its own."""
        short = refs and refs[-1].level == 0 and len(payload) < MAX_TAIL_BYTES
        if not (short and self._extend(purpose, new, payload, refs)):
            refs.append(self._insert(purpose, new, payload))

    def _extend(self, purpose: str, new: SegmentRef, payload: bytes, refs: list[SegmentRef]) -> bool:
        """Write the last segment again with the entries of a payload, unless it gets long; say whether it was."""
        last = refs[-1]
        [(number, sealed)] = self._tail(purpose, 1)
        old = self._session.open_one(purpose, len(refs) - 1, last, sealed)
        if len(old) + len(payload) > MAX_TAIL_BYTES:
            return False
        both = SegmentRef(last.first_seq, last.count + new.count, 0, b"")
        refs[-1], sealed = self._sealed(purpose, both, merged((old, payload)))
        update_row(self._conn, self._session.ref, self._session.first, number, sealed)
        return True

    def _sealed(self, purpose: str, ref: SegmentRef, payload: bytes) -> tuple[SegmentRef, bytes]:
        """Seal a payload under the identity of `ref`; return `ref` with its tag, and the bytes."""
        session = self._session
        identity = session.identity(purpose, ref)
        sealed = seal(session.keys[purpose], payload, identity, self._random_bytes(NONCE_BYTES))
        return SegmentRef(ref.first_seq, ref.count, ref.level, tag_of(sealed)), sealed

    def _tail(self, purpose: str, width: int) -> list[tuple[int, bytes]]:
        """Return number and bytes of the last rows of a purpose."""
        session = self._session
        known = self._tails.pop(purpose, None)  # what is written now makes it another
        if known is not None and width == 1:
            return [known]
        rows = tail(self._conn, session.ref, session.first, purpose, width)
        if len(rows) != width:
            raise TamperedSegmentError(f"{session.where(purpose)}: rows that the manifest lists are missing")
        return rows

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
        rows = self._tail(purpose, width)
        parts = [
            session.open_one(purpose, len(refs) - width + number, ref, sealed)
            for number, (ref, (_, sealed)) in enumerate(zip(run, rows, strict=True))
        ]
        if sum(map(len, parts)) > most_bytes:
            return False
        delete_rows(self._conn, session.ref, session.first, [number for number, _ in rows])
        level = min(FINAL_LEVEL, max(ref.level for ref in run) + 1)
        joined = SegmentRef(run[0].first_seq, sum(ref.count for ref in run), level, b"")
        refs[-width:] = [self._insert(purpose, joined, merged(parts))]
        return True

    def _insert(self, purpose: str, ref: SegmentRef, payload: bytes) -> SegmentRef:
        """Add a segment as the last row and return `ref` with its tag."""
        sealed_ref, sealed = self._sealed(purpose, ref, payload)
        self._tails.pop(purpose, None)
        insert_row(self._conn, self._session.ref, self._session.first, purpose, sealed)
        return sealed_ref


def is_mergeable(refs: Sequence[SegmentRef]) -> bool:
    """Say whether the last segments are due to be merged."""
    run = refs[-MERGE_WIDTH:]
    level = run[-1].level if run else FINAL_LEVEL
    return len(run) == MERGE_WIDTH and level < FINAL_LEVEL and all(ref.level == level for ref in run)
