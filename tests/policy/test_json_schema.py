"""The schema for editors says what the loader says."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from rasa_privacy.policy.json_schema import policy_schema

ROOT = Path(__file__).parents[2]


def validate(document: Any) -> None:
    """Check a document against the schema."""
    jsonschema.Draft202012Validator(policy_schema()).validate(document)


def test_the_annotated_example_is_valid() -> None:
    """The schema itself is sound, and accepts the file that explains every option."""
    jsonschema.Draft202012Validator.check_schema(policy_schema())
    document = yaml.safe_load((ROOT / "config" / "privacy.yml").read_text(encoding="utf-8"))
    assert [error.message for error in jsonschema.Draft202012Validator(policy_schema()).iter_errors(document)] == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("basis: consent", "basis: hope"),
        ("detect: email", "detect: emial"),
        ("90 days", "ninety days"),
        ("slot: email", "slott: email"),
        ("version: 1", "version: 2"),
        ("items: {full_name: required", "items: {full_name: always"),
        ("category: name", "category: name, keep: {first: 11}"),
        ("[en]", "[en]\ndetectors: {presidio: {models: {}}}"),
        ("[en]", "[en]\ndetectors: {presidio: {seconds: 31, models: {en: some_model}}}"),
    ],
)
def test_what_the_loader_refuses_the_schema_marks(before: str, after: str, policy_text: str) -> None:
    """A mistake of form is underlined in the editor already."""
    validate(yaml.safe_load(policy_text))
    with pytest.raises(jsonschema.ValidationError):
        validate(yaml.safe_load(policy_text.replace(before, after)))


def test_every_option_is_explained() -> None:
    """Each property has a title and a description, so that an editor can show what it means."""
    schema = policy_schema()
    for name, definition in schema["$defs"].items():
        assert definition["description"], name
        for attribute, value in definition["properties"].items():
            assert value["title"]
            if name not in {"Role", "First"}:
                assert value.get("description"), f"{name}.{attribute}"
    assert "Attributes:" not in json.dumps(schema)
