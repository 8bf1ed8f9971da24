"""How a message gets to a contact: the protocol `Sender`, and the one that is shipped, SMTP.

Rules:

1. The connection is encrypted and the server's certificate checked before anything is sent; a server without STARTTLS
   gets nothing.
2. An error names the server and the cause, never the contact or the text.
3. Nothing is tried again here: the person asks for another code.
"""

import importlib
import re
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from rasa_privacy.errors import ConfigurationError, SenderError
from rasa_privacy.policy.sender_settings import OwnSender, SmtpSettings, load_sender_settings

_TIMEOUT_SECONDS: Final = 15
#: What a mail may go to: no list of addresses, and no name beside one.
ONE_ADDRESS: Final = re.compile(r"[^\s@,;<>\"()]+@[^\s@,;<>\"()]+")


@runtime_checkable
class Sender(Protocol):
    """What sends one message to one contact."""

    def send(self, to: str, subject: str, text: str) -> None:
        """Hand a message over.

        Args:
            to: An email address or a phone number.
            subject: One line; what has no subjects leaves it away.
            text: The message.

        Raises:
            SenderError: It could not be handed over.
        """


class SmtpSender:
    """Sends mails through one server.

    Args:
        settings: The server.
    """

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings

    def send(self, to: str, subject: str, text: str) -> None:
        """Hand a mail to the server.

        Raises:
            SenderError: The contact is no email address, or the server did not take the mail.
        """
        mail = self._mail(to, subject, text)
        where = f"mail server {self._settings.host}:{self._settings.port}"
        try:
            with self._connect() as server:
                if self._settings.user is not None and self._settings.password is not None:
                    server.login(self._settings.user, self._settings.password)
                server.send_message(mail)
        # `from None`: the cause carries the address.
        except smtplib.SMTPAuthenticationError:
            raise SenderError(f"{where}: it refuses user or password; correct them in endpoints.yml") from None
        except smtplib.SMTPRecipientsRefused:
            raise SenderError(f"{where}: it refuses the address; ask the person for another one") from None
        except smtplib.SMTPNotSupportedError:
            raise SenderError(f"{where}: it lacks STARTTLS, login or UTF-8; see 'security' in endpoints.yml") from None
        except ssl.SSLError:
            raise SenderError(f"{where}: its certificate is not trusted; see 'host' and 'ca_file'") from None
        except smtplib.SMTPException as error:
            raise SenderError(f"{where}: it did not take the mail ({type(error).__name__}); try again later") from None
        except OSError as error:
            raise SenderError(f"{where}: it does not answer ({type(error).__name__}); see that it runs") from None

    def _mail(self, to: str, subject: str, text: str) -> EmailMessage:
        # More than one address, or a name beside it, would be a list of somebody else's choosing.
        if not ONE_ADDRESS.fullmatch(to):
            raise SenderError("the contact on file is no email address, so no mail can go there; ask for one")
        mail = EmailMessage()
        try:
            mail["To"], mail["From"], mail["Subject"] = to, self._settings.from_, subject
        except (ValueError, IndexError):  # a line break would begin another header
            raise SenderError("a subject or 'from' has a line break, or an address is malformed") from None
        mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="localhost")
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834, so that nobody's holiday notice answers
        mail.set_content(text)
        return mail

    def _connect(self) -> smtplib.SMTP:
        chosen = self._settings
        if chosen.security == "none":
            return smtplib.SMTP(chosen.host, chosen.port, timeout=_TIMEOUT_SECONDS)
        context = _context(chosen.ca_file)
        if chosen.security == "tls":
            return smtplib.SMTP_SSL(chosen.host, chosen.port, timeout=_TIMEOUT_SECONDS, context=context)
        server = smtplib.SMTP(chosen.host, chosen.port, timeout=_TIMEOUT_SECONDS)
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
        return server


def open_sender(endpoints: Path) -> Sender:
    """Return the sender that an endpoints file names.

    Raises:
        ConfigurationError: The block is missing or wrong, or its class cannot be made.
    """
    settings = load_sender_settings(endpoints)
    return SmtpSender(settings) if isinstance(settings, SmtpSettings) else _own(settings)


def hand_over(sender: Sender, to: str, subject: str, text: str) -> None:
    """Send one message, whoever wrote the sender.

    Raises:
        SenderError: It could not be handed over. Of what else a builder's sender raises the text is left out.
    """
    try:
        sender.send(to, subject, text)
    except SenderError:
        raise
    except Exception as error:  # noqa: BLE001 - a builder's; `from None`, since it may name contact and text
        raise SenderError(
            f"privacy_sender: its class broke ({type(error).__name__}); let it raise SenderError instead"
        ) from None


def _own(settings: OwnSender) -> Sender:
    module, _, name = settings.path.rpartition(".")
    try:
        made = getattr(importlib.import_module(module), name)(**settings.options)
    except (ImportError, AttributeError, TypeError) as error:
        raise ConfigurationError(
            f"privacy_sender: {settings.path} cannot be made ({type(error).__name__}); correct its name and options"
        ) from None
    if not isinstance(made, Sender):
        raise ConfigurationError(f"privacy_sender: {settings.path} has no method 'send(to, subject, text)'; add it")
    return made


def _context(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError:
            raise SenderError(f"{ca_file}: the certificates cannot be read; correct 'ca_file'") from None
    return context
