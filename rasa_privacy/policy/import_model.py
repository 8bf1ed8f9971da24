"""`Import`: what privacy.yml says of a store from before this package ran."""

from datetime import date
from typing import Literal

from rasa_privacy.policy.block import Block


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
