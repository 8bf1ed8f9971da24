"""Lets go of unwrapped keys in a process that stays, also where nobody writes to it any more.

A key that was used is remembered for a minute (`DataKeys`). Without this it would stay in the memory of an idle process
until the next key is used, and with it one that another process has destroyed. So would the key-encryption key of an
epoch that another process ended.
"""

import threading
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from rasa_privacy.errors import PrivacyError
from rasa_privacy.storage.vault import Vault

if TYPE_CHECKING:
    from rasa_privacy.storage.data_keys import DataKeys

#: How often it is looked for keys whose time is over.
LOOK_SECONDS: Final = 15.0


def expire_beside(vault: Vault) -> threading.Thread:
    """Expire keys in a thread that ends with the store; return the thread. It keeps no store alive."""
    thread = threading.Thread(
        target=_keep_expiring, args=(weakref.ref(vault.data_keys),), name="rasa-privacy-keys", daemon=True
    )
    thread.start()
    return thread


def _keep_expiring(data_keys: "weakref.ref[DataKeys]") -> None:
    waiting = threading.Event()
    while not waiting.wait(LOOK_SECONDS):
        here = data_keys()
        if here is None:
            return
        here.expire()
        with suppress(PrivacyError):  # the database is away; it is asked again
            here.forget_ended_epochs()
        del here  # what waits must not keep the store alive
