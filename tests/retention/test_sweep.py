"""The sweep: what is due goes, what is not stays, and one damaged conversation keeps nobody else's data."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from rasa_privacy.errors import ContentionError
from rasa_privacy.retention import sweep as sweeping
from rasa_privacy.retention.sweep import SweepResult, sweep
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import SENDER, Clock, active, evidence, give, grant, held

Sql = Callable[..., list[Any]]


def is_known(vault: Vault, sender: str = SENDER) -> bool:
    """Say whether there is a person behind the sender id."""
    with vault.database.read() as connection:
        return vault.subjects.find(connection, sender) is not None


def test_nothing_is_swept_before_its_time(vault: Vault, clock: Clock) -> None:
    """A microsecond early is early."""
    grant(vault, "fitting")
    give(vault, {"fitting": {"phone": "+49 30 1"}})
    assert sweep(vault, clock.advance(days=10, microseconds=-1)) == SweepResult(0, 0)
    assert held(vault) == {"fitting": {"phone": "+49 30 1"}}


def test_due_purpose_goes_and_the_others_stay(vault: Vault, clock: Clock) -> None:
    """The fitting's values go after 10 days, the draw's stay, and consent is not touched."""
    subject_id = grant(vault, "draw", "fitting")
    give(vault, {"draw": {"full_name": "Ana"}, "fitting": {"full_name": "Ana", "phone": "+49 30 1"}})
    assert sweep(vault, clock.advance(days=10)) == SweepResult(1, 0)
    assert held(vault) == {"draw": {"full_name": "Ana"}}
    assert active(vault) == {"draw", "fitting"}
    with vault.database.read() as connection:
        assert set(vault.data_keys.of_subject(connection, subject_id)) == {"service", "draw"}
    assert sweep(vault, clock()) == SweepResult(0, 0)


def test_what_was_rolled_back_is_not_counted(vault: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that loses its race is done again, and the audit log says of one person that it was one."""
    give(vault, {}, "gone")
    usual, lost = vault.database.write, list[bool]()

    @contextmanager
    def write() -> Iterator[Any]:
        with usual() as connection:
            yield connection
            if not lost and vault.subjects.find(connection, "gone") is None:
                lost.append(True)
                raise ContentionError("another transaction was first")

    monkeypatch.setattr(vault.database, "write", write)
    assert sweep(vault, clock.advance(days=2)) == SweepResult(1, 1)
    assert lost
    assert not is_known(vault, "gone")


def test_use_moves_the_end(vault: Vault, clock: Clock) -> None:
    """Each new value counts as a use."""
    grant(vault, "fitting")
    give(vault, {"fitting": {"phone": "+49 30 1"}})
    clock.advance(days=9)
    give(vault, {"fitting": {"phone": "+49 30 2"}})
    assert sweep(vault, clock.advance(days=9)) == SweepResult(0, 0)
    assert held(vault) == {"fitting": {"phone": "+49 30 2"}}


def test_person_without_consent_is_gone_after_a_day(vault: Vault, clock: Clock) -> None:
    """Then nothing is left but the journal's entry and the tombstone."""
    give(vault, {}, events=4)
    assert sweep(vault, clock.advance(days=1)) == SweepResult(1, 1)
    assert not is_known(vault)
    with vault.database.read() as connection:
        assert vault.erasures.tombstone_of(connection, SENDER) is not None


def test_conversation_stays_while_a_purpose_needs_it(vault: Vault, clock: Clock) -> None:
    """Values hang on the structure: it goes when the last of them goes."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana"}})
    sweep(vault, clock.advance(days=31))
    assert held(vault) == {"draw": {"full_name": "Ana"}}
    sweep(vault, clock.advance(days=59))
    sweep(vault, clock.advance(days=2))
    assert not is_known(vault)


def test_more_than_one_batch_is_swept(vault: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep goes on until nothing is due."""
    monkeypatch.setitem(sweeping._BATCH, "sqlite", 2)
    for number in range(5):
        give(vault, {}, sender=f"person {number}")
    assert sweep(vault, clock.advance(days=2)) == SweepResult(5, 5)


def test_postponed_conversations_do_not_hold_up_the_sweep(
    vault: Vault, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full batches of conversations that must stay come to an end all the same."""
    monkeypatch.setitem(sweeping._BATCH, "sqlite", 2)
    for number in range(5):
        grant(vault, "newsletter", sender=f"person {number}")
        give(vault, {"newsletter": {"birthday": "1990"}}, sender=f"person {number}")
    assert sweep(vault, clock.advance(days=31)).people == 0
    assert all(is_known(vault, f"person {number}") for number in range(5))


def test_a_key_whose_purpose_is_no_text_is_named_and_stops_nobody(
    vault: Vault, clock: Clock, sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    """What is due of everybody else goes; the row stays, is counted as left, and goes with its person."""
    broken = grant(vault, "fitting", sender="broken")
    give(vault, {"fitting": {"phone": "+49 30 1"}}, sender="broken")
    clock.advance(minutes=1)
    grant(vault, "fitting")
    give(vault, {"fitting": {"phone": "+49 30 2"}})
    sql("UPDATE data_keys SET purpose = CAST(x'66FF' AS TEXT) WHERE purpose = 'fitting' AND subject_id = ?", [broken])
    result = sweep(vault, clock.advance(days=10))
    assert held(vault) == {}
    assert result.left == 1
    assert "rows are damaged" in caplog.text
    assert erase(vault, "broken", evidence(vault)) is not None
    assert sql("SELECT count(*) FROM data_keys WHERE subject_id = ?", [broken]) == [(0,)]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE conversations SET manifest = randomblob(length(manifest)) WHERE subject_id = ?",
        "UPDATE data_keys SET wrapped = randomblob(length(wrapped)) WHERE subject_id = ?",
        "DELETE FROM data_keys WHERE purpose = 'service' AND subject_id = ?",
    ],
)
def test_damaged_conversation_does_not_stop_the_sweep(vault: Vault, clock: Clock, sql: Sql, damage: str) -> None:
    """What is due of everybody else goes, and so do the due keys of the damaged one."""
    broken = grant(vault, "fitting", sender="broken")
    give(vault, {"fitting": {"phone": "+49 30 1"}}, sender="broken")
    clock.advance(minutes=1)
    grant(vault, "fitting")
    give(vault, {"fitting": {"phone": "+49 30 2"}})
    sql(damage, [broken])
    sweep(vault, clock.advance(days=10))
    assert held(vault) == {}
    assert sql("SELECT count(*) FROM data_keys WHERE subject_id = ? AND purpose = 'fitting'", [broken]) == [(0,)]
