"""Runs every recogniser by patterns that Presidio ships on the messages of a file, in Presidio's own environment.

    python presidio_side.py <messages.json> <findings.json>

The messages are a list of texts; the findings a list, for each message, of [start, end, entity, score]. Context words
count as in Presidio's analyzer: a blank English tokenizer stands in for a language model, with words as their lemmas.
"""

import importlib
import inspect
import json
import sys
import time
from pathlib import Path
from typing import Any


def recognizers() -> list[Any]:
    """Return each recogniser by patterns, phone numbers' too, as one for English."""
    shipped = importlib.import_module("presidio_analyzer.predefined_recognizers")
    base = importlib.import_module("presidio_analyzer").PatternRecognizer
    found: list[Any] = [shipped.PhoneRecognizer(supported_language="en", supported_regions=("US", "GB", "DE"))]
    for _, kind in inspect.getmembers(shipped, inspect.isclass):
        if issubclass(kind, base):
            make: Any = kind
            found.append(make(supported_language="en"))
    return found


def analyzer() -> Any:
    """Return Presidio's analyzer with those recognisers."""
    presidio = importlib.import_module("presidio_analyzer")
    engines = importlib.import_module("presidio_analyzer.nlp_engine")
    spacy = importlib.import_module("spacy")

    class Words(engines.SpacyNlpEngine):  # type: ignore[misc, name-defined]
        """Words and nothing more."""

        def load(self) -> None:
            """Take a blank tokenizer for a model."""
            self.nlp = {"en": spacy.blank("en")}

        def _doc_to_nlp_artifact(self, doc: Any, language: str) -> Any:
            for token in doc:
                token.lemma_ = token.lower_
            return super()._doc_to_nlp_artifact(doc, language)

    engine = Words(models=[{"lang_code": "en", "model_name": "blank"}])
    engine.load()
    registry = presidio.RecognizerRegistry(recognizers=recognizers(), supported_languages=["en"])
    return presidio.AnalyzerEngine(nlp_engine=engine, registry=registry, supported_languages=["en"])


def main() -> None:
    """Read, find, write."""
    texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    search = analyzer()
    search.analyze("warm up", language="en")
    start = time.perf_counter()
    findings = [
        [[each.start, each.end, each.entity_type, each.score] for each in search.analyze(text, language="en")]
        for text in texts
    ]
    seconds = time.perf_counter() - start
    Path(sys.argv[2]).write_text(json.dumps({"seconds": seconds, "findings": findings}), encoding="utf-8")


if __name__ == "__main__":
    main()
