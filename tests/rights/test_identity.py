"""A proof by a code to a contact on file finds the other conversations, and gives nothing away about who is known."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from rasa_privacy.consent.double_opt_in import MAX_ATTEMPTS, MAX_MAILS
from rasa_privacy.errors import OptInError, TamperedSegmentError
from rasa_privacy.policy.contacts import PROOF
from rasa_privacy.policy.operations import Identity
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.identity import (
    ask,
    asked_contact,
    is_proven,
    needs_proof,
    prove,
    reach,
    reached_senders,
    remember,
    send_to,
    whom,
)
from rasa_privacy.rights.suppression import contact_indexes
from rasa_privacy.rights.withdrawal import destroy_items, withdraw
from rasa_privacy.storage import opt_in_codes
from rasa_privacy.storage.tables import known_contacts, links, metadata
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import Clock, evidence, give, grant

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
ANA = "ana@example.com"


@pytest.fixture
def bot(vault: Vault) -> Vault:
    """Return the store of a bot that asks for proof, but on one channel."""
    rules = Identity(trusted_channels=("telegram",), proof_lasts="30 minutes")
    return replace(vault, policy=msgspec.structs.replace(vault.policy, identity=rules))


def tell(vault: Vault, sender: str, email: str = ANA) -> bytes:
    """Let somebody agree and give a name and an address, as a turn stores it; return the person."""
    subject_id = grant(vault, "draw", "newsletter", sender=sender)
    values = {"draw": {"full_name": f"Name of {sender}", "email": email}, "newsletter": {"email": email}}
    give(vault, values, sender=sender)
    entries = {name: [[0, [], item, value] for item, value in items.items()] for name, items in values.items()}
    vault.database.transact(lambda conn: remember(vault, conn, subject_id, entries))
    return subject_id


def code_for(vault: Vault, sender: str, contact: str = ANA) -> str:
    """Ask for a code in a conversation."""
    return vault.database.transact(lambda conn: ask(vault, conn, sender, contact, vault.clock()))


def reached(vault: Vault, sender: str) -> set[str]:
    """Return the sender ids that a conversation reaches."""
    with vault.database.read() as conn:
        return set(reached_senders(vault, conn, sender))


def rows(vault: Vault, table: Any) -> int:
    """Return how many rows a table has."""
    with vault.database.read() as conn:
        return len(conn.execute(table.select()).all())


@each_kind
def test_a_proof_finds_the_other_conversations(bot: Vault) -> None:
    """Those that hold the contact, however it is written; of others none."""
    for sender, email in (("web", "Ana@Example.com"), ("phone", ANA), ("other", "bo@example.com")):
        tell(bot, sender, email)
    assert prove(bot, "new", code_for(bot, "new", " ANA@example.com"), bot.clock()) == 2
    assert reached(bot, "new") == {"new", "web", "phone"}
    assert reached(bot, "web") == {"web"}
    assert reached(bot, "other") == {"other"}


def test_who_merely_names_an_address_of_another_sees_nothing(bot: Vault) -> None:
    """The link leads from who proved to who is found, and not back."""
    tell(bot, "victim")
    tell(bot, "attacker")
    prove(bot, "victim", code_for(bot, "victim"), bot.clock())
    assert reached(bot, "victim") == {"victim", "attacker"}
    assert reached(bot, "attacker") == {"attacker"}
    with bot.database.read() as conn:
        assert needs_proof(bot, conn, bot.subjects.find(conn, "attacker"), "rest", bot.clock())


@pytest.mark.parametrize(
    ("theirs", "mine", "named"),
    [
        ("0170 1234567", "+44 170 1234567", "+44 170 1234567"),
        ("+49 170 1234567", "+44 170 1234567", "0170 1234567"),
        ("ana@strasse.example", "ana@straße.example", "ana@straße.example"),
        ("gross@mail.example", "groß@mail.example", "groß@mail.example"),
    ],
)
def test_a_contact_that_another_may_have_elsewhere_proves_nothing(
    bot: Vault, theirs: str, mine: str, named: str
) -> None:
    """Who has the same number in another country, or a domain that was once the same, gets no code for another's."""
    contacts = {"victim": theirs, "attacker": mine}
    people = {}
    for sender, contact in contacts.items():
        people[grant(bot, "draw", sender=sender)] = sender
        give(bot, {"draw": {"phone" if contact[-1].isdigit() else "email": contact}}, sender=sender)
    for who, sender in people.items():
        item = "phone" if contacts[sender][-1].isdigit() else "email"
        entries = {"draw": [[0, [], item, contacts[sender]]]}
        bot.database.transact(lambda conn, who=who, entries=entries: remember(bot, conn, who, entries))  # type: ignore[misc]
    assert {people[each.subject_id] for each in whom(bot, named)} <= {"attacker"}
    assert send_to(bot, named) != theirs
    prove(bot, "new", code_for(bot, "new", named), bot.clock())
    assert "victim" not in reached(bot, "new")
    assert {people[each.subject_id] for each in whom(bot, theirs)} == {"victim"}


def test_a_proof_that_was_written_by_hand_counts_for_nothing(bot: Vault, clock: Clock) -> None:
    """Neither one that is over and gets another time, nor that of somebody else."""
    web, other = tell(bot, "web"), tell(bot, "other")
    prove(bot, "web", code_for(bot, "web"), clock())
    with bot.database.read() as conn:
        assert is_proven(bot, conn, web, clock())
        found = opt_in_codes.find(conn, web, PROOF)
    assert found is not None
    bot.database.transact(lambda conn: opt_in_codes.put(conn, other, PROOF, found))
    later = replace(found, expires_at=clock.advance(hours=1))
    bot.database.transact(lambda conn: opt_in_codes.put(conn, web, PROOF, later))
    with bot.database.read() as conn:
        assert not is_proven(bot, conn, web, clock())
        assert not is_proven(bot, conn, other, clock() - timedelta(hours=1))


@each_kind
def test_a_proof_counts_in_its_conversation_for_a_while(bot: Vault, clock: Clock) -> None:
    """A trusted channel needs none; without `identity:` nobody does."""
    subject_id = tell(bot, "web")
    with bot.database.read() as conn:
        assert needs_proof(bot, conn, subject_id, "rest", clock())
        assert needs_proof(bot, conn, None, "rest", clock())
        assert not needs_proof(bot, conn, subject_id, "telegram", clock())
        plain = replace(bot, policy=msgspec.structs.replace(bot.policy, identity=None))
        assert not needs_proof(plain, conn, None, "rest", clock())
    prove(bot, "web", code_for(bot, "web"), clock())
    with bot.database.read() as conn:
        assert is_proven(bot, conn, subject_id, clock())
        assert not is_proven(bot, conn, subject_id, clock.advance(minutes=30))


def test_the_months_of_a_proof_are_those_of_the_calendar(bot: Vault, clock: Clock) -> None:
    """As of every other duration in privacy.yml."""
    rules = Identity(trusted_channels=("telegram",), proof_lasts="1 month")
    long = replace(bot, policy=msgspec.structs.replace(bot.policy, identity=rules))
    subject_id = tell(long, "web")
    prove(long, "web", code_for(long, "web"), clock())
    with long.database.read() as conn:
        assert is_proven(long, conn, subject_id, clock.advance(days=29))
        assert not is_proven(long, conn, subject_id, clock.advance(days=1))


def test_a_contact_that_nobody_gave_looks_the_same(bot: Vault, clock: Clock) -> None:
    """It gets a code, is counted and bears as many guesses; only no message goes anywhere."""
    tell(bot, "web")
    assert send_to(bot, ANA) == ANA
    assert send_to(bot, "nobody@example.com") is None
    for sender, contact in (("a", ANA), ("b", "nobody@example.com")):
        assert len(code_for(bot, sender, contact)) == 6
        with pytest.raises(OptInError, match="less than a minute"):
            code_for(bot, sender, contact)
        for _ in range(MAX_ATTEMPTS):
            with pytest.raises(OptInError, match="wrong"):
                prove(bot, sender, "x", clock())
        with pytest.raises(OptInError, match="too many"):
            prove(bot, sender, "x", clock())
        clock.advance(minutes=2)
        with pytest.raises(OptInError, match="too many wrong"):
            code_for(bot, sender, contact)
        with bot.database.read() as conn:
            assert asked_contact(bot, conn, sender, clock()) == contact
    for contact in (ANA, "nobody@example.com"):
        for number in range(MAX_MAILS - 1):
            code_for(bot, f"{contact} {number}", contact)
        with pytest.raises(OptInError, match="within an hour"):
            code_for(bot, "one more", contact)


@each_kind
def test_ten_guesses_are_in_vain(bot: Vault, clock: Clock) -> None:
    """Also with the right one among the last; a code counts once, and not after its time."""
    tell(bot, "web")
    code = code_for(bot, "new")
    for guess in range(10):
        with pytest.raises(OptInError):
            prove(bot, "new", code if guess == 9 else f"wrong {guess}", clock())
    clock.advance(minutes=20)
    code = code_for(bot, "new")
    assert prove(bot, "new", f" {code[:3]} {code[3:]} ", clock()) == 1
    with pytest.raises(OptInError):
        prove(bot, "new", code, clock())
    code = code_for(bot, "late")
    with pytest.raises(OptInError):
        prove(bot, "late", code, clock.advance(minutes=16))
    with pytest.raises(OptInError):
        prove(bot, "never asked", "123456", clock())


def test_the_code_of_another_conversation_proves_nothing(bot: Vault) -> None:
    """It is bound to who asked and to the contact."""
    tell(bot, "web")
    first, second = code_for(bot, "one"), code_for(bot, "two")
    with pytest.raises(OptInError):
        prove(bot, "one", second if second != first else "x", bot.clock())
    assert prove(bot, "two", second, bot.clock()) == 1


@each_kind
def test_a_contact_is_found_as_long_as_it_is_held(bot: Vault) -> None:
    """It goes with its item, its purpose, the conversation's events, and the person; links too."""
    subject_id = tell(bot, "web")
    assert len(whom(bot, ANA)) == 1
    assert rows(bot, known_contacts) == 2
    bot.database.transact(lambda conn: withdraw(bot, conn, subject_id, ["newsletter"], evidence(bot)))
    assert rows(bot, known_contacts) == 1
    bot.database.transact(lambda conn: destroy_items(bot, conn, subject_id, "draw", ["full_name"], bot.clock()))
    assert len(whom(bot, ANA)) == 1
    bot.database.transact(lambda conn: destroy_items(bot, conn, subject_id, "draw", ["email"], bot.clock()))
    assert rows(bot, known_contacts) == 0
    tell(bot, "web2")
    prove(bot, "new", code_for(bot, "new"), bot.clock())
    bot.database.transact(lambda conn: bot.conversations.clear(conn, "web2"))
    assert (rows(bot, known_contacts), rows(bot, links)) == (0, 1)
    erase(bot, "web2", evidence(bot))
    assert rows(bot, links) == 0
    assert reached(bot, "new") == {"new"}
    tell(bot, "web3")
    prove(bot, "newer", code_for(bot, "newer"), bot.clock())
    with bot.database.read() as conn:
        assert len(reach(bot, conn, bot.subjects.find(conn, "newer") or b"")) == 2
    for sender in ("newer", "web3"):
        erase(bot, sender, evidence(bot))
    assert [rows(bot, metadata.tables[name]) for name in ("links", "known_contacts", "opt_in_codes")] == [0, 0, 1]


def test_a_hash_that_was_left_finds_nobody(bot: Vault) -> None:
    """What is stored is looked at once more; who is damaged is not found either."""
    subject_id = tell(bot, "web")
    other = grant(bot, "draw", sender="other")
    with bot.database.write() as conn:
        conn.execute(known_contacts.update().values(subject_id=other).where(known_contacts.c.purpose == "draw"))
    assert [each.subject_id for each in whom(bot, ANA)] == [subject_id]
    with bot.database.write() as conn:
        conn.exec_driver_sql("UPDATE segments SET sealed = x'00'")
    assert whom(bot, ANA) == []


def test_a_link_that_was_made_by_hand_leads_nowhere(bot: Vault) -> None:
    """Nobody comes to see another's data by writing into the table."""
    one, two = tell(bot, "one"), tell(bot, "two")
    prove(bot, "two", code_for(bot, "two"), bot.clock())
    with bot.database.write() as conn:
        conn.execute(links.update().values(subject_id=one, other_id=two))
    with pytest.raises(TamperedSegmentError, match="by hand"):
        reached(bot, "one")


def test_without_identity_no_contact_is_noted(vault: Vault) -> None:
    """No row that nothing reads."""
    tell(vault, "web")
    assert rows(vault, known_contacts) == 0


def test_the_mac_of_a_contact_is_not_that_of_a_suppression(bot: Vault) -> None:
    """Two tables cannot be joined by it."""
    tell(bot, "web")
    with bot.database.read() as conn:
        indexes = {row.contact_index for row in conn.execute(known_contacts.select())}
    assert indexes
    assert not indexes & set(contact_indexes(bot, ANA))
