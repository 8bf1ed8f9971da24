"""`PrivateRedisLockStore`: Rasa's locks in Redis, without sender ids.

Rasa makes one lock for each conversation that is being handled, with the sender id in its key and in its value, and
without an end: after a crash it stays. Here a keyed hash stands for the sender id, the same in every server of one
store, and a lock that nobody looks after ends by itself. Rasa's locks in memory are gone with their message.
"""

from typing import Any, Final

from rasa_privacy.components import runtime
from rasa_privacy.components.rasa_api import LOCK_LIFETIME, RedisLockStore, TicketLock, lock_store_module
from rasa_privacy.errors import EmitError

#: Seconds after its last use at which a lock goes; tickets end LOCK_LIFETIME after they were given.
FORGET_SECONDS: Final = LOCK_LIFETIME + 60
_DOMAIN: Final = "lock"


class PrivateRedisLockStore(RedisLockStore):
    """Rasa's lock store in Redis, with the same settings."""

    @staticmethod
    def create_lock(conversation_id: str) -> TicketLock:
        """Return a new lock, which knows the conversation by its hash."""
        return TicketLock(hashed(conversation_id))

    def get_lock(self, conversation_id: str) -> TicketLock | None:
        """Return the lock of a conversation, or None."""
        found: TicketLock | None = super().get_lock(hashed(conversation_id))
        return found

    def delete_lock(self, conversation_id: str) -> None:
        """Delete the lock of a conversation."""
        super().delete_lock(hashed(conversation_id))

    def save_lock(self, lock: TicketLock) -> None:
        """Save a lock of this store, for as long as it may be needed."""
        key: Any = self.key_prefix + lock.conversation_id
        self.red.set(key, lock.dumps(), ex=FORGET_SECONDS)


def hashed(conversation_id: str) -> str:
    """Return what stands for a sender id in the lock store, as 64 hexadecimal digits.

    Raises:
        EmitError: There is no protected store in this process.
    """
    running = runtime.current()
    if running is None:
        raise EmitError(
            "lock_store: a conversation was not locked, because this process has no protected store to hide its "
            "sender id with; set 'tracker_store' in endpoints.yml as 'rasa-privacy check' says"
        )
    return running.vault.index.of(_DOMAIN, conversation_id).hex()


def install() -> None:
    """Let Rasa make our lock store where `lock_store:` says redis."""
    lock_store_module.RedisLockStore = PrivateRedisLockStore
