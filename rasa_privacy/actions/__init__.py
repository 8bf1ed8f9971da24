"""The privacy turns as rasa_sdk actions: `import rasa_privacy.actions` in the bot's actions package adds them all.

They share `storage` with the tracker store, in their own process. What an action says is true when it says it: the
words are sent after the commit.
"""

from rasa_privacy.components import log_scrubbing

log_scrubbing.install()

from rasa_privacy.actions import (  # noqa: E402 - no line may be logged before the scrubbing is in place
    asking,
    confirming,
    consent,
    correcting,
    data_rights,
    explaining,
    forgetting,
    receipts,
    restricting,
    statuses,
)
from rasa_privacy.actions.guarding import consented, requires_consent  # noqa: E402 - as above
from rasa_privacy.dialogue.names import ACTIONS, INTENTS  # noqa: E402 - as above

log_scrubbing.allow((*ACTIONS, *INTENTS))

__all__ = [
    "asking",
    "confirming",
    "consent",
    "consented",
    "correcting",
    "data_rights",
    "explaining",
    "forgetting",
    "receipts",
    "requires_consent",
    "restricting",
    "statuses",
]
