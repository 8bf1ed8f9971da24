"""What the commands that check something signed have in common: options, keys, and how they end."""

from pathlib import Path
from typing import Final, NoReturn

import click

from rasa_privacy.access.labels import local_user, shown_label
from rasa_privacy.access.verification import note
from rasa_privacy.cli.files import read_bytes
from rasa_privacy.cli.store import existing_store
from rasa_privacy.crypto.signing import VerifyingKey
from rasa_privacy.errors import PrivacyError
from rasa_privacy.policy.counted import counted
from rasa_privacy.storage.standing import Standing
from rasa_privacy.storage.vault import Vault

#: A file that is there.
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_TAMPERED_EXIT_CODE: Final = 1

key_option = click.option(
    "--public-key", "key_file", type=FILE, help="The store's public key, as it was exported and kept."
)
key_or_store_option = click.option(
    "--public-key", "key_file", type=FILE, help="The public key of the store. [default: the store of --bot]"
)
kept_option = click.option(
    "--checkpoint", "kept", type=FILE, multiple=True, help="A checkpoint that was kept; several may be given."
)


def kept_key(key_file: Path | None) -> VerifyingKey | None:
    """Return the key in a file that was given.

    Raises:
        SignatureError: It is none.
    """
    return None if key_file is None else VerifyingKey.from_pem(read_bytes(key_file))


def key_or_store(key_file: Path | None, bot: Path, endpoints: Path | None) -> VerifyingKey:
    """Return the key in a file that was given, which needs no store, or the store's."""
    key = kept_key(key_file)
    if key is None:
        with existing_store(bot, endpoints) as vault:
            key = vault.signer.key.public()
    return key


def end_as_changed(how: str, error: PrivacyError) -> NoReturn:
    """Say that something is not as it was written or given, and end with exit code 1."""
    click.echo(f"NOT as it was {how}: {error}")
    click.get_current_context().exit(_TAMPERED_EXIT_CODE)


def checkpoints_said(number: int, covered: int) -> str:
    """Return how many checkpoints there are, and up to which record."""
    return f"{counted(number, 'checkpoint')}, the last one over record {covered:,}" if number else "no checkpoint yet"


def say_whose_key(exported: Path | None, key: VerifyingKey | None) -> None:
    """Say what a check of an exported file with its own key does not show."""
    if exported and key is None:
        click.echo("The key was the file's own: it shows that the file is whole, not whose it is. Give --public-key.")


def note_verified(vault: Vault, *, ledger: Standing | None = None, audit: Standing | None = None) -> None:
    """Keep that a book was verified; where it cannot be written, it is verified all the same, and that is said."""
    try:
        note(vault, shown_label(vault, local_user()), ledger=ledger, audit=audit)
    except PrivacyError as error:
        click.echo(f"That it was verified could not be noted: {error}", err=True)
