"""Options that several subcommands share."""

from pathlib import Path
from typing import Final

import click

_FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)
_ANY: Final = click.Path(exists=True, path_type=Path)

bot_option = click.option(
    "--bot", type=_FOLDER, default=Path(), show_default="the current folder", help="The bot's folder."
)
domain_option = click.option(
    "--domain",
    type=_ANY,
    default=None,
    help="Domain file or folder. [default: domain.yml or domain/ in the bot's folder]",
)
endpoints_option = click.option(
    "--endpoints",
    type=click.Path(path_type=Path),
    default=None,
    help="Endpoints file. [default: RASA_PRIVACY_ENDPOINTS, or endpoints.yml in the bot's folder]",
)
