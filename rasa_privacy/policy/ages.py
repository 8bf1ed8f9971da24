"""From which age people may consent for themselves (GDPR Art. 8(1)), by `profiles/age_of_consent.yml`."""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

import yaml

from rasa_privacy.policy.model import AgeByCountry, Policy


def minimum_age(policy: Policy, slots: Mapping[str, object]) -> int | None:
    """Return the age in years that somebody must have, or None where privacy.yml names none.

    Args:
        policy: What privacy.yml says.
        slots: Values of the conversation's slots; the one with the country may hold anything.
    """
    declared = policy.minimum_age
    if not isinstance(declared, AgeByCountry):
        return declared
    return _ages().get(str(slots.get(declared.slot) or "").strip().upper(), declared.otherwise)


@lru_cache(maxsize=1)
def _ages() -> dict[str, int]:
    text = files(__package__).joinpath("profiles").joinpath("age_of_consent.yml").read_text(encoding="utf-8")
    ages: dict[str, int] = yaml.safe_load(text)
    return ages
