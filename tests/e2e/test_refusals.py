"""Refusals to start or to collect: what is missing or does not fit is said, and nothing falls back to memory.

In one process, with Rasa's own loading code and real trained models.
"""

import asyncio
import difflib
import logging
import shutil
import sqlite3
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa.core.agent import Agent, load_agent
from rasa.core.policies.ensemble import DefaultPolicyPredictionEnsemble
from rasa.core.tracker_store import InMemoryTrackerStore, TrackerStore
from rasa.core.utils import AvailableEndpoints
from rasa.engine.exceptions import GraphComponentException
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.utils.endpoints import EndpointConfig

from rasa_privacy import ConsentGate, ConsentPolicy, DataMinimizer, EncryptedTrackerStore
from rasa_privacy.cli.training import train
from rasa_privacy.components import runtime
from rasa_privacy.consent.ledger import Evidence, record_answer, record_asked
from rasa_privacy.consent.notice import Notice
from rasa_privacy.errors import (
    KeyProviderError,
    LedgerError,
    ModelMismatchError,
    PolicyError,
    PrivacyError,
    UnknownNameError,
)
from tests.e2e.harness import BUILD, EXAMPLE_BOT

pytestmark = [pytest.mark.e2e, pytest.mark.rasa]

#: The lines of DESIGN.md, section 5: what separates the example bot from a bot without privacy.
_LINES = {
    "config.yml": ["importers:", "- name: RasaFileImporter", "- name: rasa_privacy."],
    "endpoints.yml": [
        "tracker_store:",
        "type: rasa_privacy.",
        "url: sqlite:",
        "keys: {provider",
        "privacy: privacy.yml",
    ],
    "actions/__init__.py": ["import rasa_privacy.actions", '"rasa_privacy"'],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with the example bot's privacy.yml, and a process without a store."""
    shutil.copy(EXAMPLE_BOT / "privacy.yml", tmp_path / "privacy.yml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runtime, "_current", None)
    return tmp_path


@pytest.fixture(scope="module")
def plain_bot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example bot with the lines of DESIGN.md, section 5, removed."""
    folder = tmp_path_factory.mktemp("plain") / "bot"
    shutil.copytree(
        EXAMPLE_BOT, folder, ignore=shutil.ignore_patterns("privacy.yml", "keys", "*.db*", "models", ".rasa")
    )
    for name, starts in _LINES.items():
        path = folder / name
        kept = [line for line in path.read_text().splitlines() if not _is_ours(line, starts)]
        path.write_text("\n".join(kept) + "\n")
    return folder


def _is_ours(line: str, starts: list[str]) -> bool:
    return any(
        line.strip().removeprefix("- ").startswith(start.removeprefix("- ")) or start in line for start in starts
    )


def open_store() -> EncryptedTrackerStore:
    """Open the store in the working folder, as Rasa does from endpoints.yml."""
    config = EndpointConfig(
        url="sqlite:///conversations.db",
        type="rasa_privacy.EncryptedTrackerStore",
        keys={"provider": "file", "path": "keys"},
        privacy="privacy.yml",
    )
    store = TrackerStore.create(config)
    assert isinstance(store, EncryptedTrackerStore)
    return store


def say(agent: Agent, text: str, sender: str = "somebody") -> str:
    """Say something to an agent in this process and return what the bot said."""
    messages = asyncio.run(agent.handle_text(text, sender_id=sender)) or []
    return "\n".join(str(message.get("text")) for message in messages)


def test_example_bot_differs_from_a_plain_bot_by_the_documented_lines_only(plain_bot: Path) -> None:
    """Five lines in config.yml, the tracker store, one import, one file; nothing else was adapted."""
    for name in ("config.yml", "endpoints.yml", "actions/__init__.py"):
        mine, plain = ((root / name).read_text().splitlines() for root in (EXAMPLE_BOT, plain_bot))
        removed = [line[1:] for line in difflib.ndiff(mine, plain) if line.startswith("- ")]
        added = [line for line in difflib.ndiff(mine, plain) if line.startswith("+ ")]
        assert not added
        assert all(not line.strip() or _is_ours(line, _LINES[name]) for line in removed)
    assert "rasa_privacy" not in "".join(path.read_text() for path in plain_bot.rglob("*.yml"))


def test_plain_bot_trains_and_its_model_is_refused_by_our_store(plain_bot: Path, folder: Path) -> None:
    """The bot without the lines trains; served with our store, its model may not collect anything."""
    model = train(plain_bot, BUILD / "models")
    agent = Agent(tracker_store=open_store())
    with pytest.raises(ModelMismatchError, match="without rasa_privacy"):
        agent.load_model(model)
    with pytest.raises(ModelMismatchError, match="without rasa_privacy"):
        say(agent, "I want to enter the prize draw")
    assert folder.is_dir()


def test_model_without_the_gate_does_not_load(model: Path, folder: Path) -> None:
    """A graph whose ensemble is not the gate, or without the minimizer, is refused when the policy loads."""
    unpacked = folder / "unpacked"
    unpacked.mkdir()
    storage, metadata = LocalModelStorage.from_model_archive(unpacked, model)
    schema = metadata.predict_schema
    assert schema.nodes["select_prediction"].uses is ConsentGate
    for name, node in schema.nodes.items():
        if node.uses in (ConsentGate, DataMinimizer):
            ungated = replace(node, uses=DefaultPolicyPredictionEnsemble)
            context = ExecutionContext(GraphSchema({**schema.nodes, name: ungated}))
            with pytest.raises(ModelMismatchError, match="without the consent gate or the minimizer"):
                ConsentPolicy.load({}, storage, Resource("unused"), context)


def test_model_of_another_privacy_yml_is_refused(model: Path, folder: Path) -> None:
    """The message says what differs, and to train again."""
    declared = yaml.safe_load((folder / "privacy.yml").read_text())
    declared["purposes"]["prize_draw"]["recipients"] = ["Lottery Ltd"]
    (folder / "privacy.yml").write_text(yaml.safe_dump(declared))
    with pytest.raises(GraphComponentException) as caught:
        Agent(tracker_store=open_store()).load_model(model)
    assert isinstance(caught.value.__cause__, ModelMismatchError)
    assert "run 'rasa train'" in str(caught.value.__cause__)
    assert "prize_draw.recipients" in str(caught.value.__cause__)


def test_refused_model_leaves_a_server_that_answers_nobody(model: Path, folder: Path) -> None:
    """Rasa logs a model that does not load and goes on; what goes on has no processor and collects nothing."""
    (folder / "privacy.yml").write_text((folder / "privacy.yml").read_text().replace("90 days", "91 days"))
    endpoints = AvailableEndpoints(tracker_store=_endpoint())
    agent = asyncio.run(load_agent(model_path=str(model), endpoints=endpoints))
    assert not agent.is_ready()


def _endpoint(**changes: Any) -> EndpointConfig:
    settings = {
        "url": "sqlite:///conversations.db",
        "type": "rasa_privacy.EncryptedTrackerStore",
        "keys": {"provider": "file", "path": "keys"},
        "privacy": "privacy.yml",
    }
    return EndpointConfig(**{**settings, **changes})


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"type": "rasa_privacy.EncryptedTrackerStoer"}, UnknownNameError, "did you mean"),
        ({"privacy": "missing.yml"}, PolicyError, "missing.yml"),
        ({"keys": {"provider": "vault"}}, PrivacyError, "'path' is missing"),
        ({"keyz": {}}, PrivacyError, "keys"),
        ({"url": "mongodb://somewhere"}, PrivacyError, "no database URL"),
        ({"url": None}, PrivacyError, "url"),
    ],
)
def test_wrong_store_settings_stop_the_server(
    folder: Path, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    """Each is an error when the server starts, and never a silent in-memory store."""
    with pytest.raises(error, match=words):
        asyncio.run(load_agent(endpoints=AvailableEndpoints(tracker_store=_endpoint(**changes))))
    assert not list(folder.glob("*.db"))


def test_missing_and_wrong_keys_stop_the_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database is never opened with a new key, nor with another one's."""
    open_store()
    (folder / "keys").rename(folder / "mine")
    with pytest.raises(KeyProviderError, match="backup"):
        open_store()
    assert not (folder / "keys").exists() or not list((folder / "keys").iterdir())
    other = folder / "other"
    other.mkdir()
    shutil.copy(folder / "privacy.yml", other)
    monkeypatch.chdir(other)
    open_store()
    monkeypatch.chdir(folder)
    shutil.rmtree(folder / "keys", ignore_errors=True)
    shutil.copytree(other / "keys", folder / "keys")
    with pytest.raises(KeyProviderError, match="not the one"):
        open_store()


def test_forged_consent_stops_the_server(folder: Path) -> None:
    """A refusal that somebody turned into a grant with plain SQL is found by the chain."""
    store = open_store()
    notice = Notice("prize_draw", "v", "en", "May we?")
    evidence = Evidence("button", "rest", "en", datetime.now(timezone.utc))
    with store._vault.database.write() as connection:
        subject_id = store._vault.subjects.find_or_create(connection, "somebody", evidence.at)
        record_asked(store._vault, connection, subject_id, notice, evidence)
        record_answer(store._vault, connection, subject_id, "prize_draw", granted=False, evidence=evidence)
    with sqlite3.connect(folder / "conversations.db") as database:
        database.execute("UPDATE ledger_kinds SET event = 'granted' WHERE event = 'refused'")
    with pytest.raises(LedgerError):
        open_store()


def test_key_that_others_can_read_stops_the_server(folder: Path) -> None:
    """The message names the file and the command."""
    open_store()
    key = next((folder / "keys").iterdir())
    key.chmod(0o644)
    with pytest.raises(KeyProviderError, match="chmod"):
        open_store()


def test_misspelt_module_leads_to_a_closed_gate_and_not_to_collection(
    model: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Rasa takes an unknown module for a reason to store in memory; our model then collects nothing and says so."""
    caplog.set_level(logging.ERROR)
    store = TrackerStore.create(_endpoint(type="rasa_privcy.EncryptedTrackerStore"))
    assert isinstance(store, InMemoryTrackerStore)
    agent = Agent(tracker_store=store)
    agent.load_model(model)
    assert "not available" in say(agent, "I want to enter the prize draw")
    assert "10 am" in say(agent, "when are you open?")
    say(agent, "my email is quilaaa@canary.example")
    tracker = asyncio.run(store.retrieve("somebody"))
    assert tracker is not None
    assert tracker.get_slot("email") is None
    assert any("no encrypted tracker store" in record.getMessage() for record in caplog.records)
    assert folder.is_dir()


def test_storage_error_in_a_turn_does_not_fall_back_to_memory(model: Path, folder: Path) -> None:
    """When the database is gone for good the person is told so; nothing is kept in plain in the process."""
    store = open_store()
    agent = Agent(tracker_store=store)
    agent.load_model(model)
    assert agent.tracker_store is store
    store._vault.database.close()
    for path in folder.glob("conversations.db*"):
        path.unlink()
    (folder / "conversations.db").mkdir()
    assert "the protected store is not available" in say(agent, "hello")
    assert [path.name for path in folder.glob("conversations.db*")] == ["conversations.db"]


def test_a_domain_with_unclassified_slots_stops_training(folder: Path) -> None:
    """The importer lists the slots that are neither items nor not_personal."""
    from rasa.shared.exceptions import RasaException  # noqa: PLC0415 - beside its use

    from rasa_privacy import PrivacyImporter  # noqa: PLC0415 - as above

    bot = folder / "bot"
    shutil.copytree(EXAMPLE_BOT, bot, ignore=shutil.ignore_patterns("keys", "*.db*", "models", ".rasa"))
    domain = Domain.from_file(str(bot / "domain.yml")).as_dict()
    domain["slots"]["shoe_size"] = {"type": "text", "mappings": [{"type": "from_text"}]}
    (bot / "domain.yml").write_text(yaml.safe_dump(domain))
    importer = PrivacyImporter(str(bot / "config.yml"), str(bot / "domain.yml"), [str(bot / "data")])
    with pytest.raises(RasaException, match="shoe_size"):
        importer.get_domain()
