"""What an event becomes before it leaves through the event broker: its structure, under the person's random id.

`Published` marks what this module made. `PrivateEventBroker` lets such events pass and minimises every other one, so
that `rasa export`, which reads whole conversations from the store, publishes no more than the store itself does.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from rasa_privacy.components import runtime
from rasa_privacy.components.rasa_api import Domain
from rasa_privacy.components.vocabulary import entity_slots
from rasa_privacy.errors import EmitError
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.view import View
from rasa_privacy.policy.model import Messages, Policy
from rasa_privacy.rights.handover import LINK, PATH

#: The event that says that somebody was erased; `sender_id` is the id under which their events were published.
ERASED: Final = "privacy_erased"

_RASAS_ID: Final = re.compile(r"[0-9a-f]{32}")
_NOTHING: Final = View(frozenset(), {})


class Published(dict[str, Any]):
    """An event in the form in which it may leave."""


def outgoing_splitter(splitter: EventSplitter, policy: Policy, domain: Domain) -> EventSplitter:
    """Return what cuts events for the event broker: texts that are kept in full leave masked.

    Consumers keep their own copies, which end neither with a consent nor with an erasure.
    """
    if policy.messages.keep != "full":
        return splitter
    masked = msgspec.structs.replace(policy, messages=Messages(keep="masked"))
    return EventSplitter(masked, entity_slots(domain), splitter.aids, splitter.names)


def published(structure: Iterable[Mapping[str, Any]], subject_id: bytes) -> list[Published]:
    """Return stored structure as events of this person."""
    return [
        Published({**_without_link(without_foreign_id(event)), "sender_id": subject_id.hex()}) for event in structure
    ]


def _without_link(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event without the secret of a link for a copy: whoever reads it first could collect the copy."""
    text = event.get("text")
    return {**event, "text": LINK.sub(f"{PATH}/[link]", text)} if isinstance(text, str) else event


def without_foreign_id(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event without an id that a channel gave the message: that of WhatsApp holds the phone number.

    Ids that Rasa makes, 32 hexadecimal digits, stay.
    """
    if event.get("message_id") is None or _RASAS_ID.fullmatch(str(event["message_id"])):
        return dict(event)
    parsed = event.get("parse_data")
    cut = {**event, "message_id": None}
    return {**cut, "parse_data": {**parsed, "message_id": None}} if isinstance(parsed, Mapping) else cut


def erased(subject_id: bytes, at: datetime) -> Published:
    """Return the event that tells consumers to delete what they hold under this person's id."""
    return Published({"event": ERASED, "timestamp": at.timestamp(), "sender_id": subject_id.hex()})


def minimised(event: Mapping[str, Any]) -> Published:
    """Return an event that does not come from a save: without any text, since nothing says what the person told.

    Raises:
        EmitError: There is no protected store in this process, or it does not know the person.
        PrivacyError: The store cannot be read.
    """
    running = runtime.current()
    if running is None:
        raise EmitError(
            "event_broker: an event was not published, because this process has no protected store to minimise it "
            "with; set 'tracker_store' in endpoints.yml as 'rasa-privacy check' says"
        )
    vault = running.vault
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, str(event.get("sender_id")))
    if subject_id is None:
        raise EmitError(
            "event_broker: an event was not published, because the store does not know its sender, who may have been "
            "erased; publish events of stored conversations only"
        )
    structure, _ = running.splitter.split(event, 0, _NOTHING)
    return published([structure], subject_id)[0]
