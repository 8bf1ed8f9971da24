"""PostgreSQL and MariaDB without space for one more page. SQLite's full disk is in test_bad_input.py.

PostgreSQL meets a limit of the operating system on the size of its files, MariaDB the end of its tablespace: what both
then say to us is what they say when their disk is full.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.errors import StorageError
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage.vault import open_vault
from tests.support.own_servers import OwnServer, own_server
from tests.support.vaults import SENDER, START, active, give, grant, held, settings_in

_MARK = "CANARYvalue"
_OTHER = "CANARYother"
_FILLER = "CANARYfiller"
_KINDS = [pytest.param(kind, marks=getattr(pytest.mark, f"own_{kind}")) for kind in ("postgresql", "mariadb")]


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[OwnServer]:
    """Return a server that this test may fill."""
    with own_server(request.param) as started:
        yield started


@pytest.fixture
def settings(server: OwnServer, tmp_path: Path) -> StoreSettings:
    """Return the settings of a store there, in which two people have given values."""
    made = replace(settings_in(tmp_path), url=server.url)
    with closing(open_vault(made, lambda: START)) as vault:
        for sender in (SENDER, _OTHER):
            grant(vault, "draw", sender=sender)
            give(vault, {"draw": {"email": _MARK}}, sender, events=3)
    return made


@pytest.mark.parametrize("server", _KINDS, indirect=True)
def test_a_server_without_space_loses_no_confirmed_turn(server: OwnServer, settings: StoreSettings) -> None:
    """The save says that the disk is full, all is readable as it was, and with space the same turn is saved."""
    value = _MARK + os.urandom(3_000_000).hex()
    with closing(open_vault(settings, lambda: START)) as vault:
        grant(vault, "draw", sender=_FILLER)
        with server.full():
            vault.database.close()  # what is connected already may have kept some space
            with pytest.raises(StorageError):
                for _ in range(16):
                    give(vault, {"draw": {"full_name": value}}, _FILLER)
            with pytest.raises(StorageError) as caught:
                give(vault, {"draw": {"full_name": value}})
            assert "disk of its server is full" in str(caught.value)
            assert "free some space" in str(caught.value)
            assert "CANARY" not in repr(caught.value)
            assert caught.value.__cause__ is None
            for sender in (SENDER, _OTHER):
                assert held(vault, sender) == {"draw": {"email": _MARK}}
                assert active(vault, sender) == {"draw"}
        vault.database.close()
        give(vault, {"draw": {"full_name": value}})
        assert held(vault) == {"draw": {"email": _MARK, "full_name": value}}
        assert erase(vault, SENDER, Evidence("button", "rest", "en", START)) is not None
        assert held(vault) == {}
        assert held(vault, _OTHER) == {"draw": {"email": _MARK}}
        with vault.database.read() as connection:
            vault.ledger.verify(connection)
