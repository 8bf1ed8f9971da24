"""Double opt-in as a person meets it: the yes, the address, the mail on a real server, and the code that comes back."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from rasa_privacy.access.admission import admit_local
from rasa_privacy.actions import confirming
from rasa_privacy.consent.double_opt_in import MAX_ATTEMPTS, MAX_MAILS
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.policy.sender_settings import SmtpSettings
from rasa_privacy.rights.audience import Tally, audience
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.senders import SmtpSender
from rasa_privacy.rights.suppression import OPERATOR, STOP, suppress, suppress_contacts, suppressed
from rasa_privacy.storage.vault import Vault
from tests.actions.test_asking import changed, ledger, withdrawn
from tests.support.talk import Talk
from tests.support.vaults import SENDER, Clock, active, evidence, give, grant, held

YES, NO, UNSURE, CONTACT, CODE, AGAIN = (
    f"privacy_{name}" for name in ("grant", "refuse", "unclear", "contact", "code", "resend")
)
ANA, EVE = "ana@example.com", "eve@example.net"


class Mailbox:
    """A mail server, what it took, and whether it takes anything."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []
        self.refuses = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep a mail."""
        if self.refuses:
            return "451 later"
        (to,) = envelope.rcpt_tos
        self.mails.append((to, envelope.content.decode()))
        return "250 OK"

    def code(self) -> str:
        """The code in the last mail."""
        found = re.search(r"code is (\d{6})", self.mails[-1][1])
        assert found is not None
        return found[1]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Mailbox, SmtpSettings]]:
    """Return the mailbox of a real server, and how it is reached."""
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box, SmtpSettings("127.0.0.1", port, "no-reply@northwind.example", "none")
    server.stop()


@pytest.fixture
def mailbox(served: tuple[Mailbox, SmtpSettings], monkeypatch: pytest.MonkeyPatch) -> Mailbox:
    """Return the empty mailbox to which the codes go."""
    box, settings = served
    box.mails, box.refuses = [], False
    monkeypatch.setattr(confirming, "sender", lambda: SmtpSender(settings))
    return box


@pytest.fixture
def strict(vault: Vault, mailbox: Mailbox) -> Vault:
    """Return the store whose newsletter needs a code."""
    assert mailbox.mails == []
    return changed(vault, purposes={"newsletter": {"double_opt_in": True}})


def wrong(code: str) -> str:
    """Return a code that is not this one."""
    return f"{(int(code) + 1) % 10**6:06d}"


def asked_for_code(vault: Vault, contact: str = ANA) -> Talk:
    """Return a conversation in which a code is on its way."""
    return Talk(vault).want("newsletter_form").reply(YES).give(CONTACT, contact)


def test_the_yes_counts_after_the_code(strict: Vault, mailbox: Mailbox) -> None:
    """Yes, address, mail, code; then optional items, and then the form runs with the address filled in."""
    talk = Talk(strict).want("newsletter_form").reply(YES)
    assert "Where shall I send a code" in talk.said[-1]
    talk.give(CONTACT, ANA)
    ((to, mail),) = mailbox.mails
    assert to == ANA
    assert "Northwind Outdoor" in mail
    assert "a***@example.com" in talk.said[-1]
    assert active(strict) == frozenset()
    assert talk.ran == []
    assert ledger(strict) == [("newsletter", "asked")]
    talk.give(CODE, mailbox.code())
    assert active(strict) == {"newsletter"}
    assert talk.slots["email"] == ANA
    assert "optional" in talk.said[-1]
    assert talk.reply(NO).ran == ["newsletter_form"]


def test_a_mail_with_a_code_tells_nothing_of_the_person(strict: Vault, mailbox: Mailbox) -> None:
    """The address may be somebody else's, so what else is on file, and how the person is known, is not in it."""
    grant(strict, "draw")
    give(strict, {"draw": {"full_name": "Ana Lind"}})
    asked_for_code(strict)
    ((_, mail),) = mailbox.mails
    assert mailbox.code() in mail
    for known in (SENDER, SENDER.replace(" ", ""), "Lind"):
        assert known not in mail
    assert mail.count(ANA) == 1  # in its header


def test_an_own_sender_that_breaks_names_nobody(
    strict: Vault, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The person is told that no code was sent; what the sender raised, which names them, is not logged."""

    class Broken:
        def send(self, *mail: str) -> None:
            raise ValueError(mail)

    monkeypatch.setattr(confirming, "sender", Broken)
    talk = asked_for_code(strict)
    assert "could not" in talk.said[-1]
    assert "its class broke (ValueError)" in caplog.text
    assert ANA not in caplog.text


def test_pending_is_consent_nowhere(strict: Vault) -> None:
    """Neither the gate nor the audience takes a yes without its code, also an old one."""
    talk = asked_for_code(strict)
    talk.want("newsletter_form")
    assert talk.ran == []
    assert list(audience(strict, admit_local(strict, "audience"), "newsletter", None, strict.clock(), Tally())) == []
    grant(strict, "newsletter", sender="somebody else")
    assert active(strict, "somebody else") == frozenset()
    assert list(audience(strict, admit_local(strict, "audience"), "newsletter", None, strict.clock(), Tally())) == []


def test_the_address_on_file_is_used(strict: Vault, mailbox: Mailbox) -> None:
    """Where an active purpose holds one, nobody is asked for it."""
    grant(strict, "draw")
    talk = Talk(strict)
    talk.slots["email"] = ANA
    talk.want("newsletter_form").reply(YES)
    assert [to for to, _ in mailbox.mails] == [ANA]
    talk.give(CODE, mailbox.code())
    assert "newsletter" in active(strict)


def test_five_wrong_codes_end_it(strict: Vault, mailbox: Mailbox) -> None:
    """The right one is worth nothing after them, and neither a no nor a withdrawal begins the count anew."""
    talk = asked_for_code(strict)
    code = mailbox.code()
    for _ in range(MAX_ATTEMPTS):
        assert "not the code" in talk.give(CODE, wrong(code)).said[-1]
    talk.give(CODE, code)
    assert active(strict) == frozenset()
    talk.reply(NO)
    assert ledger(strict)[-1] == ("newsletter", "refused")
    withdrawn(strict, "newsletter")
    assert "cannot send" in talk.want("newsletter_form").reply(YES).give(CONTACT, ANA).said[-1]
    assert len(mailbox.mails) == 1
    assert active(strict) == frozenset()


def test_a_code_ends_after_a_quarter_of_an_hour(strict: Vault, mailbox: Mailbox, clock: Clock) -> None:
    """Another one can be had then."""
    talk = asked_for_code(strict)
    code = mailbox.code()
    clock.advance(minutes=16)
    assert "no code" in talk.give(CODE, code).said[-1]
    assert active(strict) == frozenset()
    talk.reply(AGAIN)
    assert "Where shall I send" in talk.said[-1]
    talk.give(CONTACT, ANA).give(CODE, mailbox.code())
    assert active(strict) == {"newsletter"}


def test_another_code_goes_where_the_first_went(strict: Vault, mailbox: Mailbox, clock: Clock) -> None:
    """Whatever address a message names while one is on its way, and at most once a minute."""
    talk = asked_for_code(strict)
    assert "cannot send" in talk.give(AGAIN, EVE).said[-1]
    clock.advance(minutes=2)
    first = mailbox.code()
    talk.give(AGAIN, EVE)
    assert talk.pending is not None
    assert talk.pending.kind == "code"
    talk.slots["email"] = EVE
    clock.advance(minutes=2)
    talk.give(AGAIN, EVE)
    assert [to for to, _ in mailbox.mails] == [ANA, ANA, ANA]
    talk.give(CODE, first)
    assert active(strict) == frozenset() or first == mailbox.code()
    talk.give(CODE, mailbox.code())
    assert active(strict) == {"newsletter"}


def test_an_address_counts_only_as_the_answer_to_our_question(strict: Vault, mailbox: Mailbox) -> None:
    """Sent at any other moment, it sends no mail."""
    talk = Talk(strict).want("newsletter_form").give(CONTACT, EVE)
    assert mailbox.mails == []
    talk.reply(YES).give(CONTACT, ANA).give(CONTACT, EVE)
    assert [to for to, _ in mailbox.mails] == [ANA]


def test_no_contact_gets_more_than_three_mails_an_hour(strict: Vault, mailbox: Mailbox, clock: Clock) -> None:
    """However many people ask, and also when they have themselves deleted in between."""
    for number in range(5):
        sender = f"person {number}"
        Talk(strict, sender).want("newsletter_form").reply(YES).give(CONTACT, ANA.upper() if number % 2 else ANA)
        erase(strict, sender, evidence(strict))
        clock.advance(minutes=2)
    assert len(mailbox.mails) == MAX_MAILS
    clock.advance(minutes=61)
    asked_for_code(strict)
    assert len(mailbox.mails) == MAX_MAILS + 1


def test_a_suppressed_contact_gets_no_code(strict: Vault, mailbox: Mailbox) -> None:
    """Whoever types it in."""
    strict.database.transact(lambda conn: suppress_contacts(strict, conn, [ANA], OPERATOR, strict.clock()))
    assert "cannot send" in asked_for_code(strict).said[-1]
    assert mailbox.mails == []


def test_the_code_lifts_the_persons_own_stop(strict: Vault, mailbox: Mailbox) -> None:
    """And the yes alone does not."""
    strict.database.transact(lambda conn: suppress(strict, conn, SENDER, STOP, strict.clock()))
    talk = asked_for_code(strict)
    with strict.database.read() as conn:
        assert suppressed(strict, conn, SENDER) == STOP
    talk.give(CODE, mailbox.code())
    with strict.database.read() as conn:
        assert suppressed(strict, conn, SENDER) is None


def test_a_withdrawal_ends_the_code(strict: Vault, mailbox: Mailbox) -> None:
    """What was said last counts, also where the mail comes late."""
    talk = asked_for_code(strict)
    talk.reply("privacy_stop").give(CODE, mailbox.code())
    assert active(strict) == frozenset()
    with strict.database.read() as conn:
        assert strict.subjects.find(conn, SENDER) is not None


def test_a_server_that_takes_no_mail_is_said_so(strict: Vault, mailbox: Mailbox, clock: Clock) -> None:
    """Nothing is claimed, and the next try works."""
    mailbox.refuses = True
    talk = asked_for_code(strict)
    assert "could not" in talk.said[-1]
    mailbox.refuses = False
    clock.advance(minutes=2)
    talk.reply(AGAIN).give(CODE, mailbox.code())
    assert active(strict) == {"newsletter"}


def test_the_draw_does_not_wait_for_the_newsletters_code(strict: Vault, mailbox: Mailbox) -> None:
    """Asked about beside, it takes no longer than a question; the code counts whenever it comes."""
    beside = changed(strict, purposes={"draw": {"also_ask": ("newsletter",)}})
    talk = Talk(beside).want("lead_form").reply(YES).reply(NO).reply(YES)
    assert talk.ran == []
    talk.give(CONTACT, ANA)
    assert talk.ran == ["lead_form"]
    assert talk.slots["email"] == ANA  # the draw lists it, so the form need not ask again
    assert active(beside) == {"draw"}
    talk.give(CODE, mailbox.code())
    assert active(beside) == {"draw", "newsletter"}


def test_a_code_while_another_question_is_open(strict: Vault, mailbox: Mailbox) -> None:
    """It counts, and the question is asked once more."""
    talk = asked_for_code(strict).want("lead_form")
    assert "to enter you in the draw" in talk.said[-1]
    talk.give(CODE, mailbox.code())
    assert active(strict) == {"newsletter"}
    assert "to enter you in the draw" in talk.said[-1]
    talk.reply(YES)
    assert active(strict) == {"newsletter", "draw"}


def test_who_wants_it_again_is_asked_for_the_code(strict: Vault, mailbox: Mailbox) -> None:
    """And not once more for a yes; a mail that takes a while is no reason to begin anew."""
    talk = asked_for_code(strict).want("action_hours").want("newsletter_form")
    assert "type the code" in talk.said[-1]
    talk.give(CODE, mailbox.code()).reply(NO)
    assert talk.ran == ["action_hours", "newsletter_form"]


def test_what_is_neither_code_nor_no_is_asked_back(strict: Vault) -> None:
    """An "ok" while the code is awaited is no refusal; while the address is awaited, twice unclear is a no."""
    talk = asked_for_code(strict).reply(UNSURE).reply(UNSURE).reply(YES)
    assert "type the code" in talk.said[-1]
    assert ledger(strict)[-1] == ("newsletter", "asked")
    other = Talk(strict, "somebody else").want("newsletter_form").reply(YES).reply(UNSURE).reply(UNSURE)
    assert "count it as a no" in other.said[-1]


def test_nothing_of_the_address_is_left(strict: Vault, mailbox: Mailbox, tmp_path: Path) -> None:
    """While it waits it is sealed, after a no it is gone; only the keyed hash of an hour remains."""
    talk = asked_for_code(strict)
    assert ANA.encode() not in b"".join(file.read_bytes() for file in tmp_path.glob("c.db*"))
    talk.reply(NO)
    assert mailbox.mails
    with strict.database.read() as conn:
        assert not conn.exec_driver_sql("SELECT 1 FROM opt_in_codes WHERE contact IS NOT NULL").first()
    assert held(strict) == {}


def test_a_changed_notice_makes_the_code_worthless(strict: Vault, mailbox: Mailbox) -> None:
    """The yes was given to another text."""
    asked_for_code(strict)
    other = changed(strict, purposes={"newsletter": {"says": {"en": "to sell you tents"}}})
    talk = Talk(other)
    talk.slots["privacy_pending"] = Pending("code", "newsletter_form", ("newsletter",)).to_slot()
    with pytest.raises(Exception, match="changed after it was shown"):
        talk.give(CODE, mailbox.code())
    assert active(other) == frozenset()


def test_the_address_is_stored_once_the_code_came(strict: Vault, mailbox: Mailbox) -> None:
    """Only the confirmed one is in the audience."""
    asked_for_code(strict).give(CODE, mailbox.code())
    give(strict, {"newsletter": {"email": ANA}})
    permit = admit_local(strict, "audience")
    found = audience(strict, permit, "newsletter", "email", strict.clock(), Tally())
    assert [each.value for each in found] == [ANA]
