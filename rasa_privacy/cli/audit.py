"""`rasa-privacy audit`: who did what with personal data, and whether that record is whole."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rasa_privacy.access.exported import (
    cef_lines,
    export_audit,
    plain_json,
    read_checkpoint,
    verify_audit_export,
    within,
)
from rasa_privacy.access.labels import shown_label
from rasa_privacy.access.recording import record_now, recording
from rasa_privacy.access.reviews import pending_reviews
from rasa_privacy.access.reviews import review as note_review
from rasa_privacy.access.verification import standing_of, whole_audit
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.checking import (
    FILE,
    checkpoints_said,
    end_as_changed,
    kept_key,
    kept_option,
    key_option,
    note_verified,
    say_whose_key,
)
from rasa_privacy.cli.files import read_bytes, write_private
from rasa_privacy.cli.options import bot_option, called_from, endpoints_option, out_option
from rasa_privacy.cli.store import existing_store
from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import AuditError, ConfigurationError
from rasa_privacy.policy.counted import counted
from rasa_privacy.policy.verbs import AUDITED
from rasa_privacy.storage.audit import Verified, Wanted
from rasa_privacy.storage.audit_record import OUTCOMES, AuditEntry
from rasa_privacy.storage.book_lines import checkpoint_json
from rasa_privacy.storage.books import AUDIT
from rasa_privacy.storage.checkpoints import Checkpoint
from rasa_privacy.storage.vault import Vault

_SHOWN: Final = 50
_MOMENTS: Final = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")

since_option = click.option("--since", type=click.DateTime(_MOMENTS), help="Not before this, in UTC.")
until_option = click.option("--until", type=click.DateTime(_MOMENTS), help="Before this, in UTC.")


@click.group()
def audit() -> None:
    """Look into the audit log: verify, show, export, review, checkpoint.

    Every read of personal data by an operator, every export, change, deletion, key operation and refusal is in it,
    without values. Nothing is ever deleted from it.
    """


@audit.command()
@key_option
@kept_option
@click.option("--export", "exported", type=FILE, help="Check this exported log instead, without the store.")
@bot_option
@endpoints_option
def verify(
    key_file: Path | None, kept: tuple[Path, ...], exported: Path | None, bot: Path, endpoints: Path | None
) -> None:
    """Check that no record was edited, removed, inserted or reordered; name the first one otherwise (exit code 1).

    With a key and checkpoints that you kept elsewhere it also finds that the whole database was put back to an older
    state or replaced by another one. `rasa-privacy consent public-key` prints the key. Reports go on from here, and the
    log notes that it was verified.
    """
    key = kept_key(key_file)
    try:
        checkpoints = [read_checkpoint(read_bytes(path)) for path in kept]
        checked = _verify_file(exported, key, checkpoints) if exported else _verify(bot, endpoints, key, checkpoints)
    except AuditError as error:
        end_as_changed("written", error)
    click.echo(
        f"As it was written: {counted(checked.records, 'record')}, "
        f"{checkpoints_said(checked.checkpoints, checked.covered)}."
    )
    say_whose_key(exported, key)


def _verify_file(exported: Path, key: VerifyingKey | None, kept: list[Checkpoint]) -> Verified:
    with exported.open("rb") as lines:
        return verify_audit_export(lines, key, kept)


def _verify(bot: Path, endpoints: Path | None, key: VerifyingKey | None, kept: list[Checkpoint]) -> Verified:
    with existing_store(bot, endpoints) as vault:
        with vault.database.read() as connection:
            found = whole_audit(vault, connection, key, kept)
            standing = standing_of(connection, AUDIT, found, vault.clock())
        note_verified(vault, audit=standing)
    return found


@audit.command()
@click.option("--operator", help="Only of this operator, by name also where the log has pseudonyms.")
@click.option("--verb", type=click.Choice(sorted(AUDITED)), help="Only of this kind.")
@click.option("--outcome", type=click.Choice(sorted(OUTCOMES)), help="Only what ended so.")
@click.option("--subject", metavar="HEX", help="Only about this person: the random id that other records show.")
@since_option
@until_option
@click.option("--last", type=click.IntRange(1, 10_000), default=_SHOWN, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
@operator_options
@bot_option
@endpoints_option
def show(  # noqa: PLR0913 - one parameter for each option
    *,
    operator: str | None,
    verb: str | None,
    outcome: str | None,
    subject: str | None,
    since: datetime | None,
    until: datetime | None,
    last: int,
    as_json: bool,
    bot: Path,
    endpoints: Path | None,
) -> None:
    """Show the newest records, the last one at the bottom. That you looked is recorded too."""
    person, begin, end = _subject(subject), *_between(since, until)
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "audit")
        label = None if operator is None else shown_label(vault, operator)
        wanted = Wanted(label, verb, outcome, person, begin, end)
        with vault.database.read() as connection:
            found = vault.audit.newest(connection, wanted, last)
        record_now(vault, permit, counts={"records": len(found)})
    if as_json:
        for entry in found:
            click.echo(msgspec.json.encode(plain_json(entry)).decode())
    else:
        Console(width=160).print(_table(found))


def _table(found: list[AuditEntry]) -> Table:
    table = Table("record", "at (UTC)", "operator", "role", "verb", "outcome", "person", "what", "reason", box=None)
    for seq, each, _link in found:
        counts = (f"{count:,} {name}" for name, count in sorted(each.counts.items()))
        what = ", ".join((*each.purposes, *each.items, *counts))
        person = each.subject_id.hex() if each.subject_id else ""
        when = f"{each.at:%Y-%m-%d %H:%M:%S}"
        reason = Text(each.reason)  # free text, in which "[...]" is no markup
        table.add_row(str(seq), when, each.operator, each.role, each.verb, each.outcome, person, what, reason)
    return table


@audit.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), callback=called_from)
@click.option(
    "--format",
    "form",
    type=click.Choice(("json", "cef")),
    default="json",
    show_default=True,
    help="JSON lines that `verify --export` checks, or CEF for a SIEM.",
)
@since_option
@until_option
@operator_options
@bot_option
@endpoints_option
def export(  # noqa: PLR0913 - one parameter for each option
    file: str,
    *,
    form: str,
    since: datetime | None,
    until: datetime | None,
    bot: Path,
    endpoints: Path | None,
) -> None:
    """Write the audit log to a file, readable for you alone; - for the output.

    JSON lines hold the whole log, since a part of it proves nothing; CEF may be of a time.
    """
    if form == "json" and (since or until):
        raise ConfigurationError(
            "audit export: --since and --until go with --format cef; JSON lines hold the whole log"
        )
    begin, end = _between(since, until)
    with existing_store(bot, endpoints) as vault, recording(vault, permit_for(vault, "audit")) as counts:
        signed = _signed(vault)
        with vault.database.read() as connection:
            if form == "json":
                write_private(file, export_audit(vault, connection, signed))
            else:
                found = within(vault.audit.entries(connection), begin, end)
                write_private(file, cef_lines(found, vault.signer.store_id))
        counts["records"] = signed.seq
    click.echo(f"{counted(signed.seq, 'record')} up to checkpoint {signed.number:,}.", err=True)


@audit.command()
@click.argument("record", type=click.IntRange(min=1), required=False)
@operator_options
@bot_option
@endpoints_option
def review(record: int | None, *, bot: Path, endpoints: Path | None) -> None:
    """List the emergencies that nobody has looked at yet, or say that you looked at one: its RECORD, and --reason."""
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "audit")
        if record is not None:
            note_review(vault, permit, record)
            click.echo(f"Record {record:,} is reviewed.")
            return
        with vault.database.read() as connection:
            waiting = pending_reviews(vault, connection)
        record_now(vault, permit, counts={"records": len(waiting)})
    if waiting:
        Console(width=160).print(_table(waiting))
    click.echo(f"{len(waiting):,} wait for a review.")


@audit.command()
@out_option
@bot_option
@endpoints_option
def checkpoint(out: str, bot: Path, endpoints: Path | None) -> None:
    """Sign the log as it is, and print the checkpoint. Keep it elsewhere, for `verify --checkpoint`."""
    with existing_store(bot, endpoints) as vault:
        write_private(out, [checkpoint_json(_signed(vault), vault.signer.store_id)])


def _signed(vault: Vault) -> Checkpoint:
    made = vault.database.transact(vault.audit.checkpoint)
    if made is None:
        raise ConfigurationError(f"{vault.database.name}: the audit log is empty; there is nothing to sign yet")
    return made


def _between(since: datetime | None, until: datetime | None) -> tuple[datetime | None, datetime | None]:
    """Return both in UTC."""
    begin, end = (None if each is None else each.replace(tzinfo=timezone.utc) for each in (since, until))
    if begin is not None and end is not None and end <= begin:
        raise ConfigurationError("audit: --until must be after --since; nothing lies between them")
    return begin, end


def _subject(text: str | None) -> bytes | None:
    try:
        return None if text is None else bytes.fromhex(text)
    except ValueError:
        raise ConfigurationError(
            "audit show: --subject is 32 hexadecimal digits, as `audit show` prints them"
        ) from None
