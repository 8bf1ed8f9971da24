"""Reviews of broken glass: somebody else looks at what was done in an emergency, and says so.

Somebody else is another label than the one that broke it, in a process of another user of the machine, since who broke
it as the machine's user may have a token too. And a review is no emergency: it is not made through broken glass.
"""

from typing import Any

from rasa_privacy.access.labels import local_user, shown_label
from rasa_privacy.access.permit import Permit
from rasa_privacy.errors import AccessError
from rasa_privacy.policy.verbs import BREAK_GLASS, REVIEW
from rasa_privacy.storage.audit import Wanted
from rasa_privacy.storage.audit_record import AuditEntry, AuditRecord
from rasa_privacy.storage.vault import Vault


def pending_reviews(vault: Vault, connection: Any) -> list[AuditEntry]:
    """Return the records of broken glass that nobody has reviewed, the oldest first."""
    reviews = vault.audit.each(connection, Wanted(verb=REVIEW))
    reviewed = {entry.record.counts.get("reviewed") for entry in reviews}
    broken = vault.audit.each(connection, Wanted(verb=BREAK_GLASS, outcome="done"))
    return [entry for entry in broken if entry.seq not in reviewed]


def review(vault: Vault, permit: Permit, seq: int) -> None:
    """Record that somebody looked at what was done after the glass was broken.

    Args:
        vault: The open store.
        permit: A permit for `audit`; its reason is what they found.
        seq: Number of the record of the broken glass.

    Raises:
        AccessError: It waits for no review, the one who broke it reviews it, also as the user of the machine, or the
            permit is itself one of broken glass.
    """
    permit.require("audit")

    def note(connection: Any) -> None:
        waiting = {entry.seq: entry.record for entry in pending_reviews(vault, connection)}
        if seq not in waiting:
            raise AccessError(f"record {seq} waits for no review; 'rasa-privacy audit review' lists those that do")
        if waiting[seq].operator == permit.operator:
            raise AccessError("who broke the glass cannot review it; somebody else must")
        if waiting[seq].operator == shown_label(vault, local_user()):
            raise AccessError(
                "this user of the machine broke the glass, so it cannot be reviewed here; somebody else must, as "
                "another user of the machine or elsewhere"
            )
        if permit.role == BREAK_GLASS:
            raise AccessError("a review is no emergency; somebody with a role that may 'audit' must do it")
        counts = {"reviewed": seq}
        made = AuditRecord(
            vault.clock(), permit.operator, REVIEW, role=permit.role, reason=permit.reason, counts=counts
        )
        vault.audit.append(connection, made)

    vault.database.transact(note)
