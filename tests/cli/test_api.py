"""`rasa-privacy api`: where it listens, and the server with a real socket."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rasa_privacy.cli import main
from rasa_privacy.console.server import Address
from rasa_privacy.errors import ConfigurationError
from tests.support.vaults import settings_in


def test_the_document_is_printed_without_a_store() -> None:
    """For a platform that wants to know what the API does."""
    done = CliRunner().invoke(main, ["api", "--openapi"])
    assert done.exit_code == 0
    assert json.loads(done.output)["openapi"] == "3.1.0"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "api.northwind.example"])  # noqa: S104 - it is refused
def test_nothing_goes_over_a_network_in_plain(host: str, tmp_path: Path) -> None:
    """Without a certificate or a proxy it listens on this machine alone, and says so before it opens the store."""
    done = CliRunner().invoke(main, ["api", "--host", host, "--bot", str(tmp_path)])
    assert (done.exit_code, "in plain" in done.output) == (2, True)
    assert Address(host, behind_proxy=True).host == host


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "127.9.9.9"])
def test_this_machine_may_listen_to_itself(host: str) -> None:
    """Loopback addresses need no certificate."""
    assert Address(host).host == host


def test_a_certificate_needs_its_key_and_both_their_files(tmp_path: Path) -> None:
    """Nobody finds out at the first call."""
    file = tmp_path / "cert.pem"
    with pytest.raises(ConfigurationError, match="belong together"):
        Address("192.0.2.1", certificate=file)
    with pytest.raises(ConfigurationError, match="does not exist"):
        Address("192.0.2.1", certificate=file, key=file)


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """As with every other command."""
    settings_in(tmp_path)
    (tmp_path / "endpoints.yml").write_text(
        f"tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  url: sqlite:///{tmp_path}/c.db\n"
        "  keys: {provider: file, path: keys}\n  privacy: privacy.yml\n"
    )
    done = CliRunner().invoke(main, ["api", "--bot", str(tmp_path)])
    assert done.exit_code == 2
    assert not (tmp_path / "c.db").exists()
