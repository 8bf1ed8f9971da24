"""The names that privacy.yml may use for detectors are those that there are."""

from rasa_privacy.minimize.detectors import DETECTORS
from rasa_privacy.minimize.presidio import KINDS
from rasa_privacy.policy.detector_names import DETECTOR_NAMES, PRESIDIO_NAMES


def test_each_name_has_its_detector() -> None:
    """No declared detector is missing, and none exists that cannot be declared."""
    assert set(DETECTOR_NAMES) == set(DETECTORS)
    assert set(PRESIDIO_NAMES) == set(KINDS.values())
