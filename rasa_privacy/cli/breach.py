"""`rasa-privacy breach`: what was touched, and whom to tell of it by when (GDPR Art. 33 and the like)."""

from datetime import datetime, timezone
from pathlib import Path

import click
import msgspec

from rasa_privacy.access.recording import record_now
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.store import existing_store
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.counted import counted
from rasa_privacy.report.breach import Duty, Scope
from rasa_privacy.report.breach import scope as scope_of
from rasa_privacy.report.status import new_records

_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])


@click.group()
def breach() -> None:
    """Count who and what was touched, and say whom to tell by when (72 hours in the EU)."""


@breach.command()
@click.option("--since", type=_MOMENT, required=True, help="When it began (UTC).")
@click.option("--until", type=_MOMENT, required=True, help="When it was over (UTC).")
@click.option("--learned", type=_MOMENT, help="When you learned of it (UTC); terms run from then. [default: now]")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@operator_options
@bot_option
@endpoints_option
def scope(  # noqa: PLR0913 - the times, the form, and where the bot is
    since: datetime, until: datetime, learned: datetime | None, *, as_json: bool, bot: Path, endpoints: Path | None
) -> None:
    """Count people, items and operators in a time, by the audit log; what is new in it is verified first.

    Says whom the regulations of privacy.yml want told, and by when.

    Run `rasa-privacy audit verify` before where you doubt the old records too.
    """
    begin, end = since.replace(tzinfo=timezone.utc), until.replace(tzinfo=timezone.utc)
    if end <= begin:
        raise ConfigurationError("breach scope: --until must be after --since; nothing lies between them")
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "audit")
        learned_at = None if learned is None else learned.replace(tzinfo=timezone.utc)
        found = scope_of(vault, permit, begin, end, learned_at)
        record_now(vault, permit, counts={"people": found.people})
        now = vault.clock()
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    for line in _lines(found):
        click.echo(line)
    click.echo(f"Whom to tell, where it was learned of on {found.learned_at:%Y-%m-%d %H:%M}:")
    for duty in found.tell:
        click.echo(f"  {_told(duty, found.learned_at, now)}")
    if found.silent:
        click.echo(f"No term stands in the profiles of {', '.join(found.silent)}; ask your officer.")


def _told(duty: Duty, learned_at: datetime, now: datetime) -> str:
    when = "without delay" if duty.by == learned_at else f"by {duty.by:%Y-%m-%d %H:%M}"
    late = ", which is over: tell it without delay, and why so late" if learned_at < duty.by < now else ""
    return f"{duty.whom}, {when} ({duty.regulation}: {duty.article}; {duty.confidence}){late}."


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
        (
            f"If the database was taken, everybody in it counts ({counted(found.everybody, 'person')}); without its "
            "keys it cannot be read."
        ),
    ]
