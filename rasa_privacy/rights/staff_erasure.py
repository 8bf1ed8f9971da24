"""Erasing one person with all linked conversations, by staff under a permit.

Nobody is erased whose data is beyond the role. That it begins is in the audit log before, that it is done after.
"""

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import answering, record_now, record_unknown
from rasa_privacy.errors import AccessError
from rasa_privacy.rights.erasure import ErasureCertificate
from rasa_privacy.rights.identity import reach
from rasa_privacy.rights.linked import erase_linked
from rasa_privacy.rights.staff import COMMAND_LINE, staff_evidence
from rasa_privacy.storage.vault import SERVICE, Vault


def erase_person(
    vault: Vault, sender_id: str, permit: Permit, *, channel: str = COMMAND_LINE
) -> ErasureCertificate | None:
    """Erase a person, verified; None for nobody. That it begins is in the audit log before, that it is done after.

    Raises:
        AccessError: The permit is for something else, or does not reach every purpose that holds data.
        HoldError: A legal hold keeps the person; nothing was deleted.
        StorageError: As `erasure.erase`.
    """
    permit.require("erase")
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, sender_id)
        people = [] if subject_id is None else reach(vault, connection, subject_id)
        held = [name for each in people for name in vault.data_keys.due_of(connection, each)]
    if subject_id is None:
        record_unknown(vault, permit)
        return None
    with answering(vault, permit):
        if not all(permit.covers_purpose(name) for name in held if name != SERVICE):
            raise AccessError(
                "a person is erased whole or not at all; this role does not reach every purpose that holds data"
            )
    record_now(vault, permit, subject_id=subject_id, outcome="begun")
    done = erase_linked(vault, sender_id, staff_evidence(vault, channel), asked_by=permit.operator)
    record_now(vault, permit, subject_id=subject_id, counts={} if done is None else done.counts)
    return done
