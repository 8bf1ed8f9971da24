"""Telling a builder's own systems of an erasure and what else they ask for, until they answer (docs/spec/webhooks.md).

Rules:

1. What is to be told was noted in the transaction that erased. It is sent at least once, with the same id each time.
2. An answer is a JSON object with `result`: `done`, `nothing_held` or `failed`, and the status 200. Anything else, and
   anything longer than MAX_ANSWER bytes, is no answer: it is tried again, after 1 minute, 2, 4 and so on up to 6 hours.
3. Each attempt is signed: HMAC-SHA256 over time and body, and takes ten seconds at most (`posting`).
4. A request to be deleted is done when every system has answered `done` or `nothing_held`. One that answered `failed`,
   or nothing within 30 days, keeps it open: staff see it among what is due, and end it (`requests complete`).
5. The log and the errors name the system and the kind of failure, never what was sent.
"""

import hashlib
import hmac
import importlib
import json
import logging
import os
from dataclasses import replace
from datetime import datetime, timedelta
from operator import itemgetter
from threading import Thread
from typing import Any, Final

import msgspec

from rasa_privacy.errors import PrivacyError, WebhookError
from rasa_privacy.policy.operations import OtherSystem, StockTable
from rasa_privacy.rights.parts import conversation_values
from rasa_privacy.rights.posting import MAX_ANSWER, Post, post
from rasa_privacy.rights.stock_tables import forget
from rasa_privacy.storage import deliveries, requests
from rasa_privacy.storage.deliveries import ANSWERS, Delivery, Told
from rasa_privacy.storage.requests import AUTOMATIC, ERASED, Step
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

_AT_ONCE: Final = 25
#: Longer than that many attempts take; who dies in between is followed by somebody else after it.
_CLAIM: Final = timedelta(minutes=5)
#: What is noted where there is nobody to tell of any more.
_NOBODY: Final = "nothing_held"
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=6)


def deliver(vault: Vault, now: datetime, send: Post = post) -> int:
    """Tell what is due to be told, each once; return how many systems answered.

    Args:
        vault: The open store.
        now: The moment, aware and in UTC.
        send: Sends a POST.

    Raises:
        StorageError: The database cannot be read or written. What was sent is sent again then.
    """
    claimed = vault.database.transact(lambda conn: deliveries.claim(conn, now, _AT_ONCE, now + _CLAIM))
    return sum(_attempt(vault, each, now, send) for each in claimed)


def _attempt(vault: Vault, delivery: Delivery, now: datetime, send: Post) -> bool:
    """Tell one system, and return whether it answered; whatever fails is tried again and holds up no other."""
    try:
        return _deliver(vault, delivery, now, send)
    except WebhookError as error:
        logger.warning("%s; it is tried again.", error)
    except Exception as error:  # noqa: BLE001 - the others must be told
        logger.warning("system '%s': not told (%s); it is tried again.", delivery.system, type(error).__name__)
    vault.database.transact(lambda conn: _try_again(conn, delivery, now))
    return False


def _deliver(vault: Vault, delivery: Delivery, now: datetime, send: Post) -> bool:
    with vault.database.read() as connection:
        found = deliveries.whom(connection, vault.data_keys, delivery.delivery_id)
        content = None if found is None else _content(vault, connection, delivery, found)
    system = next((each for each in vault.policy.erasure.systems if each.name == delivery.system), None)
    if content is None or now - delivery.erased_at > deliveries.KEPT:
        logger.error("System '%s' was not told of an erasure in time; its request stays open.", delivery.system)
        result = "failed"
    elif system is None:
        logger.warning("System '%s' is not in privacy.yml any more, so it is not told of an erasure.", delivery.system)
        result = "failed"
    else:
        result = _told(vault, system, delivery, content, now, send) if content["sender_ids"] else _NOBODY
    vault.database.transact(lambda conn: _answered(vault, conn, delivery, result, now))
    return True


def _content(vault: Vault, connection: Any, delivery: Delivery, found: list[str] | Told) -> dict[str, Any]:
    """Return what is to be said; without sender ids where the person is gone meanwhile."""
    if not isinstance(found, Told):
        erased = {"certificate": delivery.certificate, "erased_at": delivery.erased_at.isoformat()}
        return {"type": "erasure", **erased, "sender_ids": found}
    gone = deliveries.names(found.senders)
    senders = gone if not found.subject_id else vault.senders.ids_of(connection, found.subject_id)
    said: dict[str, Any] = {"purposes": found.purposes, "items": found.items}
    if found.of == "correction":
        said["value"] = _latest(vault, connection, found)
    return {"type": found.of, "at": delivery.erased_at.isoformat(), "sender_ids": senders, **said}


def _latest(vault: Vault, connection: Any, told: Told) -> object:
    """Return the value of the item as it is stored now; None where nothing is held of it any more."""
    found = conversation_values(vault, connection, told.subject_id)
    entries = [entry for _sender, held in found for each in held.values() for entry in each if entry[2] in told.items]
    return max(entries, key=itemgetter(0))[3] if entries else None


def _told(  # noqa: PLR0913, PLR0917 - store, system, and what is sent when and how
    vault: Vault,
    system: OtherSystem | StockTable,
    delivery: Delivery,
    content: dict[str, Any],
    now: datetime,
    send: Post,
) -> str:
    """Return the system's answer.

    Raises:
        WebhookError: It gave none.
        PrivacyError: An old table cannot be reached.
    """
    if isinstance(system, StockTable):
        return forget(system, content["sender_ids"])
    names = {"delivery": delivery.delivery_id.hex(), "store": vault.signer.store_id.hex()}
    payload: dict[str, Any] = {"type": content["type"], **names, **content}
    if system.python is not None:
        return _called(system, payload)
    body = json.dumps(payload).encode("ascii")  # a sender id may hold what UTF-8 cannot say
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": delivery.delivery_id.hex(),
        "X-Privacy-Signature": signature(_secret(system), body, now),
    }
    try:
        status, answer = send(str(system.url), body, headers)
    except Exception as error:  # noqa: BLE001 - OSError, HTTPException and others, whose text may be the system's
        raise WebhookError(f"system '{system.name}': no answer ({type(error).__name__})") from None
    if status != 200:  # noqa: PLR2004 - the one status that is an answer
        raise WebhookError(f"system '{system.name}': status {status}")
    return _result(system, answer)


def signature(secret: bytes, body: bytes, now: datetime) -> str:
    """Return the header that proves who sent a body, and when: `t=<seconds>,v1=<64 hexadecimal digits>`."""
    at = str(int(now.timestamp()))
    return f"t={at},v1={hmac.new(secret, at.encode() + b'.' + body, hashlib.sha256).hexdigest()}"


def _secret(system: OtherSystem) -> bytes:
    secret = os.environ.get(str(system.secret), "")
    if not secret:
        raise WebhookError(f"system '{system.name}': the environment variable {system.secret} is not set; set it")
    return secret.encode()


def _called(system: OtherSystem, payload: dict[str, Any]) -> str:
    module, _, name = str(system.python).rpartition(".")
    try:
        answer = getattr(importlib.import_module(module), name)(payload)
    except Exception as error:  # noqa: BLE001 - a builder's function; its message may name the person
        raise WebhookError(f"system '{system.name}': its function failed ({type(error).__name__})") from None
    if answer not in ANSWERS:
        raise WebhookError(f"system '{system.name}': its function must return one of {', '.join(ANSWERS)}")
    return str(answer)


def _result(system: OtherSystem, answer: bytes) -> str:
    try:
        found = msgspec.json.decode(answer) if len(answer) <= MAX_ANSWER else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = None
    result = found.get("result") if isinstance(found, dict) else None
    if result not in ANSWERS:
        raise WebhookError(f"system '{system.name}': what it answered is no result")
    return str(result)


def _try_again(connection: Any, delivery: Delivery, now: datetime) -> None:
    pause = min(_FIRST_PAUSE * 2 ** min(delivery.attempts, 16), _LONGEST_PAUSE)
    deliveries.again(connection, delivery.delivery_id, delivery.attempts + 1, now + pause)


def _answered(vault: Vault, connection: Any, delivery: Delivery, result: str, now: datetime) -> None:
    """Note an answer; the last good one ends the request."""
    deliveries.answer(connection, vault.data_keys, delivery.delivery_id, result, now)
    waits = deliveries.is_waiting(connection, delivery.certificate)
    for found in requests.of_certificate(connection, delivery.certificate):
        request = requests.find_for_update(connection, found.number)
        if request is None or not request.is_open:
            continue
        requests.add_step(connection, request.number, Step(now, f"told:{delivery.system}"[:32], AUTOMATIC, result))
        if not waits:
            ended = replace(request, state="done", reason=ERASED, closed_at=now)
            requests.replace(connection, ended, Step(now, "done", AUTOMATIC, ERASED))


def deliver_soon(vault: Vault) -> None:
    """Tell other systems now, in a thread beside the turn, where there are any."""
    if vault.policy.erasure.systems:
        Thread(target=deliver_quietly, args=(vault,), name="rasa-privacy-webhooks", daemon=True).start()


def deliver_quietly(vault: Vault) -> None:
    """Tell what is due, and log what fails; for threads beside the turns, which go on whatever it is."""
    try:
        deliver(vault, vault.clock())
    except PrivacyError:
        logger.exception("Telling other systems of an erasure failed; it is tried again.")
    except Exception as error:  # noqa: BLE001 - its text may be another system's
        logger.error(  # noqa: TRY400 - as above
            "Telling other systems of an erasure failed (%s); it is tried again.", type(error).__name__
        )
