"""`python -m tests.support.full_disk <folder> journal|database`: erases the person while that cannot grow.

Prints the error.
"""

import resource
import signal
import sys
from pathlib import Path

from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.errors import PrivacyError
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage.vault import open_vault
from tests.support.vaults import SENDER, START, give, settings_in


def main(folder: str, full: str) -> None:
    """Let the first byte that the journal, or the database's log, needs be one too many."""
    vault = open_vault(settings_in(Path(folder)), lambda: START)
    give(vault, {"draw": {"email": "last"}}, "somebody else")  # the log has some length, and the journal none
    size = 0 if full == "journal" else (Path(folder) / "c.db-wal").stat().st_size
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that the write fails, as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        erase(vault, SENDER, Evidence("button", "rest", "en", START))
    except PrivacyError as error:
        sys.stdout.write(str(error))
    else:
        sys.exit("the erasure did not need any space")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
