"""How many values a certificate says were destroyed, by purpose and item, whatever happened to them before."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.crypto.hash_chain import GENESIS
from rasa_privacy.crypto.signing import SigningKey
from rasa_privacy.errors import HoldError, RequestError, SignatureError
from rasa_privacy.retention.sweep import sweep
from rasa_privacy.rights import holds
from rasa_privacy.rights.bulk_erasure import erase_listed
from rasa_privacy.rights.bulk_run import Bulk, Line
from rasa_privacy.rights.certificate_files import open_certificate
from rasa_privacy.rights.certificates import certificate
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.withdrawal import withdraw
from rasa_privacy.storage import conversation_head, value_counts
from rasa_privacy.storage.journal_entry import MAX_ENTRY_BYTES, MAX_KINDS, Erased, PartErased, encode
from rasa_privacy.storage.manifest import Head
from rasa_privacy.storage.replay import replay
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.parts import delete_part
from tests.support.vaults import BY_LAW, PRIVACY, SENDER, START, Clock, evidence, give, grant, settings_in

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
VALUES = {
    "draw": {"full_name": "Ana Li", "email": "ana@example.com"},
    "newsletter": {"email": "ana@example.com", "birthday": "1990"},
}
COUNTED = {"draw": {"email": 1, "full_name": 1}, "newsletter": {"birthday": 1, "email": 1}}


@pytest.fixture
def subject_id(vault: Vault) -> bytes:
    """Return a person with values of two purposes."""
    found = grant(vault, "draw", "newsletter")
    give(vault, VALUES)
    return found


def destroyed(vault: Vault, number: str) -> dict[str, Any]:
    """Return what a certificate says was destroyed."""
    found: dict[str, Any] = certificate(vault, number, vault.clock())["destroyed"]
    return found


def by_purpose(found: dict[str, Any]) -> dict[str, Any]:
    """Return the values of what was destroyed by purpose."""
    return {each["purpose"]: each["values"] for each in found["purposes"]}


def erased(vault: Vault) -> dict[str, Any]:
    """Erase the person, and return what the certificate says was destroyed."""
    done = erase(vault, SENDER, evidence(vault))
    assert done is not None
    assert done.counts.keys() == {"events", "keys"}
    return destroyed(vault, done.number)


@each_kind
@pytest.mark.usefixtures("subject_id")
def test_each_value_counts_once_under_each_purpose(vault: Vault) -> None:
    """A value that was given twice is two; a slot that was emptied is none."""
    give(vault, {"draw": {"email": "ana.li@example.com", "full_name": None}})
    found = erased(vault)
    assert by_purpose(found) == {**COUNTED, "draw": {"email": 2, "full_name": 1}}
    assert (found["events"], found["keys"], found["values"]) == (2, 3, 5)


@each_kind
def test_what_went_before_is_not_counted_again(vault: Vault, subject_id: bytes) -> None:
    """A purpose that was withdrawn and an item that was deleted went with a word of their own."""
    part = delete_part(vault, SENDER, ["email"], [], evidence(vault))
    assert part is not None
    assert by_purpose(destroyed(vault, part.certificate.number)) == {"draw": {"email": 1}, "newsletter": {"email": 1}}
    vault.database.transact(lambda conn: withdraw(vault, conn, subject_id, ["newsletter"], evidence(vault)))
    found = erased(vault)
    assert by_purpose(found) == {"draw": {"full_name": 1}}
    assert found["values"] == 1


def test_what_lasted_for_some_time_is_counted_while_it_is_there(tmp_path: Path, clock: Clock) -> None:
    """The sweep takes it out of the counts, and what was given later stays in them."""
    settings = settings_in(tmp_path)
    text = PRIVACY.replace("{slot: email,", "{slot: email, keep: 7 days,")
    settings.privacy.write_text(text, encoding="utf-8")
    with closing(open_vault(settings, clock)) as vault:
        grant(vault, "draw", "newsletter")
        give(vault, VALUES)
        clock.advance(days=5)
        give(vault, {"draw": {"email": "ana.li@example.com"}})
        clock.advance(days=3)
        sweep(vault, clock(), trusted=True)
        assert by_purpose(erased(vault)) == {"draw": {"email": 1, "full_name": 1}, "newsletter": {"birthday": 1}}


@pytest.mark.usefixtures("subject_id")
def test_a_part_counts_what_went(vault: Vault) -> None:
    """Of a whole purpose each of its items, and the sum."""
    done = delete_part(vault, SENDER, [], ["draw"], evidence(vault))
    assert done is not None
    assert done.certificate.counts == {"values": 2, "keys": 1}
    found = destroyed(vault, done.certificate.number)
    assert (by_purpose(found), found["values"], "events" in found) == ({"draw": COUNTED["draw"]}, 2, False)


@each_kind
@pytest.mark.usefixtures("subject_id")
def test_a_list_counts_as_one_does(vault: Vault) -> None:
    """Each certificate of a bulk has the numbers of its own person."""
    grant(vault, "draw", sender="b")
    give(vault, {"draw": {"email": "b@example.com"}}, sender="b")
    lines: list[Line] = []
    erase_listed(Bulk(vault, admit_local(vault, "erase"), lines.append), [SENDER, "b"])
    found = [by_purpose(destroyed(vault, line.certificate)) for line in sorted(lines, key=lambda line: line.number)]
    assert found == [COUNTED, {"draw": {"email": 1}}]


def test_what_the_law_keeps_is_not_among_what_was_destroyed(tmp_path: Path, clock: Clock) -> None:
    """Its values are counted where the certificate says what stays."""
    settings = settings_in(tmp_path)
    settings.privacy.write_text(PRIVACY + BY_LAW, encoding="utf-8")
    with closing(open_vault(settings, clock)) as vault:
        grant(vault, "draw")
        give(vault, {"draw": VALUES["draw"], "books": {"full_name": "Ana Li"}})
        done = erase(vault, SENDER, evidence(vault))
        assert done is not None
        made = certificate(vault, done.number, clock())
        assert by_purpose(made["destroyed"]) == {"draw": COUNTED["draw"]}
        assert made["destroyed"]["values"] == 2
        assert [(each["purpose"], each["values"]) for each in made["kept_by_law"]] == [("books", 1)]


@pytest.fixture
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have conversations begin as they did before values were counted."""
    monkeypatch.setattr(conversation_head, "empty_head", lambda: Head(0, 0, 0, GENESIS, {}))


@each_kind
@pytest.mark.usefixtures("_as_before", "subject_id")
def test_a_conversation_from_before_is_read_to_be_counted(vault: Vault) -> None:
    """It is written on without counts, and its values are in the certificate all the same."""
    give(vault, {"draw": {"email": "ana.li@example.com"}})
    assert by_purpose(erased(vault)) == {**COUNTED, "draw": {"email": 2, "full_name": 1}}


@pytest.mark.usefixtures("_as_before", "subject_id")
def test_a_long_one_from_before_is_not_counted(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate says that it was not, and why; the rest is in it."""
    monkeypatch.setattr(value_counts, "MOST_READ_EVENTS", 2)
    give(vault, {"draw": {"email": "ana.li@example.com"}}, events=2)
    found = erased(vault)
    assert (found["events"], found["keys"], found["values"]) == (3, 3, None)
    assert by_purpose(found) == {"draw": None, "newsletter": None}
    assert "began before values were counted" in found["not_counted"]


@pytest.mark.usefixtures("subject_id")
def test_a_damaged_conversation_is_not_counted(vault: Vault, sql: Any) -> None:
    """Neither as a whole nor as a part, of which something may stay that nobody can open."""
    sql("UPDATE conversations SET manifest = X'00'")
    part = delete_part(vault, SENDER, ["email"], [], evidence(vault))
    assert part is not None
    made = certificate(vault, part.certificate.number, vault.clock())
    assert made["destroyed"]["values"] is None
    assert set(by_purpose(made["destroyed"]).values()) == {None}
    assert "not_counted" in made["destroyed"]
    assert "damaged rows" in made["stays"]
    found = erased(vault)
    assert (found["values"], found["events"]) == (None, 0)


def test_nothing_to_count_is_not_the_same_as_not_counted(vault: Vault) -> None:
    """Who said nothing but hello had no value."""
    give(vault, {}, events=2)
    found = erased(vault)
    assert (found["values"], found["purposes"], "not_counted" in found) == (0, [], False)


@pytest.mark.usefixtures("subject_id")
def test_a_kill_in_between_loses_no_number(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal has them, so that the next start registers what this one would have."""
    numbers: list[str] = []

    def die(_erasures: object, _connection: object, _subject: object, _at: object, number: str, _: object) -> None:
        numbers.append(number)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(vault.erasures), "bury", die)
        with pytest.raises(KeyboardInterrupt):
            erase(vault, SENDER, evidence(vault))
    with pytest.raises(RequestError):
        certificate(vault, numbers[0], vault.clock())
    replay(vault)
    assert by_purpose(destroyed(vault, numbers[0])) == COUNTED


def test_under_a_legal_hold_there_is_no_certificate(vault: Vault) -> None:
    """Since nothing is destroyed; after the release there is one."""
    grant(vault, "draw")
    give(vault, {"draw": VALUES["draw"]})
    permit = admit_local(vault, "retention")
    vault.database.transact(lambda conn: holds.add(vault, conn, SENDER, "case-17", permit))
    with pytest.raises(HoldError):
        erase(vault, SENDER, evidence(vault))
    with vault.database.read() as conn:
        assert vault.erasures.since(conn, None) == []
    vault.database.transact(lambda conn: holds.release(vault, conn, "case-17", permit))
    assert by_purpose(erased(vault)) == {"draw": COUNTED["draw"]}


def test_the_most_that_is_counted_has_room_in_the_journal() -> None:
    """125 pairs of names of 64 letters, each with the greatest number that an entry takes."""
    topics = {f"{'p' * 64}:{number:064}": 2**53 for number in range(value_counts._MOST_PAIRS)}
    counts = value_counts.with_values({"events": 2**53, "keys": 2**53}, dict.fromkeys(topics, 2**53 // len(topics)))
    entry = Erased(bytes(16), START, "ER-0000-0000-0000", {**counts, **topics})
    assert len(encode(entry)) <= MAX_ENTRY_BYTES
    key_ids = {f"{'p' * 64}:{number:064}": "0f" * 32 for number in range(MAX_KINDS)}
    assert len(encode(PartErased(bytes(16), START, entry.certificate, entry.counts, key_ids))) <= MAX_ENTRY_BYTES


def test_certificates_of_before_are_checked_as_they_were() -> None:
    """JSON and page of a release before values were counted; no word in them can be changed either."""
    old = json.loads((Path(__file__).parents[1] / "vectors" / "certificate_1.json").read_text("utf-8"))
    key = SigningKey(bytes.fromhex(old["signing_key"])).public()
    for raw in (old["json"].encode(), old["page"].encode()):
        made = open_certificate(raw, key)
        assert (made["version"], made["destroyed"]["events"]) == (1, 3)
        with pytest.raises(SignatureError):
            open_certificate(raw.replace(b"Northwind", b"Southwind", 1), key)


@pytest.mark.usefixtures("subject_id")
def test_what_lost_its_key_before_is_not_counted(vault: Vault) -> None:
    """Its rows may still be there, where they were damaged; nobody could open them any more."""

    def lose(conn: Any) -> None:
        found = vault.subjects.find_for_update(conn, SENDER)
        assert found is not None
        vault.data_keys.destroy(conn, found, "newsletter")

    vault.database.transact(lose)
    found = erased(vault)
    assert by_purpose(found) == {"draw": COUNTED["draw"]}
    assert found["values"] == 2
