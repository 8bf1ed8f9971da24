"""What the bot says and does by itself: responses, stories and rules."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.bot import Bot
from rasa_privacy.policy.categories import SPECIAL
from rasa_privacy.policy.findings import Finding
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.responses import shown_slots
from rasa_privacy.policy.suggest import shown
from rasa_privacy.policy.yaml_tree import Tree, read_tree

_OUR_SLOT: Final = "privacy_"
_OUR_ACTIONS: Final = ("action_privacy_", "utter_privacy_")


def echoes(bot: Bot, policy: Policy, _file: str) -> Iterator[Finding]:
    """RP054."""
    for tree in {tree.file: tree for tree in (*_domain_trees(bot), *_data_trees(bot))}.values():
        for name, slot, place in shown_slots(tree):
            item = policy.item_of_slot(slot)
            if item is not None and policy.items[item].category in SPECIAL:
                why = f"response {shown(name.text)} shows item {shown(item)}, which is of a special category"
                remedy = "do not repeat it: a screen, a log of the channel and others beside may see it"
                yield Finding("RP054", str(place), f"{why} (GDPR Art. 9)", remedy, "warning")


def own_turns(bot: Bot, _policy: Policy, _file: str) -> Iterator[Finding]:
    """RP055: the part about stories and rules."""
    for tree in _data_trees(bot):
        for section in ("stories", "rules"):
            for each in tree.get(section).elements():
                named = shown(each.get("story").text or each.get("rule").text or "without a name")
                steps = (*each.get("steps").elements(), *each.get("condition").elements())
                yield from _steps(section, named, steps)


def _steps(section: str, named: str, steps: tuple[Tree, ...]) -> Iterator[Finding]:
    kind = "story" if section == "stories" else "rule"
    for step in steps:
        action = step.get("action").text or ""
        slots = [name for each in step.get("slot_was_set").elements() for name, _ in each.pairs()]
        # A condition may look at consent; a step of a story may not pretend that it was given.
        said = [word.text for word in slots if word.text.startswith(_OUR_SLOT) and section == "stories"]
        if action.startswith(_OUR_ACTIONS):
            said.append(action)
        for name in said:
            why = f"{kind} {named} uses {shown(name)}, which the gate decides about, so that it may skip the question"
            yield Finding("RP055", str(step.place), why, "leave it to the gate: take the step out")


def _domain_trees(bot: Bot) -> Iterator[Tree]:
    path = Path(bot.domain.file)
    yield from _trees([path] if path.is_file() else sorted(path.rglob("*.yml")) + sorted(path.rglob("*.yaml")))


def _data_trees(bot: Bot) -> Iterator[Tree]:
    data = bot.folder / "data"
    yield from _trees(sorted(data.rglob("*.yml")) + sorted(data.rglob("*.yaml")))


def _trees(files: list[Path]) -> Iterator[Tree]:
    yield from filter(None, map(_tree, files))


def _tree(file: Path) -> Tree | None:
    try:
        return read_tree(file)
    except ConfigurationError:  # Rasa names a file that is not YAML itself
        return None
