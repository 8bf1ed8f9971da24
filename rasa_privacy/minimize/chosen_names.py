"""Names that somebody chose: an action, a caller or an extractor may name anything after a person.

What should be a name and says something of a person is none.
"""

from typing import Final

from rasa_privacy.errors import DetectorError
from rasa_privacy.minimize.detectors import find
from rasa_privacy.minimize.event_fields import field_of, name_of
from rasa_privacy.minimize.masking import mask
from rasa_privacy.minimize.view import View

#: What the builder names of an entity, with any signs.
_CHOSEN: Final = ("role", "group")


def chosen_name(name: object, view: View) -> str | None:
    """Return what an action named something, if nothing is said in it: a reminder may be named after a sender id."""
    named = name_of(name)
    return None if named is None or says_something(named, view) else named


def says_something(name: str, view: View) -> bool:
    """Return whether there is a value in what should be a name: an action may make a button of anything."""
    try:
        return mask(name, find(name), view.known) != name
    except DetectorError:
        return True


def entity_field(name: str, found: object, view: View) -> object:
    """Return what an extractor says of an entity beside its value, without what only a person can have said."""
    if isinstance(found, list):
        return [part for part in map(name_of, found) if part is not None]
    if name == "entity":
        return found  # one of the bot's: others are not kept
    if name not in _CHOSEN:
        return field_of(name, found)
    return None if not isinstance(found, str) or says_something(found, view) else found
