"""The command itself: quick to answer, clear when something is wrong."""

import json
import resource
import statistics
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from rasa_privacy.cli import COMMANDS, main
from rasa_privacy.errors import KeyProviderError


def test_help_lists_the_commands_without_importing_them() -> None:
    """The list is shown, and neither a subcommand's module nor anything heavy is imported for it."""
    code = (
        "import sys; sys.argv = ['rasa-privacy', '--help']\n"
        "from rasa_privacy.cli import main\n"
        "main(standalone_mode=False)\n"
        "heavy = {'rasa', 'tensorflow', 'sqlalchemy', 'yaml', 'msgspec', 'rich', 'cryptography', 'phonenumbers'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))\n"
        "print('OURS', sorted(name for name in sys.modules if name.startswith('rasa_privacy.cli.')))\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert all(f"  {name} " in shown for name in COMMANDS)
    assert "HEAVY []" in shown
    assert "OURS []" in shown


def test_help_answers_at_once() -> None:
    """The median of five runs stays within 300 ms of processor time; `make bench` measures the budget of 150 ms."""
    command = [sys.executable, "-c", "from rasa_privacy.cli import main; main(['--help'])"]
    times = []
    for _ in range(5):
        before = _children_seconds()
        subprocess.run(command, capture_output=True, check=True)
        times.append(_children_seconds() - before)
    assert statistics.median(times) < 0.300


def _children_seconds() -> float:
    """Return the processor time of finished child processes, in seconds; other load does not disturb it."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_every_command_is_there() -> None:
    """Each name in the list leads to a command with a help text that says what the list says."""
    for name, (module, _, line) in COMMANDS.items():
        if find_spec(module) is not None:
            command = main.get_command(click.Context(main), name)
            assert command is not None
            assert command.help
        assert line.endswith(".")


def test_an_unknown_command_is_named() -> None:
    """A misspelt command is an error of usage."""
    result = CliRunner().invoke(main, ["chek"])
    assert result.exit_code == 2
    assert "chek" in result.output


def test_a_deliberate_error_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any error of our tree becomes its message and exit code 2, never a traceback."""

    @click.command()
    def broken() -> None:
        raise KeyProviderError("keys: the key file is missing; put it back")

    monkeypatch.setattr("rasa_privacy.cli.schema.schema", broken)
    result = CliRunner().invoke(main, ["schema"])
    assert result.exit_code == 2
    assert result.stderr == "Error: keys: the key file is missing; put it back\n"


def test_the_schema_is_printed_as_json(tmp_path: Path) -> None:
    """The output can be written to a file as it is."""
    result = CliRunner().invoke(main, ["schema"])
    (tmp_path / "privacy.schema.json").write_text(result.stdout, encoding="utf-8")
    assert json.loads(result.stdout)["$ref"] == "#/$defs/Policy"


def test_the_version_is_shown() -> None:
    """People who report a problem can say which release they have."""
    assert "rasa-privacy, version" in CliRunner().invoke(main, ["--version"]).output
