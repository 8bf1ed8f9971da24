"""`Bulk`: one run of erasing many people (`bulk_erasure`), and its report: a `Line` for each of them, and counts."""

from collections.abc import Callable
from dataclasses import dataclass, field

from rasa_privacy.access.permit import Permit
from rasa_privacy.rights.bulk_outcomes import Outcome
from rasa_privacy.rights.staff import COMMAND_LINE
from rasa_privacy.storage.vault import Vault


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one person.

    Attributes:
        number: Number of the line in the list, from 1 on; of the person where there is no list.
        outcome: `erased`, or why not.
        certificate: Number of the certificate of who was erased; empty in a preview.
        kept: Purposes of which something stays of them, by a legal obligation.
        also: Numbers of the certificates of linked conversations that were erased with it.
    """

    number: int
    outcome: Outcome
    certificate: str = ""
    kept: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@dataclass(slots=True)
class Bulk:
    """One run.

    Attributes:
        vault: The open store.
        permit: A permit to erase.
        note: Called with each line of the report.
        is_preview: Whether nothing is erased.
        counts: How many lines had each outcome.
        kept: Of how many people who are erased something stays by a legal obligation.
        linked: How many linked conversations go with those of the list.
        channel: By which way it came, for the ledger.
    """

    vault: Vault
    permit: Permit
    note: Callable[[Line], object] = lambda _line: None
    is_preview: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    kept: int = 0
    linked: int = 0
    channel: str = COMMAND_LINE

    def say(self, line: Line, linked: int = 0) -> None:
        """Count a line, with its linked conversations, and note it."""
        self.linked += linked
        self.counts[line.outcome] = self.counts.get(line.outcome, 0) + 1
        self.kept += bool(line.kept)
        self.note(line)
