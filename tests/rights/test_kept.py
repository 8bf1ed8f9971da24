"""What the law demands that it stays of an erased person: apart from them, for its time alone, and said."""

import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.cli.leak_search import Sink, search
from rasa_privacy.errors import ContentionError, HoldError
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.retention.sweep import sweep
from rasa_privacy.rights import staff_access
from rasa_privacy.rights.bulk_erasure import erase_before, erase_listed
from rasa_privacy.rights.bulk_run import Bulk, Line
from rasa_privacy.rights.certificate_files import json_file, open_certificate, page_file
from rasa_privacy.rights.certificates import certificate, kept_sender
from rasa_privacy.rights.erasure import ErasureCertificate, erase
from rasa_privacy.rights.linked import erase_linked, kept_linked
from rasa_privacy.storage import holds, kept
from rasa_privacy.storage.holds import Hold
from rasa_privacy.storage.kept import Kept, keep, kept_by_law
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import (
    BY_LAW,
    PRIVACY,
    SENDER,
    START,
    Clock,
    active,
    evidence,
    give,
    grant,
    held,
    link,
    settings_in,
    stored_senders,
)

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
SIX_YEARS = timedelta(days=6 * 365 + 2)  # 2028 and 2032 have a 29 February


def by_law(folder: Path, settings: StoreSettings) -> StoreSettings:
    """Write a privacy.yml into the folder of a store by which the law keeps a name for six years."""
    (folder / "privacy.yml").write_text(PRIVACY + BY_LAW, encoding="utf-8")
    return settings


@pytest.fixture
def settings(tmp_path: Path, url: str) -> StoreSettings:
    """Return the settings of a store under such a law."""
    return by_law(tmp_path, replace(settings_in(tmp_path), url=url))


@pytest.fixture
def bot(settings: StoreSettings, clock: Clock) -> Iterator[Vault]:
    """Return an open store with one person, of whom the law keeps the name and nothing else."""
    opened = open_vault(settings, clock)
    person(opened)
    yield opened
    opened.close()


def person(vault: Vault, sender: str = SENDER) -> bytes:
    """Store a person who has a consent, events, and a name that the law keeps."""
    subject_id = grant(vault, "draw", sender=sender)
    give(vault, {"draw": {"full_name": "Ana Li", "email": "ana@example.com"}}, sender=sender, events=3)
    give(vault, {"books": {"full_name": "Ana Li"}}, sender=sender)
    return subject_id


def erased(vault: Vault, sender: str = SENDER) -> ErasureCertificate:
    """Erase a person who is there."""
    done = erase(vault, sender, evidence(vault))
    assert done is not None
    return done


def people(vault: Vault) -> int:
    """Return of how many people anything is stored."""
    return len(stored_senders(vault))


KEPT = Kept("books", {"full_name": 1}, START + SIX_YEARS)


@each_kind
def test_the_name_stays_apart_and_everything_else_goes(bot: Vault) -> None:
    """The person is nobody any more; what stays has no consent, no other value, and is no conversation of the bot."""
    with bot.database.read() as connection:
        subject_id = bot.subjects.find(connection, SENDER)
        assert subject_id is not None
        assert kept_by_law(bot, connection, subject_id, bot.clock()) == (KEPT,)
    done = erased(bot)
    assert done.kept == (KEPT,)
    assert held(bot) == {}
    sender = kept_sender(bot, done.number)
    assert held(bot, sender) == {"books": {"full_name": "Ana Li"}}
    assert active(bot, sender) == active(bot, "nobody")
    with bot.database.read() as connection:
        assert bot.subjects.find(connection, SENDER) is None
        assert list(bot.senders.ids(connection)) == []
        stored = bot.conversations.load(connection, sender, all_sessions=True)
        assert stored is not None
        assert [event["event"] for event in stored.structure] == ["slot"]
        assert set(bot.data_keys.of_subject(connection, stored.subject_id)) == {"service", "books"}
    assert erase(bot, SENDER, evidence(bot)) is None
    shown = staff_access.show(bot, sender, admit_local(bot, "view"))
    assert shown is not None
    assert [each.item for each in shown.values] == ["full_name"]


@each_kind
def test_the_sweep_destroys_it_when_its_time_is_over(bot: Vault, clock: Clock) -> None:
    """Not a day before; then nothing is left, and the certificate names nothing that stays."""
    done = erased(bot)
    sender = kept_sender(bot, done.number)
    clock.now = START + SIX_YEARS - timedelta(days=1)
    sweep(bot, clock(), trusted=True)
    assert held(bot, sender) == {"books": {"full_name": "Ana Li"}}
    clock.advance(days=2)
    sweep(bot, clock(), trusted=True)
    assert held(bot, sender) == {}
    assert people(bot) == 0
    assert "kept_by_law" not in certificate(bot, done.number, clock())


@each_kind
def test_the_certificate_says_what_stays_why_and_until_when(bot: Vault) -> None:
    """And not that it was destroyed; JSON and page verify, and hold nothing of the person."""
    done = erased(bot)
    made = certificate(bot, done.number, bot.clock())
    (kept,) = made["kept_by_law"]
    assert (kept["purpose"], kept["items"], kept["values"], kept["because"]) == ("books", ["full_name"], 1, "tax law")
    assert kept["until"].startswith("2032-")
    assert [each["purpose"] for each in made["destroyed"]["purposes"]] == ["draw"]
    for file in (json_file(bot, made), page_file(bot, made, "en")):
        assert open_certificate(file, bot.signer.key.public()).items() >= made.items()
        assert b"Ana" not in file


@each_kind
def test_what_is_over_or_was_never_given_does_not_stay(bot: Vault, clock: Clock) -> None:
    """An obligation whose time is over keeps nothing, also where no sweep came by; nor does one without a value."""
    give(bot, {"draw": {"full_name": "Ben Ko"}}, sender="ben")
    assert erased(bot, "ben").kept == ()
    clock.now = START + SIX_YEARS + timedelta(seconds=1)
    assert erased(bot).kept == ()
    assert people(bot) == 0


@each_kind
def test_many_at_once_leave_the_same(bot: Vault, clock: Clock) -> None:
    """The preview and the report say of whom; what stays is not somebody who is silent."""
    lines: list[Line] = []
    person(bot, "ben")
    preview = Bulk(bot, admit_local(bot, "erase"), lines.append, is_preview=True)
    erase_listed(preview, [SENDER, "nobody"])
    assert preview.kept == 1
    assert [each.kept for each in sorted(lines, key=lambda one: one.number)] == [("books",), ()]
    lines.clear()
    erase_listed(Bulk(bot, admit_local(bot, "erase"), lines.append), [SENDER])
    assert held(bot, kept_sender(bot, lines[0].certificate)) == {"books": {"full_name": "Ana Li"}}
    later = clock.advance(days=1)
    silent = Bulk(bot, admit_local(bot, "erase"))
    erase_before(silent, later)
    assert (silent.counts, silent.kept, people(bot)) == ({"erased": 1}, 1, 2)
    again = Bulk(bot, admit_local(bot, "erase"))
    erase_before(again, clock.advance(days=1))
    assert again.counts == {}


def test_nothing_written_shows_what_stays(
    settings: StoreSettings, clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No file, no log and no certificate, after the erasure and after the sweep; the store itself still has it."""
    caplog.set_level(logging.DEBUG)
    vault = open_vault(settings, clock)
    grant(vault, "draw", sender="CANARYsender")
    give(vault, {"books": {"full_name": "Jane CANARYvalue"}}, sender="CANARYsender")
    done = erased(vault, "CANARYsender")
    sender = kept_sender(vault, done.number)
    assert search(["canary"], [Sink("the store", str(held(vault, sender)).encode())])
    said = [Sink("certificate", json_file(vault, certificate(vault, done.number, clock())))]
    clock.now = START + SIX_YEARS + timedelta(days=1)
    for _ in range(2):
        files = [Sink(each.name, each.read_bytes()) for each in tmp_path.rglob("*") if each.is_file()]
        assert len(files) > 1
        assert not search(["canary"], [*files, *said, Sink("log", caplog.text.encode()), Sink("name", sender.encode())])
        sweep(vault, clock(), trusted=True)
    vault.close()


def test_linked_conversations_each_leave_theirs(bot: Vault) -> None:
    """What would stay and what stays is that of all of them."""
    person(bot, "web")
    link(bot, SENDER, "web")
    with bot.database.read() as connection:
        assert kept_linked(bot, connection, SENDER, bot.clock()) == (KEPT, KEPT)
        assert kept_linked(bot, connection, SENDER, bot.clock(), links=False) == (KEPT,)
    found = staff_access.find(bot, SENDER, admit_local(bot, "view"))
    assert found is not None
    assert found.kept == (KEPT, KEPT)
    done = erase_linked(bot, SENDER, evidence(bot))
    assert done is not None
    assert done.kept == (KEPT, KEPT)
    assert people(bot) == 2


def test_a_restored_backup_is_erased_but_for_what_the_law_keeps(
    settings: StoreSettings, tmp_path: Path, clock: Clock
) -> None:
    """A copy from before the erasure has the person whole; the start erases them again and leaves the name."""
    vault = open_vault(settings, clock)
    person(vault)
    vault.close()
    shutil.copy(tmp_path / "c.db", tmp_path / "backup")
    vault = open_vault(settings, clock)
    number = erased(vault).number
    vault.close()
    shutil.copy(tmp_path / "backup", tmp_path / "c.db")
    vault = open_vault(settings, clock)
    assert held(vault) == {}
    assert held(vault, kept_sender(vault, number)) == {"books": {"full_name": "Ana Li"}}
    assert certificate(vault, number, clock())["kept_by_law"]
    vault.close()


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("step", ["write", "bury"])
def test_an_erasure_that_breaks_off_loses_nothing_that_the_law_keeps(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, step: str, *, apart: bool
) -> None:
    """Broken off before the journal the person is there whole; after it the next start goes on, and the name stays."""
    settings = by_law(tmp_path, settings_in(tmp_path))
    keys = replace(settings.keys, url=f"sqlite:///{tmp_path}/keys.db" if apart else None)
    settings = replace(settings, keys=keys, journal=tmp_path / "erasures.journal")
    vault = open_vault(settings, clock)
    person(vault)

    def broken(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(vault.journal if step == "write" else vault.erasures), step, broken)
        with pytest.raises(KeyboardInterrupt):
            erase(vault, SENDER, evidence(vault))
    vault.close()
    vault = open_vault(settings, clock)
    if step == "write":
        assert held(vault)["books"] == {"full_name": "Ana Li"}
        erased(vault)
    assert held(vault) == {}
    (sender,) = stored_senders(vault)
    assert held(vault, sender) == {"books": {"full_name": "Ana Li"}}
    vault.close()


@pytest.mark.parametrize("killed", [False, True])
def test_a_value_that_comes_while_an_erasure_begins_is_kept(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, *, killed: bool
) -> None:
    """Keys lie apart: it came after the copy was committed; killed when the keys are gone, the next start finds it."""
    settings = by_law(tmp_path, settings_in(tmp_path))
    keys = replace(settings.keys, url=f"sqlite:///{tmp_path}/keys.db")
    settings = replace(settings, keys=keys, journal=tmp_path / "erasures.journal")
    vault = open_vault(settings, clock)
    person(vault)
    copied, destroyed = kept._copy_first, type(vault.data_keys).destroy_all

    def and_then_writes(*arguments: Any, **named: Any) -> None:
        copied(*arguments, **named)
        if held(vault)["books"] == {"full_name": "Ana Li"}:
            give(vault, {"books": {"full_name": "Ana Lind"}})

    def and_dies(*arguments: Any) -> Any:
        destroyed(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(kept, "_copy_first", and_then_writes)
        if killed:
            patch.setattr(type(vault.data_keys), "destroy_all", and_dies)
            with pytest.raises(KeyboardInterrupt):
                erase(vault, SENDER, evidence(vault))
        else:
            erased(vault)
    vault.close()
    vault = open_vault(settings, clock)
    (sender,) = stored_senders(vault)
    with vault.database.read() as connection:
        assert vault.subjects.find(connection, SENDER) is None
        stored = vault.conversations.load(connection, sender, all_sessions=True)
    assert stored is not None
    assert sorted(entry[3] for entry in stored.values["books"]) == ["Ana Li", "Ana Lind"]
    vault.close()


def test_a_list_keeps_what_linked_conversations_hold_by_law(tmp_path: Path, clock: Clock) -> None:
    """Keys lie apart: their copies are committed before the keys go, as that of who is on the list."""
    settings = by_law(tmp_path, settings_in(tmp_path))
    vault = open_vault(replace(settings, keys=replace(settings.keys, url=f"sqlite:///{tmp_path}/keys.db")), clock)
    for sender in (SENDER, "web"):
        person(vault, sender)
    link(vault, SENDER, "web")
    bulk = Bulk(vault, admit_local(vault, "erase"))
    erase_listed(bulk, [SENDER])
    assert (bulk.counts, bulk.kept, bulk.linked) == ({"erased": 1}, 1, 1)
    assert [held(vault, each) for each in stored_senders(vault)] == [{"books": {"full_name": "Ana Li"}}] * 2
    vault.close()


def test_a_person_who_writes_all_the_time_is_not_erased(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather nothing is done, and said, than a value lost."""
    settings = by_law(tmp_path, settings_in(tmp_path))
    vault = open_vault(replace(settings, keys=replace(settings.keys, url=f"sqlite:///{tmp_path}/keys.db")), clock)
    person(vault)
    monkeypatch.setattr(kept, "_copy_first", lambda *_, **__: None)
    with pytest.raises(ContentionError, match="writes all the time"):
        erase(vault, SENDER, evidence(vault))
    assert held(vault)["books"] == {"full_name": "Ana Li"}
    vault.close()


def test_a_value_that_came_since_a_first_try_is_kept_too(bot: Vault, clock: Clock) -> None:
    """The copy of an erasure that broke off is replaced; there is no second one."""
    with bot.database.read() as connection:
        subject_id = bot.subjects.find(connection, SENDER)
    assert subject_id is not None
    bot.database.transact(lambda connection: keep(bot, connection, subject_id, clock()))
    give(bot, {"books": {"full_name": "Ana Lind"}})
    (kept,) = erased(bot).kept
    assert kept.items == {"full_name": 2}
    assert people(bot) == 1


def test_under_a_hold_nothing_is_copied(bot: Vault) -> None:
    """Everything stays as it is."""
    with bot.database.write() as connection:
        subject_id = bot.subjects.find(connection, SENDER)
        assert subject_id is not None
        holds.put(connection, Hold(subject_id, "case-17", bot.clock(), "ana"))
    with pytest.raises(HoldError):
        erase(bot, SENDER, evidence(bot))
    assert people(bot) == 1
