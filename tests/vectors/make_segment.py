"""Makes segment.json: `python tests/vectors/make_segment.py > tests/vectors/segment.json`.

It follows docs/spec/segment.md with `cryptography`, `msgspec` and `zstandard` alone, so that the package is held
against the page and not against itself. Nonces are fixed here, and only here, because vectors must not change; each is
used once.
"""

import hashlib
import json
import struct
import sys
from pathlib import Path
from typing import Any, Final

import msgspec
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SUBJECT: Final = bytes(range(16))
_CONVERSATION: Final = bytes(range(16, 32))
_KEY: Final = hashlib.sha256(b"vector data key").digest()
_OTHER_KEY: Final = hashlib.sha256(b"another data key").digest()
_DICTIONARY: Final = zstandard.ZstdCompressionDict(
    (Path(__file__).parents[2] / "rasa_privacy/crypto/dictionary_1.zdict").read_bytes()
)
#: The structure of a session that has just begun.
_BEGUN: Final = msgspec.msgpack.encode(
    [
        [1, 1790000000.25, ["0123456789abcdef" * 2, "bot"], "action_session_start", None, 1.0, False],
        [7, 1790000000.25, 1],
        [1, 1790000000.5, 1, "action_listen", None, None, False],
    ]
)
#: What a bot says, and a payload in which it does.
_WORDS: Final = b"".join(
    msgspec.msgpack.encode(f"We are open from {hour} to 19, and on Sundays.") for hour in range(8, 14)
)
_SAID: Final = msgspec.msgpack.encode(
    [[4, 1790000000.75, None, "utter_hours", "We are open from 9 to 19, and on Sundays.", None]]
)
_LONG: Final = b'{"event":"user","intent":"enter_draw"}' * 8


def _derive(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)


def _identity(kind: int, purpose: str, *numbers: int) -> bytes:
    name = purpose.encode()
    tail = b"".join(struct.pack(">Q", number) for number in numbers)
    return bytes([kind]) + _SUBJECT + _CONVERSATION + bytes([len(name)]) + name + tail


def _seal(message: bytes, identity: bytes, number: int, key: bytes = _KEY, *, version: int = 1) -> bytes:
    nonce = struct.pack(">4sQ", b"vect", number)
    key_id = _derive(key, b"rasa_privacy key id v1")[: 32 if version == 1 else 16]
    header = b"RPS" + bytes([version]) + key_id + nonce
    return header + AESGCM(_derive(key, b"rasa_privacy seal v1")).encrypt(nonce, message, header + identity)


def _frame(payload: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(payload)


def _short_frame(payload: bytes, *, named: bool = False) -> bytes:
    """Return a frame of codec 2; a `named` one says which dictionary it was made with, which is not allowed."""
    return zstandard.ZstdCompressor(level=3, dict_data=_DICTIONARY, write_dict_id=named).compress(payload)


def _words_frame(payload: bytes, words: bytes = _WORDS, *, named: bool = False) -> bytes:
    """Return the id of words and a frame of codec 3."""
    content = zstandard.ZstdCompressionDict(_DICTIONARY.as_bytes() + words)
    frame = zstandard.ZstdCompressor(level=6, dict_data=content, write_dict_id=named).compress(payload)
    return hashlib.sha256(b"rasa_privacy bot words v1" + words).digest()[:4] + frame


def _bomb() -> bytes:
    """Return a frame that declares one byte more than a payload may have."""
    return zstandard.ZstdCompressor(level=19).compress(bytes(16 * 2**20 + 1))


def _with_dictionary() -> bytes:
    """Return a frame that can be read with a dictionary only."""
    trained = zstandard.ZstdCompressionDict(
        b"\x37\xa4\x30\xec\x01\x02\x03\x04" + _LONG, dict_type=zstandard.DICT_TYPE_RAWCONTENT
    )
    return zstandard.ZstdCompressor(level=3, dict_data=trained, write_dict_id=True).compress(_LONG)


def _vector(name: str, raw: bytes, identity: bytes, expect: str, payload: bytes = b"") -> dict[str, Any]:
    return {
        "name": name,
        "data_key": _KEY.hex(),
        "identity": identity.hex(),
        "sealed": raw.hex(),
        "expect": expect,
        "payload": payload.hex(),
        "words": _WORDS.hex(),
    }


def vectors() -> list[dict[str, Any]]:
    """Return all vectors: `expect` is `opens`, or the class of failure."""
    run = _identity(1, "draw", 0, 3, 2)
    good = _seal(b"\x00" + b"\x92\x01\x02", run, 1)
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    short = _seal(b"\x00" + b"\x92\x01\x02", run, 21, version=2)
    return [
        _vector("raw run of events", good, run, "opens", b"\x92\x01\x02"),
        _vector(
            "compressed head manifest",
            _seal(b"\x01" + _frame(_LONG), (head := _identity(2, "service", 7)), 2),
            head,
            "opens",
            _LONG,
        ),
        _vector(
            "closed session", _seal(b"\x00ab", (closed := _identity(3, "service", 40, 9)), 3), closed, "opens", b"ab"
        ),
        _vector("sender id", _seal(b"\x00+49", (sender := _identity(4, "service")), 4), sender, "opens", b"+49"),
        _vector("empty payload", _seal(b"\x00", run, 5), run, "opens"),
        _vector("another place", good, _identity(1, "draw", 0, 4, 2), "tampered"),
        _vector("another purpose", good, _identity(1, "news", 0, 3, 2), "tampered"),
        _vector("another key", _seal(b"\x00a", run, 6, _OTHER_KEY), run, "tampered"),
        _vector("one bit of the tag", flipped, run, "tampered"),
        _vector("another nonce", good[:36] + b"\xff" + good[37:], run, "tampered"),
        _vector("version 3", b"RPS\x03" + good[4:], run, "malformed"),
        _vector("no magic", b"RPX\x01" + good[4:], run, "malformed"),
        _vector("cut short", good[:64], run, "malformed"),
        _vector("empty", b"", run, "malformed"),
        _vector("unknown codec", _seal(b"\x04abc", run, 7), run, "malformed"),
        _vector("no codec", _seal(b"", run, 8), run, "malformed"),
        _vector("broken frame", _seal(b"\x01" + _frame(_LONG)[:-3], run, 9), run, "malformed"),
        _vector("frame longer than its payload", _seal(b"\x01" + _frame(b"abc"), run, 10), run, "malformed"),
        _vector("two frames", _seal(b"\x01" + _frame(_LONG) * 2, run, 11), run, "malformed"),
        _vector(
            "no declared size",
            _seal(b"\x01" + zstandard.ZstdCompressor(write_content_size=False).compress(_LONG), run, 12),
            run,
            "malformed",
        ),
        _vector("a dictionary", _seal(b"\x01" + _with_dictionary(), run, 14), run, "malformed"),
        _vector(
            "a beginning with the dictionary",
            _seal(b"\x02" + _short_frame(_BEGUN), (begun := _identity(1, "service", 0, 0, 3)), 15),
            begun,
            "opens",
            _BEGUN,
        ),
        _vector("the same without it", _seal(b"\x01" + _frame(_BEGUN), begun, 16), begun, "opens", _BEGUN),
        _vector("codec 1 for a frame of codec 2", _seal(b"\x01" + _short_frame(_BEGUN), begun, 17), begun, "malformed"),
        _vector("the dictionary by name", _seal(b"\x02" + _short_frame(_BEGUN, named=True), run, 18), run, "malformed"),
        _vector("codec 2 and no frame", _seal(b"\x02abc", run, 19), run, "malformed"),
        _vector("a bomb under codec 2", _seal(b"\x02" + _bomb(), run, 20), run, "malformed"),
        _vector("one bit of the key id", good[:4] + bytes([good[4] ^ 1]) + good[5:], run, "tampered"),
        _vector("another kind", good, _identity(3, "draw", 0, 3, 2), "tampered"),
        _vector("another count", good, _identity(1, "draw", 0, 3, 3), "tampered"),
        _vector("a bomb", _seal(b"\x01" + _bomb(), run, 13), run, "malformed"),
        _vector("version 2", short, run, "opens", b"\x92\x01\x02"),
        _vector(
            "version 2 with the dictionary",
            _seal(b"\x02" + _short_frame(_BEGUN), begun, 22, version=2),
            begun,
            "opens",
            _BEGUN,
        ),
        _vector("version 2 in another place", short, _identity(1, "draw", 0, 4, 2), "tampered"),
        _vector("version 2 under another key", _seal(b"\x00a", run, 23, _OTHER_KEY, version=2), run, "tampered"),
        _vector("version 2, one bit of the key id", short[:4] + bytes([short[4] ^ 1]) + short[5:], run, "tampered"),
        _vector("version 2, one bit of the tag", short[:-1] + bytes([short[-1] ^ 1]), run, "tampered"),
        _vector("version 2 cut short", short[:48], run, "malformed"),
        _vector("version 1 with the header of version 2", b"RPS\x01" + short[4:] + bytes(32), run, "tampered"),
        _vector("version 2 with the header of version 1", b"RPS\x02" + good[4:], run, "tampered"),
        _vector(
            "the bot's words", (worded := _seal(b"\x03" + _words_frame(_SAID), run, 25, version=2)), run, "opens", _SAID
        ),
        _vector("words in another place", worded, _identity(1, "draw", 0, 4, 2), "tampered"),
        _vector(
            "words that are not kept",
            _seal(b"\x03" + _words_frame(_SAID, b"others"), run, 26, version=2),
            run,
            "malformed",
        ),
        _vector(
            "an id of words cut short", _seal(b"\x03" + _words_frame(_SAID)[:3], run, 27, version=2), run, "malformed"
        ),
        _vector("words and no frame", _seal(b"\x03" + _words_frame(_SAID)[:4], run, 28, version=2), run, "malformed"),
        _vector(
            "words, the dictionary by name",
            _seal(b"\x03" + _words_frame(_SAID, named=True), run, 29, version=2),
            run,
            "malformed",
        ),
        _vector(
            "a bomb with words",
            _seal(b"\x03" + _words_frame(_SAID)[:4] + _bomb(), run, 30, version=2),
            run,
            "malformed",
        ),
        _vector(
            "version 2 with a key id of 32 bytes",
            b"RPS\x02" + _seal(b"\x00a", run, 24)[4:],
            run,
            "tampered",
        ),
    ]


def _manifest(name: str, kind: str, value: Any, expect: str) -> dict[str, str]:
    raw = value if isinstance(value, bytes) else msgspec.msgpack.encode(value)
    return {"name": name, "kind": kind, "payload": raw.hex(), "expect": expect}


def manifests() -> list[dict[str, str]]:
    """Return payloads of manifests (section 5): `expect` is `opens` or `malformed`."""
    tag, chain = bytes(range(16)), bytes(range(32))
    purposes = {"draw": [[1, 2, 0, tag]], "service": [[0, 2, 0, tag], [2, 1, 0, tag]]}
    head = [3, 0, 0, chain, purposes]
    counted = [*head, {"draw": {"email": 2, "full_name": 1}}]
    packed = msgspec.msgpack.encode(head)
    bad = {
        "empty": b"",
        "a byte too many": packed + b"\x00",
        "cut short": packed[:-1],
        "a field too few": head[:4],
        "a field too many": [*counted, 1],
        "a number for the counts": [*head, 1],
        "nothing for the counts": [*head, None],
        "a count of zero": [*head, {"draw": {"email": 0}}],
        "a purpose with no counts": [*head, {"draw": {}}],
        "an item twice": msgspec.msgpack.encode(counted).replace(b"\xa9full_name", b"\xa5email"),
        "another type": {"head": 1},
        "text for a number": ["3", *head[1:]],
        "a number below zero": [-1, *head[1:]],
        "a number in more bytes than it needs": b"\x95\xcd\x00\x03" + packed[2:],
        "a chain of 31 bytes": [3, 0, 0, chain[:31], purposes],
        "text that is no UTF-8": packed.replace(b"\xa4draw", b"\xa4dr\xff\xff"),
        "a purpose twice": packed.replace(b"\xa7service", b"\xa4draw"),
        "a tag of 15 bytes": [3, 0, 0, chain, {"service": [[0, 3, 0, tag[:15]]]}],
        "a level past 15": [3, 0, 0, chain, {"service": [[0, 3, 16, tag]]}],
        "a segment without entries": [3, 0, 0, chain, {"service": [[0, 0, 0, tag]]}],
        "nested too deep": b"\x91" * 2000,
    }
    return [
        _manifest("head", "head", head, "opens"),
        _manifest("head without events", "head", [0, 0, 0, bytes(32), {}], "opens"),
        _manifest("head with counts", "head", counted, "opens"),
        _manifest("head without events and values", "head", [0, 0, 0, bytes(32), {}, {}], "opens"),
        _manifest("closed session", "purposes", purposes, "opens"),
        *(_manifest(name, "head", value, "malformed") for name, value in bad.items()),
        _manifest("a head for a closed session", "purposes", head, "malformed"),
        _manifest("purposes for a head", "head", purposes, "malformed"),
    ]


if __name__ == "__main__":
    json.dump(
        {"made_by": "python tests/vectors/make_segment.py", "vectors": vectors(), "manifests": manifests()},
        sys.stdout,
        indent=1,
    )
    sys.stdout.write("\n")
