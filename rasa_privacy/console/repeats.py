"""`Repeats`: a call that is made again with the same `Idempotency-Key` is done once, and gets the same answer.

Rules:

1. A key is the operator's own, for one operation. With another body it is refused (422): one of both is a mistake.
2. While the first is being done, the second is told so (409). What failed is forgotten and may be tried again.
3. Only answers of calls that change something are kept, for LASTS, in this process alone; they hold no values of
   people. After a restart a call is done again: what it does is then there already, or is said to be so.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rasa_privacy.console.problems import RefusedError

#: How long an answer is kept, in seconds.
LASTS: Final = 86_400.0
_MAX_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Kept:
    digest: bytes
    until: float
    answer: bytes | None


class Repeats:
    """Answers that were given.

    Args:
        seconds: A clock that only goes forward, in seconds.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str, str], _Kept] = OrderedDict()

    def once(self, operator: str, operation: str, key: str, call: bytes, work: Callable[[], bytes]) -> bytes:
        """Return the answer of a call, doing it where it was not done.

        Args:
            operator: Who calls.
            operation: What it is about.
            key: Their key.
            call: The call's path and body.
            work: Does it.

        Raises:
            RefusedError: The same call is being done, or the key was used for another one.
        """
        name, digest = (operator, operation, key), hashlib.sha256(call).digest()
        found = self._begin(name, digest)
        if found is not None:
            return found
        answer = None
        try:
            answer = work()
            return answer
        finally:
            with self._lock:
                if answer is None:
                    self._kept.pop(name, None)
                else:
                    self._kept[name] = _Kept(digest, self._seconds() + LASTS, answer)

    def _begin(self, name: tuple[str, str, str], digest: bytes) -> bytes | None:
        """Return the answer that was given, or note that the call is being done."""
        with self._lock:
            now = self._seconds()
            found = self._kept.get(name)
            if found is None or (found.answer is not None and found.until <= now):
                self._kept[name] = _Kept(digest, now + LASTS, None)
                self._kept.move_to_end(name)
                self._forget()
                return None
        if found.digest != digest:
            raise RefusedError(422, "this Idempotency-Key was used for another call; take a new one")
        if found.answer is None:
            raise RefusedError(409, "the same call is being done; ask again", (("Retry-After", "1"),))
        return found.answer

    def _forget(self) -> None:
        """Forget the oldest answers where there are too many; what is being done stays."""
        for name in [name for name, each in self._kept.items() if each.answer is not None]:
            if len(self._kept) <= _MAX_KEPT:
                return
            del self._kept[name]
