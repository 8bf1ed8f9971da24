"""`EventSplitter`: what a Rasa event becomes before it is stored or leaves the process.

An event (the dict of Rasa's `Event.as_dict()`) is split into

- its **structure**: names, times and masked texts, which the bot needs to go on, and
- **entries** `[seq, path, item, value]`: the personal values, one for each value, to be sealed per purpose.

Rules, in order:

1. A value of an item is kept for the active purposes that list the item, cut to what `keep` allows; for no other.
2. A value that is neither an item's nor declared `not_personal` is not kept.
3. A text is kept only while some purpose is active, masked as `messages` says; of a button's payload only the intent.
4. Of a privacy request nothing that the message filled is kept: "STOP" is no name.
5. Of an event type that is not listed here only type and time are kept.

Pure: no Rasa import, no keys, no database.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from rasa_privacy.minimize.chosen_names import chosen_name, entity_field, says_something
from rasa_privacy.minimize.entries import Entry, plain
from rasa_privacy.minimize.event_fields import (
    NAME,
    SPOKEN_PARTS,
    channel_name,
    field_of,
    list_of,
    mapping_of,
    mappings_of,
    message_id_of,
    metadata_of,
    moment_of,
    name_of,
    selected_of,
    time_of,
)
from rasa_privacy.minimize.kept_texts import INTENT_OF_PAYLOAD, WITHHELD, KeptTexts
from rasa_privacy.minimize.own_values import OWN_ENTITY, OwnValues
from rasa_privacy.minimize.owners import REQUESTED_SLOT
from rasa_privacy.minimize.transforms import Aids, keep_part
from rasa_privacy.minimize.view import View
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.slots import is_own

#: Fields of each event type (rasa 3.6.21, rasa/shared/core/events.py) that hold names, not what people say.
_STRUCTURE: Final[Mapping[str, tuple[str, ...]]] = {
    "action": ("name", "policy", "confidence", "hide_rule_turn"),
    "action_execution_rejected": ("name", "policy", "confidence"),
    "active_loop": ("name",),
    "form": ("name",),
    "loop_interrupted": ("is_interrupted",),
    "form_validation": ("validate",),
    "user_featurization": ("use_text_for_featurization",),
    "session_started": (),
    "restart": (),
    "rewind": (),
    "reset_slots": (),
    "undo": (),
    "export": (),
    "pause": (),
    "resume": (),
}
_ENTITY: Final = ("entity", "start", "end", "confidence_entity", "extractor", "role", "group", "processors")


class EventSplitter(KeptTexts):
    """Splits events by one privacy.yml and one domain.

    Args:
        policy: The privacy.yml in force.
        entity_slots: Which slots each entity fills, from the domain's mappings.
        aids: Gives the day and the key that cutting an item's values may need.
        names: Those that the builder chose, of intents, actions, forms and more, which may have any form.

    Attributes:
        aids: As given.
        names: As given.
        detection: What looks for personal data in texts.

    Raises:
        ConfigurationError: privacy.yml asks for a detector that is not installed.
    """

    def __init__(
        self,
        policy: Policy,
        entity_slots: Mapping[str, Collection[str]] | None = None,
        aids: Callable[[str], Aids] = lambda _: Aids(),
        names: Collection[str] = (),
    ) -> None:
        super().__init__(policy, entity_slots)
        self.aids = aids
        self.names = frozenset(names)
        self._own = OwnValues(policy)
        if any(item.cut == "yes_no" for item in policy.items.values()):
            keep_part("?", "yes_no")  # reading answers in all languages takes seconds to begin with, and no turn should

    def plain_value(self, name: str, value: object) -> object:
        """Return the value of a plain slot; of our own and of Rasa's, which anybody may set, if it is one of theirs."""
        if is_own(name):
            return self._own.of_slot(name, value)
        if name == REQUESTED_SLOT:
            return value if isinstance(value, str) and self.is_slot(value) else name_of(value, self.names)
        return value

    def kept(self, item: str, value: object) -> object:
        """Return how much of a value may be kept."""
        return keep_part(value, self._policy.items[item].cut, self.aids(item))

    def split(self, event: Mapping[str, Any], seq: int, view: View) -> tuple[dict[str, Any], list[Entry]]:
        """Return the structure of an event and the entries `[seq, path, item, value]` of its personal values.

        Args:
            event: `Event.as_dict()`.
            seq: Number of the event in its conversation, from 0.
            view: The person's active purposes, known values and the turn.
        """
        structure, entries = self._split(event, seq, view)
        return plain(structure), plain(entries)

    def _split(self, event: Mapping[str, Any], seq: int, view: View) -> tuple[dict[str, Any], list[Entry]]:
        kind = event.get("event")
        structure = {"event": kind, "timestamp": time_of(event), **metadata_of(event, self.names)}
        if kind == "user":
            return self._user(structure, event, seq, view)
        if kind == "slot":
            return self._slot(structure, event, seq, view)
        if kind in ("bot", "agent"):
            return {**structure, **self._utterance(event, view)}, []
        if kind == "entities":
            entities, entries = self._entities(mappings_of(event.get("entities")), ["entities"], seq, view)
            return {**structure, "entities": entities}, entries
        if kind in ("reminder", "cancel_reminder"):
            return self._reminder(structure, event, seq, view)
        if kind == "action" and event.get("name") is None:
            structure["action_text"] = self.text(event.get("action_text"), view) or WITHHELD  # Rasa insists on one
        if kind == "followup":
            structure["name"] = name_of(event.get("name"), self.names)
        fields = _STRUCTURE.get(str(kind), ())
        return {**structure, **{name: field_of(name, event[name], self.names) for name in fields if name in event}}, []

    def _slot(
        self, structure: dict[str, Any], event: Mapping[str, Any], seq: int, view: View
    ) -> tuple[dict[str, Any], list[Entry]]:
        name, value = str(event.get("name")), event.get("value")
        structure.update(name=name if self.is_slot(name) else chosen_name(name, view) or WITHHELD, value=None)
        if self.is_plain_slot(name):
            if is_own(name) or name == REQUESTED_SLOT or not view.privacy_turn:
                structure["value"] = self.plain_value(name, value)
            return structure, []
        item = self._slot_items.get(name)
        if item is None or value is None or view.privacy_turn or not self.may_have(item, view):
            return structure, []
        return structure, [[seq, ["value"], item, value if view.whole else self.kept(item, value)]]

    def _user(
        self, structure: dict[str, Any], event: Mapping[str, Any], seq: int, view: View
    ) -> tuple[dict[str, Any], list[Entry]]:
        parsed = mapping_of(event.get("parse_data"))
        intent, ranking = self._intent(mapping_of(parsed.get("intent")), view), parsed.get("intent_ranking")
        text = self.message_text(event.get("text"), intent, parsed, view)
        entities, entries = self._entities(mappings_of(parsed.get("entities")), ["parse_data", "entities"], seq, view)
        structure.update(
            text=text,
            parse_data={
                "intent": intent,
                "entities": entities,
                "text": text,
                "metadata": {},
                "message_id": message_id_of(event),
                **({} if ranking is None else {"intent_ranking": self._ranking(mappings_of(ranking), view)}),
                **selected_of(parsed.get("response_selector"), self.names),
            },
            input_channel=channel_name(event.get("input_channel")),
            message_id=message_id_of(event),
        )
        return structure, entries

    def _intent(self, intent: Mapping[str, Any], view: View) -> dict[str, Any]:
        """Return name and confidence of an intent, and nothing else that a classifier said."""
        if not intent:
            return {}
        confidence = field_of("confidence", intent.get("confidence"))
        return {"name": self._intent_name(intent.get("name"), view), "confidence": confidence}

    def _intent_name(self, name: object, view: View) -> str | None:
        """Return an intent's name: the bot's own, or one in which nothing is said."""
        return name if isinstance(name, str) and name in self.names else chosen_name(name, view)

    def _ranking(self, ranking: Iterable[Mapping[str, Any]], view: View) -> list[dict[str, Any]]:
        ranked = (self._intent(each, view) for each in ranking)
        return [intent for intent in ranked if intent and intent["name"] is not None]

    def _entities(
        self, entities: Iterable[Mapping[str, Any]], path: list[str], seq: int, view: View
    ) -> tuple[list[dict[str, Any]], list[Entry]]:
        kept: list[dict[str, Any]] = []
        entries: list[Entry] = []
        for entity in entities:
            name = str(entity.get("entity"))
            shape = {field: entity_field(field, entity[field], view) for field in _ENTITY if field in entity}
            if self.is_plain_entity(name):
                own = name == OWN_ENTITY and self._own.is_topic(entity.get("value"))
                if own or (name != OWN_ENTITY and not view.privacy_turn):
                    kept.append({**shape, "value": entity.get("value")})
                continue
            item = self._entity_items.get(name)
            if item is None or view.privacy_turn or not self.may_have(item, view):
                continue
            value = entity.get("value") if view.whole else self.kept(item, entity.get("value"))
            entries.append([seq, [*path, len(kept), "value"], item, value])
            kept.append({**shape, "value": None})
        return kept, entries

    def _utterance(self, event: Mapping[str, Any], view: View) -> dict[str, Any]:
        """A bot's text may echo the person: it is masked as a message is."""
        spoken = replace(view, whole=False)
        data = mapping_of(event.get("data"))
        kept: dict[str, Any] = {name: None for name in SPOKEN_PARTS if name in data}
        if data.get("buttons"):
            kept["buttons"] = [_button(button, self, spoken) for button in list_of(data["buttons"])]
        return {"text": self.text(event.get("text"), spoken), "data": kept}

    def _reminder(
        self, structure: dict[str, Any], event: Mapping[str, Any], seq: int, view: View
    ) -> tuple[dict[str, Any], list[Entry]]:
        structure.update({"intent": self._intent_name(event["intent"], view)} if "intent" in event else {})
        if "kill_on_user_msg" in event:
            structure["kill_on_user_msg"] = field_of("kill_on_user_msg", event["kill_on_user_msg"])
        structure.update({"date_time": moment_of(event["date_time"])} if "date_time" in event else {})
        name = event.get("name")
        structure["name"] = chosen_name(name, view) if NAME.fullmatch(str(name)) else None
        raw = event.get("entities") or []
        if isinstance(raw, Mapping):
            raw = [{"entity": name, "value": value} for name, value in raw.items()]
        structure["entities"], entries = self._entities(mappings_of(raw), ["entities"], seq, view)
        return structure, entries


def _button(button: Any, splitter: EventSplitter, view: View) -> dict[str, Any]:
    if not isinstance(button, Mapping):
        return {}
    payload = str(button.get("payload") or "")
    title = splitter.text(button.get("title"), view)
    intent = INTENT_OF_PAYLOAD.match(payload)
    is_name = intent is not None and not says_something(intent[0], view)
    return {"title": title, "payload": intent[0] if intent and is_name else WITHHELD}
