"""Ed25519 signatures and signed JSON."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rasa_privacy.crypto.signing import SigningKey, VerifyingKey
from rasa_privacy.errors import SignatureError, StorageError

#: RFC 8032, section 7.1, test 2.
SECRET = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
KEY = SigningKey(SECRET)
OTHER = SigningKey(bytes(32))


def test_the_vector_of_the_rfc_holds() -> None:
    """Key and signature are those of RFC 8032."""
    assert KEY.public().raw == PUBLIC
    assert KEY.sign(b"\x72") == SIGNATURE
    KEY.public().check(b"\x72", SIGNATURE, "the vector")


@pytest.mark.parametrize(
    ("message", "signature", "key"),
    [
        (b"\x73", SIGNATURE, KEY),
        (b"\x72", SIGNATURE[:-1] + b"\x01", KEY),
        (b"\x72", SIGNATURE[:-1], KEY),
        (b"\x72", SIGNATURE, OTHER),
    ],
)
def test_anything_else_is_refused(message: bytes, signature: bytes, key: SigningKey) -> None:
    """Another message, signature or key raises, and says what was checked."""
    with pytest.raises(SignatureError, match="the vector: the signature is not"):
        key.public().check(message, signature, "the vector")


def test_a_public_key_comes_back_from_its_file() -> None:
    """PEM is read as it is written; other keys and other files are refused."""
    pem = KEY.public().pem()
    assert VerifyingKey.from_pem(pem.encode()) == KEY.public()
    foreign = (
        generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    for wrong in (b"", b"nonsense", pem.encode()[:40], foreign):
        with pytest.raises(SignatureError, match="no Ed25519 public key"):
            VerifyingKey.from_pem(wrong)


def test_keys_of_another_length_are_refused() -> None:
    """And none shows its secret."""
    with pytest.raises(StorageError, match="31 bytes"):
        SigningKey(bytes(31))
    with pytest.raises(SignatureError, match="31 bytes"):
        VerifyingKey(bytes(31))
    assert SECRET.hex() not in repr(KEY)
    assert "secret" not in repr(KEY)


def test_signed_json_comes_back() -> None:
    """The token is a JWS with the algorithm's own name, the kind, and the key's thumbprint."""
    token = KEY.token({"a": ["ü", 1]}, "receipt")
    header = json.loads(_part(token, 0))
    assert header == {"alg": "Ed25519", "typ": "receipt", "kid": KEY.public().thumbprint()}
    assert KEY.public().open_token(token, "receipt") == {"a": ["ü", 1]}
    signed, _, signature = token.rpartition(".")
    KEY.public().check(signed.encode(), _decoded(signature), "the token")


def _changed(token: str, part: int, value: Any) -> str:
    parts = token.split(".")
    parts[part] = base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return ".".join(parts)


TOKEN = KEY.token({"a": 1}, "receipt")


@pytest.mark.parametrize(
    "token",
    [
        _changed(TOKEN, 1, {"a": 2}),
        _changed(TOKEN, 0, {"alg": "none", "typ": "receipt"}),
        _changed(TOKEN, 0, {"alg": "HS256", "typ": "receipt"}),
        _changed(TOKEN, 0, []),
        OTHER.token({"a": 1}, "receipt"),
        TOKEN[:-4],
        TOKEN.rpartition(".")[0] + ".",
        "",
        "a.b.c",
        "\u00fc",
        "x" * 1_000_001,
    ],
)
def test_a_forged_token_is_refused(token: str) -> None:
    """Changed, unsigned, signed otherwise, or none at all."""
    with pytest.raises(SignatureError):
        KEY.public().open_token(token, "receipt")


def test_a_token_of_another_kind_is_refused() -> None:
    """What was signed as one thing does not pass for another."""
    with pytest.raises(SignatureError, match="it is no receipt"):
        KEY.public().open_token(KEY.token({"a": 1}, "letter"), "receipt")


def _part(token: str, number: int) -> bytes:
    return _decoded(token.split(".")[number])


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
