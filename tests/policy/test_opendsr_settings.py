"""The block `opendsr:` of endpoints.yml."""

from pathlib import Path

import pytest

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.opendsr_settings import load_opendsr_settings

GOOD = """\
privacy_api:
  opendsr:
    domain: opendsr.northwind.example
    controller_id: northwind
    certificate: opendsr.pem
    key: opendsr.key
    callbacks: [https://consent.example/opendsr/callbacks]
"""


def load(tmp_path: Path, text: str) -> object:
    """Read an endpoints file of this text."""
    (tmp_path / "endpoints.yml").write_text(text)
    return load_opendsr_settings(tmp_path / "endpoints.yml")


def test_the_block_is_read(tmp_path: Path) -> None:
    """Without one OpenDSR is not there."""
    found = load_opendsr_settings if load(tmp_path, "tracker_store: {}") is None else None
    assert found is not None
    made = load(tmp_path, GOOD)
    assert getattr(made, "callbacks", None) == ("https://consent.example/opendsr/callbacks",)
    assert getattr(made, "identities", None) == ("controller_customer_id",)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("https://consent.example/opendsr/callbacks", "http://consent.example/x", "begin with https://"),
        ("https://consent.example/opendsr/callbacks", "https://user:secret7@consent.example/", "neither a password"),
        ("https://consent.example/opendsr/callbacks", "https://consent.example/#x", "nor a '#'"),
        ("https://consent.example/opendsr/callbacks", "https://consent.example:99999/", "begin with https://"),
        ("https://consent.example/opendsr/callbacks", "file:///etc/passwd", "begin with https://"),
        ("domain: opendsr.northwind.example", "domain: Opendsr.northwind.example", "'domain' must be a domain"),
        ("domain: opendsr.northwind.example", "domain: localhost", "'domain' must be a domain"),
        ("controller_id: northwind", "controller_id: north wind", "'controller_id' must be"),
        ("key: opendsr.key", "kei: opendsr.key", "did you mean 'key'"),
        ("    key: opendsr.key\n", "", "'key' is missing"),
        ("controller_id: northwind", "controller_id: a\n    identities: [phone]", "'identities' must list"),
        ("  opendsr:", "  opendrs:", "did you mean 'opendsr'"),
    ],
)
def test_what_is_wrong_is_named_without_its_value(tmp_path: Path, old: str, new: str, why: str) -> None:
    """A URL may hold a password."""
    assert old in GOOD
    with pytest.raises(ConfigurationError, match=why) as found:
        load(tmp_path, GOOD.replace(old, new))
    assert "secret7" not in str(found.value)
