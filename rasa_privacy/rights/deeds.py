"""Whether what a request asks for was done, as far as the records of this store can tell.

Rules:

1. Nothing stored of the person: there was nothing to do.
2. A deletion of everything is done when the person is gone. What stands in the consent ledger (restriction, objection,
   no sale, limit on sensitive data) is done when it holds now.
3. A deletion of a part and a correction are done by an act since the request was received, which the audit log has; and
   so are access and a copy, by somebody who saw the data to answer, or handed it out.
4. Of a complaint, and of the wish to talk to somebody, no record tells.

Where the records say no, staff may say that it was done elsewhere, for a reason of DONE_ELSEWHERE.
"""

from typing import Any, Final

from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.limits import is_limited
from rasa_privacy.consent.opt_out_signals import has_opted_out
from rasa_privacy.errors import RequestError
from rasa_privacy.rights.identity import reach
from rasa_privacy.storage.audit import Wanted
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.vault import Vault

#: Why a request may be completed of whose deed no record tells.
DONE_ELSEWHERE: Final = {
    "other_system": "it was done in a system that this store knows nothing of",
    "in_person": "it was answered by letter, on the telephone or face to face",
    "already_so": "it was so before it was asked for",
}
#: The verbs of the audit log that do what is asked for, by kind, and the command that does it.
_ACTS: Final = {
    "access": (("view", "export"), "subject show"),
    "portability": (("export",), "subject export"),
    "item_erasure": (("erase",), "subject erase --item"),
    "rectification": (("rectify",), "subject rectify"),
}
_STANDING: Final = {
    "restriction": "subject restrict",
    "objection": "subject restrict --objection",
    "do_not_sell": "subject restrict --do-not-sell",
    "limit_sensitive": "subject restrict --limit-sensitive",
}


def require_done(vault: Vault, connection: Any, request: Request) -> None:
    """Return where the records tell that a request was done, or can tell nothing.

    Args:
        vault: The open store.
        connection: An open transaction.
        request: The request, of which the person is not gone unless nothing is stored of them.

    Raises:
        RequestError: They say that it was not.
    """
    if is_done(vault, connection, request):
        return
    command = _ACTS[request.kind][1] if request.kind in _ACTS else _STANDING[request.kind]
    raise RequestError(
        f"{request.number}: no record tells that this was done; 'rasa-privacy {command}' does it. Where it was done "
        f"elsewhere, say so (--done-elsewhere, done_elsewhere): {', '.join(DONE_ELSEWHERE)}"
    )


def is_done(vault: Vault, connection: Any, request: Request) -> bool:
    """Return whether the records tell that a person's request was done, or can tell nothing."""
    subject_id = request.subject_id
    if subject_id is None:
        return True
    if request.kind in _ACTS:
        return _was_acted(vault, connection, request, subject_id)
    if request.kind in {"restriction", "objection"}:
        return bool(state_of(vault, connection, subject_id, vault.clock()).restricted)
    if request.kind == "do_not_sell":
        return has_opted_out(vault.ledger.of_subject(connection, subject_id), vault.policy, vault.clock())
    if request.kind == "limit_sensitive":
        return is_limited(vault.ledger.of_subject(connection, subject_id), vault.clock())
    return True


def _was_acted(vault: Vault, connection: Any, request: Request, subject_id: bytes) -> bool:
    verbs, _ = _ACTS[request.kind]
    return any(
        _is_deed(entry.record)
        for who in reach(vault, connection, subject_id)
        for verb in verbs
        for entry in vault.audit.each(
            connection, Wanted(verb=verb, subject_id=who, outcome="done", since=request.opened_at), newest_first=True
        )
    )


def _is_deed(record: AuditRecord) -> bool:
    """Return whether an act reached data: finding somebody, previewing a deletion and a receipt show no value."""
    return "receipts" not in record.counts and (record.verb != "view" or "values" in record.counts)
