"""Every command that opens the store asks who runs it, or is named here with the reason why not."""

import ast
from pathlib import Path

import rasa_privacy.cli

FOLDER = Path(rasa_privacy.cli.__file__).parent

#: Functions that open the store and ask for no permit.
FREE = {
    "api.py:api": "each call is asked for its token, and each operation for a permit (tests/console)",
    "audit.py:_verify": "says whether the log is whole, and shows none of it",
    "audit.py:checkpoint": "a signature over the log",
    "checking.py:key_or_store": "the key is public, and what it checks is in the file that it is given",
    "consent_ledger.py:_verify": "says whether the ledger is whole, and shows none of it",
    "consent_ledger.py:checkpoint": "a signature over the ledger",
    "consent_ledger.py:public_key": "is public",
    "consent_ledger.py:stats": "counts",
    "course.py:take": "asks who it is itself, and shows privacy.yml",
    "demo.py:_session": "a bot of its own, with an invented person",
    "keys.py:status": "numbers of epochs, and counts",
    "leak_run.py:perform": "a copy of the bot, with invented people",
    "notice.py:diff": "texts of privacy.yml, and counts",
    "notice.py:show": "texts of privacy.yml",
    "requests.py:due_ones": "numbers of requests and their dates",
    "requests.py:stats": "counts",
}


def test_every_command_on_the_store_asks_for_a_permit() -> None:
    """So that a new one which shows personal data without being recorded is found here."""
    free = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name != "existing_store":
                called = {each.func.id for each in ast.walk(node) if _is_call(each)}  # type: ignore[attr-defined]
                if called & {"existing_store", "open_vault"} and "permit_for" not in called:
                    free.add(f"{path.name}:{node.name}")
    assert free == FREE.keys()


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
