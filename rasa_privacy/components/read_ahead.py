"""What is read in a thread before something in Rasa's event loop needs it: a person's consent, and texts."""

from rasa_privacy.components import runtime
from rasa_privacy.components.rasa_api import DialogueStateTracker
from rasa_privacy.errors import PrivacyError


async def read_ahead(tracker: DialogueStateTracker | None) -> None:
    """Read how a tracker's person stands, if it came from our store."""
    if tracker is not None and runtime.handle_of(tracker) is not None:
        await read_ahead_of(tracker.sender_id)


async def read_ahead_of(sender_id: str) -> None:
    """Read how a person stands; where that cannot be read, there is no consent."""
    running = runtime.current()
    if running is None:
        return
    try:
        runtime.foresee(sender_id, await running.patience.run(lambda _: runtime.read_standing(running, sender_id)))
    except PrivacyError:
        runtime.foresee(sender_id, None)


async def search_ahead(texts: list[str]) -> None:
    """Let what reads texts slowly read these in a thread."""
    running = runtime.current()
    if running is not None and running.splitter.detection.takes_long:
        await running.patience.run(lambda _: running.splitter.detection.search_ahead(texts))
