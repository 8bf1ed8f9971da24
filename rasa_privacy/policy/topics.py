"""What one question is about, as the ledger names it: a purpose, an optional item of one, or the person's age.

`prize_draw`, `prize_draw:postcode` and `minimum_age:16`. A purpose's name has no colon, so these are never mixed up.
"""

from collections.abc import Collection, Iterator
from typing import Final

from rasa_privacy.policy.model import Policy

_SEPARATOR: Final = ":"
#: Standing words of a person that are about no single purpose, or about one as a whole; no purpose is called so.
RESTRICTED: Final = ":restricted:"
LIFTED: Final = ":lifted:"
LIMITED: Final = ":limited"
UNLIMITED: Final = ":unlimited"
#: No sale and no sharing.
SALE_OR_SHARING: Final = "sale_or_sharing"
#: The bases on which a purpose with recipients may be sale or sharing.
_SHARING_BASES: Final = frozenset({"consent", "legitimate_interests"})
_AGE: Final = "minimum_age"


def choice(purpose: str, item: str) -> str:
    """Return the name of an optional item's question."""
    return f"{purpose}{_SEPARATOR}{item}"


def purpose_of(topic: str) -> str:
    """Return the purpose that a question is about; of one about an age, which has none, the word for it."""
    return topic.partition(_SEPARATOR)[0]


def item_of(topic: str) -> str:
    """Return the item that a question is about, empty where it is about a whole purpose."""
    return topic.partition(_SEPARATOR)[2]


def age_topic(years: int) -> str:
    """Return the name of the question whether somebody is that old."""
    return f"{_AGE}{_SEPARATOR}{years}"


def age_of(topic: str) -> int | None:
    """Return the age that a question is about, or None where it is about something else."""
    begin, _, years = topic.partition(_SEPARATOR)
    return int(years) if begin == _AGE and years.isdecimal() else None


def sharing(policy: Policy) -> list[str]:
    """Return the purposes that may be sale or sharing, which a browser's signal or a person's word closes."""
    return [name for name, each in policy.purposes.items() if each.recipients and each.basis in _SHARING_BASES]


def choices(policy: Policy) -> Iterator[tuple[str, str]]:
    """Yield the purpose and the item of each optional item that is asked about."""
    for name, purpose in policy.purposes.items():
        for item in purpose.choices:
            yield name, item


def covering(policy: Policy, item: str, active: Collection[str]) -> frozenset[str]:
    """Return the purposes that may have an item now; where it is optional, only those that it was granted to.

    Args:
        policy: What privacy.yml says.
        item: An item of privacy.yml.
        active: The active purposes and optional items, as `ConsentState.active` has them.
    """
    found = (name for name in policy.purposes_using(item) if name in active)
    return frozenset(
        name for name in found if item not in policy.purposes[name].choices or choice(name, item) in active
    )
