"""`Readers`: which slots the bot's actions and responses read, as far as its files say so.

Where the files are not at hand, for example in a server without the actions' source, that is said: what nobody reads
is not known then. Not seen: slots whose names are put together at run time, and conditions of stories.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.action_slots import action_modules, readings
from rasa_privacy.policy.bot import default_domain, domain_files, read_domain
from rasa_privacy.policy.responses import asked_slots, shown_slots
from rasa_privacy.policy.yaml_tree import Tree, read_tree


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads which slots.

    Attributes:
        slots: Slots by the name of the action or response that reads them.
        is_whole: Whether the domain was at hand, and the source of the actions that it names.
    """

    slots: Mapping[str, frozenset[str]] = field(default_factory=dict)
    is_whole: bool = True


def read_readers(bot: Path) -> Readers:
    """Return who reads what, by the files of a bot's folder."""
    found: dict[str, set[str]] = {}
    for each in readings(bot):
        found.setdefault(each.action, set()).add(each.slot)
    try:
        path = default_domain(bot)
        domain = read_domain(path)
    except ConfigurationError:
        return Readers({name: frozenset(slots) for name, slots in found.items()}, is_whole=False)
    for name, slot in (each for file in domain_files(path) for each in _of_responses(read_tree(file))):
        found.setdefault(name, set()).add(slot)
    is_whole = not domain.actions or any(True for _ in action_modules(bot))
    return Readers({name: frozenset(slots) for name, slots in found.items()}, is_whole)


def _of_responses(tree: Tree) -> Iterator[tuple[str, str]]:
    yield from ((name.text, slot) for name, slot, _ in shown_slots(tree))
    yield from asked_slots(tree)
