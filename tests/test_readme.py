"""The README is true: each of its commands is run by a test, and its lines are those of the example bot."""

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from rasa_privacy.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()

#: Where each command of the README is run.
RUN_BY = {
    "make demo": "tests/e2e/test_demo.py",
    "make test": ".ci/run",
    "rasa-privacy init": "tests/e2e/test_new_builder.py",
    "rasa-privacy check": "tests/e2e/test_new_builder.py",
    "rasa-privacy leaktest": "tests/e2e/test_leaktest.py",
    "rasa train": "tests/e2e/test_new_builder.py",
    "rasa-privacy check --database": "tests/cli/test_check_database.py",
    "rasa-privacy keys status": "tests/cli/test_keys.py",
    "rasa-privacy database status": "tests/cli/test_check_database.py",
    "rasa-privacy audience --purpose newsletter --item email --out recipients.jsonl": "tests/cli/test_outreach.py",
    "rasa-privacy messages export --out nlu-new.yml": "tests/cli/test_messages.py",
    "rasa-privacy consent show --sender-stdin": "tests/cli/test_consent.py",
    "rasa-privacy consent receipt --sender-stdin --purpose newsletter": "tests/cli/test_consent.py",
    "rasa-privacy consent revoke --sender-stdin": "tests/cli/test_consent.py",
    "rasa-privacy consent stats": "tests/cli/test_consent.py",
    "rasa-privacy consent verify": "tests/cli/test_consent.py",
    "rasa-privacy consent public-key --out key.pem": "tests/cli/test_consent.py",
    "rasa-privacy consent export ledger.jsonl": "tests/cli/test_consent.py",
    "rasa-privacy consent import collected.jsonl": "tests/cli/test_consent.py",
    "rasa-privacy database grants": "tests/storage/test_grants.py",
    "rasa-privacy audit show": "tests/cli/test_audit.py",
    "rasa-privacy audit verify": "tests/cli/test_audit.py",
    "rasa-privacy audit export log.jsonl": "tests/cli/test_audit.py",
    "rasa-privacy requests list": "tests/cli/test_requests.py",
    "rasa-privacy requests due": "tests/cli/test_requests.py",
    "rasa-privacy requests stats": "tests/cli/test_requests.py",
    "rasa-privacy old-tables show": "tests/cli/test_old_tables.py",
    "rasa-privacy requests deliver": "tests/cli/test_requests.py",
    "rasa-privacy subject show --sender-stdin": "tests/cli/test_subject.py",
    "rasa-privacy subject erase --senders-file gone.txt": "tests/cli/test_subject.py",
    'rasa-privacy subject link --sender-stdin --reason "ticket 17"': "tests/cli/test_subject.py",
    'rasa-privacy subject export --sender-stdin --out copy.zip --reason "ticket 17"': "tests/cli/test_subject.py",
    "rasa-privacy identity index": "tests/cli/test_identity.py",
    "rasa-privacy hold add --sender-stdin --for case-17": "tests/cli/test_hold.py",
    "rasa-privacy rights certificate ER-7K2M-0QX4-ZB9T --out certificate.json": "tests/cli/test_rights.py",
    "rasa-privacy rights verify-certificate certificate.json --public-key key.pem": "tests/cli/test_rights.py",
    "rasa-privacy operator add olga --role dpo": "tests/cli/test_operator.py",
    "rasa-privacy training take": "tests/cli/test_operator.py",
    "rasa-privacy retention plan": "tests/cli/test_retention.py",
    "rasa-privacy retention run": "tests/cli/test_retention.py",
    "rasa-privacy retention explain --sender-stdin": "tests/cli/test_retention.py",
    "rasa-privacy review make": "tests/cli/test_review.py",
    "rasa-privacy review show": "tests/cli/test_review.py",
    "rasa-privacy review acknowledge review.json": "tests/cli/test_review.py",
    "rasa-privacy regulations list": "tests/cli/test_regulations.py",
    "rasa-privacy check --format sarif": "tests/cli/test_check_formats.py",
    "rasa-privacy api": "tests/cli/test_api.py",
    "rasa-privacy api --openapi": "tests/cli/test_api.py",
    "rasa-privacy status": "tests/cli/test_report.py",
    "rasa-privacy report": "tests/cli/test_report.py",
    "rasa-privacy breach scope --since 2026-11-20 --until 2026-11-23": "tests/cli/test_report.py",
    "rasa-privacy notice diff": "tests/cli/test_consent.py",
}


#: A command as text names it, in quotes or in a sentence, with the options that follow.
NAMED = re.compile(r"rasa-privacy(?: [a-z][\w-]*){1,2}(?:(?: [\w./:@-]+)* --[a-z-]+)*")
#: Every page, ready file and module (its messages, its help) that names one.
NAMING = [
    path
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "config").glob("*.*")])
    + sorted((ROOT / "rasa_privacy").rglob("*.py"))
    if NAMED.search(path.read_text())
]


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_every_command_of_the_readme_is_run_somewhere() -> None:
    """A command that no test runs is not in the README, and what is said to run it exists."""
    lines = [line for block in blocks("bash") for line in block.splitlines() if line.strip()]
    commands = {line.split("#")[0].strip() for line in lines}
    assert commands == set(RUN_BY)
    assert all((ROOT / path).is_file() for path in RUN_BY.values())


def asked_of_the_cli(line: str) -> tuple[click.Command, list[str]]:
    """Return the command that a line names, and the words after it; what is no command at all fails."""
    command: click.Command = main
    words = shlex.split(line)[1:]
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None, line
        command = found
    return command, words


@pytest.mark.parametrize("line", [line for line in RUN_BY if line.startswith("rasa-privacy")])
def test_every_command_of_the_readme_is_one_that_the_cli_takes(line: str) -> None:
    """Options and arguments are known, each that is required is there, and so is a choice's value."""
    command, words = asked_of_the_cli(line)
    context = click.Context(command)
    values, left, _ = command.make_parser(context).parse_args(words)
    assert not isinstance(command, click.Group)
    assert not left
    for each in command.params:
        assert not each.required or values.get(each.name) is not None, each.name
        if isinstance(each.type, click.Choice) and isinstance(values.get(each.name), str):
            each.type.convert(values[each.name], each, context)


@pytest.mark.parametrize("path", NAMING, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_that_are_named_anywhere_are_there_with_their_options(path: Path) -> None:
    """In the documents, in comments of the ready files, and in what the package says itself."""
    for line in NAMED.findall(path.read_text()):
        command, words = asked_of_the_cli(line)
        options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_make_demo_is_the_demo_command() -> None:
    """What `make demo` runs is what the demo's test runs."""
    planned = subprocess.run(["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert ".venv/bin/rasa-privacy demo" in [line.strip() for line in planned.splitlines()]


def test_lines_to_add_are_those_of_the_example_bot() -> None:
    """The store's block and the names in config.yml are the same in both."""
    config, endpoints = blocks("yaml")[0].split("# endpoints.yml")
    bot = ROOT / "example_bot"
    assert yaml.safe_load(endpoints) == yaml.safe_load((bot / "endpoints.yml").read_text())
    written, mine = yaml.safe_load(config), yaml.safe_load((bot / "config.yml").read_text())
    assert written["importers"] == mine["importers"]
    assert written["pipeline"] == mine["pipeline"][-1:]
    assert written["policies"] == mine["policies"][-1:]
    assert blocks("python")[0].splitlines()[-1] in (bot / "actions" / "__init__.py").read_text()


def test_links_of_the_readme_lead_somewhere() -> None:
    """Each relative link names a file or folder of the repository."""
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
