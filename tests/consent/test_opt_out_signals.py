"""Global Privacy Control: recorded once, and obeyed until a later yes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from rasa_privacy.consent.opt_out_signals import record_gpc
from rasa_privacy.policy.topics import SALE_OR_SHARING
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.vaults import SENDER, Clock, active, grant, ledger_events, settings_in


@pytest.fixture
def vault(tmp_path: Path, clock: Clock) -> Iterator[Vault]:
    """Return a store whose newsletter shares data, as does a purpose that rests on a contract."""
    settings = settings_in(tmp_path)
    shared = settings.privacy.read_text().replace(
        "    marketing: true\n", "    marketing: true\n    recipients: [Mailhouse Ltd]\n"
    )
    shared += "  shipping:\n    says: {en: to ship}\n    basis: contract\n    because: {en: your order}\n"
    shared += "    items: {phone: required}\n    retain: 90 days\n    recipients: [Carrier Ltd]\n"
    settings.privacy.write_text(shared)
    opened = open_vault(replace(settings), clock)
    yield opened
    opened.close()


def signal(vault: Vault) -> bool:
    """Record the signal of the person."""

    def work(connection: object) -> bool:
        subject_id = vault.subjects.find_or_create(connection, SENDER, vault.clock())
        return record_gpc(vault, connection, subject_id, vault.clock(), "rest")

    return vault.database.transact(work)


def test_the_signal_closes_what_is_shared_and_nothing_else(vault: Vault) -> None:
    """The draw shares nothing and stays; so does what a contract needs."""
    grant(vault, "draw", "newsletter")
    assert active(vault) == {"draw", "newsletter", "shipping"}
    assert signal(vault)
    assert active(vault) == {"draw", "shipping"}


def test_it_is_recorded_once_and_a_later_yes_counts(vault: Vault) -> None:
    """The browser sends it with every request; that does not take the later yes back."""
    assert signal(vault)
    assert not signal(vault)
    subject_id = grant(vault, "newsletter")
    assert not signal(vault)
    assert "newsletter" in active(vault)
    assert ledger_events(vault, subject_id).count((SALE_OR_SHARING, "refused")) == 1
    with vault.database.read() as connection:
        vault.ledger.verify(connection)
        first = vault.ledger.of_subject(connection, subject_id)[0]
    assert (first.method, first.channel) == ("gpc", "rest")


def test_a_yes_from_the_future_does_not_lift_it(vault: Vault, clock: Clock) -> None:
    """A clock that went back opens nothing: the older yes stays closed."""
    subject_id = grant(vault, "newsletter")
    signal(vault)
    with vault.database.write() as connection:
        old = vault.ledger.of_subject(connection, subject_id)[1]
        ahead = LedgerRecord(
            subject_id, "newsletter", "granted", old.notice_hash, "en", "button", "rest", clock() + timedelta(days=1)
        )
        vault.ledger.append(connection, ahead)
    assert "newsletter" not in active(vault)
