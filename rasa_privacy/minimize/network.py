"""Addresses of devices, and links that carry a login.

- IPv4 and IPv6 addresses (RFC 4291), read by the standard library's `ipaddress`; not after words such as "version".
- MAC addresses (IEEE 802: EUI-48) with colons, dashes or dots.
- Links with a user and a password before the host (RFC 3986, section 3.2.1), or with a key among their parameters.
"""

import re
import string
from bisect import bisect_left
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from rasa_privacy.minimize.context import Context, says_before
from rasa_privacy.minimize.searched_text import CONTEXT_BEFORE, SearchedText, places

_DOT: Final = r"(?: ?\[\.\] ?| ?\(\.\) ?|\.| \. )"
_IPV4: Final = re.compile(rf"(?<![\w.,-])[0-9]{{1,3}}(?:{_DOT}[0-9]{{1,3}}){{3}}(?![\w-])(?!\.[0-9])")
_IPV6: Final = re.compile(r"(?<![\w:.])[0-9a-fA-F:][0-9a-fA-F:.]{3,44}(?![\w])")
_HEX: Final = re.compile(r"[0-9a-fA-F:.]+")
_MAX_IPV6: Final = 45  # characters
_MAX_GROUP: Final = 4  # and of what stands between two of its colons
_NOT_HEX: Final = re.compile(r"[^0-9.]+")
_MIN_GROUPS: Final = 3  # of an IPv6 address; `12::30` is a slip of the pen
_FIRST_GROUP: Final = 4  # characters of it in an address of two groups, as in `fe80::1`
_NO_ADDRESS: Final = Context(
    " version ", " versions ", " v ", " ver ", " release", " build ", " firmware", " update to", " upgrade", " section",
    " chapter", " kapitel", " abschnitt", " paragraph", " android", " ios ", " macos", " windows", " chrome",
    " firefox", " app ", " sdk ", " driver", " patch",
)  # fmt: skip
_PAIRS: Final = r"[0-9a-fA-F]{2}(?:([:-])[0-9a-fA-F]{2})(?:\1[0-9a-fA-F]{2}){4}"
_MAC: Final = re.compile(rf"(?<![\w:.-]){_PAIRS}(?![\w:-])")
_DOUBTFUL_MAC: Final = re.compile(
    rf"(?<![\w:.-])(?:{_PAIRS}|[0-9a-fA-F]{{4}}\.[0-9a-fA-F]{{4}}\.[0-9a-fA-F]{{4}}|[0-9a-fA-F]{{12}}"
    r"|[0-9a-fA-F]{2}(?: [0-9a-fA-F]{2}){5})(?![\w:-])"
)
# The second pair of a MAC address with the signs around it, where each byte of a text is read as one of "x:- ".
_SECOND_PAIRS: Final = (b":xx:", b"-xx-")
_PAIR_SIGNS: Final = bytes(
    ord("x") if chr(code) in string.hexdigits else code if chr(code) in ":-" else ord(" ") for code in range(256)
)
_MAC_CHARACTERS: Final = 17
_MAC_CONTEXT: Final = Context(" mac ", " hardware address", " ethernet", " wifi", " wlan")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]{0,20}$", re.IGNORECASE)
_SCHEME_CHARACTERS: Final = 24
_CLOSING: Final = ".,;:!?)"  # signs after a link that end the sentence
_LOGIN: Final = re.compile(r"[^\s/?#@:]{0,256}:[^\s/?#@]{1,256}@[^\s<>\"']{1,2048}")
# RFC 6749 calls what opens an account for once a `code`, as shops do a coupon: the long ones are secrets.
_PARAMETER: Final = re.compile(
    r"[?&#;](?=(?:(?:(?:access|id|refresh|auth|session|reset)_?)?token|api_?key|auth|jwt|key|pass(?:word|wd)?|pwd"
    r"|(?:client_?)?secret|sig(?:nature)?)=[^\s&<>\"']{4}"
    r"|(?:code|session(?:_?id)?|sid)=(?=[^\s&<>\"']{0,64}[0-9])[^\s&<>\"']{16})",
    re.IGNORECASE,
)
_BEFORE: Final = re.compile(r"[^\s<>\"']{0,2048}")  # the parameters of a link
_REST: Final = re.compile(r"[^\s<>\"']+")
_HOST: Final = re.compile(r"(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?::[0-9]{1,5})?(?=[/?#])", re.IGNORECASE)
_LINK: Final = re.compile(r"[^\s<>\"'()\[\]]{8,}")


def ip_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each IP address."""
    if text.plain.count(".") >= 3:  # noqa: PLR2004 - an IPv4 address has three dots
        for zone in text.zones:
            # ... and four numbers.
            if zone.digits >= 4 and text.plain.count(".", zone.start, zone.end) >= 3:  # noqa: PLR2004 - as said
                for found in _IPV4.finditer(text.plain, max(0, zone.start), zone.end):
                    if _is_ipv4(found[0]) and not says_before(text, found.start(), _NO_ADDRESS):
                        yield found.span()
    if text.plain.count(":") >= 2:  # noqa: PLR2004 - the shortest IPv6 address has two colons
        yield from _ipv6_spans(text.plain)


def _ipv6_spans(plain: str) -> Iterator[tuple[int, int]]:
    colon, done = plain.find(":"), 0
    while colon >= 0:
        if plain.find(":", colon + 1, colon + _MAX_GROUP + 2) < 0:
            done, colon = colon + 1, plain.find(":", colon + 1)
            continue
        before = _HEX.match(plain[max(done, colon - _MAX_IPV6) : colon][::-1])
        run = _HEX.match(plain, colon - len(before[0] if before else ""))
        found = _IPV6.match(plain, run.start()) if run else None
        if found is not None:
            address = found[0].rstrip(".:") if not found[0].endswith("::") else found[0]
            if _is_ipv6(address):
                yield found.start(), found.start() + len(address)
        done = run.end() if run else colon + 1
        colon = plain.find(":", done)


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
    groups = [group for group in written.split(":") if group]
    if len(groups) >= _MIN_GROUPS or address.is_loopback:
        return True
    # `face::add` is no address that a device can have, and `12::30` is none that anybody means.
    return written.find(":") == _FIRST_GROUP and (address.is_link_local or not address.is_reserved)


def mac_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each MAC address."""
    for found in _macs(text):
        doubtful = not {":", "-"} & set(found[0]) or found[0].replace("-", "").isdigit()
        if not doubtful or says_before(text, found.start(), _MAC_CONTEXT):
            yield found.span()


def _macs(text: SearchedText) -> Iterator[re.Match[str]]:
    plain = text.plain
    for start, end in _MAC_CONTEXT.places_in(text):
        last = end + CONTEXT_BEFORE
        found_by_word = _DOUBTFUL_MAC.finditer(plain, start, last + _MAC_CHARACTERS + 1)
        yield from (found for found in found_by_word if found.start() <= last)  # a later one may be cut off
    signs = text.ascii.translate(_PAIR_SIGNS)
    for pair in _SECOND_PAIRS:
        for place in places(signs, pair):
            if (found := _MAC.match(plain, place - 2)) is not None:
                yield found


def link_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each link that carries a password or a key."""
    plain = text.plain
    keys = [found.start() for found in _PARAMETER.finditer(plain)] if "=" in plain else []
    yield from _links_without_scheme(plain, keys)
    place, done = plain.find("://"), 0
    while place >= 0:
        scheme = _SCHEME.search(plain[max(done, place - _SCHEME_CHARACTERS) : place])
        end = _end_of_link(plain, place + 3, keys)
        if scheme is not None and end is not None:
            done = end
            yield place - len(scheme[0]), done
        place = plain.find("://", max(place + 3, done))


def _end_of_link(plain: str, start: int, keys: list[int]) -> int | None:
    """Return where a link ends whose host begins here, if it carries a login or one of the keys, which are in order."""
    login = _LOGIN.match(plain, start)
    if login is not None:
        return start + len(login[0].rstrip(_CLOSING))
    key = bisect_left(keys, start)
    lead = _BEFORE.match(plain, start) if key < len(keys) else None
    if lead is None or keys[key] > lead.end():
        return None
    rest = _REST.match(plain, keys[key])
    return keys[key] + len(rest[0].rstrip(_CLOSING)) if rest else None


def _links_without_scheme(plain: str, keys: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the same of each link that begins with its host."""
    for word in _LINK.finditer(plain) if keys else ():
        key = bisect_left(keys, word.start())
        if key < len(keys) and keys[key] < word.end() and "://" not in word[0] and _HOST.match(word[0]):
            yield word.start(), word.start() + len(word[0].rstrip(_CLOSING))
