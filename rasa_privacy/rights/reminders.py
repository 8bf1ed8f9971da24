"""What is due of requests, and one mail a day about it to the controller's officer.

A request is raised from SOON before its date until it is closed, and likewise the confirmation of its receipt. One
whose clock stands still is not. The mail names numbers, kinds and dates; nothing in it is about a person. Of several
servers one sends it: the day is noted in the database before, and the note is taken back if nothing could be sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from rasa_privacy.errors import SenderError
from rasa_privacy.rights.senders import Sender, hand_over
from rasa_privacy.storage import reminded, requests
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.vault import Vault

#: How long before its date a request is raised.
SOON: Final = timedelta(days=7)
#: More are counted, and not named, in a mail.
_NAMED: Final = 50


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that is due.

    Attributes:
        request: The request.
        what: `answer` or `acknowledge`.
        by: By when.
        is_overdue: Whether that is over.
    """

    request: Request
    what: str
    by: datetime
    is_overdue: bool


def due(connection: Any, now: datetime, within: timedelta = SOON) -> list[Due]:
    """Return what is due within this time, the most urgent first."""
    found = [
        Due(request, what, by, by < now)
        for request in requests.open_ones(connection)
        if request.paused_at is None
        for what, by in (("answer", request.answer_by), ("acknowledge", request.acknowledge_by))
        if by is not None and by <= now + within
    ]
    return sorted(found, key=lambda each: (each.by, each.request.number))


def remind(vault: Vault, sender: Sender, now: datetime, within: timedelta = SOON) -> int:
    """Send the officer one mail about what is due, unless one was sent today (UTC) or nothing is.

    Returns:
        The number of things that the mail is about; 0 where none was sent.

    Raises:
        SenderError: The mail could not be handed over. The next call tries again.
    """
    with vault.database.read() as connection:
        found = due(connection, now, within)
    if not found or not vault.database.transact(lambda conn: reminded.claim(conn, now.date())):
        return 0
    try:
        to = vault.policy.controller.officer or vault.policy.controller.contact
        hand_over(sender, to, _subject(found), _text(found))
    except SenderError:
        vault.database.transact(lambda conn: reminded.give_back(conn, now.date()))
        raise
    return len(found)


def line(each: Due) -> str:
    """Return one line on what is due."""
    what = "answer" if each.what == "answer" else "confirm its receipt"
    late = "OVERDUE since" if each.is_overdue else "by"
    return f"{each.request.number} ({each.request.kind}): {what} {late} {each.by:%Y-%m-%d %H:%M} UTC"


def _subject(found: Iterable[Due]) -> str:
    every = list(found)
    overdue = sum(each.is_overdue for each in every)
    return f"Privacy requests: {len(every)} due" + (f", {overdue} of them overdue" if overdue else "")


def _text(found: list[Due]) -> str:
    lines = [line(each) for each in found[:_NAMED]]
    if len(found) > _NAMED:
        lines.append(f"... and {len(found) - _NAMED} more")
    return "\n".join(
        ["These requests of people are due:", "", *lines, "", "'rasa-privacy requests show NUMBER' says more.", ""]
    )
