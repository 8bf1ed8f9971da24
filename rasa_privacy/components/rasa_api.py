"""The one module that imports Rasa: what the components need of it, under one roof.

Rasa Open Source 3.6.21. Rasa Pro has some of these elsewhere; that difference will live here and nowhere else.
"""

from pluggy import HookimplMarker
from rasa.core import agent as agent_module
from rasa.core.actions.action import ActionExecutionRejection
from rasa.core.brokers.broker import EventBroker
from rasa.core.channels.channel import UserMessage
from rasa.core.policies.ensemble import DefaultPolicyPredictionEnsemble
from rasa.core.policies.policy import Policy, PolicyPrediction, SupportedData
from rasa.core.tracker_store import FailSafeTrackerStore, TrackerStore
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes import default_recipe as default_recipe_module
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.plugin import plugin_manager
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.core.training_data.structures import StoryGraph
from rasa.shared.exceptions import RasaException
from rasa.shared.importers.importer import TrainingDataImporter
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.common import all_subclasses

#: Marks the methods that Rasa's plugin manager calls.
hookimpl = HookimplMarker("rasa")

__all__ = [
    "ACTION_LISTEN_NAME",
    "ActionExecuted",
    "ActionExecutionRejection",
    "ActiveLoop",
    "DefaultPolicyPredictionEnsemble",
    "DefaultV1Recipe",
    "DialogueStateTracker",
    "Domain",
    "Event",
    "EventBroker",
    "ExecutionContext",
    "FailSafeTrackerStore",
    "GraphComponent",
    "Message",
    "ModelStorage",
    "Policy",
    "PolicyPrediction",
    "RasaException",
    "RasaFileImporter",
    "RasaYAMLReader",
    "Resource",
    "SlotSet",
    "StoryGraph",
    "SupportedData",
    "TrackerStore",
    "TrainingData",
    "TrainingDataImporter",
    "UserMessage",
    "UserUttered",
    "agent_module",
    "all_subclasses",
    "default_recipe_module",
    "hookimpl",
    "plugin_manager",
]
