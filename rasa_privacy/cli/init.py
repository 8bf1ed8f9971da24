"""`rasa-privacy init`: a first privacy.yml for a bot that exists, and the lines that switch the plug-ins on."""

from pathlib import Path
from typing import Final

import click

from rasa_privacy.cli.additions import explained
from rasa_privacy.cli.draft import draft_of, write
from rasa_privacy.cli.options import bot_option, domain_option
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.bot import read_bot
from rasa_privacy.policy.loader import parse_policy

_NEXT: Final = """
Keep the key folder and the database out of version control, and back the keys up apart from the database.
Then: rasa-privacy check, rasa train, and start the bot and its action server in this folder."""


@click.command()
@bot_option
@domain_option
def init(bot: Path, domain: Path | None) -> None:
    """Write a privacy.yml for a bot, guessed from its domain, and print the lines to add to its other files.

    Nothing that exists is changed: an existing privacy.yml is an error. What the guess cannot know is marked REVIEW.
    """
    files = read_bot(bot, domain)
    path = bot / "privacy.yml"
    text = write(draft_of(files.domain))
    parse_policy(text, str(path))  # what is written must load
    _write_new(path, text)
    click.echo(f"Wrote {path}. Read it line by line; what to decide is marked REVIEW.")
    for line in explained(files):
        click.echo(line)
    click.echo(_NEXT)


def _write_new(path: Path, text: str) -> None:
    """Write a file that must not exist yet.

    Raises:
        ConfigurationError: It exists, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError(f"{path}: the file exists, and init never overwrites; move it away first") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: the file cannot be written ({error.strerror})") from None
