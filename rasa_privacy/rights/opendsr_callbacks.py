"""Telling those who passed a request on how it stands, until they hear it (OpenDSR 2.0, sections 8.5 and 8.6).

Rules:

1. A change of status is told at least once to each URL of the request, signed. Only URLs of endpoints.yml are called:
   one that is not there any more is passed over. A redirect is not followed (`posting`).
2. Where one of them does not answer with 2xx, all are told again, after 1 minute, 2, 4 and so on up to 6 hours, for 30
   days. After that the log says so, and the status can still be asked for.
3. Nothing of a person is in it but the link to the result, which works once and for a while. The log names the number
   of our request and the kind of failure, and no URL.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from rasa_privacy.policy.opendsr_settings import MAX_CALLBACKS
from rasa_privacy.rights.opendsr import Found, OpenDsr, find, results
from rasa_privacy.rights.posting import SECONDS, Post, post
from rasa_privacy.storage import dsr_rows
from rasa_privacy.storage.dsr_rows import DsrRow
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

DOMAIN_HEADER: Final = "X-OpenDSR-Processor-Domain"
SIGNATURE_HEADER: Final = "X-OpenDSR-Signature"
_AT_ONCE: Final = 10
#: As long as telling a page may take, where every URL of each is slow; nobody else tells them meanwhile.
_CLAIM: Final = timedelta(seconds=_AT_ONCE * MAX_CALLBACKS * SECONDS)
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=6)
_ATTEMPTS_IN_ALL: Final = 130  # 30 days at the longest pause, and the first ones


def tell(vault: Vault, opendsr: OpenDsr, now: datetime, send: Post = post) -> int:
    """Tell what changed and was not told; return how many requests were told of.

    Args:
        vault: The open store.
        opendsr: OpenDSR as it is set up.
        now: The moment, aware and in UTC.
        send: Sends a POST.

    Raises:
        StorageError: The database cannot be read or written. What was sent is sent again then.
    """
    claimed = vault.database.transact(lambda conn: dsr_rows.claim(conn, now, _AT_ONCE, now + _CLAIM))
    return sum(_tell_one(vault, opendsr, each, now, send) for each in claimed)


def signed_headers(opendsr: OpenDsr, body: bytes) -> dict[str, str]:
    """Return the headers that prove who sent a body."""
    return {DOMAIN_HEADER: opendsr.signer.domain, SIGNATURE_HEADER: opendsr.signer.sign(body)}


def _tell_one(vault: Vault, opendsr: OpenDsr, row: DsrRow, now: datetime, send: Post) -> bool:
    with vault.database.read() as connection:
        found = find(connection, row.dsr_id)
        where = None if found is None else results(vault, connection, found)
    if found is None:
        return False
    allowed = [url for url in row.callbacks if url in opendsr.settings.callbacks]
    heard = [_is_heard(opendsr, found, where, url, send) for url in allowed]
    attempts = row.attempts + 1
    if all(heard):
        told, attempts, next_at = found.request.state, 0, now if found.request.is_open else None
    elif attempts < _ATTEMPTS_IN_ALL:
        told, next_at = row.told, now + min(_FIRST_PAUSE * 2 ** min(row.attempts, 16), _LONGEST_PAUSE)
    else:
        logger.error("Request %s: its sender was not told of its status in time.", row.number)
        told, next_at = row.told, None
    vault.database.transact(lambda conn: dsr_rows.note(conn, row.dsr_id, told, attempts, next_at))
    return all(heard)


def _is_heard(opendsr: OpenDsr, found: Found, where: str | None, url: str, send: Post) -> bool:
    """Tell one URL, and return whether it was heard."""
    content: dict[str, Any] = {
        "controller_id": opendsr.settings.controller_id,
        "expected_completion_time": found.request.answer_by,
        "status_callback_url": url,
        "subject_request_id": str(found.row.dsr_id),
        "request_status": found.status,
        "results_url": where,
    }
    body = msgspec.json.encode(content)
    try:
        status, _ = send(url, body, {"Content-Type": "application/json", **signed_headers(opendsr, body)})
    except Exception as error:  # noqa: BLE001 - its text may be the other system's
        logger.warning("Request %s: a callback failed (%s).", found.request.number, type(error).__name__)
        return False
    if not 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, section 15.3
        logger.warning("Request %s: a callback was answered with status %d.", found.request.number, status)
        return False
    return True
