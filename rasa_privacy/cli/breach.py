"""`rasa-privacy breach`: what was touched, for the notice within 72 hours (GDPR Art. 33)."""

from datetime import datetime, timezone
from pathlib import Path

import click
import msgspec

from rasa_privacy.access.recording import record_now
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.store import existing_store
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.report.breach import NOTIFY_WITHIN, Scope
from rasa_privacy.report.breach import scope as scope_of
from rasa_privacy.report.status import new_records

_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])


@click.group()
def breach() -> None:
    """Count who and what was touched, for the 72-hour notification."""


@breach.command()
@click.option("--since", type=_MOMENT, required=True, help="When it began (UTC).")
@click.option("--until", type=_MOMENT, required=True, help="When it was over (UTC).")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@operator_options
@bot_option
@endpoints_option
def scope(since: datetime, until: datetime, *, as_json: bool, bot: Path, endpoints: Path | None) -> None:
    """Count people, items and operators in a time, by the audit log; what is new in it is verified first.

    Run `rasa-privacy audit verify` before where you doubt the old records too.
    """
    begin, end = since.replace(tzinfo=timezone.utc), until.replace(tzinfo=timezone.utc)
    if end <= begin:
        raise ConfigurationError("breach scope: --until must be after --since; nothing lies between them")
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "audit")
        found = scope_of(vault, permit, begin, end)
        record_now(vault, permit, counts={"people": found.people})
        now = vault.clock()
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    for line in _lines(found):
        click.echo(line)
    click.echo(
        f"Who learns of it now must tell the authority by {now + NOTIFY_WITHIN:%Y-%m-%d %H:%M} (GDPR Art. 33(1))."
    )


def _lines(found: Scope) -> list[str]:
    said = ", ".join(f"{name} {number:,}" for name, number in found.by_verb.items()) or "nothing"
    who = ", ".join(f"{name} {number:,}" for name, number in found.by_operator.items()) or "nobody"
    return [
        f"From {found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} (UTC), by the audit log:",
        f"People whose data operators touched one by one: {found.people:,}.",
        f"What people did themselves in the chat, beside that: {found.own_acts:,}.",
        f"People in audiences that were handed out: {found.handed_out:,}.",
        f"What was done: {said}; refused: {found.refused:,}.",
        f"By whom: {who}.",
        f"Items: {', '.join(found.items) or 'none'}. Purposes: {', '.join(found.purposes) or 'none'}.",
        f"People whose consent changed in this time: {found.changed:,}.",
        (
            f"The audit log was verified whole on {found.whole_at:%Y-%m-%d %H:%M}, and {new_records(found.new)} since; "
            "'rasa-privacy audit verify' goes through all of it now."
        ),
        f"If the database was taken, all {found.everybody:,} people in it count; without its keys it cannot be read.",
    ]
