"""`KeyProvider`: where key-encryption keys come from (docs/spec/keys.md, section 2).

A key is asked for when a process opens the store or meets an epoch that it does not know, never for each data key.
"""

from typing import Protocol

from rasa_privacy.crypto.key_ring import KeyEncryptionKey


class KeyProvider(Protocol):
    """Keeps one key-encryption key for each epoch."""

    @property
    def name(self) -> str:
        """Where the keys are, for messages; no secret."""

    def epochs(self) -> list[int]:
        """Return the epochs that have a key, rising.

        Raises:
            KeyProviderError: The provider cannot be reached or used.
        """

    def load(self, epoch: int) -> KeyEncryptionKey:
        """Return the key of an epoch.

        Raises:
            KeyProviderError: It is missing, or cannot be read or trusted.
        """

    def create(self, epoch: int) -> KeyEncryptionKey:
        """Make the key of an epoch, or return the one that another process has just made.

        Raises:
            KeyProviderError: It cannot be made here.
        """

    def destroy(self, epoch: int) -> None:
        """Destroy the key of an epoch; nothing is done where there is none.

        Raises:
            KeyProviderError: It cannot be destroyed here; the message says what to do.
        """
