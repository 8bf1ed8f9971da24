"""The audience: exactly those whom the fold lets in and whom nobody suppressed."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from rasa_privacy.access.admission import admit_local
from rasa_privacy.consent.collected import Collected, import_all
from rasa_privacy.consent.double_opt_in import begin, confirm
from rasa_privacy.consent.imported import ImportedGrant
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.opt_out_signals import record_gpc
from rasa_privacy.errors import ConfigurationError, KeyProviderError, UnknownEpochError
from rasa_privacy.rights.audience import Recipient, Tally, audience
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.linked import stop_linked
from rasa_privacy.rights.membership import members
from rasa_privacy.rights.standing import lift_limit, limit
from rasa_privacy.rights.suppression import OPERATOR, STOP, suppress, suppress_contacts
from rasa_privacy.rights.withdrawal import withdraw
from rasa_privacy.storage import audience_rows
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import Clock, answer, ask, clock, evidence, give, grant, notice_of, settings_in

__all__ = ["clock"]

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


def of(
    vault: Vault, purpose: str = "newsletter", item: str | None = None, tally: Tally | None = None
) -> list[Recipient]:
    """Return the audience."""
    permit = admit_local(vault, "audience")
    return list(audience(vault, permit, purpose, item, vault.clock(), tally if tally is not None else Tally()))


def senders(vault: Vault, purpose: str = "newsletter") -> set[str]:
    """Return the sender ids of the audience, each of them once."""
    found = [each.sender_id for each in of(vault, purpose)]
    assert len(found) == len(set(found))
    return set(found)


def reader(vault: Vault, name: str, address: str | None = None) -> bytes:
    """Let a person subscribe, with an address on file."""
    subject_id = grant(vault, "newsletter", sender=name)
    give(vault, {"newsletter": {"email": address or f"{name}@example.com"}}, sender=name)
    return subject_id


@each_kind
def test_in_is_who_said_yes_and_still_means_it(vault: Vault) -> None:
    """Asked, refused, withdrawn and erased people are out, and so is who agreed to something else."""
    for name in ("ana", "bob", "cyd", "dan", "eve"):
        reader(vault, name)
    ask(vault, "newsletter", "asked only")
    ask(vault, "newsletter", "refused")
    answer(vault, "newsletter", granted=False, sender="refused")
    grant(vault, "draw", sender="the draw only")
    ask(vault, "newsletter", "bob")
    answer(vault, "newsletter", granted=False, sender="bob")
    cyd = ask(vault, "newsletter", "cyd")
    vault.database.transact(lambda conn: withdraw(vault, conn, cyd, ["newsletter"], evidence(vault)))
    erase(vault, "dan", evidence(vault))
    ask(vault, "newsletter", "eve")  # asked again, not answered: the yes holds
    assert senders(vault) == {"ana", "eve"}
    assert Recipient("ana", "ana@example.com") in of(vault, item="email")


@each_kind
@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_the_size_of_the_pages_does_not_matter(vault: Vault, page: int) -> None:
    """Who said yes, took it back and said yes again comes once, by the last yes."""
    for name in ("ana", "bob", "cyd"):
        subject_id = reader(vault, name)
    vault.database.transact(lambda conn: withdraw(vault, conn, subject_id, ["newsletter"], evidence(vault)))
    expected = {reader(vault, name) for name in ("bob", "cyd", "dan")} | {grant(vault, "newsletter", sender="ana")}
    pages = list(members(vault, "newsletter", vault.clock(), page))
    found = [subject_id for each in pages for subject_id in each]
    assert (len(found), set(found)) == (4, expected)
    assert len(pages) > 1 if page < 100 else len(pages) <= 2  # a server is asked for two at a time


@each_kind
def test_suppressed_people_are_out(vault: Vault) -> None:
    """By sender, by sender id that is a number, and by the address on file, however it is written."""
    for name in ("ana", "bob", "+49 170 5558172", "dan"):
        reader(vault, name, None if name.isalpha() else "cyd@example.com")
    with vault.database.write() as conn:
        suppress(vault, conn, "ana", STOP, vault.clock())
        suppress_contacts(vault, conn, ["BOB@Example.com", "0170 5558172"], OPERATOR, vault.clock())
    tally = Tally()
    assert [each.sender_id for each in of(vault, tally=tally)] == ["dan"]
    assert (tally.exported, tally.suppressed) == (1, 2)


@each_kind
def test_a_limit_on_sensitive_data_keeps_a_sensitive_item_out(vault: Vault) -> None:
    """Of who said it, until they end it; other items and other people are exported all the same."""
    items = {**vault.policy.items, "birthday": structs.replace(vault.policy.items["birthday"], category="health")}
    bot = replace(vault, policy=structs.replace(vault.policy, items=items))
    people = {name: reader(bot, name) for name in ("ana", "bob")}
    for name in people:
        give(bot, {"newsletter": {"birthday": "1990"}}, sender=name)
    how = evidence(bot)
    bot.database.transact(lambda conn: limit(bot, conn, people["ana"], how))
    tally = Tally()
    assert of(bot, item="birthday", tally=tally) == [Recipient("bob", "1990")]
    assert (tally.exported, tally.limited) == (1, 1)
    assert {each.sender_id for each in of(bot, item="email")} == {"ana", "bob"}
    bot.database.transact(lambda conn: lift_limit(bot, conn, people["ana"], how))
    assert {each.sender_id for each in of(bot, item="birthday")} == {"ana", "bob"}


@each_kind
def test_a_list_does_not_reach_who_said_stop_and_was_erased(vault: Vault, clock: Clock) -> None:
    """Neither under the sender id of before nor under another with the same address, whatever date the list claims."""
    reader(vault, "ana")
    vault.database.transact(lambda conn: stop_linked(vault, conn, "ana", evidence(vault)))
    assert erase(vault, "ana", evidence(vault)) is not None
    clock.advance(days=30)
    given = ImportedGrant("newsletter", notice_of(vault.policy, "newsletter"), clock())
    lines = [Collected(name, given) for name in ("ana", "list-7", "list-8")]
    assert vault.database.transact(lambda conn: import_all(vault, conn, lines, clock())) == ["new"] * 3
    for name, address in (("ana", "new@example.com"), ("list-7", "Ana@Example.com"), ("list-8", "bob@example.com")):
        give(vault, {"newsletter": {"email": address}}, sender=name)
    tally = Tally()
    assert of(vault, item="email", tally=tally) == [Recipient("list-8", "bob@example.com")]
    assert (tally.exported, tally.suppressed) == (1, 1)


def test_expired_and_superseded_consent_is_out(vault: Vault, clock: Clock) -> None:
    """A year later the draw is over, and a changed notice must be agreed to anew."""
    grant(vault, "draw", "newsletter", sender="ana")
    assert senders(vault, "draw") == {"ana"}
    clock.advance(days=400)
    assert senders(vault, "draw") == set()
    assert senders(vault) == {"ana"}
    changed = structs.replace(vault.policy.purposes["newsletter"], recipients=("Mail House Ltd",))
    policy = structs.replace(vault.policy, purposes={**vault.policy.purposes, "newsletter": changed})
    assert senders(replace(vault, policy=policy)) == set()


def test_who_withdraws_while_it_runs_is_left_out(vault: Vault) -> None:
    """Pages are read one after the other, each as the ledger is then."""
    ids = sorted(reader(vault, name) for name in ("ana", "bob", "cyd"))
    running = members(vault, "newsletter", vault.clock(), page=1)
    assert next(running) == ids[:1]
    vault.database.transact(lambda conn: withdraw(vault, conn, ids[1], ["newsletter"], evidence(vault)))
    assert [subject_id for page in running for subject_id in page] == ids[2:]


def test_a_person_without_the_item_is_counted(vault: Vault) -> None:
    """Without an address nobody can be written to at it, though the chat would do."""
    grant(vault, "newsletter", sender="ana")
    reader(vault, "bob")
    tally = Tally()
    assert of(vault, item="email", tally=tally) == [Recipient("bob", "bob@example.com")]
    assert tally.without_value == 1
    assert senders(vault) == {"ana", "bob"}


def test_the_latest_value_is_the_one(vault: Vault) -> None:
    """Who moved is written to at the new address."""
    reader(vault, "ana")
    give(vault, {"newsletter": {"email": "new@example.com"}}, sender="ana")
    assert of(vault, item="email") == [Recipient("ana", "new@example.com")]


def test_what_cannot_be_opened_is_left_out_and_counted(vault: Vault, sql: Any) -> None:
    """One damaged row does not stop the export, and never lets somebody in."""
    reader(vault, "ana")
    reader(vault, "bob")
    sql("UPDATE conversations SET sealed_sender = randomblob(90) WHERE conversation_ref = 1")
    tally = Tally()
    assert [each.sender_id for each in of(vault, tally=tally)] == ["bob"]
    assert tally.unreadable == 1


#: Rows of a person that cannot be ones: where, and what becomes of their bytes.
_IMPOSSIBLE: dict[str, tuple[str, str, Callable[[bytes], bytes]]] = {
    "a shorter id": ("conversations", "conversation_id", lambda _raw: b"short"),
    "an epoch that nobody knows": ("data_keys", "wrapped", lambda raw: raw[:4] + bytes((9, 9, 9, 9)) + raw[8:]),
    "the next epoch": ("data_keys", "wrapped", lambda raw: raw[:7] + b"\x02" + raw[8:]),
}


@each_kind
@pytest.mark.parametrize("impossible", _IMPOSSIBLE)
def test_an_impossible_row_is_counted_too(vault: Vault, sql: Any, impossible: str) -> None:
    """An id of another length, or a key of an epoch that is not there, is one person's damage and nobody else's."""
    ana = reader(vault, "ana")
    reader(vault, "bob")
    table, column, change = _IMPOSSIBLE[impossible]
    ((raw,), *_) = sql(f"SELECT {column} FROM {table} WHERE subject_id = ?", (ana,))  # noqa: S608 - our own names
    sql(f"UPDATE {table} SET {column} = ? WHERE subject_id = ?", (change(raw), ana))  # noqa: S608 - our own names
    tally = Tally()
    assert of(vault, item="email", tally=tally) == [Recipient("bob", "bob@example.com")]
    assert tally == Tally(exported=1, unreadable=1)


@pytest.fixture
def rotate(vault: Vault, tmp_path: Path, url: str) -> Callable[[], None]:
    """Return a function by which another process wraps all keys in a second epoch."""

    def run() -> None:
        other = open_vault(replace(settings_in(tmp_path), url=url), vault.clock)
        other.rotation.begin_epoch(vault.clock())
        assert list(other.rotation.rewrap())
        other.close()

    return run


@each_kind
def test_a_key_of_an_ended_epoch_is_counted_too(vault: Vault, sql: Any, rotate: Callable[[], None]) -> None:
    """A row that was put back from before the rotation: its key is destroyed for good."""
    ana = reader(vault, "ana")
    reader(vault, "bob")
    of_ana = "purpose = 'newsletter' AND subject_id = ?"
    ((raw,),) = sql(f"SELECT wrapped FROM data_keys WHERE {of_ana}", (ana,))  # noqa: S608 - our own names
    rotate()
    vault.rotation.end_epoch(1, vault.clock())
    sql(f"UPDATE data_keys SET wrapped = ? WHERE {of_ana}", (raw, ana))  # noqa: S608 - our own names
    tally = Tally()
    assert of(vault, item="email", tally=tally) == [Recipient("bob", "bob@example.com")]
    assert tally == Tally(exported=1, unreadable=1)


@each_kind
def test_a_key_that_cannot_be_had_stops_the_export(
    vault: Vault, tmp_path: Path, rotate: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider that does not answer is no damage: an audience without its people would look like a whole one."""
    reader(vault, "ana")
    reader(vault, "bob")
    rotate()
    (file,) = (tmp_path / "keys").glob("*2*")
    gone = file.rename(tmp_path / "gone")
    with pytest.raises(KeyProviderError) as caught:
        of(vault)
    assert not isinstance(caught.value, UnknownEpochError)
    gone.rename(file)
    load = Mock(side_effect=KeyProviderError("no answer"))
    with monkeypatch.context() as patch, pytest.raises(KeyProviderError, match="no answer"):
        patch.setattr(type(vault.epochs.provider), "load", load)
        of(vault)
    assert load.call_count == 1, "a provider is waited for once, and not for each person"
    assert sorted(each.sender_id for each in of(vault)) == ["ana", "bob"]


@pytest.mark.parametrize(
    ("purpose", "item", "what"), [("news", None, "no purpose 'news'"), ("draw", "phone", "no item 'phone'")]
)
def test_unknown_names_are_refused(vault: Vault, purpose: str, item: str | None, what: str) -> None:
    """A misspelt purpose must not give an empty file that looks right."""
    with pytest.raises(ConfigurationError, match=what):
        of(vault, purpose, item)


def test_each_export_leaves_a_line_with_counts_only(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the purpose and how many, and nobody."""
    reader(vault, "ana")
    with caplog.at_level(logging.INFO, "rasa_privacy.rights.audience"):
        of(vault, item="email")
    (line,) = caplog.messages
    assert "purpose newsletter, 1 people" in line
    assert "ana" not in line


@pytest.fixture
def strict(tmp_path: Path, clock: Clock) -> Iterator[Vault]:
    """Return a store whose newsletter needs a code, and is shared."""
    settings_of = settings_in(tmp_path)
    text = settings_of.privacy.read_text()
    more = "    marketing: true\n    double_opt_in: true\n    recipients: [Mailhouse Ltd]\n"
    settings_of.privacy.write_text(text.replace("    marketing: true\n", more))
    opened = open_vault(settings_of, clock)
    yield opened
    opened.close()


def confirmed(vault: Vault, name: str) -> bytes:
    """Let a person subscribe by code."""
    subject_id, address = ask(vault, "newsletter", name), f"{name}@example.com"
    give(vault, {"newsletter": {"email": address}}, sender=name)
    code = vault.database.transact(lambda conn: begin(vault, conn, subject_id, "newsletter", address, vault.clock()))
    confirm(vault, subject_id, "newsletter", address, code, evidence(vault))
    return subject_id


def test_only_confirmed_addresses_are_written_to(strict: Vault) -> None:
    """A yes without a code does not do, and a new address must be confirmed anew."""
    confirmed(strict, "ana")
    confirmed(strict, "bob")
    reader(strict, "cyd")
    give(strict, {"newsletter": {"email": "victim@example.com"}}, sender="bob")
    tally = Tally()
    assert of(strict, item="email", tally=tally) == [Recipient("ana", "ana@example.com")]
    assert tally.unconfirmed == 1  # cyd's yes without a code is not even a consent


def test_the_opt_out_signal_is_obeyed(strict: Vault) -> None:
    """Who sends Global Privacy Control is in no audience of a purpose that shares data."""
    ana = confirmed(strict, "ana")
    confirmed(strict, "bob")
    strict.database.transact(lambda conn: record_gpc(strict, conn, ana, strict.clock()))
    assert senders(strict) == {"bob"}


STEPS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(("draw", "newsletter", "sale_or_sharing", "age")),
        st.sampled_from(("asked", "granted", "refused", "withdrawn", "expired", "superseded")),
        st.booleans(),
        st.integers(-400, 2),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, page=st.integers(1, 4))
def test_the_ledger_and_the_fold_never_disagree(vault: Vault, sql: Any, steps: Any, page: int) -> None:
    """Whatever the ledger holds, in is exactly whom the bot's own reading of it lets in, and each of them once."""
    for table in (
        "ledger",
        "meta WHERE name = 'ledger_head' AND 1 = 1",
        "segments",
        "conversations",
        "data_keys",
        "subjects",
    ):
        sql(f"DELETE FROM {table}")  # noqa: S608 - our own names
    with vault.database.write() as conn:
        people = [vault.subjects.find_or_create(conn, f"person {number}", vault.clock()) for number in range(4)]
        for number, purpose, event, current, days in steps:
            at = vault.clock() + timedelta(days=days)
            digest = notice_of(vault.policy, "draw").hash if current else bytes(32)
            vault.ledger.append(conn, LedgerRecord(people[number], purpose, event, digest, "en", "button", "rest", at))
    ask(vault, "draw", "who brings the notice into the table")
    with vault.database.read() as conn:
        states = {person: state_of(vault, conn, person, vault.clock()) for person in people}
        rows, _ = audience_rows.answers_after(conn, ("draw",), (b"", b"\xff" * 16), 1000)
    expected = {person for person, state in states.items() if "draw" in state.active}
    assert expected <= {row[0] for row in rows}
    found = [each for each_page in members(vault, "draw", vault.clock(), page) for each in each_page]
    assert sorted(found) == sorted(expected)
