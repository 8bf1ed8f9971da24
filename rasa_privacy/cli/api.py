"""`rasa-privacy api`: the HTTP API for operators, as a process of its own."""

import logging
import sys
import threading
from pathlib import Path
from typing import Final

import click

from rasa_privacy.cli.options import bot_option, endpoints_option
from rasa_privacy.cli.store import endpoints_file, existing_store
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.rights.senders import open_sender
from rasa_privacy.storage.key_expiry import expire_beside

_PORT: Final = 8081
_FILE: Final = click.Path(path_type=Path)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535), help="0 for a free one.")
@click.option("--tls-certificate", type=_FILE, help="PEM file: the certificate and its chain.")
@click.option("--tls-key", type=_FILE, help="PEM file: its key.")
@click.option("--behind-proxy", is_flag=True, help="A proxy before it has TLS, and nobody gets past it.")
@click.option("--openapi", "only_document", is_flag=True, help="Print the OpenAPI document, and end.")
@bot_option
@endpoints_option
def api(  # noqa: PLR0913 - one parameter for each option
    *,
    host: str,
    port: int,
    tls_certificate: Path | None,
    tls_key: Path | None,
    behind_proxy: bool,
    only_document: bool,
    bot: Path,
    endpoints: Path | None,
) -> None:
    """Let a CRM or a consent platform do by HTTP what operators do here: find, show, export, correct, erase, and so on.

    A call brings an operator's token ('rasa-privacy operator add'); roles, training and the audit log hold for it as
    for commands. By default it listens on this machine alone.
    """
    try:
        from rasa_privacy.console.opendsr import keep_telling, open_opendsr  # noqa: PLC0415 - the extra may be missing
        from rasa_privacy.console.server import Address, serve  # noqa: PLC0415 - the extra may be missing
        from rasa_privacy.console.verbs import make_console, openapi  # noqa: PLC0415 - as above
    except ModuleNotFoundError:
        raise ConfigurationError("the API needs more packages: pip install 'rasa_privacy[api]'") from None
    if only_document:
        click.echo(openapi())
        return
    files = [None if file is None else file.absolute() for file in (tls_certificate, tls_key)]
    address = Address(host, port, files[0], files[1], behind_proxy=behind_proxy)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    file, stop = endpoints_file(bot, endpoints), threading.Event()
    with existing_store(bot, endpoints) as vault:
        opendsr = open_opendsr(file, vault.clock())
        if opendsr is not None:
            keep_telling(vault, opendsr, stop)
        expire_beside(vault)
        click.echo(f"The API listens on {host} port {port}; GET /openapi.json says what it does.", err=True)
        try:
            serve(make_console(vault, set_up=opendsr, open_sender=lambda: open_sender(file)), address)
        finally:
            stop.set()
