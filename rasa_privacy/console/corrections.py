"""Operations that change what is used of one person: correct, restrict, let go on, do not sell, limit."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from rasa_privacy.console.operation import CHANNEL, AboutPerson, Call, Name, Operation
from rasa_privacy.console.people import require_known
from rasa_privacy.rights import staff_rectification, staff_restriction

_VALUE_CHARACTERS: Final = 4096


class Rectify(AboutPerson, kw_only=True):
    """The right value of an item. The wrong one is destroyed wherever it is held."""

    item: Name
    value: Annotated[str, Meta(min_length=1, max_length=_VALUE_CHARACTERS)]


class Restrict(AboutPerson, kw_only=True):
    """What to stop, or to let go on; all purposes where none is named.

    Attributes:
        purposes: Names of purposes.
    """

    purposes: Annotated[tuple[Name, ...], Meta(max_length=200)] = ()


class Stop(Restrict, kw_only=True):
    """What to stop while the data stays.

    Attributes:
        objection: The person objected (GDPR Art. 21) instead of asking to restrict (Art. 18).
    """

    objection: bool = False


class Changed(msgspec.Struct):
    """The purposes for which something changed."""

    purposes: list[str]


class Limit(AboutPerson, kw_only=True):
    """Whose use of sensitive data to limit, or with `lift` not to limit any more."""

    lift: bool = False


class Standing(msgspec.Struct):
    """Whether it was not so already."""

    is_new: bool


def _rectify(call: Call) -> Changed:
    body: Rectify = call.body
    permit = call.permit("rectify", items=[body.item])
    require_known(call)
    return Changed(list(staff_rectification.rectify(call.vault, body.sender, body.item, body.value, permit)))


def _restrict(call: Call) -> Changed:
    return _change(call, objection=call.body.objection)


def _unrestrict(call: Call) -> Changed:
    return _change(call, lift=True)


def _change(call: Call, **how: Any) -> Changed:
    body: Restrict = call.body
    permit = call.permit("restrict", purposes=body.purposes)
    require_known(call)
    wanted = body.purposes or tuple(call.vault.policy.purposes)
    return Changed(list(staff_restriction.restrict(call.vault, body.sender, wanted, permit, channel=CHANNEL, **how)))


def _do_not_sell(call: Call) -> Standing:
    permit = call.permit("restrict")
    require_known(call)
    return Standing(staff_restriction.do_not_sell(call.vault, call.body.sender, permit, channel=CHANNEL))


def _limit(call: Call) -> Standing:
    body: Limit = call.body
    permit = call.permit("restrict")
    require_known(call)
    return Standing(staff_restriction.limit_sensitive(call.vault, body.sender, permit, lift=body.lift, channel=CHANNEL))


def _operation(name: str, summary: str, run: Any, takes: Any, gives: type = Changed) -> Operation:
    first, *more = name.split("-")
    operation_id = "".join((first, *(word.capitalize() for word in more), "Subject"))
    path = f"/v1/subjects/{name}"
    return Operation("POST", path, operation_id, summary, run, gives, takes, changes=True, problems=(404, 409))


OPERATIONS: Final = (
    _operation("rectify", "Correct an item wherever it is held.", _rectify, Rectify),
    _operation("restrict", "Stop the use of a person's data while it stays.", _restrict, Stop),
    _operation("unrestrict", "Let the use go on.", _unrestrict, Restrict),
    _operation("do-not-sell", "No sale and no sharing (CCPA).", _do_not_sell, AboutPerson, Standing),
    _operation("limit-sensitive", "Limit the use of sensitive data (CCPA).", _limit, Limit, Standing),
)
