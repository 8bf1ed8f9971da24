"""The three forms of the campaign and what happens at their end.

A form asks until it has an answer that makes sense. A question or another wish in between is not an answer: the form
then stands back (Rasa rejects its execution), and the rules in `data/interruptions.yml` take the turn. The ends are
thin on purpose: they confirm with a reference and leave the values to the conversation's slots.
"""

import secrets
from abc import abstractmethod
from collections.abc import Callable
from itertools import takewhile
from typing import Any, Final

from rasa_sdk import Action, FormValidationAction, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from . import answers

Events = list[dict[str, Any]]
Values = dict[str, Any]

#: Intents that may be an attempt to answer; any other is a wish or a question of its own.
ATTEMPTS: Final = frozenset(
    {
        "affirm",
        "deny",
        "goodbye",
        "greet",
        "inform",
        "nlu_fallback",
        "out_of_scope",
        "skip",
        "tell_activity",
        "thank",
    }
)
_PASSES: Final = frozenset({"deny", "skip"})

# Letters only, without vowels and look-alikes: no words by chance, and nothing that could be taken for a number.
_REFERENCE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
_REFERENCE_LENGTH: Final = 6


def new_reference() -> str:
    """Return a random reference, such as `NW-KTRBXQ`, that says nothing about the person."""
    return "NW-" + "".join(secrets.choice(_REFERENCE_LETTERS) for _ in range(_REFERENCE_LENGTH))


def _intent(tracker: Tracker) -> str:
    """Return the name of the last message's intent, empty where there is none."""
    return str((tracker.latest_message.get("intent") or {}).get("name") or "")


def _resumes(tracker: Tracker) -> bool:
    """Return whether the bot did something else since the last message, and now comes back to the form."""
    since_message = takewhile(lambda event: event.get("event") != "user", reversed(tracker.events))
    actions = [event for event in since_message if event.get("event") == "action"]
    return len(actions) > 1  # the form itself is the one


class CampaignForm(FormValidationAction):  # type: ignore[misc]  # rasa_sdk has no type hints that mypy can use
    """A form that says what was wrong with an answer before it asks again."""

    @abstractmethod
    def name(self) -> str:
        """Return `validate_` and the form's name."""

    async def get_validation_events(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> Events:
        """Validate what was extracted; where the question got no answer at all, say so instead of leaving the form."""
        events: Events = await super().get_validation_events(dispatcher, tracker, domain)
        asked = tracker.get_slot("requested_slot")
        answered = asked in {event.get("name") for event in events}
        attempted = _intent(tracker) in ATTEMPTS and not _resumes(tracker)
        if asked in self.domain_slots(domain) and attempted and not answered:
            dispatcher.utter_message(response=f"utter_wrong_{asked}")
            events.append(SlotSet(asked, None))
        return events

    def _read(
        self, slot: str, value: Any, parse: Callable[[str], str | None], dispatcher: CollectingDispatcher
    ) -> Values:
        """Return the slot with what `parse` finds in the value; an empty slot is no answer and stays as it is."""
        if value is None:
            return {slot: None}
        found = parse(str(value))
        if found is None:
            dispatcher.utter_message(response=f"utter_wrong_{slot}")
        return {slot: found}

    def _read_optional(
        self,
        slot: str,
        value: Any,
        parse: Callable[[str], str | None],
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
    ) -> Values:
        """As `_read`, where the user may pass."""
        text = str(value or "")
        passed = not parse(text) and (answers.is_skip(text) or (bool(text) and _intent(tracker) in _PASSES))
        if passed or value == answers.NOT_GIVEN:
            return {slot: answers.NOT_GIVEN}
        return self._read(slot, value, parse, dispatcher)


class ValidateLeadForm(CampaignForm):
    """The prize draw: name, email address, and the postcode for those who want to give it."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_lead_form"

    def validate_full_name(
        self, value: Any, dispatcher: CollectingDispatcher, _tracker: Tracker, _domain: DomainDict
    ) -> Values:
        """Keep the name without "my name is"."""
        return self._read("full_name", value, answers.full_name, dispatcher)

    def validate_email(
        self, value: Any, _dispatcher: CollectingDispatcher, _tracker: Tracker, _domain: DomainDict
    ) -> Values:
        """Keep the address as the extractor found it."""
        return {"email": value}

    def validate_postcode(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, _domain: DomainDict
    ) -> Values:
        """Keep the postcode, or the marker of a skip."""
        return self._read_optional("postcode", value, answers.postcode, dispatcher, tracker)


class ValidateFittingForm(CampaignForm):
    """A fitting in the shop: name, phone number and day."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_fitting_form"

    def validate_full_name(
        self, value: Any, dispatcher: CollectingDispatcher, _tracker: Tracker, _domain: DomainDict
    ) -> Values:
        """Keep the name without "my name is"."""
        return self._read("full_name", value, answers.full_name, dispatcher)

    def validate_phone(
        self, value: Any, _dispatcher: CollectingDispatcher, _tracker: Tracker, _domain: DomainDict
    ) -> Values:
        """Keep the number as the extractor found it."""
        return {"phone": value}

    def validate_fitting_day(
        self, value: Any, dispatcher: CollectingDispatcher, _tracker: Tracker, _domain: DomainDict
    ) -> Values:
        """Keep the day in the user's words."""
        return self._read("fitting_day", value, answers.fitting_day, dispatcher)


class ValidateNewsletterForm(CampaignForm):
    """The newsletter: email address, and the birthday for those who want a treat."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "validate_newsletter_form"

    def validate_email(
        self, value: Any, _dispatcher: CollectingDispatcher, _tracker: Tracker, _domain: DomainDict
    ) -> Values:
        """Keep the address as the extractor found it."""
        return {"email": value}

    def validate_birthday(
        self, value: Any, dispatcher: CollectingDispatcher, tracker: Tracker, _domain: DomainDict
    ) -> Values:
        """Keep the date, or the marker of a skip."""
        return self._read_optional("birthday", value, answers.birthday, dispatcher, tracker)


class ActionSubmitEntry(Action):  # type: ignore[misc]  # as CampaignForm
    """Confirm the entry in the draw."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_submit_entry"

    def run(self, dispatcher: CollectingDispatcher, _tracker: Tracker, _domain: DomainDict) -> Events:
        """Say that the person takes part, with a reference."""
        dispatcher.utter_message(response="utter_entry_confirmed", reference=new_reference())
        return []


class ActionBookFitting(Action):  # type: ignore[misc]  # as CampaignForm
    """Confirm the fitting."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_book_fitting"

    def run(self, dispatcher: CollectingDispatcher, _tracker: Tracker, _domain: DomainDict) -> Events:
        """Say that the fitting is booked, with a reference."""
        dispatcher.utter_message(response="utter_fitting_confirmed", reference=new_reference())
        return []


class ActionSubscribeNewsletter(Action):  # type: ignore[misc]  # as CampaignForm
    """Confirm the subscription."""

    def name(self) -> str:
        """Return the action's name in the domain."""
        return "action_subscribe_newsletter"

    def run(self, dispatcher: CollectingDispatcher, _tracker: Tracker, _domain: DomainDict) -> Events:
        """Say that the newsletter will come, with a reference."""
        dispatcher.utter_message(response="utter_newsletter_confirmed", reference=new_reference())
        return []
