"""How much of a message's text Rasa gets.

A classifier with attention, as DIET is, needs memory by the square of the number of words: for half a million of them
no server has as much. Rules:

1. The pipeline reads the first MAX_READ characters. What stands behind them may hold names that nobody looked for, so
   the text counts as one that holds something that is not kept, and is withheld whole.
2. Of a text that is longer than what detectors search, one character more than that is left. No door lets a text of
   that length pass, so that nobody sees a value that was cut in two.
"""

import copy
from collections.abc import Mapping
from typing import Any, Final

from rasa_privacy.components.rasa_api import UserMessage
from rasa_privacy.minimize.detectors import MAX_CHARACTERS
from rasa_privacy.minimize.events import DROPPED, UNDECLARED

MAX_READ: Final = 4_096  # characters; as many as WhatsApp and Telegram let a message have


def shortened(text: str | None) -> str | None:
    """Return a message's text within the second bound."""
    return text if text is None else text[: MAX_CHARACTERS + 1]


def as_read(message: UserMessage) -> UserMessage:
    """Return the message as the pipeline reads it; the same where that is all of it."""
    if len(message.text or "") <= MAX_READ:
        return message
    read = copy.copy(message)
    read.text = message.text[:MAX_READ]
    return read


def of_whole(parsed: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return what was read of a beginning as that of the whole text, none of which is kept."""
    return {**parsed, "text": text, DROPPED: [[0, len(text), UNDECLARED]]}
