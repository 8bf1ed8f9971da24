"""The erasure journal in a file and in a table: both keep what was written, and find what was changed."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlowError
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.errors import JournalError
from rasa_privacy.storage import journal_file
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.journal import JournalPlace
from rasa_privacy.storage.journal_entry import Chain, Withdrawn, encode
from rasa_privacy.storage.journal_file import JournalFile
from rasa_privacy.storage.journal_table import JournalTable
from rasa_privacy.storage.tables import erasure_journal
from tests.support.databases import EACH_KIND, new_url, run_plain

_NOW = datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=timezone.utc)
_CHAIN = Chain(BlindIndex(bytes(range(32))))
_OTHER = Chain(BlindIndex(bytes(range(1, 33))))
Open = Callable[[], JournalPlace]


def _raw(name: str) -> bytes:
    return encode(Withdrawn(bytes(16), _NOW, name))


def _names(place: JournalPlace) -> list[bytes]:
    return [linked.raw for linked in place.read()]


def _make_table(database: Database) -> None:
    database.prepare()
    database.change_schema(erasure_journal.create)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a journal file may be."""
    return tmp_path / "erasures.journal"


@pytest.fixture
def written(path: Path) -> Path:
    """Return a journal file with five entries."""
    JournalFile(path, _CHAIN).append([_raw(f"purpose {number}") for number in range(1, 6)], 0)
    return path


@pytest.fixture(params=["file", *EACH_KIND])
def reopen(request: pytest.FixtureRequest, path: Path) -> Iterator[Open]:
    """Return a function that opens the same journal as another process would."""
    if request.param == "file":
        yield lambda: JournalFile(path, _CHAIN)
        return
    with new_url(request.param, path.parent) as url:
        database = Database(url)
        _make_table(database)
        yield lambda: JournalTable(database, _CHAIN)
        database.close()


def test_what_was_written_is_read_in_order(reopen: Open) -> None:
    """Entries come back with rising numbers and the links that the writer was given."""
    place = reopen()
    assert _names(place) == []
    written = [*place.append([_raw("a")], 0), *place.append([_raw("b"), _raw("c")], 1)]
    assert [linked.position.number for linked in written] == [1, 2, 3]
    assert list(place.read()) == list(reopen().read()) == written


def test_two_writers_keep_one_chain(reopen: Open) -> None:
    """Each goes on after what the other wrote."""
    one, two = reopen(), reopen()
    for name in ("a", "b", "c"):
        one.append([_raw(name)], 0)
        two.append([_raw(name)], 0)
    assert [linked.position.number for linked in reopen().read()] == [1, 2, 3, 4, 5, 6]


def test_a_journal_that_is_too_short_is_not_written(reopen: Open) -> None:
    """Where the database knows more entries than there are, nothing is added."""
    place = reopen()
    place.append([_raw("a")], 0)
    with pytest.raises(JournalError, match="knows 2"):
        place.append([_raw("b")], 2)
    assert _names(place) == [_raw("a")]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE erasure_journal SET entry = x'5b5d' WHERE seq = 2",
        "UPDATE erasure_journal SET link = x'00' WHERE seq = 2",
        "DELETE FROM erasure_journal WHERE seq = 2",
        "UPDATE erasure_journal SET seq = seq + 1 WHERE seq = 5",
        "DELETE FROM erasure_journal WHERE seq = 1",
    ],
)
def test_a_changed_row_is_found(tmp_path: Path, damage: str) -> None:
    """Rows that were changed, dropped or moved are named."""
    database = Database(f"sqlite:///{tmp_path}/keys.db")
    _make_table(database)
    place = JournalTable(database, _CHAIN)
    place.append([_raw(str(number)) for number in range(5)], 0)
    run_plain(f"sqlite:///{tmp_path}/keys.db", damage)
    with pytest.raises(JournalError, match=r"entry [125] of the journal was changed, dropped or moved"):
        list(JournalTable(database, _CHAIN).read())
    database.close()


def test_the_file_is_only_ours(written: Path) -> None:
    """The file has mode 0600 and starts with its name and version."""
    assert written.stat().st_mode & 0o777 == 0o600
    assert written.read_bytes().startswith(b"rasa_privacy erasure journal v1 ")


def test_no_file_is_made_before_the_first_entry(path: Path) -> None:
    """Opening and reading leave no trace."""
    assert _names(JournalFile(path, _CHAIN)) == []
    assert not path.exists()


def _swapped(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[3], lines[2], *lines[4:]]


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [*lines[:2], lines[2].replace(b"purpose 2", b"purpose 9"), *lines[3:]],
        lambda lines: [*lines[:2], *lines[3:]],
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: [*lines, lines[-1]],
        _swapped,
        lambda lines: [*lines[:3], b"\n", *lines[3:]],
        lambda lines: [*lines[:3], bytes(20) + b"\n", *lines[3:]],
        lambda lines: [*lines[:3], b"x" * 10_000 + b"\n", *lines[3:]],
        lambda lines: [*lines, b"6 " + bytes(64) + b" []\n"],
        lambda lines: [*lines[:2], lines[2].replace(b" ", b"  ", 1), *lines[3:]],
        lambda lines: [*lines[:2], b"0" + lines[2], *lines[3:]],
    ],
    ids=["changed", "dropped", "first", "doubled", "swapped", "empty", "zeros", "long", "forged", "space", "zero"],
)
def test_a_changed_file_is_found(written: Path, damage: Callable[[list[bytes]], list[bytes]]) -> None:
    """Lines that were changed, dropped, added or moved are named, for readers and writers."""
    written.write_bytes(b"".join(damage(written.read_bytes().splitlines(keepends=True))))
    before = written.read_bytes()
    with pytest.raises(JournalError, match="changed, dropped or moved"):
        _names(JournalFile(written, _CHAIN))
    with pytest.raises(JournalError, match="changed, dropped or moved"):
        JournalFile(written, _CHAIN).append([_raw("more")], 5)
    assert written.read_bytes() == before


@pytest.mark.parametrize("chain", [_CHAIN, _OTHER])
@pytest.mark.parametrize("content", [b"kek\n", b"\n", bytes(200), b"rasa_privacy erasure journal v2 00\n"])
def test_another_file_is_refused(path: Path, content: bytes, chain: Chain) -> None:
    """A file of another kind or version is not read, and nothing is added to it."""
    path.write_bytes(content)
    path.chmod(0o600)
    for use in (_names, lambda place: place.append([_raw("a")], 0)):
        with pytest.raises(JournalError, match="no erasure journal of version 1"):
            use(JournalFile(path, chain))
    assert path.read_bytes() == content


def test_the_journal_of_another_database_is_refused(written: Path) -> None:
    """The first line tells whose it is."""
    for use in (_names, lambda place: place.append([_raw("a")], 0)):
        with pytest.raises(JournalError, match="another database"):
            use(JournalFile(written, _OTHER))


def test_a_torn_line_is_passed_over_and_cut_away(written: Path) -> None:
    """Wherever kill -9 cut the last line, it was never confirmed, and writing goes on before it."""
    whole = written.read_bytes()
    lines = whole.splitlines(keepends=True)
    start = len(whole) - len(lines[-1])
    for size in range(start + 1, len(whole)):
        written.write_bytes(whole[:size])
        assert len(_names(JournalFile(written, _CHAIN))) == 4
    place = JournalFile(written, _CHAIN)
    assert place.append([_raw("purpose 5")], 4)[0].position.number == 5
    assert written.read_bytes() == whole


def test_a_torn_line_is_cut_away_whole(written: Path) -> None:
    """Nothing of it is left behind a shorter line that takes its place."""
    whole = written.read_bytes()
    written.write_bytes(whole + b"6 " + bytes(500))
    JournalFile(written, _CHAIN).append([_raw("short")], 5)
    assert len(_names(JournalFile(written, _CHAIN))) == 6
    assert written.read_bytes().endswith(b'"short"]\n')


def test_a_torn_first_line_is_no_journal_yet(written: Path) -> None:
    """A process that died while it made the file is no obstacle."""
    first = written.read_bytes().splitlines(keepends=True)[0]
    for size in range(len(first)):
        written.write_bytes(first[:size])
        assert _names(JournalFile(written, _CHAIN)) == []
        JournalFile(written, _CHAIN).append([_raw("a")], 0)
        assert _names(JournalFile(written, _CHAIN)) == [_raw("a")]


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o602])
def test_a_file_open_to_others_is_refused(written: Path, mode: int) -> None:
    """The message says the mode and the remedy."""
    written.chmod(mode)
    with pytest.raises(JournalError, match="chmod 600"):
        JournalFile(written, _CHAIN)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """Neither a folder nor a named pipe is opened, and the pipe is not waited for."""
    with pytest.raises(JournalError):
        JournalFile(tmp_path, _CHAIN)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(JournalError, match="regular file"):
        JournalFile(tmp_path / "pipe", _CHAIN)


def test_a_folder_that_is_missing_is_found_at_the_start(tmp_path: Path) -> None:
    """Not only when the first person wants to be erased."""
    with pytest.raises(JournalError, match=r"tracker_store\.journal"):
        JournalFile(tmp_path / "none" / "erasures.journal", _CHAIN)


@pytest.mark.parametrize("call", ["pwrite", "fsync"])
def test_a_full_disk_leaves_the_journal_as_it_was(written: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """Half an entry that was written is cut away again, and the error names the disk."""
    before = written.read_bytes()
    place = JournalFile(written, _CHAIN)
    pwrite = os.pwrite

    def full(descriptor: int, *arguments: Any) -> int:
        if arguments:
            pwrite(descriptor, arguments[0][:10], arguments[1])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(JournalError, match="disk is full"):
            place.append([_raw("more")], 5)
    assert written.read_bytes() == before
    assert place.append([_raw("more")], 5)[0].position.number == 6


def test_a_short_write_is_gone_on_with(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system call may take fewer bytes than it is given."""
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda descriptor, text, offset: pwrite(descriptor, text[:7], offset))
    JournalFile(written, _CHAIN).append([_raw("more")], 5)
    assert _names(JournalFile(written, _CHAIN))[-1] == _raw("more")


def test_a_file_that_was_cut_while_open_is_found(written: Path) -> None:
    """A process that has seen five entries does not go on after four."""
    place = JournalFile(written, _CHAIN)
    place.append([_raw("more")], 5)
    lines = written.read_bytes().splitlines(keepends=True)
    written.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(JournalError, match="cut while the store was open"):
        place.append([_raw("again")], 0)


def test_a_file_that_was_lost_while_open_is_not_made_anew(written: Path) -> None:
    """A new file in its place would hide the loss."""
    place = JournalFile(written, _CHAIN)
    place.append([_raw("more")], 5)
    written.unlink()
    for journal in (place, JournalFile(written, _CHAIN)):
        with pytest.raises(JournalError, match="missing"):
            journal.append([_raw("again")], 6)
    assert not written.exists()


def test_a_file_that_was_replaced_by_its_copy_is_gone_on_with(written: Path) -> None:
    """The newest copy may be put back while the store is open."""
    place = JournalFile(written, _CHAIN)
    place.append([_raw("more")], 5)
    copy = written.with_suffix(".copy")
    copy.write_bytes(written.read_bytes())
    copy.chmod(0o600)
    copy.replace(written)
    assert place.append([_raw("again")], 6)[0].position.number == 7
    assert len(_names(place)) == 7


def test_a_lock_that_is_never_released_is_named(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever on a process that hangs."""
    monkeypatch.setattr(journal_file, "_LOCK_ATTEMPTS", 3)
    with written.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(JournalError, match="another process holds its lock"):
            JournalFile(written, _CHAIN).append([_raw("more")], 5)
    assert len(JournalFile(written, _CHAIN).append([_raw("more")], 5)) == 1


_APPEND_MANY = """
import sys
from pathlib import Path
from tests.storage import test_journal_places as places
place = places.JournalFile(Path(sys.argv[1]), places._CHAIN)
for number in range(50):
    place.append([places._raw(f"{sys.argv[2]} {number}")], 0)
"""


@pytest.mark.parametrize("look", [lambda place: len(_names(place)), lambda place: place.last_number()])
def test_what_a_writer_may_still_take_back_is_not_read(written: Path, look: Callable[[JournalFile], int]) -> None:
    """A server reads while another one writes: what that one cannot bring to the disk was never in the journal."""
    place, other = JournalFile(written, _CHAIN), written.with_name("copy")
    other.write_bytes(written.read_bytes())
    other.chmod(0o600)
    JournalFile(other, _CHAIN).append([_raw("taken back")], 0)
    before, longer = written.read_bytes(), other.read_bytes()
    with written.open("r+b") as file, ThreadPoolExecutor() as pool:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.pwrite(file.fileno(), longer, 0)
        found = pool.submit(look, place)
        with pytest.raises(TooSlowError):
            found.result(0.2)
        os.ftruncate(file.fileno(), len(before))
        fcntl.flock(file, fcntl.LOCK_UN)
        assert found.result() == 5
    place.append([_raw("purpose 6")], 5)
    assert place.last_number() == 6


def test_a_reader_goes_no_further_than_when_nobody_wrote(written: Path) -> None:
    """A line behind that may be half of one, or be taken back."""
    reading = JournalFile(written, _CHAIN).read()
    next(reading)
    with written.open("ab") as file:
        file.write(b"6 half of a li")
        file.flush()
        assert len(list(reading)) == 4
    written.write_bytes(written.read_bytes().removesuffix(b"6 half of a li"))
    reading = JournalFile(written, _CHAIN).read()
    next(reading)
    JournalFile(written, _CHAIN).append([_raw("purpose 6")], 5)
    assert len(list(reading)) == 4


def test_processes_that_append_at_once_lose_nothing(path: Path) -> None:
    """The server and the action server write one file, each entry whole and in its writer's order."""
    root = Path(__file__).parents[2]
    writers = [
        subprocess.Popen([sys.executable, "-c", _APPEND_MANY, str(path), name], cwd=root) for name in ("one", "two")
    ]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    found = _names(JournalFile(path, _CHAIN))
    for name in ("one", "two"):
        expected = [_raw(f"{name} {number}") for number in range(50)]
        assert [raw for raw in found if raw in expected] == expected
    assert len(found) == 100
