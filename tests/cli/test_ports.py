import random
import socket
from collections.abc import Iterator

import pytest

from rasa_privacy.cli.ports import choose_port, is_free
from rasa_privacy.errors import ServerError


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_named_port_in_use_is_a_clear_message(taken: int) -> None:
    """The message names the port, the option and both ways out."""
    with pytest.raises(ServerError, match=rf"port {taken} is in use .* --port, .*leave --port out"):
        choose_port(taken, "--port")


def test_a_named_free_port_is_taken_as_it_is() -> None:
    """A wish for a free port is granted."""
    port = choose_port(None, "--port")
    assert choose_port(port, "--port") == port


def test_any_free_port_is_found_where_none_is_named() -> None:
    """The chosen port can be listened on at once."""
    port = choose_port(None, "--port")
    assert is_free(port)


def test_a_port_in_use_is_never_chosen(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    """Where every candidate is in use, the message asks for a port."""
    monkeypatch.setattr("rasa_privacy.cli.ports._CANDIDATES", [taken])
    monkeypatch.setattr("rasa_privacy.cli.ports._ATTEMPTS", 1)
    with pytest.raises(ServerError, match="no free port found; name one with --action-port"):
        choose_port(None, "--action-port", random.Random(0))  # noqa: S311 - any order will do
