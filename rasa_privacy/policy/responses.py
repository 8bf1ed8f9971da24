"""Slots that the bot's responses name: in texts, buttons, pictures and payloads of the channel, as Rasa fills them.

Not looked at: what the bot's own actions say.
"""

import re
from collections.abc import Iterator
from typing import Final

from rasa_privacy.policy.positions import Place
from rasa_privacy.policy.yaml_tree import Tree, Word

_VARIABLE: Final = re.compile(r"\{(\w+)\}")


def shown_slots(tree: Tree) -> Iterator[tuple[Word, str, Place]]:
    """Yield each slot that a response of a file shows: the response, the slot, and where."""
    for name, variants in tree.get("responses").pairs():
        for scalar in variants.scalars():
            for slot in _VARIABLE.findall(scalar.text or ""):
                yield name, slot, scalar.place


def asked_slots(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield each slot on which it depends whether a variant of a response is used: the response, and the slot."""
    for name, variants in tree.get("responses").pairs():
        for variant in variants.elements():
            for condition in variant.get("condition").elements():
                yield name.text, condition.get("name").text or ""
