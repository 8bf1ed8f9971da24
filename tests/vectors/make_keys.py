"""Makes keys.json: `python tests/vectors/make_keys.py > tests/vectors/keys.json`.

It follows docs/spec/keys.md with `cryptography` and `msgspec` alone, so that the package is held against the page and
not against itself. Keys and nonces are fixed here, and only here, because vectors must not change.
"""

import base64
import hashlib
import hmac
import json
import struct
import sys
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEK: Final = hashlib.sha256(b"vector key-encryption key").digest()
_OTHER_KEK: Final = hashlib.sha256(b"another key-encryption key").digest()
_DATA_KEY: Final = hashlib.sha256(b"vector data key").digest()
_INDEX_KEY: Final = hashlib.sha256(b"vector index key").digest()
_SUBJECT: Final = bytes(range(16))
_OTHER_SUBJECT: Final = bytes(range(1, 17))
_NONCE: Final = b"vector nonce"
_LAST_EPOCH: Final = 2**32 - 1

Vector = dict[str, Any]


def _derive(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)


def _wrap(
    epoch: int, kek: bytes = _KEK, *, subject: bytes = _SUBJECT, purpose: str = "draw", key: bytes = _DATA_KEY
) -> bytes:
    header = struct.pack(">4sI12s", b"RPK\x01", epoch, _NONCE)
    name = purpose.encode()
    owner = bytes([len(subject)]) + subject + bytes([len(name)]) + name
    return header + AESGCM(_derive(kek, b"rasa_privacy wrap v1")).encrypt(_NONCE, key, header + owner)


def _flip(raw: bytes, position: int) -> bytes:
    return raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :]


def _wrapped(
    name: str, raw: bytes, expect: str, *, epoch: int = 1, owner: tuple[bytes, str] = (_SUBJECT, "draw")
) -> Vector:
    return {
        "name": name,
        "kek": _KEK.hex(),
        "epoch": epoch,
        "subject_id": owner[0].hex(),
        "purpose": owner[1],
        "wrapped": raw.hex(),
        "expect": expect,
        "key": _DATA_KEY.hex() if expect == "opens" else "",
    }


def wrapped_keys() -> list[Vector]:
    """Return wrapped keys: `expect` is `opens`, or the class of failure."""
    good, long = _wrap(1), "ä" * 127 + "x"
    return [
        _wrapped("data key", good, "opens"),
        _wrapped("data key of the last epoch", _wrap(_LAST_EPOCH), "opens", epoch=_LAST_EPOCH),
        _wrapped("purpose of 255 bytes", _wrap(1, purpose=long), "opens", owner=(_SUBJECT, long)),
        _wrapped("index key", _wrap(1, subject=b"", purpose="index"), "opens", owner=(b"", "index")),
        _wrapped("another subject", good, "tampered", owner=(_OTHER_SUBJECT, "draw")),
        _wrapped("no subject", good, "tampered", owner=(b"", "draw")),
        _wrapped("another purpose", good, "tampered", owner=(_SUBJECT, "news")),
        _wrapped("another key-encryption key", _wrap(1, _OTHER_KEK), "tampered"),
        _wrapped("the epoch rewritten", struct.pack(">4sI", b"RPK\x01", 1) + _wrap(2)[8:], "tampered"),
        _wrapped("one bit of the nonce", _flip(good, 8), "tampered"),
        _wrapped("one bit of the ciphertext", _flip(good, 20), "tampered"),
        _wrapped("one bit of the tag", _flip(good, 67), "tampered"),
        _wrapped("another epoch", _wrap(2), "provider"),
        _wrapped("epoch 0", _wrap(0), "provider"),
        _wrapped("version 2", b"RPK\x02" + good[4:], "malformed"),
        _wrapped("no magic", b"RPS\x01" + good[4:], "malformed"),
        _wrapped("cut short", good[:-1], "malformed"),
        _wrapped("a byte too many", good + b"\x00", "malformed"),
        _wrapped("a key of 16 bytes", _wrap(1, key=_DATA_KEY[:16]), "malformed"),
        _wrapped("empty", b"", "malformed"),
    ]


def _checksum(epoch: int, key: bytes) -> str:
    return hashlib.sha256(b"rasa_privacy key file v1" + struct.pack(">I", epoch) + key).hexdigest()[:16]


def _key_text(epoch: int = 1) -> str:
    encoded = base64.b64encode(_KEK).decode()
    return f"rasa_privacy key v1\nepoch {epoch}\nkey {encoded}\nchecksum {_checksum(epoch, _KEK)}\n"


def _file(name: str, text: str, expect: str, epoch: int = 1) -> Vector:
    key = _KEK.hex() if expect == "opens" else ""
    return {"name": name, "file": f"kek-{epoch}.key", "epoch": epoch, "text": text, "expect": expect, "key": key}


def key_files() -> list[Vector]:
    """Return texts of key files: `expect` is `opens` or `provider`, the class of failure."""
    good = _key_text()
    encoded = base64.b64encode(_KEK).decode()
    # The last character before the padding carries two bits that decode to nothing.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose = encoded[:-2] + alphabet[alphabet.index(encoded[-2]) + 1] + "="
    bad = {
        "empty": "",
        "cut short": good[:-30],
        "no line feed at the end": good[:-1],
        "a line too many": good + "\n",
        "lines that end in CR LF": good.replace("\n", "\r\n"),
        "a byte order mark": "\ufeff" + good,
        "version 2": good.replace("key v1", "key v2"),
        "no first line": good.partition("\n")[2],
        "lines exchanged": "\n".join([*(lines := good.splitlines())[:1], lines[2], lines[1], lines[3]]) + "\n",
        "another epoch inside": _key_text(2),
        "an epoch with a leading zero": good.replace("epoch 1", "epoch 01"),
        "epoch 0": good.replace("epoch 1", "epoch 0"),
        "no padding": good.replace("=\n", "\n"),
        "bits in the padding": good.replace(encoded, loose),
        "base64 for URLs": good.replace(encoded, "-_" + encoded[2:]),
        "a key of 31 bytes": good.replace(encoded, base64.b64encode(_KEK[:31]).decode()),
        "another key": good.replace(encoded, base64.b64encode(_OTHER_KEK).decode()),
        "another checksum": good.replace("checksum ", "checksum 0")[:-2] + "\n",
        "a checksum in capitals": good.replace(_checksum(1, _KEK), _checksum(1, _KEK).upper()),
    }
    too_late = _key_text().replace("epoch 1", f"epoch {2**32}")
    return [
        _file("first epoch", good, "opens"),
        _file("last epoch", _key_text(_LAST_EPOCH), "opens", _LAST_EPOCH),
        *(_file(name, text, "provider") for name, text in bad.items()),
        _file("an epoch past the last", too_late, "provider", 2**32),
    ]


def fingerprints() -> list[Vector]:
    """Return keys and their fingerprints."""
    return [
        {"kek": key.hex(), "fingerprint": _derive(key, b"rasa_privacy kek fingerprint v1").hex()}
        for key in (_KEK, bytes(32))
    ]


def _index(domain: str, value: bytes) -> Vector:
    name = domain.encode()
    mac = hmac.digest(_INDEX_KEY, bytes([len(name)]) + name + value, "sha256")
    return {"key": _INDEX_KEY.hex(), "domain": domain, "value": value.hex(), "index": mac.hex()}


def blind_indexes() -> list[Vector]:
    """Return values, in the bytes that are hashed, and their indexes; domains are not confused by shifting."""
    return [
        _index("sender id", b"+49 170 5558172"),
        _index("sender id", "Zoë".encode()),
        _index("sender id", b"\xed\xa0\x80"),
        _index("sender id", b""),
        _index("ledger head", b"1:" + bytes(32).hex().encode()),
        _index("ab", b"c"),
        _index("a", b"bc"),
    ]


def ledger_links() -> list[Vector]:
    """Return a chain of three records with their links, and the authenticated end."""
    notice = hashlib.sha256(b"notice").digest()
    rows = [
        [1, _SUBJECT, "draw", "asked", notice, "en", "button", "rest", 1_795_437_015_123_456],
        [2, _SUBJECT, "draw", "granted", notice, "en", "button", "rest", 1_795_437_016_000_000],
        [3, _OTHER_SUBJECT, "draw", "withdrawn", bytes(32), "pt-BR", "keyword", "Straße", 0],
    ]
    links, previous = [], bytes(32)
    for row in rows:
        record = msgspec.msgpack.encode(row)
        previous = hashlib.sha256(
            b"rasa_privacy chain v1" + previous + struct.pack(">Q", len(record)) + record
        ).digest()
        shown = [value.hex() if isinstance(value, bytes) else value for value in row]
        end = previous.hex() + _index("ledger head", f"{row[0]}:{previous.hex()}".encode())["index"]
        links.append({"record": shown, "encoded": record.hex(), "link": previous.hex(), "head": end})
    return links


def vectors() -> dict[str, Any]:
    """Return everything that the file holds."""
    return {
        "made_by": "python tests/vectors/make_keys.py",
        "wrapped_keys": wrapped_keys(),
        "key_files": key_files(),
        "fingerprints": fingerprints(),
        "blind_indexes": blind_indexes(),
        "ledger_links": ledger_links(),
    }


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1)
    sys.stdout.write("\n")
