"""Presidio: names and places in free text, found by a language model. The only module that imports it.

Of Presidio its analyzer is used with the recogniser of a spaCy model for each language (`detectors: presidio:` in
privacy.yml); of the model only what finds names. Nothing is downloaded: a model is a package that is installed.

A model that is trained on news finds many names and misses some; what it finds is a guess. It takes milliseconds for a
message, where the other detectors take microseconds.
"""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.detector_packages import is_installed
from rasa_privacy.policy.item_model import Presidio

#: Presidio's types by the names that privacy.yml uses.
KINDS: Final[Mapping[str, str]] = {"PERSON": "presidio_person", "LOCATION": "presidio_location"}

#: spaCy's labels for them, in its models of all languages.
_LABELS: Final[Mapping[str, str]] = {"PERSON": "PERSON", "PER": "PERSON", "GPE": "LOCATION", "LOC": "LOCATION"}

#: Parts of a model that names do not depend on.
_UNUSED: Final = frozenset({"tagger", "parser", "attribute_ruler", "lemmatizer", "morphologizer", "senter"})


class Models:
    """Presidio's analyzer with its models.

    Args:
        settings: The models by language.

    Raises:
        ConfigurationError: Presidio or a model is not installed, or cannot be loaded.
    """

    def __init__(self, settings: Presidio) -> None:
        missing = [name for name in ("presidio_analyzer", *settings.models.values()) if not is_installed(name)]
        if missing:
            raise ConfigurationError(f"detectors.presidio: {', '.join(missing)} is not installed")
        try:
            self._analyzer = _analyzer(settings.models)
        except Exception as error:
            raise ConfigurationError(
                f"detectors.presidio: its models cannot be loaded ({type(error).__name__}); install versions of "
                "presidio-analyzer, spacy and the models that fit together"
            ) from error
        self._languages = tuple(settings.models)

    def spans(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield start, end and kind of what a model of any language takes for a name or a place."""
        for language in self._languages:
            for found in self._analyzer.analyze(text, language, entities=[*KINDS]):
                yield found.start, found.end, KINDS[found.entity_type]


def _analyzer(models: Mapping[str, str]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a model that was made with another version of spaCy, and of old libraries
        # Here, since they take seconds and are not installed with everybody.
        import spacy  # noqa: PLC0415
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry  # noqa: PLC0415
        from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine  # noqa: PLC0415
        from presidio_analyzer.predefined_recognizers import SpacyRecognizer  # noqa: PLC0415

        labels = NerModelConfiguration(
            model_to_presidio_entity_mapping=dict(_LABELS), labels_to_ignore=[], default_score=1.0
        )
        engine = SpacyNlpEngine(
            [{"lang_code": language, "model_name": name} for language, name in models.items()], labels
        )
        # Not by `engine.load()`, which downloads what it takes for a missing model: any package that is none.
        engine.nlp = {language: spacy.load(name) for language, name in models.items()}
    for model in engine.nlp.values():
        for part in _UNUSED.intersection(model.pipe_names):
            model.remove_pipe(part)
    registry = RecognizerRegistry(
        recognizers=[SpacyRecognizer(language, [*KINDS]) for language in models],
        supported_languages=[*models],
    )
    return AnalyzerEngine(nlp_engine=engine, registry=registry, supported_languages=[*models])
