"""Operations on consents: what a person allows, what was collected elsewhere, and the end of it."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from rasa_privacy.access.recording import record, record_now
from rasa_privacy.consent.collected import Collected, import_all, outcome, read_line
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.console.operation import CHANNEL, AboutPerson, Body, Call, Name, Operation, Sender
from rasa_privacy.console.people import nobody, require_known
from rasa_privacy.console.problems import RefusedError
from rasa_privacy.errors import ImportLineError
from rasa_privacy.rights.identity import reach
from rasa_privacy.rights.staff_consents import consents_of, end_consents

_AT_ONCE: Final = 500
Names: TypeAlias = Annotated[tuple[Name, ...], Meta(max_length=200)]


class Consent(msgspec.Struct):
    """What a person said to one purpose, and whether it may be used now."""

    purpose: str
    status: str
    since: datetime | None
    until: datetime | None
    may_be_used: bool


class Consents(msgspec.Struct):
    """What a person allows."""

    consents: list[Consent]


class CollectedConsent(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A consent that was given elsewhere, and where its proof is (without personal data)."""

    sender: Sender
    purpose: Name
    at: Annotated[datetime, Meta(tz=True)]
    evidence: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S")]
    method: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,63}$")] = "imported"
    optional: Annotated[list[Name], Meta(max_length=100)] = []


class ImportConsents(Body, kw_only=True):
    """Consents to record. Without `confirm` it is only said what would be."""

    consents: Annotated[list[CollectedConsent], Meta(min_length=1, max_length=_AT_ONCE)]
    confirm: bool = False


class Imported(msgspec.Struct):
    """How many are new, are there already, were answered or deleted by the person since."""

    recorded: bool
    new: int
    there: int
    answered: int
    erased: int


class Revoke(AboutPerson, kw_only=True):
    """The purposes to end, all where none is named. Without `confirm` nothing ends."""

    purposes: Names = ()
    confirm: bool = False


class Revoked(msgspec.Struct):
    """The purposes that ended, and the items of which nothing is held any more; in a preview what is allowed now."""

    revoked: bool
    purposes: list[str]
    items: list[str]


def _show(call: Call) -> Consents:
    vault, permit = call.vault, call.permit("view")
    found = consents_of(vault, call.body.sender, permit)
    if found is None:
        raise nobody()
    return Consents(
        [
            Consent(name, each.status, each.since, each.expires, name in found.active)
            for name, each in found.purposes.items()
        ]
    )


def _import(call: Call) -> Imported:
    vault, body = call.vault, call.body
    permit = call.permit("consent", purposes=dict.fromkeys(each.purpose for each in body.consents))
    now = vault.clock()
    lines = [_read(call, place, each, now) for place, each in enumerate(body.consents)]

    def write(connection: Any) -> Counter[str]:
        found = Counter[str](import_all(vault, connection, lines, now))
        record(vault, connection, permit, purposes=dict.fromkeys(each.purpose for each in body.consents), counts=found)
        return found

    if body.confirm:
        found = vault.database.transact(write)
    else:
        with vault.database.read() as connection:
            found = Counter[str](outcome(vault, connection, each, now) for each in lines)
        record_now(vault, permit, counts={"looked_at": len(lines)})
    return Imported(body.confirm, found["new"], found["there"], found["answered"], found["erased"])


def _read(call: Call, place: int, each: CollectedConsent, now: datetime) -> Collected:
    try:
        return read_line(call.vault.policy, msgspec.json.encode(each), now)
    except ImportLineError as error:
        raise RefusedError(422, f"$.consents[{place}]: {error}") from None


def _revoke(call: Call) -> Revoked:
    vault, body = call.vault, call.body
    permit = call.permit("consent", purposes=body.purposes or vault.policy.purposes)
    unknown = [name for name in body.purposes if name not in vault.policy.purposes]
    if unknown:
        raise RefusedError(409, f"privacy.yml has no such purpose; it has {', '.join(vault.policy.purposes)}")
    wanted = body.purposes or tuple(vault.policy.purposes)
    if not body.confirm:
        return _preview(call, wanted)
    require_known(call)
    done = end_consents(vault, body.sender, wanted, permit, channel=CHANNEL)
    return Revoked(revoked=True, purposes=list(done.purposes), items=list(done.items))


def _preview(call: Call, wanted: tuple[str, ...]) -> Revoked:
    vault, permit = call.vault, call.permit("view")
    require_known(call)
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, call.body.sender)
        if subject_id is None:
            raise nobody()
        people = reach(vault, connection, subject_id)
        active = {name for each in people for name in state_of(vault, connection, each, vault.clock()).active}
    allowed = [name for name in wanted if name in active]
    record_now(vault, permit, subject_id=subject_id, purposes=allowed)
    return Revoked(revoked=False, purposes=allowed, items=[])


OPERATIONS: Final = (
    Operation(
        "POST",
        "/v1/consents/show",
        "showConsents",
        "Show what a person allows, purpose by purpose.",
        _show,
        Consents,
        AboutPerson,
        problems=(404,),
    ),
    Operation(
        "POST",
        "/v1/consents/import",
        "importConsents",
        "Record consents that were collected elsewhere; they overrule nothing that the person said since.",
        _import,
        Imported,
        ImportConsents,
        changes=True,
    ),
    Operation(
        "POST",
        "/v1/consents/revoke",
        "revokeConsents",
        "End a person's consent, and destroy what only it allowed.",
        _revoke,
        Revoked,
        Revoke,
        changes=True,
        problems=(404, 409),
    ),
)
