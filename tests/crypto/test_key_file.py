"""Key files: made once, private, whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rasa_privacy.crypto.key_file import FileKeyProvider
from rasa_privacy.errors import KeyProviderError

_MAKE = """
import sys
from pathlib import Path
from rasa_privacy.crypto.key_file import FileKeyProvider
sys.stdin.readline()
print(FileKeyProvider(Path(sys.argv[1])).load(create=True).fingerprint().hex())
"""


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Return a key directory with one key."""
    FileKeyProvider(tmp_path / "keys").load(create=True)
    return tmp_path / "keys"


def _fails(path: Path, match: str, *, create: bool = False) -> None:
    with pytest.raises(KeyProviderError, match=match):
        FileKeyProvider(path).load(create=create)


def test_first_use_makes_a_private_file(keys: Path) -> None:
    """Directory and file are open to the owner only, and nothing else is left there."""
    assert keys.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in keys.iterdir()] == ["kek-1.key"]
    assert (keys / "kek-1.key").stat().st_mode & 0o777 == 0o600


def test_the_same_key_is_read_again(keys: Path) -> None:
    """A key that is there is read and never made anew."""
    provider = FileKeyProvider(keys)
    assert provider.load(create=True).secret == provider.load(create=False).secret


def test_the_file_has_the_specified_text(tmp_path: Path) -> None:
    """The text is that of docs/spec/keys.md, byte for byte."""
    FileKeyProvider(tmp_path, lambda size: b"\x07" * size).load(create=True)
    assert (tmp_path / "kek-1.key").read_text().splitlines() == [
        "rasa_privacy key v1",
        "epoch 1",
        "key BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
        "checksum 4d45e2b51f7c38b9",
    ]


def test_a_missing_file_is_not_replaced(tmp_path: Path) -> None:
    """Without leave to create, a missing key or directory is an error that names the backup."""
    _fails(tmp_path / "none", "missing.*backup")
    _fails(tmp_path, "no key file.*backup")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o610])
def test_a_file_open_to_others_is_refused(keys: Path, mode: int) -> None:
    """Any permission for group or others is refused, with the command that mends it."""
    (keys / "kek-1.key").chmod(mode)
    _fails(keys, "chmod 600")


def test_a_directory_that_others_may_write_to_is_refused(keys: Path) -> None:
    """Whoever may write to the directory could exchange the key; sticky directories are safe from that."""
    keys.chmod(0o770)
    _fails(keys, "chmod 700")
    keys.chmod(0o1777)
    FileKeyProvider(keys).load(create=False)


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
        (b"key v1", b"key v2", "no key file of version 1"),
        (b"epoch 1", b"epoch 2", "epoch 2 inside"),
        (b"\nkey ", b"\nkey A", "cut short|no key file"),
        (b"checksum ", b"checksum 0", "cut short|no key file"),
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
        FileKeyProvider(keys).load(create=False)
    assert text[place + 5 : place + 20].decode() not in str(caught.value)


def test_unused_bits_of_the_padding_are_refused(tmp_path: Path) -> None:
    """One key has one text, so base64 that decodes to the same key but is written otherwise is refused."""
    FileKeyProvider(tmp_path, lambda size: b"\x07" * size).load(create=True)
    file = tmp_path / "kek-1.key"
    file.write_bytes(file.read_bytes().replace(b"Bwc=", b"Bwd="))
    _fails(tmp_path, "checksum")


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
    _fails(tmp_path / "keys", "keys")
    _fails(tmp_path / "keys", "keys", create=True)


def test_a_link_is_followed_and_its_target_checked(keys: Path, tmp_path: Path) -> None:
    """A symbolic link to a private file will do; one to an open file will not."""
    target = tmp_path / "mounted"
    (keys / "kek-1.key").rename(target)
    (keys / "kek-1.key").symlink_to(target)
    FileKeyProvider(keys).load(create=False)
    target.chmod(0o644)
    _fails(keys, "chmod 600")


def test_the_highest_epoch_is_used(keys: Path) -> None:
    """Among several epochs the last one counts, by number and not by name."""
    text = FileKeyProvider(keys).load(create=False)
    other = keys / "kek-10.key"
    other.write_bytes((keys / "kek-1.key").read_bytes())
    other.chmod(0o600)
    _fails(keys, "epoch 1 inside")
    other.unlink()
    (keys / "kek-01.key").write_text("not a key name")
    assert FileKeyProvider(keys).load(create=False).secret == text.secret


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
