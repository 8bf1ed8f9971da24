"""`rasa-privacy rights`: certificates of erasure, written and checked."""

from pathlib import Path

import click
import msgspec

from rasa_privacy.access.recording import record_now
from rasa_privacy.cli.acting import operator_options, permit_for
from rasa_privacy.cli.checking import FILE, end_as_changed, key_or_store, key_or_store_option
from rasa_privacy.cli.files import read_bytes, write_private
from rasa_privacy.cli.options import bot_option, endpoints_option, out_option
from rasa_privacy.cli.store import existing_store
from rasa_privacy.dialogue.packs import available_languages
from rasa_privacy.errors import SignatureError
from rasa_privacy.rights.certificate_files import json_file, open_certificate, page_file
from rasa_privacy.rights.certificates import certificate as certificate_of
from rasa_privacy.rights.certificates import kept_sender, language_of


@click.group()
def rights() -> None:
    """Write certificates of erasure, and check them: certificate, verify-certificate."""


@rights.command()
@click.argument("number")
@click.option("--html", "page", is_flag=True, help="Write a page instead of JSON, in the person's language.")
@click.option("--language", type=click.Choice(available_languages()), help="Write the page in this language.")
@out_option
@operator_options
@bot_option
@endpoints_option
def certificate(  # noqa: PLR0913 - the options of the command
    number: str, *, page: bool, language: str | None, out: str, bot: Path, endpoints: Path | None
) -> None:
    """Write the signed certificate of an erasure by its number. The whole store is read back first."""
    if language is not None and not page:
        raise click.UsageError("--language is for the page; add --html, or leave it out: the JSON has English words")
    with existing_store(bot, endpoints) as vault:
        permit = permit_for(vault, "requests")
        made, kept = certificate_of(vault, number, vault.clock()), kept_sender(vault, number)
        record_now(vault, permit, counts={"certificates": 1})
        written = page_file(vault, made, language or language_of(vault, number)) if page else json_file(vault, made)
    for each in made.get("kept_by_law", ()):
        click.echo(
            f"{', '.join(each['items'])} ({each['purpose']}) stays until {each['until']}, as sender {kept}", err=True
        )
    write_private(out, [written])


@rights.command("verify-certificate")
@click.argument("file", type=FILE)
@key_or_store_option
@bot_option
@endpoints_option
def verify_certificate(file: Path, key_file: Path | None, bot: Path, endpoints: Path | None) -> None:
    """Check a certificate, JSON or page, and print what it says; exit code 1 where it is not this store's.

    With --public-key (`rasa-privacy consent public-key`) neither the store nor the bot is needed.
    """
    raw = read_bytes(file)
    key = key_or_store(key_file, bot, endpoints)
    try:
        opened = open_certificate(raw, key)
    except SignatureError as error:
        end_as_changed("given", error)
    click.echo(msgspec.json.format(msgspec.json.encode(opened), indent=2).decode())
