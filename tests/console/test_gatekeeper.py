"""Who is let in: tokens, remembered for a while, and what counts at the next call all the same."""

import threading
from dataclasses import replace
from unittest.mock import Mock

import msgspec
import pytest

from rasa_privacy.access.admission import admit
from rasa_privacy.access.login import FAILURES, login
from rasa_privacy.access.operators import renew_token, revoke_operator
from rasa_privacy.console import gatekeeper
from rasa_privacy.console.gatekeeper import SESSION, WINDOW, WRONG, Gatekeeper
from rasa_privacy.console.problems import RefusedError
from rasa_privacy.console.verbs import make_console
from rasa_privacy.crypto import tokens as hashes
from rasa_privacy.errors import AccessError
from rasa_privacy.policy.operations import Training
from rasa_privacy.storage.vault import Vault
from tests.console.conftest import As
from tests.support.asgi import Client
from tests.support.operators import records
from tests.support.vaults import SENDER, Clock

WHO = {"sender": SENDER, "reason": "ticket 17"}


def other(token: str) -> str:
    """Return a token of the same operator with another secret."""
    return f"{token[:-43]}{'A' * 43}"


def test_a_call_without_a_token_is_told_how(as_role: As) -> None:
    """And so is one with a wrong scheme; the answer is the same for a person who is there and one who is not."""
    nobody = as_role()
    found = nobody.post("/v1/subjects/find", WHO)
    assert (found.status, found.headers["www-authenticate"]) == (401, "Bearer")
    assert nobody.post("/v1/subjects/find", WHO, {"authorization": "Basic b2xnYTp4"}).status == 401
    assert "x-request-id" in found.headers


def test_a_token_is_hashed_once_and_not_at_every_call(
    as_role: As, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One login is in the audit log for many calls, until it is over."""
    now = [0.0]
    keeper = Gatekeeper(vault, seconds=lambda: now[0])
    crm = replace(as_role("crm"), app=make_console(vault, keeper))
    logins = Mock(side_effect=login)
    monkeypatch.setattr(gatekeeper, "login", logins)
    assert [crm.post("/v1/subjects/find", WHO).status for _ in range(3)] == [200] * 3
    assert logins.call_count == 1
    now[0] = SESSION
    assert crm.post("/v1/subjects/find", WHO).status == 200
    assert logins.call_count == 2


def test_calls_at_the_same_time_do_not_lock_their_own_operator_out(vault: Vault, tokens: dict[str, str]) -> None:
    """`login` counts each as wrong before it looks, so more than five at once would."""
    keeper = Gatekeeper(vault)
    entered: list[str] = []
    calls = [
        threading.Thread(target=lambda: entered.append(keeper.enter(f"Bearer {tokens['crm']}", "192.0.2.7").name))
        for _ in range(FAILURES * 3)
    ]
    for each in calls:
        each.start()
    for each in calls:
        each.join()
    assert entered == ["crm-system"] * FAILURES * 3


def test_a_revocation_counts_at_the_next_call(as_role: As, vault: Vault, tokens: dict[str, str]) -> None:
    """Although the token is remembered; and so does a new token."""
    crm, clerk = as_role("crm"), as_role("clerk")
    assert (crm.post("/v1/subjects/find", WHO).status, clerk.post("/v1/subjects/find", WHO).status) == (200, 200)
    officer = login(vault, tokens["dpo"])
    revoke_operator(vault, admit(vault, officer, "operators"), "crm-system")
    renew_token(vault, admit(vault, officer, "operators"), "carl")
    refused = crm.post("/v1/subjects/find", WHO)
    assert (refused.status, "was revoked" in refused.json()["detail"]) == (401, True)
    assert clerk.post("/v1/subjects/find", WHO).status == 401
    assert as_role("dpo").post("/v1/subjects/find", WHO).status == 200


def test_an_expired_token_counts_at_the_next_call(as_role: As, clock: Clock) -> None:
    """A session lasts no longer than its token."""
    crm = as_role("crm")
    assert crm.post("/v1/subjects/find", WHO).status == 200
    clock.advance(days=91)
    assert crm.post("/v1/subjects/find", WHO).status == 401


def test_nobody_without_training_gets_at_people(as_role: As, vault: Vault) -> None:
    """As with the commands; what reaches nobody is allowed."""
    crm = as_role("dpo")
    policy = msgspec.structs.replace(vault.policy, training=Training(course="data-handling"))
    untrained = replace(crm, app=make_console(replace(vault, policy=policy)))
    refused = untrained.post("/v1/subjects/find", WHO)
    assert (refused.status, "was never passed" in refused.json()["detail"]) == (403, True)
    assert untrained.get("/v1/status").status == 200


def test_wrong_tokens_are_slowed_down_by_address_before_the_store_is_asked(
    vault: Vault, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another address, and who is remembered, are not held up."""
    now = [0.0]
    keeper = Gatekeeper(vault, seconds=lambda: now[0])
    keeper.enter(f"Bearer {tokens['dpo']}", "192.0.2.7")
    for _ in range(WRONG):
        with pytest.raises(RefusedError, match="not accepted"):
            keeper.enter(f"Bearer rpo.nobody.{'A' * 43}", "192.0.2.7")
    before = len(records(vault))
    with pytest.raises(RefusedError, match="too many wrong tokens") as found:
        keeper.enter(f"Bearer rpo.nobody.{'A' * 43}", "192.0.2.7")
    assert (found.value.status, dict(found.value.headers)["Retry-After"]) == (429, "60")
    assert len(records(vault)) == before
    assert keeper.enter(f"Bearer {tokens['dpo']}", "192.0.2.7").name == "olga"
    assert keeper.enter(f"Bearer {tokens['crm']}", "192.0.2.8").name == "crm-system"
    now[0] = WINDOW + 1
    assert keeper.enter(f"Bearer {tokens['clerk']}", "192.0.2.7").name == "carl"
    monkeypatch.undo()


def test_a_name_that_is_not_there_costs_as_much_as_a_wrong_secret(
    vault: Vault, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is hashed once and gets the same words, so that neither time nor answer tells who works here."""
    hasher = Mock(wraps=hashes._HASHER)
    monkeypatch.setattr(hashes, "_HASHER", hasher)
    said = set()
    for token in (f"rpo.nobody.{'A' * 43}", other(tokens["crm"])):
        hasher.reset_mock()
        with pytest.raises(AccessError) as found:
            login(vault, token)
        said.add(str(found.value))
        assert len(hasher.mock_calls) == 1
    assert len(said) == 1


def test_who_is_locked_out_by_others_goes_on_with_what_is_remembered(as_role: As, vault: Vault, clock: Clock) -> None:
    """A new login waits for the end of the lock; guesses end no session."""
    crm = as_role("crm")
    assert crm.post("/v1/subjects/find", WHO).status == 200
    wrong = replace(crm, token=other(str(crm.token)), address="198.51.100.1")
    assert [wrong.post("/v1/subjects/find", WHO).status for _ in range(FAILURES)] == [401] * FAILURES
    assert crm.post("/v1/subjects/find", WHO).status == 200
    fresh = replace(crm, app=make_console(vault))
    locked = fresh.post("/v1/subjects/find", WHO)
    assert (locked.status, "too many wrong tokens" in locked.json()["detail"]) == (401, True)
    clock.advance(minutes=16)
    assert fresh.post("/v1/subjects/find", WHO).status == 200


def test_where_there_are_no_operators_nobody_is_let_in(vault: Vault) -> None:
    """The user of the machine is not known here."""
    alone = Client(make_console(vault), f"rpo.olga.{'A' * 43}")
    assert alone.post("/v1/subjects/find", WHO).status == 401
    assert replace(alone, token=None).get("/v1/status").status == 401
    assert alone.get("/health").json() == {"status": "ok"}
