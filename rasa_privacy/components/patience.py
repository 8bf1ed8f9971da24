"""`Patience`: database work in threads, which waits for a database that is away.

Rules:

1. Nothing of it runs in Rasa's event loop, and who waits for the database holds no thread.
2. An outage is waited for once: when it has lasted for the limit, work fails at once until the database is back, so
   that people hear of it and do not wait for nothing.
3. Work that is run again is told so: where the connection broke during the commit, nobody knows what was stored.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from rasa_privacy.components.threads import Threads
from rasa_privacy.errors import UnreachableError

#: How long an outage is waited for. Rasa's lock on a conversation lasts 60 seconds.
LIMIT_SECONDS: Final = 30.0
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 1.0

T = TypeVar("T")


class Patience:
    """Runs database work of one process.

    Args:
        threads: Where the work runs.
        limit_seconds: How long an outage is waited for.
        clock: Seconds that only rise.
        sleep: Waits without a thread.
    """

    def __init__(
        self,
        threads: Threads,
        limit_seconds: float = LIMIT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._threads = threads
        self._limit = limit_seconds
        self._clock = clock
        self._sleep = sleep
        self._away_since: float | None = None
        self._seen_away = 0.0

    async def run(self, work: Callable[[bool], T]) -> T:
        """Run work in a thread, and again for as long as the database is away.

        Args:
            work: Gets whether it is run again.

        Raises:
            UnreachableError: The outage has lasted for the limit.
        """
        again, pause = False, _FIRST_PAUSE_SECONDS
        while True:
            try:
                result = await self._threads.run(work, again)
            except UnreachableError:
                if self._has_lasted():
                    raise
            else:
                self._away_since = None
                return result
            await self._sleep(pause)
            again, pause = True, min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _has_lasted(self) -> bool:
        """Note that the database is away and return whether that has lasted for the limit."""
        now = self._clock()
        if self._away_since is None or now - self._seen_away > self._limit:
            self._away_since = now  # what was seen long ago was another outage
        self._seen_away = now
        return now - self._away_since >= self._limit
