"""Which purposes and items a question about privacy is about: "why?", said where an email address is asked for.

Rules, in order:

1. What the question names: purposes, or items with the purposes that use them.
2. The purpose that the open question is about.
3. In a form, what it asks for just now, for the purposes that guard it. The others are said to be there.
4. Else everything.
"""

from dataclasses import dataclass

from rasa_privacy.actions.base import Turn
from rasa_privacy.policy.model import Policy


@dataclass(frozen=True, slots=True)
class Concerned:
    """What a question is about.

    Attributes:
        purposes: The purposes, in the order of privacy.yml.
        items: The items; none where it is about all of these purposes.
        others: Purposes that the form left out although nobody said so.
    """

    purposes: tuple[str, ...]
    items: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def concerned(policy: Policy, turn: Turn) -> Concerned:
    """Return what the turn's question is about."""
    if turn.purposes:
        return Concerned(turn.purposes)
    asked = turn.pending.purposes[:1] if turn.pending is not None else ()
    if asked and asked[0] not in policy.purposes:
        asked = ()
    place = asked or (policy.purposes_guarding(turn.loop) if turn.loop is not None else ())
    items = turn.items or (() if asked else _requested(policy, turn))
    using = tuple(name for name, purpose in policy.purposes.items() if not purpose.items.keys().isdisjoint(items))
    purposes = tuple(name for name in using if name in place) or using or place or tuple(policy.purposes)
    others = (
        () if asked or turn.items or turn.loop is None else (name for name in policy.purposes if name not in purposes)
    )
    return Concerned(purposes, items if using else (), tuple(others))


def _requested(policy: Policy, turn: Turn) -> tuple[str, ...]:
    """Return the item that the running form asks for."""
    item = policy.item_of_slot(str(turn.slots.get("requested_slot"))) if turn.loop is not None else None
    return (item,) if item is not None else ()
