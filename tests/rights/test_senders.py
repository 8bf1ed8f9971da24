"""The SMTP sender against a real local server, with STARTTLS and without."""

import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rasa_privacy.errors import ConfigurationError, SenderError
from rasa_privacy.rights.senders import Sender, open_sender

TO = "ana@example.com"


class Mailbox:
    """What the server took."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Refuse one address."""
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail, and whether it came encrypted."""
        self.mails.append((envelope.rcpt_tos, envelope.content.decode(), session.ssl is not None))
        return "250 OK"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and a certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = built.add_extension(names, critical=False).sign(key, hashes.SHA256())
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(*form) + signed.public_bytes(serialization.Encoding.PEM))
    return file


Serve = Callable[..., tuple[Mailbox, int]]


@pytest.fixture
def serve(certificate: Path) -> Iterator[Serve]:
    """Return a function that starts a server and gives its mailbox and port."""
    started: list[Controller] = []

    def start(*, tls: bool = True, password: str | None = None) -> tuple[Mailbox, int]:
        box = Mailbox()
        options: dict[str, Any] = {}
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            options = {"tls_context": context, "require_starttls": True}
        if password is not None:

            def check(_server: Any, _session: Any, _envelope: Any, _mechanism: Any, data: Any) -> AuthResult:
                return AuthResult(success=data.password == password.encode(), handled=False)

            options |= {"authenticator": check, "auth_required": True}
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        controller = Controller(box, hostname="127.0.0.1", port=port, **options)
        controller.start()
        started.append(controller)
        return box, port

    yield start
    for controller in started:
        controller.stop()


def sender(tmp_path: Path, **block: Any) -> Sender:
    """Return the sender of an endpoints file with this block."""
    whole = {"type": "smtp", "host": "127.0.0.1", "from": "Northwind <news@northwind.example>", **block}
    (tmp_path / "endpoints.yml").write_text(yaml.safe_dump({"privacy_sender": whole}))
    return open_sender(tmp_path / "endpoints.yml")


def test_a_mail_goes_out_encrypted(tmp_path: Path, serve: Serve, certificate: Path) -> None:
    """STARTTLS is what happens without saying so, and the mail is marked as automatic."""
    box, port = serve()
    sender(tmp_path, port=port, ca_file=str(certificate)).send(TO, "Your code", "Your code is 123456. Ü")
    ((recipients, content, encrypted),) = box.mails
    assert (recipients, encrypted) == ([TO], True)
    assert "Subject: Your code" in content
    assert "Auto-Submitted: auto-generated" in content


def test_an_untrusted_server_gets_nothing(tmp_path: Path, serve: Serve) -> None:
    """A certificate that nobody vouches for ends it before the address is told."""
    box, port = serve()
    with pytest.raises(SenderError, match="certificate is not trusted") as raised:
        sender(tmp_path, port=port).send(TO, "Your code", "123456")
    assert box.mails == []
    assert "ana" not in str(raised.value)


def test_a_server_without_starttls_gets_nothing(tmp_path: Path, serve: Serve) -> None:
    """Codes never go out in the clear by accident; on this machine one may say so."""
    box, port = serve(tls=False)
    with pytest.raises(SenderError, match="STARTTLS"):
        sender(tmp_path, port=port).send(TO, "Your code", "123456")
    assert box.mails == []
    sender(tmp_path, port=port, security="none").send(TO, "Your code", "123456")
    assert [encrypted for _, _, encrypted in box.mails] == [False]


def test_user_and_password_are_used(
    tmp_path: Path, serve: Serve, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may come from the environment; a wrong one is named without being shown."""
    box, port = serve(password="right horse")
    monkeypatch.setenv("SMTP_PASSWORD", "right horse")
    named = {"port": port, "ca_file": str(certificate), "user": "news"}
    sender(tmp_path, password="${SMTP_PASSWORD}", **named).send(TO, "Your code", "123456")
    assert len(box.mails) == 1
    with pytest.raises(SenderError, match="refuses user or password") as raised:
        sender(tmp_path, password="wrong horse", **named).send(TO, "Your code", "123456")
    assert "horse" not in str(raised.value)


@pytest.mark.parametrize(
    "to",
    ["ana@example.com, bob@example.com", "Ana <ana@example.com>", "a@b\nBcc: c@example.com", "+49 170 5558172", ""],
)
def test_a_mail_goes_to_one_plain_address_only(tmp_path: Path, serve: Serve, to: str) -> None:
    """What somebody typed cannot become a list or a header."""
    box, port = serve(tls=False)
    with pytest.raises(SenderError, match="no email address"):
        sender(tmp_path, port=port, security="none").send(to, "Your code", "123456")
    with pytest.raises(SenderError, match="line break"):
        sender(tmp_path, port=port, security="none").send(TO, "Your\ncode", "123456")
    assert box.mails == []


def test_a_refused_address_and_an_absent_server_are_our_errors(tmp_path: Path, serve: Serve) -> None:
    """Neither names the address."""
    _, port = serve(tls=False)
    with pytest.raises(SenderError, match="refuses the address") as raised:
        sender(tmp_path, port=port, security="none").send("nobody@example.com", "Your code", "123456")
    assert "nobody" not in str(raised.value)
    with pytest.raises(SenderError, match="does not answer"):
        sender(tmp_path, port=1, security="none").send(TO, "Your code", "123456")


@pytest.mark.parametrize(
    ("block", "what"),
    [
        ({"security": "none", "host": "mail.example.com"}, "in the clear"),
        ({"security": "some"}, "'security' must be"),
        ({"port": 0}, "'port' must be"),
        ({"user": "news"}, "belong together"),
        ({"hots": "x"}, "not known"),
        ({"type": "mailgun"}, "'type' must be"),
        ({"type": "rasa_privacy.errors.Nothing"}, "cannot be made"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, block: Any, what: str) -> None:
    """Each message says which key to correct."""
    with pytest.raises(ConfigurationError, match=what):
        sender(tmp_path, **block)


def test_without_the_block_it_says_what_to_write(tmp_path: Path) -> None:
    """A purpose with double opt-in needs a sender."""
    (tmp_path / "endpoints.yml").write_text("tracker_store: {}\n")
    with pytest.raises(ConfigurationError, match="'privacy_sender' is missing"):
        open_sender(tmp_path / "endpoints.yml")


class Pigeon:
    """A builder's own sender."""

    def __init__(self, loft: str) -> None:
        self.loft = loft

    def send(self, to: str, subject: str, text: str) -> None:
        """Send nothing."""


def test_an_own_sender_is_made_with_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its class is named in place of smtp."""
    import sys  # noqa: PLC0415 - to give the class a module that can be imported
    from types import ModuleType  # noqa: PLC0415 - as above

    module = ModuleType("own_senders")
    module.Pigeon = Pigeon  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "own_senders", module)
    (tmp_path / "endpoints.yml").write_text("privacy_sender: {type: own_senders.Pigeon, loft: roof}\n")
    made = open_sender(tmp_path / "endpoints.yml")
    assert isinstance(made, Pigeon)
    assert made.loft == "roof"
