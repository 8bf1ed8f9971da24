"""The intent that a message has while components look at it."""

from rasa_privacy.components.rasa_api import Message


def intent_of(message: Message) -> str | None:
    """Return the name of the intent that a message has so far."""
    name = (message.get("intent") or {}).get("name")
    return name if isinstance(name, str) else None


def set_intent(message: Message, name: str | None, confidence: float) -> None:
    """Give a message an intent."""
    message.set("intent", {"name": name, "confidence": confidence}, add_to_output=True)
