"""The privacy.yml that a component's block in config.yml names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rasa_privacy.policy.loader import load_policy
from rasa_privacy.policy.model import Policy


def configured_policy(config: Mapping[str, Any]) -> Policy:
    """Load the privacy.yml that `privacy:` names, relative to the folder in which Rasa runs."""
    return load_policy(Path(str(config.get("privacy") or "privacy.yml")))
