"""A request is completed where the records tell that it was done; or staff say that it was done elsewhere, and why."""

from collections.abc import Callable
from typing import Any

import pytest

from rasa_privacy.access.permit import issue
from rasa_privacy.access.recording import record_now
from rasa_privacy.errors import RequestError
from rasa_privacy.rights import staff_access, staff_rectification, staff_restriction
from rasa_privacy.rights.clocks import KINDS
from rasa_privacy.rights.deeds import DONE_ELSEWHERE, is_done
from rasa_privacy.rights.linked import copies_linked
from rasa_privacy.rights.request_counts import count
from rasa_privacy.rights.requests import complete, open_request
from rasa_privacy.rights.staff_deletion import plan_part
from rasa_privacy.storage import requests
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.parts import delete_part
from tests.support.vaults import SENDER, Clock, evidence, give, grant, link

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
Deed = Callable[[Vault, str], object]

#: What does what a request asks for.
DEEDS: dict[str, Deed] = {
    "access": lambda vault, who: staff_access.show(vault, who, permit("view")),
    "portability": lambda vault, who: staff_access.hand_out(vault, who, permit("export")),
    "item_erasure": lambda vault, who: delete_part(vault, who, ["email"], [], evidence(vault)),
    "rectification": lambda vault, who: staff_rectification.rectify(
        vault, who, "email", "b@c.example", permit("rectify")
    ),
    "restriction": lambda vault, who: staff_restriction.restrict(vault, who, ["draw"], permit("restrict")),
    "objection": lambda vault, who: staff_restriction.restrict(
        vault, who, ["draw"], permit("restrict"), objection=True
    ),
    "do_not_sell": lambda vault, who: staff_restriction.do_not_sell(vault, who, permit("restrict")),
    "limit_sensitive": lambda vault, who: staff_restriction.limit_sensitive(vault, who, permit("restrict")),
}
#: Of which no record tells.
SAID = ("complaint", "human", "officer")


def permit(verb: str) -> Any:
    """Return a permit of an operator who may do everything."""
    return issue(operator="eva", role="dpo", verb=verb, reason="a letter", items=None, purposes=None, clear=True)


@pytest.fixture
def subject_id(vault: Vault) -> bytes:
    """Return a person with an email address."""
    found = grant(vault, "draw")
    give(vault, {"draw": {"email": "a@b.example"}})
    return found


def opened(vault: Vault, kind: Any, subject_id: bytes | None) -> Request:
    """Open a request now."""
    return vault.database.transact(lambda conn: open_request(vault, conn, kind, subject_id, vault.clock()))


def completed(vault: Vault, number: str, elsewhere: str | None = None) -> Request:
    """Complete a request now."""
    return vault.database.transact(lambda conn: complete(vault, conn, number, "Eva", vault.clock(), elsewhere))


def done(vault: Vault, request: Request) -> bool:
    """Return whether the records tell that it was done."""
    with vault.database.read() as conn:
        return is_done(vault, conn, request)


@each_kind
@pytest.mark.parametrize("asked", DEEDS)
def test_without_the_deed_a_request_stays_open(vault: Vault, subject_id: bytes, clock: Clock, asked: str) -> None:
    """What was done before it was asked for is another's; once it is done the records tell so."""
    DEEDS["access"](vault, SENDER)
    clock.advance(days=1)
    request = opened(vault, asked, subject_id)
    with pytest.raises(RequestError, match=r"no record tells that this was done; 'rasa-privacy subject"):
        completed(vault, request.number)
    with vault.database.read() as conn:
        assert requests.find(conn, request.number) == request
    clock.advance(days=1)
    DEEDS[asked](vault, SENDER)
    assert done(vault, request)
    if asked == "access":  # the others end with the deed itself
        assert completed(vault, request.number).reason == "answered"
    else:
        with vault.database.read() as conn:
            found = requests.find(conn, request.number)
        assert found is not None
        assert (found.state, found.reason) == ("done", "answered")


@pytest.mark.parametrize("asked", ["access", "portability"])
def test_a_receipt_is_no_copy(vault: Vault, subject_id: bytes, asked: str) -> None:
    """Who was given the receipt of a consent has not got what is stored of them."""
    request = opened(vault, asked, subject_id)
    record_now(vault, permit("export"), subject_id=subject_id, purposes=["draw"], counts={"receipts": 1})
    assert not done(vault, request)
    with pytest.raises(RequestError, match="no record tells"):
        completed(vault, request.number)


def test_every_kind_is_looked_at_or_named_here() -> None:
    """A new kind of request is not completed unseen."""
    assert {*DEEDS, *SAID, "erasure"} == {*KINDS}


@pytest.mark.parametrize("why", DONE_ELSEWHERE)
def test_done_elsewhere_is_in_the_history_and_the_figures(vault: Vault, subject_id: bytes, why: str) -> None:
    """With its reason, so that a report tells it from what was done here."""
    request = opened(vault, "rectification", subject_id)
    assert completed(vault, request.number, why).reason == why
    with vault.database.read() as conn:
        assert [(each.step, each.reason) for each in requests.steps_of(conn, request.number)][-1] == ("done", why)
        figures = count(requests.each(conn), vault.clock())["rectification"]
    assert (figures.done, figures.elsewhere) == (1, 1)


def test_a_reason_of_nobodys_completes_nothing(vault: Vault, subject_id: bytes) -> None:
    """The list is closed, so that no name gets into the history."""
    request = opened(vault, "rectification", subject_id)
    with pytest.raises(RequestError, match="one of these reasons: other_system"):
        completed(vault, request.number, "Ana said so")
    assert not done(vault, request)


def test_a_deletion_of_everything_is_never_done_elsewhere_while_the_person_is_there(
    vault: Vault, subject_id: bytes
) -> None:
    """That is what the store itself can always tell."""
    request = opened(vault, "erasure", subject_id)
    for why in (None, *DONE_ELSEWHERE):
        with pytest.raises(RequestError, match="still there"):
            completed(vault, request.number, why)


@pytest.mark.parametrize("asked", KINDS)
def test_of_whom_nothing_is_stored_there_is_nothing_to_do(vault: Vault, asked: str) -> None:
    """Somebody wrote who was never here."""
    assert completed(vault, opened(vault, asked, None).number).state == "done"


@pytest.mark.parametrize("asked", SAID)
def test_what_no_record_can_tell_is_the_word_of_staff(vault: Vault, subject_id: bytes, asked: str) -> None:
    """A complaint was answered, somebody was called."""
    assert completed(vault, opened(vault, asked, subject_id).number).reason == "answered"


def test_a_deed_in_a_linked_conversation_counts(vault: Vault, subject_id: bytes, clock: Clock) -> None:
    """The person asked here, and staff looked at the other one that a proof has found."""
    grant(vault, "draw", sender="web-7")
    link(vault, SENDER, "web-7")
    request = opened(vault, "access", subject_id)
    clock.advance(days=1)
    assert len(copies_linked(vault, SENDER, clock())) == 2
    assert not done(vault, request)
    DEEDS["access"](vault, "web-7")
    assert completed(vault, request.number).state == "done"


def test_to_find_a_person_is_no_access(vault: Vault, subject_id: bytes) -> None:
    """Nor is the preview of a deletion: nothing was looked at to answer."""
    request = opened(vault, "access", subject_id)
    staff_access.find(vault, SENDER, permit("view"))
    plan_part(vault, SENDER, ["email"], [], permit("view"))
    assert not done(vault, request)


def test_a_deed_that_is_about_somebody_else_does_not_count(vault: Vault, subject_id: bytes) -> None:
    """Staff looked at another person meanwhile."""
    grant(vault, "draw", sender="web-7")
    request = opened(vault, "access", subject_id)
    DEEDS["access"](vault, "web-7")
    assert not done(vault, request)
