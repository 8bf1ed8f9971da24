"""How much of a message's text Rasa gets.

A classifier with attention, as DIET is, needs memory by the square of the number of words: for half a million of them
no server has as much. Rules:

1. The pipeline reads the first MAX_READ characters. What stands behind them may hold names that nobody looked for, so
   the text counts as one that holds something that is not kept, and is withheld whole.
2. Of a text that is longer than what detectors search, one character more than that is left. No door lets a text of
   that length pass, so that nobody sees a value that was cut in two.
3. Blanks in a row are one before anything is cut: "yes", a page of blanks and "but not for mail" is no yes.
"""

import copy
from collections.abc import Mapping
from typing import Any, Final

from rasa_privacy.components.rasa_api import UserMessage
from rasa_privacy.minimize.detectors import MAX_CHARACTERS
from rasa_privacy.minimize.kept_texts import DROPPED, UNDECLARED

MAX_READ: Final = 4_096  # characters; as many as WhatsApp and Telegram let a message have


def shortened(text: str | None) -> str | None:
    """Return a message's text within the second bound."""
    longest = MAX_CHARACTERS + 1
    return text if text is None or len(text) <= longest else _without_gaps(text)[:longest].ljust(longest)


def as_read(message: UserMessage) -> UserMessage:
    """Return the message as the pipeline reads it; the same where that is all of it."""
    if len(message.text or "") <= MAX_READ:
        return message
    read = copy.copy(message)
    read.text = _without_gaps(message.text)[:MAX_READ]
    return read


def _without_gaps(text: str) -> str:
    return " ".join(text.split())


def of_whole(parsed: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return what was read of a beginning as that of the whole text, none of which is kept."""
    return {**parsed, "text": text, DROPPED: [[0, len(text), UNDECLARED]]}
