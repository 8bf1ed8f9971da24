"""How long a value is kept within a conversation, where `keep` of an item says that and not how much of it.

`until lead_form`: until that form is done and the turn is over; `session`: until the next session begins; `7 days` and
the like: so long after it was given.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rasa_privacy.policy.durations import DURATION

_UNTIL: Final = re.compile(r"until ([A-Za-z][\w-]{0,63})")
SESSION: Final = "session"


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long; one of the three.

    Attributes:
        form: The form that ends it.
        session: Whether the next session ends it.
        duration: A duration such as `7 days`.
    """

    form: str | None = None
    session: bool = False
    duration: str | None = None


@lru_cache
def lasting_of(keep: str) -> Lasting | None:
    """Return how long a `keep` of words lets a value last, or None where it says no such thing."""
    until = _UNTIL.fullmatch(keep)
    if until is not None:
        return Lasting(form=until[1])
    if keep == SESSION:
        return Lasting(session=True)
    length = DURATION.fullmatch(keep)
    return Lasting(duration=keep) if length is not None and int(length[1]) else None
