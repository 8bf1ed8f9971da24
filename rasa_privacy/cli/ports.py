"""Ports of this computer: find a free one, or say that a wanted one is in use."""

import random
import socket
from typing import Final

from rasa_privacy.errors import ServerError

LOCALHOST: Final = "127.0.0.1"
#: Below the range that Linux gives to outgoing connections (from 32768), so that none of them is in the way.
_CANDIDATES: Final = range(20_000, 32_000)
_ATTEMPTS: Final = 100


def is_free(port: int) -> bool:
    """Return whether a server could listen on this TCP port, here or on all interfaces."""
    for host in (LOCALHOST, "0.0.0.0"):  # noqa: S104 - bound for a moment, and never listened on
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As servers do: a connection that is closing does not count as use.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def choose_port(wanted: int | None, option: str, chooser: random.Random | None = None) -> int:
    """Return the wanted port if it is free, or any free one if none is wanted.

    Args:
        wanted: TCP port, or None for any.
        option: The option that names this port, for the message.
        chooser: Source of the candidates; unpredictable when not given.

    Raises:
        ServerError: The wanted port is in use, or none is free.
    """
    if wanted is not None:
        if is_free(wanted):
            return wanted
        raise ServerError(
            f"port {wanted} is in use or not allowed; stop the program that uses it, name another one with {option}, "
            f"or leave {option} out to get a free one"
        )
    random_source = chooser or random.SystemRandom()
    for port in random_source.sample(_CANDIDATES, _ATTEMPTS):
        if is_free(port):
            return port
    raise ServerError(f"no free port found; name one with {option}")
