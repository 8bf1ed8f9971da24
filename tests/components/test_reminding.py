"""The server reminds the officer beside the turns."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.components.reminding import remind_beside
from rasa_privacy.rights.requests import open_request
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import clock, vault

__all__ = ["clock", "vault"]


class Box:
    """A sender that keeps what it sends."""

    mails: list[tuple[str, str, str]]

    def __init__(self, **_: Any) -> None: ...

    def send(self, to: str, subject: str, text: str) -> None:
        """Keep it."""
        self.mails.append((to, subject, text))


@pytest.fixture
def number(vault: Vault) -> str:
    """Return the number of a request that is overdue."""
    asked = vault.clock() - timedelta(days=60)
    return vault.database.transact(lambda conn: open_request(vault, conn, "access", None, asked)).number


def test_the_officer_gets_a_mail(
    vault: Vault, number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Through the sender of endpoints.yml, once a day; the log says that something is overdue."""
    (tmp_path / "endpoints.yml").write_text(f"privacy_sender: {{type: {__name__}.Box}}\n")
    monkeypatch.setenv("RASA_PRIVACY_ENDPOINTS", str(tmp_path / "endpoints.yml"))
    monkeypatch.setattr(
        "rasa_privacy.rights.senders.importlib.import_module", lambda _: __import__("sys").modules[__name__]
    )
    Box.mails = []
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            remind_beside(vault).join()
    ((to, _, text),) = Box.mails
    assert to == vault.policy.controller.contact
    assert number in text
    assert "Overdue: 1 request of people" in caplog.text


def test_a_delivery_that_fails_stops_no_reminder(
    vault: Vault, number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Telling other systems of erasures comes first in the thread, and whatever ends it is logged without its text."""

    def fail(*_: object) -> None:
        raise RuntimeError(number)

    monkeypatch.setenv("RASA_PRIVACY_ENDPOINTS", str(tmp_path / "none.yml"))
    monkeypatch.setattr("rasa_privacy.rights.webhooks.deliver", fail)
    with caplog.at_level(logging.ERROR):
        remind_beside(vault).join()
    assert "Overdue: 1 request of people" in caplog.text
    assert number not in caplog.text


def test_a_sender_that_breaks_ends_no_thread(
    vault: Vault, number: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a builder's own sender raises is logged without its text, and tried again in an hour."""

    class Broken:
        def send(self, *mail: str) -> None:
            raise ValueError(mail)

    Box.mails = []
    for sender in (Broken(), Box()):
        monkeypatch.setattr("rasa_privacy.components.reminding.open_sender", lambda _, sender=sender: sender)
        remind_beside(vault).join()
    assert "its class broke (ValueError)" in caplog.text
    assert number not in caplog.text
    assert len(Box.mails) == 1


def test_without_a_sender_the_log_says_it(
    vault: Vault, number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And nothing fails."""
    monkeypatch.setenv("RASA_PRIVACY_ENDPOINTS", str(tmp_path / "none.yml"))
    with caplog.at_level(logging.ERROR):
        remind_beside(vault).join()
    assert "Overdue: 1 request of people" in caplog.text
    assert number not in caplog.text
