"""The provider `file`: conformance, the text of a key file, and what only files can have wrong."""

import base64
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rasa_privacy.crypto.key_file import FileKeyProvider
from rasa_privacy.crypto.key_provider import KeyProvider
from rasa_privacy.errors import KeyProviderError
from tests.support.provider_conformance import FileConformance, Opener

_MAKE = """
import sys
from pathlib import Path
from rasa_privacy.crypto.key_file import FileKeyProvider
sys.stdin.readline()
print(FileKeyProvider(Path(sys.argv[1])).create(1).fingerprint().hex())
"""


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Return a key directory with one key."""
    FileKeyProvider(tmp_path / "keys").create(1)
    return tmp_path / "keys"


class TestFiles(FileConformance):
    """Conformance."""

    @pytest.fixture
    def opened(self) -> Opener:
        """Return a function that opens the provider."""
        return FileKeyProvider

    @pytest.fixture
    def stranger(self, tmp_path: Path) -> Opener:
        """Return a function that puts another key file in the place of the one that is there."""

        def opened(path: Path) -> KeyProvider:
            FileKeyProvider(tmp_path / "other").create(1)
            (tmp_path / "other" / "kek-1.key").replace(path / "kek-1.key")
            return FileKeyProvider(path)

        return opened


def _fails(path: Path, match: str) -> None:
    with pytest.raises(KeyProviderError, match=match):
        FileKeyProvider(path).load(1)


def test_the_file_has_the_specified_text(tmp_path: Path) -> None:
    """The text is that of docs/spec/keys.md, byte for byte."""
    FileKeyProvider(tmp_path, lambda size: b"\x07" * size).create(1)
    assert (tmp_path / "kek-1.key").read_text().splitlines() == [
        "rasa_privacy key v1",
        "epoch 1",
        "key BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
        "checksum 4d45e2b51f7c38b9",
    ]


def test_a_directory_that_others_may_write_to_is_refused(keys: Path) -> None:
    """Whoever may write to the directory could exchange the key; sticky directories are safe from that."""
    keys.chmod(0o770)
    _fails(keys, "chmod 700")
    keys.chmod(0o1777)
    FileKeyProvider(keys).load(1)


def test_a_file_cut_anywhere_is_named_as_such(keys: Path) -> None:
    """Every prefix of a key file is refused as cut short."""
    file = keys / "kek-1.key"
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        _fails(keys, "cut short")


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        (b"key v1", b"key v2", "does not begin with 'rasa_privacy key v1'"),
        (b"epoch 1", b"epoch 2", "checksum"),
        (b"\nkey ", b"\nkey A", "cut short, or a line was changed"),
        (b"checksum ", b"checksum 0", "checksum does not fit"),
    ],
)
def test_a_changed_file_is_refused(keys: Path, old: bytes, new: bytes, match: str) -> None:
    """Another version, epoch or length is refused."""
    file = keys / "kek-1.key"
    file.write_bytes(file.read_bytes().replace(old, new))
    _fails(keys, match)


def test_a_changed_key_does_not_fit_its_checksum(keys: Path) -> None:
    """One other character in the key is found by the checksum, and the message shows no key."""
    file = keys / "kek-1.key"
    text = file.read_bytes()
    place = text.index(b"\nkey ") + 5
    file.write_bytes(text[:place] + (b"A" if text[place : place + 1] != b"A" else b"B") + text[place + 1 :])
    with pytest.raises(KeyProviderError, match="checksum") as caught:
        FileKeyProvider(keys).load(1)
    assert text[place + 5 : place + 20].decode() not in str(caught.value)


def test_unused_bits_of_the_padding_are_refused(tmp_path: Path) -> None:
    """One key has one text, so base64 that decodes to the same key but is written otherwise is refused."""
    FileKeyProvider(tmp_path, lambda size: b"\x07" * size).create(1)
    file = tmp_path / "kek-1.key"
    file.write_bytes(file.read_bytes().replace(b"Bwc=", b"Bwd="))
    _fails(tmp_path, "checksum")


def test_a_file_under_another_epochs_name_is_refused(keys: Path) -> None:
    """A whole file that was renamed is named as such."""
    (keys / "kek-1.key").rename(keys / "kek-2.key")
    with pytest.raises(KeyProviderError, match="says epoch 1 inside; give it the name that it had"):
        FileKeyProvider(keys).load(2)


def test_an_epoch_that_cannot_be_is_refused(keys: Path) -> None:
    """A number inside that is larger than any epoch is an error of ours."""
    file = keys / "kek-1.key"
    file.write_bytes(file.read_bytes().replace(b"epoch 1", b"epoch 9999999999"))
    _fails(keys, "checksum")


def test_a_full_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that could not be written whole is not there, and the message names the cause."""

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyProviderError, match=r"No space left on device; let us write to keys.path"):
        FileKeyProvider(tmp_path).create(1)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_checksum_hides_nothing(keys: Path) -> None:
    """Base64 with bits in the padding has no checksum, and is refused with an empty one too."""
    encoded = base64.b64encode(b"\x07" * 32).decode().replace("Bwc=", "Bwd=")
    (keys / "kek-1.key").write_text(f"rasa_privacy key v1\nepoch 1\nkey {encoded}\nchecksum \n")
    _fails(keys, "the key is no base64")


def test_what_is_no_regular_file_is_refused(keys: Path) -> None:
    """A directory or a named pipe in place of the key is refused, without waiting for a writer."""
    file = keys / "kek-1.key"
    file.unlink()
    os.mkfifo(file, 0o600)
    _fails(keys, "regular file")
    file.unlink()
    file.mkdir(mode=0o700)
    _fails(keys, "regular file|directory")


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    """The path must be a directory."""
    (tmp_path / "keys").write_text("x")
    _fails(tmp_path / "keys", r"keys\.path must be a directory")
    with pytest.raises(KeyProviderError, match=r"File exists; let us write to keys.path"):
        FileKeyProvider(tmp_path / "keys").create(1)


def test_a_link_is_followed_and_its_target_checked(keys: Path, tmp_path: Path) -> None:
    """A symbolic link to a private file will do; one to an open file will not."""
    target = tmp_path / "mounted"
    (keys / "kek-1.key").rename(target)
    (keys / "kek-1.key").symlink_to(target)
    FileKeyProvider(keys).load(1)
    target.chmod(0o644)
    _fails(keys, "chmod 600")


def test_a_foreign_owner_is_refused(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key file of another user than this one or root is refused."""
    os.chown(keys / "kek-1.key", 12345, -1) if os.geteuid() == 0 else monkeypatch.setattr(os, "geteuid", lambda: 12345)
    _fails(keys, "another user")


def test_two_processes_make_one_key(tmp_path: Path) -> None:
    """Processes that start at once agree on one key and leave no other file."""
    command = [sys.executable, "-c", _MAKE, str(tmp_path / "keys")]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = {process.communicate(timeout=60)[0].strip() for process in started}
    assert len(answers) == 1
    assert [file.name for file in (tmp_path / "keys").iterdir()] == ["kek-1.key"]
