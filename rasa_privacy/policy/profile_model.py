"""What a regulation profile says, as frozen values: `profiles/*.yml` of the package, or a builder's own.

Each figure names its article and how sure the package is of it. A profile that extends another one may leave out what
it takes over.
"""

import re
from datetime import date
from typing import Final, Literal

import msgspec

Confidence = Literal["primary", "secondary", "low"]
Unit = Literal["minutes", "hours", "days", "business days", "months", "years"]

#: Who says a part of a notice: the package's own wordings, or this field of privacy.yml.
Where = Literal[
    "package",
    "automated_decisions",
    "controller.name",
    "controller.officer",
    "controller.authority",
    "controller.policy_url",
    "purposes",
    "purposes.because",
    "purposes.items",
    "purposes.recipients",
    "purposes.retain",
    "storage.location",
    "storage.transfers",
]

AT_ONCE: Final = "at once"
#: Whom a breach is told to where a profile names nobody.
AUTHORITY: Final = "the supervisory authority"
_TERM: Final = re.compile(r"^([1-9]\d{0,3}) (minute|hour|day|business day|month|year)s?$")
_VERSION: Final = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
_NAME: Final = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")


class Term(msgspec.Struct, frozen=True):
    """A length of time as laws write it.

    Attributes:
        number: How many; 0 for at once.
        unit: Of what. Months and years are those of the calendar.
    """

    number: int
    unit: Unit

    def __str__(self) -> str:
        if self.number == 0:
            return AT_ONCE
        return f"{self.number} {self.unit.removesuffix('s') if self.number == 1 else self.unit}"


def parse_term(text: str) -> Term:
    """Return the term that a profile names, such as `1 month`, `10 business days` or `at once`.

    Raises:
        ValueError: It is none; the loader turns this into a `PolicyError` with its place.
    """
    if text == AT_ONCE:
        return Term(0, "minutes")
    match = _TERM.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no term; write for example '1 month', '10 business days' or 'at once'")
    return Term(int(match[1]), msgspec.convert(f"{match[2]}s", Unit))


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Something that a law says.

    Attributes:
        article: Where it says so.
        confidence: `primary`, read in the law; `secondary`, known at second hand; `low`, not certain.
    """

    article: str
    confidence: Confidence


class ClockRule(Figure, frozen=True, kw_only=True):
    """By when a request must be answered.

    Attributes:
        answer: Within this term.
        extension: Put off by this one at most, with notice.
        acknowledge: Within which its receipt must be confirmed.
        pauses: Whether the clock stops while identity or a clarification is waited for.
    """

    answer: str
    extension: str | None = None
    acknowledge: str | None = None
    pauses: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no term."""
        _require_terms(self.answer, self.extension, self.acknowledge)


class NoticePart(Figure, frozen=True, kw_only=True):
    """What people must be told; `where` names who says it."""

    where: Where


class AgeRule(Figure, frozen=True, kw_only=True):
    """From which age people decide for themselves.

    Attributes:
        years: The age, where the country says nothing else.
        by_country: Whether countries have ages of their own (`age_of_consent.yml`).
        least: `minimum_age` of privacy.yml may not be below this.
        demanded: Whether privacy.yml must name a `minimum_age`.
    """

    years: int
    least: int
    by_country: bool = False
    demanded: bool = False


class OptOutRule(Figure, frozen=True, kw_only=True):
    """What holds for people who want no more.

    Attributes:
        within: By when it must be obeyed. This package does so at once.
        words: Words that must be understood.
        confirm_within: Within which one confirmation may be sent.
        ask_again_after: How long nobody may be asked again.
        signal: A header of browsers that must be honoured.
    """

    within: str
    words: tuple[str, ...] = ()
    confirm_within: str | None = None
    ask_again_after: str | None = None
    signal: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no term."""
        _require_terms(self.within, self.confirm_within, self.ask_again_after)


class BreachRule(Figure, frozen=True, kw_only=True):
    """Whom a breach must be told to, and when.

    Attributes:
        authority: Within this term after one has learned of it.
        whom: The authority.
    """

    authority: str
    whom: str = AUTHORITY

    def __post_init__(self) -> None:
        """Refuse what is no term."""
        _require_terms(self.authority)


class RecordRule(Figure, frozen=True, kw_only=True):
    """How long a kind of record must be kept."""

    keep: str

    def __post_init__(self) -> None:
        """Refuse what is no term."""
        _require_terms(self.keep)


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One regulation as of one month.

    Attributes:
        profile: Its name, as in `regulations` of privacy.yml.
        version: The month, `YYYY-MM`.
        title: What it is called in full.
        review_by: The day on which somebody must look whether it still holds.
        country: Whose holidays count, as two letters (ISO 3166-1).
        extends: Another profile, `<name>@<month>`, whose figures hold where this one says nothing.
        clocks: By kind of request; `any` is for those without their own.
        notice: What people must be told, by a name of the part.
        age: Who may decide.
        opt_out: What holds for people who want no more.
        breach: Whom to tell of one.
        records: What must be kept, by kind.
        notes: What no field has a place for.
    """

    profile: str
    version: str
    title: str
    review_by: date
    country: str | None = None
    extends: str | None = None
    clocks: dict[str, ClockRule] = {}
    notice: dict[str, NoticePart] = {}
    age: AgeRule | None = None
    opt_out: OptOutRule | None = None
    breach: BreachRule | None = None
    records: dict[str, RecordRule] = {}
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a name or a month that privacy.yml could not name."""
        if _NAME.match(self.profile) is None:
            raise ValueError("profile must be small letters, digits and '-'")
        if _VERSION.match(self.version) is None:
            raise ValueError("version must be a year and a month such as '2026-11'")

    @property
    def id(self) -> str:
        """The profile as privacy.yml names it."""
        return f"{self.profile}@{self.version}"


def _require_terms(*texts: str | None) -> None:
    for text in texts:
        if text is not None:
            parse_term(text)
