"""Where keys have a database of their own: who comes second tells nobody, and what fails has destroyed nothing."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from rasa_privacy.errors import DAMAGED
from rasa_privacy.policy.operations import Erasure, OtherSystem
from rasa_privacy.retention import sweep as sweeping
from rasa_privacy.retention.sweep import sweep
from rasa_privacy.rights.rectification import Right, put_right
from rasa_privacy.storage import deliveries
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND, EmptyUrl, run_plain
from tests.support.vaults import SENDER, Clock, give, grant, held, settings_in

_GIVEN = {"draw": {"full_name": "Zoe Weber"}, "fitting": {"phone": "+49 170 5558172", "full_name": "Zoe Weber"}}
_SHOP = OtherSystem(name="shop", url="https://shop.example/privacy", secret="SHOP_SECRET", tell=("retention",))


class Apart(NamedTuple):
    """A store with its keys in a database of their own, and the URL of the conversations."""

    vault: Vault
    url: str


@pytest.fixture(params=EACH_KIND)
def apart(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, empty_url: EmptyUrl, empty_key_url: EmptyUrl
) -> Iterator[Apart]:
    """Return one on each kind of database, with a person whose values stay and whose values are over soon."""
    with ExitStack() as stack:
        url = stack.enter_context(empty_url(request.param, tmp_path))
        keys = stack.enter_context(empty_key_url(request.param, tmp_path))
        settings = replace(settings_in(tmp_path), url=url)
        opened = open_vault(replace(settings, keys=replace(settings.keys, url=keys)), clock)
        stack.callback(opened.close)
        policy = msgspec.structs.replace(opened.policy, erasure=Erasure(webhooks=(_SHOP,)))
        made = replace(opened, policy=policy)
        grant(made, "draw", "fitting")
        give(made, _GIVEN, events=2)
        yield Apart(made, url)


def test_of_two_sweepers_one_tells_that_a_purpose_is_over(
    apart: Apart, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes when the rows are gone and the key, which goes after them, is still due."""
    vault, destroy = apart.vault, sweeping._destroy_apart
    now = clock.advance(days=11)

    def beside(*arguments: Any) -> None:
        monkeypatch.setattr(sweeping, "_destroy_apart", destroy)
        sweep(vault, now, trusted=True)
        destroy(*arguments)

    monkeypatch.setattr(sweeping, "_destroy_apart", beside)
    sweep(vault, now, trusted=True)
    assert held(vault) == {"draw": _GIVEN["draw"]}
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER)
        assert subject_id is not None
        assert vault.data_keys.get(connection, subject_id, "fitting") is None
        assert deliveries.pending(connection) == 1


def test_a_value_that_cannot_be_put_right_costs_nothing(apart: Apart) -> None:
    """A conversation that is damaged is said to be; repaired, it has all that its purposes held."""
    vault = apart.vault
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, SENDER)
    assert subject_id is not None
    ((sealed,),) = run_plain(apart.url, "SELECT sealed FROM segments WHERE purpose = 'fitting'")
    changed = sealed[:-1] + bytes((sealed[-1] ^ 1,))
    run_plain(apart.url, "UPDATE segments SET sealed = ? WHERE purpose = 'fitting'", (changed,))
    right = Right("phone", "+49 170 5558173", ("fitting",))
    with pytest.raises(DAMAGED):
        vault.database.transact(
            lambda connection: put_right(vault, connection, SENDER, subject_id, right, vault.clock())
        )
    run_plain(apart.url, "UPDATE segments SET sealed = ? WHERE purpose = 'fitting'", (sealed,))
    assert held(vault) == _GIVEN
    vault.database.transact(lambda connection: put_right(vault, connection, SENDER, subject_id, right, vault.clock()))
    assert held(vault)["fitting"] == {"full_name": "Zoe Weber", "phone": "+49 170 5558173"}
