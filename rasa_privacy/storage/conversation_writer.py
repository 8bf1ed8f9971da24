"""`ConversationWriter`: one change of one conversation, within one transaction.

Order: closed sessions first (their chain is verified before it is computed anew), then the current one, then those that
begin. The head is written last, and only if nobody else has written it since.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from sqlalchemy.engine import Connection

from rasa_privacy.crypto.identity import SERVICE
from rasa_privacy.crypto.sealing import DataKey
from rasa_privacy.crypto.segment import NONCE_BYTES
from rasa_privacy.errors import ConversationConflictError, StorageError, TamperedSegmentError
from rasa_privacy.storage import conversation_rows as table
from rasa_privacy.storage.batch import Part
from rasa_privacy.storage.compaction import SessionWriter
from rasa_privacy.storage.conversation_head import (
    chain_of,
    closed_manifest,
    service_key,
    verified_head,
    verify_closed,
)
from rasa_privacy.storage.conversation_rows import ClosedSession, ConversationRow
from rasa_privacy.storage.event_rows import narrow, pack
from rasa_privacy.storage.manifest import Head, Purposes, chain_closed, seal_manifest
from rasa_privacy.storage.segment_rows import delete_purpose, sessions_of_purpose
from rasa_privacy.storage.session import Session
from rasa_privacy.storage.tables import MAX_NUMBER
from rasa_privacy.storage.value_counts import count_values


class ConversationWriter:
    """Changes a conversation; nothing counts until `finish`.

    Args:
        conn: A connection of `Database.write`.
        row: The conversation as it was read in this transaction.
        keys: Data keys of the subject, with one for each purpose that is written.
        random_bytes: Source of randomness, as `os.urandom`.
        tails: Number and bytes of the current session's last row of each purpose, where they were read with `row`.
        head: Its head manifest where that was verified with `row`; it is changed.

    Raises:
        TamperedSegmentError: The head manifest does not verify.
        KeyDestroyedError: The conversation was erased.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a save has read, which one transaction shares
        self,
        conn: Connection,
        row: ConversationRow,
        keys: Mapping[str, DataKey],
        random_bytes: Callable[[int], bytes],
        tails: Mapping[str, tuple[int, bytes]] = MappingProxyType({}),
        head: Head | None = None,
    ) -> None:
        self._conn = conn
        self._row = row
        self._keys = keys
        self._random_bytes = random_bytes
        self._tails = dict(tails)
        self._service_key = service_key(row, keys)
        self.head = head or verified_head(row, keys)

    def append(self, parts: Sequence[Part]) -> None:
        """Write the parts, which come from `batch.assign_values`."""
        for purpose, entries in (each for part in parts for each in part.values.items()):
            count_values(self.head.values, purpose, entries)
        old = {part.session: part for part in parts if part.session < self.head.session}
        if old:
            self._change_closed(set(old), lambda session, purposes: self._write(old[session], purposes))
        for part in parts:
            if part.session in old:
                continue
            if part.session > self.head.session:
                self._close_current(part.session)
            self._write(part, self.head.purposes)
            self.head.event_count += len(part.structure)

    def drop(self, purpose: str) -> int:
        """Delete all segments of a purpose and return their number."""
        sessions = sessions_of_purpose(self._conn, self._row.ref, purpose)
        deleted = delete_purpose(self._conn, self._row.ref, purpose)
        self.head.purposes.pop(purpose, None)
        if self.head.values is not None:
            self.head.values.pop(purpose, None)
        old = sessions - {self.head.session}
        if old:
            self._change_closed(old, lambda _session, purposes: purposes.pop(purpose, None))
        return deleted

    def finish(self) -> int:
        """Write the head and return the new version.

        Raises:
            ConversationConflictError: Another writer was first (a `ContentionError` of the transaction on a server).
            StorageError: The conversation has as many events or changes as it can.
        """
        version = self._row.version + 1
        if max(version, self.head.event_count) > MAX_NUMBER:
            raise StorageError(
                f"conversation {self._row.ref}: more than {MAX_NUMBER:,} events or changes; erase it or begin another"
            )
        sealed = self._seal(self.head, self._row.place.head(version))
        if not table.update_head(self._conn, self._row, self.head.session, sealed):
            raise ConversationConflictError(
                f"conversation {self._row.ref}: another writer was first; read and append again"
            )
        return version

    def _write(self, part: Part, purposes: Purposes) -> None:
        writer = self._session_writer(part.session)
        if part.structure:
            writer.add_structure(part.first_seq, narrow(pack(part.structure)), purposes.setdefault(SERVICE, []))
        for purpose, entries in part.values.items():
            writer.add_values(purpose, entries, purposes.setdefault(purpose, []))

    def _session_writer(self, first: int) -> SessionWriter:
        session = Session(self._row.ref, self._row.place, first, self._keys)
        tails = self._tails if first == self._row.session else {}
        return SessionWriter(self._conn, session, self._random_bytes, tails)

    def _close_current(self, next_session: int) -> None:
        """Move the current session's manifest to a row of its own and begin the next session."""
        self._session_writer(self.head.session).close(self.head.purposes)
        closed = self._closed(self.head.session, self.head.purposes)
        table.close_session(self._conn, self._row.ref, closed)
        self.head.chain = chain_closed(self.head.chain, closed.session, closed.manifest)
        self.head.closed += 1
        self.head.session = next_session
        self.head.purposes = {}

    def _change_closed(self, sessions: Iterable[int], change: Callable[[int, Purposes], object]) -> None:
        """Apply a change to the manifests of closed sessions and compute their chain anew."""
        closed = {each.session: each for each in table.closed_sessions(self._conn, self._row.ref)}
        verify_closed(self._row, self.head, list(closed.values()))
        for session in sorted(sessions):
            if session not in closed:
                raise TamperedSegmentError(f"conversation {self._row.ref}: segments of a session that is not there")
            purposes = closed_manifest(self._row, self._keys, closed[session])
            change(session, purposes)
            closed[session] = self._closed(session, purposes)
            table.reseal_session(self._conn, self._row.ref, closed[session])
        self.head.chain = chain_of(closed.values())

    def _closed(self, session: int, purposes: Purposes) -> ClosedSession:
        version = self._row.version + 1
        return ClosedSession(session, version, self._seal(purposes, self._row.place.closed_session(session, version)))

    def _seal(self, manifest: Head | Purposes, identity: bytes) -> bytes:
        return seal_manifest(self._service_key, manifest, identity, self._random_bytes(NONCE_BYTES))
