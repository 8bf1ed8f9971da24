"""`once`: what of an object is made when it is first asked for, and then kept; of one thread alone."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801 - used as `cached_property`, of which Python 3.10's takes a lock each time
    """What is made when it is first asked for, and then kept."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__

    def __get__(self, text: Any, _: object = None) -> T:
        made = text.__dict__[self._name] = self._make(text)
        return made
