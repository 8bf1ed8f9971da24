"""The importer stops training where config.yml lacks what holds the doors."""

from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.errors import ConfigurationError

pytestmark = [pytest.mark.rasa]

MINIMIZER = {"name": "rasa_privacy.DataMinimizer"}
POLICY = {"name": "rasa_privacy.ConsentPolicy"}
OTHER = {"name": "Other"}


@pytest.mark.parametrize(
    ("pipeline", "policies", "words"),
    [
        ([], [POLICY], "must be the last"),
        (None, [POLICY], "must be the last"),
        ([MINIMIZER, OTHER], [POLICY], "must be the last"),
        ([OTHER, MINIMIZER], [], "not among"),
        ([OTHER, MINIMIZER], [OTHER], "not among"),
    ],
)
def test_config_without_the_doors_stops_training(pipeline: Any, policies: Any, words: str) -> None:
    """Minimizer missing or not last, or no policy: each is named with its file."""
    from rasa_privacy.components.importer import check_components  # noqa: PLC0415 - imports rasa

    with pytest.raises(ConfigurationError, match=f"config.yml.*{words}"):
        check_components({"pipeline": pipeline, "policies": policies}, Path("config.yml"))


def test_complete_config_is_accepted() -> None:
    """The minimizer last and the policy anywhere are enough, and neither of the two can be spared."""
    from rasa_privacy.components.importer import check_components  # noqa: PLC0415 - as above

    def is_accepted(config: Any) -> bool:
        try:
            check_components(config, Path("config.yml"))
        except ConfigurationError:
            return False
        return True

    assert is_accepted({"pipeline": [OTHER, MINIMIZER], "policies": [POLICY, OTHER]})
    assert not is_accepted({"pipeline": [OTHER], "policies": [POLICY, OTHER]})
    assert not is_accepted({"pipeline": [OTHER, MINIMIZER], "policies": [OTHER]})
