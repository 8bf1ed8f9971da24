"""What an operator sees of one person: the permitted items of the permitted purposes, masked or in the clear.

Of a purpose that the permit does not cover no data key is unwrapped, so nothing of it can be opened by a mistake above.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rasa_privacy.access.permit import Permit
from rasa_privacy.minimize.transforms import keep_part
from rasa_privacy.storage.vault import Vault


@dataclass(frozen=True, slots=True)
class Seen:
    """The values of one person, as an operator sees them.

    Attributes:
        subject_id: The person's random id.
        values: By purpose and item, the value that was stored last.
        withheld: Number of items that are stored and not shown, because the role does not name them.
        event_count: Number of stored events.
    """

    subject_id: bytes
    values: dict[str, dict[str, object]] = field(repr=False)
    withheld: int
    event_count: int

    @property
    def items(self) -> tuple[str, ...]:
        """The items that are shown, each once."""
        return tuple(dict.fromkeys(item for items in self.values.values() for item in items))


def see(vault: Vault, connection: Any, sender_id: str, permit: Permit, verb: str = "view") -> Seen | None:
    """Return what an operator may see of the person behind a sender id; None where nothing is stored.

    Args:
        vault: The open store.
        connection: A connection that reads.
        sender_id: Rasa's conversation key.
        permit: A permit for the verb.
        verb: What it is read for.

    Raises:
        AccessError: The permit is for something else.
    """
    permit.require(verb)
    stored = vault.conversations.load(connection, sender_id, all_sessions=True, purposes=permit.purposes)
    if stored is None:
        return None
    values: dict[str, dict[str, object]] = {}
    withheld = 0
    for purpose, entries in stored.values.items():
        latest = _latest(entries)
        shown = {item: show(permit, value) for item, value in latest.items() if permit.covers_item(item)}
        withheld += len(latest) - len(shown)
        if shown:
            values[purpose] = shown
    return Seen(stored.subject_id, values, withheld, stored.event_count)


def show(permit: Permit, value: object) -> object:
    """Return a value as the permit shows it: as it is, or masked (`minimize.transforms`)."""
    return value if permit.clear else keep_part(value, "masked")


def _latest(entries: Iterable[list[Any]]) -> dict[str, object]:
    """Return the value of each item that was stored last; one that was emptied since is stored all the same."""
    in_order = sorted(entries, key=lambda entry: int(entry[0]))
    return {item: value for _seq, _path, item, value in in_order if value is not None}
