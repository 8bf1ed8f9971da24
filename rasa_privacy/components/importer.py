"""`PrivacyImporter`: adds the privacy intents, examples, slots, responses and actions to the bot's training data.

It is also where training stops: a privacy.yml that is wrong, a slot that is neither an item nor `not_personal`, a
pipeline without the minimizer, policies without `ConsentPolicy`, or a detector whose library is not installed.
Importing this module puts the gate into the recipe.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from rasa_privacy.components import gate
from rasa_privacy.components.rasa_api import (
    Domain,
    RasaException,
    RasaFileImporter,
    RasaYAMLReader,
    StoryGraph,
    TrainingData,
    TrainingDataImporter,
)
from rasa_privacy.components.spoken_language import responses_of
from rasa_privacy.components.trained_policy import configured_policy
from rasa_privacy.dialogue.names import ACTIONS, INTENTS, LANGUAGE_SLOT, PENDING_SLOT, RESULT_SLOT, YOUNG_SLOT
from rasa_privacy.dialogue.packs import load_pack
from rasa_privacy.errors import ConfigurationError, PrivacyError
from rasa_privacy.minimize.own_values import OWN_ENTITY
from rasa_privacy.policy.detector_packages import require_packages
from rasa_privacy.policy.slots import check_slots, consent_slot

gate.install()

_MINIMIZER: Final = "rasa_privacy.DataMinimizer"
_POLICY: Final = "rasa_privacy.ConsentPolicy"


class PrivacyImporter(TrainingDataImporter):
    """Add `- name: rasa_privacy.PrivacyImporter` after `RasaFileImporter` under `importers:` in config.yml.

    Args:
        config_file: Path of config.yml.
        domain_path: Path of the bot's domain.
        training_data_paths: Paths of the bot's training data.
        privacy: Path of privacy.yml.
    """

    def __init__(
        self,
        config_file: str | None = None,
        domain_path: str | None = None,
        training_data_paths: list[str] | str | None = None,
        privacy: str = "privacy.yml",
    ) -> None:
        self._bot = RasaFileImporter(config_file, domain_path, training_data_paths)
        self._config_file = config_file or "config.yml"
        self._domain_path = domain_path or "domain.yml"
        with _stopping_training():
            self._policy = configured_policy({"privacy": privacy})
            require_packages(self._policy)
            self._packs = {language: load_pack(language) for language in self._policy.languages}

    def get_domain(self) -> Domain:
        """Return our part of the domain, after checking that each slot of the bot is classified."""
        theirs = [slot.name for slot in self._bot.get_domain().slots]
        with _stopping_training():
            check_slots(self._policy, theirs, str(self._domain_path))
        consents = {consent_slot(name): _own_slot("bool", initial_value=False) for name in self._policy.purposes}
        return Domain.from_dict(
            {
                "version": "3.1",
                "intents": list(INTENTS),
                "entities": [OWN_ENTITY],
                "slots": {
                    PENDING_SLOT: _own_slot("any"),
                    RESULT_SLOT: _own_slot("text"),
                    LANGUAGE_SLOT: _own_slot("text"),
                    YOUNG_SLOT: _own_slot("bool"),
                    # Whose stories depend on it declares the slot in the bot's own domain, with that.
                    **{name: slot for name, slot in consents.items() if name not in theirs},
                },
                "responses": responses_of(self._packs),
                "actions": list(ACTIONS),
            }
        )

    def get_nlu_data(self, language: str | None = "en") -> TrainingData:
        """Return the examples of the privacy intents in the bot's languages."""
        merged = TrainingData()
        for pack in self._packs.values():
            text = yaml.safe_dump({"version": "3.1", "nlu": pack.nlu}, allow_unicode=True, sort_keys=False)
            merged = merged.merge(RasaYAMLReader().reads(text))
        return merged

    def get_stories(self, exclusion_percentage: int | None = None) -> StoryGraph:
        """Return no stories: the privacy turns are a state machine, not something to learn."""
        return StoryGraph([])

    def get_conversation_tests(self) -> StoryGraph:
        """Return no test stories."""
        return StoryGraph([])

    def get_config(self) -> dict[str, Any]:
        """Add nothing to the configuration, after checking that it holds the components."""
        with _stopping_training():
            check_components(self._bot.get_config() or {}, Path(self._config_file))
        return {}

    def get_config_file_for_auto_config(self) -> str | None:
        """Return nothing: Rasa's auto-config does not work with several importers."""
        return None


def _own_slot(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "influence_conversation": False, "mappings": [{"type": "custom"}], **more}


def check_components(config: dict[str, Any], path: Path) -> None:
    """Check that config.yml has the minimizer last in the pipeline, and the policy.

    Raises:
        ConfigurationError: One of them is missing, or the minimizer is not last.
    """
    pipeline = [str(component.get("name")) for component in config.get("pipeline") or []]
    policies = [str(policy.get("name")) for policy in config.get("policies") or []]
    if not pipeline or pipeline[-1] != _MINIMIZER:
        raise ConfigurationError(
            f"{path}: '{_MINIMIZER}' must be the last component of 'pipeline', "
            "or values could fill slots before it sees them; move or add it"
        )
    if _POLICY not in policies:
        raise ConfigurationError(f"{path}: '{_POLICY}' is not among 'policies'; add it, it runs the consent turns")


@contextmanager
def _stopping_training() -> Iterator[None]:
    """Let `rasa train` print our message without a traceback, as it does for its own errors."""
    try:
        yield
    except PrivacyError as error:
        raise RasaException(str(error)) from error
