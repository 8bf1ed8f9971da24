"""`rasa-privacy operator`: who may act for the controller, and with which token."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from rasa_privacy.access.operators import MAX_TOKEN_DAYS, TOKEN_DAYS, add_operator, renew_token, revoke_operator
from rasa_privacy.access.recording import record_now
from rasa_privacy.cli.acting import TOKEN_VARIABLE, operator_options, permit_for
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.store import existing_store
from rasa_privacy.storage.operators import OperatorRow
from rasa_privacy.storage.vault import Vault

days_option = click.option(
    "--days",
    type=click.IntRange(1, MAX_TOKEN_DAYS),
    default=TOKEN_DAYS,
    show_default=True,
    help="How long the token lasts.",
)


@click.group()
def operator() -> None:
    """Look after operators: add, list, revoke, token.

    Their roles stand in privacy.yml. Once there is an operator, commands that touch personal data ask for a token in
    the variable RASA_PRIVACY_TOKEN.
    """


@operator.command()
@click.argument("name")
@click.option(
    "--role", "roles", multiple=True, required=True, help="A role of privacy.yml; may be given more than once."
)
@days_option
@operator_options
@bot_option
@endpoints_option
def add(name: str, *, roles: tuple[str, ...], days: int, bot: Path, endpoints: Path | None) -> None:
    """Add an operator and show the token, once. The first one must be one who may look after operators."""
    with existing_store(bot, endpoints) as vault:
        token = add_operator(vault, permit_for(vault, "operators"), name, roles, days=days)
    _show_token(token, days)


@operator.command()
@click.argument("name")
@days_option
@operator_options
@bot_option
@endpoints_option
def token(name: str, *, days: int, bot: Path, endpoints: Path | None) -> None:
    """Give an operator a new token and show it, once. The old one ends now."""
    with existing_store(bot, endpoints) as vault:
        made = renew_token(vault, permit_for(vault, "operators"), name, days=days)
    _show_token(made, days)


@operator.command()
@click.argument("name")
@click.option("--last", is_flag=True, help="Also the last one who could add any other operator.")
@operator_options
@bot_option
@endpoints_option
def revoke(name: str, *, last: bool, bot: Path, endpoints: Path | None) -> None:
    """Revoke an operator, also where they are logged in. The name is not used again."""
    with existing_store(bot, endpoints) as vault:
        revoke_operator(vault, permit_for(vault, "operators"), name, last=last)
    click.echo(f"Operator '{name}' is revoked.")


@operator.command("list")
@operator_options
@bot_option
@endpoints_option
def list_operators(*, bot: Path, endpoints: Path | None) -> None:
    """List the operators, their roles, and until when their tokens last."""
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "operators")
        with vault.database.read() as connection:
            rows = vault.operators.all(connection)
        record_now(vault, permit, counts={"listed": len(rows)})
        table = Table("name", "roles", "since (UTC)", "token until", "state", box=None, pad_edge=False)
        for row in rows:
            days = (f"{day:%Y-%m-%d}" for day in (row.created_at, row.expires_at))
            table.add_row(row.name, ", ".join(row.roles), *days, _state(vault, row))
    if rows:
        Console(width=120).print(table)
    else:
        click.echo("There are no operators: whoever has this machine may do everything, and is recorded by user name.")


def _state(vault: Vault, row: OperatorRow) -> str:
    now = vault.clock()
    if row.revoked_at is not None:
        return f"revoked {row.revoked_at:%Y-%m-%d}"
    if row.expires_at <= now:
        return "token over"
    if row.locked_until is not None and row.locked_until > now:
        return f"locked until {row.locked_until:%Y-%m-%d %H:%M}"
    missing = [role for role in row.roles if role not in vault.policy.roles]
    return f"role '{missing[0]}' is not in privacy.yml" if missing else "active"


def _show_token(made: str, days: int) -> None:
    """Show a token: it alone on the output, so that it can be piped to where it belongs."""
    click.echo(made)
    click.echo(f"It lasts {days} days, and is not shown again: put it into {TOKEN_VARIABLE}.", err=True)
