"""`Announcer`: tells the event broker who was erased.

Erasures are made by other processes: the action server, the command line, another Rasa server. So each save looks, at
the price of one row, whether the erasure journal has grown; then the erasures since the last announcement are published
and that is noted in the database. An erasure is announced at least once, and by whichever server is first.
"""

import logging
from typing import Any

from rasa_privacy.components.event_broker import PrivateEventBroker
from rasa_privacy.components.publishing import erased
from rasa_privacy.components.runtime import Runtime
from rasa_privacy.errors import PrivacyError
from rasa_privacy.storage.announcements import News, announced, news, position

logger = logging.getLogger(__name__)


class Announcer:
    """Announces the erasures of one store through one broker."""

    def __init__(self, running: Runtime, broker: PrivateEventBroker) -> None:
        self._running = running
        self._broker = broker
        self._seen: int | None = None
        self._told: set[bytes] = set()
        self._busy = False

    async def run(self) -> None:
        """Announce what is new. A failure is logged, and tried again with the next turn."""
        if self._busy:
            return
        self._busy = True
        try:
            found = await self._running.patience.run(lambda _: self._news())
            if found is not None and await self._told_all(found):
                await self._running.patience.run(lambda _: self._note(found))
                self._seen = found.position
        except PrivacyError:
            logger.exception("Announcing erasures to the event broker failed; it is tried again with the next turn.")
        finally:
            self._busy = False

    def _news(self) -> News | None:
        vault = self._running.vault
        with vault.database.read() as connection:
            if position(connection, vault.journal) == self._seen:
                return None
            return news(connection, vault.journal, vault.erasures)

    async def _told_all(self, found: News) -> bool:
        for erasure in found.erasures:
            if erasure.subject_id in self._told:
                continue
            if not await self._broker.deliver(erased(erasure.subject_id, erasure.erased_at)):
                logger.warning("The event broker is away; erasures are announced when it is back.")
                return False
            self._told.add(erasure.subject_id)
        self._told &= {erasure.subject_id for erasure in found.erasures}
        return True

    def _note(self, found: News) -> None:
        def work(connection: Any) -> None:
            announced(connection, found)

        if found.erasures:
            self._running.vault.database.transact(work)
