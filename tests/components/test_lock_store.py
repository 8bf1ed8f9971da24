"""Rasa's locks in a real Redis: who chats does not stand there."""

import asyncio
import json
import os
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from rasa_privacy.errors import EmitError
from tests.support.vaults import SENDER

pytestmark = [pytest.mark.rasa, pytest.mark.redis]

#: Nobody else's keys: tests of parallel runs share the server.
PREFIX = f"test{os.getpid()}{secrets.token_hex(4)}"


@pytest.fixture
def locks(untouched: Any, store: Any) -> Iterator[Any]:
    """What Rasa makes of `lock_store: {type: redis}` once our store is there."""
    assert store
    settings = untouched.EndpointConfig("127.0.0.1", type="redis", port=6379, key_prefix=PREFIX)
    made = untouched.LockStore.create(settings)
    yield made
    for key in made.red.scan_iter(f"{PREFIX}*"):
        made.red.delete(key)


def everything(locks: Any) -> str:
    """Return every key and value that the test wrote."""
    return json.dumps([[key.decode(), locks.red.get(key).decode()] for key in locks.red.scan_iter(f"{PREFIX}*")])


async def test_a_lock_holds_no_sender_id_and_goes_with_the_message(locks: Any, untouched: Any) -> None:
    """Neither key nor value say who; afterwards nothing is left."""
    async with locks.lock(SENDER):
        written = everything(locks)
        assert untouched.lock_store.hashed(SENDER) in written
        assert not [part for part in (SENDER, "5558172") if part in written]
    assert everything(locks) == "[]"


async def test_a_second_message_of_the_same_person_waits(locks: Any) -> None:
    """The locks do what they are for, by arrival, and two people do not wait for each other."""
    order = []

    async def handle(sender: str, name: str, seconds: float) -> None:
        async with locks.lock(sender, wait_time_in_seconds=0.01):
            order.append(f"{name} begins")
            await asyncio.sleep(seconds)
            order.append(f"{name} ends")

    first = asyncio.create_task(handle(SENDER, "first", 0.2))
    await asyncio.sleep(0.05)
    await asyncio.gather(handle(SENDER, "second", 0), handle("somebody else", "other", 0))
    await first
    assert order.index("first ends") < order.index("second begins")
    assert order.index("other ends") < order.index("first ends")


async def test_a_lock_that_a_crash_left_goes_by_itself(locks: Any, untouched: Any) -> None:
    """Rasa's own would stay for ever."""
    locks.issue_ticket(SENDER)
    (key,) = locks.red.scan_iter(f"{PREFIX}*")
    assert 0 < locks.red.ttl(key) <= untouched.lock_store.FORGET_SECONDS


async def test_two_servers_of_one_store_share_the_locks(locks: Any, untouched: Any, open_store: Any) -> None:
    """The hash is that of the store, so that another server finds the lock."""
    ticket = locks.issue_ticket(SENDER)
    open_store()
    other = untouched.LockStore.create(
        untouched.EndpointConfig("127.0.0.1", type="redis", port=6379, key_prefix=PREFIX)
    )
    assert other.issue_ticket(SENDER) == ticket + 1


async def test_a_process_without_our_store_locks_nobody(
    locks: Any, untouched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no key to hide the sender id with, and it is not written."""
    monkeypatch.setattr(untouched.runtime, "_current", None)
    with pytest.raises(EmitError, match="no protected store"):
        locks.get_lock(SENDER)
    assert everything(locks) == "[]"
