"""Where a bot's privacy.yml is, without its domain being read."""

import os
from pathlib import Path

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.settings import ENDPOINTS_VARIABLE, load_settings


def policy_file(bot: Path, endpoints: Path | None) -> Path:
    """Return what the endpoints file names, or `privacy.yml` in the bot's folder.

    Args:
        bot: The bot's folder.
        endpoints: Endpoints file; otherwise what `RASA_PRIVACY_ENDPOINTS` says, or `endpoints.yml` in the folder.
    """
    named = os.environ.get(ENDPOINTS_VARIABLE)
    try:
        return bot / load_settings(endpoints or (Path(named) if named else bot / "endpoints.yml")).privacy
    except ConfigurationError:
        return bot / "privacy.yml"
