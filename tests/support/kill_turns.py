"""What `tests/components/test_store_kill.py` kills: turns that Rasa's own events are saved by."""

import asyncio
from pathlib import Path
from typing import Any

from rasa_privacy.storage.vault import open_vault
from tests.support import kill_work
from tests.support import rasa_side as side
from tests.support.vaults import SENDER, START, grant

TURNS = 3


def opened(folder: str, url: str) -> Any:
    """Open the tracker store with a clock that stands still."""
    vault = open_vault(kill_work.settings_of(folder, url), lambda: START)
    store: Any = side.tracker_store.EncryptedTrackerStore.__new__(side.tracker_store.EncryptedTrackerStore)
    store._open(vault, side.domain(), None)
    return store


def person(folder: str, url: str) -> None:
    """Let a person agree."""
    store = opened(folder, url)
    grant(store._vault, "draw")
    store._vault.close()


def save(folder: str, url: str) -> None:
    """Save three turns, the second of which begins a session; say after each that it is stored."""
    asyncio.run(_save(opened(folder, url), Path(folder) / "told"))


async def _save(store: Any, told: Path) -> None:
    events = side.rasa_events
    for number in range(TURNS):
        tracker = await store.get_or_create_tracker(SENDER, append_action_listen=False)
        if number == 1:
            tracker.update(events.SessionStarted())
        tracker.update(events.UserUttered(f"{number}", {"name": "greet"}))
        tracker.update(events.SlotSet("email", f"{number}@mail.example"))
        await store.save(tracker)
        with told.open("a") as file:
            file.write(f"{number}\n")
