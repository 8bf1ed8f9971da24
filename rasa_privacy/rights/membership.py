"""Who is in the audience of a purpose by consent: the ledger preselects, the fold decides.

Rules:

1. The ledger gives the answers, page by page; the same fold that the bot obeys decides about each person, so that the
   two cannot disagree. Of people whose answers differ in nothing that it looks at it is asked once.
2. Pages go forward by subject id, so nobody comes twice; a server is asked for two at a time, one of each half of the
   subject ids. Each is a transaction of its own: a million people hold no database log back, and whoever withdraws
   meanwhile is left out from the next pages on.

Nothing of a person is opened here.
"""

import logging
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from rasa_privacy.consent.opt_out_signals import obey_signal
from rasa_privacy.consent.restrictions import obey_restrictions, restriction_topic
from rasa_privacy.consent.state import CLOCK_TOLERANCE, fold
from rasa_privacy.consent.terms import still_hold
from rasa_privacy.errors import ConfigurationError, TamperedSegmentError
from rasa_privacy.policy.durations import Length
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.topics import SALE_OR_SHARING
from rasa_privacy.storage import audience_rows
from rasa_privacy.storage.audience_rows import Answer, Row, answer_of
from rasa_privacy.storage.tables import to_micros
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

#: How many answers are in one page.
PAGE_ANSWERS: Final = 4000
#: Shapes of answers that are remembered, of some hundred bytes each.
_MOST_SHAPES: Final = 10_000
#: Before every time that can be stored.
_NEVER: Final = -(2**63)
#: The middle and the end of all subject ids.
_MIDDLE: Final = b"\x80" + bytes(15)
_LAST: Final = b"\xff" * 16
#: All subject ids, as `Decision.page` takes them.
EVERYBODY: Final = (b"", _LAST)


@dataclass(slots=True)
class Decision:
    """Decides about one person after the other by the fold, for one purpose at one moment."""

    vault: Vault
    purpose: str
    now: datetime
    policy: Policy = field(init=False)
    current: dict[tuple[str, bytes], bool] = field(default_factory=dict)
    known: dict[Hashable, bool] = field(default_factory=dict)
    future: int = field(init=False)
    over: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Leave in the policy what decides about the purpose, so that the fold has less to do."""
        kept = {name: each for name, each in self.vault.policy.purposes.items() if name in self.deciding()}
        self.policy = msgspec.structs.replace(self.vault.policy, purposes=kept)
        self.future = to_micros(self.now + CLOCK_TOLERANCE)
        lasting = {name: each.consent_lasts for name, each in kept.items() if each.consent_lasts is not None}
        self.over = {name: to_micros(self.now - Length(lasts)) for name, lasts in lasting.items()}

    def deciding(self) -> tuple[str, ...]:
        """Return the purposes whose records decide: this one, those that it requires, age, and the opt-out signal."""
        purposes, wanted, found = self.vault.policy.purposes, [self.purpose], dict[str, None]()
        while wanted:
            name = wanted.pop()
            if name not in found and name in purposes:
                found[name] = None
                wanted += getattr(purposes[name], "requires", ())
        return (*found, *map(restriction_topic, found), "age", SALE_OR_SHARING)

    def page(self, connection: Any, between: tuple[bytes, bytes], most: int) -> tuple[list[bytes], bytes | None]:
        """Return who of a page is in, by subject id, and its last person; None where nobody comes after.

        It is `agreed` without those who have no conversation, or of whom a sender is suppressed.
        """
        agreed, last = self.agreed(connection, between, most)
        there = audience_rows.reachable(connection, agreed)
        return [who for who in agreed if who in there], last

    def agreed(self, connection: Any, between: tuple[bytes, bytes], most: int) -> tuple[list[bytes], bytes | None]:
        """Return who of a page is in by the answers alone, and its last person; None where nobody comes after.

        Args:
            connection: A connection that reads; what it sees decides.
            between: The last subject id of the page before, and the last that is asked for.
            most: Number of answers that are looked at.
        """
        rows, last = audience_rows.answers_after(connection, self.deciding(), between, most)
        inside, answers, who = list[bytes](), list[Row](), b""
        for row in rows:
            if row[0] != who:
                if answers and self.is_in(connection, answers):
                    inside.append(who)
                answers, who = [row], row[0]
            else:
                answers.append(row)
        if answers and self.is_in(connection, answers):
            inside.append(who)
        return inside, last

    def is_in(self, connection: Any, rows: Sequence[Row]) -> bool:
        """Return whether the person with these answers is in; the fold is asked once for each shape of answers."""
        try:
            shape = tuple([self._shape(row) for row in rows])
            found = self.known.get(shape)
            answers = [answer_of(row) for row in rows] if found is None else []
        except TamperedSegmentError:
            logger.warning("A person is in no audience, since the time of an answer is none; verify the ledger.")
            return False
        if found is None:
            if len(self.known) >= _MOST_SHAPES:
                self.known.clear()
            found = self.known[shape] = self._fold(connection, answers)
        return found

    def _shape(self, row: Row) -> Hashable:
        """Return what the fold can tell apart of an answer at this moment; of its time that is two bits."""
        _, purpose, event, digest, method, at = row
        if type(at) is not int:
            answer_of(row)  # says what is wrong
        return purpose, event, digest, method, at > self.future, at <= self.over.get(purpose, _NEVER)

    def _fold(self, connection: Any, answers: Sequence[Answer]) -> bool:
        last = next((each.event for each in reversed(answers) if each.purpose == self.purpose), None)
        if last != "granted":
            return False  # what came last is no yes, so no fold says that there is one
        state = fold(answers, self.policy, self.now, lambda name, digest: self._is_current(connection, name, digest))
        if any(each.purpose == SALE_OR_SHARING for each in answers):
            state = obey_signal(state, answers, self.policy, self.now)
        state = obey_restrictions(state, answers, self.now)
        return self.purpose in state.active and state.purposes[self.purpose].status == "granted"

    def _is_current(self, connection: Any, purpose: str, digest: bytes) -> bool:
        """Return whether a notice says what the purpose says now; one look at each is enough."""
        known = self.current.get((purpose, digest))
        if known is None:
            stored = self.vault.notices.get(connection, digest)
            known = stored is not None and still_hold(self.vault.policy, purpose, stored)
            self.current[purpose, digest] = known
        return known


def members(vault: Vault, purpose: str, now: datetime, page: int = PAGE_ANSWERS) -> Iterator[list[bytes]]:
    """Yield who is in by consent and of whom no sender is suppressed, by subject id, in pages with somebody in.

    Args:
        vault: The open store.
        purpose: A purpose that rests on consent.
        now: The moment, aware and in UTC.
        page: Number of answers that are looked at in one transaction.

    Raises:
        ConfigurationError: There is no such purpose, or it does not rest on consent.
    """
    check_purpose(vault.policy, purpose)
    decision = Decision(vault, purpose, now)
    if vault.database.dialect == "sqlite":  # which works in this process, so that threads would wait for each other
        return _walk(decision, b"", _LAST, page)
    return _side_by_side([_walk(decision, b"", _MIDDLE, page), _walk(decision, _MIDDLE, _LAST, page)])


def _walk(decision: Decision, after: bytes, until: bytes, page: int) -> Iterator[list[bytes]]:
    """Yield who is in among the people behind one subject id and up to another, page by page."""
    while True:
        with decision.vault.database.read() as connection:
            inside, last = decision.page(connection, (after, until), page)
        if inside:
            yield inside
        if last is None:
            return
        after = last


def _side_by_side(walks: Sequence[Iterator[list[bytes]]]) -> Iterator[list[bytes]]:
    """Yield a page of each walk in turn. They are read at the same time, and only when the ones before were taken."""
    with ThreadPoolExecutor(len(walks), thread_name_prefix="rasa-privacy-audience") as pool:
        while walks:
            steps = [pool.submit(next, walk, None) for walk in walks]
            pages = [step.result() for step in steps]
            yield from filter(None, pages)
            walks = [walk for walk, found in zip(walks, pages, strict=True) if found]


def check_purpose(policy: Policy, purpose: str) -> None:
    """Check that a purpose can have an audience.

    Raises:
        ConfigurationError: There is no such purpose, or it does not rest on consent.
    """
    declared = policy.purposes.get(purpose)
    if declared is None:
        raise ConfigurationError(f"privacy.yml has no purpose '{purpose}'; name one of {', '.join(policy.purposes)}")
    if declared.basis != "consent":
        raise ConfigurationError(f"purpose '{purpose}' does not rest on consent, so it has no audience by consent")
