"""A conversation's events without what was said in them: what is left when `messages.retain` is over and values stay.

Of a person's messages, what the bot said, and actions that were predicted by their text, the words go; names, times,
and places that values hang on stay, so that the bot can go on.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rasa_privacy.minimize.event_fields import list_of, mapping_of
from rasa_privacy.minimize.kept_texts import WITHHELD, is_payload

_SPOKEN: Final = ("bot", "agent")


def without_texts(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return stored structure without its texts; an event that has none is the same object."""
    return [_without_text(event) for event in events]


def _without_text(event: dict[str, Any]) -> dict[str, Any]:
    kind = event.get("event")
    if kind == "user":
        return _message(event)
    if kind in _SPOKEN:
        return _utterance(event)
    if kind == "action" and event.get("action_text") is not None:
        return _changed(event, {"action_text": WITHHELD})
    return event


def _message(event: dict[str, Any]) -> dict[str, Any]:
    parsed = mapping_of(event.get("parse_data"))
    intent = mapping_of(parsed.get("intent")).get("name")
    text = _withheld(event.get("text"), intent)
    shown = {"parse_data": _changed(dict(parsed), {"text": text})} if "text" in parsed else {}
    return _changed(event, {"text": text, **shown})


def _withheld(text: object, intent: object = None) -> object:
    """Return what stands for a text; of a button's payload only the intent was kept."""
    stays = text is None or (isinstance(text, str) and text == f"/{intent}" and is_payload(text, intent))
    return text if stays else WITHHELD


def _utterance(event: dict[str, Any]) -> dict[str, Any]:
    data = mapping_of(event.get("data"))
    buttons = [
        {**button, "title": _withheld(button.get("title"))} if isinstance(button, Mapping) else {}
        for button in list_of(data.get("buttons"))
    ]
    shown = {"data": {**data, "buttons": buttons}} if buttons else {}
    return _changed(event, {"text": _withheld(event.get("text")), **shown})


def _changed(event: dict[str, Any], fields: Mapping[str, object]) -> dict[str, Any]:
    return event if all(event.get(name) == value for name, value in fields.items()) else {**event, **fields}
