"""What every key provider that keeps files has to pass; the tests of each provider derive from these classes."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rasa_privacy.crypto.key_provider import KeyProvider
from rasa_privacy.errors import KeyProviderError

#: Opens a provider on a directory.
Opener = Callable[[Path], KeyProvider]


class FileConformance:
    """Needs the fixtures `opened`, and `stranger` for a provider that has another key on the same directory."""

    ending = "key"

    def file(self, path: Path, epoch: int = 1) -> Path:
        """Return the file of an epoch."""
        return path / f"kek-{epoch}.{self.ending}"

    def test_a_key_is_made_once_and_read_again(self, opened: Opener, tmp_path: Path) -> None:
        """The second process that makes or loads an epoch gets the key of the first."""
        key = opened(tmp_path).create(1)
        assert key.epoch == 1
        assert opened(tmp_path).create(1).secret == key.secret
        assert opened(tmp_path).load(1).secret == key.secret

    def test_what_is_made_is_private(self, opened: Opener, tmp_path: Path) -> None:
        """Directory and file are open to the owner only, and nothing else is left there."""
        opened(tmp_path / "keys").create(1)
        assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
        assert list((tmp_path / "keys").iterdir()) == [self.file(tmp_path / "keys")]
        assert self.file(tmp_path / "keys").stat().st_mode & 0o777 == 0o600

    def test_epochs_are_those_that_have_a_file(self, opened: Opener, tmp_path: Path) -> None:
        """They are counted by number and not by name; other files are none."""
        provider = opened(tmp_path / "keys")
        assert provider.epochs() == []
        keys = {epoch: provider.create(epoch).secret for epoch in (10, 2)}
        for name in ("kek-01", "kek-0", "kek-4294967296", "kek-9999999999", "other"):
            (tmp_path / "keys" / f"{name}.{self.ending}").write_text("x")
        assert provider.epochs() == [2, 10]
        assert keys[2] != keys[10] == provider.load(10).secret

    def test_a_missing_key_is_not_made_by_loading(self, opened: Opener, tmp_path: Path) -> None:
        """A missing file or directory is an error that names the backup, and stays missing."""
        for path in (tmp_path / "none", tmp_path):
            with pytest.raises(KeyProviderError, match=r"no key file kek-1\..*backup"):
                opened(path).load(1)
        assert list(tmp_path.iterdir()) == []

    def test_an_epoch_out_of_range_is_refused(self, opened: Opener, tmp_path: Path) -> None:
        """Epochs are 1 to 2**32 - 1."""
        for epoch in (0, -1, 2**32):
            with pytest.raises(KeyProviderError, match="is not within 1 and 4294967295"):
                opened(tmp_path).create(epoch)
        assert list(tmp_path.iterdir()) == []

    def test_destroying_removes_one_epoch(self, opened: Opener, tmp_path: Path) -> None:
        """The file is gone, the other epochs stay, and destroying again does nothing."""
        provider = opened(tmp_path)
        key, other = provider.create(1), provider.create(2)
        provider.destroy(1)
        provider.destroy(1)
        assert list(tmp_path.iterdir()) == [self.file(tmp_path, 2)]
        assert provider.load(2).secret == other.secret
        assert provider.create(1).secret != key.secret

    def test_what_is_destroyed_is_overwritten(self, opened: Opener, tmp_path: Path) -> None:
        """Another name of the same file holds zeros afterwards."""
        provider = opened(tmp_path)
        provider.create(1)
        (tmp_path / "other name").hardlink_to(self.file(tmp_path))
        provider.destroy(1)
        assert set((tmp_path / "other name").read_bytes()) == {0}

    def test_creators_at_once_agree(self, opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of several that all saw no file and have all written one, the first gives its key to the others."""
        written = threading.Barrier(4)
        turn = threading.Lock()
        seen = threading.local()
        fsync = os.fsync
        secrets: list[bytes] = []

        def wait_once(descriptor: int) -> None:
            fsync(descriptor)
            if not hasattr(seen, "waited"):
                seen.waited = True
                written.wait(timeout=60)
                turn.acquire()  # from here one after the other

        def make() -> None:
            secrets.append(opened(tmp_path / "keys").create(1).secret)
            turn.release()

        monkeypatch.setattr(os, "fsync", wait_once)
        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(secrets) == 4
        assert len(set(secrets)) == 1
        assert list((tmp_path / "keys").iterdir()) == [self.file(tmp_path / "keys")]

    def test_a_file_that_was_cut_or_changed_is_refused(self, opened: Opener, tmp_path: Path) -> None:
        """Every prefix and every changed character is refused, and the message shows nothing of the file."""
        opened(tmp_path).create(1)
        file = self.file(tmp_path)
        whole = file.read_bytes()
        body = whole.decode().splitlines()[-2].split()[1]
        cut = [whole[:length] for length in range(len(whole))]
        changed = [whole[:i] + bytes((whole[i] ^ 1,)) + whole[i + 1 :] for i in range(len(whole))]
        for content in (*cut, *changed, whole + b"\n", whole * 200):
            file.write_bytes(content)
            with pytest.raises(KeyProviderError) as caught:
                opened(tmp_path).load(1)
            assert "backup" in str(caught.value)
            assert body[:8] not in str(caught.value)

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610])
    def test_a_file_open_to_others_is_refused(self, opened: Opener, tmp_path: Path, mode: int) -> None:
        """Any permission for group or others is refused, with the command that mends it."""
        opened(tmp_path).create(1)
        self.file(tmp_path).chmod(mode)
        with pytest.raises(KeyProviderError, match="chmod 600"):
            opened(tmp_path).load(1)

    def test_a_directory_that_others_may_write_to_is_refused(self, opened: Opener, tmp_path: Path) -> None:
        """Whoever may write to the directory could exchange the file."""
        opened(tmp_path).create(1)
        tmp_path.chmod(0o770)
        with pytest.raises(KeyProviderError, match="chmod 700"):
            opened(tmp_path).epochs()

    def test_a_wrong_key_is_recognised(self, opened: Opener, stranger: Opener, tmp_path: Path) -> None:
        """With another key behind the same file there is an error, or a key with another fingerprint."""
        key = opened(tmp_path).create(1)
        try:
            other = stranger(tmp_path).load(1)
        except KeyProviderError:
            return
        assert other.fingerprint() != key.fingerprint()


class WrappedConformance(FileConformance):
    """What holds beyond that where the file holds a wrapped key."""

    ending = "wrapped"

    def test_the_file_does_not_hold_the_key(self, opened: Opener, tmp_path: Path) -> None:
        """Neither the key nor its base64 stands in the file."""
        key = opened(tmp_path).create(1)
        content = self.file(tmp_path).read_bytes()
        assert key.secret not in content
        assert content.startswith(b"rasa_privacy wrapped key v1\nepoch 1\nprovider ")

    def test_a_wrapped_key_holds_for_its_epoch_only(self, opened: Opener, tmp_path: Path) -> None:
        """A file that was rewritten for another epoch, checksum and all, is not opened."""
        from rasa_privacy.crypto.providers.wrapped import _TEXT  # noqa: PLC0415 - the inside, to forge a file

        opened(tmp_path).create(1)
        values = _TEXT.read(self.file(tmp_path), self.file(tmp_path).read_bytes())
        forged = self.file(tmp_path, 2)
        forged.write_bytes(_TEXT.write({**values, "epoch": "2"}))
        forged.chmod(0o600)
        with pytest.raises(KeyProviderError, match="another epoch"):
            opened(tmp_path).load(2)

    def test_another_provider_is_named(self, opened: Opener, tmp_path: Path) -> None:
        """A file of another provider is not sent to this one."""
        from rasa_privacy.crypto.providers.wrapped import _TEXT  # noqa: PLC0415 - as above

        opened(tmp_path).create(1)
        values = _TEXT.read(self.file(tmp_path), self.file(tmp_path).read_bytes())
        self.file(tmp_path).write_bytes(_TEXT.write({**values, "provider": "another"}))
        with pytest.raises(KeyProviderError, match="wrapped by provider 'another'"):
            opened(tmp_path).load(1)
