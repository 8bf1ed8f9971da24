"""What starts the forms and actions that a purpose guards, as the bot's rules and stories say it.

A form is found by the intent that stands before it in a rule or a story. Not found: what only a policy has learned to
do, and what an action starts; for these the builder writes a script (`leak_script`).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from rasa_privacy.policy.bot import Bot
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.yaml_tree import Tree, read_tree

_DATA: Final = "data"


def triggers(bot: Bot, policy: Policy) -> dict[str, str | None]:
    """Return each guarded form or action that the bot has, with an intent that starts it, or None."""
    wanted = [name for purpose in policy.purposes.values() for name in purpose.guards if name in bot.domain.runnable()]
    known = _intents_before(bot.folder, set(wanted), bot.domain.forms)
    forms_first = sorted(dict.fromkeys(wanted), key=lambda name: name not in bot.domain.forms)
    return {name: known.get(name) for name in forms_first}


def _intents_before(folder: Path, wanted: set[str], forms: Mapping[str, object]) -> dict[str, str]:
    """Return for each wanted action the intent of the person that it answers; a rule within a loop counts last."""
    found: dict[str, str] = {}
    within: dict[str, str] = {}
    for path in sorted(found for found in (folder / _DATA).rglob("*") if found.suffix in {".yml", ".yaml"}):
        tree = read_tree(path)
        for section in ("rules", "stories"):
            for talk in tree.get(section).elements():
                target = within if talk.has("condition") else found
                for intent, action in _pairs(talk.get("steps")):
                    if action in wanted:
                        target.setdefault(action, intent)
    return {**{name: intent for name, intent in within.items() if name in forms}, **found}


def _pairs(steps: Tree) -> Iterator[tuple[str, str]]:
    """Yield each action of a rule or story with the last intent before it."""
    intent = None
    for step in steps.elements():
        if step.has("intent"):
            intent = step.get("intent").text
        elif step.has("action") and intent is not None and step.get("action").text is not None:
            yield intent, str(step.get("action").text)
