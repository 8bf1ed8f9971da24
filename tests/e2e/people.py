"""People with marked data for the conversations, and what a test may ask of the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.storage.vault import Vault, open_vault
from tests.e2e.harness import RunningBot

_NUMBERS = count(1)
#: Everybody who was made in this process, for a search at the end.
EVERYBODY: "list[Person]" = []


@dataclass(frozen=True)
class Person:
    """Somebody whose every value is found by a search and by nothing else.

    Attributes:
        sender: Rasa's conversation key; it looks like a phone number, as on many channels.
        name: Full name.
        email: Email address.
        postcode: The whole postcode; three characters of it may be kept.
        phone: Phone number.
    """

    sender: str
    name: str
    email: str
    postcode: str
    phone: str

    @property
    def values(self) -> list[str]:
        """What the person says of themselves, and the parts of it that would give them away."""
        return [self.name, self.email, self.postcode, self.phone, *self.name.split()]

    @property
    def marks(self) -> list[str]:
        """Everything that leads to this person: the values, and the sender id."""
        return [*self.values, self.sender]


def new_person(family: str = "Ravensbourne") -> Person:
    """Return a person that no other test has."""
    number = next(_NUMBERS)
    letters = "".join(chr(ord("a") + int(digit)) for digit in f"{number:03d}")
    given, surname = f"Quil{letters}", f"{family}{letters}"
    person = Person(
        sender=f"49301234{number:04d}x",
        name=f"{given} {surname}",
        email=f"{given}.{surname}@canary.example".lower(),
        postcode=f"SW{number % 10}A {number // 10 % 10}ZQ",
        phone=f"+49 30 90182{number:04d}",
    )
    EVERYBODY.append(person)
    return person


@contextmanager
def store_of(bot: RunningBot) -> Iterator[Vault]:
    """Open the bot's store beside its servers, as the command line does."""
    settings = StoreSettings(
        url=f"sqlite:///{bot.folder / 'conversations.db'}",
        keys=KeySettings(provider="file", path=bot.folder / "keys"),
        privacy=bot.folder / "privacy.yml",
    )
    vault = open_vault(settings)
    try:
        yield vault
    finally:
        vault.close()


def ledger_of(bot: RunningBot, sender: str) -> list[tuple[str, str]]:
    """Return purpose and event of each ledger record of the person who has this sender id now."""
    with store_of(bot) as vault, vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, sender)
        records = vault.ledger.of_subject(connection, subject_id) if subject_id is not None else []
        return [(record.purpose, record.event) for record in records]


def stored_values(bot: RunningBot, sender: str) -> dict[str, dict[str, object]]:
    """Return the last stored value of each item, by purpose."""
    with store_of(bot) as vault, vault.database.read() as connection:
        stored = vault.conversations.load(connection, sender, all_sessions=True)
        values = stored.values if stored is not None else {}
        return {
            purpose: {item: value for _seq, _path, item, value in entries}
            for purpose, entries in values.items()
            if entries
        }


def enter_draw(bot: RunningBot, person: Person) -> None:
    """Let a person agree to everything and give what the draw asks for."""
    chat = bot.chat(person.sender)
    chat.say("I want to enter the prize draw")
    chat.press("Yes, I agree")
    chat.press("Yes, that too")
    for answer in (person.name, person.email, person.postcode):
        chat.say(answer)
    assert stored_values(bot, person.sender)
