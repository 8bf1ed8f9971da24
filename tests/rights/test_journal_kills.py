"""kill -9 before and after each commit and fsync: what stands in the journal is done at the next start."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.rights.bulk_erasure import erase_listed
from rasa_privacy.rights.bulk_run import Bulk
from rasa_privacy.rights.certificates import certificate
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage.vault import Vault
from tests.support import journal_kill_work as work
from tests.support.kills import every_kill
from tests.support.vaults import active, evidence, held, stored_senders

# Many killed processes: once is enough, and not on each Python.
pytestmark = pytest.mark.soak

#: How many values there are of what each person gave.
_COUNTED = {purpose: dict.fromkeys(items, 1) for purpose, items in work.VALUES.items()}
_WORK = "tests.support.journal_kill_work"
Prepare = Callable[[], Sequence[str]]


@pytest.fixture(params=[work.TOGETHER, work.APART])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Callable[[str, str], None]], Prepare]:
    """Return a function that says how to fill a folder, and returns one that makes a fresh copy of it."""
    folder, template = tmp_path / "store", tmp_path / "template"

    def preparing(fill: Callable[[str, str], None]) -> Prepare:
        template.mkdir()
        fill(str(template), request.param)
        (template / "told").unlink(missing_ok=True)

        def prepare() -> Sequence[str]:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(template, folder)
            return str(folder), request.param

        return prepare

    return preparing


def _entries(folder: str) -> int:
    """Return the number of entries in the journal."""
    file = Path(folder) / "erasures.journal"
    return max(0, file.read_bytes().count(b"\n") - 1) if file.exists() else 0


def _is_whole(vault: Vault, sender: str) -> bool:
    """Say whether the person is there as a whole; otherwise nothing may be left."""
    if held(vault, sender) == work.VALUES:
        assert active(vault, sender) == {"draw", "newsletter"}
        return True
    with vault.database.read() as connection:
        assert vault.subjects.find(connection, sender) is None
        assert vault.erasures.tombstone_of(connection, sender) is not None
    assert active(vault, sender) == frozenset()
    return False


def test_an_erasure_that_was_begun_is_completed(fresh: Callable[[Callable[[str, str], None]], Prepare]) -> None:
    """Without an entry the person is there, with an entry gone and certified, and nobody else is touched."""
    seen = set()
    for outcome in every_kill(f"{_WORK}:erase", fresh(work.people)):
        begun, told = _entries(outcome.arguments[0]), work.told(outcome.arguments[0])
        vault = work.opened(*outcome.arguments)
        assert _is_whole(vault, "anna") == (begun == 0)
        assert all(_is_whole(vault, sender) for sender in (*work.ERASED[1:], work.WITHDRAWN))
        with vault.database.read() as connection:
            vault.ledger.verify(connection)
            assert vault.journal.marks(connection).done == begun
            registered = [each.certificate for each in vault.erasures.since(connection, None)]
        assert len(registered) == begun
        _are_certified(vault, registered)
        vault.close()
        assert begun or not told
        seen.add((begun, bool(told)))
    assert seen == {(0, False), (1, False), (1, True)}


def _are_certified(vault: Vault, registered: Sequence[str]) -> None:
    for number in registered:
        found = certificate(vault, number, vault.clock())["destroyed"]
        assert (found["events"], found["values"]) == (1, 2)
        assert {each["purpose"]: each["values"] for each in found["purposes"]} == _COUNTED


def test_a_list_that_was_begun_is_gone_on_with(fresh: Callable[[Callable[[str, str], None]], Prepare]) -> None:
    """Who stands in the journal is gone and certified after the next start, and the same list does the rest."""
    seen = set()
    for outcome in every_kill(f"{_WORK}:erase_list", fresh(work.people)):
        begun, told = _entries(outcome.arguments[0]), work.told(outcome.arguments[0])
        vault = work.opened(*outcome.arguments)
        whole = [sender for sender in work.ERASED if _is_whole(vault, sender)]
        assert len(work.ERASED) - len(whole) == begun >= len(told)
        assert not set(told) & set(whole)
        with vault.database.read() as connection:
            registered = [each.certificate for each in vault.erasures.since(connection, None)]
        assert len(registered) == begun
        _are_certified(vault, registered)
        erase_listed(Bulk(vault, admit_local(vault, "erase")), work.ERASED)
        assert not any(_is_whole(vault, sender) for sender in work.ERASED)
        assert _is_whole(vault, work.WITHDRAWN)
        vault.close()
        seen.add((begun, len(told)))
    assert {begun for begun, _ in seen} == {0, 1, 2, 3}  # 1 where only the first line of the page was whole
    assert {(2, 0), (2, 2), (3, 3)} <= seen


def test_what_the_law_keeps_is_lost_by_no_kill(fresh: Callable[[Callable[[str, str], None]], Prepare]) -> None:
    """With the person or apart from them it is there at each moment, and in the end once."""
    seen = set()
    for outcome in every_kill(f"{_WORK}:erase", fresh(work.people_by_law)):
        begun = _entries(outcome.arguments[0])
        vault = work.opened(*outcome.arguments)
        assert (held(vault, "anna") == {**work.VALUES, **work.BOOKS}) == (begun == 0)
        erase(vault, "anna", evidence(vault))
        assert held(vault, "anna") == {}
        names = set(stored_senders(vault)) - {*work.ERASED, work.WITHDRAWN}
        assert [held(vault, name) for name in names] == [work.BOOKS]
        vault.close()
        seen.add(begun)
    assert seen == {0, 1}


def test_a_withdrawal_that_was_begun_is_completed(fresh: Callable[[Callable[[str, str], None]], Prepare]) -> None:
    """Consent and values of the one purpose are there together or gone together."""
    seen = set()
    for outcome in every_kill(f"{_WORK}:withdraw", fresh(work.people)):
        begun = _entries(outcome.arguments[0])
        vault = work.opened(*outcome.arguments)
        left = {"newsletter"} if begun else {"draw", "newsletter"}
        assert active(vault, work.WITHDRAWN) == set(held(vault, work.WITHDRAWN)) == left
        vault.close()
        seen.add(begun)
    assert seen == {0, 1}


def test_a_part_whose_deletion_was_begun_is_deleted(fresh: Callable[[Callable[[str, str], None]], Prepare]) -> None:
    """The item is there or gone as a whole and certified, and who was told that it is gone was told the truth."""
    seen = set()
    for outcome in every_kill(f"{_WORK}:delete_item", fresh(work.people)):
        begun, told = _entries(outcome.arguments[0]), work.told(outcome.arguments[0])
        vault = work.opened(*outcome.arguments)
        values = held(vault, work.WITHDRAWN)
        assert values == ({"newsletter": work.VALUES["newsletter"]} if begun else work.VALUES)
        assert active(vault, work.WITHDRAWN) == {"draw", "newsletter"}
        with vault.database.read() as connection:
            vault.ledger.verify(connection)
            registered = [each.certificate for each in vault.erasures.since(connection, None)]
        assert len(registered) == bool(begun)
        for number in registered:
            found = certificate(vault, number, vault.clock())["destroyed"]
            assert (found["values"], found["keys"]) == (1, 1)
            (draw,) = found["purposes"]
            assert (draw["values"], len(draw["data_key"])) == ({"full_name": 1}, 64)
        vault.close()
        assert begun or not told
        seen.add((begun, bool(told)))
    # One entry names the part and its certificate, and one what of it a withdrawal is.
    assert seen == {(0, False), (1, False), (2, False), (2, True)}


def test_a_replay_that_was_killed_is_gone_on_with(fresh: Callable[[Callable[[str, str], None]], Prepare]) -> None:
    """After any number of killed starts the next one finds everybody gone who was erased before."""
    kills = 0
    for outcome in every_kill(f"{_WORK}:replay", fresh(work.restored)):
        vault = work.opened(*outcome.arguments)
        assert not any(_is_whole(vault, sender) for sender in work.ERASED)
        assert active(vault, work.WITHDRAWN) == set(held(vault, work.WITHDRAWN)) == {"newsletter"}
        with vault.database.read() as connection:
            vault.ledger.verify(connection)
            assert vault.journal.marks(connection).done == len(work.ERASED) + 1
        vault.close()
        kills += not outcome.completed
    assert kills >= 2 * len(work.ERASED)
