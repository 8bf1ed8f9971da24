"""Which erasures are still to be announced, on each kind of database."""

from typing import Any

import pytest
from sqlalchemy import update

from rasa_privacy.errors import StorageError
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage.announcements import News, announced, news, position
from rasa_privacy.storage.tables import meta
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import Clock, evidence, grant

pytestmark = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


def erase_one(vault: Vault, sender: str) -> bytes:
    """Let somebody agree and be erased; return their id."""
    subject_id = grant(vault, "draw", sender=sender)
    erase(vault, sender, evidence(vault))
    return subject_id


def look(vault: Vault) -> News:
    """Return what is to be announced."""
    with vault.database.read() as connection:
        return news(connection, vault.journal, vault.erasures)


def note(vault: Vault, found: News) -> None:
    """Note that this was announced."""

    def work(connection: Any) -> None:
        announced(connection, found)

    vault.database.transact(work)


def test_erasures_are_new_until_they_are_announced(vault: Vault, clock: Clock) -> None:
    """The list is in order of time, and what lies more than an hour before the last announcement is told."""
    first = erase_one(vault, "a")
    clock.advance(hours=2)
    second = erase_one(vault, "b")
    found = look(vault)
    assert [erasure.subject_id for erasure in found.erasures] == [first, second]
    note(vault, found)
    assert [erasure.subject_id for erasure in look(vault).erasures] == [second]
    clock.advance(hours=2)
    third = erase_one(vault, "c")
    assert [erasure.subject_id for erasure in look(vault).erasures] == [second, third]
    note(vault, look(vault))
    assert [erasure.subject_id for erasure in look(vault).erasures] == [third]


def test_the_position_changes_with_each_erasure(vault: Vault) -> None:
    """One row says whether there is anything new."""
    with vault.database.read() as connection:
        before = position(connection, vault.journal)
    erase_one(vault, "a")
    assert look(vault).position > before


def test_a_changed_note_is_refused(vault: Vault) -> None:
    """A row that does not follow the format is named, with what to do."""
    erase_one(vault, "a")
    found = look(vault)
    note(vault, found)
    with vault.database.write() as connection:
        connection.execute(update(meta).where(meta.c.name == "erasures_announced").values(value=b"RPA\x02" + bytes(8)))
    with pytest.raises(StorageError, match="announced again"):
        look(vault)
