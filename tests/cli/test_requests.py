"""`rasa-privacy requests` on a real store."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from click.testing import CliRunner, Result

from rasa_privacy.access.labels import local_user
from rasa_privacy.cli import main
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.requests import open_request
from rasa_privacy.storage.vault import open_vault
from tests.support.vaults import SENDER, evidence, give, grant, settings_in

Run = Callable[..., Result]
NUMBER = re.compile(r"RQ(-[0-9A-HJKMNP-TV-Z]{4}){3}")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs a command in the folder of a bot with one person."""
    vault = open_vault(settings_in(tmp_path))
    grant(vault, "draw")
    vault.close()
    (tmp_path / "endpoints.yml").write_text(
        "tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  url: sqlite:///c.db\n"
        "  keys: {provider: file, path: keys}\n  privacy: privacy.yml\n"
    )

    def invoke(*arguments: str, lines: str | None = None, fails: int = 0) -> Result:
        done = CliRunner().invoke(main, ["requests", *arguments, "--bot", str(tmp_path)], input=lines)
        assert done.exit_code == fails, done.output
        assert SENDER not in done.output
        return done

    return invoke


@pytest.fixture
def number(run: Run) -> str:
    """Return the number of a request that came by letter."""
    opened = run("open", "--kind", "access", "--sender-stdin", lines=f"{SENDER}\n")
    found = NUMBER.search(opened.output)
    assert found is not None
    return found[0]


def overdue(folder: Path) -> str:
    """Open a request two months ago, and return its number."""
    vault = open_vault(settings_in(folder))
    long_ago = datetime.now(timezone.utc) - timedelta(days=60)
    opened = vault.database.transact(lambda conn: open_request(vault, conn, "erasure", None, long_ago))
    vault.close()
    return opened.number


def test_a_request_from_a_letter_is_answered(run: Run, number: str) -> None:
    """Opened, taken, extended with notice, completed; the list and its history say so."""
    assert "in_progress" in run("take", number).output
    assert "extended" in run("extend", number, "--because", "complexity", "--told").output
    assert [line.split()[:4] for line in run("list").output.splitlines()[1:]] == [
        [number, "access", "extended", local_user()]
    ]
    assert "no record tells" in run("complete", number, fails=2).output
    assert "done" in run("complete", number, "--done-elsewhere", "in_person").output
    assert number not in run("list").output
    assert "in_person" in run("list", "--all", "--kind", "access").output
    assert json.loads(run("stats", "--json").output)["access"]["elsewhere"] == 1
    shown = run("show", number).output
    assert [line.split()[2:4] for line in shown.splitlines()[2:]] == [
        ["received", local_user()],
        ["taken", local_user()],
        ["told_by_staff", local_user()],
        ["extended", local_user()],
        ["done", local_user()],
    ]


def test_a_request_whose_person_was_erased_is_no_answer(run: Run, tmp_path: Path) -> None:
    """It ended with the person: nobody got a copy. The one to be deleted was done."""
    vault = open_vault(settings_in(tmp_path))
    for kind in ("--kind", "access"), ("--kind", "erasure"):
        run("open", *kind, "--sender-stdin", lines=f"{SENDER}\n")
    certificate = erase(vault, SENDER, evidence(vault))
    vault.close()
    assert certificate is not None
    shown = run("list", "--all").output.splitlines()[1:]
    lines = {line.split()[1]: re.sub(r" +", " ", line).strip() for line in shown}
    assert " access ended " in lines["access"]
    assert lines["access"].endswith(f"the person was erased {certificate.number}")
    assert " erasure done " in lines["erasure"]
    assert lines["erasure"].endswith(f" erased {certificate.number}")
    assert "access, ended; due" in run("show", lines["access"].split()[0]).output


def test_a_proof_is_waited_for(run: Run, number: str) -> None:
    """And noted when it came."""
    assert "identity" in run("identity", number, "--asked").output
    assert "in_progress" in run("identity", number, "--proven").output


@pytest.mark.parametrize("command", ["extend", "refuse"])
def test_the_person_must_be_told(run: Run, number: str, command: str) -> None:
    """Without --told nothing is put off or refused."""
    reason = {"extend": "complexity", "refuse": "excessive"}[command]
    assert "--told" in run(command, number, "--because", reason, fails=2).output
    assert "received" in run("list").output


def test_what_is_wrong_is_said(run: Run, number: str) -> None:
    """An unknown number, a reason of nobody's, one that is closed."""
    assert "no request of this number" in run("show", "RQ-0", fails=2).output
    assert "no request of this number" in run("take", "RQ-0", fails=2).output
    assert "is not one of" in run("refuse", number, "--because", "why not", "--told", fails=2).output
    run("refuse", number, "--because", "unfounded", "--told")
    assert "was closed" in run("complete", number, fails=2).output


@pytest.mark.usefixtures("number")
def test_figures_by_kind(run: Run, tmp_path: Path) -> None:
    """As a table and as JSON."""
    overdue(tmp_path)
    found = json.loads(run("stats", "--json").output)
    assert found["access"]["open"] == 1
    assert found["erasure"]["overdue"] == 1
    assert "median days" in run("stats").output


def test_the_exit_code_says_whether_something_is_due(run: Run, number: str, tmp_path: Path) -> None:
    """Nothing today, something within two months, something overdue."""
    assert "Nothing is due." in run("due").output
    assert number in run("due", "--within", "62", fails=1).output
    late = overdue(tmp_path)
    assert f"{late} (erasure): answer OVERDUE" in run("due", fails=1).output
    assert "privacy_sender" in run("due", "--remind", fails=2).output


def test_the_person_gets_the_notice_of_an_extension_by_mail(run: Run, number: str, tmp_path: Path) -> None:
    """To the address on file; without a sender, and while its server is away, nothing is put off."""
    vault = open_vault(settings_in(tmp_path))
    give(vault, {"draw": {"email": "ana@example.com"}})
    vault.close()
    extend = ("extend", number, "--because", "complexity", "--notify")
    assert "privacy_sender" in run(*extend, fails=2).output
    with mail_server(tmp_path) as box:
        box.is_away = True
        assert "did not take the mail" in run(*extend, fails=2).output
        assert "received" in run("list").output
        box.is_away = False
        assert "went to the contact on file" in run(*extend).output
        (mail,) = box.mails
    assert "To: ana@example.com" in mail
    assert f"Your request {number} takes longer" in mail
    assert "notice_sent" in run("show", number).output


class Mailbox:
    """What a mail server took.

    Attributes:
        is_away: Whether it takes nothing.
    """

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.is_away = False

    async def handle_DATA(self, _server: object, _session: object, envelope: object) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail."""
        if self.is_away:
            return "451 later"
        self.mails.append(envelope.content.decode())  # type: ignore[attr-defined]
        return "250 OK"


@contextmanager
def mail_server(folder: Path) -> Iterator[Mailbox]:
    """Run a real mail server that endpoints.yml names."""
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        with (folder / "endpoints.yml").open("a") as file:
            file.write(
                f"privacy_sender: {{type: smtp, host: 127.0.0.1, port: {port}, from: bot@x.example, security: none}}\n"
            )
        yield box
    finally:
        server.stop()


def test_the_officer_is_reminded_by_mail_once_a_day(run: Run, tmp_path: Path) -> None:
    """Through a real mail server, with the number and no person."""
    late = overdue(tmp_path)
    with mail_server(tmp_path) as box:
        assert "was reminded." in run("due", "--remind", fails=1).output
        assert "earlier today" in run("due", "--remind", fails=1).output
    (mail,) = box.mails
    assert "To: privacy@northwind.example" in mail
    assert late in mail


def test_nothing_is_to_be_delivered_without_other_systems(run: Run) -> None:
    """And the exit code says so."""
    assert "0 answered; 0 wait" in run("deliver").output
