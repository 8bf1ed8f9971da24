"""RP064 of `rasa-privacy check`: a review of what is stored is overdue.

Two rows are read, without the store's keys: nothing is opened, replayed or written, and no store is made. Nobody is
asked for a permit, since only a day is shown.
"""

from collections.abc import Iterator
from pathlib import Path

import click

from rasa_privacy.cli.store import store_settings
from rasa_privacy.errors import ConfigurationError, PrivacyError
from rasa_privacy.policy.findings import Finding
from rasa_privacy.policy.model import Policy
from rasa_privacy.retention.review_duty import overdue_by_rows
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.schema import revision_of
from rasa_privacy.storage.vault import utc_now


def overdue_review(bot: Path, endpoints: Path | None, policy: Policy, file: str) -> Iterator[Finding]:
    """RP064, where there is a store; one that cannot be read is named, and is no finding of the bot."""
    try:
        with store_settings(bot, endpoints) as settings:
            database = Database(settings.url)
            try:
                if revision_of(database) is None:
                    return
                with database.read() as connection:
                    since = overdue_by_rows(policy, connection, utc_now())
            finally:
                database.close()
    except ConfigurationError:
        return  # RP011 says so
    except PrivacyError as error:
        click.echo(f"Whether a review is overdue was not looked at: {error}", err=True)
        return
    if since is not None:
        why = f"a review of what is stored is overdue since {since:%Y-%m-%d} (retention: review_every)"
        remedy = "look at it with 'rasa-privacy review show', or make it with 'review make', and acknowledge it then"
        yield Finding("RP064", file, why, remedy, "warning")
