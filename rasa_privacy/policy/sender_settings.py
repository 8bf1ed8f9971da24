"""The sender's settings: the block `privacy_sender:` of endpoints.yml, through which one-time codes go out.

Messages name keys, never values: the block may hold a password. `${NAME}` is replaced from the environment, as in the
rest of the file, so that the password need not stand there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.endpoints_file import read_endpoints
from rasa_privacy.policy.key_settings import known_only, text

SMTP: Final = "smtp"
#: How the connection is protected, and the usual port (RFC 6409; RFC 8314).
SECURITY: Final = {"starttls": 587, "tls": 465, "none": 25}
#: Names of this machine for itself.
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_CLASS: Final = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """A mail server.

    Attributes:
        host: Its name, which its certificate must have.
        port: Its port.
        from_: The address that mails come from.
        security: `starttls`, `tls`, or `none`, which only a server on this machine may have.
        user: Name to log in with; None for no login.
        password: Its password.
        ca_file: Certificates to trust beside the system's.
    """

    host: str
    port: int
    from_: str
    security: str = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class OwnSender:
    """A builder's own sender.

    Attributes:
        path: Dotted name of a class.
        options: What it is made with.
    """

    path: str
    options: Mapping[str, Any] = field(repr=False)


def load_sender_settings(endpoints: Path) -> SmtpSettings | OwnSender:
    """Read the block `privacy_sender:` of an endpoints file.

    Raises:
        ConfigurationError: The file or the block is missing, or a key is wrong.
    """
    content = read_endpoints(endpoints)
    block = content.get("privacy_sender") if isinstance(content, dict) else None
    if not isinstance(block, dict):
        raise ConfigurationError(
            f"{endpoints}: the block 'privacy_sender' is missing, and a purpose has double_opt_in; add it with "
            "'type: smtp', 'host' and 'from'"
        )
    return sender_settings(block, f"{endpoints}: privacy_sender")


def sender_settings(block: Mapping[str, Any], where: str) -> SmtpSettings | OwnSender:
    """Make settings of the block.

    Args:
        block: The block.
        where: The place to name in messages.

    Raises:
        ConfigurationError: A key is unknown, missing, or has a value of the wrong kind.
    """
    kind = text(block, "type", where)
    if kind == SMTP:
        return _smtp(block, where)
    if not _CLASS.match(kind):
        raise ConfigurationError(f"{where}: 'type' must be 'smtp', or the dotted name of a class of yours")
    return OwnSender(kind, {str(name): value for name, value in block.items() if name != "type"})


def _smtp(block: Mapping[str, Any], where: str) -> SmtpSettings:
    known_only(block, ("type", "host", "port", "from", "security", "user", "password", "ca_file"), where)
    security = text(block, "security", where) if "security" in block else "starttls"
    if security not in SECURITY:
        raise ConfigurationError(f"{where}: 'security' must be one of {', '.join(SECURITY)}")
    host = text(block, "host", where)
    if security == "none" and host not in LOOPBACK:
        raise ConfigurationError(
            f"{where}: 'security: none' would send codes in the clear; write 'starttls' or 'tls', unless the server "
            "is on this machine"
        )
    if ("user" in block) != ("password" in block):
        raise ConfigurationError(f"{where}: 'user' and 'password' belong together; write both or none")
    user, password = (text(block, name, where) if name in block else None for name in ("user", "password"))
    ca_file = Path(text(block, "ca_file", where)) if "ca_file" in block else None
    return SmtpSettings(
        host, _port(block, security, where), text(block, "from", where), security, user, password, ca_file
    )


def _port(block: Mapping[str, Any], security: str, where: str) -> int:
    port = block.get("port", SECURITY[security])
    port = int(port) if isinstance(port, str) and port.isascii() and port.isdigit() else port
    if type(port) is not int or not 0 < port < 2**16:
        raise ConfigurationError(f"{where}: 'port' must be a number from 1 to 65535")
    return port
