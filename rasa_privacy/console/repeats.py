"""`once`: a call that is made again with the same `Idempotency-Key` is done once, and gets the same answer.

Rules:

1. A key is the operator's own, for one operation. With another body it is refused (422): one of both is a mistake.
2. While the first is being done, the second is told so (409). What failed is forgotten and may be tried again.
3. Only answers of calls that change something are kept, for LASTS, in the database, so that any process on it gives
   them, also after a restart. They are sealed; of operator, key and body there are keyed hashes.
4. An answer of before is given to who may still do now what was done then: each permit of then is asked for anew, with
   its whole reach (403). Roles change, and training runs out.
5. Who dies while doing a call leaves it noted for PATIENCE. After that it is done again: what it does is then there
   already, or is said to be so. An answer that cannot be noted is given all the same, since the call was done.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

import msgspec

from rasa_privacy.access.permit import Permit
from rasa_privacy.console.operation import Call
from rasa_privacy.console.problems import RefusedError
from rasa_privacy.errors import PrivacyError
from rasa_privacy.storage import answers
from rasa_privacy.storage.answers import Begun
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

#: How long an answer is kept.
LASTS: Final = timedelta(days=1)
#: For how long a call may be done; the longest, an erasure of many, is done in much less.
PATIENCE: Final = timedelta(minutes=15)

_WHOSE: Final = "api call"
_SAID: Final = "api call said"


def once(  # noqa: PLR0913, PLR0917 - store, the three parts of a name, what is said and who does it
    vault: Vault, operator: str, operation: str, key: str, said: bytes, work: Callable[[], bytes]
) -> bytes:
    """Return the answer of a call, doing it where it was not done.

    Args:
        vault: The open store.
        operator: Who calls.
        operation: What it is about.
        key: Their key.
        said: The call's path and body.
        work: Does it.

    Raises:
        RefusedError: The same call is being done, or the key was used for another one.
        StorageError: It cannot be noted, so it is not done.
    """
    name = vault.index.of(_WHOSE, f"{operator}\0{operation}\0{key}")  # a control character is in none of them
    digest = vault.index.of_bytes(_SAID, said)
    now = vault.clock()
    found = vault.database.transact(lambda conn: answers.begin(conn, vault.data_keys, name, digest, now, PATIENCE))
    if isinstance(found, Begun):
        return _answered(found, digest)
    try:
        answer = work()
    except BaseException:
        vault.database.transact(lambda conn: answers.forget(conn, name, found))
        raise
    _note(vault, name, found, answer)
    return answer


class _Permitted(msgspec.Struct, array_like=True, frozen=True):
    """What a permit allowed; None for all."""

    verb: str
    clear: bool
    purposes: frozenset[str] | None
    items: frozenset[str] | None


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """What is kept of a call."""

    permitted: tuple[_Permitted, ...]
    answer: bytes


def with_permits(permits: Iterable[Permit], answer: bytes) -> bytes:
    """Return an answer to be kept, with the permits under which it was made."""
    permitted = tuple(_Permitted(each.verb, each.clear, each.purposes, each.items) for each in permits)
    return msgspec.msgpack.encode(_Kept(permitted, answer))


def answer_of(call: Call, kept: bytes) -> bytes:
    """Return an answer that was kept; where this call did not make it, after asking for its permits anew.

    Raises:
        AccessError: Who calls may not do that any more; the refusal is in the audit log.
        RefusedError: An earlier release kept the answer, so nobody knows who may have it.
    """
    try:
        found = msgspec.msgpack.decode(kept, type=_Kept)
    except msgspec.DecodeError:
        raise RefusedError(409, "an earlier release answered this; look up what became of it") from None
    if call.permits:
        return found.answer
    declared = call.vault.policy
    for each in found.permitted:
        purposes = declared.purposes if each.purposes is None else each.purposes
        items = declared.items if each.items is None else each.items
        call.permit(each.verb, clear=each.clear, purposes=purposes, items=items)
    return found.answer


def _answered(found: Begun, digest: bytes) -> bytes:
    """Return what was answered before."""
    if found.said != digest:
        raise RefusedError(422, "this Idempotency-Key was used for another call; take a new one")
    if found.answer is None:
        raise RefusedError(409, "the same call is being done; ask again", (("Retry-After", "1"),))
    return found.answer


def _note(vault: Vault, name: bytes, mine: bytes, answer: bytes) -> None:
    now = vault.clock()
    try:
        vault.database.transact(lambda conn: answers.note(conn, vault.data_keys, name, mine, answer, now, now + LASTS))
        vault.database.transact(lambda conn: answers.drop_over(conn, vault.data_keys, now))
    except PrivacyError as error:
        logger.warning("An answer could not be noted, so the same call may be done again: %s", error)
