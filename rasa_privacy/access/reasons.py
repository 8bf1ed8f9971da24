"""Reasons that operators give: one line of the audit log, without personal data."""

from typing import Final

from rasa_privacy.errors import AccessError
from rasa_privacy.minimize.detectors import find
from rasa_privacy.storage.audit_record import MAX_REASON

_NAMED: Final = {
    "email": "an email address",
    "phone": "a phone number",
    "iban": "an account number",
    "payment_card": "a card number",
}


def checked_reason(text: str) -> str:
    """Return a reason as it goes into the audit log, which nothing is ever deleted from.

    Names and meaning are not found; that is for the operator to leave out.

    Raises:
        AccessError: It is too long, more than a line, or holds personal data. The message does not repeat it.
    """
    reason = text.strip()
    if len(reason) > MAX_REASON or not (reason == "" or reason.isprintable()):
        raise AccessError(f"the reason must be one line of at most {MAX_REASON} characters")
    kinds = {finding.kind for finding in find(reason)}
    if kinds:
        named = " and ".join(sorted(_NAMED.get(kind, kind) for kind in kinds))
        raise AccessError(f"the reason holds {named}, and nothing is ever deleted from the audit log; name a ticket")
    return reason
