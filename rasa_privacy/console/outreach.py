"""Operations on who may be written to: suppressions, and the audience of a purpose."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import record, record_now, recording
from rasa_privacy.console.operation import Body, Call, Name, Operation, Sender, Stream
from rasa_privacy.console.problems import RefusedError
from rasa_privacy.errors import ContactError
from rasa_privacy.rights import suppression as rules
from rasa_privacy.rights.audience import Tally, audience
from rasa_privacy.rights.audience_form import lines_of
from rasa_privacy.rights.membership import check_purpose

_AT_ONCE: Final = 500
_PIECE_LINES: Final = 200
Contact: TypeAlias = Annotated[
    str,
    Meta(
        min_length=3, max_length=320, pattern=r"^[^\x00-\x1f\x7f]+$", description="An email address or a phone number."
    ),
]


class Suppressions(Body, kw_only=True):
    """Contacts, sender ids, or both. Only keyed hashes of them are stored."""

    contacts: Annotated[tuple[Contact, ...], Meta(max_length=_AT_ONCE)] = ()
    senders: Annotated[tuple[Sender, ...], Meta(max_length=_AT_ONCE)] = ()


class Counted(msgspec.Struct):
    """How many of them changed something; the others were so already."""

    changed: int
    named: int


class Reasons(msgspec.Struct):
    """Why each may not be written to, in the order of the call; null for who may."""

    contacts: list[str | None]
    senders: list[str | None]


class Lift(Suppressions, kw_only=True):
    """Who may be written to again. Nothing is lifted without `confirm`."""

    confirm: bool = False


class Audience(Body, kw_only=True):
    """A purpose that rests on consent, and an item of it to be told beside the sender."""

    purpose: Name
    item: Name | None = None


def _add(call: Call) -> Counted:
    body = call.body

    def add(connection: Any) -> int:
        now = call.vault.clock()
        senders = sum(rules.suppress(call.vault, connection, each, rules.OPERATOR, now) for each in body.senders)
        return senders + rules.suppress_contacts(call.vault, connection, body.contacts, rules.OPERATOR, now)

    return _change(call, add, "added")


def _lift(call: Call) -> Counted:
    body = call.body
    if not body.confirm:
        found = _reasons(call)
        return Counted(0, sum(each is not None for each in (*found.contacts, *found.senders)))

    def lift(connection: Any) -> int:
        senders = sum(rules.remove_sender(call.vault, connection, each) for each in body.senders)
        return senders + rules.remove_contacts(call.vault, connection, body.contacts)

    return _change(call, lift, "removed")


def _change(call: Call, work: Any, what: str) -> Counted:
    vault, permit = call.vault, call.permit("suppress")
    _check_contacts(call)

    def done(connection: Any) -> int:
        number: int = work(connection)
        record(vault, connection, permit, counts={what: number})
        return number

    return Counted(vault.database.transact(done), len(call.body.contacts) + len(call.body.senders))


def _reasons(call: Call) -> Reasons:
    vault, body, permit = call.vault, call.body, call.permit("suppress")
    _check_contacts(call)
    record_now(vault, permit, counts={"looked_at": len(body.contacts) + len(body.senders)})
    with vault.database.read() as connection:
        contacts = [rules.suppressed(vault, connection, None, (each,)) for each in body.contacts]
        senders = [rules.suppressed(vault, connection, each) for each in body.senders]
    return Reasons(contacts, senders)


def _check_contacts(call: Call) -> None:
    """Refuse what is no contact, by its place."""
    for place, each in enumerate(call.body.contacts):
        try:
            rules.contact_indexes(call.vault, each)
        except ContactError as error:  # noqa: PERF203 - each is named by its place
            raise RefusedError(422, f"$.contacts[{place}]: {error}") from None


def _audience(call: Call) -> Stream:
    body = call.body
    check_purpose(call.vault.policy, body.purpose)
    named = {"purposes": [body.purpose], "items": [] if body.item is None else [body.item]}
    permit = call.permit("audience", clear=True, **named)
    return Stream("application/x-ndjson", primed(_lines(call, permit, named)))


def _lines(call: Call, permit: Permit, named: dict[str, list[str]]) -> Iterator[bytes]:
    """Yield who may be written to, many lines at once; an empty piece at the beginning, when it is in the audit log."""
    body, tally = call.body, Tally()
    with recording(call.vault, permit, **named) as counts:
        found = audience(call.vault, permit, body.purpose, body.item, call.vault.clock(), tally)
        while piece := lines_of(list(islice(found, _PIECE_LINES)), body.item):
            counts["people"] = tally.exported
            yield piece


def primed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Return the pieces with the first one made, so that what is refused is refused before an answer has begun."""
    first = next(pieces, b"")

    def all_of_them() -> Iterator[bytes]:
        try:
            yield first
            yield from pieces
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()

    return all_of_them()


OPERATIONS: Final = (
    Operation(
        "POST",
        "/v1/suppressions",
        "addSuppressions",
        "Suppress contacts and senders; it outlives the deletion of a person.",
        _add,
        Counted,
        Suppressions,
        changes=True,
    ),
    Operation(
        "POST",
        "/v1/suppressions/check",
        "checkSuppressions",
        "Say of each contact and sender why it may not be written to.",
        _reasons,
        Reasons,
        Suppressions,
    ),
    Operation(
        "POST",
        "/v1/suppressions/lift",
        "liftSuppressions",
        "Let them be written to again, whatever the reason was; without `confirm` count how many are suppressed.",
        _lift,
        Counted,
        Lift,
        changes=True,
    ),
    Operation(
        "POST",
        "/v1/audience",
        "exportAudience",
        "Who may be written to for a purpose now: one JSON object a line, as it is found.",
        _audience,
        ("application/x-ndjson",),
        Audience,
        problems=(409,),
    ),
)
