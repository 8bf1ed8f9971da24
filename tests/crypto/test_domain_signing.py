"""Signatures by the certificate of a domain."""

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from rasa_privacy.crypto.domain_signing import open_domain_signer
from rasa_privacy.errors import ConfigurationError
from tests.support.certificates import DOMAIN, write_certificate
from tests.support.vaults import START


@pytest.mark.parametrize("kind", ["rsa", "p256", "p384"])
def test_anybody_with_the_certificate_can_check_a_signature(tmp_path: Path, kind: str) -> None:
    """And finds a changed message."""
    made: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    if kind == "rsa":
        made = rsa.generate_private_key(65537, 2048)
    else:
        made = ec.generate_private_key(ec.SECP256R1() if kind == "p256" else ec.SECP384R1())
    signer = open_domain_signer(DOMAIN, *write_certificate(tmp_path, START, key=made), START)
    signature = base64.b64decode(signer.sign(b"message"))
    public = x509.load_pem_x509_certificate(signer.chain).public_key()

    def check(message: bytes) -> None:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, message, padding.PKCS1v15(), SHA256())
        else:
            assert isinstance(public, ec.EllipticCurvePublicKey)
            public.verify(signature, message, ec.ECDSA(SHA256()))

    check(b"message")
    with pytest.raises(InvalidSignature):
        check(b"massage")
    assert signer.sign(b"message") not in repr(signer)


def test_what_others_would_not_believe_is_not_signed_with(tmp_path: Path) -> None:
    """Over, of another domain or key, signed by itself, weak, or open to others: each is said at the start."""
    certificate, key = write_certificate(tmp_path, START)
    with pytest.raises(ConfigurationError, match="does not name the domain"):
        open_domain_signer("other.example", certificate, key, START)
    with pytest.raises(ConfigurationError, match="and not now; renew it"):
        open_domain_signer(DOMAIN, certificate, key, START + timedelta(days=90))
    key.chmod(0o640)
    with pytest.raises(ConfigurationError, match="others may read the key"):
        open_domain_signer(DOMAIN, certificate, key, START)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(ConfigurationError, match="not that of the key"):
        open_domain_signer(DOMAIN, certificate, write_certificate(other, START)[1], START)
    with pytest.raises(ConfigurationError, match="signed by itself"):
        open_domain_signer(DOMAIN, *write_certificate(other, START, is_own_issuer=True), START)
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it is refused
    with pytest.raises(ConfigurationError, match="RSA of 2048 bits or more"):
        open_domain_signer(DOMAIN, *write_certificate(other, START, key=weak), START)
    with pytest.raises(ConfigurationError, match="no private key"):
        key.write_bytes(b"none")
        key.chmod(0o600)
        open_domain_signer(DOMAIN, certificate, key, START)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        open_domain_signer(DOMAIN, tmp_path / "none.pem", key, START)
