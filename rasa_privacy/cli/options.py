"""Options that several subcommands share."""

from pathlib import Path
from typing import Final

import click

_FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)
_ANY: Final = click.Path(exists=True, path_type=Path)


def called_from(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Return a file as it counts where the command was called, or `-`: a store's paths count from the bot's folder."""
    return value if value == "-" else str(Path(value).absolute())


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
out_option = click.option(
    "--out",
    default="-",
    show_default=True,
    callback=called_from,
    help="File to write, readable for you alone; - for the output.",
)
