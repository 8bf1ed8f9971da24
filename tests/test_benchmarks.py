"""The commands that measure run to their end, on little, since what they measure changes beside them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SMALL = {
    "audience": {"BENCH_PEOPLE": "1000", "BENCH_EXPORTED": "200"},
    "audit": {"BENCH_RECORDS": "1000"},
    "retention": {"BENCH_CONVERSATIONS": "50", "BENCH_KINDS": "SQLite", "BENCH_SECONDS": "0.5"},
    "rights": {"BENCH_EVENTS": "500", "BENCH_PEOPLE": "500"},
    "rotation": {"BENCH_KEYS": "1000"},
    "scale": {"BENCH_CONVERSATIONS": "2000"},
}


@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_runs(name: str, tmp_path: Path) -> None:
    """It fills a database as it is today, measures, and writes its table; whether a goal is met is not for a test."""
    document = tmp_path / "benchmarks.md"
    environment = {**os.environ, **SMALL[name], "BENCH_DOCUMENT": str(document), "RASA_TELEMETRY_ENABLED": "false"}
    arguments = [] if name == "retention" else ["SQLite"]
    done = subprocess.run(
        [sys.executable, f"bench/{name}.py", *arguments],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert f"<!-- {name}" in document.read_text(encoding="utf-8")
    assert "| met" in document.read_text(encoding="utf-8") or "MISSED" in document.read_text(encoding="utf-8")
