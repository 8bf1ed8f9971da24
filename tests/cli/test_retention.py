"""`rasa-privacy retention`: a preview, the sweep and its record, and the explanation for one person."""

import os
import re
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from click import Context
from click.testing import CliRunner, Result

from rasa_privacy.cli import main
from rasa_privacy.cli.review import make
from rasa_privacy.policy.settings import load_settings
from rasa_privacy.retention.lease import LEASE_LENGTH
from rasa_privacy.retention.runs import LEASE
from rasa_privacy.storage import leases
from rasa_privacy.storage.vault import Vault, open_vault, utc_now
from tests.support.vaults import PRIVACY, give, grant

CONFIG = Path(__file__).parents[2] / "config"
ENDPOINTS = """\
tracker_store:
  type: rasa_privacy.EncryptedTrackerStore
  url: sqlite:///c.db
  keys: {provider: file, path: keys}
  privacy: privacy.yml
"""


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a bot with three people, of whom two are due."""
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "privacy.yml").write_text(PRIVACY, encoding="utf-8")
    (tmp_path / "endpoints.yml").write_text(ENDPOINTS, encoding="utf-8")
    past = utc_now() - timedelta(days=2)
    with closing(open_vault(load_settings(tmp_path / "endpoints.yml"), lambda: past)) as vault:
        grant(vault, "draw", sender="stays")
        give(vault, {"draw": {"full_name": "Ada Lovelace"}}, "stays")
        give(vault, {}, "one")
        give(vault, {}, "two")
    return tmp_path


def run(*arguments: str, given: str | None = None) -> Result:
    """Run a subcommand as a person would."""
    return CliRunner().invoke(main, ["retention", *arguments], input=given)


def in_store(bot: Path, work: Callable[[Vault], object]) -> object:
    """Do something with the bot's store."""
    with closing(open_vault(load_settings(bot / "endpoints.yml"))) as vault:
        return work(vault)


@pytest.mark.usefixtures("bot")
def test_plan_previews_and_removes_nothing() -> None:
    """Twice the same numbers; and more of them for a later day."""
    shown = run("plan")
    assert shown.exit_code == 0, shown.output
    assert "service: 2 people (messages.retain: 30 days; 24 hours without any consent)" in shown.output
    assert "nothing would be left of 2 people" in shown.output
    assert "The next is due on" in shown.output
    assert run("plan").output == shown.output
    assert "nothing would be left of 3 people" in run("plan", "--at", "2099-01-01").output


def test_run_removes_what_the_plan_said_and_records_it(bot: Path) -> None:
    """Two people go, the third stays, and the audit log has one record with the counts."""
    done = run("run", "--reason", "spring clean")
    assert done.exit_code == 0, done.output
    assert "nothing is left of 2 people. Looked again: 0 left of what was due." in done.output
    assert "nothing would be left of 0 people" in run("plan").output

    def records(vault: Vault) -> list[tuple[str, str, dict[str, int]]]:
        with vault.database.read() as connection:
            found = [entry.record for entry in vault.audit.entries(connection) if entry.record.verb == "retention"]
        return [(each.reason, each.outcome, dict(each.counts)) for each in found]

    assert in_store(bot, records) == [("spring clean", "done", {"people": 2, "purposes": 2, "left": 0})]


def test_run_waits_for_nobody_on_a_file(bot: Path) -> None:
    """While another process sweeps the file, it says so and exits with 2."""

    def take(vault: Vault) -> None:
        with vault.database.write() as connection:
            leases.take(connection, LEASE, os.urandom(16), vault.clock(), LEASE_LENGTH)

    in_store(bot, take)
    refused = run("run")
    assert refused.exit_code == 2
    assert "another process sweeps" in refused.output


def test_what_is_damaged_is_left_and_said(bot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1 where something that was due could not be removed."""

    def count(*_: object) -> int:
        return 7

    monkeypatch.setattr("rasa_privacy.storage.due_keys.DueKeys.count", count)
    assert run("run").exit_code == 1
    assert bot.exists()


def test_run_says_how_much_is_put_off(bot: Path) -> None:
    """Of who told something 40 days ago the conversation is due, and a value that stays for 90 days hangs on it."""
    past = utc_now() - timedelta(days=40)
    with closing(open_vault(load_settings(bot / "endpoints.yml"), lambda: past)) as vault:
        grant(vault, "draw", sender="older")
        give(vault, {"draw": {"full_name": "Grace Hopper"}}, "older")
    said = "Put off by a day, as values hang on it or for a legal hold: 1. "
    assert said in run("run").output
    assert "Put off" not in run("run").output


@pytest.mark.usefixtures("bot")
def test_explain_says_why_and_shows_no_value() -> None:
    """Item by item, with the rule; the sender comes by standard input and is not echoed."""
    shown = run("explain", "--sender-stdin", given="stays\n")
    assert shown.exit_code == 0, shown.output
    assert re.search(r"full_name: until \d{4}-\d\d-\d\d \d\d:\d\d, for draw \(retain: 90 days", shown.output)
    assert "Ada" not in shown.output
    assert "stays" not in shown.output
    assert run("explain", "nobody").exit_code == 2


def test_timers_in_config_run_the_command() -> None:
    """What config/ has for cron, systemd and Kubernetes names the command and options that there are."""
    cron = (CONFIG / "retention.cron").read_text()
    service = (CONFIG / "retention.service").read_text()
    job = yaml.safe_load((CONFIG / "retention.kubernetes.yml").read_text())
    command = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"]
    assert command[:4] == ["rasa-privacy", "retention", "run", "--gently"]
    assert "rasa-privacy retention run --gently" in cron
    review = (CONFIG / "review.service").read_text()
    assert all("rasa-privacy review make --when-due" in timer for timer in (cron, review))
    # A sweep that leaves something exits with 1; what follows it in the same service or line would not run.
    for text in (service, review):
        assert text.count("ExecStart=") == 1
    assert not any("retention run" in line and "review make" in line for line in cron.splitlines())
    assert "OnCalendar=" in (CONFIG / "review.timer").read_text()
    job = yaml.safe_load((CONFIG / "review.kubernetes.yml").read_text())
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    command = pod["containers"][0]["command"]
    assert command[:4] == ["rasa-privacy", "review", "make", "--when-due"]
    kept = [each["mountPath"] for each in pod["containers"][0]["volumeMounts"]]
    assert str(Path(command[command.index("--out") + 1]).parent) in kept  # for who acknowledges it
    assert set(make.make_parser(Context(make)).parse_args(command[3:])[0]) == {"when_due", "out", "bot"}
    assert "ExecStart=/srv/bot/.venv/bin/rasa-privacy retention run --gently" in service
    assert "OnCalendar=hourly" in (CONFIG / "retention.timer").read_text()
    assert "--gently" in run("run", "--help").output
    assert "--when-due" in CliRunner().invoke(main, ["review", "make", "--help"]).output
