"""Requests as records: opened once, on time, closed once, and never forgotten."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from msgspec import structs

from rasa_privacy.errors import PolicyError, RequestError, SenderError
from rasa_privacy.policy.bot_regulations import load_regulations
from rasa_privacy.rights import requests as rules
from rasa_privacy.rights.clocks import KINDS
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.extension import extend
from rasa_privacy.rights.reminders import due, line, remind
from rasa_privacy.rights.request_counts import count
from rasa_privacy.storage import requests as rows
from rasa_privacy.storage.replay import replay
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.profiles import HOUSE
from tests.support.vaults import SENDER, START, Clock, evidence, give, grant, settings_in

DAY = timedelta(days=1)
each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


@pytest.fixture
def subject_id(vault: Vault) -> bytes:
    """Return a person with one consent."""
    return grant(vault, "draw")


def opened(vault: Vault, kind: Any, subject_id: bytes | None) -> Request:
    """Open a request now."""
    return vault.database.transact(lambda conn: rules.open_request(vault, conn, kind, subject_id, vault.clock()))


def changed(vault: Vault, step: Callable[..., Request], number: str, *arguments: Any) -> Request:
    """Let Eva do a step now."""
    run = of(vault, step)
    return vault.database.transact(lambda conn: run(conn, number, *arguments, "Eva", vault.clock()))


def of(vault: Vault, step: Callable[..., Request]) -> Callable[..., Request]:
    """Return a step with the store where it looks at the regulations of privacy.yml."""
    return partial(step, vault) if step in {rules.ask_for_proof, extend, rules.refuse} else step


def found(vault: Vault, number: str) -> Request:
    """Return a request as it is stored."""
    with vault.database.read() as conn:
        request = rows.find(conn, number)
    assert request is not None
    return request


def steps(vault: Vault, number: str) -> list[tuple[str, str, str | None]]:
    """Return what happened to a request."""
    with vault.database.read() as conn:
        return [(step.step, step.actor, step.reason) for step in rows.steps_of(conn, number)]


@each_kind
def test_a_request_goes_its_way(vault: Vault, subject_id: bytes, clock: Clock) -> None:
    """Received, taken, extended once, answered; each step is kept with who did it."""
    number = opened(vault, "access", subject_id).number
    clock.advance(days=3)
    assert changed(vault, rules.take, number).state == "in_progress"
    assert changed(vault, extend, number, "complexity").answer_by == START.replace(year=2027, month=2)
    clock.advance(days=40)
    vault.database.transact(lambda conn: rules.complete(vault, conn, number, "Eva", clock(), "in_person"))
    request = found(vault, number)
    assert (request.state, request.owner, request.reason, request.closed_at) == ("done", "Eva", "in_person", clock())
    assert steps(vault, number) == [
        ("received", "person", None),
        ("taken", "Eva", None),
        ("told_by_staff", "Eva", None),
        ("extended", "Eva", "complexity"),
        ("done", "Eva", "in_person"),
    ]


def test_asking_twice_is_one_request_with_the_first_clock(vault: Vault, subject_id: bytes, clock: Clock) -> None:
    """Of another kind, and once it is closed, it is another."""
    first = opened(vault, "access", subject_id)
    clock.advance(days=10)
    assert opened(vault, "access", subject_id) == first
    assert opened(vault, "erasure", subject_id).number != first.number
    changed(vault, rules.refuse, first.number, "excessive")
    assert opened(vault, "access", subject_id).answer_by > first.answer_by


@each_kind
def test_two_that_ask_at_once_open_one(vault: Vault, subject_id: bytes) -> None:
    """The second waits for the first, on every database."""
    with ThreadPoolExecutor(4) as pool:
        numbers = {each.number for each in pool.map(lambda _: opened(vault, "access", subject_id), range(8))}
    assert len(numbers) == 1


def test_what_is_closed_stays_as_it_is(vault: Vault, subject_id: bytes) -> None:
    """No step is possible any more."""
    number = opened(vault, "access", subject_id).number
    before = changed(vault, rules.refuse, number, "unfounded")
    for step, arguments in (
        (rules.take, ()),
        (extend, ("complexity",)),
        (rules.refuse, ("excessive",)),
        (rules.ask_for_proof, ()),
        (rules.proven, ()),
        (rules.acknowledge, ()),
    ):
        with pytest.raises(RequestError, match="was closed on 2026-11-23"):
            changed(vault, step, number, *arguments)
    assert found(vault, number) == before


@pytest.mark.parametrize(
    ("step", "arguments", "because"),
    [
        (extend, ("because",), "one of these reasons: complexity"),
        (rules.refuse, ("because",), "one of these reasons: not_identified"),
        (rules.proven, (), "does not wait for a proof"),
        (rules.acknowledge, (), "need not be confirmed"),
    ],
)
def test_a_step_that_is_not_allowed_changes_nothing(
    vault: Vault, subject_id: bytes, step: Any, arguments: tuple[str, ...], because: str
) -> None:
    """The reason is from a closed list, and each step has its state."""
    before = opened(vault, "access", subject_id)
    with pytest.raises(RequestError, match=because):
        changed(vault, step, before.number, *arguments)
    assert found(vault, before.number) == before


def test_an_extension_is_possible_once_and_in_time(vault: Vault, subject_id: bytes, clock: Clock) -> None:
    """GDPR Art. 12(3) wants the notice within the first month."""
    late = opened(vault, "access", subject_id).number
    other = opened(vault, "restriction", subject_id).number
    changed(vault, extend, other, "number_of_requests")
    with pytest.raises(RequestError, match="was extended on 2026-11-23"):
        changed(vault, extend, other, "complexity")
    clock.advance(days=31)
    with pytest.raises(RequestError, match="its date is over"):
        changed(vault, extend, late, "complexity")


def test_the_clock_stops_for_the_united_kingdom_alone(vault: Vault, subject_id: bytes, clock: Clock) -> None:
    """As long as the proof is waited for, and no longer."""
    for regulation, moved in (("uk-gdpr", 10 * DAY), ("gdpr", 0 * DAY)):
        store = vault_under(vault, regulation)
        before = opened(store, "access", subject_id)
        changed(store, rules.ask_for_proof, before.number)
        with store.database.read() as conn:
            stands = not due(conn, clock() + 60 * DAY)
        assert stands is (regulation == "uk-gdpr")
        clock.advance(days=10)
        after = changed(store, rules.proven, before.number)
        assert (after.state, after.answer_by - before.answer_by) == ("in_progress", moved)
        changed(store, rules.refuse, before.number, "unfounded")


def test_the_clock_stops_only_where_every_regulation_stops_it(vault: Vault, subject_id: bytes, clock: Clock) -> None:
    """Whichever is named first: the person may be one whom the other protects."""
    for names in (("uk-gdpr", "gdpr"), ("gdpr", "uk-gdpr"), ("uk-gdpr", "ccpa")):
        store = vault_under(vault, *names)
        before = opened(store, "access", subject_id)
        assert changed(store, rules.ask_for_proof, before.number).paused_at is None
        clock.advance(days=10)
        assert changed(store, rules.proven, before.number).answer_by == before.answer_by
        changed(store, rules.refuse, before.number, "unfounded")


def test_an_extension_keeps_the_date_of_a_regulation_that_knows_none(vault: Vault, subject_id: bytes) -> None:
    """LGPD's 15 days come first and are final; the error names the regulations."""
    store = vault_under(vault, "gdpr", "lgpd")
    number = opened(store, "access", subject_id).number
    with pytest.raises(RequestError, match="cannot be extended under lgpd@2026-11, gdpr@2026-11"):
        changed(store, extend, number, "complexity")


def vault_under(vault: Vault, *regulations: str) -> Vault:
    """Return the store under other regulations."""
    names = tuple(f"{name}@2026-11" for name in regulations)
    policy = structs.replace(vault.policy, regulations=names)
    return replace(vault, policy=policy, regulations=load_regulations(names, None))


def test_a_request_runs_by_a_profile_of_the_builders_own(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store reads it from beside privacy.yml, wherever it runs; later without it, no other law's figures count."""
    settings = settings_in(tmp_path)
    text = settings.privacy.read_text(encoding="utf-8")
    settings.privacy.write_text(f"{text}regulations: [house@2026-12]\n", encoding="utf-8")
    file = tmp_path / "regulations" / "house-2026-12.yml"
    file.parent.mkdir()
    file.write_text(HOUSE, encoding="utf-8")
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path / "away")
    vault = open_vault(settings, clock)
    try:
        request = opened(vault, "access", None)
        assert (request.regulation, request.answer_by - request.opened_at) == ("house@2026-12", timedelta(days=14))
        file.unlink()
        other = vault_under(vault, "gdpr")
        for step, more in ((extend, ("complexity",)), (rules.ask_for_proof, ())):
            with pytest.raises(PolicyError, match="there is no profile 'house@2026-12'"):
                changed(other, step, request.number, *more)
        assert found(vault, request.number).state == "received"
    finally:
        vault.close()


@each_kind
def test_erasing_completes_the_request_and_ends_all_others(vault: Vault, subject_id: bytes) -> None:
    """In the same transaction, with the certificate; by a person who did not ask it is recorded all the same."""
    numbers = [opened(vault, kind, subject_id).number for kind in ("erasure", "access")]
    certificate = erase(vault, SENDER, evidence(vault))
    assert certificate is not None
    for number in numbers:
        request = found(vault, number)
        assert (request.state, request.reason, request.certificate) == ("done", "erased", certificate.number)
    ben = grant(vault, "draw", sender="ben")
    erase(vault, "ben", evidence(vault))
    with vault.database.read() as conn:
        assert [(each.kind, each.state) for each in rows.all_of(conn, ben)] == [("erasure", "done")]


def test_an_erasure_request_is_not_done_while_the_person_is_there(vault: Vault, subject_id: bytes) -> None:
    """Nobody ticks it off."""
    number = opened(vault, "erasure", subject_id).number
    with pytest.raises(RequestError, match="still there"):
        vault.database.transact(lambda conn: rules.complete(vault, conn, number, "Eva", vault.clock()))
    assert found(vault, number).is_open


@each_kind
def test_an_erasure_that_is_replayed_ends_its_request(
    vault: Vault, subject_id: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies between the journal and the commit leaves both undone; the next start does both."""
    number = opened(vault, "erasure", subject_id).number
    give(vault, {"draw": {"full_name": "Ana Li"}})

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(vault.erasures), "bury", die)
        with pytest.raises(KeyboardInterrupt):
            erase(vault, SENDER, evidence(vault))
    assert found(vault, number).state == "received"
    assert replay(vault).erased == 1
    request = found(vault, number)
    assert request.reason == "erased"
    with vault.database.read() as conn:
        assert vault.erasures.certificate(conn, str(request.certificate)) is not None


def test_nobody_is_an_actor_without_a_name(vault: Vault, subject_id: bytes) -> None:
    """Who did it is always known, and no line break gets into a list."""
    number = opened(vault, "access", subject_id).number
    for name in ("", "  ", "a\nb", "x" * 256):
        with pytest.raises(RequestError, match="name who does it"):
            vault.database.transact(lambda conn, name=name: rules.take(conn, number, name, START))  # type: ignore[misc]


class Mailbox:
    """A sender that keeps what it sends, or fails."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str, str]] = []
        self.fails: Exception | None = None

    def send(self, to: str, subject: str, text: str) -> None:
        """Keep it."""
        if self.fails is not None:
            raise self.fails
        self.mails.append((to, subject, text))


def test_nothing_is_overdue_silently(vault: Vault, subject_id: bytes, clock: Clock) -> None:
    """From a week before its date on the officer gets one mail a day, without a person, until it is closed."""
    box = Mailbox()
    number = opened(vault, "access", subject_id).number
    assert remind(vault, box, clock.advance(days=20)) == 0
    assert remind(vault, box, clock.advance(days=4)) == 1
    assert remind(vault, box, clock.advance(hours=2)) == 0
    assert remind(vault, box, clock.advance(days=8)) == 1
    assert [to for to, _, _ in box.mails] == ["privacy@northwind.example"] * 2
    assert f"{number} (access): answer OVERDUE since 2026-12-23 12:30 UTC" in box.mails[-1][2]
    assert SENDER not in str(box.mails)
    changed(vault, rules.refuse, number, "unfounded")
    assert remind(vault, box, clock.advance(days=1)) == 0


@pytest.mark.parametrize("error", [SenderError("away"), ValueError("of a builder's own sender")])
@each_kind
def test_a_reminder_that_could_not_be_sent_is_sent_later(
    vault: Vault, subject_id: bytes, clock: Clock, error: Exception
) -> None:
    """The day counts as reminded only where the mail went out."""
    box = Mailbox()
    opened(vault, "access", subject_id)
    clock.advance(days=40)
    box.fails = error
    with pytest.raises(SenderError):
        remind(vault, box, clock())
    box.fails = None
    assert remind(vault, box, clock()) == 1


def test_receipt_must_be_confirmed_where_ccpa_says_so(vault: Vault, subject_id: bytes, clock: Clock) -> None:
    """It is raised by itself, and stops when it is noted."""
    store = vault_under(vault, "ccpa")
    number = opened(store, "access", subject_id).number
    clock.advance(days=12)
    with store.database.read() as conn:
        (only,) = due(conn, clock())
    assert "confirm its receipt by 2026-12-08" in line(only)
    changed(store, rules.acknowledge, number)
    with store.database.read() as conn:
        assert due(conn, clock()) == []


def test_figures_say_how_it_went(vault: Vault, subject_id: bytes, clock: Clock) -> None:
    """Received, closed in time or late, and how long it took."""
    late = opened(vault, "access", subject_id).number
    opened(vault, "erasure", subject_id)
    clock.advance(days=40)
    changed(vault, rules.refuse, late, "unfounded")
    with vault.database.read() as conn:
        found = count(rows.iterate(conn), clock())
    assert (found["access"].refused, found["access"].late, found["access"].median_days) == (1, 1, 40.0)
    assert (found["erasure"].open, found["erasure"].overdue) == (1, 1)


def test_a_request_whose_person_was_erased_is_counted_apart(vault: Vault, subject_id: bytes, clock: Clock) -> None:
    """Nobody answered the one for a copy; the ones to be deleted were done. What took long is that of the answered."""
    for kind in ("access", "erasure", "item_erasure"):
        opened(vault, kind, subject_id)
    clock.advance(days=2)
    erase(vault, SENDER, evidence(vault))
    with vault.database.read() as conn:
        found = count(rows.iterate(conn), clock())
    assert {kind: (each.done, each.ended, each.median_days) for kind, each in found.items()} == {
        "access": (0, 1, None),
        "erasure": (1, 0, 2.0),
        "item_erasure": (1, 0, 2.0),
    }


class AnyWay(RuleBasedStateMachine):
    """Tries every step on one request, in any order."""

    def __init__(self, vault: Vault) -> None:
        super().__init__()
        self.vault = vault
        self.now = START
        self.store = vault_under(vault, "uk-gdpr")
        self.request = vault.database.transact(lambda conn: rules.open_request(self.store, conn, "access", None, START))
        self.steps = 1

    def attempt(self, step: Callable[..., Request], *arguments: Any) -> None:
        """Try a step; one that is refused changes nothing."""
        before, run = found(self.vault, self.request.number), of(self.store, step)
        try:
            after = self.vault.database.transact(lambda conn: run(conn, before.number, *arguments, "Eva", self.now))
        except RequestError:
            assert found(self.vault, before.number) == before
            return
        assert before.is_open
        assert after.answer_by >= before.answer_by
        self.steps += 2 if step == extend else 1  # how the person was told is a step too
        self.request = after

    @rule()
    def wait(self) -> None:
        """Nine days go by."""
        self.now += 9 * DAY

    @rule()
    def take(self) -> None:
        """Somebody owns it."""
        self.attempt(rules.take)

    @rule()
    def ask_for_proof(self) -> None:
        """The clock stops."""
        self.attempt(rules.ask_for_proof)

    @rule()
    def proven(self) -> None:
        """The clock goes on."""
        self.attempt(rules.proven)

    @rule()
    def extend(self) -> None:
        """The date is put off."""
        self.attempt(extend, "complexity")

    @precondition(lambda self: self.steps > 3)
    @rule()
    def refuse(self) -> None:
        """It ends."""
        self.attempt(rules.refuse, "unfounded")

    @invariant()
    def every_change_is_a_step(self) -> None:
        """What is stored is what was returned, and closed is what has an end."""
        assert len(steps(self.vault, self.request.number)) == self.steps
        assert found(self.vault, self.request.number) == self.request
        assert (self.request.closed_at is None) is self.request.is_open


def test_any_way_through_the_states_keeps_the_rules(vault: Vault) -> None:
    """What is closed is final, every change is a step, and dates never get earlier."""
    ways = list[AnyWay]()

    def begin() -> AnyWay:
        ways.append(AnyWay(vault))
        return ways[-1]

    few = settings(max_examples=15, stateful_step_count=12, deadline=None)
    run_state_machine_as_test(begin, settings=few)  # type: ignore[no-untyped-call]
    assert max(way.steps for way in ways) > 3  # some of them led to where a request can end
    assert any(way.request.closed_at is not None for way in ways)


def test_every_kind_has_a_clock(vault: Vault, subject_id: bytes) -> None:
    """All can be opened, and an unknown one is refused."""
    assert all(opened(vault, kind, subject_id).answer_by > START for kind in KINDS)
    with pytest.raises(RequestError, match="no request of this kind"):
        opened(vault, "something", subject_id)
