"""What privacy.yml says, as frozen values: `Policy` and its smaller blocks.

Items, purposes and what is imported have modules of their own (`item_model`, `purpose_model`, `import_model`);
`operations` has the blocks on which no model depends.

The structs hold what is right by itself (types, known words, ranges). What must be right between them (a purpose that
uses an undeclared item) is checked by `loader`, which knows the line of each word.
"""

import re
from typing import Literal

import msgspec

from rasa_privacy.policy.block import Block
from rasa_privacy.policy.import_model import Import
from rasa_privacy.policy.item_model import Detectors, Item
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
from rasa_privacy.policy.purpose_model import Moment, Purpose

_COUNTRY = re.compile(r"^[A-Z]{2}$")
#: The word in `retention.every` for no sweeps inside the server.
NEVER = "never"


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

    def asked_unbidden(self) -> frozenset[str]:
        """Return the purposes that the bot asks about by itself: at the first message, or behind another question."""
        return frozenset(self.asked_first()).union(*(purpose.also_ask for purpose in self.purposes.values()))

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
