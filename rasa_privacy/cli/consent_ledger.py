"""The commands of `rasa-privacy consent` on the whole ledger, and the check of a receipt."""

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from rasa_privacy.access.recording import recording
from rasa_privacy.access.verification import standing_of, whole_ledger
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.checking import (
    FILE,
    checkpoints_said,
    end_as_changed,
    kept_key,
    kept_option,
    key_option,
    key_or_store,
    key_or_store_option,
    note_verified,
    say_whose_key,
)
from rasa_privacy.cli.files import read_bytes, write_private
from rasa_privacy.cli.options import bot_option, called_from, endpoints_option, out_option
from rasa_privacy.cli.store import existing_store
from rasa_privacy.consent.exported import export_ledger, read_checkpoint, verify_export
from rasa_privacy.consent.receipts import open_receipt
from rasa_privacy.consent.statistics import count_consents
from rasa_privacy.consent.verification import Checked
from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import ConfigurationError, LedgerError, SignatureError
from rasa_privacy.policy.counted import counted
from rasa_privacy.storage.book_lines import checkpoint_json
from rasa_privacy.storage.books import LEDGER
from rasa_privacy.storage.checkpoints import Checkpoint
from rasa_privacy.storage.vault import Vault

_STATUSES = ("granted", "refused", "withdrawn", "expired", "superseded")


@click.command()
@bot_option
@endpoints_option
def stats(bot: Path, endpoints: Path | None) -> None:
    """Count the people by purpose and last answer. Deleted people are in it: their records stay, without them."""
    with existing_store(bot, endpoints) as vault, vault.database.read() as connection:
        counts = list(count_consents(vault, connection, vault.clock()))
    table = Table("purpose", *_STATUSES, box=None, pad_edge=False)
    for each in counts:
        name = each.purpose if each.is_declared else f"{each.purpose} (not a purpose of privacy.yml)"
        table.add_row(name, *(f"{each.statuses.get(status, 0):,}" for status in _STATUSES))
    Console(width=140).print(table)


@click.command()
@key_option
@kept_option
@click.option("--export", "exported", type=FILE, help="Check this exported ledger instead, without the store.")
@bot_option
@endpoints_option
def verify(
    key_file: Path | None, kept: tuple[Path, ...], exported: Path | None, bot: Path, endpoints: Path | None
) -> None:
    """Check that no record was edited, removed, inserted or reordered; name the first one otherwise (exit code 1).

    With a key and checkpoints that you kept elsewhere it also finds that the whole database was put back to an older
    state or replaced by another one.
    """
    key = kept_key(key_file)
    checkpoints = [read_checkpoint(read_bytes(path)) for path in kept]
    try:
        checked = _verify_file(exported, key, checkpoints) if exported else _verify(bot, endpoints, key, checkpoints)
    except LedgerError as error:
        end_as_changed("written", error)
    click.echo(
        f"As it was written: {counted(checked.records, 'record')}, {counted(checked.notices, 'notice')}, "
        f"{checkpoints_said(checked.checkpoints, checked.covered)}."
    )
    say_whose_key(exported, key)


def _verify_file(exported: Path, key: VerifyingKey | None, kept: list[Checkpoint]) -> Checked:
    with exported.open("rb") as lines:
        return verify_export(lines, key, kept)


def _verify(bot: Path, endpoints: Path | None, key: VerifyingKey | None, kept: list[Checkpoint]) -> Checked:
    with existing_store(bot, endpoints) as vault:
        with vault.database.read() as connection:
            found = whole_ledger(vault, connection, key, kept)
            standing = standing_of(connection, LEDGER, found, vault.clock())
        note_verified(vault, ledger=standing)
    return found


@click.command()
@out_option
@bot_option
@endpoints_option
def checkpoint(out: str, bot: Path, endpoints: Path | None) -> None:
    """Sign the ledger as it is, and print the checkpoint. Keep it elsewhere, for `verify --checkpoint`."""
    with existing_store(bot, endpoints) as vault:
        write_private(out, [checkpoint_json(_signed(vault), vault.signer.store_id)])


@click.command("public-key")
@out_option
@bot_option
@endpoints_option
def public_key(out: str, bot: Path, endpoints: Path | None) -> None:
    """Print the store's public key in PEM. Keep it elsewhere, and give it to who checks exports and receipts."""
    with existing_store(bot, endpoints) as vault:
        write_private(out, [vault.signer.key.public().pem().encode()])


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), callback=called_from)
@operator_options
@bot_option
@endpoints_option
def export(file: str, bot: Path, endpoints: Path | None) -> None:
    """Write the whole ledger as JSON lines that end with a checkpoint. It holds no personal data; - for the output."""
    with existing_store(bot, endpoints) as vault, recording(vault, permit_for(vault, "consent")) as counts:
        until = _signed(vault)
        counts["records"] = until.seq
        with vault.database.read() as connection:
            write_private(file, export_ledger(vault, connection, until))
    click.echo(f"{counted(until.seq, 'record')} up to checkpoint {until.number:,}.", err=True)


@click.command("check-receipt")
@click.argument("file", type=FILE)
@key_or_store_option
@bot_option
@endpoints_option
def check_receipt(file: Path, key_file: Path | None, bot: Path, endpoints: Path | None) -> None:
    """Check a signed receipt, and print what it says (exit code 1 where it is not this store's)."""
    raw = read_bytes(file)
    key = key_or_store(key_file, bot, endpoints)
    try:
        opened = open_receipt(_token(raw), key)
    except SignatureError as error:
        end_as_changed("given", error)
    click.echo(msgspec.json.format(msgspec.json.encode(opened), indent=2).decode())


def _token(raw: bytes) -> str:
    """Return the JWS in a receipt's file, or the file itself where it is one."""
    try:
        return str(msgspec.json.decode(raw)["jws"])
    except (msgspec.MsgspecError, KeyError, TypeError, UnicodeDecodeError):
        return raw.decode("ascii", "replace").strip()


def _signed(vault: Vault) -> Checkpoint:
    made = vault.database.transact(vault.ledger.checkpoint)
    if made is None:
        raise ConfigurationError(f"{vault.database.name}: the consent ledger is empty; there is nothing to sign yet")
    return made
