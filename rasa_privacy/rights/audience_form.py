"""The form in which an audience goes out: one JSON object a line, with `sender` and the item."""

from collections.abc import Sequence
from typing import Final

import msgspec

from rasa_privacy.rights.audience import Recipient

_encoded: Final = msgspec.json.Encoder().encode_lines


def lines_of(people: Sequence[Recipient], item: str | None) -> bytes:
    """Return a line for each person; the item's value stands beside the sender id where one was asked for."""
    if item is None:
        return _encoded([{"sender": sender} for sender, _ in people])
    return _encoded([{"sender": sender, item: value} for sender, value in people])
