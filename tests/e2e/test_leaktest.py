"""`rasa-privacy leaktest` on the example bot as it is, and on one whose action leaks."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.cli.run_folder import copy_bot
from tests.e2e.harness import EXAMPLE_BOT

pytestmark = [pytest.mark.e2e]

COMMAND = str(Path(sys.executable).with_name("rasa-privacy"))
LEAKS = """
import base64, tempfile
from pathlib import Path

def _leak(tracker):
    email, name = tracker.get_slot("email"), tracker.get_slot("full_name")
    if email and name:
        print("entry of", email, flush=True)
        Path("entries.txt").write_text(f"{email}\\n", encoding="utf-16-le")
        Path(tempfile.gettempdir(), "entry").write_bytes(base64.b64encode(b"n:" + name.encode()))

_run = ActionSubmitEntry.run

def _leaking(self, dispatcher, tracker, domain):
    _leak(tracker)
    return _run(self, dispatcher, tracker, domain)

ActionSubmitEntry.run = _leaking
"""


def leaktest(bot: Path, model: Path) -> tuple[int, dict[str, Any]]:
    """Run the command and return its exit code and its JSON."""
    command = [COMMAND, "leaktest", "--bot", str(bot), "--model", str(model), "--json", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400)
    assert done.stdout, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, result


def test_the_example_bot_leaks_nothing(model: Path) -> None:
    """Everything was said, kept and deleted, and nothing of it is readable anywhere."""
    code, report = leaktest(EXAMPLE_BOT, model)
    assert report["leaks"] == []
    assert (code, report["clean"], report["remained"]) == (0, True, 0)
    assert (report["unsaid"], report["not_held"], report["unreached"]) == ([], [], [])
    assert all(report["doors"][door] for door in ("store", "logs", "broker", "actions", "model"))
    assert len(report["items"]) == 7


def test_an_action_that_leaks_is_found_out(model: Path, tmp_path: Path) -> None:
    """It prints an address, writes it to a file beside the bot, and a name in base64 to a temporary file."""
    bot = copy_bot(EXAMPLE_BOT, tmp_path / EXAMPLE_BOT.name)
    with (bot / "actions" / "campaign.py").open("a", encoding="utf-8") as source:
        source.write(LEAKS)
    code, report = leaktest(bot, model)
    assert code == 1
    found = {(leak["item"], leak["door"], leak["form"]) for leak in report["leaks"]}
    assert found == {("email", "logs", "plain"), ("email", "files", "utf-16"), ("full_name", "temp", "base64")}
    assert {leak["place"] for leak in report["leaks"]} == {"run/actions.log", "bot/entries.txt", "tmp/entry"}
    shutil.rmtree(bot)
