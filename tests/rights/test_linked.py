"""What is done to one conversation is done to all that a proof has found, or to none."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.access.permit import issue
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.errors import AccessError, HoldError, RequestError, SharedContactError, StorageError
from rasa_privacy.rights import (
    erasure,
    identity,
    linked,
    staff_access,
    staff_erasure,
    staff_rectification,
    staff_restriction,
)
from rasa_privacy.rights.audience import Tally, audience
from rasa_privacy.rights.identity import ask, prove, send_to
from rasa_privacy.rights.linked import copies_linked, delete_part_linked, erase_linked, holdings_linked
from rasa_privacy.rights.parts import held_values
from rasa_privacy.rights.requests import open_request
from rasa_privacy.storage import holds, known_contacts
from rasa_privacy.storage.erasures import Erasures
from rasa_privacy.storage.holds import Hold
from rasa_privacy.storage.replay import replay
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.linked import proven
from tests.support.vaults import active, evidence, give, grant, held, link, settings_in

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


@pytest.fixture
def bot(vault: Vault) -> Vault:
    """Return a store in which `new` has proven to be `web` and `phone`."""
    return proven(vault)


def there(vault: Vault) -> set[str]:
    """Return who is stored."""
    with vault.database.read() as conn:
        return {name for name in ("web", "phone", "new") if vault.subjects.find(conn, name)}


@each_kind
def test_access_and_copy_hold_all(bot: Vault) -> None:
    """Values, counts and events of each; from one that proved nothing only its own."""
    with bot.database.read() as conn:
        held = holdings_linked(bot, conn, "new")
        assert {each.item for each in held.values} == {"birthday", "full_name", "email"}
        assert held.stored_values == {"newsletter": 1, "draw": 4}
        assert len(holdings_linked(bot, conn, "web").values) == 2
    assert {each.facts["sender_id"] for each in copies_linked(bot, "new", bot.clock())} == {"new", "web", "phone"}
    shown = staff_access.show(bot, "new", admit_local(bot, "view"))
    assert shown is not None
    assert len(shown.values) == 5
    assert len(staff_access.hand_out(bot, "new", admit_local(bot, "export"))) == 3


@each_kind
def test_what_is_looked_up_before_an_erasure_is_what_it_takes(bot: Vault) -> None:
    """Purposes, requests and holds of all linked conversations, and how many there are."""
    with bot.database.write() as conn:
        subject_id = bot.subjects.find(conn, "phone")
        assert subject_id is not None
        holds.put(conn, Hold(subject_id, "case-17", bot.clock(), "ana"))
        open_request(bot, conn, "access", subject_id, bot.clock())
    found = staff_access.find(bot, "new", admit_local(bot, "view"))
    assert found is not None
    assert (found.purposes, found.is_held, found.linked) == (("draw", "newsletter"), True, 2)
    assert [each.kind for each in found.requests] == ["access"]
    alone = staff_access.find(bot, "web", admit_local(bot, "view"))
    assert alone is not None
    assert (alone.purposes, alone.is_held, alone.linked) == (("draw",), False, 0)


@each_kind
def test_an_erasure_takes_all(bot: Vault) -> None:
    """Each with its certificate; from one that proved nothing it takes one."""
    assert erase_linked(bot, "web", evidence(bot)) is not None
    assert there(bot) == {"phone", "new"}
    done = staff_erasure.erase_person(bot, "new", admit_local(bot, "erase"))
    assert done is not None
    assert there(bot) == set()
    assert len(done.also) == 1
    assert done.counts["events"] == 2
    assert erase_linked(bot, "new", evidence(bot)) is None


def test_a_hold_on_one_keeps_all(bot: Vault) -> None:
    """Nothing is deleted."""
    with bot.database.write() as conn:
        subject_id = bot.subjects.find(conn, "phone")
        assert subject_id is not None
        holds.put(conn, Hold(subject_id, "case-17", bot.clock(), "ana"))
    with pytest.raises(HoldError):
        erase_linked(bot, "new", evidence(bot))
    assert there(bot) == {"web", "phone", "new"}


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_killed_in_between_the_next_start_erases_the_rest(
    bot: Vault, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """All of them are in the journal before the first is touched; each has the certificate that was noted."""
    numbers: list[str] = []
    bury = Erasures.bury

    def killed(self: Erasures, *rest: Any, **named: Any) -> None:
        numbers.append(rest[3])
        if len(numbers) > kept:
            raise KeyboardInterrupt
        bury(self, *rest, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Erasures, "bury", killed)
        with pytest.raises(KeyboardInterrupt):
            erase_linked(bot, "new", evidence(bot))
    assert there(bot) == {"web", "phone", "new"}
    replay(bot)
    assert there(bot) == set()
    with bot.database.read() as conn:
        registered = {each.certificate for each in bot.erasures.since(conn, None)}
    assert len(registered) == 3
    assert registered.issuperset(numbers)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_part_killed_in_between_is_deleted_by_the_next_start(
    bot: Vault, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    """In all linked conversations that hold it, each with the certificate that was noted."""
    numbers: list[str] = []
    certify = Erasures.certify

    def killed(self: Erasures, *rest: Any, **named: Any) -> None:
        numbers.append(rest[3])
        certify(self, *rest, **named)
        if len(numbers) > kept:
            raise KeyboardInterrupt

    def emails() -> list[str]:
        with bot.database.read() as conn:
            people = {name: bot.subjects.find(conn, name) for name in ("web", "phone", "new")}
            found = {name: held_values(bot, conn, each) for name, each in people.items() if each is not None}
        return sorted(name for name, purposes in found.items() if any("email" in items for items in purposes.values()))

    with monkeypatch.context() as patch:
        patch.setattr(Erasures, "certify", killed)
        if kept < 2:
            with pytest.raises(KeyboardInterrupt):
                delete_part_linked(bot, "new", ["email"], [], evidence(bot))
            assert emails() == ["phone", "web"]
        else:
            delete_part_linked(bot, "new", ["email"], [], evidence(bot))
    replay(bot)
    assert emails() == []
    assert there(bot) == {"web", "phone", "new"}
    with bot.database.read() as conn:
        registered = {each.certificate for each in bot.erasures.since(conn, None)}
    assert len(registered) == 2
    assert registered.issuperset(numbers)


@each_kind
def test_two_that_erase_from_both_ends_stand_in_no_others_way(bot: Vault) -> None:
    """Who is first erases all, and the other finds nobody: each person has one certificate."""
    link(bot, "web", "new")
    link(bot, "web", "phone")
    start = Barrier(2)

    def erasing(sender: str) -> Any:
        start.wait()
        return erase_linked(bot, sender, evidence(bot))

    with ThreadPoolExecutor(2) as pool:
        done = [each for each in pool.map(erasing, ("new", "web")) if each is not None]
    assert there(bot) == set()
    assert sum(1 + len(each.also) for each in done) == 3
    with bot.database.read() as conn:
        assert len(bot.erasures.since(conn, None)) == 3


@each_kind
def test_stop_on_two_servers_at_once_is_new_on_one(bot: Vault, tmp_path: Path, url: str) -> None:
    """So it is confirmed once, of somebody known and of somebody who is not."""
    with closing(open_vault(replace(settings_in(tmp_path), url=url), bot.clock)) as second:
        for sender in ("phone", "stranger", "somebody"):
            start = Barrier(2)

            def stopping(server: Vault, sender: str = sender, start: Barrier = start) -> bool:
                start.wait()
                work = partial(linked.stop_linked, server, sender_id=sender, evidence=evidence(server))
                return server.database.transact(work).is_new

            with ThreadPoolExecutor(2) as pool:
                assert sorted(pool.map(stopping, (bot, second))) == [False, True]


def test_what_cannot_be_noted_of_one_erases_none(bot: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is any of them in the journal, which would erase it with the next start."""
    told: list[bytes] = []

    def tell(_vault: Vault, _conn: Any, subject_id: bytes, *_: Any) -> None:
        told.append(subject_id)
        if len(told) > 1:
            raise StorageError("the outbox is full")

    with monkeypatch.context() as patch:
        patch.setattr(erasure, "tell_others", tell)
        with pytest.raises(StorageError):
            erase_linked(bot, "new", evidence(bot))
    replay(bot)
    assert there(bot) == {"web", "phone", "new"}


def test_restrictions_reach_all(bot: Vault) -> None:
    """And are lifted in all."""

    def active(sender: str) -> frozenset[str]:
        with bot.database.read() as conn:
            return state_of(bot, conn, bot.subjects.find(conn, sender), bot.clock()).active

    staff_restriction.restrict(bot, "new", ["draw"], admit_local(bot, "restrict"))
    assert [active(name) & {"draw"} for name in ("web", "phone")] == [frozenset(), frozenset()]
    staff_restriction.restrict(bot, "new", ["draw"], admit_local(bot, "restrict"), lift=True)
    assert "draw" in active("web")
    assert staff_restriction.do_not_sell(bot, "new", admit_local(bot, "restrict"))


def test_a_correction_by_staff_reaches_all_that_hold_the_item(bot: Vault) -> None:
    """Of one that proved nothing only its own; a hold on one keeps all."""
    assert staff_rectification.rectify(bot, "new", "full_name", "Ana Lind", admit_local(bot, "rectify")) == ("draw",)
    assert [held(bot, name)["draw"]["full_name"] for name in ("web", "phone")] == ["Ana Lind", "Ana Lind"]
    assert "full_name" not in held(bot, "new")["newsletter"]
    staff_rectification.rectify(bot, "web", "full_name", "Ana Li", admit_local(bot, "rectify"))
    assert [held(bot, name)["draw"]["full_name"] for name in ("web", "phone")] == ["Ana Li", "Ana Lind"]
    with bot.database.write() as conn:
        subject_id = bot.subjects.find(conn, "phone")
        assert subject_id is not None
        holds.put(conn, Hold(subject_id, "case-17", bot.clock(), "ana"))
    with pytest.raises(RequestError):
        staff_rectification.rectify(bot, "new", "full_name", "Ana", admit_local(bot, "rectify"))
    assert held(bot, "web")["draw"]["full_name"] == "Ana Li"


@each_kind
def test_after_stop_no_audience_reaches_a_linked_conversation(bot: Vault) -> None:
    """Also months after the proof."""
    grant(bot, "newsletter", sender="web")
    give(bot, {"newsletter": {"email": "ana@example.com"}}, sender="web")

    def reached() -> set[str]:
        found = audience(bot, admit_local(bot, "audience"), "newsletter", "email", bot.clock(), Tally())
        return {each.sender_id for each in found}

    assert reached() == {"web"}
    bot.clock.advance(days=60)  # type: ignore[attr-defined]
    bot.database.transact(lambda conn: linked.stop_linked(bot, conn, "new", evidence(bot)))
    assert reached() == set()
    assert "newsletter" in active(bot, "web")


def test_a_role_that_does_not_reach_a_linked_conversation_erases_none(bot: Vault) -> None:
    """A person goes whole or not at all."""
    reach = frozenset({"newsletter"})
    narrow = issue(operator="e", role="r", verb="erase", reason="", items=None, purposes=reach, clear=False)
    with pytest.raises(AccessError):
        staff_erasure.erase_person(bot, "new", narrow)
    assert there(bot) == {"web", "phone", "new"}


def test_a_contact_of_too_many_proves_nothing(bot: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """No code is sent to it, and one that came back before links nobody; part of the people would be too few."""
    grant(bot, "newsletter", sender="late")
    assert send_to(bot, "ana@example.com") == "ana@example.com"
    bot.clock.advance(minutes=2)  # type: ignore[attr-defined]
    code = bot.database.transact(lambda conn: ask(bot, conn, "late", "ana@example.com", bot.clock()))
    monkeypatch.setattr(identity, "MOST", 1)
    assert send_to(bot, "ana@example.com") is None
    with pytest.raises(SharedContactError, match="more than 1 people"):
        prove(bot, "late", code, bot.clock())
    with bot.database.read() as conn:
        subject_id = bot.subjects.find(conn, "late")
        assert subject_id is not None
        assert not identity.is_proven(bot, conn, subject_id, bot.clock())
        assert identity.reached_senders(bot, conn, "late") == ["late"]


def test_an_error_of_the_database_is_not_said_to_be_a_contact_of_too_many(
    bot: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is what it is, for whoever waits for the mail to go."""

    def broken(*_: Any) -> Any:
        raise StorageError("the database is away")

    monkeypatch.setattr(known_contacts, "who", broken)
    with pytest.raises(StorageError, match="is away"):
        send_to(bot, "ana@example.com")
