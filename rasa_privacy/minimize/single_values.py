"""What somebody typed as one value: an address, a number, a name."""

from typing import Final

from rasa_privacy.dialogue.named_requests import clean_value
from rasa_privacy.errors import DetectorError
from rasa_privacy.minimize.contact_answers import contact_in
from rasa_privacy.minimize.detectors import find
from rasa_privacy.policy.detector_names import PRESIDIO_NAMES

_CONTACTS: Final = ("email", "phone")


def single_value(text: str, detector: str | None) -> str | None:
    """Return the one value in a text, or None where there is none, or more than one.

    Args:
        text: What a person typed.
        detector: What finds values of its kind. A kind without one, or that a model guesses, has no form: there the
            text is the value.
    """
    if detector is None or detector in PRESIDIO_NAMES:
        return clean_value(text) or None
    if detector in _CONTACTS:
        return contact_in(text, (detector,))
    try:
        found = {text[finding.start : finding.end] for finding in find(text, (detector,))}
    except DetectorError:
        return None
    return found.pop() if len(found) == 1 else None
