"""`rasa-privacy operator` and `training`, and the other commands with a token."""

import re
import secrets
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

from rasa_privacy.access.course import questions
from rasa_privacy.access.labels import local_user
from rasa_privacy.cli import main
from rasa_privacy.policy.loader import load_policy
from rasa_privacy.storage.vault import open_vault
from tests.support.operators import Mailbox, cheap_hashes
from tests.support.vaults import PRIVACY, SENDER, Clock, give, grant, settings_in

Run = Callable[..., Result]

__all__ = ["cheap_hashes"]
pytestmark = pytest.mark.usefixtures("cheap_hashes")

_ROLES = """\
roles:
  dpo: {items: all, may: all, values: clear}
  clerk: {items: [email], purposes: [newsletter], may: [view]}
  medic: {items: [email], may: [view], break_glass: true}
"""
_TRAINING = "training: {course: data-handling, valid_for: 12 months}\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a command, with a token, in the folder of a bot with one subscriber."""
    monkeypatch.delenv("RASA_PRIVACY_TOKEN", raising=False)
    vault = open_vault(settings_in(tmp_path), Clock())
    grant(vault, "newsletter", "draw")
    give(vault, {"newsletter": {"email": "ana@x.example"}})
    vault.close()
    (tmp_path / "privacy.yml").write_text(PRIVACY + _ROLES)
    (tmp_path / "endpoints.yml").write_text(
        "tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  url: sqlite:///c.db\n"
        "  keys: {provider: file, path: keys}\n  privacy: privacy.yml\n"
    )

    def invoke(*arguments: str, token: str = "", lines: str | None = None) -> Result:
        environment = {"RASA_PRIVACY_TOKEN": token}
        return CliRunner(env=environment).invoke(main, [*arguments, "--bot", str(tmp_path)], input=lines)

    return invoke


def hired(run: Run, name: str, role: str, token: str = "") -> str:
    """Add an operator and return the token, which stands alone on the output."""
    done = run("operator", "add", name, "--role", role, token=token)
    assert done.exit_code == 0, done.output
    assert re.fullmatch(rf"rpo\.{name}\.[A-Za-z0-9_-]{{43}}\n", done.stdout)
    return done.stdout.strip()


def test_operators_are_added_listed_renewed_and_revoked(run: Run) -> None:
    """From the first one on, a token is needed for it."""
    assert "There are no operators" in run("operator", "list").output
    assert "needs a role that may 'operators'" in run("operator", "add", "carl", "--role", "clerk").output
    officer = hired(run, "olga", "dpo")
    refused = run("operator", "list")
    assert refused.exit_code == 2
    assert "set RASA_PRIVACY_TOKEN" in refused.output
    clerk = hired(run, "carl", "clerk", officer)
    assert "may 'operators'; privacy.yml says" in run("operator", "revoke", "olga", token=clerk).output
    shown = run("operator", "list", token=officer).output
    assert [line.split()[:2] for line in shown.splitlines()[1:]] == [["olga", "dpo"], ["carl", "clerk"]]
    renewed = run("operator", "token", "carl", "--days", "7", token=officer).stdout.strip()
    assert "not accepted" in run("consent", "show", "--sender-stdin", token=clerk, lines=SENDER).output
    assert run("consent", "show", "--sender-stdin", token=renewed, lines=SENDER).exit_code == 0
    assert run("operator", "revoke", "carl", token=officer).exit_code == 0
    assert "was revoked" in run("consent", "show", "--sender-stdin", token=renewed, lines=SENDER).output
    assert "revoked 20" in run("operator", "list", token=officer).output
    alone = run("operator", "revoke", "olga", token=officer)
    assert alone.exit_code == 2
    assert "'olga' is the last operator" in alone.output
    assert "'olga' is revoked" in run("operator", "revoke", "olga", "--last", token=officer).output
    lost = ["--break-glass", "--reason", "nobody else was left"]
    assert "rpo.paula." in run("operator", "add", "paula", "--role", "dpo", *lost).stdout


def test_commands_keep_to_the_role(run: Run) -> None:
    """A clerk of the newsletter sees nothing of the draw, and exports no addresses."""
    officer = hired(run, "olga", "dpo")
    clerk = hired(run, "carl", "clerk", officer)
    for command in ("show", "history"):
        shown = run("consent", command, "--sender-stdin", token=clerk, lines=SENDER)
        assert shown.exit_code == 0, shown.output
        assert "newsletter" in shown.output
        assert "draw" not in shown.output
    audience = ["audience", "--purpose", "newsletter", "--item", "email"]
    assert "may 'audience'" in run(*audience, token=clerk).output
    assert "need a reason" in run(*audience, token=officer).output
    done = run(*audience, "--reason", "spring mailing", token=officer)
    assert done.exit_code == 0, done.output
    assert "ana@x.example" in done.output


def test_a_role_that_was_taken_out_of_the_file_is_none(run: Run, tmp_path: Path) -> None:
    """Its operators may do nothing, and the list says why."""
    officer = hired(run, "olga", "dpo")
    clerk = hired(run, "carl", "clerk", officer)
    (tmp_path / "privacy.yml").write_text(PRIVACY + _ROLES.replace("clerk", "agent"))
    assert "may 'view'" in run("consent", "show", "--sender-stdin", token=clerk, lines=SENDER).output
    assert "role 'clerk' is not in privacy.yml" in run("operator", "list", token=officer).output


def test_breaking_the_glass_sends_a_mail(run: Run, tmp_path: Path) -> None:
    """To the contact of the controller, without a value; the review is somebody else's."""
    officer = hired(run, "olga", "dpo")
    medic = hired(run, "mia", "medic", officer)
    broken = ["consent", "revoke", "--sender-stdin", "--yes", "--break-glass", "--reason", "fire in the data centre"]
    endpoints = tmp_path / "endpoints.yml"
    endpoints.write_text(endpoints.read_text() + "privacy_sender: {type: tests.support.operators.Mailbox}\n")
    Mailbox.sent.clear()
    done = run(*broken, token=medic, lines=SENDER)
    assert done.exit_code == 0, done.output
    assert "The glass is broken: record" in done.output
    ((to, subject, text),) = Mailbox.sent
    assert (to, subject) == ("privacy@northwind.example", "Break-glass access to personal data")
    assert "Operator mia went beyond their role to do this: consent." in text
    assert "5558172" not in text
    waiting = run("audit", "review", token=officer)
    assert "1 wait for a review" in waiting.output
    number = re.search(r"^\s*(\d+)", waiting.output.splitlines()[1])
    assert number is not None
    assert run("audit", "review", number[1], "--reason", "there was a fire", token=officer).exit_code == 0
    assert "0 wait for a review" in run("audit", "review", token=officer).output


def test_without_a_sender_the_glass_breaks_all_the_same(run: Run) -> None:
    """Who has the machine may, when all tokens are lost; the terminal says that nobody was told by mail."""
    hired(run, "olga", "dpo")
    done = run("operator", "token", "olga", "--break-glass", "--reason", "all tokens are lost")
    assert done.exit_code == 0, done.output
    assert "No mail went out" in done.output
    assert run("operator", "list", token=done.stdout.strip()).exit_code == 0


def test_the_course_is_taken_at_the_terminal(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it nothing is shown; a failed attempt does not help, a passed one does, and the report says so."""
    assert "asks for no training" in run("training", "take").output
    (tmp_path / "privacy.yml").write_text(PRIVACY + _ROLES + _TRAINING)
    look = ["consent", "show", "--sender-stdin"]
    assert "'data-handling' was never passed" in run(*look, lines=SENDER).output
    read = load_policy(tmp_path / "privacy.yml")
    asked = questions(read, Random(7))  # noqa: S311 - the same questions each time
    monkeypatch.setattr(secrets, "SystemRandom", lambda: Random(7))  # noqa: S311 - as above
    ended = run("training", "take", lines="1\n2\n")
    assert ended.exit_code == 2
    assert "nobody is there to answer, so nothing was recorded; operators answer by themselves" in ended.output
    assert "Aborted" not in ended.output
    wrong = [(each.right + 1) % len(each.choices) + 1 for each in asked]
    failed = run("training", "take", lines="9\n" + "".join(f"{answer}\n" for answer in wrong))
    assert failed.exit_code == 1
    assert "9 is not in the range" in failed.output
    assert "0 of 10 are right; 80 % are needed." in failed.output
    assert f"It is: {asked[0].choices[asked[0].right]}" in failed.output
    assert run(*look, lines=SENDER).exit_code == 2
    assert run("training", "report").exit_code == 1
    passed = run("training", "take", lines="".join(f"{each.right + 1}\n" for each in asked))
    assert passed.exit_code == 0, passed.output
    assert "10 of 10 are right" in passed.output
    assert "Passed; valid for 12 months." in passed.output
    assert run(*look, lines=SENDER).exit_code == 0
    report = run("training", "report")
    assert report.exit_code == 0
    assert local_user() in report.output
    assert "current" in report.output
