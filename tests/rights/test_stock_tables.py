"""Who is erased is removed from the old tables of Rasa's own, although these are away for a while."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.errors import AccessError, ConfigurationError, StorageError
from rasa_privacy.policy.operations import Erasure, StockTable
from rasa_privacy.rights.certificates import certificate
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.stock_tables import open_table, purge
from rasa_privacy.rights.webhooks import deliver
from rasa_privacy.storage import requests
from rasa_privacy.storage.stock_database import StockDatabase
from rasa_privacy.storage.vault import Vault
from tests.support.databases import SERVERS, new_url
from tests.support.stock import OldStore, conversation, write_on_server
from tests.support.vaults import SENDER, Clock, evidence, give, grant

MARK = "Zaphod Beeblebrox 0815"


@pytest.fixture
def old(tmp_path: Path) -> OldStore:
    """Return an old store in which the person and another talked."""
    made = OldStore(tmp_path / "rasa.db")
    made.add(SENDER, *conversation(MARK))
    made.add("other", *conversation("Bo"))
    return made


@pytest.fixture
def told(vault: Vault, old: OldStore) -> Vault:
    """Return the store of a bot that names it, and the person in it."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    rules = Erasure(stock_tables=(StockTable(name="old", url=old.url),))
    return replace(vault, policy=msgspec.structs.replace(vault.policy, erasure=rules))


def test_an_erasure_reaches_the_old_table(told: Vault, old: OldStore, clock: Clock) -> None:
    """The request is done when it was read back there; the bytes are overwritten, and another's rows stay."""
    done = erase(told, SENDER, evidence(told))
    assert done is not None
    with told.database.read() as conn:
        assert requests.of_certificate(conn, done.number)[0].is_open
    assert MARK.encode() in old.path.read_bytes()
    assert deliver(told, clock()) == 1
    with told.database.read() as conn:
        assert requests.of_certificate(conn, done.number)[0].state == "done"
    assert old.count() == len(conversation())
    assert MARK.encode() not in old.path.read_bytes()
    assert certificate(told, done.number, clock())["other_systems"] == {"old": "done"}


def test_an_old_database_that_is_away_is_gone_on_with(told: Vault, old: OldStore, clock: Clock) -> None:
    """The request waits; a database without the rows has nothing held."""
    away = old.path.rename(old.path.with_suffix(".away"))
    assert erase(told, SENDER, evidence(told)) is not None
    assert deliver(told, clock()) == 0
    away.rename(old.path)
    assert deliver(told, clock.advance(hours=1)) == 1
    assert old.count() == len(conversation())
    give(told, {"draw": {"full_name": "Ana Li"}})
    done = erase(told, SENDER, evidence(told))
    assert done is not None
    deliver(told, clock.advance(hours=1))
    assert certificate(told, done.number, clock())["other_systems"] == {"old": "nothing_held"}


def test_somebody_the_store_does_not_know_is_removed_on_demand(told: Vault, old: OldStore) -> None:
    """Whoever talked to the old bot alone; recorded, and for who may erase."""
    with pytest.raises(AccessError):
        purge(told, "other", admit_local(told, "view"))
    assert purge(told, "other", admit_local(told, "erase")) == {"old": len(conversation())}
    assert purge(told, "other", admit_local(told, "erase")) == {"old": 0}
    assert old.count() == len(conversation())
    with told.database.read() as conn:
        records = [entry.record for entry in told.audit.entries(conn)]
    assert [(each.verb, each.outcome) for each in records][:2] == [("erase", "begun"), ("erase", "done")]
    assert all("other" not in repr(each) for each in records)


@pytest.mark.parametrize("name", [SENDER.lower() + "\ud800", "a\x00b", "' OR 1=1 --", "%", ""])
def test_a_sender_id_is_only_ever_a_text(told: Vault, old: OldStore, name: str) -> None:
    """Whatever it holds, nobody else's row goes."""
    assert purge(told, name, admit_local(told, "erase")) == {"old": 0}
    assert old.count() == 2 * len(conversation())


@pytest.mark.parametrize("kind", SERVERS)
def test_senders_are_told_apart_exactly(kind: str, tmp_path: Path) -> None:
    """Also where the database takes `Ann` and `ann` for one."""
    with new_url(kind, tmp_path) as url:
        write_on_server(url, [("Ann", conversation()), ("ann", conversation())])
        with closing(StockDatabase(url, "a test")) as found:
            assert found.remove(["ann"]) == len(conversation())
            assert found.count() == found.count_of(["Ann"]) == len(conversation())


def test_a_table_that_leads_nowhere_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set, a file that is not there, a database of something else; no password is named."""
    with pytest.raises(ConfigurationError, match="OLD_URL is not set"):
        open_table(StockTable(name="old", url_from="OLD_URL"))
    with pytest.raises(ConfigurationError, match="there is no file"):
        open_table(StockTable(name="old", url=f"sqlite:///{tmp_path}/nothing.db"))
    monkeypatch.setenv("OLD_URL", "mysql+pymysql://u:Pa55word@127.0.0.1:1/none")
    with closing(open_table(StockTable(name="old", url_from="OLD_URL"))) as found:
        with pytest.raises(StorageError) as caught:
            found.count()
        assert "Pa55word" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "old"},
        {"name": "old", "url": "sqlite:///a.db", "url_from": "B"},
        {"name": "old", "url": "postgresql://u:secret@host/db"},
        {"name": "a b", "url_from": "B"},
    ],
)
def test_what_leads_nowhere_is_no_old_table(wrong: dict[str, str]) -> None:
    """And no password stands in privacy.yml."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, StockTable)
