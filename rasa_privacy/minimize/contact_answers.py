"""The one contact in what a person said, such as the answer to "what is your email address?"."""

from collections.abc import Collection
from typing import Final

from rasa_privacy.errors import ContactError, DetectorError
from rasa_privacy.minimize.contacts import contact_forms
from rasa_privacy.minimize.detectors import find

_MAX_ANSWER_CHARACTERS: Final = 1000


def contact_in(text: str, kinds: Collection[str]) -> str | None:
    """Return the one contact in a message, or None where there is none or more than one, or the message is a story.

    Args:
        text: What a person said.
        kinds: Detectors to use: `email`, `phone`.
    """
    if len(text) > _MAX_ANSWER_CHARACTERS:
        return None
    try:
        found = {text[finding.start : finding.end] for finding in find(text, kinds)} if kinds else set()
        forms = {contact_forms(each) for each in found}
    except (ContactError, DetectorError):
        return None
    return found.pop() if len(forms) == 1 else None
