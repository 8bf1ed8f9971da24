"""What is fuzzed: each target takes any bytes, and raises only where the package is wrong.

A target reads the bytes as one stored form. They are refused with a `PrivacyError`, or they are what the package itself
would write: then they must re-encode to themselves. Sealed forms are fuzzed twice, as stored bytes, and as the
plaintext under the right key, which is what a reader sees who is handed bytes by somebody with the key.
"""

import base64
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.bot_dictionary import BotDictionaries, words_id
from rasa_privacy.crypto.identity import Place
from rasa_privacy.crypto.key_file import FileKeyProvider
from rasa_privacy.crypto.key_ring import KeyEncryptionKey
from rasa_privacy.crypto.providers.environment import EnvironmentKeyProvider
from rasa_privacy.crypto.providers.wrapped import WrappedKeyProvider
from rasa_privacy.crypto.sealing import DataKey, open_sealed, seal
from rasa_privacy.crypto.segment import KEY_ID_BYTES, NONCE_BYTES, SealedSegment, header_bytes
from rasa_privacy.errors import (
    JournalError,
    KeyProviderError,
    MalformedSegmentError,
    PrivacyError,
    TamperedSegmentError,
)
from rasa_privacy.minimize.detectors import find
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.masking import mask
from rasa_privacy.minimize.view import View
from rasa_privacy.storage.event_rows import fill, unpack
from rasa_privacy.storage.journal_entry import Chain, decode, encode
from rasa_privacy.storage.journal_file import JournalFile
from rasa_privacy.storage.manifest import open_head, open_purposes, seal_manifest
from rasa_privacy.storage.payload import entries_of, merged
from tests.support.vaults import policy

KEY: Final = DataKey(bytes(range(32)))
WORDS: Final = b"Which prize do you want? We are open on weekdays from nine to five. " * 4
_DICTIONARIES: Final = BotDictionaries({words_id(WORDS): WORDS}.get, 3, 6)
_DICTIONARIES.use(WORDS)
#: The same key in a store that has the words of a bot.
WORDED: Final = DataKey(KEY.secret, _DICTIONARIES)
_KEY_ID: Final = KEY.key_id[:KEY_ID_BYTES]
KEK: Final = KeyEncryptionKey(1, bytes(range(32, 64)))
SUBJECT: Final = bytes(range(16))
PLACE: Final = Place(SUBJECT, bytes(range(16, 32)))
KNOWN: Final = {"full_name": ["Ana Li"], "email": ["ana@x.example"]}
SPLITTER: Final = EventSplitter(policy("masked"), {"PERSON": ["full_name"], "activity": ["favourite_activity"]})
CHAIN: Final = Chain(BlindIndex(bytes(range(64, 96))))
_IDENTITY: Final = PLACE.head(1)
# The nonce is fixed so that the same input always gives the same bytes; the key protects nothing.
_NONCE: Final = b"fuzzing only"
_MODE: Final = 0o600
_folder: Final = tempfile.TemporaryDirectory()


class NotCanonicalError(AssertionError):
    """Bytes were accepted that the package would have written otherwise."""


def segment(data: bytes) -> None:
    """Read stored bytes of a segment; those that carry the right key id are opened too."""
    try:
        read = SealedSegment.from_bytes(data)
    except MalformedSegmentError:
        return
    _same(read.to_bytes(), data)
    with suppress(MalformedSegmentError, TamperedSegmentError):
        open_sealed(KEY, data, _IDENTITY)
    with suppress(MalformedSegmentError, TamperedSegmentError):
        open_sealed(KEY, header_bytes(_KEY_ID, read.nonce) + read.body, _IDENTITY)


def message(data: bytes) -> None:
    """Open a segment whose sealed message (codec byte and data) is the input, in a store with a bot's words."""
    associated = header_bytes(_KEY_ID, _NONCE) + _IDENTITY
    raw = SealedSegment(_KEY_ID, _NONCE, KEY._encrypt(_NONCE, data or b"\x00", associated)).to_bytes()
    try:
        plaintext = open_sealed(WORDED, raw, _IDENTITY)
    except MalformedSegmentError:
        return
    if open_sealed(WORDED, seal(WORDED, plaintext, _IDENTITY, _NONCE), _IDENTITY) != plaintext:
        raise NotCanonicalError("a payload does not survive sealing")


def wrapped_key(data: bytes) -> None:
    """Unwrap stored bytes of a data key."""
    try:
        key = KEK.unwrap(data, SUBJECT, "draw")
    except PrivacyError:
        return
    _same(KEK.wrap(key, SUBJECT, "draw", data[8 : 8 + NONCE_BYTES]), data)


def key_file(data: bytes) -> None:
    """Read a key file with this text."""
    path = Path(_folder.name) / "kek-1.key"
    path.write_bytes(data)
    path.chmod(_MODE)
    try:
        key = FileKeyProvider(path.parent).load(1)
    except KeyProviderError:
        return
    with tempfile.TemporaryDirectory() as other:
        FileKeyProvider(Path(other), lambda size: key.secret if size == len(key.secret) else bytes(size)).create(1)
        _same((Path(other) / path.name).read_bytes(), data)


def manifest(data: bytes) -> None:
    """Open a head manifest and the manifest of a closed session whose plaintext is the input."""
    sealed = seal(KEY, data, _IDENTITY, _NONCE)
    for opened in (open_head, open_purposes):
        try:
            found = opened(KEY, sealed, _IDENTITY)
        except MalformedSegmentError:
            continue
        _same(open_sealed(KEY, seal_manifest(KEY, found, _IDENTITY, _NONCE), _IDENTITY), data)


def payload(data: bytes) -> None:
    """Read the input as the entries of a segment, and merge it with itself."""
    for count in range(3):
        with suppress(MalformedSegmentError):
            entries_of(data, count)
    with suppress(MalformedSegmentError):
        merged([data, data])


def rows(data: bytes) -> None:
    """Read the input as the rows of a structure and the values that belong into them."""
    try:
        read = entries_of(data, 2)
    except MalformedSegmentError:
        return
    structure, values = (part if isinstance(part, list) else [part] for part in read)
    with suppress(MalformedSegmentError):
        unpack(structure)
    with suppress(MalformedSegmentError):
        fill(structure, 0, {"draw": values})


class _Remote:
    """Stands in for a service that wraps keys; it turns their bits around."""

    provider = "aws-kms"
    name = "a key of the fuzzer"

    def wrap(self, secret: bytes, epoch: int) -> bytes:  # noqa: ARG002 - the protocol
        """Return the bytes turned around."""
        return bytes(255 - byte for byte in secret)

    unwrap = wrap


def wrapped_file(data: bytes) -> None:
    """Read a file with a key-encryption key that a service wrapped."""
    path = Path(_folder.name) / "kek-1.wrapped"
    path.write_bytes(data)
    path.chmod(_MODE)
    try:
        key = WrappedKeyProvider(path.parent, _Remote(), os.urandom).load(1)
    except KeyProviderError:
        return
    with tempfile.TemporaryDirectory() as other:
        WrappedKeyProvider(Path(other), _Remote(), lambda size: key.secret[:size]).create(1)
        _same((Path(other) / path.name).read_bytes(), data)


def variable(data: bytes) -> None:
    """Read an environment variable that holds a key."""
    text = data.decode("utf-8", "surrogateescape")
    with suppress(KeyProviderError):
        key = EnvironmentKeyProvider("KEY_", {"KEY_1": text}).load(1)
        _same(base64.b64encode(key.secret), text.strip().encode("utf-8", "surrogateescape"))


def journal_entry(data: bytes) -> None:
    """Read an entry of the erasure journal."""
    with suppress(JournalError):
        _same(encode(decode(data)), data)


def journal_file(data: bytes) -> None:
    """Read a file as the erasure journal of a database."""
    path = Path(_folder.name) / "erasures.journal"
    path.write_bytes(data)
    path.chmod(_MODE)
    with suppress(JournalError):
        list(JournalFile(path, CHAIN).read())


def text(data: bytes) -> None:
    """Search the input as a message, and mask it; what is masked twice is masked once."""
    said = data.decode("utf-8", "surrogateescape")
    found = find(said)
    if any(not 0 <= each.start < each.end <= len(said) for each in found):
        raise NotCanonicalError("a finding lies outside the text")
    once = mask(said, found, KNOWN)
    if mask(once, [], KNOWN) != once:
        raise NotCanonicalError("a masked text is masked again")


def event(data: bytes) -> None:
    """Split the input, read as JSON, as an event of Rasa's that anybody may have sent."""
    try:
        read = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    for kind in ("user", "slot", "bot", "entities", "reminder", "action"):
        sent = {**read, "event": kind} if isinstance(read, dict) else {"event": kind, "parse_data": read, "data": read}
        SPLITTER.split(sent, 0, View(frozenset({"draw"}), KNOWN))


def _same(written: bytes, read: bytes) -> None:
    if written != read:
        raise NotCanonicalError(f"accepted {len(read)} bytes that would be written otherwise")


_ALL: Final = (
    *(segment, message, manifest, payload, rows),
    *(wrapped_key, key_file, wrapped_file, variable),
    *(journal_entry, journal_file),
    *(text, event),
)
TARGETS: Final[dict[str, Callable[[bytes], None]]] = {target.__name__: target for target in _ALL}
