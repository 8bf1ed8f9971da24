"""Operations on legal holds: of whom nothing is destroyed."""

from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from rasa_privacy.access.recording import record_now
from rasa_privacy.console.operation import AboutPerson, Body, Call, Operation, Sender
from rasa_privacy.console.people import require_known
from rasa_privacy.console.problems import RefusedError
from rasa_privacy.rights import holds as rules
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.storage import holds as rows

Matter: TypeAlias = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="The matter, such as case-17; no person.")
]


class Held(msgspec.Struct):
    """One person who is kept for one matter."""

    matter: str
    person: str
    since: datetime
    by: str
    is_silent: bool


class Holds(msgspec.Struct):
    """Who is kept for which matter."""

    holds: list[Held]


class AddHold(AboutPerson, kw_only=True):
    """Whom to keep, and for what.

    Attributes:
        silent: Whether the law forbids to disclose it, so that only roles that may `retention` see it.
    """

    matter: Matter
    silent: bool = False


class Added(msgspec.Struct):
    """Whether the person was not held for it already."""

    is_new: bool


class ReleaseHold(Body, kw_only=True):
    """The matter that lets go: of one person, or of everybody with `everybody`.

    Attributes:
        sender: The one person.
        everybody: Everybody whom the matter holds.
    """

    matter: Matter
    sender: Sender | None = None
    everybody: bool = False


class Released(msgspec.Struct):
    """How many were let go, and the numbers of the requests to be deleted that wait since."""

    people: int
    waiting: list[str]


def _list(call: Call) -> Holds:
    permit = call.permit("retention")
    with call.vault.database.read() as connection:
        found = rows.every(connection)
    record_now(call.vault, permit, counts={"holds": len(found)})
    return Holds(
        [Held(each.name, each.subject_id.hex(), each.added_at, each.added_by, each.is_silent) for each in found]
    )


def _add(call: Call) -> Added:
    vault, body, permit = call.vault, call.body, call.permit("retention")
    require_known(call)

    def add(connection: Any) -> bool:
        return rules.add(vault, connection, body.sender, body.matter, permit, silent=body.silent)

    return Added(vault.database.transact(add))


def _release(call: Call) -> Released:
    vault, body, permit = call.vault, call.body, call.permit("retention")
    if (body.sender is not None) == body.everybody:
        raise RefusedError(409, "name one sender, or say everybody, and not both")

    def release(connection: Any) -> rules.Released:
        return rules.release(vault, connection, body.matter, permit, body.sender)

    done = vault.database.transact(release)
    empty_log(vault)
    return Released(done.people, list(done.waiting))


OPERATIONS: Final = (
    Operation("GET", "/v1/holds", "listHolds", "Show whom each matter holds, by random id.", _list, Holds),
    Operation(
        "POST", "/v1/holds", "addHold", "Hold a person.", _add, Added, AddHold, changes=True, problems=(404, 409)
    ),
    Operation(
        "POST",
        "/v1/holds/release",
        "releaseHold",
        "Let go of a person, or of everybody whom a matter holds; what nothing else allows to keep is deleted.",
        _release,
        Released,
        ReleaseHold,
        changes=True,
        problems=(409,),
    ),
)
