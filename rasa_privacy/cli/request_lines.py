"""How `rasa-privacy requests` writes a request: where it stands, by when it is due, and how it ended."""

from datetime import datetime
from typing import Final

from rasa_privacy.storage.requests import Request

#: What is said of a request that nobody answered, since its person is gone.
_OTHERWISE_ENDED: Final = "the person was erased"


def state_of(each: Request) -> str:
    """Return the word for where a request stands."""
    return "ended" if each.ended_with_person else each.state


def said(changed: Request) -> str:
    """Return what became of a request that was changed."""
    return f"{changed.number}: {state_of(changed)}, due {moment(changed.answer_by)} UTC"


def moment(at: datetime | None) -> str:
    """Return a time in UTC to the minute; nothing for None."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M}"


def cells(each: Request) -> tuple[str, ...]:
    """Return what stands in the columns of the list of requests."""
    reason = _OTHERWISE_ENDED if each.ended_with_person else each.reason
    ended = " ".join(filter(None, (reason, each.certificate)))
    due_by = f"{moment(each.answer_by)}{' (stands still)' if each.paused_at else ''}"
    return (
        each.number,
        each.kind,
        state_of(each),
        each.owner or "",
        moment(each.opened_at),
        due_by,
        each.regulation,
        ended,
    )
