"""What opens something: keys of services, passwords, and addresses of wallets.

- Keys by the prefix that their service gives them (each service's own documentation names it), tokens of RFC 7519,
  private keys (RFC 7468), and long random words after a word for a key.
- Passwords and PINs by a word for them. After "is" what no dictionary holds, or a word that ends the sentence after
  "my password is" and tells nothing about it (`password_words`): "my password is wrong" is none.
- Wallets: Bitcoin, Litecoin, Dogecoin and Tron (Base58Check), Bitcoin and Litecoin (BIP 173), Ethereum (EIP-55's
  shape), Ripple, Monero, and Solana after a word for a wallet.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from rasa_privacy.minimize.context import Context, says_before
from rasa_privacy.minimize.password_words import PASSWORD_HINTS, is_told
from rasa_privacy.minimize.searched_text import SearchedText, places

_EDGES: Final = "\"'`.,;:!?()[]{}<>"
_KEY: Final = re.compile(
    r"(?:sk|pk|rk)[-_](?:live|test|proj|ant|or)?[-_]?[A-Za-z0-9_-]{16,200}|gh[pousr]_[A-Za-z0-9]{30,255}"
    r"|github_pat_[A-Za-z0-9_]{22,255}|glpat-[A-Za-z0-9_-]{20,64}|xox[abeprs]-[A-Za-z0-9-]{10,250}"
    r"|(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}[A-Za-z0-9]{0,200}|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,200}"
    r"|SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}|(?:hf|npm|dop_v1|pypi|shpat|shpss|rzp_live|rzp_test|EAAC"
    r"|lin_api)[_-]?[A-Za-z0-9]{20,200}"
    r"|key-[0-9a-f]{32}|[0-9]{8,10}:AA[A-Za-z0-9_-]{33}|eyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,4000}"
    r"(?:\.[A-Za-z0-9_-]{0,1000})?"
)
#: Amazon's in the middle of a word; all that is glued to it goes too.
_GLUED: Final = re.compile(r"(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}[A-Za-z0-9]*")
_KEY_START: Final = re.compile(r"^[\"'`(\[{<]?|[=:,;&|>\"'(]")
_KEY_SIGN: Final = re.compile("[=:,;&|>\"'(]")  # one of these stands before a key that is not at the start
_KEY_HEAD: Final = re.compile(  # how the keys above begin, each with what may stand before it
    r"(?:^[\"'`(\[{<]?|[=:,;&|>\"'(])(?:[spr]k[-_]|gh[pousr]_|github_|glpat-|xox|A[KSGIR][IPDO]A|AIza|ya29|SG\."
    r"|hf|npm|dop_|pypi|shp|rzp_|EAAC|lin_|key-|[0-9]{8,10}:|eyJ)"
)
_HEAD: Final = "-----begin "
_BLOCK: Final = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.{0,8000}?(?:-----END [A-Z ]{0,40}-----|$)", re.DOTALL
)
_KEY_WORDS: Final = Context(
    " api key", " apikey", " api_key", " token ", " secret", " access key", " bearer ", " private key", " auth key",
    " schlussel", " cle api", " clave api", " chiave api", " chave", " sleutel", " credential",
)  # fmt: skip
_RANDOM: Final = re.compile(r"[A-Za-z0-9_\-+/=.~]{16,200}")
_DIGIT: Final = re.compile(r"\d")
_LONG: Final = 64  # characters of a word that is no word
_MIN_BITS: Final = 3.0  # Shannon entropy of each character; words have less
_WITH_PREFIX: Final = re.compile(r"^[A-Za-z_-]{1,20}[=:]")

_SPOKEN: Final = (
    r"pass(?: ?word|wort|wd|w| ?phrase| ?code)|pwd|(?<![0-9])(?<![0-9] )ps?w|parola d'ordine|kennwort"
    r"|mot de passe|contrasena|clave secreta|mi clave|senha|wachtwoord|palavra[- ]passe"
)
_PASSWORD: Final = re.compile(
    rf"(?<![a-z])(?:{_SPOKEN})s?(?P<link>(?: (?:for|to|of|fur|pour|para|per|voor) [\w ]{{1,24}}?)?"
    r"(?: ?[:=] ?| (?:is|ist|lautet|est|es|e'|e|sera|was|war|would be) ?:? ?| (?=[^\s]{0,40}[0-9])))"
    r"[\"'\u201c\u201e\u00ab`]?"
    r"(?P<value>(?!\[[a-z_]{1,40}\])[^\s\"'\u201d\u00bb`]{3,128})"
)
# "Pass" alone is many things: what it is given for tells, and what stands before it.
_PASS: Final = re.compile(
    r"(?<![a-z])pass ?[:=] ?[\"'\u201c\u201e\u00ab`]?"
    r"(?P<value>(?!\[[a-z_]{1,40}\])[^\s\"'\u201d\u00bb`]{4,128})"
)
_LAST_WORD: Final = re.compile("([a-z]+)[ -]$")
_OTHER_PASSES: Final = frozenset(
    {
        "boarding", "day", "days", "ski", "bus", "season", "museum", "city", "train", "travel", "mountain", "hall",
        "year", "annual", "monthly", "weekly", "week", "weekend", "student", "press", "backstage", "vip", "rail",
        "lift", "free", "interrail", "eurail", "battle", "family", "gym", "visitor", "parking", "event", "festival",
        "concert", "park", "first", "second", "last", "test", "tests", "checks", "results", "night", "entry", "month",
        "hour",
    }
)  # fmt: skip
_NO_SECRET: Final = re.compile(  # prices, times, dates, shares and scores
    r"[$\u20ac\u00a3]?[0-9]{1,5}(?:[.,:/-][0-9]{1,4}){0,2}(?:[$\u20ac\u00a3%h]|eur|usd|gbp|am|pm|st|nd|rd|th)|"
    r"[$\u20ac\u00a3][0-9]{1,5}(?:[.,][0-9]{1,2})?|[0-9]{1,4}(?:[.,:/-][0-9]{1,4}){1,2}"
)
_LOGIN: Final = re.compile(
    r"(?<![a-z])(?:user ?(?:name|id)?|login|benutzer(?:name)?|usuario|utente|utilisateur|identifiant"
    r"|gebruiker(?:snaam)?|wifi|wlan|ssid) ?[:=]"
)
_LOGIN_BEFORE: Final = 80  # characters before "pass" in which the other half of a login stands
_FAIL_AFTER: Final = 20  # and after it, what was counted with those that did not
#: What one word of each begins with, and how many characters may stand before that.
_HINTS: Final = dict[str, tuple[int, ...]]((hint, (0,)) for hint in PASSWORD_HINTS) | {
    "pass": (0, len("mot de "), len("palavra-")), "clave": (0, len("mi "))
}  # fmt: skip
_PIN: Final = re.compile(
    r"pin(?<![a-z]pin)(?: code| number|-?nummer)?(?: ?[:=] ?| (?:is|ist|lautet|est|es|e|code is) ?:? ?"
    r"| )([0-9]{4,8})(?![\w.,]*[0-9])"
)
_POSTAL_PIN: Final = 6  # digits of an Indian postcode, which is called a PIN code

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_CHECKED: Final = re.compile(r"[13LMDT][1-9A-HJ-NP-Za-km-z]{25,34}")
_SHAPED: Final = re.compile(
    r"0x[0-9a-fA-F]{40}|(?:bc1|tb1|ltc1)[ac-hj-np-z02-9]{11,87}|(?:BC1|LTC1)[AC-HJ-NP-Z02-9]{11,87}"
    r"|r[1-9A-HJ-NP-Za-km-z]{24,34}"
    r"|[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}"
)
_ADDRESS: Final = re.compile("[A-Za-z0-9]{14}")  # of the shortest
_SOLANA: Final = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")
_WALLET: Final = Context(" wallet", " bitcoin", " btc ", " eth ", " ethereum", " crypto", " solana", " sol ", " usdt")
_SCHEME: Final = re.compile(
    r"^(?:bitcoin|ethereum|litecoin|dogecoin|tron|ripple|monero|solana|address|wallet|btc|eth)[:=]", re.IGNORECASE
)


def key_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each key of a service."""
    plain = text.plain
    if _HEAD in text.lower:
        yield from (found.span() for found in _BLOCK.finditer(plain))
    for start, end in text.long_words:
        word = plain[start:end]
        found = []
        if _KEY_HEAD.search(word) if _KEY_SIGN.search(word) else _KEY_HEAD.match(word):
            found = [key.span() for begin in _KEY_START.finditer(word) if (key := _KEY.match(word, begin.end()))]
        found += [(_run_start(word, key.start()), key.end()) for key in _GLUED.finditer(word)]
        yield from ((start + begin, start + stop) for begin, stop in found)
        if not found and not _is_small(word) and _KEY_WORDS.may_be_in(text):
            yield from _named_key(text, start, word)


def _run_start(word: str, place: int) -> int:
    """Return where the letters and digits begin that end at this place."""
    while place and word[place - 1].isalnum():
        place -= 1
    return place


def _is_small(word: str) -> bool:
    """Tell whether a word has neither capitals nor digits; what is random has two of the three kinds of signs."""
    return len(word) < _LONG and word.islower() and _DIGIT.search(word) is None


def _named_key(text: SearchedText, start: int, word: str) -> Iterator[tuple[int, int]]:
    prefix = _WITH_PREFIX.match(word)
    offset = prefix.end() if prefix else len(word) - len(word.lstrip(_EDGES))
    value = word[offset:].strip(_EDGES)
    place = start + word.find(value, offset)
    if _RANDOM.fullmatch(value) and says_before(text, place, _KEY_WORDS) and _is_random(value):
        yield place, place + len(value)


def _is_random(value: str) -> bool:
    kinds = sum(any(map(test, value)) for test in (str.isdigit, str.isupper, str.islower))
    counts = Counter(value).values()
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
    return kinds > 1 and bits >= _MIN_BITS


def password_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each password or PIN."""
    lower = text.lower
    for found in _near_hints(text):
        start, end = found.span("value")
        value = text.plain[start:end].rstrip(".,;!?)")
        if found.re is _PASS and not _is_for_a_login(lower, found.start(), value, end):
            continue
        if len(value) <= 2:  # noqa: PLR2004 - no "is a"
            continue
        is_secret = found.re is _PASS or _is_given(found["link"]) or _is_no_word(value)
        if is_secret or is_told(lower, found.start(), start, start + len(value)):
            yield start, start + len(value)
    if text.has_words(" pin"):
        for found in _PIN.finditer(lower):
            if len(found[1]) != _POSTAL_PIN or " code" not in found[0]:
                yield found.span(1)


def _near_hints(text: SearchedText) -> Iterator[re.Match[str]]:
    """Yield what `_PASSWORD` finds: a search for each of its words is quicker than one for all."""
    lower, done = text.lower, 0
    hints = [hint for hint in _HINTS if text.has_words(f" {hint}")]
    found_at = {place - lead for hint in hints for lead in _HINTS[hint] for place in places(lower, hint, lead)}
    for place in sorted(found_at):
        found = (_PASSWORD.match(lower, place) or _PASS.match(lower, place)) if place >= done else None
        if found is not None:
            done = found.end()
            yield found


def _is_for_a_login(lower: str, start: int, value: str, end: int) -> bool:
    """Tell whether what is given for a "pass" is a secret, and not a price, a time or how many passed."""
    before = lower[max(0, start - _LOGIN_BEFORE) : start]
    word = _LAST_WORD.search(before)
    if (word is not None and word[1] in _OTHER_PASSES) or _NO_SECRET.fullmatch(value.lower()):
        return False
    if _is_no_word(value) and "fail" not in lower[end : end + _FAIL_AFTER]:
        return True
    return _LOGIN.search(before) is not None


def _is_given(link: str) -> bool:
    return ":" in link or "=" in link


def _is_no_word(value: str) -> bool:
    """Tell whether the value has a digit, a sign or a capital inside, as no word of a sentence has."""
    inner = value[1:]
    if any(sign.isupper() for sign in inner) and not inner.isupper():
        return True
    return any(not sign.isalpha() and sign not in "-'/" for sign in value)


def wallet_spans(text: SearchedText) -> Iterator[tuple[int, int]]:
    """Yield start and end of each wallet's address."""
    for start, end in text.long_words:
        word = text.plain[start:end]
        if _is_small(word) or _ADDRESS.search(word) is None:
            continue
        scheme = _SCHEME.match(word)
        offset = scheme.end() if scheme else len(word) - len(word.lstrip(_EDGES))
        address = word[offset:].split("?", 1)[0].strip(_EDGES)
        if not address.isalnum():
            continue
        place = start + word.find(address, offset)
        if _is_wallet(address) or (
            _SOLANA.fullmatch(address) and says_before(text, place, _WALLET) and _is_random(address)
        ):
            yield place, place + len(address)


def _is_wallet(address: str) -> bool:
    if _CHECKED.fullmatch(address):
        return _is_base58check(address)
    return _SHAPED.fullmatch(address) is not None and any(sign.isdigit() for sign in address)


def _is_base58check(address: str) -> bool:
    """Tell whether the last four bytes are the check sum of those before (Bitcoin wiki, Base58Check encoding)."""
    number = 0
    for sign in address:
        number = number * 58 + _BASE58.index(sign)
    raw = number.to_bytes(26, "big")[-25:]
    return sha256(sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]
