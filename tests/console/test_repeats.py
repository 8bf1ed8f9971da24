"""Calls that are made again: done once, and answered alike."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rasa_privacy.access.admission import admit
from rasa_privacy.access.login import local_operator, login
from rasa_privacy.access.operators import revoke_operator
from rasa_privacy.console.operation import Call
from rasa_privacy.console.problems import RefusedError
from rasa_privacy.console.repeats import LASTS, PATIENCE, answer_of, once
from rasa_privacy.console.verbs import make_console
from rasa_privacy.errors import StorageError
from rasa_privacy.policy.operations import Role
from rasa_privacy.storage import answers
from rasa_privacy.storage.vault import Vault, open_vault
from tests.console.conftest import As
from tests.support.asgi import Client
from tests.support.databases import EACH_KIND
from tests.support.operators import records
from tests.support.vaults import SENDER, Clock, settings_in

Sql = Callable[..., list[Any]]
each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)

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


def test_who_lost_the_role_gets_no_answer_of_before(as_role: As, vault: Vault, tmp_path: Path, url: str) -> None:
    """Neither who may not do it any more, nor whose role reaches less; both refusals are on record."""
    crm = as_role("crm")
    first = crm.post("/v1/subjects/erase", {**ERASE, "confirm": False}, KEY)
    assert first.json()["would_erase"]["purposes"] == ["draw", "newsletter"]

    def again(role: Role) -> tuple[int, bytes]:
        opened = open_vault(replace(settings_in(tmp_path), url=url), vault.clock)
        later = msgspec.structs.replace(vault.policy, roles={**vault.policy.roles, "crm": role})
        client = Client(make_console(replace(opened, policy=later)), crm.token)
        answer = client.post("/v1/subjects/erase", {**ERASE, "confirm": False}, KEY)
        opened.close()
        return answer.status, answer.body

    may = ("view", "export", "erase")
    assert again(Role(items="all", may=may, values="clear")) == (200, first.body)
    for less in (Role(items="all", may=("view",)), Role(items="all", may=may, purposes=("draw",))):
        status, body = again(less)
        assert status == 403
        assert b"newsletter'" in body or b"erase'" in body
        assert records(vault)[-1].outcome == "refused"


def test_the_answer_of_an_earlier_release_is_not_given(vault: Vault) -> None:
    """Under which permits it was made nobody knows."""
    call = Call(vault, local_operator(), None, None, "", "")
    with pytest.raises(RefusedError, match="earlier release"):
        answer_of(call, b'{"erased":true,"certificate":"ER-1"}')


def test_what_failed_is_done_again(as_role: As) -> None:
    """A refusal is no answer that would be kept."""
    clerk = as_role("clerk")
    assert clerk.post("/v1/subjects/erase", ERASE, KEY).status == 403
    assert clerk.post("/v1/subjects/erase", ERASE, KEY).status == 403


@each_kind
def test_two_at_the_same_time_are_one(vault: Vault, clock: Clock) -> None:
    """The second is told that the first is being done; afterwards it gets its answer, for a day."""
    begun, end = threading.Event(), threading.Event()

    def slow() -> bytes:
        begun.set()
        assert end.wait(60)
        return b"first"

    found: list[bytes] = []
    first = threading.Thread(target=lambda: found.append(once(vault, "olga", "erase", "k", b"x", slow)))
    first.start()
    assert begun.wait(60)
    with pytest.raises(RefusedError, match="being done") as refused:
        once(vault, "olga", "erase", "k", b"x", lambda: b"second")
    assert refused.value.status == 409
    end.set()
    first.join()
    assert found == [b"first"]
    assert once(vault, "olga", "erase", "k", b"x", lambda: b"second") == b"first"
    with pytest.raises(RefusedError, match="another call"):
        once(vault, "olga", "erase", "k", b"y", lambda: b"second")
    clock.advance(seconds=LASTS.total_seconds())
    assert once(vault, "olga", "erase", "k", b"x", lambda: b"third") == b"third"


@each_kind
def test_of_many_at_once_one_is_done(vault: Vault) -> None:
    """Whichever process they come to."""
    begin, done, told = threading.Barrier(4), list[int](), list[int | bytes]()

    def call() -> None:
        begin.wait(60)
        try:
            told.append(once(vault, "olga", "erase", "k", b"x", lambda: done.append(1) or b"one"))  # type: ignore[func-returns-value]
        except RefusedError as error:
            told.append(error.status)

    calls = [threading.Thread(target=call) for _ in range(4)]
    for each in calls:
        each.start()
    for each in calls:
        each.join()
    assert done == [1]
    assert set(told) <= {b"one", 409}
    assert len(told) == 4


def test_another_server_and_one_after_a_restart_give_the_same_answer(
    as_role: As, vault: Vault, tmp_path: Path, url: str
) -> None:
    """The answer is in the database."""
    crm = as_role("crm")
    first = crm.post("/v1/subjects/erase", ERASE, KEY)
    assert first.json()["erased"] is True
    again = replace(open_vault(replace(settings_in(tmp_path), url=url), vault.clock), policy=vault.policy)
    assert Client(make_console(again), crm.token).post("/v1/subjects/erase", ERASE, KEY).body == first.body
    again.close()


def test_who_died_while_doing_a_call_holds_nobody_up_for_ever(vault: Vault, clock: Clock) -> None:
    """It is done again after a while; where the first comes to its end all the same, the second answer stands."""

    def overtaken() -> bytes:
        clock.advance(seconds=PATIENCE.total_seconds())
        assert once(vault, "olga", "erase", "k", b"x", lambda: b"second") == b"second"
        return b"first"

    assert once(vault, "olga", "erase", "k", b"x", overtaken) == b"first"
    assert once(vault, "olga", "erase", "k", b"x", lambda: b"third") == b"second"


def test_what_is_stored_names_nobody_and_goes_with_its_key(vault: Vault, clock: Clock, sql: Sql) -> None:
    """Operator, key, body and answer are not to be read; what is over is deleted by the next call."""
    secret = b"a link with its secret"
    once(vault, "olga", "linkForCopy", "ticket-17", SENDER.encode(), lambda: secret)
    stored = repr(sql("SELECT * FROM api_answers"))
    for each in ("olga", "ticket-17", SENDER, "secret"):
        assert each not in stored
    owned = "SELECT COUNT(*) FROM data_keys WHERE purpose = 'service:answer'"
    assert sql(owned) == [(1,)]
    clock.advance(seconds=LASTS.total_seconds())
    once(vault, "olga", "other", "k", b"x", lambda: b"y")
    assert sql(owned) == [(1,)]
    assert sql("SELECT COUNT(*) FROM api_answers") == [(1,)]


def test_an_answer_that_cannot_be_noted_is_given(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done was done."""

    def broken(*_: object) -> None:
        raise StorageError("no space left")

    monkeypatch.setattr(answers, "note", broken)
    assert once(vault, "olga", "erase", "k", b"x", lambda: b"done") == b"done"


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
