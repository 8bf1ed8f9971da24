"""A store that Rasa's own `SQLTrackerStore` wrote, taken over by the command, and read by our tracker store."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from rasa_privacy.cli import main
from tests.components.conftest import open_store, untouched
from tests.support.vaults import clock, privacy_text

if TYPE_CHECKING:
    from rasa_privacy.components.tracker_store import EncryptedTrackerStore

__all__ = ["clock", "open_store", "untouched"]
pytestmark = pytest.mark.rasa

WRITER = Path(__file__).parents[1] / "support" / "stock_writer.py"
ENDPOINTS = """\
tracker_store:
  type: rasa_privacy.EncryptedTrackerStore
  url: sqlite:///c.db
  keys: {provider: file, path: keys}
  privacy: privacy.yml
"""
DECLARED = """\
import:
  without_consent: drop
  consent:
    draw: {evidence: forms, given_by: everyone, at: 2020-01-01}
"""
LASTING = ("12 months", "90 days", "30 days")


@pytest.fixture
def written(tmp_path: Path, clock: Any) -> dict[str, list[list[dict[str, Any]]]]:
    """Return what Rasa's own store wrote and reads, by sender: all events, and those of the last session."""
    command = [sys.executable, str(WRITER), str(tmp_path / "rasa.db"), str(clock().timestamp() - 3600)]
    environment = {**os.environ, "RASA_TELEMETRY_ENABLED": "false"}
    made = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert made.returncode == 0, made.stderr[-2000:]
    shown: dict[str, list[list[dict[str, Any]]]] = json.loads(made.stdout)
    return shown


@pytest.fixture
def taken_over(tmp_path: Path, written: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command on it, in a bot that keeps whole texts."""
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS", raising=False)
    text = privacy_text("full")
    for length in LASTING:
        text = text.replace(length, "40 years")
    (tmp_path / "privacy.yml").write_text(text + DECLARED, encoding="utf-8")
    (tmp_path / "endpoints.yml").write_text(ENDPOINTS, encoding="utf-8")
    (tmp_path / "config.yml").write_text("{}", encoding="utf-8")
    (tmp_path / "domain.yml").write_text(
        "slots: {email: {type: any, mappings: [{type: from_entity, entity: email}]}}", encoding="utf-8"
    )
    arguments = ["import", "--from", f"sqlite:///{tmp_path}/rasa.db", "--bot", str(tmp_path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return written


async def test_what_rasa_wrote_is_read_back_equal(
    taken_over: dict[str, list[list[dict[str, Any]]]], open_store: Callable[..., "EncryptedTrackerStore"]
) -> None:
    """Every event, in the last session and in all, is what the stock store gives, timestamps to the bit."""
    store = open_store("full")
    assert sorted(await store.keys()) == sorted(taken_over)
    for sender, (every, last) in taken_over.items():
        full = await store.retrieve_full_tracker(sender)
        recent = await store.retrieve(sender)
        assert full is not None
        assert recent is not None
        assert [event.as_dict() for event in full.events] == every
        assert [event.as_dict() for event in recent.events] == last
        assert recent.get_slot("full_name") == full.get_slot("full_name") is not None


async def test_the_conversation_goes_on_in_the_new_store(
    taken_over: dict[str, list[list[dict[str, Any]]]],
    open_store: Callable[..., "EncryptedTrackerStore"],
    untouched: Any,
    tmp_path: Path,
) -> None:
    """A new turn is stored behind the old ones, and the next import recognises the person."""
    store = open_store("full")
    sender = "+49 170 1"
    tracker = await store.retrieve(sender)
    assert tracker is not None
    tracker.update(untouched.rasa_events.ActionExecuted("action_hours"))
    await store.save(tracker)
    full = await store.retrieve_full_tracker(sender)
    assert full is not None
    assert len(full.events) == len(taken_over[sender][0]) + 1
    (tmp_path / "privacy.yml").write_text(
        (tmp_path / "privacy.yml").read_text(encoding="utf-8") + DECLARED, encoding="utf-8"
    )
    result = CliRunner().invoke(main, ["import", "--from", f"sqlite:///{tmp_path}/rasa.db", "--bot", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "2  taken over before" in result.stdout
