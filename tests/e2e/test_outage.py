"""The database goes away in the middle of a conversation with the real servers, and comes back."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from rasa_privacy.cli.rest import BotMessage
from rasa_privacy.cli.run_folder import copy_bot
from rasa_privacy.cli.servers import BotServers, ServerPlan
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage.vault import open_vault
from tests.e2e.harness import EXAMPLE_BOT
from tests.e2e.people import new_person
from tests.e2e.tcp_proxy import TcpProxy
from tests.support.databases import new_url

pytestmark = [pytest.mark.e2e]

_POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgresql)


@dataclass
class Interrupted:
    """A bot whose database can be taken away.

    Attributes:
        folder: Where it runs.
        url: Where its database is, also while it is away for the bot.
        servers: Both processes.
        proxy: What stands before a server's database; None for a file.
    """

    folder: Path
    url: str
    servers: BotServers = field(repr=False)
    proxy: TcpProxy | None

    def cut(self) -> None:
        """Take the database away."""
        if self.proxy is not None:
            self.proxy.cut()
        else:
            (self.folder / "c.db").rename(self.folder / "away")

    def restore(self) -> None:
        """Put it back."""
        if self.proxy is not None:
            self.proxy.restore()
        else:
            (self.folder / "away").rename(self.folder / "c.db")

    def values_of(self, sender: str) -> dict[str, object]:
        """Return the stored values of a person."""
        keys = KeySettings("file", self.folder / "keys")
        vault = open_vault(StoreSettings(self.url, keys, self.folder / "privacy.yml"))
        try:
            with vault.database.read() as connection:
                stored = vault.conversations.load(connection, sender, all_sessions=True)
            entries = stored.values.get("prize_draw", []) if stored is not None else []
            return {item: value for _seq, _path, item, value in entries}
        finally:
            vault.close()


@contextmanager
def behind_a_proxy(kind: str, folder: Path) -> Iterator[tuple[str, str, TcpProxy | None]]:
    """Yield the URL of a new database, the one that the bot gets for it, and what stands between."""
    with new_url(kind, folder) as url:
        parsed = make_url(url)
        if parsed.host is None or parsed.port is None:
            yield url, url, None
            return
        with TcpProxy((parsed.host, parsed.port)) as proxy:
            yield url, parsed.set(port=proxy.port).render_as_string(hide_password=False), proxy


@contextmanager
def running(kind: str, model: Path, folder: Path) -> Iterator[Interrupted]:
    """Run the example bot on a new database."""
    copy_bot(EXAMPLE_BOT, folder)
    with behind_a_proxy(kind, folder) as (url, reachable, proxy):
        plan = ServerPlan(
            bot=folder, model=model, run_folder=folder / "run", changes={("tracker_store", "url"): reachable}
        )
        with BotServers(plan) as servers:
            yield Interrupted(folder, url, servers, proxy)


def text_of(messages: list[BotMessage]) -> str:
    """Return what the bot said in one turn."""
    return "\n".join(message.text for message in messages)


@pytest.mark.parametrize("kind", ["sqlite", _POSTGRESQL])
def test_conversation_goes_on_after_an_outage(kind: str, model: Path, tmp_path: Path) -> None:
    """A message that came while the database was away is answered when it is back, and its value is stored."""
    person = new_person()
    with running(kind, model, tmp_path / "bot") as bot, ThreadPoolExecutor(1) as threads:
        chat = bot.servers.chat(person.sender)
        chat.say("I want to enter the prize draw")
        chat.press("Yes, I agree")
        assert "full name" in text_of(chat.press("Yes, that too"))
        bot.cut()
        answer = threads.submit(chat.say, person.name)
        time.sleep(4)
        assert not answer.done()
        bot.restore()
        assert "email" in text_of(answer.result()).lower()
        assert "postcode" in text_of(chat.say(person.email)).lower()
        assert "You're in the draw" in text_of(chat.say(person.postcode))
        assert bot.values_of(person.sender) == {
            "full_name": person.name,
            "email": person.email,
            "postcode": person.postcode[:3],
        }


@pytest.mark.parametrize("kind", [_POSTGRESQL])
def test_outage_that_lasts_is_said(kind: str, model: Path, tmp_path: Path) -> None:
    """After half a minute the person hears that the store is closed, others hear it at once, and nothing is kept."""
    person, other = new_person(), new_person()
    with running(kind, model, tmp_path / "bot") as bot:
        chat = bot.servers.chat(person.sender)
        chat.say("I want to enter the prize draw")
        chat.press("Yes, I agree")
        chat.press("Yes, that too")
        bot.cut()
        assert "not available at the moment" in text_of(chat.say(person.name))
        assert "not available at the moment" in text_of(bot.servers.chat(other.sender).say("hello"))
        bot.restore()
        assert bot.values_of(person.sender) == {}
        assert "email" in text_of(chat.say(person.name)).lower()
        assert bot.values_of(person.sender) == {"full_name": person.name}
        bot.servers.check()
