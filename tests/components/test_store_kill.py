"""kill -9 before and after each commit of a save: what was stored is whole, and the next start goes on."""

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.databases import EACH_KIND, EmptyUrl
from tests.support.kills import every_kill
from tests.support.vaults import SENDER, held

pytestmark = [pytest.mark.rasa, pytest.mark.soak]


@pytest.mark.parametrize("kind", EACH_KIND[:2])
def test_save_that_is_killed_is_whole_or_not_there(
    kind: str, tmp_path: Path, empty_url: EmptyUrl, untouched: Any
) -> None:
    """Every turn that was told to be stored is there, at most one more is, and each has its message and its value."""
    from tests.support import kill_turns  # noqa: PLC0415 - imports rasa

    assert untouched.tracker_store
    folder, told, kills = tmp_path / "bot", tmp_path / "bot" / "told", 0
    with ExitStack() as made:

        def prepare() -> Sequence[str]:
            made.close()
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            arguments = str(folder), made.enter_context(empty_url(kind, folder))
            kill_turns.person(*arguments)
            return arguments

        for outcome in every_kill("tests.support.kill_turns:save", prepare):
            store = kill_turns.opened(*outcome.arguments)
            said = told.read_text().splitlines() if told.exists() else []
            stored = asyncio.run(texts(store))
            assert stored in ([*said], [*said, str(len(said))])
            assert held(store._vault).get("draw", {}).get("email") == (f"{stored[-1]}@mail.example" if stored else None)
            asyncio.run(kill_turns._save(store, told))
            assert asyncio.run(texts(store)) == [*stored, "0", "1", "2"]
            store._vault.close()
            kills += not outcome.completed
    assert kills >= 2 * kill_turns.TURNS


async def texts(store: Any) -> list[str]:
    """Return the stored messages."""
    tracker = await store.retrieve_full_tracker(SENDER)
    return [] if tracker is None else [event.text for event in tracker.events if event.type_name == "user"]
