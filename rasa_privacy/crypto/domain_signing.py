"""`DomainSigner`: signs by the certificate of a domain, for those who do not know us (OpenDSR 2.0, section 4).

RSA with PKCS #1 v1.5 or ECDSA, over SHA-256 (FIPS 186-4); what clients of OpenDSR check. The certificate's authority is
theirs to judge: here it is only seen that it is not the certificate itself, that it is in time, names the domain and
fits the key.
"""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from rasa_privacy.errors import ConfigurationError

#: NIST SP 800-131A: shorter ones are disallowed.
MIN_RSA_BITS: Final = 2048
_MAX_FILE: Final = 262_144
_Key: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class DomainSigner:
    """Signs for a domain.

    Attributes:
        domain: The domain.
        chain: The certificate and its chain, PEM.
    """

    domain: str
    chain: bytes = field(repr=False)
    _key: _Key = field(repr=False)

    def sign(self, message: bytes) -> str:
        """Return the signature over the SHA-256 digest of a message, in base64."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            signature = self._key.sign(message, padding.PKCS1v15(), SHA256())
        else:
            signature = self._key.sign(message, ec.ECDSA(SHA256()))
        return base64.b64encode(signature).decode("ascii")


def open_domain_signer(domain: str, certificate: Path, key: Path, now: datetime) -> DomainSigner:
    """Read a certificate and its key.

    Args:
        domain: What the certificate must name.
        certificate: PEM file with the certificate and its chain.
        key: PEM file with its private key, without a passphrase, readable for its owner alone.
        now: Current time, aware and in UTC.

    Raises:
        ConfigurationError: A file is missing or no PEM, others may read the key, or the certificate is over, signed by
            itself, of another domain or key, or too weak.
    """
    chain, private = _read(certificate), _private(key)
    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
    except ValueError:
        raise ConfigurationError(f"{certificate}: the file holds no certificate in PEM") from None
    if _raw(leaf.public_key()) != _raw(private.public_key()):
        raise ConfigurationError(f"{certificate}: the certificate is not that of the key {key}")
    for why in _wrong(leaf, domain, now):
        raise ConfigurationError(f"{certificate}: {why}")
    return DomainSigner(domain, chain, private)


def _wrong(leaf: x509.Certificate, domain: str, now: datetime) -> list[str]:
    found = []
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        found.append(f"the certificate holds until {leaf.not_valid_after_utc:%Y-%m-%d}, and not now; renew it")
    if leaf.issuer == leaf.subject:
        found.append("the certificate is signed by itself, which OpenDSR forbids; get one of an authority")
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        named = names.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        named = []
    if domain not in named:
        found.append("the certificate does not name the domain as a subject alternative name")
    return found


def _private(file: Path) -> _Key:
    raw = _read(file)
    if file.stat().st_mode & 0o077:
        raise ConfigurationError(f"{file}: others may read the key; chmod 600 it")
    try:
        found = load_pem_private_key(raw, None)
    except (ValueError, TypeError):
        raise ConfigurationError(f"{file}: the file holds no private key in PEM without a passphrase") from None
    if isinstance(found, rsa.RSAPrivateKey) and found.key_size >= MIN_RSA_BITS:
        return found
    if isinstance(found, ec.EllipticCurvePrivateKey) and isinstance(found.curve, (ec.SECP256R1, ec.SECP384R1)):
        return found
    raise ConfigurationError(f"{file}: use RSA of {MIN_RSA_BITS} bits or more, or ECDSA on P-256 or P-384")


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_MAX_FILE)
    except OSError as error:
        raise ConfigurationError(f"{file}: the file cannot be read ({error.strerror})") from None


def _raw(key: object) -> bytes:
    if not isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        return b""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
