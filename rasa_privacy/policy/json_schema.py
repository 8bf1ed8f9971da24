"""The JSON Schema of privacy.yml, for editors. Made from the structs of privacy.yml and their docstrings."""

import inspect
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from rasa_privacy.policy.detector_names import DETECTOR_NAMES, PRESIDIO_NAMES
from rasa_privacy.policy.lasting import SESSION
from rasa_privacy.policy.model import NEVER, Policy
from rasa_privacy.policy.own_intents import REQUEST_NAMES
from rasa_privacy.policy.revealed import REVEALS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_ATTRIBUTE: Final = re.compile(r"^(\w+): (.*)$")
_LENGTH: Final = r"^[0-9]{1,5} (minute|hour|day|week|month|year)s?"
_DURATION: Final = f"{_LENGTH}$"

#: What the structs leave to `crosschecks`, said where an editor can use it.
_NARROWER: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("Item", "detect"): {"anyOf": [{"enum": [*DETECTOR_NAMES, *PRESIDIO_NAMES]}, {"type": "null"}]},
    ("Item", "keep"): {
        "anyOf": [
            *({"const": word, "description": f"Reveals {what}."} for word, what in REVEALS.items()),
            {"const": SESSION, "description": "All of it, until the session of the conversation ends."},
            {"type": "string", "pattern": f"^until [A-Za-z][A-Za-z0-9_-]*$|{_DURATION}"},
            {"$ref": "#/$defs/Ends"},
        ]
    },
    ("Ends", "first"): {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 10}, {"type": "null"}]},
    ("Ends", "last"): {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 10}, {"type": "null"}]},
    ("Messages", "retain"): {"pattern": _DURATION},
    ("Purpose", "retain"): {"pattern": f"{_LENGTH}( after (31 December|[A-Za-z_]\\w*))?$|^until [A-Za-z_]\\w*$"},
    ("Purpose", "ask_again_after"): {"anyOf": [{"type": "string", "pattern": _DURATION}, {"type": "null"}]},
    ("Purpose", "consent_lasts"): {"anyOf": [{"type": "string", "pattern": _DURATION}, {"type": "null"}]},
    ("Training", "valid_for"): {"pattern": _DURATION},
    ("Training", "pass_mark"): {"minimum": 50, "maximum": 100},
    ("Retention", "review_every"): {"anyOf": [{"type": "string", "pattern": _DURATION}, {"type": "null"}]},
    ("Presidio", "models"): {"minProperties": 1},
    ("Presidio", "seconds"): {"minimum": 1, "maximum": 30},
    ("Identity", "proof_lasts"): {"pattern": _DURATION},
    ("HandOver", "valid_for"): {"pattern": _DURATION},
    ("Retention", "every"): {"pattern": f"{_DURATION}|^{NEVER}$"},
    ("Policy", "regulations"): {"items": {"type": "string", "pattern": r"^[a-z0-9-]+@[0-9]{4}-[0-9]{2}$"}},
    ("Policy", "purposes"): {"minProperties": 1},
    ("Policy", "requests"): {"propertyNames": {"enum": list(REQUEST_NAMES)}},
}

#: Descriptions of the top level, whose struct is described as a whole.
_TOP: Final[Mapping[str, str]] = {
    "version": "The form of this file; always 1.",
    "controller": "Who runs the bot, as people are told.",
    "regulations": "The rules to keep, each with the month of its profile, for example gdpr@2026-11.",
    "languages": "The languages of the privacy turns.",
    "items": "Each kind of personal data, by name.",
    "not_personal": "The slots that hold nothing personal. Every slot is an item or is named here.",
    "detectors": "Detectors beside those that always run.",
    "messages": "What is kept of message texts, and how long.",
    "actions": "What an action server and an NLG server are sent.",
    "storage": "Where data is kept, as people are told.",
    "automated_decisions": "What a program decides about people by itself: none, or what, how and with what effect.",
    "purposes": "Each reason to use data, by name. No data is kept without one.",
    "ask": "When the bot asks for consent.",
    "minimum_age": "Age in years below which nobody may consent: a number, or by the country that a slot holds.",
    "ask_age": "How the age is asked for: yes or no, or the year of birth, which is worked with and forgotten.",
    "replies": "The bot's own intents that answer a question of ours while it is open.",
    "requests": "The bot's own intents that mean a request of ours, by its name: such a message is that request.",
    "opt_out": "Where opt-out words mean something else.",
    "roles": "What operators may see and do, by role.",
    "training": "What operators must have learned before they get personal data.",
    "waivers": "Findings of 'rasa-privacy check' that are let be, each with its reason.",
    "retention": "When what is due is removed.",
    "erasure": "What else is told of an erasure.",
    "audit": "How the audit log is kept.",
    "identity": "Who must prove who they are before the chat shows values or hands out a copy.",
    "handover": "How people collect the copy of their data by themselves.",
    "import": "What 'rasa-privacy import' may take over from a store without this package. Needed for that only.",
}


def policy_schema() -> dict[str, Any]:
    """Return the schema as a JSON object."""
    schema: dict[str, Any] = msgspec.json.schema(Policy)
    for name, definition in schema["$defs"].items():
        text = inspect.cleandoc(definition.get("description", ""))
        definition["description"] = text.partition("\n\nAttributes:")[0]
        about = _attributes(text) or (_TOP if name == "Policy" else {})
        for attribute, value in definition["properties"].items():
            value["title"] = attribute.replace("_", " ")
            described = about.get(attribute) or about.get(f"{attribute}_")  # `from_` stands for a word of Python
            if described:
                value["description"] = described.replace("`", "'")
            value.update(_NARROWER.get((name, attribute), {}))
    return {"$schema": DIALECT, "title": "privacy.yml of rasa_privacy", **schema}


def _attributes(text: str) -> dict[str, str]:
    """Return the `Attributes:` section of a docstring by name."""
    _, _, section = text.partition("Attributes:\n")
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        start = _ATTRIBUTE.match(line.strip()) if line.startswith("    ") and not line.startswith("     ") else None
        if start:
            name = start[1]
            found[name] = start[2]
        elif name and line.strip():
            found[name] += " " + line.strip()
    return found
