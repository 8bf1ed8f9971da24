"""Makes ledger.json: `python tests/vectors/make_ledger.py > tests/vectors/ledger.json`.

It follows docs/spec/ledger.md with `cryptography` and `msgspec` alone, so that the package is held against the page and
not against itself. Keys are fixed here, and only here, because vectors must not change.
"""

import hashlib
import hmac
import json
import sys
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_INDEX_KEY: Final = hashlib.sha256(b"vector index key").digest()
_SIGNING_KEY: Final = hashlib.sha256(b"vector signing key").digest()
_STORE: Final = bytes(range(16))
_NOTICE: Final = hashlib.sha256(b"vector notice").digest()
_AT: Final = 1_795_437_015_123_456


def _link(previous: bytes, record: bytes) -> bytes:
    return hashlib.sha256(b"rasa_privacy chain v1" + previous + len(record).to_bytes(8, "big") + record).digest()


def _keyed(domain: bytes, value: bytes) -> str:
    return hmac.new(_INDEX_KEY, bytes([len(domain)]) + domain + value, "sha256").hexdigest()


def main() -> None:
    """Print the vectors."""
    key = Ed25519PrivateKey.from_private_bytes(_SIGNING_KEY)
    previous = bytes(32)
    records: list[dict[str, Any]] = []
    checkpoints: list[dict[str, Any]] = []
    for seq, event in enumerate(("asked", "granted", "withdrawn"), start=1):
        fields: list[Any] = [seq, bytes(16), "draw", event, _NOTICE, "en", "button", "rest", _AT + seq]
        raw = msgspec.msgpack.encode(fields)
        previous = _link(previous, raw)
        mac = _keyed(b"ledger record 2", raw)
        shown = [each.hex() if isinstance(each, bytes) else each for each in fields]
        records.append({"record": shown, "link": previous.hex(), "mac": mac[:32]})
        if seq != 2:
            number = len(checkpoints) + 1
            message = b"rasa_privacy checkpoint v1" + msgspec.msgpack.encode([_STORE, number, seq, previous, _AT])
            signature = key.sign(message).hex()
            head = _keyed(b"checkpoint head", f"{number}:{signature}".encode())
            body = {"number": number, "seq": seq, "link": previous.hex(), "at": _AT, "signature": signature}
            checkpoints.append({"checkpoint": body, "message": message.hex(), "head": head})
    vectors = {
        "index_key": _INDEX_KEY.hex(),
        "signing_key": _SIGNING_KEY.hex(),
        "public_key": key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex(),
        "store": _STORE.hex(),
        "no_checkpoint_head": _keyed(b"checkpoint head", b"0:"),
        "records": records,
        "checkpoints": checkpoints,
    }
    json.dump(vectors, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
