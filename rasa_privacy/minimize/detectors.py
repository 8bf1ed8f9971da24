"""Detectors: where a text holds an email address, a phone number, a card number, a passport's number and so on.

Rules:

1. What is doubtful is a finding: a masked word costs less than a leaked address. A number without check digits, or
   with weak ones, needs a word for it nearby.
2. A text is searched whole or not at all: one that is too long is an error, and its caller withholds it.
3. The time is linear in the text, whatever is in it. No pattern here can backtrack over more than a bounded run.
4. Findings do not overlap; overlapping ones are joined under the kind of the longest.
5. Detectors read a plain form of the text (`searched_text`); places are those of the text that was written.

Not found: numbers in words, and what only its meaning makes personal.
"""

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from itertools import pairwise
from time import perf_counter, thread_time
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from rasa_privacy.errors import DetectorError
from rasa_privacy.minimize.accounts import card_spans, iban_spans
from rasa_privacy.minimize.credentials import key_spans, password_spans, wallet_spans
from rasa_privacy.minimize.dates import BIRTH, birth_date_spans
from rasa_privacy.minimize.documents import LICENCE, PASSPORT, PLATE, licence_spans, passport_spans, plate_spans
from rasa_privacy.minimize.emails import email_spans
from rasa_privacy.minimize.national_ids import NATIONAL_IDS
from rasa_privacy.minimize.network import ip_spans, link_spans, mac_spans
from rasa_privacy.minimize.phone_rules import rules_of
from rasa_privacy.minimize.phones import phone_spans
from rasa_privacy.minimize.places import POSTCODE, coordinate_spans, postcode_spans
from rasa_privacy.minimize.regions import DEFAULT_REGIONS
from rasa_privacy.minimize.searched_text import SearchedText

logger = logging.getLogger(__name__)
_failures: Final[Counter[str]] = Counter()

#: Characters; a longer text is not searched.
MAX_CHARACTERS: Final = 20_000

#: Seconds after which the search of one text is given up, at the end of a detector: of processor time, which a busy
#: machine does not make longer, and for a short text, which a search of a clock would slow down, by the quicker clock.
MAX_SECONDS: Final = 3.0

#: Characters of a text that cannot take anywhere near so long.
_SHORT: Final = 1_000


class Finding(NamedTuple):
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

    def __call__(self, text: SearchedText, /) -> Iterable[tuple[int, int]]:
        """Return start and end of each place in `text.plain`."""


#: The detectors by the name that `detect:` in privacy.yml uses, in the order in which they run.
DETECTORS: Final[Mapping[str, Detector]] = MappingProxyType(
    {
        "url_credentials": link_spans,
        "email": email_spans,
        "iban": iban_spans,
        "api_key": key_spans,
        "crypto_wallet": wallet_spans,
        "password": password_spans,
        "payment_card": card_spans,
        "ip_address": ip_spans,
        "mac_address": mac_spans,
        "coordinates": coordinate_spans,
        **{name: number.spans for name, number in NATIONAL_IDS.items()},
        "birth_date": birth_date_spans,
        "passport": passport_spans,
        "driving_licence": licence_spans,
        "vehicle_plate": plate_spans,
        "postcode": postcode_spans,
        "phone": phone_spans,
    }
)

#: The fewest digits that stand close together where one of these is; a text with fewer is not searched for it.
_DIGITS: Final[Mapping[str, int]] = {
    "iban": 7, "payment_card": 13, "coordinates": 4, "birth_date": 3, "passport": 4, "driving_licence": 4,
    "vehicle_plate": 2, "postcode": 2, "phone": 7, **{name: number.digits for name, number in NATIONAL_IDS.items()},
}  # fmt: skip

#: Features (`SearchedText.features`) of which a text has at least one where one of these is.
_FEATURES: Final[Mapping[str, frozenset[str]]] = {
    "url_credentials": frozenset({"link"}),
    "api_key": frozenset({"long word"}),
    "crypto_wallet": frozenset({"long word"}),
    "password": frozenset({"word for a secret"}),
    "iban": frozenset({"letters by digits"}),
    "ip_address": frozenset({"parted by signs"}),
    "mac_address": frozenset({"pairs"}),
    "coordinates": frozenset({"degrees"}),
    "driving_licence": frozenset({"birthday before letters"}),
    "vehicle_plate": frozenset({"capital after a digit"}),
    "postcode": frozenset({"capital after a digit", "number after a state"}),
    **{name: number.features for name, number in NATIONAL_IDS.items()},
}

#: Words, by their first three letters, of which a text has one where one of these is that has none of its features.
_HEADS: Final[Mapping[str, frozenset[str]]] = {
    "birth_date": BIRTH.heads,
    "passport": PASSPORT.heads,
    "driving_licence": LICENCE.heads,
    "vehicle_plate": PLATE.heads,
    "postcode": POSTCODE.heads,
}

#: What an email address takes may be the end of a longer number, so it stays for the others to see; the last has none.
_LEFT_THERE: Final = ("email", "phone")

_EVERYWHERE: Final = frozenset({"email", "payment_card", "phone"})
_MOST_TAKEN: Final = max(_DIGITS.values())
_ORDER: Final = {name: place for place, name in enumerate(DETECTORS)}
_SEEN: Final = frozenset[str]().union(*_FEATURES.values(), *_HEADS.values())


@lru_cache(maxsize=1_000)
def _plan(seen: frozenset[str], most: int, after: int = -1) -> tuple[str, ...]:
    """Return the detectors that can find anything, in their order.

    Args:
        seen: What the text has of `_SEEN`, so that nothing of the text itself is kept here.
        most: Digits that stand close together in it, at most `_MOST_TAKEN`.
        after: Place of the last detector that was there already.
    """
    return tuple(
        name
        for name in DETECTORS
        if _ORDER[name] > after
        and _DIGITS.get(name, 0) <= most
        and (
            name in _EVERYWHERE
            or not seen.isdisjoint(_FEATURES.get(name, ()))
            or not seen.isdisjoint(_HEADS.get(name, ()))
        )
    )


def _plan_for(text: SearchedText, heads: frozenset[str], after: int = -1) -> tuple[str, ...]:
    return _plan(heads | (text.features & _SEEN), min(text.most_digits, _MOST_TAKEN), after)


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
    wanted = None if names is None else _known_names(names)
    rules_of(regions)  # refuses an unknown region, whatever the text
    searched = SearchedText(text, regions)
    findings: list[Finding] = []
    clock = thread_time if len(text) > _SHORT else perf_counter
    end = clock() + MAX_SECONDS
    heads = searched.heads & _SEEN
    plan = _plan_for(searched, heads)
    while plan:
        name, plan = plan[0], plan[1:]
        if wanted is not None and name not in wanted:
            continue
        spans = _run(name, searched)
        if clock() > end:
            count_failure(name)
            raise DetectorError(
                f"the search took more than {MAX_SECONDS:.0f} seconds up to '{name}'; withhold the text"
            )
        if spans:
            findings += [Finding(start, end, name) for start, end in searched.as_written(spans)]
            if name not in _LEFT_THERE:
                searched = searched.without(spans)
                if len(text) <= _SHORT:  # what is left of a longer one hardly ever needs fewer detectors
                    plan = _plan_for(searched, heads, _ORDER[name])
    return _joined(findings) if len(findings) > 1 else findings


def _known_names(names: Iterable[str]) -> frozenset[str]:
    wanted = frozenset(names)
    unknown = wanted.difference(DETECTORS)
    if unknown:
        raise DetectorError(f"there is no detector {min(unknown)!r}; there are {', '.join(DETECTORS)}")
    return wanted


def _run(name: str, text: SearchedText) -> list[tuple[int, int]]:
    try:
        return sorted(DETECTORS[name](text))
    except DetectorError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the text was not searched
        count_failure(name)
        # Without its cause, which may quote the text.
        raise DetectorError(f"the detector {name!r} failed with {type(error).__name__}; withhold the text") from None


def failures() -> Mapping[str, int]:
    """Return how often each detector has failed in this process; each time its text was withheld."""
    return dict(_failures)


def count_failure(name: str) -> None:
    """Count that a detector failed, and log it now and then."""
    _failures[name] += 1
    if str(_failures[name]).strip("0") == "1":  # the first, the tenth, the hundredth
        logger.error("The detector %s has failed %d times; each text was withheld.", name, _failures[name])


def _joined(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings sorted, with overlapping ones joined: cutting one off would leave its rest readable."""
    ordered = sorted(findings)
    if all([one[1] <= other[0] for one, other in pairwise(ordered)]):  # noqa: C419 - most do not, and so a list is quicker
        return ordered
    joined: list[Finding] = []
    start, end, kind = ordered[0]
    longest = 0
    for begin, stop, other in ordered:
        length = stop - begin
        if begin >= end:
            joined.append(Finding(start, end, kind))
            start, end, kind, longest = begin, stop, other, length
        elif length > longest:
            kind, longest = other, length
        end = max(end, stop)
    joined.append(Finding(start, end, kind))
    return joined
