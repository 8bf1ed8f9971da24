"""`ConsentPolicy`: runs the privacy turns among the bot's other policies.

It decides by `turns.Turns` and overrules every other policy when it decides. On each prediction it also clears slots
that no consented purpose covers; Rasa applies a policy's events before the chosen action runs, whoever won.

The model remembers the privacy.yml that it was trained with: training writes it beside the policy, and loading compares
it with the server's.
"""

import logging
from typing import Any

import msgspec

from rasa_privacy.components import gate, runtime
from rasa_privacy.components.privacy_turn import (
    is_over,
    prediction_events,
    slot_corrections,
    turn_view,
    turns_of,
)
from rasa_privacy.components.rasa_api import (
    DefaultV1Recipe,
    DialogueStateTracker,
    Domain,
    ExecutionContext,
    ModelStorage,
    Policy,
    PolicyPrediction,
    Resource,
    SlotSet,
    SupportedData,
)
from rasa_privacy.components.spoken_language import language_events
from rasa_privacy.components.trained_policy import configured_policy
from rasa_privacy.components.unnoticed import real
from rasa_privacy.dialogue.names import LISTEN, PENDING_SLOT
from rasa_privacy.errors import ModelMismatchError
from rasa_privacy.policy.hashing import difference, policy_hash
from rasa_privacy.policy.model import Policy as PrivacyPolicy

logger = logging.getLogger(__name__)

#: Above every policy that Rasa ships (RulePolicy has 6), so that no tie is lost.
_PRIORITY = 1000
_FILE = "privacy.json"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class ConsentPolicy(Policy):
    """The policy of the privacy turns."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Return the defaults: the priority, and where privacy.yml is."""
        return {"priority": _PRIORITY, "privacy": "privacy.yml"}

    @staticmethod
    def supported_data() -> SupportedData:
        """Take rules and stories alike: nothing is learned from either."""
        return SupportedData.ML_AND_RULE_DATA

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Make a changed privacy.yml retrain this policy, so that the model never remembers an old one."""
        return policy_hash(configured_policy(config))

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "ConsentPolicy":
        """Load the policy, after checking that model and server belong together.

        Raises:
            ModelMismatchError: The model lacks the gate or the minimizer, or knows another privacy.yml.
        """
        gate.require(execution_context.graph_schema)
        with model_storage.read_from(resource) as folder:
            trained = msgspec.json.decode((folder / _FILE).read_bytes(), type=PrivacyPolicy)
        running = runtime.current()
        if running is None:
            logger.error(
                "There is no encrypted tracker store in this process, so nothing will be collected. If this is a "
                "server, set 'type: rasa_privacy.EncryptedTrackerStore' under tracker_store in endpoints.yml."
            )
        else:
            changes = difference(trained, running.vault.policy)
            if changes:
                raise ModelMismatchError(
                    "the model was trained with another privacy.yml than the server has; run 'rasa train'. "
                    "What differs: " + "; ".join(changes)
                )
        return cls(config, model_storage, resource, execution_context)

    def train(self, training_trackers: list[Any], domain: Domain, **kwargs: Any) -> Resource:
        """Write the privacy.yml that the model was trained with."""
        with self._model_storage.write_to(self._resource) as folder:
            (folder / _FILE).write_bytes(msgspec.json.encode(configured_policy(self.config)))
        return self._resource

    def predict_action_probabilities(
        self, tracker: DialogueStateTracker, domain: Domain, rule_only_data: Any = None, **kwargs: Any
    ) -> PolicyPrediction:
        """Return the privacy turn's next action with full confidence, or no opinion."""
        tracker = real(tracker)
        corrections = [*language_events(tracker), *slot_corrections(tracker)]
        turns = turns_of(tracker)
        view = turn_view(tracker)
        decision = turns.decide(view) if turns is not None else None
        if turns is not None and (turns.forgets(view) or is_over(tracker, view)):
            corrections.append(SlotSet(PENDING_SLOT, None))
        if decision is None:
            return self._prediction(self._default_predictions(domain), events=corrections)
        return self._prediction(
            _certain(decision.action if decision.action in domain.action_names_or_texts else LISTEN, domain),
            events=[*corrections, *prediction_events(decision)],
            is_no_user_prediction=True,
        )


def _certain(action: str, domain: Domain) -> list[float]:
    probabilities = [0.0] * domain.num_actions
    probabilities[domain.index_for_action(action)] = 1.0
    return probabilities
