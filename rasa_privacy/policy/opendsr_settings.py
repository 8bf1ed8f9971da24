"""The settings of OpenDSR: the block `opendsr:` in `privacy_api:` of endpoints.yml (docs/spec/opendsr.md).

Messages name keys, never values.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.endpoints_file import read_endpoints
from rasa_privacy.policy.key_settings import known_only, text
from rasa_privacy.policy.sender_settings import LOOPBACK

#: Types of OpenDSR 2.0, section 5.1, by which people may be found.
IDENTITIES: Final = ("controller_customer_id", "email")
_DOMAIN: Final = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_CONTROLLER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MAX_CALLBACKS: Final = 20
_MAX_URL: Final = 500


@dataclass(frozen=True, slots=True)
class OpenDsrSettings:
    """What OpenDSR needs.

    Attributes:
        domain: The processor's domain, which the certificate must name.
        controller_id: How the controller is called here.
        certificate: PEM file with the certificate and its chain.
        key: PEM file with its private key.
        callbacks: The only URLs that may be told of a status.
        identities: Types of identity whose value is a sender id of this bot.
    """

    domain: str
    controller_id: str
    certificate: Path
    key: Path
    callbacks: tuple[str, ...] = ()
    identities: tuple[str, ...] = ("controller_customer_id",)


def load_opendsr_settings(endpoints: Path) -> OpenDsrSettings | None:
    """Read the block of an endpoints file; None where there is none.

    Raises:
        ConfigurationError: A key is unknown, missing or wrong.
    """
    content = read_endpoints(endpoints)
    block = content.get("privacy_api") if isinstance(content, dict) else None
    if block is None:
        return None
    where = f"{endpoints}: privacy_api"
    if not isinstance(block, dict):
        raise ConfigurationError(f"{where}: write keys under it, such as 'opendsr:'")
    known_only(block, ("opendsr",), where)
    if not isinstance(block.get("opendsr"), dict):
        raise ConfigurationError(f"{where}: 'opendsr' is missing; write its keys under it, or leave the block away")
    return opendsr_settings(block["opendsr"], f"{where}.opendsr")


def opendsr_settings(block: Mapping[str, Any], where: str) -> OpenDsrSettings:
    """Make settings of the block.

    Raises:
        ConfigurationError: A key is unknown, missing or wrong.
    """
    known_only(block, ("domain", "controller_id", "certificate", "key", "callbacks", "identities"), where)
    domain, controller = text(block, "domain", where), text(block, "controller_id", where)
    if _DOMAIN.fullmatch(domain) is None:
        raise ConfigurationError(f"{where}: 'domain' must be a domain in small letters, such as opendsr.shop.example")
    if _CONTROLLER.fullmatch(controller) is None:
        raise ConfigurationError(f"{where}: 'controller_id' must be 1 to 64 letters, digits, '.', '_' or '-'")
    return OpenDsrSettings(
        domain,
        controller,
        Path(text(block, "certificate", where)),
        Path(text(block, "key", where)),
        _callbacks(block.get("callbacks", []), where),
        _identities(block.get("identities", ["controller_customer_id"]), where),
    )


def _callbacks(found: object, where: str) -> tuple[str, ...]:
    if not isinstance(found, list) or len(found) > MAX_CALLBACKS or not all(_is_url(each) for each in found):
        raise ConfigurationError(
            f"{where}: 'callbacks' must be a list of up to {MAX_CALLBACKS} URLs that begin with https:// and have "
            "neither a password nor a '#'; http:// only on this machine"
        )
    return tuple(found)


def _is_url(each: object) -> bool:
    if not isinstance(each, str) or not each.isascii() or not each.isprintable() or " " in each or len(each) > _MAX_URL:
        return False
    try:
        parts = urlsplit(each)
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    return safe and bool(parts.hostname) and "@" not in parts.netloc and not parts.fragment


def _identities(found: object, where: str) -> tuple[str, ...]:
    if not isinstance(found, list) or not found or not all(each in IDENTITIES for each in found):
        raise ConfigurationError(
            f"{where}: 'identities' must list which of these are sender ids of this bot: {', '.join(IDENTITIES)}"
        )
    return tuple(dict.fromkeys(found))
