"""An audit log of a million records: all is done in bounded memory, and a status reads what is new alone."""

import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench.support.memory import begin_peak, peak
from rasa_privacy.cli import main
from rasa_privacy.storage.audit import AuditLog
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.vault import open_vault
from tests.support.vaults import give, grant, settings_in

pytestmark = pytest.mark.soak
RECORDS = 1_000_000
BATCH = 10_000
#: What a page of records and what Python itself takes meanwhile stay far below; a million records do not.
MEBIBYTES = 64
ENDPOINTS = (
    "tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  url: sqlite:///c.db\n"
    "  keys: {provider: file, path: keys}\n  privacy: privacy.yml\n"
)


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a bot whose audit log is long."""
    folder = tmp_path_factory.mktemp("long")
    vault = open_vault(settings_in(folder))
    grant(vault, "newsletter")
    give(vault, {"newsletter": {"email": "ana@x.example"}})
    made = AuditRecord(vault.clock(), "ana", "view", role="support", subject_id=b"s" * 16, reason="ticket 17")
    for _ in range(RECORDS // BATCH):
        vault.database.transact(lambda conn: vault.audit.append(conn, *[made] * BATCH))
    vault.close()
    (folder / "endpoints.yml").write_text(ENDPOINTS)
    return folder


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets a number for each record that is read."""
    numbers: list[int] = []
    checked = AuditLog._checked

    def noted(log: AuditLog, row: Any) -> Any:
        numbers.append(row.seq)
        return checked(log, row)

    monkeypatch.setattr(AuditLog, "_checked", noted)
    return numbers


def run(bot: Path, *arguments: str) -> tuple[str, float, float]:
    """Run a command; return what it said, its processor time in seconds, and by how many MiB the memory grew."""
    before, began = begin_peak(), time.process_time()
    done = CliRunner().invoke(main, [*arguments, "--bot", str(bot)])
    assert done.exit_code == 0, done.output
    return done.output, time.process_time() - began, peak() - before


def test_a_million_records_are_handled_in_bounded_memory(bot: Path, tmp_path: Path, read: list[int]) -> None:
    """All are verified once; then a status, a report and the scope of a breach read what is new and no more."""
    said, whole_seconds, grown = run(bot, "audit", "verify")
    assert f"As it was written: {RECORDS:,} records" in said
    assert grown < MEBIBYTES
    assert len(read) >= RECORDS
    for arguments in (("status",), ("report", "--out", str(tmp_path / "r.html"))):
        read.clear()
        said, seconds, grown = run(bot, *arguments)
        assert len(read) < 100
        assert seconds < whole_seconds / 5
        assert grown < MEBIBYTES
    read.clear()
    said, _, grown = run(bot, "breach", "scope", "--since", "2020-01-01", "--until", "2020-01-02")
    assert "1 new record since" not in said  # the looks of above are new too
    assert len(read) < 100
    assert grown < MEBIBYTES
    said, _, grown = run(bot, "audit", "show", "--last", "10000", "--json")
    assert len(said.splitlines()) == 10_000
    out = tmp_path / "log.jsonl"
    _, _, grown = run(bot, "audit", "export", str(out))
    assert grown < MEBIBYTES
    with out.open("rb") as lines:
        # Those of the looks above are in it too, and those of the marks of both books.
        assert sum(b'{"record"' in line for line in lines) == RECORDS + 7
