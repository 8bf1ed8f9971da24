"""A pause of Python's cyclic garbage collector while a conversation is read.

Reading makes tens of thousands of objects, and none of them is garbage. The collector would look at each of them, and
now and then at all of Rasa's, for more time than the reading takes. It runs as before as soon as nobody reads.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class GcPause:
    """Pauses by any number of threads; the first stops the collector and the last lets it run again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pauses = 0
        self._was_running = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Keep the collector from starting by itself until the end of the `with` block."""
        with self._lock:
            if self._pauses == 0:
                self._was_running = gc.isenabled()
                gc.disable()
            self._pauses += 1
        try:
            yield
        finally:
            with self._lock:
                self._pauses -= 1
                if self._pauses == 0 and self._was_running:
                    gc.enable()


#: The process has one collector, so it has one of these.
gc_paused = GcPause()
