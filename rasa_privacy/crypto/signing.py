"""Ed25519 (RFC 8032): what a store signs, others can check without any of its keys (docs/spec/ledger.md, section 4).

Two uses, each with a form of its own so that a signature for one is none for the other: bare signatures over bytes
that begin with a domain, and JWS in compact serialization (RFC 7515) with the algorithm `Ed25519` (RFC 9864).
"""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from rasa_privacy.crypto.derive import KEY_BYTES
from rasa_privacy.errors import SignatureError, StorageError

_ALGORITHM: Final = "Ed25519"
#: A receipt has a few kilobytes; no more is read of a stranger's file.
_MAX_TOKEN: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key.

    Attributes:
        raw: 32 bytes (RFC 8032, section 5.1.5).

    Raises:
        SignatureError: They are no public key.
    """

    raw: bytes

    def __post_init__(self) -> None:
        """Check the length."""
        if len(self.raw) != KEY_BYTES:
            raise SignatureError(f"public key: {len(self.raw)} bytes instead of {KEY_BYTES}")

    @classmethod
    def from_pem(cls, text: bytes) -> "VerifyingKey":
        """Return the key in a PEM file (RFC 7468).

        Raises:
            SignatureError: It holds no Ed25519 public key.
        """
        try:
            key = load_pem_public_key(text)
        except ValueError:
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise SignatureError("public key: the file holds no Ed25519 public key in PEM; export it again")
        return cls(key.public_bytes(Encoding.Raw, PublicFormat.Raw))

    def pem(self) -> str:
        """Return the key as SubjectPublicKeyInfo in PEM."""
        return self._key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")

    def check(self, message: bytes, signature: bytes, what: str) -> None:
        """Return where the signature is this key's over these bytes.

        Args:
            message: What was signed.
            signature: 64 bytes.
            what: What was signed, in words for the message.

        Raises:
            SignatureError: It is not.
        """
        try:
            self._key().verify(signature, message)
        except InvalidSignature:
            raise SignatureError(f"{what}: the signature is not this store's; it was changed or forged") from None

    def open_token(self, token: str, kind: str) -> Any:
        """Return the JSON value in a JWS that this key signed.

        Args:
            token: Compact serialization.
            kind: The `typ` that it must have.

        Raises:
            SignatureError: It is none, of another kind, or not signed by this key.
        """
        from joserfc import jws  # noqa: PLC0415 - needed for receipts alone; a quarter of a second
        from joserfc.errors import JoseError  # noqa: PLC0415
        from joserfc.jwk import OKPKey  # noqa: PLC0415

        if len(token) > _MAX_TOKEN:
            raise SignatureError(f"signed JSON: longer than {_MAX_TOKEN:,} characters, so it is none of ours")
        try:
            found = jws.deserialize_compact(token, OKPKey.import_key(self._key()), algorithms=[_ALGORITHM])
            if found.protected.get("typ") != kind:
                raise SignatureError(f"signed JSON: it is no {kind}; name the file that the command wrote")
            return msgspec.json.decode(found.payload)
        except (JoseError, ValueError, TypeError, AttributeError):
            raise SignatureError("signed JSON: it was changed, or signed with another store's key") from None

    def thumbprint(self) -> str:
        """Return the name of the key in a JWS header, its RFC 7638 thumbprint."""
        from joserfc.jwk import OKPKey  # noqa: PLC0415 - as in `open_token`

        return OKPKey.import_key(self._key()).thumbprint()

    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key.

    Attributes:
        secret: 32 random bytes.

    Raises:
        StorageError: It is not 32 bytes.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Check the length."""
        if len(self.secret) != KEY_BYTES:
            raise StorageError(f"signing key: {len(self.secret)} bytes instead of {KEY_BYTES}")

    def public(self) -> VerifyingKey:
        """Return the public key."""
        return VerifyingKey(self._key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature over a message that begins with its domain."""
        return self._key().sign(message)

    def token(self, payload: Any, kind: str) -> str:
        """Return a JSON value as JWS, compact, with the payload in it.

        Args:
            payload: A JSON value.
            kind: What it is, for the header `typ`.
        """
        from joserfc import jws  # noqa: PLC0415 - as in `open_token`
        from joserfc.jwk import OKPKey  # noqa: PLC0415

        header = {"alg": _ALGORITHM, "typ": kind, "kid": self.public().thumbprint()}
        body = msgspec.json.encode(payload)
        return jws.serialize_compact(header, body, OKPKey.import_key(self._key()), algorithms=[_ALGORITHM])

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)
