"""Writes conversations through Rasa's own `SQLTrackerStore`, turn by turn as a server does.

Run as `python stock_writer.py <database file> <time>`. It prints what that store itself reads, as JSON: by sender all
events, and those of the last session.
"""

import asyncio
import json
import sys
import warnings
from collections.abc import Iterator
from typing import Any

with warnings.catch_warnings():
    # Rasa and TensorFlow warn while they are imported; that is nothing of ours.
    warnings.simplefilter("ignore")
    from rasa.core.tracker_store import SQLTrackerStore
    from rasa.shared.core.domain import Domain
    from rasa.shared.core.events import (
        ActionExecuted,
        ActiveLoop,
        BotUttered,
        ConversationPaused,
        ConversationResumed,
        FollowupAction,
        LoopInterrupted,
        SessionStarted,
        SlotSet,
        UserUttered,
    )

_SLOTS = ("full_name", "email", "favourite_activity", "requested_slot")
_PEOPLE = (("+49 170 1", "Ada", "ada@example.org"), ("+49 170 2", "Bob", "bob@example.org"))
_STEP = 0.1234567


def domain() -> Any:
    """Return the old bot's domain."""
    slots = {name: {"type": "any", "mappings": [{"type": "custom"}]} for name in _SLOTS}
    return Domain.from_dict({"version": "3.1", "intents": ["greet"], "slots": slots, "actions": ["action_submit"]})


def said(number: int, text: str, intent: str, **entities: str) -> Any:
    """Return a message."""
    found = [{"entity": key, "value": value, "start": 0, "end": 3, "extractor": "E"} for key, value in entities.items()]
    parsed = {
        "intent": {"name": intent, "confidence": 0.9 + number / 1000},
        "entities": found,
        "text": text,
        "message_id": str(number),
        "metadata": {},
        "intent_ranking": [{"name": intent, "confidence": 0.9}, {"name": "greet", "confidence": 0.1}],
    }
    return UserUttered(text, parsed["intent"], found, parsed, input_channel="rest", message_id=str(number))


def turns(name: str, email: str) -> Iterator[list[Any]]:
    """Yield what each save adds; a second session begins after the third."""
    listen = "action_listen"
    yield [ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted(listen)]
    yield [
        said(1, "enter the draw", "enter_draw"),
        ActionExecuted("lead_form", "RulePolicy", 1.0),
        ActiveLoop("lead_form"),
        SlotSet("requested_slot", "full_name"),
        BotUttered("Name?", {"buttons": None}),
        ActionExecuted(listen),
    ]
    yield [
        said(2, "here you are", "greet", PERSON=name, email=email),
        SlotSet("full_name", name),
        SlotSet("email", email),
        SlotSet("favourite_activity", ["hiking", {"deep": 1}]),
        ActiveLoop(None),
        LoopInterrupted(is_interrupted=True),
        ActionExecuted("action_submit", "RulePolicy", 0.5),
        FollowupAction(listen),
        ConversationPaused(),
        ConversationResumed(),
    ]
    yield [ActionExecuted("action_session_start"), SessionStarted(), SlotSet("full_name", name)]
    yield [said(3, "again", "greet"), BotUttered("Thanks", {"buttons": None}), ActionExecuted(listen)]


async def write(path: str, at: float) -> dict[str, list[list[dict[str, Any]]]]:
    """Write everybody's turns and return what is read."""
    store = SQLTrackerStore(domain(), db=path)
    shown = {}
    for sender, name, email in _PEOPLE:
        tracker = await store.get_or_create_tracker(sender, append_action_listen=False)
        for turn in turns(name, email):
            for event in turn:
                at += _STEP
                event.timestamp = at
                tracker.update(event, store.domain)
            await store.save(tracker)
            tracker = await store.retrieve(sender)
        both = (await store.retrieve_full_tracker(sender), await store.retrieve(sender))
        shown[sender] = [[event.as_dict() for event in one.events] for one in both]
    return shown


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(write(sys.argv[1], float(sys.argv[2])))))
