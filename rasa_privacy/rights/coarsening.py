"""What cutting a value needs of the store: the day for which an age counts, and the key of pseudonyms.

A pseudonym is a keyed hash of the item and the value (HMAC-SHA256, cut to 130 bits). The key is the database's index
key: the word is the same through restarts and rotations, and another bot has another one. Who has the key can test
guesses.
"""

import base64
from collections.abc import Callable
from functools import partial
from typing import Final

from rasa_privacy.minimize.transforms import Aids
from rasa_privacy.storage.vault import Vault

_DOMAIN: Final = "pseudonym"
_CHARACTERS: Final = 26


def aids_of(vault: Vault) -> Callable[[str], Aids]:
    """Return what gives the aids for an item."""
    return lambda item: Aids(vault.clock().date(), partial(_pseudonym, vault, item))


def _pseudonym(vault: Vault, item: str, value: str) -> str:
    hashed = vault.index.of(_DOMAIN, f"{len(item)}:{item}{value}")
    return f"p-{base64.b32encode(hashed).decode().lower()[:_CHARACTERS]}"
