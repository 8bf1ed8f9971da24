"""What the bot's own actions do with personal data, by their syntax; nothing is run.

Looked at is what a call of `print` or of a logger is given: a personal slot, the message, the sender, the whole
tracker, or a variable of the same function that was made from one of them. What goes through another function, an
attribute or a container is not followed.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rasa_privacy.policy.action_slots import action_modules, slot_read, text_of
from rasa_privacy.policy.bot import Bot
from rasa_privacy.policy.findings import Finding
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.suggest import shown

#: Attributes of a tracker that hold personal data, and methods that return it.
_PERSONAL: Final = {
    "latest_message": "the message",
    "sender_id": "the sender id",
    "events": "the conversation",
    "current_state": "the conversation",
    "slots": "the slots",
    "get_latest_entity_values": "entities",
}
_LOG_METHODS: Final = {"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "msg"}
_LOGGERS: Final = {"logging", "logger", "log", "_logger", "_log", "LOGGER", "LOG"}
_WRITERS: Final = {"stdout", "stderr"}
_TRACKER: Final = "tracker"
#: Of a message the intent says nothing of the person.
_INTENT: Final = re.compile(r"latest_message(?:\.get\(|\[)['\"]intent")
_SCOPES: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def leaks(bot: Bot, policy: Policy, _file: str) -> Iterator[Finding]:
    """RP060, and the part of RP055 about actions that run others."""
    guarded = {action for purpose in policy.purposes.values() for action in purpose.guards}
    for file, tree in action_modules(bot.folder):
        for function in (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))):
            yield from _written(function, file, policy)
        for node in ast.walk(tree):
            name = _followed(node)
            if name in guarded and isinstance(node, ast.expr):
                why = f"an action runs {shown(name)} as a follow-up, which no prediction decides about"
                remedy = "let a rule or story run it, so that people are asked before"
                yield Finding("RP055", f"{file}:{node.lineno}:{node.col_offset + 1}", why, remedy)


def _written(function: ast.AST, file: Path, policy: Policy) -> Iterator[Finding]:
    known: dict[str, str] = {}
    for node in _own_nodes(function):
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            what = _personal(node.value, known, policy)
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    known |= {target.id: what} if what is not None else {}
        if isinstance(node, ast.Call) and _writes(node.func):
            given = (*node.args, *(keyword.value for keyword in node.keywords))
            what = next(filter(None, (_personal(each, known, policy) for each in given)), None)
            if what is not None:
                why = f"{ast.unparse(node.func)[:40]} is given {what}"
                remedy = "write that something happened, and not with whom or what they said"
                yield Finding("RP060", f"{file}:{node.lineno}:{node.col_offset + 1}", why, remedy)


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yield what is inside a function in the order of the source, without the functions inside it."""
    for child in ast.iter_child_nodes(function):
        yield child
        if not isinstance(child, _SCOPES):
            yield from _own_nodes(child)


def _personal(expression: ast.AST, known: dict[str, str], policy: Policy) -> str | None:
    """Return what personal data an expression holds, in words, or None."""
    one_slot = {id(inner) for node in ast.walk(expression) for inner in _of_one_slot(node)}
    for node in ast.walk(expression):
        if id(node) in one_slot:
            continue
        if isinstance(node, ast.Name) and node.id in known:
            return known[node.id]
        slot = slot_read(node)
        item = policy.item_of_slot(slot) if slot is not None else None
        if item is not None:
            return f"item {shown(item)}"
        if isinstance(node, ast.Attribute) and node.attr in _PERSONAL and _is_tracker(node.value):
            if node.attr == "latest_message" and _INTENT.search(ast.unparse(expression)):
                continue
            return _PERSONAL[node.attr]
    return None


def _of_one_slot(node: ast.AST) -> Iterator[ast.AST]:
    """Yield `tracker.slots` where only one slot of it is read."""
    if slot_read(node) is not None:
        yield from (each for each in ast.walk(node) if isinstance(each, ast.Attribute) and each.attr == "slots")


def _is_tracker(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and _TRACKER in node.id.lower()


def _writes(function: ast.AST) -> bool:
    """Say whether a call of this writes to the screen or to a log."""
    if isinstance(function, ast.Name):
        return function.id in {"print", "pprint"}
    if not isinstance(function, ast.Attribute):
        return False
    owner = function.value
    name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
    if function.attr == "write":
        return name in _WRITERS
    made_here = isinstance(owner, ast.Call) and ast.unparse(owner.func).endswith("getLogger")
    return function.attr in _LOG_METHODS and (name in _LOGGERS or made_here)


def _followed(node: ast.AST) -> str | None:
    """Return the action that `FollowupAction("x")` or `{"event": "followup", "name": "x"}` runs."""
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "FollowupAction":
        given = (*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "name"))
        return text_of(given[0]) if given else None
    if isinstance(node, ast.Dict):
        pairs = {
            text_of(key): text_of(value) for key, value in zip(node.keys, node.values, strict=True) if key is not None
        }
        return pairs.get("name") if pairs.get("event") == "followup" else None
    return None
