"""A request is extended with a notice that goes to a contact on file, in the person's language, or not at all."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from rasa_privacy.access.permit import issue
from rasa_privacy.dialogue.names import LANGUAGE_SLOT
from rasa_privacy.dialogue.packs import available_languages
from rasa_privacy.errors import AccessError, RequestError, SenderError
from rasa_privacy.rights import staff_restriction, standing
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.extension import extend_with_notice
from rasa_privacy.rights.requests import open_request, refuse
from rasa_privacy.rights.suppression import STOP, suppress_contacts
from rasa_privacy.storage import requests
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, START, Clock, evidence, give, grant

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


class Post:
    """What sends messages, and keeps what went out.

    Attributes:
        sent: Contact, subject and text of each message.
        error: What it raises instead of sending.
        before: What happens while a message is on its way.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []
        self.error: Exception | None = None
        self.before: Any = lambda: None

    def send(self, to: str, subject: str, text: str) -> None:
        """Send a message."""
        self.before()
        if self.error is not None:
            raise self.error
        self.sent.append((to, subject, text))


@pytest.fixture
def post() -> Post:
    """Return what sends messages."""
    return Post()


@pytest.fixture
def request_of(vault: Vault) -> Request:
    """Return an open request of a person with an address and a number on file."""
    subject_id = grant(vault, "draw", "fitting")
    give(vault, {"draw": {"email": "ana@old.example"}, "fitting": {"phone": "+49 170 5558172"}})
    give(vault, {"draw": {"email": "ana@now.example"}})
    return vault.database.transact(lambda conn: open_request(vault, conn, "access", subject_id, vault.clock()))


def permit(verb: str = "requests") -> Any:
    """Return a permit of an operator."""
    return issue(operator="eva", role="dpo", verb=verb, reason="a letter", items=None, purposes=None, clear=False)


def suppress(vault: Vault, contact: str, reason: str) -> None:
    """Let nobody write to a contact."""
    vault.database.transact(lambda conn: suppress_contacts(vault, conn, [contact], reason, vault.clock()))


def extend(vault: Vault, number: str, post: Post, reason: str = "complexity") -> Request:
    """Extend a request with a notice."""
    return extend_with_notice(vault, number, reason, permit(), lambda: post)


def steps(vault: Vault, number: str) -> list[str]:
    """Return what happened to a request."""
    with vault.database.read() as conn:
        return [each.step for each in requests.steps_of(conn, number)]


def speak(vault: Vault, language: str) -> None:
    """Let the person's conversation go on in a language."""
    event = {"event": "slot", "timestamp": vault.clock().timestamp(), "name": LANGUAGE_SLOT, "value": language}

    def work(conn: Any) -> None:
        version, _ = vault.conversations.head(conn, SENDER)
        vault.conversations.append(conn, SENDER, version, [event], {}, [], vault.clock())

    vault.database.transact(work)


def as_it_was(vault: Vault, before: Request) -> bool:
    """Return whether nothing of a request changed."""
    with vault.database.read() as conn:
        return requests.find(conn, before.number) == before and steps(vault, before.number) == ["received"]


@each_kind
def test_the_person_is_told_and_the_date_put_off(vault: Vault, request_of: Request, post: Post) -> None:
    """To the address that was given last, with the request, the reason and both dates; the history says so."""
    changed = extend(vault, request_of.number, post)
    assert (changed.state, changed.answer_by) == ("extended", START.replace(year=2027, month=2))
    ((to, subject, text),) = post.sent
    assert to == "ana@now.example"
    assert request_of.number in subject
    for part in (
        request_of.number,
        "access to your data",
        "because it is complex",
        "received on 23 November 2026",
        "by 23 February 2027",
        "until now was 23 December 2026",
        "privacy@northwind.example",
        "Northwind Outdoor",
    ):
        assert part in text
    assert steps(vault, request_of.number) == ["received", "notice_sent", "extended"]


@pytest.mark.parametrize("language", available_languages())
def test_the_notice_is_in_the_language_of_the_conversation(
    vault: Vault, request_of: Request, post: Post, language: str
) -> None:
    """Each that the bot speaks has its own words, and no variable is left open."""
    speaking = replace(vault, policy=msgspec.structs.replace(vault.policy, languages=available_languages()))
    speak(speaking, language)
    extend(speaking, request_of.number, post, "number_of_requests")
    ((_, subject, text),) = post.sent
    assert "{" not in subject + text
    words = {"en": "takes longer", "de": "dauert länger", "fr": "prend plus de temps", "es": "tarda más"}
    words |= {"it": "richiede più tempo", "pt": "demora mais", "nl": "duurt langer"}
    assert words[language] in subject
    assert words[language] in text


def test_what_staff_did_changes_no_language(vault: Vault, request_of: Request, post: Post) -> None:
    """The person answered in German, and staff restricted a purpose since."""
    subject_id = request_of.subject_id or b""
    speaking = replace(vault, policy=msgspec.structs.replace(vault.policy, languages=("en", "de")))
    answer = replace(evidence(vault), language="de")
    speaking.database.transact(lambda conn: standing.restrict(speaking, conn, subject_id, ["draw"], answer, lift=False))
    staff = issue(operator="eva", role="", verb="restrict", reason="", items=None, purposes=None, clear=False)
    assert staff_restriction.restrict(speaking, SENDER, ["fitting"], staff) == ("fitting",)
    extend(speaking, request_of.number, post)
    ((_, subject, _),) = post.sent
    assert "dauert länger" in subject


@pytest.mark.parametrize("error", [SenderError("the server does not answer"), RuntimeError("ana@now.example")])
def test_a_notice_that_cannot_be_sent_extends_nothing(
    vault: Vault, request_of: Request, post: Post, error: Exception
) -> None:
    """The request keeps its date, and the error names no contact."""
    post.error = error
    with pytest.raises(SenderError) as caught:
        extend(vault, request_of.number, post)
    assert "ana" not in str(caught.value)
    assert as_it_was(vault, request_of)


def test_without_an_address_the_number_counts(vault: Vault, post: Post) -> None:
    """A builder's sender may reach it."""
    subject_id = grant(vault, "fitting")
    give(vault, {"fitting": {"phone": "+49 170 5558172"}})
    opened = vault.database.transact(lambda conn: open_request(vault, conn, "access", subject_id, vault.clock()))
    extend(vault, opened.number, post)
    assert [to for to, _, _ in post.sent] == ["+49 170 5558172"]


@pytest.mark.parametrize("values", [{}, {"draw": {"full_name": "Ana Li"}}, {"draw": {"email": "a**@now.example"}}])
def test_who_has_no_contact_on_file_is_not_written_to(vault: Vault, post: Post, values: Any) -> None:
    """Nor by one that is kept in part alone, which may be somebody else's."""
    subject_id = grant(vault, "draw")
    give(vault, values)
    opened = vault.database.transact(lambda conn: open_request(vault, conn, "access", subject_id, vault.clock()))
    with pytest.raises(RequestError, match="on file"):
        extend(vault, opened.number, post)
    assert as_it_was(vault, opened)
    assert post.sent == []


def test_of_whom_nothing_is_stored_there_is_no_contact(vault: Vault, post: Post) -> None:
    """A letter came from somebody unknown."""
    opened = vault.database.transact(lambda conn: open_request(vault, conn, "access", None, vault.clock()))
    with pytest.raises(RequestError, match="nothing is stored of this person"):
        extend(vault, opened.number, post)
    assert post.sent == []


def test_a_suppressed_contact_gets_nothing_but_stop_ends_advertising_alone(
    vault: Vault, request_of: Request, post: Post
) -> None:
    """What staff suppressed may be somebody else's; who said STOP still asked for an answer."""
    suppress(vault, "ana@now.example", STOP)
    extend(vault, request_of.number, post)
    assert len(post.sent) == 1
    with vault.database.read() as conn:
        subject_id = vault.subjects.find(conn, SENDER)
    other = vault.database.transact(lambda conn: open_request(vault, conn, "erasure", subject_id, vault.clock()))
    suppress(vault, "ana@now.example", "operator")
    with pytest.raises(RequestError, match="suppressed"):
        extend(vault, other.number, post)
    assert as_it_was(vault, other)
    assert len(post.sent) == 1


@pytest.mark.parametrize("case", ["again", "late", "closed", "unknown", "reason"])
def test_what_may_not_be_extended_tells_nobody(
    vault: Vault, request_of: Request, post: Post, clock: Clock, case: str
) -> None:
    """Once, before the date, for a reason of the law; looked at before anything goes out."""
    number, reason = request_of.number, "complexity"
    if case == "again":
        extend(vault, number, post)
        post.sent.clear()
    elif case == "late":
        clock.advance(days=31)
    elif case == "closed":
        vault.database.transact(lambda conn: refuse(vault, conn, number, "excessive", "Eva", vault.clock()))
    elif case == "unknown":
        number = "RQ-0000-0000-0000"
    else:
        reason = "holidays"
    with pytest.raises(RequestError):
        extend(vault, number, post, reason)
    assert post.sent == []


def test_what_changes_while_the_notice_goes_out_is_not_extended(vault: Vault, request_of: Request, post: Post) -> None:
    """Somebody is erased, so the request has ended; it stays as it is."""
    post.before = lambda: erase(vault, SENDER, evidence(vault))
    with pytest.raises(RequestError, match="was closed"):
        extend(vault, request_of.number, post)
    with vault.database.read() as conn:
        found = requests.find(conn, request_of.number)
    assert found is not None
    assert (found.state, found.extended_at) == ("done", None)


def test_a_permit_for_something_else_sends_nothing(vault: Vault, request_of: Request, post: Post) -> None:
    """The check is in the function that sends."""
    with pytest.raises(AccessError):
        extend_with_notice(vault, request_of.number, "complexity", permit("view"), lambda: post)
    assert post.sent == []
    assert as_it_was(vault, request_of)
