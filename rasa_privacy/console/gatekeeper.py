"""`Gatekeeper`: from the token of a call to an operator, without hashing it at every call.

Rules:

1. A token that `access.login` accepted is remembered for SESSION by a keyed hash of it, in this process alone. Whoever
   comes with it is still read anew for each permit (`access.admission`), so a revocation, an expiry or a new token
   counts at the next call.
2. One login at a time: the hash takes 64 MiB, and `login` counts a token as wrong before it looks, so that calls at the
   same time with one right token would lock its operator out.
3. Wrong tokens are limited by the address that they come from, before they reach the store. What is remembered is not
   held up by that.
4. Where there are no operators nobody is let in; there is no user of the machine here.
"""

import hashlib
import hmac
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from rasa_privacy.access.login import Operator, login, require_current
from rasa_privacy.console.problems import RefusedError
from rasa_privacy.errors import AccessError
from rasa_privacy.storage.vault import Vault

#: How long a login counts, in seconds.
SESSION: Final = 300.0
#: Wrong tokens of one address within `WINDOW` seconds, after which it waits.
WRONG: Final = 10
WINDOW: Final = 60.0
_MAX_REMEMBERED: Final = 1024
_SCHEME: Final = "bearer "
_CHALLENGE: Final = (("WWW-Authenticate", "Bearer"),)


class Gatekeeper:
    """Lets operators in.

    Args:
        vault: The open store.
        wrong: Wrong tokens of one address within WINDOW after which it waits.
        seconds: A clock that only goes forward, in seconds.
    """

    def __init__(self, vault: Vault, wrong: int = WRONG, seconds: Callable[[], float] = time.monotonic) -> None:
        self._vault = vault
        self._wrong = wrong
        self._seconds = seconds
        self._key = os.urandom(32)
        self._one_login = threading.Lock()
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, tuple[float, Operator]] = OrderedDict()
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    def enter(self, authorization: str | None, address: str) -> Operator:
        """Return who calls.

        Args:
            authorization: The header `Authorization`.
            address: Where the call comes from.

        Raises:
            RefusedError: There is no token, it is not accepted, or too many wrong ones came from there.
            StorageError: A login cannot be recorded, so nobody is let in.
        """
        token = _token(authorization)
        if token is None:
            raise RefusedError(401, "give an operator's token: 'Authorization: Bearer rpo...'", _CHALLENGE)
        digest = self._digest(token)
        known = self._remembered(digest)
        if known is not None:
            return known
        with self._one_login:
            known = self._remembered(digest)  # of several that came at once the first logged in
            if known is not None:
                return known
            self._slow_down(address)
            return self._login(token, digest, address)

    def still_there(self, operator: Operator, authorization: str | None) -> None:
        """Return where an operator whom a permit was refused may still act; then it was the role that refused it.

        Raises:
            RefusedError: They were revoked, their token is over or was renewed; the login is forgotten.
        """
        try:
            with self._vault.database.read() as connection:
                require_current(self._vault, connection, operator)
        except AccessError as error:
            with self._lock:
                self._known.pop(self._digest(_token(authorization) or ""), None)
            raise RefusedError(401, str(error), _CHALLENGE) from None

    def _digest(self, token: str) -> bytes:
        return hmac.digest(self._key, token.encode("utf-8", "surrogateescape"), hashlib.sha256)

    def _login(self, token: str, digest: bytes, address: str) -> Operator:
        try:
            operator = login(self._vault, token)
        except AccessError as error:
            with self._lock:
                self._failures.setdefault(address, []).append(self._seconds())
                self._failures.move_to_end(address)
                _bound(self._failures)
            raise RefusedError(401, str(error), _CHALLENGE) from None
        with self._lock:
            self._known[digest] = (self._seconds() + SESSION, operator)
            _bound(self._known)
        return operator

    def _remembered(self, digest: bytes) -> Operator | None:
        with self._lock:
            until, operator = self._known.get(digest, (0.0, None))
            if operator is not None and until <= self._seconds():
                del self._known[digest]
                return None
            return operator

    def _slow_down(self, address: str) -> None:
        with self._lock:
            now = self._seconds()
            recent = [at for at in self._failures.get(address, ()) if at > now - WINDOW]
            if not recent:
                self._failures.pop(address, None)
                return
            self._failures[address] = recent
        if len(recent) >= self._wrong:
            wait = max(1, round(recent[-self._wrong] + WINDOW - now))
            raise RefusedError(429, "too many wrong tokens came from this address; wait", (("Retry-After", str(wait)),))


def _token(authorization: str | None) -> str | None:
    """Return the token of a header, or None."""
    if authorization is None or not authorization.lower().startswith(_SCHEME):
        return None
    return authorization[len(_SCHEME) :].strip() or None


def _bound(table: "OrderedDict[bytes, tuple[float, Operator]] | OrderedDict[str, list[float]]") -> None:
    while len(table) > _MAX_REMEMBERED:
        table.popitem(last=False)
