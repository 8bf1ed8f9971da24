"""Where a bot's privacy.yml is, without its domain being read."""

from pathlib import Path

from rasa_privacy.cli.store import endpoints_file
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.settings import load_settings


def policy_file(bot: Path, endpoints: Path | None) -> Path:
    """Return what the endpoints file names, or `privacy.yml` in the bot's folder.

    Args:
        bot: The bot's folder.
        endpoints: Endpoints file; otherwise what `RASA_PRIVACY_ENDPOINTS` says, or `endpoints.yml` in the folder.
    """
    try:
        return bot / load_settings(endpoints_file(bot, endpoints)).privacy
    except ConfigurationError:
        return bot / "privacy.yml"
