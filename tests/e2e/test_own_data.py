"""One person's way to their data: the proof by a code, two conversations, the copy by a link, and the end of both.

A real Rasa server, a real action server, a real `rasa-privacy api` and a mail server; nothing is put in by hand, but
for the time of one link, which is moved.
"""

import io
import json
import re
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import pyzipper
from aiosmtpd.controller import Controller

from rasa_privacy.cli.ports import choose_port
from rasa_privacy.cli.processes import Process
from rasa_privacy.cli.rest import BotMessage, Chat, request_json
from rasa_privacy.cli.run_folder import copy_bot
from rasa_privacy.errors import ServerError
from tests.e2e.harness import EXAMPLE_BOT, RunningBot, running_bot
from tests.e2e.people import Person, new_person, store_of
from tests.e2e.search import Sink, assert_nowhere, occurrences

pytestmark = [pytest.mark.e2e]

KNOWN = "what do you know about me?"
ASKING = "send me my data as a file"
PASSPHRASE = "otter lantern mosaic thimble"  # noqa: S105 - of a test
SECONDS = 30


class Mailbox:
    """What the mail server took."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail."""
        (to,) = envelope.rcpt_tos
        self.mails.append((to, envelope.content.decode()))
        return "250 OK"

    def code(self) -> str:
        """Return the code in the only mail; it is sent beside the turn, so it may come after the answer."""
        end = time.monotonic() + SECONDS
        while not self.mails and time.monotonic() < end:
            time.sleep(0.02)
        ((_to, text),) = self.mails
        found = re.search(r"code is (\d{6})", text)
        assert found is not None
        return found[1]


@dataclass
class Place:
    """Everything that runs.

    Attributes:
        bot: Both servers.
        box: Where mails go.
        url: Address of the API, below which links are.
        secrets: Links and codes that were shown, to be searched for.
    """

    bot: RunningBot
    box: Mailbox
    url: str
    secrets: list[str] = field(default_factory=list)

    def look(self, link: str) -> tuple[int, str]:
        """Open a link, as a browser or the preview of a messenger does."""
        return self._answer(link, None)[:2]

    def press(self, link: str, passphrase: str = "") -> tuple[int, str, bytes]:
        """Press the button of a link's page."""
        return self._answer(link, urlencode({"passphrase": passphrase}).encode())

    def link_in(self, messages: list[BotMessage]) -> str:
        """Return the link that the bot gave."""
        found = re.search(rf"{re.escape(self.url)}/collect/([\w-]{{43}})", text_of(messages))
        assert found is not None, text_of(messages)
        self.secrets.append(found[1])
        return found[0]

    def _answer(self, link: str, body: bytes | None) -> tuple[int, str, bytes]:
        try:
            with urlopen(link, body, timeout=SECONDS) as answer:  # noqa: S310 - our own server
                raw = answer.read()
                return answer.status, raw.decode("utf-8", "replace"), raw
        except HTTPError as error:
            with error:
                raw = error.read()
                return error.code, raw.decode(), raw


def text_of(messages: list[BotMessage]) -> str:
    """Return what the bot said in one turn."""
    return "\n".join(message.text for message in messages)


@contextmanager
def api_of(bot: RunningBot, port: int) -> Iterator[None]:
    """Run `rasa-privacy api` on the bot's store, with its log among what the run writes."""
    command = [str(Path(sys.executable).with_name("rasa-privacy")), "api", "--port", str(port)]
    command += ["--endpoints", str(bot.servers.endpoints)]
    process = Process("api", command, folder=bot.folder, log=bot.folder / "run" / "api.log")
    try:
        end = time.monotonic() + SECONDS
        while process.exit_code() is None and not is_well(port):
            assert time.monotonic() < end, process.last_lines()
            time.sleep(0.05)
        assert process.exit_code() is None, process.last_lines()
        yield
    finally:
        process.stop()


def is_well(port: int) -> bool:
    """Return whether the API answers."""
    try:
        return request_json(f"http://127.0.0.1:{port}/health", seconds=2) is not None
    except ServerError:
        return False


@pytest.fixture(scope="module")
def place(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The example bot with a proof of identity, links and a mail server; its model is that of the other tests."""
    folder = tmp_path_factory.mktemp("own")
    source = copy_bot(EXAMPLE_BOT, folder / "source")
    mail_port, api_port = choose_port(None, "--port"), choose_port(None, "--port")
    url = f"http://127.0.0.1:{api_port}"
    with (source / "privacy.yml").open("a") as policy:
        policy.write(f"\nidentity: {{trusted_channels: [telegram]}}\nhandover: {{url: '{url}'}}\n")
    with (source / "endpoints.yml").open("a") as endpoints:
        endpoints.write(f"\nprivacy_sender: {{type: smtp, host: 127.0.0.1, port: {mail_port}, security: none,")
        endpoints.write(" from: no-reply@northwind.example}\n")
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=mail_port)
    server.start()
    try:
        with running_bot(source, model, folder / "bot") as bot, api_of(bot, api_port):
            yield Place(bot, box, url)
    finally:
        server.stop()


def enter_the_draw(place: Place, person: Person) -> None:
    """Give one's data in the first conversation, as anybody does."""
    chat = place.bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    chat.press("Yes, I agree")
    chat.press("Yes, that too")
    chat.say(person.name)
    chat.say(person.email)
    assert "You're in the draw" in text_of(chat.say(person.postcode))


def prove(place: Place, chat: Chat, person: Person, web: str) -> None:
    """Ask what is known and prove who one is; an address that nobody gave gets the same answer, and no mail."""
    stranger = new_person()
    other = place.bot.chat(f"{web}-2")
    for each in (chat, other):
        assert "Which email address" in text_of(each.say(KNOWN))
    assert text_of(chat.say(person.email)) == text_of(other.say(stranger.email))
    code = place.box.code()
    assert [to for to, _text in place.box.mails] == [person.email]
    assert "not the code" in text_of(chat.say(f"{(int(code) + 1) % 1_000_000:06d}"))
    assert person.name not in text_of(other.say(code))
    answer = text_of(chat.say(code))
    assert "other conversations" in answer
    assert person.name in answer


def test_a_person_proves_who_they_are_takes_their_data_and_leaves(place: Place) -> None:
    """The draw on one day; from elsewhere the copy of both conversations, by a link; then the deletion of both."""
    person = new_person()
    web = f"web-{person.sender}"
    enter_the_draw(place, person)
    chat = place.bot.chat(web)
    prove(place, chat, person, web)

    # The copy: looked at as often as one likes, collected once, encrypted.
    link = place.link_in(chat.say(ASKING))
    for _ in range(2):
        assert place.look(link)[0] == 200
    assert place.press(link, "short")[0] == 422
    status, _, sealed = place.press(link, PASSPHRASE)
    assert status == 200
    assert occurrences(person.marks, [Sink("zip", sealed)]) == []
    with pyzipper.AESZipFile(io.BytesIO(sealed)) as packed:
        packed.setpassword(PASSPHRASE.encode())
        copies = [json.loads(packed.read(name)) for name in ("data.json", "data-2.json")]
        assert person.name in packed.read("data-2.html").decode()
    assert [each["sender_id"] for each in copies] == [web, person.sender]
    assert person.email in [each["value"] for each in copies[1]["data"]]
    gone = place.look(link)
    assert gone[0] == 404
    assert place.press(link, PASSPHRASE)[:2] == gone

    # Another link takes the place of the one before; one that nobody used is over after a while.
    first, second = place.link_in(chat.say(ASKING)), place.link_in(chat.say(ASKING))
    assert place.look(first) == gone
    assert place.look(second)[0] == 200
    expire_links(place)
    assert place.press(second)[:2] == gone
    third = place.link_in(chat.say(ASKING))

    # The end of both, and of the link that was not used.
    assert "others of yours" in text_of(chat.say("delete my data"))
    numbers = re.findall(r"ER-\w{4}-\w{4}-\w{4}", text_of(chat.press("Yes, delete it")))
    assert len(numbers) == 2
    with store_of(place.bot) as vault, vault.database.read() as connection:
        assert [vault.subjects.find(connection, sender) for sender in (web, person.sender)] == [None, None]
        assert all(vault.erasures.certificate(connection, number) is not None for number in numbers)
    assert place.press(third)[:2] == gone
    assert_nowhere([*person.marks, web, *place.secrets, PASSPHRASE], place.bot.sinks(payloads=False))


def expire_links(place: Place) -> None:
    """Let a day go by for the links that are there."""
    with closing(sqlite3.connect(place.bot.folder / "conversations.db", timeout=SECONDS)) as database, database:
        database.execute("UPDATE handovers SET expires_at = expires_at - 86400000000")
