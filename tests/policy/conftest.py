"""A small policy and a small bot that are right, for tests that then break one thing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rasa_privacy.errors import PolicyError
from rasa_privacy.policy.loader import parse_policy

POLICY = """\
version: 1
controller: {name: Northwind Outdoor, contact: privacy@northwind.example, policy_url: https://northwind.example/privacy}
languages: [en]
items:
  full_name: {slot: full_name, entity: PERSON, category: name}
  email: {slot: email, entity: email, detect: email}
not_personal: [favourite_activity]
messages: {keep: masked, retain: 30 days}
purposes:
  prize_draw:
    says: {en: to enter you in the draw}
    basis: consent
    items: {full_name: required, email: optional}
    guards: [lead_form]
    retain: 90 days
"""

FILES = {
    "privacy.yml": POLICY,
    "domain.yml": """\
entities: [PERSON, email]
slots:
  full_name: {type: text, mappings: [{type: from_text}]}
  email: {type: text, mappings: [{type: from_entity, entity: email}]}
  favourite_activity: {type: text, mappings: [{type: from_entity, entity: activity}]}
forms:
  lead_form: {required_slots: [full_name, email]}
actions: [action_submit_entry]
responses:
  utter_greet: [{text: Hello}]
""",
    "config.yml": """\
language: en
importers: [{name: RasaFileImporter}, {name: rasa_privacy.PrivacyImporter}]
pipeline:
  - name: WhitespaceTokenizer
  - name: rasa_privacy.DataMinimizer
policies:
  - name: RulePolicy
  - name: rasa_privacy.ConsentPolicy
""",
    "endpoints.yml": """\
tracker_store:
  type: rasa_privacy.EncryptedTrackerStore
  url: sqlite:///conversations.db
  keys: {provider: file, path: keys}
  privacy: privacy.yml
action_endpoint: {url: "http://localhost:5055/webhook"}
""",
    "actions/__init__.py": "import rasa_privacy.actions\n",
}


@pytest.fixture
def policy_text() -> str:
    """Return a privacy.yml that is right."""
    return POLICY


@pytest.fixture
def complaint() -> Callable[[str], str]:
    """Return a function that loads a text as `privacy.yml` and returns the error's message."""

    def load(text: str) -> str:
        with pytest.raises(PolicyError) as caught:
            parse_policy(text, "privacy.yml")
        return str(caught.value)

    return load


@pytest.fixture
def bot_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a bot in which there is nothing to mend."""
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS", raising=False)
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path
