"""Finishing, in a store that is open, what the erasure journal says was begun and the database does not know.

Where keys have a database of their own they are destroyed before the rows that they sealed. If the transaction of the
rows fails then, and the process lives on, rows are left that nothing opens. The next start carries the journal out
(`replay.py`); a server does the same for whoever meets such rows: the person who writes again, or a sweep.

What is still being done by another transaction is waited for, since that one holds the lock on the person.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from rasa_privacy.errors import KeyDestroyedError, NotGrantedError, PrivacyError, TamperedSegmentError
from rasa_privacy.storage.replay import finish

if TYPE_CHECKING:
    from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

#: What reading raises where the key of the structure is gone, or the rows are under an older key than the person's.
_SYMPTOMS: Final = (KeyDestroyedError, TamperedSegmentError)
T = TypeVar("T")


def with_finished(
    vault: "Vault",
    work: Callable[[], T],
    is_cut: Callable[[T], Any] = lambda _: False,
    again: Callable[[], T] | None = None,
) -> T:
    """Run `work`; where it meets rows whose keys were destroyed, finish what was begun, and run it again.

    Args:
        vault: The open store.
        work: May raise `KeyDestroyedError` before it changes anything.
        is_cut: Whether the result shows values without a key.
        again: What is run once nothing is left to finish, where that is not the same.

    Raises:
        PrivacyError: What `work` raises, and the journal had nothing to finish; or what `finish` raises.
    """
    again = again or work
    if not vault.data_keys.apart:
        return again()
    try:
        found = work()
        if not is_cut(found) or not finish(vault):
            return found
    except _SYMPTOMS:
        finish(vault)
    return again()


def finish_beside(vault: "Vault") -> None:
    """Finish what was begun of people who do not write again; what prevents that is logged, and prevents nothing else.

    Who may only sweep leaves it to the server.
    """
    if not vault.data_keys.apart:
        return
    try:
        with suppress(NotGrantedError):
            finish(vault)
    except PrivacyError:
        logger.exception("What was begun to be deleted could not be finished; it is tried again.")
