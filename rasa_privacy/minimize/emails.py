"""Email addresses (RFC 5322, RFC 6531), also where the signs are spoken: "ana (at) x dot example".

Rules:

1. Around an `@`, or what a link or a page writes for it, nearly everything is an address (RFC 6531).
2. A sign in brackets (`[at]`, `(dot)`) is that sign, in each of the languages.
3. Without brackets, both the sign and the dot must be spoken and the end be a domain that there is; or the message
   speaks of mail; or the domain is a large provider's. After the French "chez", which is said of shops and friends as
   well, the message must speak of mail, or the name have a digit or a sign.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from rasa_privacy.minimize.context import Context, says_before
from rasa_privacy.minimize.searched_text import SearchedText

_AT: Final = re.compile("@|%(?:25)?40|&#0?64;|&commat;", re.IGNORECASE)
# Read backwards from the sign. RFC 6531 allows nearly everything; what stops it here are spaces and signs that wrap.
_LOCAL: Final = re.compile(r"""[^\s@"(),:;<>\[\]\\=/?&|{}]+""")
# \w has no vowel signs, so the blocks that need them (Hebrew to Lao) are named.
_WRITTEN_DOT: Final = "%(?:25)?2[eE]|&#0?46;|&period;"  # in a link, twice in one within another, and in a page
_DOMAIN_RUN: Final = r"[\w\-.\u0590-\u0eff\u3002\uff61]+"
_DOMAIN: Final = re.compile(rf"{_DOMAIN_RUN}(?:(?:{_WRITTEN_DOT}){_DOMAIN_RUN})*|\[[0-9a-fA-F:.]{{2,45}}\]")
_DOTS: Final = re.compile(f"[.\u3002\uff61]|{_WRITTEN_DOT}")  # UTS 46, section 2.3: what counts as a dot
# Domains with a sign behind each, and so the names of the next addresses: "b.example@c.example@" after "a@".
_CHAIN: Final = re.compile("(?:[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}\\.)+[A-Za-z][A-Za-z0-9_-]{0,62}[A-Za-z0-9]@)+")
_MIN_NAME: Final = 3  # characters of a domain without a dot, as in "ana@gmail"

# IANA, root zone: the ends that people speak most; a country's end is any of two letters that is no common word.
_ENDS: Final = (
    "com|net|org|info|biz|edu|gov|io|co|app|dev|shop|online|xyz|site|me|eu|example|test|name|pro|cloud|email|de|at|ch|"
    "fr|es|it|pt|br|nl|be|uk|ie|us|ca|au|nz|in|jp|cn|ru|pl|cz|se|no|dk|fi|gr|hu|ro|tr|mx|ar|cl|za|lu|li"
)
_WORD_AT: Final = "at|aet|arroba|arobase|chiocciola|apenstaartje|klammeraffe|chez|a commerciale|commercial at"
_DOT_WORDS: Final = ("dot", "punkt", "point", "punto", "ponto", "punt")
_WORD_DOT: Final = "|".join(_DOT_WORDS)
_WRAPPED_AT: Final = rf"\s{{0,2}}[\[({{<]\s?(?:{_WORD_AT}|@)\s?[\])}}>]\s{{0,2}}"
_SPOKEN_AT: Final = rf"\s{{1,2}}(?:{_WORD_AT})\s{{1,2}}"
_SPACED_AT: Final = r"\s{0,2}@\s{0,2}"
_WRAPPED_DOT: Final = rf"\s{{0,2}}[\[({{<]\s?(?:{_WORD_DOT}|\.)\s?[\])}}>]\s{{0,2}}"
_SPOKEN_DOT: Final = rf"\s{{1,2}}(?:{_WORD_DOT})\s{{1,2}}"
_WORD_JOIN: Final = (
    "underscore|unterstrich|tiret bas|guion bajo|trattino basso|underline|dash|minus|bindestrich|tiret|guion|trattino|"
    "hifen|hyphen|plus"
)
_JOIN: Final = rf"\s{{1,2}}(?:{_WORD_JOIN})\s{{1,2}}"
_ANY_DOT: Final = rf"(?:{_WRAPPED_DOT}|{_SPOKEN_DOT}|\s?\.\s?)"
_LABEL: Final = r"[a-z0-9\u00df-\uffff][\w-]{0,62}(?![\w-])"
_NAME: Final = rf"[\w.+-]{{1,64}}(?:(?:{_SPOKEN_DOT}|{_WRAPPED_DOT}|{_JOIN})[\w.+-]{{1,64}}){{0,3}}"
_END: Final = rf"(?:{_ENDS})(?![\w-])"
_PLACE: Final = rf"{_LABEL}(?:{_ANY_DOT}{_LABEL}){{0,3}}?{_ANY_DOT}{_END}"
_SPOKEN_PLACE: Final = (
    rf"{_LABEL}(?:{_ANY_DOT}{_LABEL}){{0,3}}?(?:{_SPOKEN_DOT}|{_WRAPPED_DOT}){_END}(?:{_ANY_DOT}{_END})?"
)
_AFTER_SIGN: Final = {
    "wrapped": re.compile(rf"{_WRAPPED_AT}(?:{_PLACE}(?:{_ANY_DOT}{_END})?|{_LABEL}(?:{_ANY_DOT}{_LABEL}){{1,3}})"),
    "spoken": re.compile(rf"{_SPOKEN_AT}{_SPOKEN_PLACE}"),
    "provided": re.compile(rf"{_SPOKEN_AT}{_PLACE}(?:{_ANY_DOT}{_END})?"),
    "spaced": re.compile(rf"{_SPACED_AT}{_PLACE}(?:{_ANY_DOT}{_END})?"),
}
_BEFORE_SIGN: Final = re.compile(r"\s{0,2}(?:[\[({<]\s?)?$|$")
_IN_SIGNS: Final = re.compile(r"\s{0,2}[\[({<@]")
_AROUND: Final = 4  # characters before a word for the sign that belong to it
_AHEAD: Final = 70  # characters after it in which the domain has its first dot
_NAME_BEFORE: Final = re.compile(rf"(?:^|(?<=[^\w.+-])){_NAME}$")
_NAME_CHARACTERS: Final = 80
_LAST_WORD: Final = re.compile(r"[\w.+-]*")  # read backwards
_LONGEST_WORD: Final = 64
#: One of these is in a name of several words.
_JOINS: Final = (*_DOT_WORDS, *_WORD_JOIN.split("|"), *"[({<")
_AT_HOME: Final = "chez "
_MAILS: Final = Context(
    " mail",
    " e mail",
    " email",
    " correo",
    " courriel",
    " write to",
    " write me",
    " schreib",
    " posta ",
    " adresse",
)
_PROVIDER: Final = re.compile(
    r"\b(?:g(?:oogle)?mail|yahoo|hotmail|outlook|live|gmx|web|icloud|aol|proton(?:mail)?|posteo|mail|t-online|orange|"
    r"laposte|libero|terra|uol|ziggo|rediffmail|yandex|zoho|fastmail|btinternet)\b"
)
# Words that stand before "at" as no name does: "look at shop dot com", "we met at ...".
_NO_NAME: Final = frozenset(
    {
        "look", "looking", "looked", "see", "meet", "met", "me", "us", "you", "it", "is", "was", "are", "be", "arrive",
        "arrived", "available", "buy", "bought", "found", "find", "order", "ordered", "shop", "stay", "stayed", "live",
        "suis", "est", "etais", "commande", "commandes", "achete", "achetes", "inscrit", "inscrite", "client",
        "cliente", "pris", "vu", "trouve", "recu", "aller", "vais", "va", "travaille", "bosse", "habite", "compte",
        "boite", "ecris",
        "work", "works", "working", "worked", "check", "out", "here", "there", "only", "now", "store", "site", "page",
    }
)  # fmt: skip
_SIGN_WORDS: Final = (
    "at",
    "aet",
    "arroba",
    "arobase",
    "chiocciola",
    "apenstaartje",
    "klammeraffe",
    "chez",
    "a commerciale",
)
_SIGNS: Final = {word.split()[-1]: word for word in _SIGN_WORDS}
_SIGN_ENDS: Final = frozenset(_SIGNS)
_BEFORE_WORD: Final = frozenset(" \t\n([{<")
_AFTER_WORD: Final = frozenset(" \t\n)]}>")
_GOES_ON: Final = re.compile(_ANY_DOT)
_BEGAN: Final = re.compile(rf"(?:{_SPOKEN_DOT}|{_WRAPPED_DOT}|{_JOIN}|[\w.+-])$")
_JOIN_CHARACTERS: Final = 24
_MAY_HAVE_BEGUN: Final = re.compile(r"[\w.+\-\s)\]}>]")
#: What stands at the end of more of a name, but for blanks.
_BEGINNINGS: Final = (*_DOT_WORDS, *_WORD_JOIN.split("|"), *")]}>")


def email_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each address."""
    plain = text.plain
    unread: list[int] = []
    if "%40" in plain or "%2540" in plain or "&" in plain:  # as the sign may be
        yield from _written_or_encoded(plain, text.lower, unread)
    elif "@" in plain:
        yield from _written(plain, text.lower, unread)
    words = text.different_words & _SIGN_ENDS
    if (unread or words) and _may_have_dot(text.lower):
        yield from _spoken(text, _sign_places(text, unread, words))


def _written_or_encoded(plain: str, lower: str, unread: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the addresses around a sign that may stand for `@`, and note each `@` that may be another's."""
    done = 0
    for sign in _AT.finditer(plain):
        found = _around(plain, done, *sign.span())
        done = sign.end()
        if found is not None:
            yield found
        if sign[0] == "@" and (found is None or not _is_whole(lower, *found, sign.start())):
            unread.append(sign.start())


def _written(plain: str, lower: str, unread: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the addresses around an `@`, and note each `@` that may be another's.

    Addresses that are each other's names ("a@b.example@c.example") are read in one go, and each is the next one's.
    """
    done, sign = 0, plain.find("@")
    while sign >= 0:
        found = _around(plain, done, sign, sign + 1)
        done = sign + 1
        if found is None or not _is_whole(lower, *found, sign):
            unread.append(sign)
        if found is None:
            sign = plain.find("@", done)
            continue
        chain = _CHAIN.match(plain, done)
        if chain is None:
            yield found
            sign = plain.find("@", done)
        else:
            sign = chain.end() - 1
            yield found[0], sign


def _around(plain: str, done: int, start: int, end: int) -> tuple[int, int] | None:
    """Return start and end of the address around a sign, whose name begins after a place."""
    local = _LOCAL.match(plain[done:start][::-1])
    domain = _DOMAIN.match(plain, end) if local is not None else None
    if local is None or domain is None:
        return None
    name = local[0][::-1].lstrip(".,'!#$%*-~^`\u2018\u201c\u00ab\u00bf\u00a1")
    place = domain[0].rstrip(".-_\u3002\uff61")
    return (start - len(name), end + len(place)) if name and _is_domain(place, name) else None


def _is_domain(place: str, name: str) -> bool:
    if place.startswith("["):
        return True
    is_plain = place.isascii() and "%" not in place and "&" not in place
    labels = place.split(".") if is_plain else _DOTS.split(place)
    if len(labels) == 1:  # mistyped, but an address to whoever reads it
        return len(place) >= _MIN_NAME and place[0].isalpha() and len(name) > 1 and not name.isdigit()
    return len(labels[-1]) > 1 and not labels[-1].isdigit()


def _is_whole(lower: str, start: int, end: int, sign: int) -> bool:
    """Tell whether nothing spoken can make a written address longer."""
    dotted = lower.find(".", sign, end) >= 0 or _DOTS.search(lower, sign, end) is not None
    return dotted and _GOES_ON.match(lower, end) is None and not _has_begun(lower, start)


def _has_begun(lower: str, start: int) -> bool:
    """Tell whether what stands before a name may be more of it."""
    before = lower[start - _JOIN_CHARACTERS if start > _JOIN_CHARACTERS else 0 : start]
    last = before[-1:]
    if _MAY_HAVE_BEGUN.match(last) is None or (last.isspace() and not before.rstrip().endswith(_BEGINNINGS)):
        return False
    return _BEGAN.search(before) is not None


def _may_have_dot(lower: str) -> bool:
    """Tell whether a dot is written or spoken here, as in every address around a sign that stands apart."""
    return "." in lower or any(dot in lower for dot in _DOT_WORDS)


def _sign_places(text: SearchedText, unread: list[int], words: frozenset[str]) -> list[int]:
    """Return where signs are that may be an address's: one search for each word is quicker than one for all."""
    lower = text.lower
    found = [*unread]
    for word in [_SIGNS[last] for last in words]:
        found += [
            place
            for place in text.word_places(word)
            if lower[place - 1] in _BEFORE_WORD and lower[place + len(word)] in _AFTER_WORD
        ]
    return sorted(found)


def _signs(text: SearchedText, signs: Iterable[int]) -> Iterator[int]:
    """Yield where each sign, written or spoken, begins with the blanks before it, if a dot may follow."""
    lower = text.lower
    for place in signs:
        ahead = lower[place : place + _AHEAD]
        if _may_have_dot(ahead):
            near = _BEFORE_SIGN.search(lower[max(0, place - _AROUND) : place])
            yield place - len(near[0] if near else "")


def _spoken(text: SearchedText, signs: Iterable[int]) -> Iterator[tuple[int, int]]:
    lower = text.lower
    for sign in _signs(text, signs):
        # What comes after is read first: a name stands before most signs, a domain after few.
        after = _after(lower, sign)
        name = _last_name(lower, max(0, sign - _NAME_CHARACTERS), sign) if after else None
        if name is not None:
            end = next((rest.end() for kind, rest in after if _counts(text, kind, lower[name:sign], rest, name)), None)
            if end is not None:
                yield name, end


def _after(lower: str, sign: int) -> list[tuple[str, re.Match[str]]]:
    """Return what may follow a sign, by its kind; a place that is spoken is one that is provided as well."""
    if (provided := _AFTER_SIGN["provided"].match(lower, sign)) is not None:
        spoken = _AFTER_SIGN["spoken"].match(lower, sign)
        return [*([("spoken", spoken)] if spoken else []), ("provided", provided)]
    kinds = ("wrapped", "spaced") if _IN_SIGNS.match(lower, sign) else ()
    return [(kind, rest) for kind in kinds if (rest := _AFTER_SIGN[kind].match(lower, sign))]


def _last_name(lower: str, window: int, end: int) -> int | None:
    """Return where the name begins that ends here; what is no word by itself takes long to look for."""
    before = lower[window:end]
    if any(join in before for join in _JOINS):
        found = _NAME_BEFORE.search(before)
        return None if found is None else window + found.start()
    word = _LAST_WORD.match(before[::-1])
    length = word.end() if word else 0
    return end - length if 0 < length <= _LONGEST_WORD else None


def _counts(text: SearchedText, kind: str, name: str, rest: re.Match[str], start: int) -> bool:
    if kind == "wrapped":
        return True
    if name in _NO_NAME:
        return False
    at_home = rest[0].lstrip().startswith(_AT_HOME)
    if kind in ("spoken", "spaced") and not at_home:
        return True
    return (
        (not at_home and _PROVIDER.search(rest[0]) is not None)
        or any(sign in name for sign in "._+0123456789")
        or (says_before(text, start, _MAILS))
    )
