"""The three stores side by side, and people who talk to them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rasa.core.tracker_store import InMemoryTrackerStore, SQLTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event as RasaEvent
from sqlalchemy.engine import make_url

from bench.support.databases import bytes_of, fresh_url
from bench.support.talk import BOT, Event, Talk
from rasa_privacy import EncryptedTrackerStore, PrivacyImporter
from rasa_privacy.consent.ledger import Evidence, record_answer, record_asked
from rasa_privacy.consent.notice import Notice, terms_version
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage.vault import Vault, open_vault

OURS: Final = "ours"
STOCK: Final = "stock"
MEMORY: Final = "memory"

_PURPOSE: Final = "prize_draw"
_FILE: Final = "conversations.db"


@dataclass(frozen=True)
class Stores:
    """The stores by name, each with a folder of its own, and the vault for what the action server does.

    Attributes:
        by_name: Rasa tracker stores.
        vault: Opened apart from our store, as in the action server.
        folder: Where the files are.
        urls: Of the databases on a server, by store; empty for files.
    """

    by_name: dict[str, Any]
    vault: Vault
    folder: Path
    urls: dict[str, str]

    def bytes_on_disk(self) -> dict[str, int]:
        """Return the sizes of the databases, once the write-ahead log is moved into ours."""
        if self.urls:
            return {name: bytes_of(url) for name, url in self.urls.items()}
        self.vault.database.checkpoint()
        return {
            name: sum(path.stat().st_size for path in (self.folder / name).rglob("*") if path.is_file())
            for name in (STOCK, OURS)
        }


def settings_in(folder: Path) -> StoreSettings:
    """Return where our store keeps what it has, inside this folder."""
    return StoreSettings(
        url=f"sqlite:///{folder / OURS / _FILE}",
        keys=KeySettings(provider="file", path=folder / OURS / "keys"),
        privacy=BOT / "privacy.yml",
    )


def domains() -> dict[str, Domain]:
    """Return the bot's domain without our additions, for the stores of Rasa, and with them, for ours."""
    plain = Domain.load(str(BOT / "domain.yml"))
    files = (str(BOT / "config.yml"), str(BOT / "domain.yml"), [str(BOT / "data")])
    additions = PrivacyImporter(*files, privacy=str(BOT / "privacy.yml")).get_domain()
    return {STOCK: plain, MEMORY: plain, OURS: Domain.load(str(BOT / "domain.yml")).merge(additions)}


@contextmanager
def open_stores(kind: str, folder: Path, domain: dict[str, Domain]) -> Iterator[Stores]:
    """Make three empty stores, two of them in databases of this kind."""
    for name in (STOCK, OURS):
        (folder / name).mkdir(parents=True)
    with fresh_url(kind, folder / STOCK) as stock, fresh_url(kind, folder / OURS) as ours:
        settings = settings_in(folder) if kind == "SQLite" else replace(settings_in(folder), url=ours)
        stores = _stores(settings, stock if kind != "SQLite" else f"sqlite:///{folder / STOCK / _FILE}", folder, domain)
        try:
            yield stores
        finally:
            stores.vault.close()
            close(stores.by_name[OURS])
            stores.by_name[STOCK].engine.dispose()


def close(store: EncryptedTrackerStore) -> None:
    """Close our store, which ends its sweeps, before its database goes."""
    store._vault.close()  # noqa: SLF001 - Rasa closes no store, so there is no public place for it


def _stores(settings: StoreSettings, stock_url: str, folder: Path, domain: dict[str, Domain]) -> Stores:
    ours = EncryptedTrackerStore(
        domain[OURS],
        settings.url,
        keys={"provider": settings.keys.provider, "path": str(settings.keys.path)},
        privacy=str(settings.privacy),
    )
    url = make_url(stock_url)
    server = {"host": url.host, "port": url.port, "username": url.username}
    stock = SQLTrackerStore(domain[STOCK], dialect=url.drivername, db=url.database, **(server if url.host else {}))
    memory = InMemoryTrackerStore(domain[MEMORY])
    urls = {STOCK: stock_url, OURS: settings.url} if url.host else {}
    return Stores({STOCK: stock, OURS: ours, MEMORY: memory}, open_vault(settings), folder, urls)


def consent(vault: Vault, sender: str) -> None:
    """Record that the person was asked for the prize draw and said yes, as the privacy actions do."""
    policy, language = vault.policy, vault.policy.languages[0]
    text = f"{policy.controller.name} asks: may we use your data {policy.purposes[_PURPOSE].says[language]}?"
    notice = Notice(_PURPOSE, terms_version(policy, _PURPOSE), language, text)
    evidence = Evidence(method="button", channel="rest", language=language, at=vault.clock())
    with vault.database.write() as connection:
        subject_id = vault.subjects.find_or_create(connection, sender, evidence.at)
        record_asked(vault, connection, subject_id, notice, evidence)
        record_answer(vault, connection, subject_id, _PURPOSE, granted=True, evidence=evidence)


async def converse(
    stores: Stores, sender: str, talk: Talk, length: int, names: Sequence[str] = (STOCK, OURS, MEMORY)
) -> None:
    """Let a person who consented talk until the session has this many events, saved turn by turn as it came.

    The memory is filled at the end: it keeps no trace of how it was, and would take most of the time.
    """
    consent(stores.vault, sender)
    trackers = {name: stores.by_name[name].init_tracker(sender) for name in names}
    for turn in talk.events(length):
        for name, tracker in trackers.items():
            apply(tracker, turn)
            if name != MEMORY:
                await stores.by_name[name].save(tracker)
    if MEMORY in trackers:
        await stores.by_name[MEMORY].save(trackers[MEMORY])


def apply(tracker: Any, turn: Sequence[Event]) -> None:
    """Put a turn's events on a tracker, as the message processor does."""
    for parameters in turn:
        tracker.update(RasaEvent.from_parameters(parameters))


async def timed_retrieve(store: Any, sender: str) -> tuple[float, Any]:
    """Return seconds and tracker."""
    start = time.perf_counter()
    tracker = await store.retrieve(sender)
    return time.perf_counter() - start, tracker


async def timed_save(store: Any, sender: str, turn: Sequence[Event]) -> float:
    """Return the seconds that saving one more turn takes, after reading the conversation as Rasa does for each turn."""
    tracker = await store.retrieve(sender)
    apply(tracker, turn)
    start = time.perf_counter()
    await store.save(tracker)
    return time.perf_counter() - start
