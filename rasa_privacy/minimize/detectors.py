"""Detectors: where a text holds an email address, a phone number, a card number or an IBAN.

Rules:

1. What is doubtful is a finding: a masked word costs less than a leaked address.
2. A text is searched whole or not at all: one that is too long is an error, and its caller withholds it.
3. The time is linear in the text, whatever is in it. No pattern here can backtrack over more than a bounded run.
4. Findings do not overlap; overlapping ones are joined under the kind of the longest.

Not found: addresses in words ("ana at x dot example"), and numbers in words.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from rasa_privacy.errors import DetectorError
from rasa_privacy.minimize.accounts import card_spans, iban_spans
from rasa_privacy.minimize.phones import phone_spans, rules_of

#: Characters; a longer text is not searched.
MAX_CHARACTERS: Final = 20_000

#: Countries (ISO 3166-1) whose national way of writing phone numbers is recognised when nothing else is said.
DEFAULT_REGIONS: Final = ("US", "GB", "DE")

_SEVEN_DIGITS: Final = re.compile(r"(?:\d\D{0,3}){6}\d")  # the fewest that a number of any kind here has
_FOREIGN_DIGIT: Final = re.compile(r"[^\D0-9]")

_AT: Final = re.compile("@|\uff20|%40")  # %40 is how a link writes it
# Read backwards from the sign. RFC 6531 allows nearly everything; what stops it here are spaces and signs that wrap.
_LOCAL: Final = re.compile(r"""[^\s@\uff20"(),:;<>\[\]\\=/?&|{}]+""")
# \w has no vowel signs, so the blocks that need them (Hebrew to Lao) and Latin accents are named.
_DOMAIN: Final = re.compile(r"[\w\-.\u0300-\u036f\u0590-\u0eff\u200c\u200d\u3002\uff0e\uff61]+|\[[0-9a-fA-F:.]{2,45}\]")
_DOTS: Final = re.compile("[.\u3002\uff0e\uff61]")  # UTS 46, section 2.3: what counts as a dot
_MIN_NAME: Final = 3  # characters of a domain without a dot, as in "ana@gmail"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A run of characters that is personal data.

    Attributes:
        start: Index of its first character.
        end: Index after its last character.
        kind: The detector's name.
    """

    start: int
    end: int
    kind: str


class Detector(Protocol):
    """Finds one kind of personal data."""

    def __call__(self, text: str, regions: tuple[str, ...], /) -> Iterable[tuple[int, int]]:
        """Return start and end of each place; `regions` are ISO 3166-1 codes."""


def _email_spans(text: str, _regions: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    done = 0
    for sign in _AT.finditer(text):
        local = _LOCAL.match(text[done : sign.start()][::-1])
        domain = _DOMAIN.match(text, sign.end())
        done = sign.end()
        if local is None or domain is None:
            continue
        name = local[0][::-1].lstrip(".,'!#$%*-~^`\u2018\u201c\u00ab\u00bf\u00a1")
        place = domain[0].rstrip(".-_\u3002\uff0e\uff61")
        if name and _is_domain(place, name):
            yield sign.start() - len(name), sign.end() + len(place)


def _is_domain(place: str, name: str) -> bool:
    if place.startswith("["):
        return True
    labels = _DOTS.split(place)
    if len(labels) == 1:  # mistyped, but an address to whoever reads it
        return len(place) >= _MIN_NAME and place[0].isalpha() and len(name) > 1 and not name.isdigit()
    return len(labels[-1]) > 1 and not labels[-1].isdigit()


def _phone_spans(text: str, regions: tuple[str, ...]) -> Iterable[tuple[int, int]]:
    return phone_spans(text, regions)


def _card_spans(text: str, _regions: tuple[str, ...]) -> Iterable[tuple[int, int]]:
    return card_spans(text)


def _iban_spans(text: str, _regions: tuple[str, ...]) -> Iterable[tuple[int, int]]:
    return iban_spans(text)


#: The detectors by the name that `detect:` in privacy.yml uses.
DETECTORS: Final[Mapping[str, Detector]] = MappingProxyType(
    {"email": _email_spans, "phone": _phone_spans, "payment_card": _card_spans, "iban": _iban_spans}
)

_WITHOUT_DIGITS: Final = frozenset({"email"})
_TAKES_ITS_DIGITS: Final = frozenset({"iban", "payment_card"})
_ORDER: Final = ("email", "iban", "payment_card", "phone")


def find(text: str, names: Collection[str] | None = None, regions: tuple[str, ...] = DEFAULT_REGIONS) -> list[Finding]:
    """Return what the detectors find, sorted and without overlaps.

    Args:
        text: What a person or the bot said; at most `MAX_CHARACTERS` characters.
        names: Detectors to use; all without this.
        regions: ISO 3166-1 codes of the countries whose phone numbers are written without a country code.

    Raises:
        DetectorError: The text is too long, or a detector or region is unknown, or a detector failed. The text is then
            to be treated as personal data from end to end.
    """
    if len(text) > MAX_CHARACTERS:
        raise DetectorError(
            f"a text of {len(text)} characters is longer than the {MAX_CHARACTERS} that are searched; withhold it"
        )
    wanted = _known_names(DETECTORS if names is None else names)
    rules_of(regions)  # refuses an unknown region, whatever the text
    if _SEVEN_DIGITS.search(text) is None:
        wanted = wanted & _WITHOUT_DIGITS
    text = _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)
    findings: list[Finding] = []
    for name in _ORDER:
        if name in wanted:
            found = _run(name, text, regions)
            findings += found
            text = _without(found, text) if name in _TAKES_ITS_DIGITS else text
    return _joined(findings)


def _known_names(names: Iterable[str]) -> frozenset[str]:
    wanted = frozenset(names)
    unknown = wanted.difference(DETECTORS)
    if unknown:
        raise DetectorError(f"there is no detector {min(unknown)!r}; there are {', '.join(DETECTORS)}")
    return wanted


def _without(findings: Iterable[Finding], text: str) -> str:
    """Return the text, as long as before, without findings whose digits would be tried as phone numbers in vain."""
    parts: list[str] = []
    done = 0
    for finding in findings:
        parts += [text[done : finding.start], "_" * (finding.end - finding.start)]
        done = finding.end
    return "".join([*parts, text[done:]])


def _run(name: str, text: str, regions: tuple[str, ...]) -> list[Finding]:
    try:
        return [Finding(start, end, name) for start, end in DETECTORS[name](text, regions)]
    except DetectorError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the text was not searched
        # Without its cause, which may quote the text.
        raise DetectorError(f"the detector {name!r} failed with {type(error).__name__}; withhold the text") from None


def _joined(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings sorted, with overlapping ones joined: cutting one off would leave its rest readable."""
    joined: list[Finding] = []
    longest = 0
    for finding in sorted(findings):
        length = finding.end - finding.start
        if joined and finding.start < joined[-1].end:
            last = joined[-1]
            kind = finding.kind if length > longest else last.kind
            joined[-1] = Finding(last.start, max(last.end, finding.end), kind)
            longest = max(longest, length)
        else:
            joined.append(finding)
            longest = length
    return joined
