"""Calls that are made again: done once, and answered alike."""

import threading
from dataclasses import replace

import pytest

from rasa_privacy.access.admission import admit
from rasa_privacy.access.login import login
from rasa_privacy.access.operators import revoke_operator
from rasa_privacy.console.problems import RefusedError
from rasa_privacy.console.repeats import LASTS, Repeats
from rasa_privacy.storage.vault import Vault
from tests.console.conftest import As
from tests.support.vaults import SENDER

ERASE = {"sender": SENDER, "reason": "ticket 17", "confirm": True}
KEY = {"Idempotency-Key": "d0f1"}


def test_an_erasure_that_is_asked_for_again_has_the_same_certificate(as_role: As) -> None:
    """Without the key it says that there is nobody; another body or another operator is another call."""
    crm = as_role("crm")
    first = crm.post("/v1/subjects/erase", ERASE, KEY)
    assert first.json()["erased"] is True
    assert crm.post("/v1/subjects/erase", ERASE, KEY).body == first.body
    assert crm.post("/v1/subjects/erase", ERASE).json()["certificate"] is None
    assert crm.post("/v1/subjects/erase", {**ERASE, "confirm": False}, KEY).status == 422
    assert as_role("dpo").post("/v1/subjects/erase", ERASE, KEY).json()["certificate"] is None
    assert crm.post("/v1/subjects/erase", ERASE, {"Idempotency-Key": "no spaces"}).status == 422


def test_who_was_revoked_gets_no_answer_of_before(as_role: As, vault: Vault, tokens: dict[str, str]) -> None:
    """An answer that is repeated asks for no permit, so it asks for the operator."""
    crm = as_role("crm")
    assert crm.post("/v1/subjects/erase", ERASE, KEY).status == 200
    revoke_operator(vault, admit(vault, login(vault, tokens["dpo"]), "operators"), "crm-system")
    assert crm.post("/v1/subjects/erase", ERASE, KEY).status == 401


def test_what_failed_is_done_again(as_role: As) -> None:
    """A refusal is no answer that would be kept."""
    clerk = as_role("clerk")
    assert clerk.post("/v1/subjects/erase", ERASE, KEY).status == 403
    assert clerk.post("/v1/subjects/erase", ERASE, KEY).status == 403


def test_two_at_the_same_time_are_one() -> None:
    """The second is told that the first is being done; afterwards it gets its answer, for a day."""
    now, begun, end = [0.0], threading.Event(), threading.Event()
    repeats = Repeats(lambda: now[0])

    def slow() -> bytes:
        begun.set()
        assert end.wait(60)
        return b"first"

    found: list[bytes] = []
    first = threading.Thread(target=lambda: found.append(repeats.once("olga", "erase", "k", b"x", slow)))
    first.start()
    assert begun.wait(60)
    with pytest.raises(RefusedError, match="being done") as refused:
        repeats.once("olga", "erase", "k", b"x", lambda: b"second")
    assert refused.value.status == 409
    end.set()
    first.join()
    assert found == [b"first"]
    assert repeats.once("olga", "erase", "k", b"x", lambda: b"second") == b"first"
    now[0] = LASTS
    assert repeats.once("olga", "erase", "k", b"x", lambda: b"third") == b"third"


def test_two_erasures_at_once_are_one_erasure(as_role: As) -> None:
    """Of two calls without a key one gets the certificate, and the other that there is nobody."""
    crm = as_role("crm")
    crm.post("/v1/subjects/find", {"sender": SENDER})
    certificates: list[str | None] = []
    calls = [
        threading.Thread(
            target=lambda: certificates.append(replace(crm).post("/v1/subjects/erase", ERASE).json()["certificate"])
        )
        for _ in range(4)
    ]
    for each in calls:
        each.start()
    for each in calls:
        each.join()
    assert [each is None for each in sorted(certificates, key=str)].count(False) == 1
