"""Legal hold: nothing of a person is destroyed while it is needed for legal claims (GDPR Art. 17(3)(e), 18(2)).

Rules:

1. Who is held is not erased, not by the person, not by staff, not by retention. Consent ends all the same when it is
   taken back, so nothing is used any more; only what it held stays.
2. A wish to be deleted stays an open request, and the person is told why nothing was deleted.
3. When the last hold is released, what no consent covers any more is destroyed at once, and retention goes on.
4. An erasure that is in the journal already is carried out: the hold came too late.
5. A silent hold keeps what an open one keeps, and is told to nobody but whom it concerns (`disclosure`).
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.reasons import checked_reason
from rasa_privacy.access.recording import record
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.errors import HoldError
from rasa_privacy.policy.topics import choice
from rasa_privacy.rights.withdrawal import destroy, destroy_items, held_by_consent
from rasa_privacy.storage import holds, requests
from rasa_privacy.storage.holds import Hold
from rasa_privacy.storage.vault import Vault

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: The mark of a silent hold takes one of the 64.
_LONGEST_SILENT: Final = 63


@dataclass(frozen=True, slots=True)
class Released:
    """What a release did.

    Attributes:
        people: How many were let go.
        waiting: Numbers of the requests to be deleted that were made meanwhile and wait.
    """

    people: int
    waiting: tuple[str, ...]


def add(vault: Vault, connection: Any, sender_id: str, name: str, permit: Permit, *, silent: bool = False) -> bool:  # noqa: PLR0913 - store, transaction, and who is held for what
    """Hold a person for a matter, in this transaction; return whether it is new.

    Of one who is held for it already it changes whether the hold is silent.

    Raises:
        HoldError: There is nobody of this sender id, or the name is none.
        AccessError: The permit is for something else, or the name holds personal data.
    """
    permit.require("retention")
    if not _NAME.fullmatch(name):
        raise HoldError("name the matter with 1 to 64 letters, digits, '.', '_' or '-', and without a person")
    checked_reason(name)
    subject_id = vault.subjects.find_for_update(connection, sender_id)
    if subject_id is None:
        raise HoldError("nothing is stored of this sender, so there is nothing to hold")
    if silent and len(name) > _LONGEST_SILENT:
        raise HoldError(f"name a matter that may not be disclosed with {_LONGEST_SILENT} characters at most")
    new = holds.put(connection, Hold(subject_id, name, vault.clock(), permit.operator, silent))
    record(vault, connection, permit, subject_id=subject_id, counts={"holds": int(new)})
    return new


def release(vault: Vault, connection: Any, name: str, permit: Permit, sender_id: str | None = None) -> Released:
    """Let go of everybody whom a matter holds, or of one person. Empty the log after the commit (`clearing`).

    Raises:
        HoldError: The matter holds nobody, or not this person.
        AccessError: The permit is for something else.
        JournalError: The journal could not be written; nothing was released.
    """
    permit.require("retention")
    whom = holds.named(connection, name)
    if sender_id is not None:
        subject_id = vault.subjects.find_for_update(connection, sender_id)
        whom = [each for each in whom if each == subject_id]
    if not whom:
        raise HoldError("this matter holds nobody like that; 'rasa-privacy hold list' shows the matters")
    waiting: list[str] = []
    for each in whom:
        vault.subjects.lock(connection, each)
        holds.remove(connection, each, name)
        if not holds.is_held(connection, each):
            _catch_up(vault, connection, each)
            waiting += [one.number for one in requests.open_of(connection, each) if one.kind == "erasure"]
    only = whom[0] if sender_id is not None else None
    record(vault, connection, permit, subject_id=only, counts={"holds": len(whom)})
    return Released(len(whom), tuple(waiting))


def _catch_up(vault: Vault, connection: Any, subject_id: bytes) -> None:
    """Destroy what consent does not cover any more, and was kept for the hold alone."""
    now = vault.clock()
    state = state_of(vault, connection, subject_id, now)
    active = state.active | state.restricted
    kept = held_by_consent(vault, connection, subject_id)
    destroy(vault, connection, subject_id, sorted(kept - active), now)
    for purpose in sorted(kept & active):
        out = [item for item in vault.policy.purposes[purpose].choices if choice(purpose, item) not in active]
        destroy_items(vault, connection, subject_id, purpose, out, now)
