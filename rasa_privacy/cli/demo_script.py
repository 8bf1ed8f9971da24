"""Conversation 1 as data: consent, the draw, erasure, and a person who is new again; with what must come of each turn.

The steps expect what the store holds and which buttons are offered rather than whole sentences, so that the
wording may be improved without touching them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rasa_privacy.cli.rest import BotMessage
from rasa_privacy.cli.store_view import StoreSnapshot
from rasa_privacy.policy.topics import choice

PURPOSE: Final = "prize_draw"
#: Invented values; the demo searches the database for them.
NAME: Final = "Ana Lindqvist"
EMAIL: Final = "ana.lindqvist@outdoors.example"
POSTCODE: Final = "SW1A 1AA"

#: Gets the snapshots before and after a turn.
StoreCheck = Callable[[StoreSnapshot, StoreSnapshot], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """One turn, and what must come of it.

    Attributes:
        send: What the person types, or the payload of the button that they press.
        says: Pattern that the bot's words must match, whatever the case.
        offers: Payloads that must be among the buttons.
        holds: What must be true of the store, in words for people.
        check: The same as a function.
    """

    send: str
    says: str = ""
    offers: tuple[str, ...] = ()
    holds: str = "the store can be read"
    check: StoreCheck = lambda _before, _after: True

    @property
    def presses(self) -> bool:
        """Whether the person presses a button instead of typing."""
        return self.send.startswith("/")

    def failures(self, messages: Sequence[BotMessage], before: StoreSnapshot, after: StoreSnapshot) -> list[str]:
        """Return what is not as expected, empty where all is well."""
        text = "\n".join(message.text for message in messages)
        offered = {button.payload for message in messages for button in message.buttons}
        failed = [
            f"a button with {payload} is offered"
            for payload in self.offers
            if not any(each.startswith(payload) for each in offered)
        ]
        if not re.search(self.says, text, re.IGNORECASE):
            failed.append(f"the bot says something like '{self.says}'")
        if not self.check(before, after):
            failed.append(self.holds)
        return failed


def conversation(policy_url: str) -> tuple[Step, ...]:
    """Return conversation 1 for the example bot.

    Args:
        policy_url: The link that the notice must show.
    """
    return (
        Step(
            "I want to enter the prize draw",
            says=re.escape(policy_url),
            offers=("/privacy_grant", "/privacy_refuse"),
            holds="the ledger says that the person was asked, and nothing more",
            check=lambda _, now: now.events_of(PURPOSE) == ["asked"],
        ),
        Step(
            "/privacy_grant",
            says="postcode",
            offers=("/privacy_grant", "/privacy_refuse"),
            holds="the ledger says that the person granted, and optional items are asked for apart",
            check=lambda _, now: now.events_of(PURPOSE) == ["asked", "granted"],
        ),
        Step("yes", says="name", holds="the yes to the optional item has a record of its own", check=_has_choice),
        Step(NAME, says="email"),
        Step(EMAIL, says="postcode", holds="the purpose has a key of its own", check=_has_key),
        Step(POSTCODE, says="NW-[A-Z]+"),
        Step("delete my data", offers=("/privacy_confirm",), holds="nothing is deleted yet", check=_same_person),
        Step(
            "/privacy_confirm",
            says="ER-[A-Z0-9-]+",
            holds="the person's keys are destroyed and the erasure has a certificate",
            check=_is_erased,
        ),
        Step(
            "I want to enter the prize draw",
            offers=("/privacy_grant",),
            holds="the person is new, and is asked again",
            check=lambda _, now: now.events_of(PURPOSE) == ["asked"],
        ),
    )  # fmt: skip


def _has_choice(_before: StoreSnapshot, after: StoreSnapshot) -> bool:
    return after.events_of(choice(PURPOSE, "postcode")) == ["asked", "granted"]


def _has_key(_before: StoreSnapshot, after: StoreSnapshot) -> bool:
    return PURPOSE in after.keys


def _is_erased(before: StoreSnapshot, after: StoreSnapshot) -> bool:
    return not _same_person(before, after) and PURPOSE not in after.keys and after.certificate is not None


def _same_person(before: StoreSnapshot, after: StoreSnapshot) -> bool:
    return after.subject_id is not None and before.subject_id == after.subject_id
