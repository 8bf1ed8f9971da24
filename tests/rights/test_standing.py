"""What somebody said once and for all holds until they say otherwise."""

import msgspec
import pytest

from rasa_privacy.consent.ledger import Evidence, state_of
from rasa_privacy.rights.standing import do_not_sell, lift_limit, limit, restrict
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, active, evidence, give, grant, held

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


def share(vault: Vault) -> None:
    """Let the newsletter have a recipient, so that it may be sharing."""
    shared = msgspec.structs.replace(vault.policy.purposes["newsletter"], recipients=("Mailer Ltd",))
    policy = msgspec.structs.replace(vault.policy, purposes={**vault.policy.purposes, "newsletter": shared})
    object.__setattr__(vault, "policy", policy)


def is_limited(vault: Vault) -> bool:
    """Return whether the person limits the use of sensitive data."""
    with vault.database.read() as connection:
        return state_of(vault, connection, vault.subjects.find(connection, SENDER), vault.clock()).limited


def say(vault: Vault, subject_id: bytes, how: Evidence) -> None:
    """Restrict the draw, sell nothing, and limit sensitive data."""

    def work(connection: object) -> None:
        restrict(vault, connection, subject_id, ["draw"], how, lift=False)
        do_not_sell(vault, connection, subject_id, how)
        limit(vault, connection, subject_id, how)

    vault.database.transact(work)


@each_kind
def test_it_is_obeyed_at_once_and_ends_when_the_person_says_so(vault: Vault) -> None:
    """What is restricted or shares is not active any more; the data stays."""
    share(vault)
    subject_id = grant(vault, "draw", "newsletter", "fitting")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    say(vault, subject_id, evidence(vault))
    assert active(vault) == {"fitting"}
    assert is_limited(vault)
    assert held(vault) == {"draw": {"full_name": "Ana Li"}}
    how = evidence(vault)
    vault.database.transact(lambda connection: restrict(vault, connection, subject_id, ["draw"], how, lift=True))
    assert active(vault) == {"draw", "fitting"}


def test_what_was_lifted_can_be_said_anew(vault: Vault) -> None:
    """Each is recorded when it is new, and once."""
    subject_id = grant(vault, "draw")
    how = evidence(vault)
    for _ in range(2):
        assert vault.database.transact(lambda connection: limit(vault, connection, subject_id, how))
        assert not vault.database.transact(lambda connection: limit(vault, connection, subject_id, how))
        assert is_limited(vault)
        assert vault.database.transact(lambda connection: lift_limit(vault, connection, subject_id, how))
        assert not vault.database.transact(lambda connection: lift_limit(vault, connection, subject_id, how))
        assert not is_limited(vault)
