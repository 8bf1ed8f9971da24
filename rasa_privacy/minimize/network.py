"""Addresses of devices, and links that carry a login.

- IPv4 and IPv6 addresses (RFC 4291), read by the standard library's `ipaddress`; not after words such as "version".
- MAC addresses (IEEE 802: EUI-48) with colons, dashes or dots.
- Links with a user and a password before the host (RFC 3986, section 3.2.1), or with a key among their parameters.
"""

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from rasa_privacy.minimize.context import Context, says_before
from rasa_privacy.minimize.searched_text import SearchedText

_DOT: Final = r"(?: ?\[\.\] ?| ?\(\.\) ?|\.| \. )"
_IPV4: Final = re.compile(rf"(?<![\w.,-])[0-9]{{1,3}}(?:{_DOT}[0-9]{{1,3}}){{3}}(?![\w-])(?!\.[0-9])")
_IPV6: Final = re.compile(r"(?<![\w:.])[0-9a-fA-F:][0-9a-fA-F:.]{3,44}(?![\w])")
_NOT_HEX: Final = re.compile(r"[^0-9.]+")
_MIN_GROUPS: Final = 3  # of an IPv6 address; `12::30` is a slip of the pen
_NO_ADDRESS: Final = Context(
    " version ", " versions ", " v ", " ver ", " release", " build ", " firmware", " update to", " upgrade", " section",
    " chapter", " kapitel", " abschnitt", " paragraph", " android", " ios ", " macos", " windows", " chrome",
    " firefox", " app ", " sdk ", " driver", " patch",
)  # fmt: skip
_MAC: Final = re.compile(
    r"(?<![\w:.-])(?:[0-9a-fA-F]{2}(?:([:-])[0-9a-fA-F]{2})(?:\1[0-9a-fA-F]{2}){4}"
    r"|[0-9a-fA-F]{4}\.[0-9a-fA-F]{4}\.[0-9a-fA-F]{4}|[0-9a-fA-F]{2}(?: [0-9a-fA-F]{2}){5})(?![\w:-])"
)
_MAC_CONTEXT: Final = Context(" mac ", " hardware address", " ethernet", " wifi", " wlan")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]{0,20}$", re.IGNORECASE)
_SCHEME_CHARACTERS: Final = 24
_LOGIN: Final = re.compile(r"[^\s/?#@:]{0,256}:[^\s/?#@]{1,256}@[^\s<>\"']{1,2048}")
_PARAMETER: Final = re.compile(
    r"[^\s<>\"']{0,2048}?[?&#;](?:access_?token|api_?key|auth|key|pass(?:word|wd)?|pwd|secret|sig(?:nature)?|token)="
    r"[^\s&<>\"']{4,}[^\s<>\"']*",
    re.IGNORECASE,
)


def ip_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each IP address."""
    if text.plain.count(".") >= 3:  # noqa: PLR2004 - an IPv4 address has three dots
        for zone in text.zones:
            if zone.digits >= 4:  # noqa: PLR2004 - and four numbers
                for found in _IPV4.finditer(text.plain, max(0, zone.start), zone.end):
                    if _is_ipv4(found[0]) and not says_before(text, found.start(), _NO_ADDRESS):
                        yield found.span()
    if text.plain.count(":") >= 2:  # noqa: PLR2004 - the shortest IPv6 address has two colons
        for found in _IPV6.finditer(text.plain):
            address = found[0].rstrip(".:") if not found[0].endswith("::") else found[0]
            if _is_ipv6(address):
                yield found.start(), found.start() + len(address)


def _is_ipv4(written: str) -> bool:
    try:
        IPv4Address(_NOT_HEX.sub("", written))
    except AddressValueError:
        return False
    return True


def _is_ipv6(written: str) -> bool:
    try:
        address = IPv6Address(written)
    except AddressValueError:
        return False
    return len([group for group in written.split(":") if group]) >= _MIN_GROUPS or address.is_loopback


def mac_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each MAC address."""
    plain = text.plain
    for found in _MAC.finditer(plain):
        doubtful = " " in found[0] or "." in found[0] or found[0].replace("-", "").isdigit()
        if not doubtful or says_before(text, found.start(), _MAC_CONTEXT):
            yield found.span()


def link_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each link that carries a password or a key."""
    plain = text.plain
    place, done = plain.find("://"), 0
    while place >= 0:
        scheme = _SCHEME.search(plain[max(done, place - _SCHEME_CHARACTERS) : place])
        found = _LOGIN.match(plain, place + 3) or _PARAMETER.match(plain, place + 3)
        if scheme is not None and found is not None:
            done = found.start() + len(found[0].rstrip(".,;:!?)"))
            yield place - len(scheme[0]), done
        place = plain.find("://", max(place + 3, done))
