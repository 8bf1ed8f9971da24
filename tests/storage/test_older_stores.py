"""Stores that each earlier schema wrote, on each kind of database: upgraded, read, gone on with and erased."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest

from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage import schema
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import KINDS, new_url
from tests.support.older_stores import (
    check_consent,
    check_nothing_is_damaged,
    check_read,
    put_files,
    put_rows,
    settings_of,
    stored,
)
from tests.vectors.make_stores import (
    APART,
    COMMITS,
    ERASED,
    FOLDER,
    NOW,
    PEOPLE,
    names,
    turn,
    written,
)

#: On servers, which take longer: before a table with rows was made anew, and before columns came to three of them; with
#: keys in a database of their own, the first that could have that, and the one before the last.
_ON_SERVERS = ("0001", "0003", "0011", "0013", "0019", "0021", "0023", f"0002{APART}", f"0019{APART}")
_EACH = [(kind, name) for kind in KINDS for name in (names() if kind == "sqlite" else _ON_SERVERS)]


@pytest.fixture
def revision(name: str) -> str:
    """Return the schema of a store."""
    return name.removesuffix(APART)


@pytest.fixture
def settings(kind: str, name: str, revision: str, tmp_path: Path) -> Iterator[StoreSettings]:
    """Put the old store back and return the settings of it."""
    old = stored(name)
    put_files(old, tmp_path)
    with ExitStack() as stack:
        urls = []
        for dump in filter(old.__contains__, ("dump", "key_dump")):
            (tmp_path / dump).mkdir()
            urls.append(stack.enter_context(new_url(kind, tmp_path / dump)))
            put_rows(urls[-1], revision, old[dump])
        yield settings_of(urls[0], tmp_path, *urls[1:])


def test_each_schema_has_its_store() -> None:
    """Whoever adds a migration adds what the schema before it wrote."""
    newest = int(schema.SCHEMA_REVISION)
    assert sorted(names()) == sorted(path.stem for path in FOLDER.glob("*.json"))
    assert {f"{number:04}" for number in range(1, newest)} <= set(COMMITS)


@pytest.mark.parametrize(
    ("kind", "name"),
    [pytest.param(*each, marks=() if each[0] == "sqlite" else getattr(pytest.mark, each[0])) for each in _EACH],
    indirect=["kind"],
)
def test_what_an_older_schema_stored_is_read_and_gone_on_with(settings: StoreSettings, revision: str) -> None:
    """Conversations, values and consent come back equal, more is added, and who is erased stays so."""
    for url in filter(None, (settings.url, settings.keys.url)):
        database = Database(url)
        assert schema.upgrade(database) == revision
        database.close()
    with closing(open_vault(settings, clock=lambda: NOW + timedelta(hours=1))) as vault:
        check_nothing_is_damaged(vault)
        for sender, email in PEOPLE.items():
            check_read(vault, sender, *written(email))
            check_consent(vault, sender)
            _check_gone_on_with(vault, sender, email)
        _check_erased(vault, ERASED)
        for sender in PEOPLE:
            assert erase(vault, sender, Evidence("button", "rest", "en", vault.clock())) is not None
            _check_erased(vault, sender)
        check_nothing_is_damaged(vault)
        vault.database.transact(vault.ledger.verify)


def _check_gone_on_with(vault: Vault, sender: str, email: str) -> None:
    structure, values = written(email)
    added = turn(1763960000.25, "one more", email)
    at = len(structure) + 2
    with vault.database.write() as conn:
        version = vault.conversations.head(conn, sender)[0]
        vault.conversations.append(
            conn, sender, version, added, {"draw": [[at, ["value"], "email", email]]}, [], vault.clock()
        )
    values["draw"].append([at, ["value"], "email", email])
    check_read(vault, sender, structure + added, values)


def _check_erased(vault: Vault, sender: str) -> None:
    with vault.database.read() as conn:
        assert vault.subjects.find(conn, sender) is None
        assert vault.erasures.tombstone_of(conn, sender) is not None
        assert vault.conversations.load(conn, sender) is None
