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


def dialogue(bot: Bot, policy: Policy, _file: str) -> Iterator[Finding]:
    """RP054, and the part of RP055 about stories and rules; each file is read once, since examples may be long."""
    domain, data = Path(bot.domain.file), _yaml_files(bot.folder / "data")
    for file in dict.fromkeys((*([domain] if domain.is_file() else _yaml_files(domain)), *data)):
        tree = _tree(file)
        yield from _echoes(tree, policy)
        if file in data:
            yield from _own_turns(tree)


def _echoes(tree: Tree, policy: Policy) -> Iterator[Finding]:
    for name, slot, place in shown_slots(tree):
        item = policy.item_of_slot(slot)
        if item is not None and policy.items[item].category in SPECIAL:
            why = f"response {shown(name.text)} shows item {shown(item)}, which is of a special category"
            remedy = "do not repeat it: a screen, a log of the channel and others beside may see it"
            yield Finding("RP054", str(place), f"{why} (GDPR Art. 9)", remedy, "warning")


def _own_turns(tree: Tree) -> Iterator[Finding]:
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


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.yml")) + sorted(folder.rglob("*.yaml"))


def _tree(file: Path) -> Tree:
    try:
        return read_tree(file)
    except ConfigurationError:  # Rasa names a file that is not YAML itself
        return Tree(str(file), None)
