"""`Session`: opens the segments of one session, after they were found equal to its manifest.

The manifest decides: a row that is missing, foreign, exchanged or in another order is refused before it is decrypted. A
message names conversation row, session, purpose and position, and nothing of the content.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rasa_privacy.crypto.identity import Place
from rasa_privacy.crypto.sealing import DataKey, open_sealed, tag_of
from rasa_privacy.errors import MalformedSegmentError, TamperedSegmentError
from rasa_privacy.storage.manifest import Purposes, SegmentRef
from rasa_privacy.storage.payload import entries_of
from rasa_privacy.storage.segment_rows import Rows


@dataclass(frozen=True, slots=True)
class Session:
    """One session of one conversation.

    Attributes:
        ref: Row number of the conversation.
        place: Its identity.
        first: Number of the session's first event.
        keys: Data keys of the subject by purpose.
    """

    ref: int
    place: Place
    first: int
    keys: Mapping[str, DataKey]

    def open_all(self, listed: Purposes, rows: Rows) -> dict[str, list[Any]]:
        """Return the entries of each purpose whose key exists.

        Raises:
            TamperedSegmentError: A row is missing, foreign, exchanged or changed.
            MalformedSegmentError: A row does not follow the format.
        """
        if rows.keys() - listed.keys():
            raise TamperedSegmentError(
                f"conversation {self.ref}, session at event {self.first}: the table holds rows of a purpose that the "
                "manifest does not list; restore the database from its backup"
            )
        keys = self.keys
        return {name: self.open(name, refs, rows.get(name, ())) for name, refs in listed.items() if name in keys}

    def open(self, purpose: str, refs: Sequence[SegmentRef], rows: Sequence[bytes]) -> list[Any]:
        """Return the entries of a purpose whose key exists; raises what `open_all` does."""
        if len(refs) != len(rows):
            raise TamperedSegmentError(
                f"{self.where(purpose)}: the manifest lists {len(refs)} segments and the table holds {len(rows)}; "
                "restore the database from its backup"
            )
        entries: list[Any] = []
        for number, (ref, sealed) in enumerate(zip(refs, rows, strict=True)):
            payload = self.open_one(purpose, number, ref, sealed)
            entries += entries_of(payload, ref.count)
        return entries

    def open_one(self, purpose: str, number: int, ref: SegmentRef, sealed: bytes) -> bytes:
        """Return the payload of the segment that stands at this position of the manifest.

        Raises:
            TamperedSegmentError: The row is not that segment.
            MalformedSegmentError: The row does not follow the format.
        """
        if tag_of(sealed) != ref.tag:
            raise TamperedSegmentError(
                f"{self.where(purpose)}, segment {number}: the row is not the one that the manifest lists here"
            )
        try:
            return open_sealed(self.keys[purpose], sealed, self.identity(purpose, ref))
        except (MalformedSegmentError, TamperedSegmentError) as error:
            raise type(error)(f"{self.where(purpose)}, {number}: {error}") from None

    def identity(self, purpose: str, ref: SegmentRef) -> bytes:
        """Return the identity of a segment of this session."""
        return self.place.events(purpose, self.first, ref.first_seq, ref.count)

    def where(self, purpose: str) -> str:
        """Name the place for a message, without personal data."""
        return f"conversation {self.ref}, session at event {self.first}, purpose '{purpose}'"
