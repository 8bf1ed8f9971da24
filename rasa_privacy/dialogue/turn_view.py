"""What a privacy turn sees, and what it decides: the question that waits, the view, the decision. No rules in here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec

from rasa_privacy.policy.contacts import PROOF
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.topics import age_topic, choice

Kind = Literal["consent", "optional", "age", "erase", "contact", "code", "correct", "which"]


@dataclass(frozen=True, slots=True)
class Pending:
    """A question of ours that waits for an answer.

    Attributes:
        kind: What was asked: consent to a purpose, its optional items, the age, whether to erase, after a yes with
            double opt-in the contact and the code that went there, what is right instead of a wrong value, or which of
            several purposes or items a request means.
        action: The action that the gate held back, to be resumed after the answers; of `which` the request's intent.
        purposes: Purposes still to be asked about, the one in question first; of `erase` those whose data is to go; of
            `which` those that may be meant.
        dropped: Whether the message that led here held personal data that was not kept.
        items: Of `optional` the items in question; of `consent` the required ones that the person wanted left out; of
            `erase` those that are to go (everything where neither these nor purposes are named); of `correct` the one;
            of `which` those that may be meant, where it is no purpose.
        repeated: Whether an answer was unclear already.
        age: Of `age` the years in question.
        shown: Of `age` the hash of the text that was shown, in hexadecimal digits; it is recorded with the yes.
        held: The question about consent in the middle of which this one came up; it comes back when this one is closed.
    """

    kind: Kind
    action: str | None = None
    purposes: tuple[str, ...] = ()
    dropped: bool = False
    items: tuple[str, ...] = ()
    repeated: bool = False
    age: int = 0
    shown: str = ""
    held: "Pending | None" = None

    @property
    def is_about_consent(self) -> bool:
        """Whether it is one on the way to a consent, and not one about a request."""
        return self.kind in ("consent", "optional", "age", "contact", "code") and self.purposes[:1] != (PROOF,)

    @property
    def topic(self) -> str:
        """What the question is about, as `policy.topics` names it; empty for an erasure."""
        if self.kind == "age":
            return age_topic(self.age)
        purpose = self.purposes[0] if self.purposes else ""
        return choice(purpose, self.items[0]) if self.kind == "optional" and self.items else purpose

    def to_slot(self) -> dict[str, Any]:
        """Return the value for the slot `privacy_pending`."""
        written = {name: getattr(self, name) for name in self.__dataclass_fields__ if getattr(self, name)}
        lists = {name: list(value) if isinstance(value, tuple) else value for name, value in written.items()}
        return lists if self.held is None else {**lists, "held": self.held.to_slot()}

    @classmethod
    def from_slot(cls, value: object) -> "Pending | None":
        """Read the slot back; anything that is not ours is no pending question."""
        try:
            found = msgspec.convert(value, cls)
        except (msgspec.ValidationError, RecursionError):
            return None
        if found.held is None or (found.held.is_about_consent and found.held.held is None):
            return found
        return replace(found, held=None)


@dataclass(frozen=True, slots=True)
class TurnView:
    """What a decision depends on.

    Attributes:
        intent: Intent of the latest message.
        last_action: The action that ran last; `action_listen` when a message has just come.
        succeeded: Whether the last action, if ours, reported success.
        pending: The question that waits, if any.
        active_loop: The form or loop that runs, if any.
        active: Purposes and optional items that are active now, read from the ledger; None where it cannot be read.
        due: Purposes that the bot may ask about by itself.
        answered: Questions about optional items that were answered.
        age: The age in years that must be asked for before consent; None where there is none to ask.
        is_too_young: Whether the person said in this session to be younger.
        waiting: Purposes for which a one-time code waits to come back.
        is_paused: Whether a human has taken the conversation over.
        has_resumed: Whether an answer of this turn let an action run that the gate had held back.
        also: What else the message asks for: intents of requests, in order.
        ran: Our actions that ran since the message.
        named: The questions that the message names, as our buttons do (`policy.topics`).
        bot_answers_too: Whether the message is an intent of the bot's own that means a request, and its own answer
            follows ours.
        wants_human: Whether the message is an intent of the bot's own by which people ask for a human.
    """

    intent: str | None
    last_action: str
    succeeded: bool
    pending: Pending | None
    active_loop: str | None
    active: frozenset[str] | None
    due: frozenset[str] = frozenset()
    answered: frozenset[str] = frozenset()
    age: int | None = None
    is_too_young: bool = False
    waiting: frozenset[str] = frozenset()
    is_paused: bool = False
    has_resumed: bool = False
    also: tuple[str, ...] = ()
    ran: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    bot_answers_too: bool = False
    wants_human: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What to run next.

    Attributes:
        action: Name of the action or response.
        pending: The new value of the pending question; `...` leaves it as it is.
        end_loop: Whether the running loop is ended first.
    """

    action: str
    pending: Pending | Any | None = field(default=...)
    end_loop: bool = False


@dataclass(frozen=True, slots=True)
class Asking:
    """What privacy.yml says of asking.

    Attributes:
        guards: Purposes (in the order to ask) of each guarded action or form.
        choices: Optional items of each purpose.
        beside: Purposes that are asked about after a yes to each purpose.
        first: Purposes that are asked about at the first message.
        asks_year: Whether the year of birth is asked for, before yes or no.
    """

    guards: Mapping[str, Sequence[str]]
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    beside: Mapping[str, Sequence[str]] = field(default_factory=dict)
    first: Sequence[str] = ()
    asks_year: bool = False

    @classmethod
    def of(cls, policy: Policy) -> "Asking":
        """Return what this privacy.yml says."""
        guarded = {action for purpose in policy.purposes.values() for action in purpose.guards}
        return cls(
            guards={action: policy.purposes_guarding(action) for action in guarded},
            choices={name: purpose.choices for name, purpose in policy.purposes.items()},
            beside={name: purpose.also_ask for name, purpose in policy.purposes.items()},
            first=policy.asked_first(),
            asks_year=policy.ask_age == "year",
        )
