"""The copy for a person goes out as it is read: its memory does not grow with the history."""

import tracemalloc
from dataclasses import replace

import msgspec
import pytest

from rasa_privacy.console.verbs import make_console
from rasa_privacy.policy.operations import HandOver
from rasa_privacy.rights.handover import offer
from rasa_privacy.storage.vault import Vault
from tests.console.conftest import As
from tests.support.asgi import Answer, Client
from tests.support.vaults import SENDER

SESSION = 100
FORM = {"content-type": "application/x-www-form-urlencoded"}


def talk(vault: Vault, sessions: int) -> None:
    """Let the person talk for so many sessions of messages, each with a value."""
    now = vault.clock()
    for _ in range(sessions):
        with vault.database.write() as conn:
            version, seq = vault.conversations.head(conn, SENDER)
            said = [{"event": "user", "timestamp": now.timestamp(), "text": None} for _ in range(SESSION)]
            values = {"draw": [[seq + at, ["text"], "full_name", f"Ana Li {at}"] for at in range(SESSION)]}
            vault.conversations.append(conn, SENDER, version, said, values, [0], now)


def peak(client: Client, form: str) -> tuple[int, Answer]:
    """Return the most memory that an export takes, in bytes, and what came; its body is thrown away."""
    tracemalloc.start()
    answer = client.post("/v1/subjects/export", {"sender": SENDER, "form": form, "reason": "asked by letter"})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (answer.status, answer.is_whole, answer.body) == (200, True, b"")
    return most, answer


@pytest.mark.parametrize("form", ["json", "zip"])
def test_ten_times_the_history_does_not_take_twice_the_memory(as_role: As, vault: Vault, form: str) -> None:
    """In both forms, and in many pieces."""
    client = replace(as_role("dpo"), keeps=False)
    talk(vault, 5)
    peak(client, form)  # what is loaded once
    few, first = peak(client, form)
    talk(vault, 45)
    many, second = peak(client, form)
    assert second.length > (8 if form == "json" else 1) * first.length
    assert many < 2 * few


def test_a_link_hands_the_copy_over_in_the_same_way(vault: Vault) -> None:
    """To a browser."""
    rules = HandOver(url="https://bot.example")
    vault = replace(vault, policy=msgspec.structs.replace(vault.policy, handover=rules))
    client = Client(make_console(vault), keeps=False)

    def collected(sessions: int) -> tuple[int, Answer]:
        talk(vault, sessions)
        link = vault.database.transact(lambda conn: offer(vault, conn, SENDER, vault.clock(), "en"))
        tracemalloc.start()
        answer = client.call("POST", f"/collect/{link.token}", [b""], FORM)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (answer.status, answer.is_whole) == (200, True)
        return most, answer

    collected(5)  # what is loaded once
    few, first = collected(1)
    many, second = collected(44)
    assert second.length > first.length
    assert many < 2 * few
