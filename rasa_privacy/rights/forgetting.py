"""Forgetting what a person said last: its text, what was noted from it, and what the bot answered.

Rules:

1. The last message is the latest one that is stored and is no wish to forget. All that followed it goes with it: the
   values in entities and slots, whatever purpose holds them, and the texts. Names of intents and actions and the times
   stay, so that the conversation can go on; so do the ledger's records, since an answer that was given counts.
2. Values and texts are destroyed with the data keys that sealed them. Where keys have a database of their own the key
   of the texts stays, and a backup's copy opens until its epoch has ended. A one-time code that waits ends with it.
3. What was published, sent to another system or mailed before is not reached.
4. It is about this conversation alone, also where a proof of identity has found others: what was just said, was said
   here.
5. It is said to be done after the store was read again and nothing was found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rasa_privacy.consent.double_opt_in import end_code
from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.errors import StorageError
from rasa_privacy.minimize.kept_texts import WITHHELD
from rasa_privacy.minimize.owners import REQUESTED_SLOT
from rasa_privacy.policy.slots import is_own
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.disclosure import held_error
from rasa_privacy.rights.own_acts import note_taken, own_act
from rasa_privacy.storage import holds
from rasa_privacy.storage.vault import Vault

FORGET: Final = "privacy_forget_last"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten.

    Attributes:
        items: Items of which a value went.
        slots: Slots that were filled since the message, to be emptied.
    """

    items: tuple[str, ...]
    slots: tuple[str, ...]


def forget_last(vault: Vault, sender_id: str, evidence: Evidence) -> Forgotten | None:
    """Forget the last message of a conversation, verified by reading back; None where none is stored.

    Raises:
        HoldError: A legal hold keeps the person; nothing was changed.
        StorageError: It could not be committed, the log could not be emptied, or reading back found something.
    """
    done = vault.database.transact(lambda connection: _forget(vault, connection, sender_id, evidence))
    if done is None:
        return None
    forgotten, first, end = done
    empty_log(vault)
    with vault.database.read() as connection:
        stored = vault.conversations.load(connection, sender_id, all_sessions=True)
    if stored is not None:
        left = any(first <= entry[0] < end for each in stored.values.values() for entry in each)
        if left or any(_without(entry) != entry for entry in stored.structure[first:end]):
            raise StorageError("a message was forgotten but reading back still finds it; ask for it again")
    return forgotten


def _forget(vault: Vault, connection: Any, sender_id: str, evidence: Evidence) -> tuple[Forgotten, int, int] | None:
    subject_id = vault.subjects.find_for_update(connection, sender_id)
    stored = vault.conversations.load(connection, sender_id, all_sessions=True) if subject_id is not None else None
    if subject_id is None or stored is None:
        return None
    structure = stored.structure
    first = _last_message(structure)
    if first is None:
        return None
    if holds.is_held(connection, subject_id):
        raise held_error(connection, [subject_id])
    gone = {purpose: [entry[2] for entry in entries if entry[0] >= first] for purpose, entries in stored.values.items()}
    for purpose in (name for name, items in gone.items() if items):
        vault.parts.drop_since(connection, sender_id, purpose, first, evidence.at)
    for name in vault.policy.purposes:
        end_code(connection, subject_id, name, evidence.at, confirmed=False)
    wanted = [entry if number < first else _without(entry) for number, entry in enumerate(structure)]
    # Of other conversations of the person nothing is meant.
    vault.parts.rewrite(connection, subject_id, lambda each: wanted if each == structure else list(each), evidence.at)
    items = tuple(dict.fromkeys(item for held in gone.values() for item in held))
    purposes = [name for name, held in gone.items() if held]
    act = own_act(vault, "erase", subject_id, purposes=purposes, items=items, counts={"messages": 1})
    note_taken(vault, connection, act)
    return Forgotten(items, _filled(structure[first:])), first, len(structure)


def _last_message(structure: list[Any]) -> int | None:
    """Return the number of the latest message that is no wish to forget."""
    for number in range(len(structure) - 1, -1, -1):
        if structure[number]["event"] == "user" and _intent(structure[number]) != FORGET:
            return number
    return None


def _intent(entry: Mapping[str, Any]) -> object:
    return ((entry.get("parse_data") or {}).get("intent") or {}).get("name")


def _filled(events: list[Any]) -> tuple[str, ...]:
    names = (str(entry["name"]) for entry in events if entry["event"] == "slot")
    return tuple(dict.fromkeys(name for name in names if name != REQUESTED_SLOT and not is_own(name)))


def _without(entry: Any) -> Any:
    """Return an event without what was said, and without what was noted from it."""
    kind = entry["event"]
    if kind == "user":
        parsed = {**entry["parse_data"], "entities": [], "text": WITHHELD}
        return {**entry, "text": WITHHELD, "parse_data": parsed}
    if kind == "slot" and entry["name"] != REQUESTED_SLOT and not is_own(str(entry["name"])):
        return {**entry, "value": None}
    if kind in ("bot", "agent"):
        return {**entry, "text": WITHHELD if entry.get("text") else entry.get("text"), "data": {}}
    if kind in ("entities", "reminder", "cancel_reminder"):
        return {**entry, "entities": []}
    return {**entry, "action_text": WITHHELD} if entry.get("action_text") else entry
