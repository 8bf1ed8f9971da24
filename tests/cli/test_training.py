import subprocess
import sys
from pathlib import Path

import pytest

from rasa_privacy.cli.training import fingerprint, model_path, train
from rasa_privacy.errors import ConfigurationError, ServerError

# A fingerprint names the version of Rasa that is installed.
pytestmark = pytest.mark.rasa

#: Stands in for Rasa: found first, because `python -m` looks in the current directory, which is the bot's folder.
_RASA = """
import os, sys, time
from pathlib import Path
with open("trainings", "a") as count:
    count.write(os.environ["RASA_TELEMETRY_ENABLED"] + "\\n")
time.sleep(0.3)
arguments = sys.argv
out = Path(arguments[arguments.index("--out") + 1])
(out / (arguments[arguments.index("--fixed-model-name") + 1] + ".tar.gz")).write_text("model")
"""
_TRAIN = """
import sys
from pathlib import Path
from rasa_privacy.cli.training import train
print(train(Path(sys.argv[1]), Path(sys.argv[2])))
"""


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    """A bot folder with a stand-in for Rasa that trains in a moment and counts how often."""
    folder = tmp_path / "little_bot"
    for name, text in {
        "config.yml": "language: en",
        "data/nlu.yml": "nlu: []",
        "rasa/__init__.py": "",
        "rasa/__main__.py": _RASA,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_an_unchanged_bot_is_trained_once(bot: Path, tmp_path: Path) -> None:
    """The second call returns the first call's model."""
    model = train(bot, tmp_path / "models")
    assert train(bot, tmp_path / "models") == model
    assert model.read_text() == "model"
    assert _trainings(bot) == ["false"]


@pytest.mark.parametrize(
    "name", ["config.yml", "data/nlu.yml", "data/new/rules.yml", "domain.yml", "privacy.yml", "domain/a.yml"]
)
def test_a_change_of_what_goes_into_the_model_trains_again(bot: Path, tmp_path: Path, name: str) -> None:
    """A new or changed ingredient gives another model."""
    before = train(bot, tmp_path / "models")
    (bot / name).parent.mkdir(exist_ok=True)
    (bot / name).write_text("changed: true")
    assert train(bot, tmp_path / "models") != before
    assert len(_trainings(bot)) == 2


def test_what_does_not_go_into_the_model_does_not_count(bot: Path) -> None:
    """Actions and databases may change without a training."""
    before = fingerprint(bot)
    (bot / "actions.py").write_text("changed = True")
    (bot / "conversations.db").write_text("changed")
    assert fingerprint(bot) == before


def test_moving_content_between_files_changes_the_fingerprint(bot: Path) -> None:
    """The fingerprint covers which file says what."""
    before = fingerprint(bot)
    (bot / "data" / "nlu.yml").rename(bot / "data" / "other.yml")
    assert fingerprint(bot) != before


def test_two_processes_at_once_train_once(bot: Path, tmp_path: Path) -> None:
    """The second waits for the first and takes its model."""
    command = [sys.executable, "-c", _TRAIN, str(bot), str(tmp_path / "models")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    models = {process.communicate(timeout=60)[0] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert models == {f"{model_path(bot, tmp_path / 'models')}\n"}
    assert len(_trainings(bot)) == 1


def test_a_failed_training_shows_the_end_of_its_log_and_leaves_no_model(bot: Path, tmp_path: Path) -> None:
    """The message names the bot, the exit code and the cause that Rasa printed."""
    (bot / "rasa" / "__main__.py").write_text("raise SystemExit('slot nickname is unknown')")
    with pytest.raises(
        ServerError, match=r"(?s)little_bot: training ended with exit code 1 .*slot nickname is unknown"
    ):
        train(bot, tmp_path / "models")
    assert list((tmp_path / "models").glob("*.tar.gz")) == []


def test_only_the_last_models_of_a_bot_are_kept(bot: Path, tmp_path: Path) -> None:
    """Old models are removed, and the newest and another bot's are not."""
    other = tmp_path / "models" / "other_bot-0123456789abcdef.tar.gz"
    other.parent.mkdir()
    other.write_text("model")
    for number in range(6):
        (bot / "config.yml").write_text(f"version: {number}")
        newest = train(bot, tmp_path / "models")
    assert newest.is_file()
    assert other.is_file()
    assert len(list(newest.parent.glob("little_bot-*.tar.gz"))) == 4


def test_a_folder_that_is_no_bot_is_refused(tmp_path: Path) -> None:
    """The message says what is missing and which option to use."""
    with pytest.raises(ConfigurationError, match=r"no config\.yml here; .* --bot"):
        train(tmp_path, tmp_path / "models")


def _trainings(bot: Path) -> list[str]:
    return (bot / "trainings").read_text().split()
