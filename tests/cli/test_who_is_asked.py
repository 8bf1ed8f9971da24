"""Every command that opens the store asks who runs it, or is named here with the reason why not."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType

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

ROOMS = tuple(f"rasa_privacy.{name}" for name in ("rights", "retention", "report", "consent"))
_HASHES = "keyed hashes alone, as STOP in the chat does; the command asks"
_REQUESTS = "dates and states of a request, without its person's data; the command asks"
_COLLECTED = "consents that are given to it, below the room of permits; the command asks"
_CERTIFICATE = "what is left of somebody who was erased, by its number; the command asks"
_COUNTS = "counts and times"

#: Functions of the rooms below that the command line and the API call on the store without a permit.
WITHOUT_PERMIT = {
    "consent.collected.import_all": _COLLECTED,
    "consent.collected.outcome": _COLLECTED,
    "consent.exported.export_ledger": "random ids and purposes, below the room of permits; the command asks",
    "consent.ledger.state_of": "names of purposes in the preview of an end of consents, which asks to view",
    "consent.notice_changes.older_versions": _COUNTS,
    "consent.receipts.receipt": "what somebody agreed to, below the room of permits; the command asks",
    "consent.receipts.sign_receipt": "signs what it is given",
    "consent.statistics.count_consents": _COUNTS,
    "retention.plan.plan": _COUNTS,
    "retention.review_duty.kept": _COUNTS,
    "retention.review_duty.overdue_by_rows": _COUNTS,
    "retention.review_duty.overdue_since": _COUNTS,
    "retention.review_schedule.waited_for": _COUNTS,
    "rights.certificate_files.json_file": _CERTIFICATE,
    "rights.certificate_files.page_file": _CERTIFICATE,
    "rights.certificates.certificate": _CERTIFICATE,
    "rights.certificates.kept_sender": _CERTIFICATE,
    "rights.certificates.language_of": _CERTIFICATE,
    "rights.clearing.empty_log": "gives nothing back",
    "rights.coarsening.aids_of": "keys for what is to be stored",
    "rights.extension.extend": _REQUESTS,
    "rights.handover.collect": "the person's own, by a link that works once",
    "rights.handover.is_live": "the same",
    "rights.identity.reach": "random ids in the preview of an end of consents, which asks to view",
    "rights.opendsr.find": _REQUESTS,
    "rights.opendsr.results": "a link for the system that asked; the operation asks to hand out",
    "rights.opendsr_callbacks.tell": _REQUESTS,
    "rights.reminders.due": _REQUESTS,
    "rights.reminders.remind": _REQUESTS,
    "rights.requests.acknowledge": _REQUESTS,
    "rights.requests.ask_for_proof": _REQUESTS,
    "rights.requests.complete": _REQUESTS,
    "rights.requests.open_request": _REQUESTS,
    "rights.requests.proven": _REQUESTS,
    "rights.requests.refuse": _REQUESTS,
    "rights.requests.take": _REQUESTS,
    "rights.suppression.contact_indexes": _HASHES,
    "rights.suppression.remove_contacts": _HASHES,
    "rights.suppression.remove_sender": _HASHES,
    "rights.suppression.suppress": _HASHES,
    "rights.suppression.suppress_contacts": _HASHES,
    "rights.suppression.suppressed": _HASHES,
    "rights.webhooks.deliver": "tells other systems what was noted for them, and gives a number back",
}


def test_what_commands_and_the_api_call_on_the_store_takes_a_permit() -> None:
    """Or is named above: what shows or changes the data of people is in functions that cannot be called without one."""
    found = {
        f"{each.__module__.removeprefix('rasa_privacy.')}.{each.__name__}"
        for room in ("cli", "console")
        for path in (FOLDER.parent / room).glob("*.py")
        for each in _called_below(ast.parse(path.read_text()))
        if each.__module__.startswith(ROOMS) and _is_on_the_store(each) and not _takes_a_permit(each)
    }
    assert found == WITHOUT_PERMIT.keys()


def _called_below(tree: ast.AST) -> Iterator[FunctionType]:
    """Yield the functions that a module imports from the rooms, also by the name of their module."""
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(ROOMS):
            for name in node.names:
                found = _imported(str(node.module), name.name)
                alias = name.asname or name.name
                attributes = [each.attr for each in used if each.value.id == alias]  # type: ignore[attr-defined]
                every = [getattr(found, each) for each in attributes] if isinstance(found, ModuleType) else [found]
                yield from (each for each in every if isinstance(each, FunctionType))


def _imported(module: str, name: str) -> object:
    owner = importlib.import_module(module)
    return getattr(owner, name, None) or importlib.import_module(f"{module}.{name}")


def _is_on_the_store(function: FunctionType) -> bool:
    return bool({"vault", "connection", "conn"} & {*inspect.signature(function).parameters})


def _takes_a_permit(function: FunctionType) -> bool:
    return "permit" in inspect.signature(function).parameters


def test_every_command_on_the_store_asks_for_a_permit() -> None:
    """So that a new one which shows personal data without being recorded is found here."""
    free = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name not in {"existing_store", "existing"}:
                called = {each.func.id for each in ast.walk(node) if _is_call(each)}  # type: ignore[attr-defined]
                if called & {"existing_store", "existing", "open_vault"} and "permit_for" not in called:
                    free.add(f"{path.name}:{node.name}")
    assert free == FREE.keys()


def _is_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
