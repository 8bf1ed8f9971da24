"""The request as a record: what a person asked for, by when it must be answered, and how it ended.

States and what leads from one to another::

    received --take--> in_progress --extend--> extended
    received, in_progress, extended --ask for proof--> identity --proven--> in_progress
    any of these --complete--> done,  --refuse--> refused

Rules:

1. One person has one open request of each kind; asking again returns the one that is open, with its clock.
2. A request is extended once, before its date, as `extension` says. It is refused for a reason of REASONS_TO_REFUSE,
   and after the person was told (GDPR Art. 12(4)).
3. Where every regulation says so the clock stands still in the state `identity`; the date moves by as long.
4. What is closed stays as it is. Every change adds a step; none is ever changed or removed.
5. A request is completed where the records tell that what it asks for was done, or where staff say that it was done
   elsewhere, and why (`deeds`). A request to be erased is done when the person is erased, and not before:
   `storage.erasures` does it in the same transaction, so that a process that is killed in between leaves neither
   without the other.
6. No personal data is in a request: no text, no name, no address.

What a regulation demands is in `clocks`; that a person was told what an erasure would do, in `previews`.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from rasa_privacy.errors import RequestError
from rasa_privacy.rights.clocks import KINDS, Kind, deadline, pauses
from rasa_privacy.rights.deeds import DONE_ELSEWHERE, require_done
from rasa_privacy.rights.identity import reach
from rasa_privacy.rights.numbers import new_number
from rasa_privacy.storage import holds, requests
from rasa_privacy.storage.requests import AUTOMATIC, Request, Step
from rasa_privacy.storage.vault import Vault

#: `actor` of what the person did.
PERSON: Final = "person"

#: Reasons for which a request may be refused, with the law that they rest on.
REASONS_TO_REFUSE: Final = {
    "not_identified": "the person did not prove who they are (GDPR Art. 12(6); 11 CCR 7060)",
    "unfounded": "the request is manifestly unfounded (GDPR Art. 12(5))",
    "excessive": "the request is excessive, in particular repeated (GDPR Art. 12(5))",
    "legal_obligation": "the law demands that the data is kept (GDPR Art. 17(3)(b))",
    "legal_claims": "the data is needed for legal claims (GDPR Art. 17(3)(e), 18(2), 21(1))",
    "legal_hold": "a legal hold keeps the data (GDPR Art. 17(3)(e))",
    "rights_of_others": "it would harm the rights of others (GDPR Art. 15(4), 20(4))",
    "compelling_grounds": "compelling legitimate grounds prevail over an objection (GDPR Art. 21(1))",
    "taken_back": "the person took the request back",
}
#: How a request may end well, beside being ERASED.
ANSWERED: Final = requests.ANSWERED
NOTHING_HELD: Final = "nothing_held"
TAKEN_BACK: Final = "taken_back"

_MAX_NAME: Final = 255


def open_request(  # noqa: PLR0913, PLR0917 - store, transaction, and what is asked for by whom and when
    vault: Vault,
    connection: Any,
    kind: Kind,
    subject_id: bytes | None,
    at: datetime,
    actor: str = PERSON,
    *,
    is_locked: bool = False,
) -> Request:
    """Return the person's open request of this kind, opening one where there is none.

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`.
        kind: What is asked for.
        subject_id: The person; None for somebody of whom nothing is stored, who gets a new request each time.
        at: When it was received, aware and in UTC.
        actor: PERSON, AUTOMATIC, or the name of a member of staff.
        is_locked: Whether the transaction has locked the person already.

    Raises:
        RequestError: The kind is unknown, or the actor's name is empty or too long.
    """
    if kind not in KINDS:
        raise RequestError(f"there is no request of this kind; there are {', '.join(KINDS)}")
    if subject_id is not None:
        if not is_locked:  # of two that ask at once the second finds what the first opened
            vault.subjects.lock(connection, subject_id)
        for earlier in requests.open_of(connection, subject_id):
            if earlier.kind == kind:
                return earlier
    found = deadline(kind, vault.regulations, at)
    opened = Request(
        number=new_number("RQ"),
        kind=kind,
        subject_id=subject_id,
        regulation=found.regulation,
        state="received",
        opened_at=at,
        answer_by=found.answer_by,
        acknowledge_by=found.acknowledge_by,
    )
    requests.add(connection, opened, named(actor))
    return opened


def answered(  # noqa: PLR0913, PLR0917 - as open_request
    vault: Vault,
    connection: Any,
    kind: Kind,
    subject_id: bytes | None,
    at: datetime,
    reason: str = ANSWERED,
    *,
    actor: str = PERSON,
) -> Request:
    """Record a request that was answered at once, or end the open one of this kind; return it.

    Where it is new, `actor` is who it came from: the person, or the member of staff who did what it asks for.
    """
    opened = open_request(vault, connection, kind, subject_id, at, actor)
    return _close(connection, opened, "done", reason, AUTOMATIC, at)


def take_back(vault: Vault, connection: Any, kind: Kind, subject_id: bytes, at: datetime) -> None:
    """End the person's open request of this kind, if there is one: the person does not want it any more."""
    vault.subjects.lock(connection, subject_id)
    for request in requests.open_of(connection, subject_id):
        if request.kind == kind:
            _close(connection, request, "refused", TAKEN_BACK, PERSON, at)


def take(connection: Any, number: str, actor: str, at: datetime) -> Request:
    """Let a member of staff own a request, whoever did before.

    Raises:
        RequestError: There is no such request, it is closed, or the name is empty or too long.
    """
    request = locked(connection, number)
    state = "in_progress" if request.state == "received" else request.state
    return change(connection, request, Step(at, "taken", named(actor), None), state=state, owner=actor)


def acknowledge(connection: Any, number: str, actor: str, at: datetime) -> Request:
    """Note that the person got a confirmation that the request was received.

    Raises:
        RequestError: There is no such request, it is closed, or it needs none (any more).
    """
    request = locked(connection, number)
    if request.acknowledge_by is None:
        raise RequestError(f"{number}: its receipt need not be confirmed, or that was done")
    return change(connection, request, Step(at, "acknowledged", named(actor), None), acknowledge_by=None)


def ask_for_proof(vault: Vault, connection: Any, number: str, actor: str, at: datetime) -> Request:
    """Wait until the person proves who they are, or clarifies; where every law says so the clock stands still.

    Raises:
        RequestError: There is no such request, it is closed, or it waits for that already.
    """
    request = locked(connection, number)
    if request.state == "identity":
        raise RequestError(f"{number}: it waits for the person's proof already")
    paused = at if pauses(kind_of(request), request.regulation, vault.regulations) else None
    return change(connection, request, Step(at, "identity", named(actor), None), state="identity", paused_at=paused)


def proven(connection: Any, number: str, actor: str, at: datetime) -> Request:
    """Go on with a request whose person proved who they are; the clock goes on too.

    Raises:
        RequestError: There is no such request, or it does not wait for a proof.
    """
    request = locked(connection, number)
    if request.state != "identity":
        raise RequestError(f"{number}: it does not wait for a proof; it is {request.state}")
    waited = request.answer_by if request.paused_at is None else request.answer_by + (at - request.paused_at)
    state = "in_progress" if request.extended_at is None else "extended"
    step = Step(at, "proven", named(actor), None)
    return change(connection, request, step, state=state, answer_by=waited, paused_at=None)


def find_open(connection: Any, number: str) -> Request:
    """Return an open request, without locking it.

    Raises:
        RequestError: There is no such request, or it is closed.
    """
    return _still_open(number, requests.find(connection, number))


def refuse(vault: Vault, connection: Any, number: str, reason: str, actor: str, at: datetime) -> Request:  # noqa: PLR0913, PLR0917 - store, transaction, and what is refused why and by whom
    """Refuse a request, after the person was told that, why, and where to complain.

    Raises:
        RequestError: There is no such request, it is closed, or the reason is none of REASONS_TO_REFUSE; or it is a
            legal hold, and none that may be disclosed keeps the person.
    """
    request = locked(connection, number)
    if reason not in REASONS_TO_REFUSE:
        raise RequestError(f"a request is refused for one of these reasons: {', '.join(REASONS_TO_REFUSE)}")
    if reason == "legal_hold" and not _is_held_openly(vault, connection, request):
        raise RequestError(f"{number}: no legal hold of which people are told keeps this person; say legal_obligation")
    return _close(connection, request, "refused", reason, named(actor), at)


def _is_held_openly(vault: Vault, connection: Any, request: Request) -> bool:
    if request.subject_id is None:
        return False
    return bool(holds.told_among(connection, reach(vault, connection, request.subject_id)))


def complete(  # noqa: PLR0913, PLR0917 - store, transaction, and what is completed by whom
    vault: Vault, connection: Any, number: str, actor: str, at: datetime, elsewhere: str | None = None
) -> Request:
    """Note that a request was answered, where the records tell that what it asks for was done (`deeds`).

    Args:
        vault: The open store.
        connection: A connection of `Database.transact`.
        number: The request's.
        actor: Name of the member of staff.
        at: The moment, aware and in UTC.
        elsewhere: Why no record tells, one of `deeds.DONE_ELSEWHERE`; it is how the request ended then.

    Raises:
        RequestError: There is no such request, it is closed, no record tells that it was done, or it is about an
            erasure and the person is still there.
    """
    request = locked(connection, number)
    if elsewhere is not None and elsewhere not in DONE_ELSEWHERE:
        raise RequestError(f"a request is done elsewhere for one of these reasons: {', '.join(DONE_ELSEWHERE)}")
    there = request.subject_id is not None and vault.subjects.lock(connection, request.subject_id)
    if request.kind == "erasure" and there:
        raise RequestError(f"{number}: the person is still there; erase them, which completes the request")
    if there and elsewhere is None:
        require_done(vault, connection, request)
    return _close(connection, request, "done", elsewhere or ANSWERED, named(actor), at)


def _close(connection: Any, request: Request, state: str, reason: str, actor: str, at: datetime) -> Request:  # noqa: PLR0913, PLR0917 - the fields of an end
    step = Step(at, state, actor, reason)
    return change(connection, request, step, state=state, reason=reason, closed_at=at, paused_at=None)


def change(connection: Any, request: Request, step: Step, **fields: Any) -> Request:
    """Store a request that `locked` gave with other values in these fields, and the step that led there; return it."""
    changed = replace(request, **fields)
    requests.replace(connection, changed, step)
    return changed


def locked(connection: Any, number: str) -> Request:
    """Return an open request, locked until the transaction ends.

    Raises:
        RequestError: There is no such request, or it is closed.
    """
    return _still_open(number, requests.find_for_update(connection, number))


def _still_open(number: str, found: Request | None) -> Request:
    if found is None:
        raise RequestError("there is no request of this number; 'rasa-privacy requests list' shows them")
    if not found.is_open:
        raise RequestError(f"{number}: it was closed on {found.closed_at:%Y-%m-%d}, and stays as it is")
    return found


def kind_of(request: Request) -> Kind:
    """Return the kind; one of a later release counts as access."""
    return next((kind for kind in KINDS if kind == request.kind), "access")


def named(actor: str) -> str:
    """Return the name of who does something, as the history takes it.

    Raises:
        RequestError: It is empty, too long or not printable.
    """
    if not actor.strip() or len(actor) > _MAX_NAME or not actor.isprintable():
        raise RequestError(f"name who does it, with 1 to {_MAX_NAME} printable characters")
    return actor
