"""`View`: what a person's consent and a receiver's needs let be seen of events."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """What the splitter needs to know of the person and the turn.

    Attributes:
        active: Purposes that may use data now.
        known: Values that the person gave, by item, to be found again in texts.
        privacy_turn: Whether the event is a privacy request, or was filled from one before any action ran.
        whole: Whether values are left uncut, for a validation that needs to judge them.
        items: The items that the receiver needs; None for all that the purposes list.
    """

    active: Collection[str]
    known: Mapping[str, Collection[str]]
    privacy_turn: bool = False
    whole: bool = False
    items: Collection[str] | None = None
