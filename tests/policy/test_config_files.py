"""The files under `config/` are for people to copy, so they load and show everything."""

from pathlib import Path

import msgspec

from rasa_privacy.policy import model
from rasa_privacy.policy.crosschecks import DETECTOR_NAMES
from rasa_privacy.policy.loader import load_policy
from rasa_privacy.policy.settings import load_settings

CONFIG = Path(__file__).parents[2] / "config"


def test_the_annotated_policy_shows_every_option() -> None:
    """Each field of the model stands in the file, and each is set or its values are explained."""
    text = (CONFIG / "privacy.yml").read_text(encoding="utf-8")
    policy = load_policy(CONFIG / "privacy.yml")
    for struct in (model.Policy, model.Controller, model.Item, model.Messages, model.Purpose, model.Role, model.First):
        for field in msgspec.structs.fields(struct):
            assert f"{field.name}:" in text, f"{struct.__name__}.{field.name}"
    assert all(policy.purposes_using(item) for item in policy.items)
    assert all(name in text for name in DETECTOR_NAMES)


def test_the_sqlite_endpoints_load() -> None:
    """The block can be copied as it stands."""
    settings = load_settings(CONFIG / "endpoints.sqlite.yml")
    assert settings.url == "sqlite:///conversations.db"
    assert settings.keys.provider == "file"
