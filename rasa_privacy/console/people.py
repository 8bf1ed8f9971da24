"""Operations about one person's data: find, show, export, erase. The modules `rights.staff_*` do them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import record_unknown
from rasa_privacy.console.operation import CHANNEL, AboutPerson, Call, Name, Operation, Stream
from rasa_privacy.console.problems import RefusedError
from rasa_privacy.rights import staff_access, staff_erasure
from rasa_privacy.rights.parts import Plan, merged
from rasa_privacy.rights.portability import copy_chunks, copy_json
from rasa_privacy.rights.staff_access import Found
from rasa_privacy.rights.staff_deletion import erase_part, plan_part
from rasa_privacy.rights.stock_tables import purge
from rasa_privacy.storage.kept import Kept


class OpenRequest(msgspec.Struct):
    """A request that waits for an answer."""

    number: str
    kind: str
    answer_by: datetime


class KeptByLaw(msgspec.Struct):
    """What a legal obligation keeps of a person who is erased: the items of a purpose, and until when."""

    purpose: str
    items: list[str]
    until: datetime


class FoundPerson(msgspec.Struct):
    """What is known of a person; `linked` others are seen, copied and erased with them.

    Attributes:
        kept_by_law: What would stay if they were erased.
    """

    person: str
    purposes: list[str]
    requests: list[OpenRequest]
    is_held: bool
    linked: int
    kept_by_law: list[KeptByLaw]


class Show(AboutPerson, kw_only=True):
    """What to show. Values in the clear need a role that shows them, and a reason."""

    clear: bool = False


class Value(msgspec.Struct):
    """One item as it is held for one purpose; masked unless it was asked for in the clear."""

    item: str
    value: Any
    purpose: str
    kept_until: datetime | None


class Shown(msgspec.Struct):
    """What is held of a person, as far as the caller's role goes."""

    values: list[Value]
    events: int


class Export(AboutPerson, kw_only=True):
    """How the copy for a person is to be made. Both forms hold linked conversations."""

    form: Literal["json", "zip"] = "json"


class Erase(AboutPerson, kw_only=True):
    """Whom to erase. Without `confirm` it is only said what would go.

    Attributes:
        items: Only these, wherever they are held. The person stays, as with `purposes`.
        purposes: Only what these hold; their consents end.
    """

    items: tuple[Name, ...] = ()
    purposes: tuple[Name, ...] = ()
    confirm: bool = False


class Part(msgspec.Struct):
    """So many different values of an item that a purpose holds."""

    purpose: str
    item: str
    values: int


class Erased(msgspec.Struct):
    """What became of a person. Erasing twice is no error: then there is no certificate and nobody to erase.

    Attributes:
        also: Certificates of linked conversations, which were erased with it.
        old_tables: Rows that were removed from each old table of Rasa's that privacy.yml names, and read back.
        parts: Where items or purposes were named: what went of them, or would go. `certificate` is then of that part.
        ends: Purposes whose consents ended with it, or would end.
    """

    erased: bool
    certificate: str | None = None
    events: int = 0
    also: list[str] = []
    old_tables: dict[str, int] = {}
    kept_by_law: list[KeptByLaw] = []
    would_erase: FoundPerson | None = None
    parts: list[Part] = []
    ends: list[str] = []


def nobody() -> RefusedError:
    """Return the error for a sender of whom nothing is stored."""
    return RefusedError(404, "nothing is stored of this sender")


def require_known(call: Call) -> None:
    """Return where something is stored of the sender of a call; ask for the permit first, since it is recorded.

    Raises:
        RefusedError: Nothing is (any more).
    """
    with call.vault.database.read() as connection:
        found = call.vault.subjects.find(connection, call.body.sender)
    if found is None:
        record_unknown(call.vault, call.permits[-1])
        raise nobody()


def _find(call: Call) -> FoundPerson:
    found = staff_access.find(call.vault, call.body.sender, call.permit("view"))
    if found is None:
        raise nobody()
    return _person(found)


def _person(found: Found) -> FoundPerson:
    waiting = [OpenRequest(each.number, each.kind, each.answer_by) for each in found.requests]
    return FoundPerson(
        found.subject_id.hex(), list(found.purposes), waiting, found.is_held, found.linked, _kept(found.kept)
    )


def _kept(kept: Sequence[Kept]) -> list[KeptByLaw]:
    return [KeptByLaw(each.purpose, sorted(each.items), each.until) for each in kept]


def _show(call: Call) -> Shown:
    clear = call.body.clear
    held = staff_access.show(call.vault, call.body.sender, call.permit("view", clear=clear), clear=clear)
    if held is None:
        raise nobody()
    values = [Value(each.item, each.value, each.purpose, each.expires) for each in held.values]
    return Shown(values, held.events)


def _export(call: Call) -> Stream:
    permit = call.permit("export", clear=True)
    made = staff_access.hand_out(call.vault, call.body.sender, permit)
    if not made:
        raise nobody()
    if call.body.form == "zip":
        return Stream("application/zip", copy_chunks(made))
    return Stream("application/json", copy_json(made[0], made[1:]))


def _erase_part(call: Call, permit: Permit) -> Erased:
    vault, body = call.vault, call.body
    if not body.confirm:
        found = plan_part(vault, body.sender, body.items, body.purposes, call.permit("view"))
        if found is None:
            raise nobody()
        return Erased(erased=False, parts=_parts(found), ends=list(found.ends))
    done = erase_part(vault, body.sender, body.items, body.purposes, permit, channel=CHANNEL)
    if done is None:
        raise nobody()
    numbers, gone = [each.certificate.number for each in done], merged(each.plan for each in done)
    return Erased(
        erased=bool(done),
        certificate=numbers[-1] if numbers else None,
        also=numbers[:-1],
        parts=_parts(gone),
        ends=list(gone.ends),
    )


def _parts(found: Plan) -> list[Part]:
    return [Part(purpose, item, number) for (purpose, item), number in found.different.items()]


def _erase(call: Call) -> Erased:
    permit = call.permit("erase")
    if call.body.items or call.body.purposes:
        return _erase_part(call, permit)
    if not call.body.confirm:
        found = staff_access.find(call.vault, call.body.sender, call.permit("view"))
        return Erased(erased=False, would_erase=None if found is None else _person(found))
    done = staff_erasure.erase_person(call.vault, call.body.sender, permit, channel=CHANNEL)
    # Also of somebody who talked to the old bot alone.
    removed = purge(call.vault, call.body.sender, permit) if call.vault.policy.erasure.stock_tables else {}
    if done is None:
        return Erased(erased=False, old_tables=removed)
    return Erased(
        erased=True,
        certificate=done.number,
        events=done.counts.get("events", 0),
        also=list(done.also),
        old_tables=removed,
        kept_by_law=_kept(done.kept),
    )


OPERATIONS: Final = (
    Operation(
        "POST",
        "/v1/subjects/find",
        "findSubject",
        "Say whether something is stored of a sender, for which purposes, and what waits for an answer.",
        _find,
        FoundPerson,
        AboutPerson,
        problems=(404,),
    ),
    Operation(
        "POST",
        "/v1/subjects/show",
        "showSubject",
        "Show the latest value of each item, as far as the caller's role goes.",
        _show,
        Shown,
        Show,
        problems=(404,),
    ),
    Operation(
        "POST",
        "/v1/subjects/export",
        "exportSubject",
        "Hand out the whole copy for a person, in the clear.",
        _export,
        ("application/json", "application/zip"),
        Export,
        problems=(404,),
    ),
    Operation(
        "POST",
        "/v1/subjects/erase",
        "eraseSubject",
        "Erase a person, verified by reading back; without `confirm` say what would go.",
        _erase,
        Erased,
        Erase,
        changes=True,
        problems=(409,),
    ),
)
