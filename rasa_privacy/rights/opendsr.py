"""OpenDSR 2.0: what another system passes on becomes a request of ours, with its clock (docs/spec/opendsr.md).

Rules:

1. Identities are sender ids, of the types that endpoints.yml names; an email address also finds who gave it, where
   privacy.yml has `identity:`. What leads to several people is refused, since one request is one person's.
2. The clock begins when the person asked (`submitted_time`). A person has one open request of a kind: what the person
   had asked for already gets the same number, and is not cancelled by another system.
3. Of whom nothing is stored, the request is answered at once.
4. A status is read from our request each time: `received` is pending, `done` is completed, `refused` is cancelled.
5. Access and portability are completed at once, with a link for the result, where privacy.yml has `handover:` and who
   passed the request on may hand out whole copies: the controller's side has seen to who the person is (section 7).
   What the person had asked for already is not; its answer goes to the person.
6. The same id with the same kind is the same request; with another kind it is refused.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import record
from rasa_privacy.crypto.domain_signing import DomainSigner
from rasa_privacy.errors import ContactError, RequestError
from rasa_privacy.policy.opendsr_settings import OpenDsrSettings
from rasa_privacy.rights import requests as rules
from rasa_privacy.rights.clocks import Kind
from rasa_privacy.rights.handover import offer_results, require_whole, results_url
from rasa_privacy.rights.identity import whom
from rasa_privacy.storage import dsr_rows, requests
from rasa_privacy.storage.dsr_rows import DsrRow
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.vault import Vault

VERSION: Final = "2.0"
#: What has a result that is handed out.
WITH_RESULTS: Final = ("access", "portability")
Status = Literal["pending", "in_progress", "completed", "cancelled"]
_STATUS: Final[dict[str, Status]] = {"received": "pending", "done": "completed", "refused": "cancelled"}


@dataclass(frozen=True, slots=True)
class OpenDsr:
    """OpenDSR as it is set up.

    Attributes:
        settings: What endpoints.yml says.
        signer: Signs for its domain.
    """

    settings: OpenDsrSettings
    signer: DomainSigner


@dataclass(frozen=True, slots=True)
class Submitted:
    """What another system passes on.

    Attributes:
        dsr_id: Its `subject_request_id`.
        kind: What is asked for.
        sender_ids: Sender ids that its identities are.
        asked_at: When the person asked, aware and in UTC.
        callbacks: URLs that are told of each change, of those that endpoints.yml names.
    """

    dsr_id: UUID
    kind: Literal["access", "portability", "erasure"]
    sender_ids: tuple[str, ...]
    asked_at: datetime
    callbacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One request, there and here.

    Attributes:
        row: What came.
        request: What it became.
    """

    row: DsrRow
    request: Request

    @property
    def status(self) -> Status:
        """How it stands, in the words of OpenDSR."""
        return _STATUS.get(self.request.state, "in_progress")


def senders_of(vault: Vault, email: str, permit: Permit) -> list[str]:
    """Return the sender ids of whom an email address is held; with `identity:` in privacy.yml they are found by it.

    Raises:
        AccessError: The permit is for something else than `requests`.
    """
    permit.require("requests")
    try:
        people = [each.subject_id for each in whom(vault, email)]
    except ContactError:
        return []
    with vault.database.read() as connection:
        return [name for each in people for name in vault.senders.ids_of(connection, each)]


def submit(vault: Vault, submitted: Submitted, permit: Permit, handing: Permit | None = None) -> Found:
    """Open the request, or return what it became before.

    Args:
        vault: The open store.
        submitted: What was passed on.
        permit: Theirs, to pass requests on.
        handing: Theirs to hand out copies; with it access and portability are completed.

    Raises:
        AccessError: A permit is for something else, or the second does not reach everything in the clear.
        RequestError: The id was used for another kind, or the identities are of more than one person.
    """
    permit.require("requests")
    if handing is not None:
        require_whole(handing)

    def work(connection: Any) -> Found:
        before = find(connection, submitted.dsr_id)
        if before is not None:
            if before.row.kind != submitted.kind:
                raise RequestError("this subject_request_id was used for a request of another type; take a new one")
            return before
        found = _open(vault, connection, submitted, permit)
        dsr_rows.add(connection, found.row)
        counts = {"requests": 1}
        record(vault, connection, permit, subject_id=found.request.subject_id, counts=counts)
        return found if handing is None else _complete(vault, connection, found, submitted.kind, handing)

    return vault.database.transact(work)


def _open(vault: Vault, connection: Any, submitted: Submitted, permit: Permit) -> Found:
    people = {vault.subjects.find_for_update(connection, each) for each in submitted.sender_ids} - {None}
    if len(people) > 1:
        raise RequestError("the identities are of more than one person; send a request for each")
    subject_id, now = next(iter(people), None), vault.clock()
    waiting = [] if subject_id is None else requests.open_of(connection, subject_id)
    is_first = all(each.kind != submitted.kind for each in waiting)
    if subject_id is None:
        asked = (vault, connection, submitted.kind, None, now)
        request = rules.answered(*asked, reason=rules.NOTHING_HELD)
    else:
        who = permit.operator
        request = rules.open_request(vault, connection, submitted.kind, subject_id, submitted.asked_at, who)
    next_at = now if submitted.callbacks and request.is_open else None
    row = DsrRow(
        dsr_id=submitted.dsr_id,
        kind=submitted.kind,
        number=request.number,
        is_first=is_first,
        received_at=now,
        callbacks=submitted.callbacks,
        told=request.state,
        next_at=next_at,
    )
    return Found(row, request)


def _complete(vault: Vault, connection: Any, found: Found, kind: Kind, handing: Permit) -> Found:
    """Make the link for what was asked for, and close the request."""
    subject_id = found.request.subject_id
    if subject_id is None or kind not in WITH_RESULTS or not found.row.is_first or vault.policy.handover is None:
        return found
    now = vault.clock()
    offer_results(vault, connection, subject_id, str(found.row.dsr_id), now)
    record(vault, connection, handing, subject_id=subject_id, counts={"links": 1})
    return Found(found.row, rules.answered(vault, connection, kind, subject_id, now))


def results(vault: Vault, connection: Any, found: Found) -> str | None:
    """Return where the result is collected, once, or None."""
    is_done = found.row.kind in WITH_RESULTS and found.request.state == "done"
    return results_url(vault, connection, str(found.row.dsr_id), vault.clock()) if is_done else None


def find(connection: Any, dsr_id: UUID) -> Found | None:
    """Return a request that came by OpenDSR, or None."""
    row = dsr_rows.find(connection, dsr_id)
    request = None if row is None else requests.find(connection, row.number)
    return None if row is None or request is None else Found(row, request)


def cancel(vault: Vault, connection: Any, dsr_id: UUID, permit: Permit) -> Found | None:
    """Take a request back that is still pending, in this transaction; None where there is none.

    Raises:
        AccessError: The permit is for something else.
        RequestError: It is not pending any more, or the person had asked for the same.
    """
    permit.require("requests")
    found = find(connection, dsr_id)
    if found is None:
        return None
    locked = requests.find_for_update(connection, found.request.number)
    if locked is None or locked.state != "received":
        raise RequestError("the request is not pending any more, so it cannot be cancelled")
    if not found.row.is_first:
        raise RequestError("the person asked for the same before, which another system does not take back")
    ended = rules.refuse(vault, connection, locked.number, rules.TAKEN_BACK, permit.operator, vault.clock())
    record(vault, connection, permit, subject_id=ended.subject_id, counts={"requests": 1})
    return Found(found.row, ended)
