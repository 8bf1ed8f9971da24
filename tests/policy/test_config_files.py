"""The files under `config/` are for people to copy, so they load and show everything."""

from dataclasses import fields
from pathlib import Path

import msgspec
import pytest

from rasa_privacy.policy import model
from rasa_privacy.policy.block import Block
from rasa_privacy.policy.broker_settings import broker_block, wrapped_broker
from rasa_privacy.policy.detector_names import DETECTOR_NAMES, PRESIDIO_NAMES
from rasa_privacy.policy.key_settings import _OPTIONS, KEY_PROVIDERS
from rasa_privacy.policy.loader import load_policy
from rasa_privacy.policy.opendsr_settings import IDENTITIES, load_opendsr_settings
from rasa_privacy.policy.operations import HandOver
from rasa_privacy.policy.sender_settings import SmtpSettings, load_sender_settings
from rasa_privacy.policy.settings import load_settings

CONFIG = Path(__file__).parents[2] / "config"


def test_the_annotated_policy_shows_every_option() -> None:
    """Each field of the model stands in the file, and each is set or its values are explained."""
    text = (CONFIG / "privacy.yml").read_text(encoding="utf-8")
    policy = load_policy(CONFIG / "privacy.yml")
    structs = Block.__subclasses__()
    assert {model.Policy, HandOver} < {*structs}
    for struct in structs:
        for field in msgspec.structs.fields(struct):
            assert f"{field.encode_name}:" in text, f"{struct.__name__}.{field.name}"
    assert all(policy.purposes_using(item) for item in policy.items)
    assert all(name in text for name in (*DETECTOR_NAMES, *PRESIDIO_NAMES))


def test_the_sqlite_endpoints_load() -> None:
    """The block can be copied as it stands."""
    settings = load_settings(CONFIG / "endpoints.sqlite.yml")
    assert settings.url == "sqlite:///conversations.db"
    assert settings.keys.provider == "file"


@pytest.mark.parametrize("file", sorted(CONFIG.glob("endpoints.*.yml")), ids=lambda file: file.name)
def test_each_example_of_endpoints_loads(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An example loads once its variables are set, and no password of them is shown."""
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    monkeypatch.setenv("BROKER_PASSWORD", "hunter2")
    monkeypatch.setenv("MAIL_PASSWORD", "hunter2")
    settings = load_settings(file)
    assert "hunter2" not in repr(settings)
    assert "${" not in settings.url + (settings.keys.url or "")


def test_the_double_opt_in_example_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """The block names a mail server, and its password stays out of sight."""
    monkeypatch.setenv("MAIL_PASSWORD", "hunter2")
    settings = load_sender_settings(CONFIG / "endpoints.double-opt-in.yml")
    assert isinstance(settings, SmtpSettings)
    assert (settings.host, settings.port, settings.security) == ("mail.northwind.example", 587, "starttls")
    assert "hunter2" not in repr(settings)


def test_the_event_broker_example_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """The block names the broker to publish through."""
    monkeypatch.setenv("BROKER_PASSWORD", "hunter2")
    block = broker_block(CONFIG / "endpoints.event-broker.yml")
    assert wrapped_broker(block, "endpoints.yml")["type"] == "pika"


def test_the_api_example_shows_every_key() -> None:
    """The block names domain, certificate and callbacks, and each key is set."""
    settings = load_opendsr_settings(CONFIG / "endpoints.api.yml")
    assert settings is not None
    text = (CONFIG / "endpoints.api.yml").read_text(encoding="utf-8")
    assert [each.name for each in fields(settings) if f"    {each.name}: " not in text] == []
    assert all(name in text for name in IDENTITIES)


@pytest.mark.parametrize("provider", KEY_PROVIDERS)
def test_each_key_provider_has_an_example_with_every_option(provider: str) -> None:
    """What can be written under `keys` stands in an example, set or explained."""
    text = (CONFIG / f"endpoints.{'sqlite' if provider == 'file' else provider}.yml").read_text(encoding="utf-8")
    assert f"provider: {provider}\n" in text
    assert [name for name in _OPTIONS[provider] if f"    {name}: " not in text and f"    # {name}: " not in text] == []
