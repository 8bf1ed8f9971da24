"""An audience as JSON lines, made by this process or by several (ADR 39).

Rules:

1. The lines, their order and the counts are the same, whoever makes them: people are cut into runs of subject ids, and
   the runs come in order.
2. Other processes are worth their start from PEOPLE_FOR_PROCESSES people on; this one makes lines beside them. Where
   they cannot open the store (a key provider may let in one process only) it makes all of them.
"""

import gc
import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Final

from rasa_privacy.access.permit import Permit
from rasa_privacy.errors import StorageError
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.rights.audience import Tally, check, log_export, pages
from rasa_privacy.rights.audience_form import lines_of
from rasa_privacy.rights.audience_processes import Processes, cores
from rasa_privacy.rights.audience_worker import RUN_PEOPLE, Task, pieces
from rasa_privacy.rights.membership import Decision
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

#: From so many people on, the time in which processes start is less than what they save.
PEOPLE_FOR_PROCESSES: Final = 50_000
#: More are not begun by themselves: each takes some 70 MiB.
_MOST_PROCESSES: Final = 8


def lines(  # noqa: PLR0913, PLR0917 - what is asked for, by whom, where it is counted, and by how many
    vault: Vault,
    permit: Permit,
    purpose: str,
    item: str | None,
    now: datetime,
    tally: Tally,
    settings: StoreSettings,
    workers: int | None = None,
) -> Iterator[bytes]:
    """Yield JSON lines, many at a time, with `sender` and the item of each person.

    Args:
        vault: The open store.
        permit: As `audience`.
        purpose: As `audience`.
        item: As `audience`.
        now: As `audience`.
        tally: As `audience`; it counts whoever has been yielded.
        settings: What the store was opened with, for other processes.
        workers: How many processes open what is stored, this one among them; None for one on each core where there
            are many people.

    Raises:
        AccessError: As `audience`.
        ConfigurationError: As `audience`.
        StorageError: A process ended before it was done, or the database does not answer.
    """
    check(vault.policy, permit, purpose, item)
    task, decision = Task(settings, purpose, item, now, 1), Decision(vault, purpose, now)
    processes = _processes(vault, task, workers)
    with _rarely_collected():
        if processes is None:
            for page in pages(decision, item, tally):
                if page:
                    yield lines_of(page, item)
                gc.collect()
        else:
            with closing(processes):
                yield from processes.pieces(tally, lambda run: _made(processes.task, decision, run))
    log_export(purpose, tally)


def _made(task: Task, decision: Decision, run: int) -> list[bytes]:
    """Return the pieces of a run that this process makes."""
    made = list(pieces(task, decision, run))
    gc.collect()
    return made


def _processes(vault: Vault, task: Task, workers: int | None) -> Processes | None:
    """Begin the other processes, or return None where this one is to do the work alone."""
    if workers == 1:
        return None
    with vault.database.read() as connection:
        people = vault.crowd.count(connection)
    if workers is None:
        workers = min(cores(), _MOST_PROCESSES) if people >= PEOPLE_FOR_PROCESSES else 1
    runs = max(people // RUN_PEOPLE, 1)
    others = min(workers, runs) - 1
    if not others:
        return None
    try:
        return Processes(replace(task, runs=runs), others)
    except StorageError as error:
        logger.warning("The export goes on in this process alone: %s", error)
        return None


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Let Python look for cycles after a page and not within: it would go through what a page holds again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
