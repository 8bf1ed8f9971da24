"""The consent of one person against a model: Hypothesis asks, answers, waits, confirms and changes privacy.yml."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import replace as with_parts
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rasa_privacy.access.admission import admit_local
from rasa_privacy.consent.double_opt_in import LIFETIME, begin, confirm
from rasa_privacy.consent.ledger import record_answer, record_asked, state_of
from rasa_privacy.errors import LedgerError, OptInError
from rasa_privacy.rights.audience import Tally, audience
from rasa_privacy.rights.withdrawal import withdraw
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.vaults import SENDER, Clock, evidence, give, notice_of, settings_in

CONTACT = "ana@example.com"
PURPOSES = ("draw", "newsletter", "fitting")
OPTIONAL = {"draw": "draw:postcode", "newsletter": "newsletter:birthday"}


def a_year_after(granted: datetime) -> datetime:
    """Return when the draw's twelve months are over."""
    if (granted.month, granted.day) == (2, 29):
        return granted.replace(year=granted.year + 1, month=3, day=1, hour=0, minute=0, second=0, microsecond=0)
    return granted.replace(year=granted.year + 1)


@dataclass
class Consent:
    """What the model knows of one purpose.

    Attributes:
        open: The terms that were asked about and not answered yet; None for no question.
        granted: When a yes was given; None for none.
        terms: The terms that it was given to.
        optional: The terms under which the optional item was agreed to since; None for no agreement.
    """

    open: int | None = None
    granted: datetime | None = None
    terms: int = 0
    optional: int | None = None


@dataclass
class Code:
    """The last code of the newsletter."""

    text: str
    ends: datetime
    wrong: int = 0


@dataclass
class Model:
    """What is true, without a ledger."""

    consents: dict[str, Consent] = field(default_factory=lambda: {name: Consent() for name in PURPOSES})
    terms: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PURPOSES, 0))
    code: Code | None = None


class ConsentMachine(RuleBasedStateMachine):
    """One person; the newsletter has double opt-in, the draw ends after twelve months."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.folder = TemporaryDirectory()
        self.model = Model()

    @initialize()
    def begin(self) -> None:
        """Open a store."""
        self.base = open_vault(settings_in(Path(self.folder.name)), self.clock)
        with self.base.database.write() as connection:
            self.subject_id = self.base.subjects.find_or_create(connection, SENDER, self.clock())
        give(self.base, {"newsletter": {"email": CONTACT}})

    def teardown(self) -> None:
        """Close it."""
        if hasattr(self, "base"):
            self.base.close()
        self.folder.cleanup()

    @property
    def vault(self) -> Vault:
        """The store under the privacy.yml of now."""
        purposes = dict(self.base.policy.purposes)
        for name, version in self.model.terms.items():
            says = {"en": f"to do thing {version}"}
            purposes[name] = msgspec.structs.replace(purposes[name], says=says, double_opt_in=name == "newsletter")
        return with_parts(self.base, policy=msgspec.structs.replace(self.base.policy, purposes=purposes))

    @contextmanager
    def _change(self) -> Iterator[Any]:
        with self.base.database.write() as connection:
            self.base.subjects.lock(connection, self.subject_id)
            yield connection

    @rule(purpose=st.sampled_from(PURPOSES))
    def ask(self, purpose: str) -> None:
        """Show the notice of now."""
        with self._change() as connection:
            record_asked(
                self.vault, connection, self.subject_id, notice_of(self.vault.policy, purpose), evidence(self.vault)
            )
        known = self.model.consents[purpose]
        if purpose not in self.expected():
            known.granted = known.optional = None  # it is on record now that the yes has ended
        known.open = self.model.terms[purpose]

    @rule(purpose=st.sampled_from(("draw", "fitting")), granted=st.booleans())
    def answer(self, purpose: str, *, granted: bool) -> None:
        """Say yes or no; without a question, or a yes to an old notice, nothing is recorded."""
        known = self.model.consents[purpose]
        counts = known.open is not None and (not granted or known.open == self.model.terms[purpose])
        self._answer(purpose, granted=granted, counts=counts)
        if counts:
            self.model.consents[purpose] = Consent(granted=self.clock() if granted else None, terms=known.open or 0)

    @rule(purpose=st.sampled_from(("draw", "fitting")), optional=st.booleans(), days=st.sampled_from((0, 30, 400)))
    def agree(self, purpose: str, days: int, *, optional: bool) -> None:
        """Ask and get a yes at once, and to the optional item too; then some time passes."""
        self.ask(purpose)
        self.answer(purpose, granted=True)
        if optional and purpose in OPTIONAL:
            self.choose(purpose, granted=True)
        self.clock.now += timedelta(days=days)

    @rule()
    def refuse_the_newsletter(self) -> None:
        """A no needs no code."""
        counts = self.model.consents["newsletter"].open is not None
        self._answer("newsletter", granted=False, counts=counts)
        if counts:
            self.model.consents["newsletter"] = Consent()

    @rule()
    def agree_without_a_code(self) -> None:
        """However a plain yes gets into the ledger, it is none, and takes an earlier one's place."""
        self.ask("newsletter")
        known = self.model.consents["newsletter"]
        counts = known.open is not None and known.open == self.model.terms["newsletter"]
        self._answer("newsletter", granted=True, counts=counts)
        if counts:
            self.model.consents["newsletter"] = Consent()

    def _answer(self, topic: str, *, granted: bool, counts: bool) -> None:
        def work(connection: Any) -> None:
            record_answer(
                self.vault, connection, self.subject_id, topic, granted=granted, evidence=evidence(self.vault)
            )

        if counts:
            self.base.database.transact(work)
        else:
            with pytest.raises(LedgerError):
                self.base.database.transact(work)

    @rule(purpose=st.sampled_from(tuple(OPTIONAL)), granted=st.booleans())
    def choose(self, purpose: str, *, granted: bool) -> None:
        """Ask about the optional item, and answer."""
        topic = OPTIONAL[purpose]
        with self._change() as connection:
            record_asked(
                self.vault, connection, self.subject_id, notice_of(self.vault.policy, topic), evidence(self.vault)
            )
        self._answer(topic, granted=granted, counts=True)
        known = self.model.consents[purpose]
        if known.granted is not None:
            known.optional = self.model.terms[purpose] if granted else None

    @rule(purposes=st.sets(st.sampled_from(PURPOSES), min_size=1))
    def withdraw(self, purposes: set[str]) -> None:
        """Take consents back; a question that is open stays open, and the code ends."""
        with self._change() as connection:
            done = withdraw(self.vault, connection, self.subject_id, purposes, evidence(self.vault))
        for purpose in done.purposes:
            self.model.consents[purpose] = Consent()
        if "newsletter" in purposes and self.model.code is not None:
            self.model.code.text = "-"

    @rule()
    def send_code(self) -> None:
        """Send a code; limits may refuse it."""

        def work(connection: Any) -> str:
            return begin(self.vault, connection, self.subject_id, "newsletter", CONTACT, self.clock())

        try:
            text = self.base.database.transact(work)
        except OptInError:
            return
        live = self.model.code is not None and self.clock() < self.model.code.ends
        wrong = self.model.code.wrong if live and self.model.code is not None else 0
        self.model.code = Code(text, self.clock() + LIFETIME, wrong)

    @precondition(lambda self: self.model.code is not None)
    @rule(right=st.booleans())
    def give_back(self, *, right: bool) -> None:
        """Give a code back; it counts while it is live, right, and answers a question about the terms of now."""
        code, known = self.model.code, self.model.consents["newsletter"]
        assert code is not None
        usable = code.text != "-" and self.clock() < code.ends and code.wrong < 5
        given = code.text if right and code.text != "-" else "nothing"
        answers = known.open is not None and known.open == self.model.terms["newsletter"]
        try:
            confirm(self.vault, self.subject_id, "newsletter", CONTACT, given, evidence(self.vault))
        except OptInError:
            assert not (usable and right)
            code.wrong += usable
            return
        except LedgerError:
            assert usable
            assert right
            assert not answers
            return
        assert usable
        assert right
        assert answers
        self.model.consents["newsletter"] = Consent(granted=self.clock(), terms=self.model.terms["newsletter"])
        self.model.code = None

    @rule(purpose=st.sampled_from(PURPOSES), version=st.integers(0, 1))
    def change_terms(self, purpose: str, version: int) -> None:
        """Write another privacy.yml, or an old one again."""
        self.model.terms[purpose] = version

    @rule(length=st.sampled_from((timedelta(seconds=30), timedelta(minutes=20))))
    def wait(self, length: timedelta) -> None:
        """Let time pass."""
        self.clock.now += length

    @rule()
    def set_the_clock_back(self) -> None:
        """For one look: nothing is active that was not agreed to until then."""
        then = self.clock() - timedelta(days=40)
        with self.base.database.read() as connection:
            active = state_of(self.vault, connection, self.subject_id, then).active
            records = self.base.ledger.of_subject(connection, self.subject_id)
        until = then + timedelta(minutes=5)
        assert active <= {each.purpose for each in records if each.event == "granted" and each.at <= until}

    def expected(self) -> frozenset[str]:
        """Return what the model says is active."""
        active = set()
        for purpose, known in self.model.consents.items():
            if known.granted is None or known.terms != self.model.terms[purpose]:
                continue
            if purpose == "draw" and a_year_after(known.granted) <= self.clock():
                continue
            active.add(purpose)
            if known.optional == known.terms:
                active.add(OPTIONAL[purpose])
        return frozenset(active)

    @invariant()
    def what_is_active_is_what_was_agreed_to(self) -> None:
        """By the ledger as the bot reads it, and by the audience."""
        if not hasattr(self, "base"):
            return
        with self.base.database.read() as connection:
            state = state_of(self.vault, connection, self.subject_id, self.clock())
        assert state.active == self.expected()

    @rule()
    def export_an_audience(self) -> None:
        """In is who is active, by the same reading of the ledger."""
        found = audience(self.vault, admit_local(self.base, "audience"), "draw", None, self.clock(), Tally())
        assert [each.sender_id for each in found] == ([SENDER] if "draw" in self.expected() else [])


ConsentMachine.TestCase.settings = settings(
    max_examples=35,
    stateful_step_count=20,
    deadline=None,
    # The steps are printed as they were taken; making them fewer takes minutes.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestConsentMachine = ConsentMachine.TestCase
