"""`Book`: what the two append-only, hash-chained lists of the store are called: the consent ledger and the audit log.

Each name and domain stands once, so that nothing that was made for one book passes for the other.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Table

from rasa_privacy.errors import AuditError, LedgerError, PrivacyError
from rasa_privacy.storage.tables import audit, audit_checkpoints, checkpoints, ledger

#: What to do where a book is not as it was written.
REMEDY: Final = "restore the database from its backup"


@dataclass(frozen=True, slots=True)
class Book:
    """One such list.

    Attributes:
        name: What messages call it.
        error: What is raised where it does not verify.
        records: The table of its records.
        checkpoints: The table of its checkpoints.
        checkpoint_head: Name in `meta` of the keyed hash of the last checkpoint.
        checkpoint_domain: Domain of that hash in the blind index.
        signing_domain: What the signed bytes of a checkpoint begin with.
    """

    name: str
    error: type[PrivacyError]
    records: Table
    checkpoints: Table
    checkpoint_head: str
    checkpoint_domain: str
    signing_domain: bytes


LEDGER: Final = Book(
    name="consent ledger",
    error=LedgerError,
    records=ledger,
    checkpoints=checkpoints,
    checkpoint_head="checkpoint_head",
    checkpoint_domain="checkpoint head",
    signing_domain=b"rasa_privacy checkpoint v1",
)
AUDIT: Final = Book(
    name="audit log",
    error=AuditError,
    records=audit,
    checkpoints=audit_checkpoints,
    checkpoint_head="audit_checkpoint_head",
    checkpoint_domain="audit checkpoint head",
    signing_domain=b"rasa_privacy audit checkpoint v1",
)
