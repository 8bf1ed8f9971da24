"""`RemoteKey`: a key that never leaves a service or a token, and what every call to one has in common.

A call is bounded in time and number, and nothing that a library raises or says leaves this package.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rasa_privacy.errors import KeyProviderError, PrivacyError

PURPOSE: Final = "rasa_privacy"
#: A connection is given up after this time, and so is an answer.
CONNECT_SECONDS: Final = 3
READ_SECONDS: Final = 5
#: How often a call is made in all, before the provider counts as unreachable.
ATTEMPTS: Final = 3


class RemoteKey(Protocol):
    """A key in a service or a token. It wraps the keys of epochs and nothing else."""

    @property
    def provider(self) -> str:
        """The provider's name in endpoints.yml."""

    @property
    def name(self) -> str:
        """Where the key is and what it is called, for messages; no secret."""

    def wrap(self, secret: bytes, epoch: int) -> bytes:
        """Return the wrapped form of the 32 bytes, bound to purpose and epoch.

        Raises:
            KeyProviderError: The service or token cannot be reached or used.
        """

    def unwrap(self, wrapped: bytes, epoch: int) -> bytes:
        """Return what was wrapped.

        Raises:
            KeyProviderError: As above, or it was wrapped by another key or for another epoch, or was changed.
        """


@contextmanager
def guarded(place: str, explain: Callable[[Exception], str | None]) -> Iterator[None]:
    """Turn whatever a library raises into a KeyProviderError that carries nothing of the library's own text.

    Args:
        place: What to name in the message; no secret.
        explain: Gives cause and remedy of a known error, None for another one.

    Raises:
        KeyProviderError: The library raised something.
    """
    try:
        yield
    except PrivacyError:
        raise
    except Exception as error:  # noqa: BLE001 - a library's own message may carry a token or a payload
        why = explain(error) or f"the library failed with {type(error).__name__}; look into the service's own log"
        raise KeyProviderError(f"{place}: {why}") from None
