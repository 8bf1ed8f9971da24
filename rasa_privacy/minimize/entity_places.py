"""Where in a text an entity was said: what is not kept of it has to be taken out of the text as well.

An extractor may say nothing of it, or something wrong, so its word counts only where the value stands there. Rules:

1. Each place where the value stands as a known value does (`masking`) is one, whatever the extractor says.
2. A value that was put in other words stands nowhere. The extractor's place counts then where it says what stood there
   (`text`, as Duckling does) or that the value was changed (`processors`, as synonyms are), and of an entity
   without a value.
3. Otherwise the whole text is the place: nobody knows which part of it was meant. A value without a place that belongs
   to no item may be a mark for the message, such as its mood, and has none.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from rasa_privacy.minimize.event_fields import texts_of
from rasa_privacy.minimize.masking import Places

Place = tuple[int, int]


class Said:
    """Finds where the entities of one message were said.

    Args:
        text: The message as it was typed.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[str, list[Place]] = {}

    def places(self, entity: Mapping[str, Any], item: str | None) -> list[Place]:
        """Return the places `(start, end)` of an entity, the first first.

        Args:
            entity: As an extractor gives it.
            item: What the entity carries; None for no item's.
        """
        values = list(texts_of(entity.get("value")))
        found = [self._places_of(value) for value in values]
        places = {place for each in found for place in each}
        told = _told(entity, self._text)
        if told is not None and (not values or _is_changed(entity, self._text[slice(*told)])):
            return sorted({*places, told})
        is_known = bool(values) and all(found)
        is_somewhere = _has_place(entity) or (item is not None and bool(values))
        return [(0, len(self._text))] if is_somewhere and not is_known else sorted(places)

    def _places_of(self, value: str) -> list[Place]:
        if value not in self._found:
            self._found[value] = self._whole.of(value) or list(self._within_words(value))
        return self._found[value]

    @cached_property
    def _whole(self) -> Places:
        return Places(self._text)

    def _within_words(self, value: str) -> Iterator[Place]:
        lower = self._text.lower()
        if len(lower) == len(self._text):
            yield from (each.span() for each in re.finditer(re.escape(value.lower()), lower))


def _told(entity: Mapping[str, Any], text: str) -> Place | None:
    start, end = entity.get("start"), entity.get("end")
    if type(start) is int and type(end) is int and 0 <= start < end <= len(text) and text[start:end].strip():
        return start, end
    return None


def _has_place(entity: Mapping[str, Any]) -> bool:
    return entity.get("start") is not None or entity.get("end") is not None


def _is_changed(entity: Mapping[str, Any], said: str) -> bool:
    return entity.get("text") == said or bool(entity.get("processors"))
