"""When a purpose's data of one person is due for deletion.

Counted from the last use: each save that adds a value moves it. The structure of a conversation and its masked texts
(purpose `service`) follow `messages.retain`; of a person without any active purpose they go after a day.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from rasa_privacy.policy.model import UNTIL_WITHDRAWN, Policy, duration_seconds

#: The purpose under which the structure of conversations is sealed.
SERVICE: Final = "service"

#: How long the conversation of a person without any active purpose is kept.
WITHOUT_CONSENT: Final = timedelta(hours=24)


def due_at(policy: Policy, purpose: str, active: Collection[str], now: datetime) -> datetime | None:
    """Return when data used now under this purpose is due, or None for `until withdrawn`."""
    if purpose == SERVICE:
        return now + (timedelta(seconds=duration_seconds(policy.messages.retain)) if active else WITHOUT_CONSENT)
    declared = policy.purposes[purpose]
    limits = [declared.retain] if declared.retain != UNTIL_WITHDRAWN else []
    # A consent that ends by itself ends what only it allowed, at the latest this long after the last use.
    limits += [declared.consent_lasts] if declared.consent_lasts is not None else []
    return now + timedelta(seconds=min(map(duration_seconds, limits))) if limits else None
