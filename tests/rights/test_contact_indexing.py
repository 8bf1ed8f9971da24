"""Contacts that were stored before `identity:` stood in privacy.yml are indexed page by page, once and for all."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from rasa_privacy.access.admission import admit_local
from rasa_privacy.errors import AccessError, ConfigurationError, StorageError
from rasa_privacy.policy.item_model import Item
from rasa_privacy.policy.operations import Identity
from rasa_privacy.rights import contact_indexing
from rasa_privacy.rights.contact_indexing import Indexed, index_contacts
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.identity import whom
from rasa_privacy.storage import contact_marks, holds
from rasa_privacy.storage.audience_contacts import contacts_of_many
from rasa_privacy.storage.holds import Hold
from rasa_privacy.storage.kept import keep, kept_id
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import BY_LAW, PRIVACY, Clock, evidence, give, grant, settings_in

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


def with_identity(vault: Vault) -> Vault:
    """Return the store under a privacy.yml in which `identity:` stands by now."""
    return replace(vault, policy=msgspec.structs.replace(vault.policy, identity=Identity()))


def people(vault: Vault, *senders: str) -> dict[str, bytes]:
    """Store people with an address each, and return their ids."""
    found = {}
    for sender in senders:
        found[sender] = grant(vault, "draw", sender=sender)
        give(vault, {"draw": {"full_name": "Ana", "email": f"{sender}@example.com"}}, sender=sender)
    return found


def run(vault: Vault, note: Callable[[int], object] = lambda _number: None) -> Indexed:
    """Index, and return what was done."""
    done = Indexed()
    index_contacts(vault, admit_local(vault, "keys"), done, note)
    return done


def found(vault: Vault, sender: str) -> bool:
    """Return whether somebody is found by their address."""
    return bool(whom(vault, f"{sender}@example.com"))


def complete(vault: Vault) -> bool:
    """Return whether everybody is said to be found."""
    with vault.database.read() as connection:
        return contact_marks.is_complete(connection, vault.policy)


@each_kind
def test_who_was_stored_before_is_found_afterwards(vault: Vault) -> None:
    """Also under a hold, which it does not touch; a second run finds nothing more to do."""
    ids = people(vault, "ana", "ben", "eva")
    with vault.database.write() as conn:
        holds.put(conn, Hold(ids["eva"], "case-17", vault.clock(), "ana"))
    store = with_identity(vault)
    assert not found(store, "ana")
    assert not complete(store)
    assert run(store) == Indexed(people=3, contacts=3)
    assert [found(store, name) for name in ids] == [True, True, True]
    assert complete(store)
    assert run(store) == Indexed(people=3)


@each_kind
def test_a_run_that_stops_goes_on_where_it_was(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page is there with what is noted of it, and nobody is gone through twice."""
    names = [f"p{number}" for number in range(5)]
    people(vault, *names)
    store = with_identity(vault)
    monkeypatch.setattr(contact_indexing, "PAGE", 2)
    pages: list[int] = []

    def stop(number: int) -> None:
        pages.append(number)
        if len(pages) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(store, stop)
    assert sum(found(store, name) for name in names) == 4
    assert not complete(store)
    assert run(store) == Indexed(people=1, contacts=1)
    assert all(found(store, name) for name in names)
    assert complete(store)


def test_a_page_that_is_killed_is_as_if_it_had_not_begun(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is indexed and how far that is are one transaction."""
    people(vault, "ana")
    store = with_identity(vault)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(contact_indexing, "Indexed", killed)
        with pytest.raises(KeyboardInterrupt):
            index_contacts(store, admit_local(store, "keys"), Indexed(), lambda _number: None)
    assert not found(store, "ana")
    assert run(store) == Indexed(people=1, contacts=1)


def test_two_at_once_are_refused(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second page of the first run finds that another has gone on."""
    people(vault, "ana", "ben")
    store = with_identity(vault)
    monkeypatch.setattr(contact_indexing, "PAGE", 1)
    pages: list[int] = []

    def another(number: int) -> None:
        pages.append(number)
        if len(pages) == 1:
            run(store)

    with pytest.raises(StorageError, match="another process"):
        run(store, another)
    assert complete(store)


@each_kind
def test_who_opens_the_store_without_identity_meanwhile_has_the_last_word(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What they store is not indexed, so a page that ends later must not say that everybody is found."""
    people(vault, "ana")
    store = with_identity(vault)
    opening = Thread(
        target=vault.database.transact, args=(lambda conn: contact_marks.prepare(conn, vault.policy),), daemon=True
    )

    def slow(*arguments: Any) -> Any:
        opening.start()
        opening.join(0.5)
        return contacts_of_many(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(contact_indexing, "contacts_of_many", slow)
        run(store)
    opening.join()
    assert not complete(store)


@each_kind
def test_who_cannot_be_read_is_counted_and_the_others_go_on(vault: Vault) -> None:
    """Of one the key is gone, of one the rows are damaged."""
    ids = people(vault, "ana", "ben", "eva")
    with vault.database.write() as conn:
        vault.data_keys.destroy(conn, ids["ana"], "service")
        damage = text(
            "UPDATE segments SET sealed = :bad WHERE conversation_ref IN "
            "(SELECT conversation_ref FROM conversations WHERE subject_id = :who)"
        )
        conn.execute(damage, {"bad": bytes(64), "who": ids["ben"]})
    store = with_identity(vault)
    assert run(store) == Indexed(people=3, contacts=1, unreadable=2)
    assert found(store, "eva")


def test_who_is_erased_meanwhile_leaves_nothing(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is read and locked; who was erased before that is passed over."""
    people(vault, "ana", "ben")
    store = with_identity(vault)
    after = type(store.crowd).after

    def and_erase(*arguments: Any) -> list[bytes]:
        page = after(*arguments)
        with store.database.read() as conn:
            gone = store.subjects.find(conn, "ana")
        assert gone in page
        return [each for each in page if each != gone] + [b"\xff" * 16]  # of whom there is no row any more

    monkeypatch.setattr(type(store.crowd), "after", and_erase)
    assert run(store).people == 1
    erase(store, "ana", evidence(store))
    with store.database.read() as conn:
        assert conn.execute(text("SELECT COUNT(*) FROM known_contacts")).scalar() == 1


def test_what_the_law_keeps_of_an_erased_person_is_not_indexed(tmp_path: Path, clock: Clock) -> None:
    """Nobody is to be found by it."""
    settings = settings_in(tmp_path)
    law = BY_LAW.replace("{full_name: required}", "{full_name: required, email: required}")
    (tmp_path / "privacy.yml").write_text(PRIVACY + law, encoding="utf-8")
    vault = open_vault(settings, clock)
    give(vault, {"books": {"full_name": "Ana Li", "email": "ana@example.com"}}, sender="ana")
    with vault.database.read() as conn:
        subject_id = vault.subjects.find(conn, "ana")
    assert subject_id is not None
    assert vault.database.transact(lambda conn: keep(vault, conn, subject_id, clock()))
    store = with_identity(vault)
    assert run(store) == Indexed(people=2, contacts=1)
    assert [each.subject_id for each in whom(store, "ana@example.com")] == [subject_id]
    assert kept_id(store, subject_id) != subject_id
    vault.close()


def test_it_is_known_whether_everybody_is_found(tmp_path: Path, clock: Clock) -> None:
    """A store that begins with `identity:` is whole until it is opened without, or something else is a contact."""

    def opened(more: str = "") -> Vault:
        (tmp_path / "privacy.yml").write_text(PRIVACY + more, encoding="utf-8")
        return open_vault(settings, clock)

    settings = settings_in(tmp_path)
    for more, expected in (("identity: {}\n", True), ("", True), ("identity: {}\n", False)):
        vault = opened(more)
        assert complete(vault) is expected
        people(vault, "ana")
        vault.close()
    vault = opened("identity: {}\n")
    run(vault)
    assert complete(vault)
    items = {**vault.policy.items, "second": Item(slot="second", detect="phone")}
    assert not complete(replace(vault, policy=msgspec.structs.replace(vault.policy, items=items)))
    vault.close()


def test_only_who_may_indexes_and_only_with_identity(vault: Vault) -> None:
    """Without it nobody is to be found by a contact."""
    with pytest.raises(ConfigurationError, match="no 'identity:'"):
        run(vault)
    store = with_identity(vault)
    with pytest.raises(AccessError):
        index_contacts(store, admit_local(store, "view"), Indexed(), lambda _number: None)
