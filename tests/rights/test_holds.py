"""Legal hold: nothing of a person is destroyed, and what should have been is when it ends."""

from datetime import timedelta
from typing import Any

import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.errors import AccessError, HoldError
from rasa_privacy.retention.sweep import sweep
from rasa_privacy.rights import holds as rules
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.requests import open_request
from rasa_privacy.rights.withdrawal import withdraw_all
from rasa_privacy.storage import holds as rows
from rasa_privacy.storage.replay import replay
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, Clock, active, evidence, give, grant, held

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
VALUES = {"draw": {"full_name": "Ana Li", "postcode": "101"}, "newsletter": {"birthday": "1990"}}


@pytest.fixture
def subject_id(vault: Vault) -> bytes:
    """Return a person with two consents and values, who is held."""
    found = grant(vault, "draw", "newsletter")
    give(vault, VALUES)
    hold(vault, "case-17")
    return found


def hold(vault: Vault, name: str, sender: str = SENDER, verb: str = "retention") -> bool:
    """Hold somebody."""
    permit = admit_local(vault, verb)
    return vault.database.transact(lambda conn: rules.add(vault, conn, sender, name, permit))


def release(vault: Vault, name: str, sender: str | None = SENDER) -> rules.Released:
    """Let somebody go."""
    permit = admit_local(vault, "retention")
    return vault.database.transact(lambda conn: rules.release(vault, conn, name, permit, sender))


def test_the_audit_log_names_the_one_person_of_a_release(vault: Vault, subject_id: bytes) -> None:
    """As it does when they are held; where everybody is let go it is about nobody alone."""
    release(vault, "case-17")
    hold(vault, "case-17")
    release(vault, "case-17", None)
    with vault.database.read() as conn:
        found = [entry.record.subject_id for entry in vault.audit.entries(conn)]
    assert found == [subject_id, subject_id, subject_id, None]


@each_kind
def test_who_is_held_is_not_erased(vault: Vault, subject_id: bytes) -> None:
    """Not until every matter has let go; then the wish that waited is named."""
    with pytest.raises(HoldError, match="legal hold"):
        erase(vault, SENDER, evidence(vault))
    assert held(vault) == VALUES
    assert hold(vault, "case-18")
    assert not hold(vault, "case-18")
    wish = vault.database.transact(lambda conn: open_request(vault, conn, "erasure", subject_id, vault.clock()))
    assert release(vault, "case-17") == rules.Released(1, ())
    with pytest.raises(HoldError):
        erase(vault, SENDER, evidence(vault))
    assert release(vault, "case-18", None) == rules.Released(1, (wish.number,))
    assert erase(vault, SENDER, evidence(vault)) is not None


@each_kind
def test_consent_ends_and_what_it_held_stays_until_the_release(vault: Vault, subject_id: bytes) -> None:
    """Nothing may be used from then on; the release destroys it."""
    done = vault.database.transact(lambda conn: withdraw_all(vault, conn, SENDER, evidence(vault)))
    assert done.purposes == ("draw", "newsletter")
    assert done.items == ()
    assert active(vault) == frozenset()
    assert held(vault) == VALUES
    release(vault, "case-17")
    assert held(vault) == {}
    with vault.database.read() as conn:
        assert set(vault.data_keys.due_of(conn, subject_id)) == {"service"}


@pytest.mark.usefixtures("subject_id")
def test_the_release_keeps_what_consent_still_covers(vault: Vault) -> None:
    """The postcode was never granted as an optional item, so it alone goes."""
    release(vault, "case-17")
    assert active(vault) == {"draw", "newsletter"}
    assert held(vault)["draw"] == {"full_name": "Ana Li"}


@pytest.mark.usefixtures("subject_id")
@each_kind
def test_retention_waits(vault: Vault, clock: Clock) -> None:
    """Nothing that is due goes while it is held, and others are swept; after the release it goes within a day."""
    grant(vault, "draw", sender="ben")
    give(vault, {"draw": {"full_name": "Ben Ko"}}, sender="ben")
    assert sweep(vault, clock.advance(days=100), trusted=True).put_off == 2  # the draw and the conversation itself
    assert held(vault)["draw"]["full_name"] == "Ana Li"
    assert held(vault, "ben") == {}
    release(vault, "case-17")
    sweep(vault, clock.advance(days=2), trusted=True)
    assert "draw" not in held(vault)


def test_a_hold_that_came_too_late_stops_no_replay(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the journal was erased; the next start does it, and does not refuse to start."""
    grant(vault, "draw")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(vault.erasures), "bury", die)
        with pytest.raises(KeyboardInterrupt):
            erase(vault, SENDER, evidence(vault))
    hold(vault, "case-17")
    assert replay(vault).erased == 1
    with vault.database.read() as conn:
        assert rows.every(conn) == []


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * 65, "case\n17", "ä"])
def test_a_matter_has_a_name_without_a_person(vault: Vault, name: str) -> None:
    """Letters and digits only."""
    grant(vault, "draw")
    with pytest.raises(HoldError, match="name the matter"):
        hold(vault, name)


@pytest.mark.usefixtures("subject_id")
def test_a_hold_needs_its_permit_and_somebody(vault: Vault) -> None:
    """And a contact in its name is refused, since the audit log keeps it."""
    with pytest.raises(AccessError):
        hold(vault, "case-18", verb="view")
    with pytest.raises(HoldError, match="nothing is stored"):
        hold(vault, "case-17", sender="nobody")
    with pytest.raises(HoldError, match="holds nobody"):
        release(vault, "case-99")


def test_every_hold_is_in_the_audit_log(vault: Vault, subject_id: bytes) -> None:
    """By whom, of whom by random id, and when it ended."""
    release(vault, "case-17")
    with vault.database.read() as conn:
        found: list[Any] = [entry.record for entry in vault.audit.entries(conn)]
    assert [(one.verb, one.counts) for one in found] == [("retention", {"holds": 1}), ("retention", {"holds": 1})]
    assert found[0].subject_id == subject_id
    assert found[0].at <= vault.clock() + timedelta(seconds=1)
