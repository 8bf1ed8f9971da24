"""`Item`: one kind of personal data as privacy.yml declares it, how much of it is kept, and what finds it."""

from typing import Literal, cast, get_args

from rasa_privacy.policy.block import Block
from rasa_privacy.policy.lasting import Lasting, lasting_of

#: How much of a value may be kept (`minimize.transforms`); `Ends` keeps its first or last characters.
KeepWord = Literal[
    "full", "masked", "year", "decade", "age_band", "postcode_area", "email_domain", "city", "country", "pseudonym",
    "yes_no", "none",
]  # fmt: skip

#: The same for messages.
KEEP_WORDS: tuple[str, ...] = get_args(KeepWord)


class Ends(Block, frozen=True, kw_only=True, omit_defaults=True):
    """Keep the first or the last characters only, for example of a postcode or a card.

    Attributes:
        first: How many of the first, 1 to 10.
        last: How many of the last, 1 to 10.
    """

    first: int | None = None
    last: int | None = None

    def __post_init__(self) -> None:
        """Refuse no end or both, and an end of no length or of a whole value."""
        if (self.first is None) == (self.last is None):
            raise ValueError("keep needs either first or last, not both")
        for name, count in (("first", self.first), ("last", self.last)):
            if count is not None and not 1 <= count <= 10:  # noqa: PLR2004 - the bound is explained by the message
                raise ValueError(f"{name} must be 1 to 10 characters")


class Item(Block, frozen=True, kw_only=True):
    """One kind of personal data.

    Attributes:
        slot: The Rasa slot that holds it, if any.
        entity: The Rasa entity that carries it, if any.
        detect: The detector that finds it in free text, if any (`minimize.detectors`).
        keep: How much of a value may be stored (a `KeepWord` or `Ends`), or how long within a conversation
            (`until lead_form`, `session`, `7 days`); then all of it, so long.
        category: Kind of data for notices and reports, for example `contact`.
        called: What people call it, by language; without it the item's name with spaces.
    """

    slot: str | None = None
    entity: str | None = None
    detect: str | None = None
    keep: str | Ends = "full"
    category: str = "other"
    called: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Refuse a `keep` that says nothing."""
        if isinstance(self.keep, str) and self.keep not in KEEP_WORDS and self.lasting is None:
            raise ValueError(
                f"keep must be one of {', '.join(KEEP_WORDS)}, {{first: 3}}, {{last: 4}}, session, 'until <form>', or "
                "a duration such as '7 days'"
            )

    @property
    def lasting(self) -> Lasting | None:
        """How long a value is kept within a conversation; None for as long as its purposes last."""
        return lasting_of(self.keep) if isinstance(self.keep, str) else None

    @property
    def cut(self) -> KeepWord | Ends:
        """How much of a value may be stored."""
        if isinstance(self.keep, Ends):
            return self.keep
        return cast("KeepWord", self.keep) if self.keep in KEEP_WORDS else "full"


class Presidio(Block, frozen=True, kw_only=True):
    """Names and places in free text, found by language models (`pip install 'rasa_privacy[presidio]'`).

    Attributes:
        models: The installed package of a spaCy model for each language of the bot.
        seconds: How long a text may take; a later one is withheld, 1 to 30.
    """

    models: dict[str, str]
    seconds: int = 2

    def __post_init__(self) -> None:
        """Refuse no model, what cannot be a package, and a time that is none."""
        if not self.models:
            raise ValueError("models must name a model for each language, for example {en: en_core_web_sm}")
        for name in self.models.values():
            if not name.isidentifier():
                raise ValueError(f"{name!r} is no name of a package, such as en_core_web_sm")
        if not 1 <= self.seconds <= 30:  # noqa: PLR2004 - the bound is explained by the message
            raise ValueError("seconds must be 1 to 30")


class Detectors(Block, frozen=True, kw_only=True):
    """Detectors beside those that always run.

    Attributes:
        presidio: Presidio's models for names and places; without it no model runs.
    """

    presidio: Presidio | None = None
