"""The one module that imports Rasa: what the components need of it, under one roof.

Rasa Open Source 3.6.21. Rasa Pro has some of these elsewhere; that difference will live here and nowhere else.
"""

import sys

from pluggy import HookimplMarker
from rasa.core import agent as agent_module
from rasa.core import lock_store as lock_store_module
from rasa.core import nlg as nlg_module
from rasa.core.actions import action as action_module
from rasa.core.actions import forms as forms_module
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
from rasa.core.actions.forms import FormAction
from rasa.core.brokers.broker import EventBroker
from rasa.core.brokers.kafka import KafkaEventBroker
from rasa.core.brokers.pika import PikaEventBroker
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.channels.rest import RestInput
from rasa.core.channels.socketio import SocketIOInput
from rasa.core.lock import TicketLock
from rasa.core.lock_store import LOCK_LIFETIME, RedisLockStore
from rasa.core.nlg.callback import CallbackNaturalLanguageGenerator, nlg_response_format_spec
from rasa.core.policies.ensemble import DefaultPolicyPredictionEnsemble
from rasa.core.policies.policy import Policy, PolicyPrediction, SupportedData
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import FailSafeTrackerStore, TrackerStore
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes import default_recipe as default_recipe_module
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.duckling_entity_extractor import DucklingEntityExtractor
from rasa.plugin import plugin_manager
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActionExecutionRejected,
    ActiveLoop,
    AgentUttered,
    BotUttered,
    ConversationPaused,
    ConversationResumed,
    DefinePrevUserUtteredFeaturization,
    EntitiesAdded,
    Event,
    FollowupAction,
    LoopInterrupted,
    ReminderCancelled,
    ReminderScheduled,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.slots import Slot
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.core.training_data.structures import StoryGraph
from rasa.shared.exceptions import RasaException
from rasa.shared.importers.importer import TrainingDataImporter
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.common import all_subclasses
from rasa.utils.endpoints import EndpointConfig

#: Metadata key of a message that nobody typed (rasa/shared/core/constants.py).
IS_EXTERNAL = "is_external"


def http_error(status: int, reason: str, message: str) -> Exception | None:
    """Return the error that Rasa's HTTP server answers with; None in a process that has no such server."""
    server = sys.modules.get("rasa.server")
    made: Exception | None = None if server is None else server.ErrorResponse(status, reason, message)
    return made


#: Marks the methods that Rasa's plugin manager calls.
hookimpl = HookimplMarker("rasa")

__all__ = [
    "ACTION_LISTEN_NAME",
    "IS_EXTERNAL",
    "LOCK_LIFETIME",
    "ActionExecuted",
    "ActionExecutionRejected",
    "ActionExecutionRejection",
    "ActiveLoop",
    "AgentUttered",
    "BotUttered",
    "CallbackNaturalLanguageGenerator",
    "CollectingOutputChannel",
    "ConversationPaused",
    "ConversationResumed",
    "DefaultPolicyPredictionEnsemble",
    "DefaultV1Recipe",
    "DefinePrevUserUtteredFeaturization",
    "DialogueStateTracker",
    "Domain",
    "DucklingEntityExtractor",
    "EndpointConfig",
    "EntitiesAdded",
    "Event",
    "EventBroker",
    "ExecutionContext",
    "FailSafeTrackerStore",
    "FollowupAction",
    "FormAction",
    "GraphComponent",
    "KafkaEventBroker",
    "LoopInterrupted",
    "Message",
    "MessageProcessor",
    "ModelStorage",
    "PikaEventBroker",
    "Policy",
    "PolicyPrediction",
    "RasaException",
    "RasaFileImporter",
    "RasaYAMLReader",
    "RedisLockStore",
    "ReminderCancelled",
    "ReminderScheduled",
    "RemoteAction",
    "Resource",
    "RestInput",
    "Restarted",
    "SessionStarted",
    "Slot",
    "SlotSet",
    "SocketIOInput",
    "StoryGraph",
    "SupportedData",
    "TicketLock",
    "TrackerStore",
    "TrainingData",
    "TrainingDataImporter",
    "UserMessage",
    "UserUttered",
    "action_module",
    "agent_module",
    "all_subclasses",
    "default_recipe_module",
    "forms_module",
    "hookimpl",
    "http_error",
    "lock_store_module",
    "nlg_module",
    "nlg_response_format_spec",
    "plugin_manager",
]
