"""A new builder's ten minutes: the bot of `rasa init`, the lines that `rasa-privacy init` prints, and it talks.

The steps are those of the README, section "Add it to your bot". Only the number of training epochs is lowered.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import rasa.cli

from rasa_privacy.cli.rest import BotMessage
from rasa_privacy.cli.servers import BotServers, ServerPlan
from rasa_privacy.cli.training import train
from tests.e2e.harness import BUILD
from tests.e2e.search import Sink, assert_nowhere

pytestmark = [pytest.mark.e2e, pytest.mark.rasa, pytest.mark.soak]

COMMAND = str(Path(sys.executable).with_name("rasa-privacy"))
#: "# config.yml, anywhere at the left margin:" and the lines below it, to the next blank line.
_ADDITION = re.compile(r"^# (?P<file>[\w/.]+), (?P<where>[^\n]*):\n(?P<lines>.*?)\n(?=\n|\Z)", re.MULTILINE | re.DOTALL)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `rasa-privacy` in the bot's folder."""
    return subprocess.run([COMMAND, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def paste(folder: Path, printed: str) -> None:
    """Add the printed lines where they say."""
    for addition in _ADDITION.finditer(printed):
        path = folder / addition["file"]
        before = path.read_text() if path.exists() else ""
        for key in re.findall(r"^(pipeline|policies):", addition["lines"], re.MULTILINE):
            before = re.sub(rf"^{key}:.*$", "", before, flags=re.MULTILINE)
        lines = addition["lines"].replace("epochs: 100", "epochs: 12")
        path.write_text(f"{lines}\n\n{before}" if "top" in addition["where"] else f"{before}\n{lines}\n")


def text_of(messages: list[BotMessage]) -> str:
    """Return what the bot said in one turn."""
    return "\n".join(message.text for message in messages)


def test_bot_of_rasa_init_gets_its_privacy_in_the_steps_of_the_readme(tmp_path: Path) -> None:
    """init, paste, check, train, talk; and what a stranger says of themselves is nowhere to be read."""
    bot = tmp_path / "bot"
    shutil.copytree(Path(rasa.cli.__file__).parent / "initial_project", bot)
    printed = run(bot, "init")
    assert printed.returncode == 0, printed.stderr
    assert run(bot, "check").returncode == 1
    paste(bot, printed.stdout)
    policy = bot / "privacy.yml"
    policy.write_text(policy.read_text().replace("guards: []", "guards: [utter_cheer_up]"))
    checked = run(bot, "check")
    assert checked.returncode == 0, checked.stdout

    plan = ServerPlan(bot=bot, model=train(bot, BUILD / "models"), run_folder=tmp_path / "run", debug=True)
    with BotServers(plan) as servers:
        chat = servers.chat("490301234567")
        assert "how are you" in text_of(chat.say("hello")).lower()
        assert chat.say("STOP") != []
        chat.say("my mail is quilz.ravenz@canary.example")
        assert "this conversation" in text_of(chat.say("what do you know about me?"))
        chat.say("delete my data")
        assert "ER-" in text_of(chat.press("Yes, delete it"))
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix not in {".gz", ".pyc"}]
    assert any(path.name == "conversations.db" for path in written)
    sinks = [Sink(str(path.relative_to(tmp_path)), path.read_bytes()) for path in written]
    assert_nowhere(["quilz.ravenz@canary.example", "490301234567"], sinks)
