"""`rasa-privacy subject erase --item` and `--purpose`: a part of what is held of one person, or what would go."""

from collections.abc import Sequence

import click

from rasa_privacy.cli.acting import permit_for
from rasa_privacy.policy.counted import counted
from rasa_privacy.rights.parts import Plan, merged
from rasa_privacy.rights.staff import COMMAND_LINE
from rasa_privacy.rights.staff_deletion import erase_part, plan_part
from rasa_privacy.storage.vault import Vault

_NOBODY = "Nothing is stored of this sender."


def erase_part_of(vault: Vault, sender_id: str, items: Sequence[str], purposes: Sequence[str], *, yes: bool) -> None:
    """Delete items and purposes of a person, or say what would go.

    Raises:
        PrivacyError: As `staff_deletion.erase_part`.
    """
    permit = permit_for(vault, "erase")
    if not yes:
        found = plan_part(vault, sender_id, items, purposes, permit_for(vault, "view"))
        click.echo(_NOBODY if found is None else "Nothing was deleted: say --yes to delete this.")
        _say(found, "goes")
        return
    done = erase_part(vault, sender_id, items, purposes, permit, channel=COMMAND_LINE)
    if done is None:
        click.echo(_NOBODY)
        return
    for each in done:
        click.echo(f"Deleted and read back: certificate {each.certificate.number}.")
    _say(merged(each.plan for each in done), "is gone")
    if not done:
        click.echo("Nothing of it is held.")


def _say(found: Plan | None, goes: str) -> None:
    if found is None:
        return
    for (purpose, item), number in found.different.items():
        click.echo(f"{item} ({purpose}) {goes}: {counted(number, 'value')}")
    for name in found.ends:
        click.echo(f"the consent to {name} ends")
    for each in found.stays:
        why = "a legal obligation" if each.why == "law" else "held for another purpose"
        click.echo(f"{each.item} ({each.purpose}) stays: {why}")
