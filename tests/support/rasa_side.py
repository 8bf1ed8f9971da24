"""Rasa's own classes for tests, and a bot's domain. Importing this takes seconds: only tests marked `rasa` do."""

import warnings
from typing import Any, Final

with warnings.catch_warnings():
    # Rasa and TensorFlow warn while they are imported; that is nothing of ours.
    warnings.simplefilter("ignore")
    from rasa.core.brokers.file import FileEventBroker
    from rasa.core.channels.channel import CollectingOutputChannel
    from rasa.core.exporter import Exporter
    from rasa.core.lock_store import LockStore
    from rasa.core.nlg.generator import NaturalLanguageGenerator
    from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
    from rasa.core.tracker_store import (
        FailSafeTrackerStore,
        InMemoryTrackerStore,
        SQLTrackerStore,
        check_if_tracker_store_async,
    )
    from rasa.shared.core import events as rasa_events
    from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity
    from rasa.shared.data import TrainingType
    from rasa.shared.nlu.training_data.message import Message
    from rasa.utils.endpoints import EndpointConfig

    from rasa_privacy.components import (
        consent_policy,
        duckling,
        emitted_tracker,
        event_types,
        forms,
        gate,
        lock_store,
        log_scrubbing,
        message_metadata,
        minimizer,
        own_intents,
        patience,
        payload,
        privacy_turn,
        processor,
        publishing,
        rasa_api,
        runtime,
        spoken_language,
        threads,
        tracker_state,
        tracker_store,
        turn_storage,
        unnoticed,
        vocabulary,
    )

from rasa_privacy.dialogue.names import ACTIONS, CLOSED, INTENTS
from rasa_privacy.minimize.view import View

__all__ = [
    "CollectingOutputChannel",
    "DialogueStateTracker",
    "EndpointConfig",
    "EventVerbosity",
    "Exporter",
    "FailSafeTrackerStore",
    "FileEventBroker",
    "InMemoryTrackerStore",
    "LockStore",
    "Message",
    "ModelMetadata",
    "NaturalLanguageGenerator",
    "SQLTrackerStore",
    "TemplatedNaturalLanguageGenerator",
    "View",
    "check_if_tracker_store_async",
    "consent_policy",
    "domain",
    "duckling",
    "emitted_tracker",
    "event_types",
    "forms",
    "gate",
    "lock_store",
    "log_scrubbing",
    "message_metadata",
    "minimizer",
    "own_intents",
    "patience",
    "payload",
    "privacy_turn",
    "processor",
    "publishing",
    "rasa_api",
    "rasa_events",
    "runtime",
    "spoken_language",
    "threads",
    "tracker_state",
    "tracker_store",
    "turn_storage",
    "unnoticed",
    "vocabulary",
]

_FREE: Final = {"type": "any", "influence_conversation": False}


class ModelMetadata:
    """What Rasa's processor asks a model for."""

    training_type = TrainingType.BOTH
    core_target = "core"
    nlu_target = "nlu"
    model_id = "M"
    assistant_id = "A"


def domain() -> Any:
    """Return a new domain of a bot with a form and the slots of the tests' privacy.yml."""
    own = ("privacy_pending", "privacy_result", "privacy_language")
    slots = ("full_name", "phone", "postcode", "birthday", "favourite_activity", *own)
    return rasa_api.Domain.from_dict(
        {
            "version": "3.1",
            "intents": ["greet", "enter_draw", *INTENTS],
            "entities": ["email", "PERSON", "privacy_purpose"],
            "slots": {
                **{name: {**_FREE, "mappings": [{"type": "custom"}]} for name in slots},
                "email": {**_FREE, "mappings": [{"type": "from_entity", "entity": "email"}]},
            },
            "forms": {"lead_form": {"required_slots": ["full_name", "email"]}},
            "responses": {"utter_greet": [{"text": "Hi"}], CLOSED: [{"text": "Closed"}]},
            "actions": ["action_submit", "action_hours", "validate_lead_form", *ACTIONS],
        }
    )
