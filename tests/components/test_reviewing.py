"""The server makes the review that is due beside the turns."""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from rasa_privacy.components.reviewing import review_beside
from rasa_privacy.errors import StorageError
from rasa_privacy.policy.operations import Retention
from rasa_privacy.retention.review_duty import Made, acknowledgements, kept
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.vaults import Clock, clock, give, grant, settings_in, vault

__all__ = ["clock", "vault"]


@pytest.fixture
def due(vault: Vault, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """Return a store with a value, in which a review is due; the server runs in the folder of a bot that reads it."""
    (tmp_path / "actions.py").write_text(
        "class Greet:\n    def name(self):\n        return 'action_greet'\n\n"
        "    def run(self, dispatcher, tracker, domain):\n        return tracker.get_slot('full_name')\n"
    )
    (tmp_path / "domain.yml").write_text("actions: [action_greet]\n")
    monkeypatch.chdir(tmp_path)
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana", "postcode": "100"}})
    clock.advance(days=187)
    return replace(vault, policy=msgspec.structs.replace(vault.policy, retention=Retention(review_every="6 months")))


def newest(vault: Vault) -> Made | None:
    """Return the newest review of the store."""
    with vault.database.read() as connection:
        return kept(connection)


def test_the_log_says_that_a_review_waits(due: Vault, caplog: pytest.LogCaptureFixture) -> None:
    """It is made once, with what the actions beside it read."""
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            thread = review_beside(due, acknowledgements())
            assert thread is not None
            thread.join()
    made = newest(due)
    assert made is not None
    assert made.review.never_read == ("postcode",)
    (message,) = [record.getMessage() for record in caplog.records]
    assert made.number in message


def test_the_officer_gets_a_mail(due: Vault, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """With the number and no figure; a mail that cannot be sent is logged, and the review is there all the same."""
    mails: list[tuple[str, str, str]] = []

    class Box:
        def send(self, to: str, subject: str, text: str) -> None:
            mails.append((to, subject, text))
            raise ConnectionError(text)

    monkeypatch.setattr("rasa_privacy.components.reviewing.configured_sender", Box)
    thread = review_beside(due, acknowledgements())
    assert thread is not None
    thread.join()
    made = newest(due)
    assert made is not None
    ((to, _, text),) = mails
    assert to == due.policy.controller.contact
    assert f"rasa-privacy review acknowledge {made.number}" in text
    assert "No mail went to the officer" in caplog.text


def test_a_failure_is_logged_and_tried_again(
    due: Vault, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A server goes on without; where its store was closed meanwhile there is nothing to say."""

    def fail(*_: object) -> None:
        raise StorageError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr("rasa_privacy.components.reviewing.review_when_due", fail)
        thread = review_beside(due, acknowledgements())
        assert thread is not None
        thread.join()
    assert "it is tried again" in caplog.text
    thread = review_beside(due, acknowledgements())
    assert thread is not None
    thread.join()
    assert newest(due) is not None


def test_no_thread_is_begun_where_no_review_is_wanted(vault: Vault) -> None:
    """Without `review_every`."""
    assert review_beside(vault, acknowledgements()) is None


def test_a_server_that_starts_makes_the_review_that_is_due(
    open_store: Callable[..., object], clock: Clock, tmp_path: Path
) -> None:
    """After the sweep with which it begins, with the settings of its privacy.yml."""
    settings = settings_in(tmp_path)
    with closing(open_vault(settings, clock)) as vault:
        grant(vault, "draw")
        give(vault, {"draw": {"full_name": "Ana"}})
    clock.advance(days=60)
    text = settings.privacy.read_text(encoding="utf-8") + "retention: {review_every: 1 month}\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.support.vaults.privacy_text", lambda _: text)
        open_store()
    for thread in threading.enumerate():
        if thread.name == "rasa-privacy-review":
            thread.join(20)
    with closing(open_vault(settings, clock)) as vault:
        made = newest(vault)
    assert made is not None
    assert made.review.conversations == 1
