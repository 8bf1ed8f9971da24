"""Masking what was deleted of a person in texts that are kept in full (`part_deletion`).

The values are read before they are deleted, since nobody knows them afterwards.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from rasa_privacy.consent.double_opt_in import end_code
from rasa_privacy.minimize.event_fields import texts_of
from rasa_privacy.minimize.known_values import KnownValues
from rasa_privacy.minimize.masking import mask
from rasa_privacy.rights.parts import Plan, conversation_values
from rasa_privacy.storage.vault import Vault

_TEXTS: Final = frozenset({"user", "bot", "agent"})


def values_in_texts(vault: Vault, connection: Any, subject_id: bytes, found: Plan) -> dict[str, set[str]]:
    """Return the values that go, as they may stand in texts, by item; none of an item that stays elsewhere."""
    staying = {each.item for each in found.stays}
    values: dict[str, set[str]] = {}
    for _sender, held in conversation_values(vault, connection, subject_id):
        for purpose, entries in held.items():
            for _seq, _path, item, value in entries:
                if (purpose, item) in found.goes and item not in staying:
                    values.setdefault(item, set()).update(texts_of(value))
    return values


def mask_texts(
    vault: Vault, connection: Any, subject_id: bytes, values: Mapping[str, Iterable[str]], now: datetime
) -> None:
    """Put what was deleted out of sight in texts: values by item, as `values_in_texts` gave them before."""
    if not values:
        return
    known = KnownValues({item: tuple(each) for item, each in values.items()})
    for name in vault.policy.purposes:
        end_code(connection, subject_id, name, now, confirmed=False)  # its contact is under the key that goes
    change = _masking(known)
    vault.parts.rewrite(connection, subject_id, lambda each: [change(entry) for entry in each], now)


def _masking(known: KnownValues) -> Callable[[Any], Any]:
    def change(entry: Any) -> Any:
        if entry["event"] not in _TEXTS or not isinstance(entry.get("text"), str):
            return entry
        text = mask(entry["text"], [], known)
        parsed = {"parse_data": {**entry["parse_data"], "text": text}} if "parse_data" in entry else {}
        return {**entry, "text": text, **parsed}

    return change
