"""`EnvironmentKeyProvider`: keys in environment variables (docs/spec/keys.md, section 2.4).

For platforms that hand secrets to a process in this way. The process cannot keep or forget a key there, so it neither
makes nor destroys one; the messages say what to do instead.
"""

import re
from collections.abc import Mapping
from typing import Final

from rasa_privacy.crypto.derive import KEY_BYTES
from rasa_privacy.crypto.key_ring import MAX_EPOCH, KeyEncryptionKey
from rasa_privacy.crypto.key_text import EPOCH, from_base64
from rasa_privacy.errors import KeyProviderError

#: Prints a new key. tests/crypto/test_provider_env.py runs it.
NEW_KEY_COMMAND: Final = "python -c 'import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())'"


class EnvironmentKeyProvider:
    """Reads the key of an epoch from the variable `<prefix><epoch>`.

    Args:
        prefix: What the variables' names begin with.
        environment: The variables, as `os.environ`.
    """

    def __init__(self, prefix: str, environment: Mapping[str, str]) -> None:
        self._prefix = prefix
        self._environment = environment

    @property
    def name(self) -> str:
        """The variables."""
        return f"{self._prefix}<epoch>"

    def epochs(self) -> list[int]:
        """Return the epochs whose variable is set and not empty, rising."""
        pattern = re.compile(re.escape(self._prefix) + f"({EPOCH.pattern})")
        found = (pattern.fullmatch(name) for name, value in self._environment.items() if value.strip())
        return sorted(epoch for match in found if match and (epoch := int(match[1])) <= MAX_EPOCH)

    def load(self, epoch: int) -> KeyEncryptionKey:
        """Return the key of an epoch.

        Raises:
            KeyProviderError: The variable is not set, or is not the base64 of 32 bytes.
        """
        if epoch not in self.epochs():
            raise KeyProviderError(
                f"{self._variable(epoch)}: this environment variable is not set; set it to the key that it had"
            )
        secret = from_base64(self._environment[self._variable(epoch)].strip())
        if secret is None or len(secret) != KEY_BYTES:
            raise KeyProviderError(
                f"{self._variable(epoch)}: this environment variable is not the base64 of {KEY_BYTES} bytes; set it "
                "to the key that it had, all 44 characters"
            )
        return KeyEncryptionKey(epoch, secret)

    def create(self, epoch: int) -> KeyEncryptionKey:
        """Return the key of an epoch where its variable is set.

        Raises:
            KeyProviderError: It is not set; the message has the command that makes a key.
        """
        if epoch in self.epochs():
            return self.load(epoch)
        raise KeyProviderError(
            f"{self._variable(epoch)}: this environment variable is not set, and a process cannot make a key that "
            f"lasts there; run {NEW_KEY_COMMAND}, keep what it prints as a secret, set the variable to it for every "
            "process of the bot, and start again"
        )

    def destroy(self, epoch: int) -> None:
        """Do nothing where the variable is not set.

        Raises:
            KeyProviderError: It is set, and cannot be destroyed from here.
        """
        if epoch in self.epochs():
            raise KeyProviderError(
                f"{self._variable(epoch)}: a process cannot destroy an environment variable for good; delete it "
                "wherever you keep it, with its backups, and run the command again without it"
            )

    def _variable(self, epoch: int) -> str:
        return f"{self._prefix}{epoch}"
