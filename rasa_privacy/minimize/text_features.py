"""Features of a text (`SearchedText.features`): what some detectors cannot do without, and most texts do not have."""

from typing import TYPE_CHECKING, Final

from rasa_privacy.minimize.digit_zones import LETTERS
from rasa_privacy.minimize.password_words import PASSWORD_HINTS

if TYPE_CHECKING:
    from rasa_privacy.minimize.searched_text import SearchedText

_DEGREES: Final = 4  # digits of two numbers with one place each
_MAC_SIGNS: Final = 5  # between the pairs of a MAC address
_SECRET_HINTS: Final = (*PASSWORD_HINTS, "pin")
_SECRET_HEADS: Final = frozenset({"pas", "ken", "mot", "con", "cla", "sen", "wac", "pw", "pwd", "psw", "par", "pin"})


def signs_of(text: "SearchedText") -> frozenset[str]:
    """Return the features that do not become more where something is taken out."""
    plain, lower = text.plain, text.lower
    has = _signs_by_digits(text)
    if not plain.isascii() and ("\u00b0" in plain or "\u00ba" in plain):
        has.add("degrees")
    colons = plain.count(":")
    if (colons and "://" in plain) or ("=" in plain and ("?" in plain or "#" in plain)):
        has.add("link")
    if colons > 1:  # of the shortest IPv6 address
        has.add("parted by signs")
    if colons >= _MAC_SIGNS or plain.count("-") >= _MAC_SIGNS or "mac" in lower:
        has.add("pairs")
    if not _SECRET_HEADS.isdisjoint(text.heads) and any(text.has_words(f" {hint}") for hint in _SECRET_HINTS):
        has.add("word for a secret")
    return frozenset(has)


def _signs_by_digits(text: "SearchedText") -> set[str]:
    plain = text.plain
    has: set[str] = set()
    has.update(*[zone.features for zone in text.zones])
    if plain.count(".") > 1:
        dots = max([plain.count(".", zone.start, zone.end) for zone in text.zones], default=0)
        if dots > 1 or "lat" in text.lower:
            has.add("degrees")
        if dots > 2:  # noqa: PLR2004 - of an IPv4 address
            has.add("parted by signs")
    if plain.count(",") > 1:
        commas = [plain.count(",", zone.start, zone.end) for zone in text.zones if zone.digits >= _DEGREES]
        if max(commas, default=0) > 1:
            has.add("degrees")
    if LETTERS in has and ("2a" in text.lower or "2b" in text.lower):
        has.add("Corsican")
    return has
