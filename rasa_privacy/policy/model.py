"""What privacy.yml says, as frozen values; `operations` has the blocks on which no model depends.

The structs hold what is right by itself (types, known words, ranges). What must be right between them (a purpose that
uses an undeclared item) is checked by `loader`, which knows the line of each word.
"""

import re
from datetime import date
from typing import Literal, cast, get_args
from zoneinfo import ZoneInfo

import msgspec

from rasa_privacy.policy.block import Block
from rasa_privacy.policy.lasting import Lasting, lasting_of
from rasa_privacy.policy.operations import (
    Audit,
    Erasure,
    HandOver,
    Identity,
    OptOut,
    Retention,
    Role,
    Training,
    Waiver,
)
from rasa_privacy.policy.own_intents import OURS

#: GDPR Art. 6(1) a to f, in that order.
Basis = Literal["consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"]

#: How much of a value may be kept (`minimize.transforms`); `Ends` keeps its first or last characters.
KeepWord = Literal[
    "full", "masked", "year", "decade", "age_band", "postcode_area", "email_domain", "city", "country", "pseudonym",
    "yes_no", "none",
]  # fmt: skip

#: The same for messages.
KEEP_WORDS: tuple[str, ...] = get_args(KeepWord)

_DURATION = re.compile(r"^(\d{1,5}) (minute|hour|day|week|month|year)s?$")
_COUNTRY = re.compile(r"^[A-Z]{2}$")
_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")
_UNIT_SECONDS = {
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 7 * 86_400,
    "month": 31 * 86_400,
    "year": 12 * 31 * 86_400,
}

#: The word in `retention.every` for no sweeps inside the server.
NEVER = "never"

#: The word in `retain:` for data that stays until the person takes consent back.
UNTIL_WITHDRAWN = "until withdrawn"


def duration_seconds(text: str) -> int:
    """Return the length in seconds of a duration such as `90 days` or `1 hour`, to compare it with others.

    A month counts as the longest one, and a year as twelve; `durations.Length` goes by the calendar.

    Raises:
        ValueError: The text is not `<number> <unit>`; `loader` turns this into a `PolicyError` with its place.
    """
    match = _DURATION.match(text)
    if match is None or int(match[1]) == 0:
        raise ValueError(f"{text!r} is not a duration; write for example '90 days', '12 months' or '1 hour'")
    return int(match[1]) * _UNIT_SECONDS[match[2]]


class Controller(Block, frozen=True, kw_only=True):
    """The organisation that runs the bot (GDPR Art. 13(1)(a)).

    Attributes:
        name: Name shown to people.
        contact: Where privacy questions go, usually an email address.
        policy_url: The long privacy policy.
        officer: Contact of the data protection officer (Art. 13(1)(b)); `contact` where there is none.
        authority: The supervisory authority to complain to (Art. 13(2)(d)), by name and link or address.
        address: Postal address, for receipts (ISO/IEC TS 27560, party_address).
        phone: Telephone number, for receipts.
        country: Where the controller is, as two capital letters (ISO 3166-1), for receipts.
    """

    name: str
    contact: str
    policy_url: str
    officer: str | None = None
    authority: str | None = None
    address: str | None = None
    phone: str | None = None
    country: str | None = None

    def __post_init__(self) -> None:
        """Refuse a country that is no code."""
        if self.country is not None and _COUNTRY.match(self.country) is None:
            raise ValueError("country must be two capital letters such as DE (ISO 3166-1)")


class Storage(Block, frozen=True, kw_only=True):
    """Where data is kept, as people are told.

    Attributes:
        location: The place, for example `in Frankfurt, Germany`, by language.
        transfers: To which other countries data goes and under which safeguard (Art. 13(1)(f)), by language.
    """

    location: dict[str, str] = {}
    transfers: dict[str, str] = {}


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
        return lasting_of(self.keep, _DURATION) if isinstance(self.keep, str) else None

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


class Messages(Block, frozen=True, kw_only=True):
    """What is kept of message texts, and how long.

    Attributes:
        keep: `full`, `masked` (detected and known values replaced), or `none`. Nothing is kept of a person
            without an active purpose, whatever this says.
        retain: A duration from the conversation's last message; after it the texts are destroyed, and the conversation
            as soon as no purpose holds a value of the person any more.
    """

    keep: Literal["full", "masked", "none"] = "masked"
    retain: str = "30 days"


class Actions(Block, frozen=True, kw_only=True):
    """What an action server and an NLG server are sent. Both get values of active purposes only.

    Attributes:
        history: Which events go along: since the last message of the person (`turn`), since the session began
            (`session`), or all that Rasa holds of the conversation (`full`).
        items: The items that an action or a response needs beside those of the purposes that guard it, by its name.
    """

    history: Literal["turn", "session", "full"] = "turn"
    items: dict[str, tuple[str, ...]] = {}


class QuietHours(Block, frozen=True, kw_only=True):
    """When a purpose writes to nobody. `from_` stands in privacy.yml as `from`.

    Attributes:
        from_: Beginning, `HH:MM`.
        to: End, `HH:MM`; before the beginning for hours over midnight.
        time_zone: IANA name, for example `Europe/Berlin`.
    """

    from_: str = msgspec.field(name="from")
    to: str
    time_zone: str

    def __post_init__(self) -> None:
        """Refuse what is no time of the day, and a time zone that is not known."""
        for clock in (self.from_, self.to):
            if _CLOCK.match(clock) is None:
                raise ValueError(f"{clock!r} is no time of the day; write it between quotes, for example '20:00'")
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{self.time_zone!r} is no time zone; write one such as Europe/Berlin") from None


#: When a purpose is asked about: when the person first wants something that it guards, or at the first message.
Moment = Literal["just_in_time", "first_message"]


class Replies(Block, frozen=True, kw_only=True):
    """The bot's own intents that answer a question of ours while it is open.

    Attributes:
        grant: Intents that mean yes, for example `affirm`.
        refuse: Intents that mean no.
    """

    grant: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()


#: How the age is asked for: whether somebody is old enough, or in which year they were born, which is worked with and
#: forgotten.
AgeQuestion = Literal["yes_or_no", "year"]


class AgeByCountry(Block, frozen=True, kw_only=True):
    """The age from which people may consent for themselves, by the country they are in (GDPR Art. 8(1)).

    Attributes:
        slot: The slot that holds the country as two letters (ISO 3166-1). It must be `not_personal`, since it is read
            before anybody is asked.
        otherwise: The age in years where the country is not known or not in the table (`policy.ages`).
    """

    slot: str
    otherwise: int = 16


class Purpose(Block, frozen=True, kw_only=True):
    """One reason to use data.

    Attributes:
        says: The purpose in a half-sentence that continues "We need this ...", by language.
        called: A short name for people, by language, such as `the prize draw`.
        basis: The legal basis (GDPR Art. 6(1)).
        because: Why a basis other than consent applies; required then, and shown to people.
        items: Item name to `required` or `optional`.
        guards: Actions and forms that may only run while this purpose is active.
        retain: Duration after the last use, or another rule of `policy.retain`.
        recipients: Who else gets the data.
        consent_lasts: Duration after which a consent ends by itself; None for no end.
        marketing: Whether messages to the person are marketing (opt-out words end it).
        double_opt_in: Whether a yes counts only after a one-time code came back from the contact on file.
        quiet_hours: When nothing is sent for this purpose; None for no such time.
        ask: When the person is asked; None for what the bot does.
        ask_again_after: Duration after a no, from which the bot may ask by itself again; None for never. Whoever wants
            what the purpose guards is asked at once.
        also_ask: Purposes that are asked about after a yes to this one, each on its own. A no to them changes nothing.
        requires: Purposes without which what this one guards stays closed, with the reason by language (bundling).
    """

    says: dict[str, str]
    called: dict[str, str] = {}
    basis: Basis
    because: dict[str, str] = {}
    items: dict[str, Literal["required", "optional"]] = {}
    guards: tuple[str, ...] = ()
    retain: str
    recipients: tuple[str, ...] = ()
    consent_lasts: str | None = None
    marketing: bool = False
    double_opt_in: bool = False
    quiet_hours: QuietHours | None = None
    ask: Moment | None = None
    ask_again_after: str | None = None
    also_ask: tuple[str, ...] = ()
    requires: dict[str, dict[str, str]] = {}

    @property
    def choices(self) -> tuple[str, ...]:
        """The optional items, which are asked about apart from the purpose (ISO/IEC 29184, 5.4.6)."""
        if self.basis != "consent":
            return ()
        return tuple(name for name, need in self.items.items() if need == "optional")


class SlotAnswer(Block, frozen=True, kw_only=True):
    """People whose slot holds the answer that means yes.

    Attributes:
        slot: The slot in which the old bot kept the answer.
        value: The text of the value that means yes; `true` also means a slot that is true.
    """

    slot: str
    value: str = "true"


class ImportedConsent(Block, frozen=True, kw_only=True):
    """A consent that was given before this package ran, and that the controller can show (GDPR Art. 7(1)).

    Attributes:
        evidence: Where the proof is, for example the name of a form and of the folder with the signed ones. It is kept
            with the record of each consent.
        given_by: `everyone` in the old store, or those whose slot says so.
        at: The day on which it was given, the earliest if there are several; needed with `everyone`. With a slot it is
            otherwise the time at which the slot got its value.
    """

    evidence: str
    given_by: Literal["everyone"] | SlotAnswer
    at: date | None = None


class Import(Block, frozen=True, kw_only=True):
    """What `rasa-privacy import` may take over from a store without this package.

    Attributes:
        without_consent: What becomes of people without an active purpose. `drop`: nothing of them is taken over.
            `structure`: names of intents and actions, without a text or a value, for 24 hours from their last message,
            so that a conversation which is going on goes on.
        consent: The consents that can be shown, by purpose.
    """

    without_consent: Literal["drop", "structure"]
    consent: dict[str, ImportedConsent] = {}


#: What a program decides about people by itself (GDPR Art. 13(2)(f)): nothing; or what, by which logic and with what
#: consequences, by language.
AutomatedDecisions = Literal["none"] | dict[str, str]


class Policy(Block, frozen=True, kw_only=True):
    """The whole of privacy.yml. `import_` stands there as `import`."""

    version: Literal[1]
    controller: Controller
    regulations: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    items: dict[str, Item] = {}
    not_personal: tuple[str, ...] = ()
    detectors: Detectors = Detectors()
    messages: Messages = Messages()
    actions: Actions = Actions()
    storage: Storage | None = None
    automated_decisions: AutomatedDecisions | None = None
    purposes: dict[str, Purpose]
    ask: Moment = "just_in_time"
    minimum_age: int | AgeByCountry | None = None
    ask_age: AgeQuestion = "yes_or_no"
    replies: Replies | None = None
    requests: dict[str, tuple[str, ...]] = {}
    opt_out: OptOut = OptOut()
    roles: dict[str, Role] = {}
    training: Training | None = None
    retention: Retention = Retention()
    waivers: tuple[Waiver, ...] = ()
    audit: Audit = Audit()
    erasure: Erasure = Erasure()
    identity: Identity | None = None
    handover: HandOver | None = None
    import_: Import | None = msgspec.field(default=None, name="import")

    def purposes_guarding(self, action: str) -> tuple[str, ...]:
        """Return the purposes that must be active for this action or form: those that guard it, then what they require.

        In the order of the file; each once.
        """
        found = dict.fromkeys(name for name, purpose in self.purposes.items() if action in purpose.guards)
        waiting = list(found)
        while waiting:
            required = [name for name in self.purposes[waiting.pop(0)].requires if name not in found]
            found |= dict.fromkeys(required)
            waiting += required
        return tuple(found)

    def asked_first(self) -> tuple[str, ...]:
        """Return the purposes that are asked about at the first message, in the order of the file."""
        return tuple(
            name
            for name, purpose in self.purposes.items()
            if purpose.basis == "consent" and (purpose.ask or self.ask) == "first_message"
        )

    def request_meant_by(self, intent: str | None) -> str | None:
        """Return our intent that an intent of the bot's own means, or None."""
        return next((f"{OURS}{name}" for name, intents in self.requests.items() if intent in intents), None)

    def purposes_using(self, item: str) -> tuple[str, ...]:
        """Return the names of the purposes that list this item, in the order of the file."""
        return tuple(name for name, purpose in self.purposes.items() if item in purpose.items)

    def item_of_slot(self, slot: str) -> str | None:
        """Return the item that this slot holds, or None."""
        return next((name for name, item in self.items.items() if item.slot == slot), None)

    def item_of_entity(self, entity: str) -> str | None:
        """Return the item that this entity carries, or None."""
        return next((name for name, item in self.items.items() if item.entity == entity), None)
