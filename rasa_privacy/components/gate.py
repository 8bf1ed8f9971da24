"""`ConsentGate`: the ensemble that lets no action run whose purposes lack consent.

It takes the winning prediction of all policies, whatever won it (form, rule, story, loop, fallback, external intent),
and replaces an action that is guarded and not allowed by the consent turn. Rasa's default recipe names its ensemble in
one module attribute; importing this module puts the gate there, and so into every model trained with our importer.
"""

from dataclasses import replace
from typing import Any, Final

from rasa_privacy.components.minimizer import DataMinimizer
from rasa_privacy.components.privacy_turn import dropped_before_consent, prediction_events, turn_view, turns_of
from rasa_privacy.components.rasa_api import (
    DefaultPolicyPredictionEnsemble,
    DialogueStateTracker,
    Domain,
    PolicyPrediction,
    default_recipe_module,
)
from rasa_privacy.components.unnoticed import real
from rasa_privacy.dialogue.names import CLOSED, LISTEN
from rasa_privacy.dialogue.turn_view import Decision, Pending
from rasa_privacy.errors import ModelMismatchError

_GATE_NODE: Final = "select_prediction"


class ConsentGate(DefaultPolicyPredictionEnsemble):
    """Rasa's default ensemble, then the gate."""

    def combine_predictions(
        self, predictions: list[PolicyPrediction], tracker: DialogueStateTracker, domain: Domain
    ) -> PolicyPrediction:
        """Return the winning prediction, or the consent turn where it may not run."""
        winner, tracker = super().combine_predictions(predictions, tracker, domain), real(tracker)
        action = domain.action_names_or_texts[winner.max_confidence_index]
        decision = _gate(action, tracker)
        if decision is None:
            return winner
        replaced = PolicyPrediction.for_action_name(domain, decision.action, "ConsentGate")
        replaced.events = [*winner.events, *prediction_events(decision)]
        return replaced


def _gate(action: str, tracker: DialogueStateTracker) -> Decision | None:
    turns = turns_of(tracker)
    if turns is None:
        return _without_store(action, tracker.latest_action_name)
    decision = turns.gate(action, turn_view(tracker))
    if decision is None or not isinstance(decision.pending, Pending):
        return decision
    return replace(decision, pending=replace(decision.pending, dropped=dropped_before_consent(tracker)))


def _without_store(action: str, last_action: str | None) -> Decision | None:
    """Without our store nobody knows what is guarded: the bot may speak, and nothing else."""
    if last_action == CLOSED:
        return Decision(LISTEN)
    return None if action == LISTEN or action.startswith("utter_") else Decision(CLOSED)


def install() -> None:
    """Put the gate into the default recipe; models trained from now on hold it."""
    default_recipe_module.DefaultPolicyPredictionEnsemble = ConsentGate


def require(graph_schema: Any) -> None:
    """Check that a model holds the gate and the minimizer.

    Raises:
        ModelMismatchError: It does not; such a model must not be served.
    """
    node = graph_schema.nodes.get(_GATE_NODE)
    minimizes = any(issubclass(each.uses, DataMinimizer) for each in graph_schema.nodes.values())
    if not minimizes or node is None or not issubclass(node.uses, ConsentGate):
        raise ModelMismatchError(
            "this model was trained without the consent gate or the minimizer, so data could be gathered without "
            "consent; add the lines that 'rasa-privacy check' names to config.yml and train again"
        )
