"""Access: what is shown is what is stored."""

from datetime import timedelta

from rasa_privacy.consent.collected import Collected, import_all
from rasa_privacy.consent.imported import ImportedGrant
from rasa_privacy.rights.access import HeldValue, Holdings, holdings
from rasa_privacy.rights.rectification import CORRECTED, STAFF, Right, put_right
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import SENDER, START, Clock, give, grant, notice_of


def held(vault: Vault) -> Holdings:
    """Return what is held now."""
    with vault.database.read() as connection:
        return holdings(vault, connection, SENDER)


def test_nobody_known_holds_nothing(vault: Vault) -> None:
    """Someone new, and someone who was only asked, have nothing stored."""
    assert held(vault) == Holdings((), {}, 0)
    grant(vault, "draw")
    assert held(vault).is_empty


def test_each_purpose_shows_its_latest_values_and_their_end(vault: Vault) -> None:
    """The newest value of an item counts, a cleared one does not, and each purpose has its own end."""
    grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"full_name": "Ana", "email": "a@x.example"}, "newsletter": {"email": "a@x.example"}})
    give(vault, {"draw": {"full_name": "Ana Li", "email": None}}, events=2)
    found = held(vault)
    assert set(found.values) == {
        HeldValue("full_name", "Ana Li", "draw", START + timedelta(days=90), "said", START),
        HeldValue("email", "a@x.example", "draw", START + timedelta(days=90), "said", START),
        HeldValue("email", "a@x.example", "newsletter", None, "said", START),
    }
    assert found.stored_values == {"draw": 4, "newsletter": 1}
    assert found.events == 3
    assert not found.is_empty


def test_a_value_says_how_it_came(vault: Vault, clock: Clock) -> None:
    """Said, put right by the person, entered by staff, or there with a consent that was collected elsewhere."""
    subject_id = grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"full_name": "Ana Li", "email": "a@x.example"}})

    def right(item: str, source: str) -> None:
        put = Right(item, "Ana Lo", ("draw",), source)
        vault.database.transact(lambda conn: put_right(vault, conn, SENDER, subject_id, put, vault.clock()))

    right("full_name", CORRECTED)
    right("email", STAFF)
    assert {each.item: each.source for each in held(vault).values} == {"full_name": "corrected", "email": "staff"}
    give(vault, {"newsletter": {"email": "a@x.example"}})
    clock.advance(days=1)
    line = Collected(SENDER, ImportedGrant("newsletter", notice_of(vault.policy, "newsletter"), clock.now))
    vault.database.transact(lambda conn: import_all(vault, conn, [line], clock.now))
    assert {each.source for each in held(vault).values if each.purpose == "newsletter"} == {"imported"}


def test_expiry_that_is_shown_is_the_one_that_is_kept(vault: Vault, clock: Clock) -> None:
    """Asking what is held does not use the data: the end stays where the last use put it."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}})
    clock.advance(days=30)
    assert held(vault).values[0].expires == START + timedelta(days=90)
