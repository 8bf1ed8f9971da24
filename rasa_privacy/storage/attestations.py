"""`Attestations`: who took which course, when, and how it went. Each row has a keyed hash, as operators have."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.errors import AccessError
from rasa_privacy.storage.tables import attestations, from_micros, to_micros

_DOMAIN: Final = "attestation row"
_A: Final = attestations.c
_SELECT: Final = select(_A.operator, _A.course, _A.at, _A.asked, _A.correct, _A.passed, _A.mac)
_OF_ONE: Final = _SELECT.where(_A.operator == bindparam("who"), _A.course == bindparam("which")).order_by(_A.at)
_ALL: Final = _SELECT.order_by(_A.at, _A.attestation)
_INSERT: Final = insert(attestations)


@dataclass(frozen=True, slots=True)
class Attestation:
    """One attempt at a course.

    Attributes:
        operator: Who took it.
        course: Its name.
        at: When, aware and in UTC.
        asked: Number of questions.
        correct: Number of right answers.
        passed: Whether that was enough then.
    """

    operator: str
    course: str
    at: datetime
    asked: int
    correct: int
    passed: bool


class Attestations:
    """Attestations in the database.

    Args:
        index: Blind index of this database, which authenticates the rows.
    """

    def __init__(self, index: BlindIndex) -> None:
        self._index = index

    def add(self, conn: Connection, made: Attestation) -> None:
        """Write an attempt."""
        columns = {
            "operator": made.operator,
            "course": made.course,
            "at": to_micros(made.at),
            "asked": made.asked,
            "correct": made.correct,
            "passed": int(made.passed),
        }
        conn.execute(_INSERT, {**columns, "mac": self._mac(list(columns.values()))})

    def of_operator(self, conn: Connection, operator: str, course: str) -> list[Attestation]:
        """Return the attempts of one operator at a course, the oldest first.

        Raises:
            AccessError: One was changed or added behind our back.
        """
        return [self._checked(row) for row in conn.execute(_OF_ONE, {"who": operator, "which": course}).all()]

    def all(self, conn: Connection) -> list[Attestation]:
        """Return all attempts, the oldest first.

        Raises:
            AccessError: One was changed or added behind our back.
        """
        return [self._checked(row) for row in conn.execute(_ALL).all()]

    def _checked(self, row: Any) -> Attestation:
        *columns, mac = row
        if mac != self._mac(columns):
            raise AccessError("the table of attestations was changed by hand; restore it from its backup")
        operator, course, at, asked, correct, passed = columns
        return Attestation(operator, course, from_micros(at), asked, correct, passed=bool(passed))

    def _mac(self, columns: list[Any]) -> bytes:
        return self._index.of_bytes(_DOMAIN, msgspec.msgpack.encode(columns))
