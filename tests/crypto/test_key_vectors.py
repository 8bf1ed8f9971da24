"""The vectors of docs/spec/keys.md."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.hash_chain import GENESIS, link
from rasa_privacy.crypto.key_file import FileKeyProvider
from rasa_privacy.crypto.key_ring import KeyEncryptionKey
from rasa_privacy.errors import KeyProviderError, MalformedSegmentError, PrivacyError, TamperedSegmentError

_FOLDER = Path(__file__).parents[1] / "vectors"
_VECTORS: dict[str, Any] = json.loads((_FOLDER / "keys.json").read_text(encoding="utf-8"))
_FAILURES: dict[str, type[PrivacyError]] = {
    "malformed": MalformedSegmentError,
    "tampered": TamperedSegmentError,
    "provider": KeyProviderError,
}


def _name(vector: dict[str, Any]) -> str:
    return str(vector["name"])


@pytest.mark.parametrize("vector", _VECTORS["wrapped_keys"], ids=_name)
def test_wrapped_key_gives_what_it_promises(vector: dict[str, Any]) -> None:
    """Each wrapped key opens to its key and wraps to the same bytes again, or fails with its class of error."""
    kek = KeyEncryptionKey(vector["epoch"], bytes.fromhex(vector["kek"]))
    raw, subject, purpose = bytes.fromhex(vector["wrapped"]), bytes.fromhex(vector["subject_id"]), vector["purpose"]
    if vector["expect"] != "opens":
        with pytest.raises(PrivacyError) as caught:
            kek.unwrap(raw, subject, purpose)
        assert type(caught.value) is _FAILURES[vector["expect"]]
        return
    key = kek.unwrap(raw, subject, purpose)
    assert key.hex() == vector["key"]
    assert kek.wrap(key, subject, purpose, raw[8:20]) == raw


@pytest.mark.parametrize("vector", _VECTORS["key_files"], ids=_name)
def test_key_file_gives_what_it_promises(vector: dict[str, Any], tmp_path: Path) -> None:
    """Each text of a key file holds its key and is written again the same, or is refused."""
    file = tmp_path / vector["file"]
    file.write_bytes(vector["text"].encode())
    file.chmod(0o600)
    if vector["expect"] != "opens":
        with pytest.raises(KeyProviderError):
            FileKeyProvider(tmp_path).load(vector["epoch"])
        return
    key = FileKeyProvider(tmp_path).load(vector["epoch"])
    assert (key.epoch, key.secret.hex()) == (vector["epoch"], vector["key"])
    again = tmp_path / "again"
    FileKeyProvider(again, lambda size: key.secret[:size]).create(vector["epoch"])
    assert (again / vector["file"]).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("vector", _VECTORS["fingerprints"])
def test_fingerprint_is_the_one_of_the_specification(vector: dict[str, str]) -> None:
    """A key is recognised by the fingerprint that the page gives."""
    assert KeyEncryptionKey(1, bytes.fromhex(vector["kek"])).fingerprint().hex() == vector["fingerprint"]


@pytest.mark.parametrize("vector", _VECTORS["blind_indexes"])
def test_blind_index_is_the_one_of_the_specification(vector: dict[str, str]) -> None:
    """A value has the index that the page gives, a lone surrogate too."""
    value = bytes.fromhex(vector["value"]).decode("utf-8", "surrogatepass")
    assert BlindIndex(bytes.fromhex(vector["key"])).of(vector["domain"], value).hex() == vector["index"]


def test_ledger_links_are_those_of_the_specification() -> None:
    """Each link covers its record and the one before it."""
    previous = GENESIS
    for vector in _VECTORS["ledger_links"]:
        previous = link(previous, bytes.fromhex(vector["encoded"]))
        assert previous.hex() == vector["link"]


def test_the_file_is_what_its_command_makes() -> None:
    """Nobody changed a vector by hand."""
    made = subprocess.run(
        [sys.executable, str(_FOLDER / "make_keys.py")], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert json.loads(made.stdout) == _VECTORS
