"""What may be said of a legal hold, and to whom.

A hold is open or silent. Of an open one the person is told, and staff. A silent one may not be disclosed: a restriction
by law (GDPR Art. 23(1)(d), (i)) or a rule against tipping off (for example Directive (EU) 2015/849, Art. 39). Rules:

1. Who is held silently is not told that there is a hold, and no untruth either: nothing was deleted, since not
   everything can be, and some data must be kept by law.
2. Staff see a silent hold where their role may `retention`; others read the same neutral words.
3. Of somebody who is held both ways the open hold is told.
"""

from collections.abc import Collection
from typing import Any, Final

from rasa_privacy.access.permit import Permit
from rasa_privacy.errors import HoldError
from rasa_privacy.policy.verbs import BREAK_GLASS
from rasa_privacy.storage import holds
from rasa_privacy.storage.vault import Vault

_OPEN: Final = "a legal hold keeps this person; release it first (`rasa-privacy hold release`)"
_SILENT: Final = "some data of this person must be kept by law for now; ask who looks after retention"


def held_error(connection: Any, people: Collection[bytes]) -> HoldError:
    """Return the error for people of whom nothing may be destroyed, which names an open hold alone."""
    return HoldError(_OPEN if holds.told_among(connection, people) else _SILENT)


def seen_among(vault: Vault, connection: Any, people: Collection[bytes], permit: Permit) -> bool:
    """Return whether there is a hold of one of these people that an operator may know of."""
    found = holds.held_among if may_know(vault, permit) else holds.told_among
    return bool(found(connection, people))


def may_know(vault: Vault, permit: Permit) -> bool:
    """Return whether the role of a permit may see silent holds."""
    if permit.role in {"", BREAK_GLASS}:  # who has the machine where there are no operators, and an emergency
        return True
    role = vault.policy.roles.get(permit.role)
    return role is not None and (role.may == "all" or "retention" in role.may)
