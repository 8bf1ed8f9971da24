"""An authority of the tests, and a certificate of a domain by it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DOMAIN = "opendsr.northwind.example"


def write_certificate(  # noqa: PLR0913 - what may be wrong with one
    folder: Path,
    now: datetime,
    *,
    key: PrivateKey | None = None,
    domain: str = DOMAIN,
    days: int = 90,
    is_own_issuer: bool = False,
) -> tuple[Path, Path]:
    """Write certificate and key of a domain into a folder, and return their paths."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)])
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test Authority")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if is_own_issuer else authority)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain), x509.DNSName("localhost")]), critical=False)
        .sign(key if is_own_issuer else ec.generate_private_key(ec.SECP256R1()), SHA256())
    )
    certificate, private = folder / "opendsr.pem", folder / "opendsr.key"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private.chmod(0o600)
    return certificate, private
