"""`rasa-privacy regulations`: which profiles there are, what one says, and what a newer one changes for this bot."""

import re
from datetime import date, datetime, timezone
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.policy_file import policy_file
from rasa_privacy.errors import ConfigurationError, PolicyError
from rasa_privacy.policy.bot import read_bot
from rasa_privacy.policy.lint_regulations import regulations as of_regulations
from rasa_privacy.policy.loader import load_policy, parse_policy
from rasa_privacy.policy.regulations import changes, figures, is_past_review, load_profile, newest, profiles

_WIDTH = 160
_UNKEPT_EXIT_CODE = 1


@click.group()
def regulations() -> None:
    """Look at the regulation profiles: list, show, diff, upgrade.

    Your own profiles are files in a folder 'regulations' beside privacy.yml; 'docs/regulations.md' has their form.
    """


@regulations.command(name="list")
@bot_option
@endpoints_option
def list_(bot: Path, endpoints: Path | None) -> None:
    """List every profile, and which of them privacy.yml names."""
    path = policy_file(bot, endpoints)
    named, wrong = _named(path)
    table = Table("profile", "used", "look again by", "title", box=None, pad_edge=False)
    for name in profiles(path.parent):
        try:
            profile = load_profile(name, path.parent)
        except PolicyError as error:
            table.add_row(name, "yes" if name in named else "", "", f"cannot be used: {error}")
            continue
        by = f"{profile.review_by}{' (past)' if is_past_review(profile, _today()) else ''}"
        table.add_row(name, "yes" if name in named else "", by, profile.title)
    Console(width=_WIDTH).print(table)
    if wrong is not None:
        raise wrong


@regulations.command()
@click.argument("profile")
@bot_option
@endpoints_option
def show(profile: str, bot: Path, endpoints: Path | None) -> None:
    """Show what a profile says, such as gdpr@2026-11: each figure with its article and how sure it is.

    Without a month it is the newest.
    """
    folder = policy_file(bot, endpoints).parent
    found = load_profile(profile if "@" in profile else newest(f"{profile}@", folder) or profile, folder)
    click.echo(f"{found.id}: {found.title}. To be looked at again by {found.review_by}.")
    for path, line in figures(found).items():
        click.echo(f"  {path}: {line}")


@regulations.command()
@click.argument("before")
@click.argument("after")
@bot_option
@endpoints_option
def diff(before: str, after: str, bot: Path, endpoints: Path | None) -> None:
    """Show what differs between two profiles."""
    folder = policy_file(bot, endpoints).parent
    _show_changes(changes(load_profile(before, folder), load_profile(after, folder)))


@regulations.command()
@click.option("--write", is_flag=True, help="Name the newer profiles in privacy.yml.")
@bot_option
@endpoints_option
def upgrade(bot: Path, endpoints: Path | None, *, write: bool) -> None:
    """Show what newer profiles change for this bot; nothing is written without --write.

    That is each figure that differs, and what this bot would not keep: then nothing is written either.
    """
    path = policy_file(bot, endpoints)
    folder = path.parent
    newer = {name: new for name in load_policy(path).regulations if (new := newest(name, folder)) is not None}
    text = path.read_text(encoding="utf-8")
    for name, new in newer.items():
        click.echo(f"{name} -> {new}")
        _show_changes(changes(load_profile(name, folder), load_profile(new, folder)))
        text = re.sub(rf"(?<![a-z0-9-]){re.escape(name)}\b", new, text)  # not within `uk-gdpr@...`
    unkept = _unkept(path, text) if newer else []
    for line in unkept:
        click.echo(f"This bot does not keep it: {line}")
    for line in _new_findings(bot, endpoints, path, text) if newer and not unkept else ():
        click.echo(f"'rasa-privacy check' would say: {line}")
    if not newer:
        click.echo("privacy.yml names the newest profile of each regulation.")
    elif unkept:
        click.echo("Nothing was written; mend that in privacy.yml first.")
        click.get_current_context().exit(_UNKEPT_EXIT_CODE)
    elif write:
        path.write_text(text, encoding="utf-8")
        click.echo(f"{path} names the newer profiles now. Run 'rasa-privacy check', and train again.")
    else:
        click.echo("Nothing was written; add --write to name the newer ones in privacy.yml.")


def _unkept(path: Path, text: str) -> list[str]:
    """Return what would be wrong in privacy.yml if it had this text."""
    try:
        parse_policy(text, str(path), path.parent)
    except PolicyError as error:
        return str(error).splitlines()
    return []


def _new_findings(bot: Path, endpoints: Path | None, path: Path, text: str) -> list[str]:
    """Return what `check` would find of the regulations if privacy.yml had this text, and does not find now."""
    try:
        files = read_bot(bot, None, endpoints)
    except ConfigurationError:
        return []  # there is no bot here, only its privacy.yml
    before, after = (
        [str(each) for each in of_regulations(files, policy, str(path), _today())]
        for policy in (load_policy(path), parse_policy(text, str(path), path.parent))
    )
    return [line for line in after if line not in before]


def _show_changes(lines: list[str]) -> None:
    for line in lines or ["nothing that a bot keeps differs"]:
        click.echo(f"  {line}")


def _named(path: Path) -> tuple[tuple[str, ...], PolicyError | None]:
    """Return the profiles that privacy.yml names, none outside a bot's folder; and what is wrong with it."""
    try:
        return (load_policy(path).regulations if path.exists() else ()), None
    except PolicyError as error:
        return (), error


def _today() -> date:
    return datetime.now(timezone.utc).date()
