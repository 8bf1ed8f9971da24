"""What comes over from a store without this package: what is declared, minimised, once, and nothing that was erased."""

import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.consent.imported import IMPORTED
from rasa_privacy.errors import ConfigurationError, StorageError
from rasa_privacy.minimize.entries import join
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.kept_texts import WITHHELD
from rasa_privacy.policy.loader import parse_policy
from rasa_privacy.retention.sweep import sweep
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.takeover import Takeover, take_over
from rasa_privacy.storage.stock import StockStore
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND, new_url
from tests.support.stock import SAID_AT, OldStore, conversation, slot, write_on_server
from tests.support.vaults import PRIVACY, Clock, active, evidence, give, held, settings_in

EVERYONE = "{without_consent: drop, consent: {draw: {evidence: 'forms, folder 7', given_by: everyone, at: 2026-06-01}}}"
NOBODY = "{without_consent: drop}"
STRUCTURE = "{without_consent: structure}"
BY_SLOT = (
    "{without_consent: drop, consent: {draw: {evidence: 'the bot asked', given_by: {slot: agreed, value: 'yes'}}}}"
)


@pytest.fixture
def old(tmp_path: Path) -> OldStore:
    """Return an empty old store."""
    return OldStore(tmp_path / "rasa.db")


def declaring(vault: Vault, block: str) -> Vault:
    """Return the store with another declaration in its privacy.yml."""
    return replace(vault, policy=parse_policy(f"{PRIVACY}import: {block}\n", "privacy.yml"))


def run(vault: Vault, old: OldStore, block: str = EVERYONE) -> tuple[Takeover, list[tuple[int, str]]]:
    """Take everybody over, and return what was done and what was noted."""
    notes: list[tuple[int, str]] = []
    vault = declaring(vault, block)
    with closing(StockStore(old.url)) as stock:
        splitter = EventSplitter(vault.policy)
        return take_over(
            vault, admit_local(vault, "import"), splitter, stock, lambda *note: notes.append(note), lambda _: None
        ), notes


def stored(vault: Vault, sender: str) -> list[dict[str, Any]]:
    """Return the events of a person with the values in them; none where nothing is stored."""
    with vault.database.read() as connection:
        found = vault.conversations.load(connection, sender, all_sessions=True)
    if found is None:
        return []
    events: list[dict[str, Any]] = found.structure
    join(events, 0, found.values)
    return events


def test_a_declared_consent_brings_the_values_over(vault: Vault, old: OldStore) -> None:
    """The items of the purpose come over, cut as always; what belongs to no purpose stays behind."""
    events = conversation()
    old.add("ada", *events)
    done, notes = run(vault, old)
    assert (done.people, done.events, notes) == ({"taken": 1}, len(events), [])
    assert held(vault, "ada") == {"draw": {"full_name": "Ada Lovelace", "email": "ada@example.org"}}
    read = stored(vault, "ada")
    assert [(event["event"], event["timestamp"]) for event in read] == [
        (event["event"], event["timestamp"]) for event in events
    ]
    values = {event["name"]: event["value"] for event in read if event["event"] == "slot"}
    assert values["full_name"] == "Ada Lovelace"
    assert values["favourite_activity"] == "hiking"
    assert values["nobody_knows"] is None
    texts = [event["text"] for event in read if event.get("text")]
    assert not any("Ada" in text or "example.org" in text for text in texts)
    assert active(vault, "ada") == {"draw", "draw:postcode"}


def test_the_ledger_tells_where_the_proof_is(vault: Vault, old: OldStore) -> None:
    """The record says that the consent was imported, when it was given, and what shows it (GDPR Art. 7(1))."""
    old.add("ada", *conversation())
    run(vault, old)
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, "ada")
        assert subject_id is not None
        record, _optional = vault.ledger.of_subject(connection, subject_id)
        notice = vault.notices.get(connection, record.notice_hash)
        vault.ledger.verify(connection)
    assert (record.purpose, record.event, record.method) == ("draw", "granted", IMPORTED)
    assert record.at.isoformat() == "2026-06-01T00:00:00+00:00"
    assert notice is not None
    assert "forms, folder 7" in notice.text


def test_without_a_declaration_nothing_is_read(vault: Vault, old: OldStore) -> None:
    """The refusal names the block, and what to write in it."""
    old.add("ada", *conversation())
    with closing(StockStore(old.url)) as stock, pytest.raises(ConfigurationError, match="without_consent"):
        take_over(
            vault, admit_local(vault, "import"), EventSplitter(vault.policy), stock, lambda *_: None, lambda _: None
        )
    assert stored(vault, "ada") == []


def test_a_consent_from_the_future_is_refused(vault: Vault, old: OldStore) -> None:
    """A day to come is a mistake in privacy.yml, and would count as no consent."""
    old.add("ada", *conversation())
    with pytest.raises(ConfigurationError, match=r"import\.consent\.draw\.at"):
        run(vault, old, EVERYONE.replace("2026-06-01", "2026-11-24"))


def test_people_without_consent_are_dropped(vault: Vault, old: OldStore) -> None:
    """Of a person whose consent nobody can show, not even the sender id comes over."""
    old.add("ada", *conversation())
    done, _ = run(vault, old, NOBODY)
    assert done.people == {"without_consent": 1}
    with vault.database.read() as connection:
        assert vault.subjects.find(connection, "ada") is None


def test_structure_keeps_a_running_conversation_without_a_word(vault: Vault, old: OldStore) -> None:
    """Names of intents and actions stay until a day after the last message, and then the sweep removes them."""
    old.add("now", *conversation(at=vault.clock().timestamp() - 60))
    old.add("past", *conversation(at=vault.clock().timestamp() - 90_000))
    done, _ = run(vault, old, STRUCTURE)
    assert done.people == {"taken": 1, "without_consent": 1}
    assert held(vault, "now") == {}
    read = stored(vault, "now")
    assert {event["text"] for event in read if event["event"] == "user"} == {WITHHELD}
    assert [event["name"] for event in read if event["event"] == "active_loop"] == ["lead_form"]
    assert active(vault, "now") == frozenset()
    clock = vault.clock
    assert isinstance(clock, Clock)
    assert sweep(vault, clock.advance(hours=25)).people == 1


def test_a_slot_tells_who_agreed_and_when(vault: Vault, old: OldStore) -> None:
    """The time is that of the answer; that Rasa sets the slot again in a new session is no new answer."""
    old.add("yes", slot("agreed", "yes", SAID_AT), *conversation(at=SAID_AT + 9), slot("agreed", "yes", SAID_AT + 99))
    old.add("no", slot("agreed", "no", SAID_AT), *conversation(at=SAID_AT + 9))
    old.add("silent", *conversation())
    old.add("changed", slot("agreed", "yes", SAID_AT), *conversation(), slot("agreed", "no", SAID_AT + 99))
    old.add(
        "reset", slot("agreed", "yes", SAID_AT), *conversation(), {"event": "reset_slots", "timestamp": SAID_AT + 99}
    )
    done, _ = run(vault, old, BY_SLOT)
    assert done.people == {"taken": 1, "without_consent": 4}
    assert active(vault, "yes") == {"draw", "draw:postcode"}
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, "yes")
        assert subject_id is not None
        assert vault.ledger.of_subject(connection, subject_id)[0].at.timestamp() == SAID_AT


def test_a_consent_that_has_ended_brings_nothing(vault: Vault, old: OldStore) -> None:
    """`consent_lasts` counts from the day on which the consent was given."""
    old.add("ada", *conversation())
    done, _ = run(vault, old, EVERYONE.replace("2026-06-01", "2025-11-01"))
    assert done.people == {"without_consent": 1}


def test_what_is_past_its_retention_stays_behind(vault: Vault, old: OldStore) -> None:
    """Retention counts from the last message: after 90 days nothing comes over, although there is consent."""
    old.add("ada", *conversation(at=vault.clock().timestamp() - 91 * 86_400))
    done, _ = run(vault, old)
    assert done.people == {"due": 1}
    assert stored(vault, "ada") == []


def test_running_again_changes_nothing(vault: Vault, old: OldStore) -> None:
    """Who is here already is recognised, also when the conversation went on or a consent was taken back."""
    old.add("ada", *conversation())
    old.add("bob", *conversation("Bob Dole", "bob@example.org"))
    run(vault, old)
    give(vault, {"draw": {"full_name": "Ada"}}, "ada", events=2)
    before = stored(vault, "ada")
    done, notes = run(vault, old)
    assert (done.people, done.events, notes) == ({"already": 2}, 0, [])
    assert stored(vault, "ada") == before
    with vault.database.read() as connection:
        assert len(list(vault.ledger.iterate(connection))) == 4


def test_a_person_who_is_here_with_other_events_is_left_alone(vault: Vault, old: OldStore) -> None:
    """Somebody who wrote to the new bot already keeps that conversation, and the row is named."""
    give(vault, {"draw": {"full_name": "Ada"}}, "ada")
    before = stored(vault, "ada")
    old.add("x", *conversation())
    old.add("ada", *conversation())
    done, notes = run(vault, old)
    assert done.people == {"taken": 1, "other": 1}
    assert not done.is_complete
    assert [row for row, _ in notes] == [len(conversation()) + 1]
    assert stored(vault, "ada") == before


def test_nobody_who_was_erased_comes_back(vault: Vault, old: OldStore) -> None:
    """Of an erased sender only what was said after the erasure is looked at."""
    old.add("ada", *conversation())
    run(vault, old)
    erase(vault, "ada", evidence(vault))
    done, _ = run(vault, old)
    assert done.people == {"erased": 1}
    assert stored(vault, "ada") == []
    later = vault.clock().timestamp() + 5
    old.add("ada", *conversation(at=later))
    clock = vault.clock
    assert isinstance(clock, Clock)
    clock.advance(hours=1)
    run(vault, old)
    assert min(event["timestamp"] for event in stored(vault, "ada")) == later


BROKEN = (
    "{",
    "[]",
    '"text"',
    "{}",
    '{"event": "slot"}',
    '{"event": "slot", "timestamp": NaN}',
    '{"event": "slot", "timestamp": true}',
    '{"event": "user", "timestamp": 1795168800, "parse_data": [1]}',
    '{"event": "user", "timestamp": 1795168800, "parse_data": {"entities": ["x"]}}',
    '{"event": "user", "timestamp": 1795168800, "parse_data": {"intent": "x"}}',
    '{"event": "action", "timestamp": 1e300}',
    "[" * 5000,
    '{"event": "slot", "name": "full_name", "timestamp": 1795168800, "value": ' + '{"a":' * 3000 + "1" + "}" * 3001,
)


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_a_row_that_is_no_event_is_named_and_costs_nobody_else(vault: Vault, old: OldStore, text: str) -> None:
    """The other events of the person come over, and the number of the row is told."""
    events = conversation()
    old.add("ada", *events[:5], text, *events[5:])
    done, notes = run(vault, old)
    assert (done.people, done.events, done.unreadable) == ({"taken": 1}, len(events), 1)
    assert notes == [(6, "it holds no event that can be read")]
    assert not done.is_complete


def test_odd_values_of_a_channel_are_taken_over(vault: Vault, old: OldStore) -> None:
    """A lone surrogate, a number without end and one of a hundred digits do not stop a person."""
    text = '{"event": "slot", "name": "favourite_activity", "timestamp": 1795168900, "value": %s}'
    odd = (text % '"\\ud83d"', text % "NaN", text % ("9" * 100), text % "[1, {}]")
    old.add("ada", *conversation(), *odd)
    done, notes = run(vault, old)
    assert (done.people["taken"], done.unreadable, notes) == (1, 0, [])


def test_of_an_unknown_event_type_only_type_and_time_come_over(vault: Vault, old: OldStore) -> None:
    """An event of a plug-in that nobody knows may hold anything."""
    old.add("ada", *conversation(), {"event": "from_a_plugin", "timestamp": SAID_AT + 50, "note": "Ada"})
    run(vault, old)
    assert stored(vault, "ada")[-1] == {"event": "from_a_plugin", "timestamp": SAID_AT + 50}


def test_a_value_that_validation_rejected_stays_behind(vault: Vault, old: OldStore) -> None:
    """Of a slot that is set several times in a turn only the last value counts, as in a save."""
    old.add("ada", *conversation(), slot("email", "wrong", SAID_AT + 40), slot("email", "right@x.org", SAID_AT + 41))
    run(vault, old)
    values = [event["value"] for event in stored(vault, "ada") if event.get("name") == "email"]
    assert values == [None, None, "right@x.org"]


def test_a_value_that_a_session_takes_along_is_kept_in_both(vault: Vault, old: OldStore) -> None:
    """Rasa sets the slots again in a new session, which rejects nothing of the old one."""
    session = {"event": "session_started", "timestamp": SAID_AT + 40}
    old.add("ada", *conversation(), session, slot("email", "ada@example.org", SAID_AT + 41))
    run(vault, old)
    values = [event["value"] for event in stored(vault, "ada") if event.get("name") == "email"]
    assert values == ["ada@example.org"] * 2


def test_sessions_begin_where_they_began(vault: Vault, old: OldStore) -> None:
    """The last session alone is what a server reads."""
    old.add("ada", *conversation(), *conversation(at=SAID_AT + 5000))
    run(vault, old)
    with vault.database.read() as connection:
        last = vault.conversations.load(connection, "ada")
    assert last is not None
    assert last.structure[0]["event"] == "session_started"
    assert last.structure[0]["timestamp"] == SAID_AT + 5001


@pytest.mark.parametrize("what", ["structure", "values"])
def test_what_is_read_back_is_compared(vault: Vault, old: OldStore, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Where the store keeps something else than what was given to it, nothing of the person is committed."""
    old.add("ada", *conversation())
    real = type(vault.conversations).append

    def forgetful(*arguments: Any) -> int:
        own, connection, sender, version, structure, values, *rest = arguments
        if what == "structure":
            structure = [*structure[:-1], {**structure[-1], "text": "another"}]
        else:
            values = {"draw": values["draw"][:-1]}
        return real(own, connection, sender, version, structure, values, *rest)

    monkeypatch.setattr(type(vault.conversations), "append", forgetful)
    with pytest.raises(StorageError, match="not what is read back"):
        run(vault, old)
    assert stored(vault, "ada") == []


@pytest.mark.parametrize("kind", EACH_KIND)
def test_every_database_takes_over_from_every_other(kind: str, tmp_path: Path, clock: Clock) -> None:
    """The old store and the new one may be on any of the three databases."""
    (tmp_path / "old").mkdir()
    people = [(f"person {number}", conversation(f"Name{number} X")) for number in range(3)]
    settings = settings_in(tmp_path)
    with new_url(kind, tmp_path / "old") as source, new_url(kind, tmp_path) as target:
        write_on_server(source, people)
        with closing(open_vault(replace(settings, url=target), clock)) as opened:
            vault = declaring(opened, EVERYONE)
            for expected in ("taken", "already"):
                with closing(StockStore(source)) as stock:
                    splitter = EventSplitter(vault.policy)
                    done = take_over(
                        vault, admit_local(vault, "import"), splitter, stock, lambda *_: None, lambda _: None
                    )
                assert done.people == {expected: 3}
            for number, (sender, events) in enumerate(people):
                assert held(vault, sender)["draw"]["full_name"] == f"Name{number} X"
                assert len(stored(vault, sender)) == len(events)
            with vault.database.read() as connection:
                vault.ledger.verify(connection)


KILLED = """
import os, signal, sys
from pathlib import Path
from contextlib import closing
from rasa_privacy.rights import takeover
from dataclasses import replace
from rasa_privacy.rights.takeover import take_over
from rasa_privacy.access.admission import admit_local
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.storage.stock import StockStore
from rasa_privacy.storage.vault import open_vault
from tests.rights.test_takeover import declaring, EVERYONE
from tests.support.vaults import settings_in, Clock
folder, point, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
vault = declaring(open_vault(settings_in(folder), Clock()), EVERYONE)
calls = 0
def dying(function):
    def call(*arguments, **keywords):
        global calls
        result = function(*arguments, **keywords)
        calls += 1
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call
if point == "ledger":
    takeover.record_imported = dying(takeover.record_imported)
elif point == "verify":
    takeover._verify = dying(takeover._verify)
advance = dying(lambda _: None) if point == "commit" else lambda _: None
with closing(StockStore(f"sqlite:///{folder}/rasa.db")) as stock:
    take_over(vault, admit_local(vault, "import"), EventSplitter(vault.policy), stock, print, advance)
"""


@pytest.mark.parametrize("point", ["ledger", "verify", "commit"])
def test_a_kill_at_any_point_loses_and_doubles_nothing(vault: Vault, old: OldStore, tmp_path: Path, point: str) -> None:
    """Killed before, at and after the commit of the second of three people, a second run ends with all of them once."""
    for number in range(3):
        old.add(f"person {number}", *conversation(f"Name{number} X", f"p{number}@example.org"))
    command = [sys.executable, "-c", KILLED, str(tmp_path), point, "2"]
    killed = subprocess.run(command, capture_output=True, check=False, cwd=Path(__file__).parents[2])
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    done, _ = run(vault, old)
    kept = 2 if point == "commit" else 1
    assert done.people == {"already": kept, "taken": 3 - kept}
    assert [len(stored(vault, f"person {number}")) for number in range(3)] == [len(conversation())] * 3
    with vault.database.read() as connection:
        vault.ledger.verify(connection)
        assert len(list(vault.ledger.iterate(connection))) == 6
