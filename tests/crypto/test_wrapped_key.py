"""The file of a wrapped key, with a remote key that keeps everything in memory."""

import hashlib
import itertools
from pathlib import Path

import pytest

from rasa_privacy.crypto.providers.wrapped import WrappedKeyProvider
from rasa_privacy.errors import KeyProviderError


class _Remote:
    """Wraps by exclusive-or with the epoch, which is enough to see what is passed on."""

    provider = "pkcs11"
    name = "a key of this test"

    def __init__(self) -> None:
        self.calls: list[str] = []

    def wrap(self, secret: bytes, epoch: int) -> bytes:
        """Return the secret, changed."""
        self.calls.append(f"wrap {epoch}")
        return bytes(byte ^ epoch for byte in secret)

    def unwrap(self, wrapped: bytes, epoch: int) -> bytes:
        """Return the secret."""
        self.calls.append(f"unwrap {epoch}")
        return bytes(byte ^ epoch for byte in wrapped)


def test_the_file_has_the_specified_text(tmp_path: Path) -> None:
    """The text is that of docs/spec/keys.md, byte for byte."""
    WrappedKeyProvider(tmp_path, _Remote(), lambda size: b"\x07" * size).create(1)
    encoded = "BgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgY="
    # printf 'rasa_privacy wrapped key file v11\npkcs11\nBgYG...' | sha256sum | cut -c 1-16
    checksum = hashlib.sha256(f"rasa_privacy wrapped key file v11\npkcs11\n{encoded}".encode()).hexdigest()[:16]
    assert (tmp_path / "kek-1.wrapped").read_text() == (
        f"rasa_privacy wrapped key v1\nepoch 1\nprovider pkcs11\nwrapped {encoded}\nchecksum {checksum}\n"
    )


def test_one_call_is_made_for_each_use(tmp_path: Path) -> None:
    """Making wraps, and reads back what was written; loading unwraps; the rest stays here."""
    remote = _Remote()
    numbers = itertools.count()
    provider = WrappedKeyProvider(tmp_path, remote, lambda size: bytes((next(numbers),)) * size)
    key = provider.create(3)
    assert remote.calls == ["wrap 3", "unwrap 3"]
    assert provider.load(3).secret == provider.create(3).secret == key.secret
    assert remote.calls == ["wrap 3", "unwrap 3", "unwrap 3", "unwrap 3"]
    assert provider.epochs() == [3]
    provider.destroy(3)
    assert len(remote.calls) == 4
    assert provider.name == f"{tmp_path} (a key of this test)"


def test_a_renamed_file_is_not_sent_anywhere(tmp_path: Path) -> None:
    """The epoch inside counts."""
    remote = _Remote()
    provider = WrappedKeyProvider(tmp_path, remote, lambda size: b"\x07" * size)
    provider.create(1)
    (tmp_path / "kek-1.wrapped").rename(tmp_path / "kek-2.wrapped")
    with pytest.raises(KeyProviderError, match="says epoch 1 inside"):
        provider.load(2)
    assert remote.calls == ["wrap 1", "unwrap 1"]
