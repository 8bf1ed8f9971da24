"""Keys leave the memory of a server to which nobody writes."""

from typing import TYPE_CHECKING

import pytest

from tests.support.key_threads import key_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from rasa_privacy.components.tracker_store import EncryptedTrackerStore

pytestmark = pytest.mark.rasa


def test_a_server_lets_go_of_keys_beside_its_turns(open_store: "Callable[..., EncryptedTrackerStore]") -> None:
    """From when its store is open."""
    before = key_threads()
    open_store()
    assert len(key_threads() - before) == 1
