"""`KeptTexts`: how much of a text may be kept or sent: of a person's message, and of what the bot says.

A text is kept only while some purpose is active, masked as `messages` of privacy.yml says. What was recognised in a
message is masked where it stands, also in other words than its value has, and also where nothing of it is kept.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from rasa_privacy.errors import DetectorError
from rasa_privacy.minimize.detection import Detection
from rasa_privacy.minimize.detectors import Finding
from rasa_privacy.minimize.entity_places import Said
from rasa_privacy.minimize.event_fields import dropped_of, mappings_of
from rasa_privacy.minimize.known_values import ready
from rasa_privacy.minimize.masking import mask
from rasa_privacy.minimize.owners import Owners
from rasa_privacy.minimize.partials import mask_partials
from rasa_privacy.minimize.view import View
from rasa_privacy.policy.item_model import Ends
from rasa_privacy.policy.model import Policy

#: Stands where a text is not kept. Rasa needs some text; this one says why there is none.
WITHHELD: Final = "[withheld]"

#: Field of the parse data in which the minimizer says where it dropped something: `[start, end, item]`.
DROPPED: Final = "privacy_dropped"

#: The item in it of what belongs to none.
UNDECLARED: Final = "withheld"

#: How a button's payload begins.
INTENT_OF_PAYLOAD: Final = re.compile(r"/[^\s{@]+")


class KeptTexts(Owners):
    """Says what is kept of texts, by one privacy.yml and one domain.

    Args:
        policy: The privacy.yml in force.
        entity_slots: Which slots each entity fills, from the domain's mappings.

    Attributes:
        detection: What looks for personal data in texts.

    Raises:
        ConfigurationError: privacy.yml asks for a detector that is not installed.
    """

    def __init__(self, policy: Policy, entity_slots: Mapping[str, Collection[str]] | None = None) -> None:
        super().__init__(policy, entity_slots)
        self.detection = Detection(policy)

    def text(self, text: object, view: View, dropped: Sequence[Finding] = ()) -> str | None:
        """Return how much of a text may be kept or sent.

        Args:
            text: What a person or the bot said.
            view: The person's active purposes, known values and the turn.
            dropped: What in this very text is not kept, by item.
        """
        if text is None or text == "":
            return None
        if not isinstance(text, str) or view.privacy_turn or not view.active or self._policy.messages.keep == "none":
            return WITHHELD
        try:
            return self._masked(text, view, dropped)
        except DetectorError:
            return WITHHELD

    def _masked(self, text: str, view: View, dropped: Sequence[Finding]) -> str:
        findings = self.detection.find(text)
        if self._policy.messages.keep == "full":
            staying = {name for name, item in self._policy.items.items() if item.lasting is None}
            allowed = {self._policy.items[item].detect for item in staying if self.may_have(item, view)}
            others = {
                item: values
                for item, values in view.known.items()
                if item not in staying or not self.may_have(item, view)
            }
            gone = [finding for finding in findings if finding.kind not in allowed]
            gone += [each for each in dropped if each.kind not in staying or not self.may_have(each.kind, view)]
            return mask_partials(mask(text, gone, others), self._beginnings(others))
        return mask_partials(mask(text, [*findings, *dropped], view.known), self._beginnings(view.known))

    def _beginnings(self, known: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
        """Return the beginnings by which values are known that are kept in part."""
        # What belongs to no item is known as well, as "withheld".
        keeps = {item: self._policy.items[item].cut for item in known if item in self._policy.items}
        lengths = {item: keep.first for item, keep in keeps.items() if isinstance(keep, Ends)}
        return {item: {value[:length] for value in known[item]} for item, length in lengths.items() if length}

    def message_text(
        self, text: object, intent: Mapping[str, Any], parsed: Mapping[str, Any], view: View
    ) -> str | None:
        """Return how much of a person's message may be kept; of a button's payload only the intent.

        Args:
            text: What stands in the event.
            intent: The intent as it is kept.
            parsed: The event's parse data.
            view: The person's active purposes, known values and the turn.
        """
        if isinstance(text, str) and is_payload(text, intent.get("name")):
            return f"/{intent.get('name')}"
        dropped = self._dropped(parsed, text)
        if any(found.start == 0 and found.end == len(str(text)) and found.kind == UNDECLARED for found in dropped):
            return WITHHELD  # a long one would be looked through for itself
        return self.text(text, self._knowing(parsed, text, view), dropped)

    def _knowing(self, parsed: Mapping[str, Any], text: object, view: View) -> View:
        """Return the view that also knows what was recognised in this very message, kept or not."""
        more = self.known_values((), mappings_of(parsed.get("entities")))
        # Where it was recognised the message may say it in other words than its value: synonyms, spelt-out dates.
        for start, end, item in (*self._places(parsed), *self._said(parsed)):
            more.setdefault(item, set()).add(str(text)[start:end])
        return replace(view, known=ready(view.known).joined(more))

    def _dropped(self, parsed: Mapping[str, Any], text: object) -> list[Finding]:
        """Return where in the text stands what is not kept of it: what the minimizer dropped, and what never met it."""
        if not isinstance(text, str):
            return []
        found = [Finding(start, min(end, len(text)), item) for start, end, item in self._places(parsed)]
        said = Said(text)
        for entity in mappings_of(parsed.get("entities")):
            name = str(entity.get("entity"))
            # One of an item may stand in a text that was masked before; its value is known as those of slots are.
            if name not in self._entity_items and not self.is_plain_entity(name):
                found += [Finding(*place, UNDECLARED) for place in said.places(entity, None)]
        return [finding for finding in found if finding.start < finding.end]

    def _places(self, parsed: Mapping[str, Any]) -> Iterator[tuple[int, int, str]]:
        """Yield what the minimizer says it dropped; whoever reaches the HTTP API may say it too, of anything."""
        for start, end, item in dropped_of(parsed.get(DROPPED)):
            yield max(0, start), end, item if item in self._policy.items else UNDECLARED

    def _said(self, parsed: Mapping[str, Any]) -> Iterator[tuple[int, int, str]]:
        for entity in mappings_of(parsed.get("entities")):
            start, end, item = entity.get("start"), entity.get("end"), self._entity_items.get(str(entity.get("entity")))
            if type(start) is int and type(end) is int and item is not None:
                yield max(0, start), end, item


def is_payload(text: str, intent: object) -> bool:
    """Return whether Rasa read the message as a button's payload; "/stop" typed by a person is none."""
    found = INTENT_OF_PAYLOAD.match(text)
    return found is not None and found[0] == f"/{intent}"
