"""Who asks from a channel that does not say who writes proves it first, and then reaches all their conversations."""

import io
import json
import logging
import re
import time
import zipfile
from dataclasses import replace

import msgspec
import pytest

from rasa_privacy.actions import confirming
from rasa_privacy.errors import SenderError
from rasa_privacy.policy.operations import HandOver, Identity
from rasa_privacy.rights.handover import collect
from rasa_privacy.rights.identity import remember
from rasa_privacy.storage import requests
from rasa_privacy.storage.vault import Vault
from tests.support.talk import Talk
from tests.support.vaults import Clock, give, grant

ACCESS, EXPORT, DELETE, YES, NO, UNSURE, CONTACT, CODE, AGAIN = (
    f"privacy_{name}"
    for name in ("access", "export", "delete", "confirm", "refuse", "unclear", "contact", "code", "resend")
)
ANA = "ana@example.com"


class Box:
    """Takes messages, or does not."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, str]] = []
        self.fails = False

    def send(self, to: str, subject: str, text: str) -> None:
        """Take one."""
        if self.fails:
            raise SenderError("not today")
        self.got.append((to, subject, text))

    def code(self, number: int = 1) -> str:
        """Return the code in the message of this number, which a thread sends beside the turn."""
        end = time.monotonic() + 20
        while len(self.got) < number and time.monotonic() < end:
            time.sleep(0.01)
        found = re.search(r"code is (\d{6})", self.got[number - 1][2])
        assert found is not None
        return found[1]


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Box:
    """Return where codes go."""
    made = Box()
    monkeypatch.setattr(confirming, "sender", lambda: made)
    return made


@pytest.fixture
def bot(vault: Vault) -> Vault:
    """Return the store of a bot that asks for proof, with a person known from a messenger."""
    rules = {
        "identity": Identity(trusted_channels=("telegram",)),
        "handover": HandOver(url="https://bot.example"),
    }
    made = replace(vault, policy=msgspec.structs.replace(vault.policy, **rules))
    subject_id = grant(made, "draw", sender="messenger")
    give(made, {"draw": {"full_name": "Ana Li", "email": ANA}}, sender="messenger", events=3)
    made.database.transact(lambda conn: remember(made, conn, subject_id, {"draw": [[0, [], "email", ANA]]}))
    return made


def proven(bot: Vault, box: Box, asked: str = ACCESS) -> Talk:
    """Return a conversation on the web in which a proof was just given."""
    talk = Talk(bot, "web").reply(asked).give(CONTACT, " ANA@Example.com")
    return talk.give(CODE, box.code())


def there(vault: Vault, *senders: str) -> list[bool]:
    """Return whether each of these is stored."""
    with vault.database.read() as conn:
        return [vault.subjects.find(conn, sender) is not None for sender in senders]


def test_values_are_shown_after_the_proof(bot: Vault, box: Box) -> None:
    """Those of the other conversation too; within the time of the proof without another."""
    talk = Talk(bot, "web").reply(ACCESS)
    assert "Which email address or phone number" in talk.said[-1]
    talk.give(CONTACT, ANA)
    assert "on its way" in talk.said[-1]
    assert "@" not in talk.said[-1]
    code = box.code()
    ((to, subject, text),) = box.got
    assert (to, "Northwind Outdoor" in subject, "Ana" in text) == (ANA, True, False)
    talk.give(CODE, code)
    assert "other conversations" in talk.said[0]
    assert "Ana Li" in talk.said[1]
    assert talk.pending is None
    assert "Ana Li" in talk.reply(ACCESS).said[0]


def test_a_trusted_channel_shows_its_own_without_a_proof(bot: Vault, box: Box) -> None:
    """And nothing of others."""
    assert "Ana Li" in Talk(bot, "messenger", "telegram").reply(ACCESS).said[0]
    assert "Which email address" in Talk(bot, "messenger", "rest").reply(ACCESS).said[0]
    assert box.got == []


def test_an_unknown_contact_gets_the_same_answers(bot: Vault, box: Box) -> None:
    """And no message; guesses are counted alike."""
    said = []
    for sender, contact in (("one", ANA), ("two", "nobody@example.com")):
        talk = Talk(bot, sender).reply(ACCESS)
        mine = [*talk.said, *talk.give(CONTACT, contact).said]
        for _ in range(10):
            mine += talk.give(CODE, "000000").said
        mine += talk.give(AGAIN, "").said
        said.append(mine)
    assert said[0] == said[1]
    box.code()
    assert [to for to, _, _ in box.got] == [ANA]


def test_who_does_not_prove_it_is_shown_nothing(bot: Vault, box: Box) -> None:
    """A no, an answer that is none, twice, and a code of before."""
    talk = Talk(bot, "web").reply(ACCESS)
    assert "Without a proof" in talk.reply(NO).said[0]
    assert talk.pending is None
    talk.reply(ACCESS).reply(UNSURE)
    assert "Which email address" in talk.said[-1]
    assert "Without a proof" in talk.reply(UNSURE).said[-1]
    talk.reply(ACCESS).give(CONTACT, ANA)
    code = box.code()
    assert "not the code" in talk.give(CODE, "x").said[-1]
    assert "Ana Li" in talk.give(CODE, code).said[1]
    other = Talk(bot, "other").reply(ACCESS)
    assert "Ana Li" not in str(other.give(CODE, code).said)


def test_a_message_that_cannot_be_sent_tells_nothing(bot: Vault, box: Box, caplog: pytest.LogCaptureFixture) -> None:
    """The answer is as always, the log names nobody, and another code can be asked for."""
    box.fails = True
    talk = Talk(bot, "web").reply(ACCESS).give(CONTACT, ANA)
    assert "on its way" in talk.said[-1]
    end = time.monotonic() + 20
    while "was not sent" not in caplog.text and time.monotonic() < end:
        time.sleep(0.01)
    assert "was not sent" in caplog.text
    assert ANA not in caplog.text


def test_a_copy_is_handed_over_by_a_link(bot: Vault, box: Box) -> None:
    """After the proof, with all conversations in it, once."""
    talk = proven(bot, box, EXPORT)
    found = re.search(r"https://bot\.example/collect/(\S+)\?l=en ", talk.said[1])
    assert found is not None
    assert "24 November 2026, 12:30 (UTC)" in talk.said[1]
    with zipfile.ZipFile(io.BytesIO(b"".join(collect(bot, found[1], None, bot.clock())))) as packed:
        assert json.loads(packed.read("data-2.json"))["sender_id"] == "messenger"


def test_without_a_link_an_operator_hands_it_over(bot: Vault, box: Box) -> None:
    """The request is open, with its date; of nobody nothing is stored."""
    plain = replace(bot, policy=msgspec.structs.replace(bot.policy, handover=None))
    said = Talk(plain, "messenger", "telegram").reply(EXPORT).said[0]
    with plain.database.read() as conn:
        (opened,) = [each for each in requests.iterate(conn) if each.kind == "portability"]
    assert opened.number in said
    assert 'say "what do you know about me"' in said
    assert opened.is_open
    assert "no personal details" in Talk(plain, "nobody", "telegram").reply(EXPORT).said[0]
    assert box.got == []


def test_a_deletion_from_elsewhere_reaches_all_after_the_proof(bot: Vault, box: Box) -> None:
    """The preview says so; without a proof it is about its own conversation, and says that too."""
    grant(bot, "newsletter", sender="web")
    give(bot, {"newsletter": {"birthday": "1990"}}, sender="web")
    talk = Talk(bot, "web").reply(DELETE)
    assert "this conversation alone" in talk.said[-1]
    talk = proven(bot, box)
    assert "others of yours" in talk.reply(DELETE).said[-1]
    assert len(re.findall(r"ER-[A-Z0-9-]{14}", talk.reply(YES).said[-1])) == 2
    assert there(bot, "web", "messenger") == [False, False]


def test_a_deletion_without_a_proof_leaves_the_others(bot: Vault, box: Box, clock: Clock) -> None:
    """Also where the proof is over."""
    talk = proven(bot, box)
    clock.advance(minutes=31)
    assert "this conversation alone" in talk.reply(DELETE).said[-1]
    talk.reply(YES)
    assert there(bot, "web", "messenger") == [False, True]


def test_a_form_that_runs_waits_for_the_proof(bot: Vault, box: Box) -> None:
    """And goes on after it."""
    grant(bot, "draw", sender="web")
    talk = Talk(bot, "web")
    talk.loop = "lead_form"
    assert talk.reply(ACCESS).ran == []
    assert talk.give(CONTACT, ANA).ran == []
    assert talk.give(CODE, box.code()).ran == ["lead_form"]


def test_no_contact_or_code_is_logged(bot: Vault, box: Box, caplog: pytest.LogCaptureFixture) -> None:
    """At any level."""
    caplog.set_level(logging.DEBUG)
    proven(bot, box)
    for secret in (ANA, box.code(), "Ana Li"):
        assert secret not in caplog.text
