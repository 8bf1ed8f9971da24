"""Findings as JSON, and as SARIF 2.1.0 (OASIS standard), which code hosts and editors show beside the lines."""

import importlib.metadata
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from rasa_privacy.policy.findings import CODES, Finding

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_PLACE: Final = re.compile(r"^(?P<file>.+?)(?::(?P<line>\d+)(?::(?P<column>\d+))?)?$", re.DOTALL)


def as_json(findings: Sequence[Finding]) -> str:
    """Return the findings as a JSON list, waived ones with their reason."""
    return json.dumps([_plain(each) for each in findings], indent=2)


def as_sarif(findings: Sequence[Finding], root: Path) -> str:
    """Return the findings as a SARIF log; waived ones are suppressed with their reason.

    Args:
        findings: What `check` found.
        root: The folder from which the files are named, as code hosts want it.
    """
    codes = list(CODES)
    rules = [{"id": code, "shortDescription": {"text": meaning}} for code, meaning in CODES.items()]
    driver = {"name": "rasa-privacy", "version": importlib.metadata.version("rasa_privacy"), "rules": rules}
    results = [_result(each, codes.index(each.code), root) for each in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _plain(finding: Finding) -> dict[str, Any]:
    file, line, column = split_place(finding.place)
    return {
        "code": finding.code,
        "severity": finding.severity,
        "file": file,
        "line": line,
        "column": column,
        "why": finding.why,
        "remedy": finding.remedy,
        "waived": finding.waived or None,
    }


def _result(finding: Finding, rule: int, root: Path) -> dict[str, Any]:
    file, line, column = split_place(finding.place)
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(file, root)}}
    if line is not None:
        physical["region"] = {"startLine": line} | ({} if column is None else {"startColumn": column})
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.severity,
        "message": {"text": f"{finding.why}; {finding.remedy}"},
        "locations": [{"physicalLocation": physical}],
    }
    if finding.waived:
        result["suppressions"] = [{"kind": "external", "justification": finding.waived}]
    return result


def split_place(place: str) -> tuple[str, int | None, int | None]:
    """Return file, line and column of a finding's place; the last two are None where it does not say them."""
    match = _PLACE.match(place)
    if match is None or match["line"] is None:
        return place, None, None
    return match["file"], int(match["line"]), None if match["column"] is None else int(match["column"])


def _uri(file: str, root: Path) -> str:
    """Return a file as a relative URI where it is below the root."""
    path = Path(file).absolute()
    try:
        return quote(path.relative_to(root.absolute()).as_posix())
    except ValueError:
        return path.as_uri()
