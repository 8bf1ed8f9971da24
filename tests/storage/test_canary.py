"""Marked personal data is searched for in every byte that is written, and in every message."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.errors import PrivacyError
from rasa_privacy.storage.ledger import LedgerRecord
from rasa_privacy.storage.vault import Vault

_SENDER = "+4915199CANARYsender"
_VALUE = "Jane CANARYvalue jane@CANARYmail.example"
_MARK = re.compile(rb"canary", re.IGNORECASE)


def _found(folder: Path) -> list[str]:
    return [file.name for file in folder.rglob("*") if file.is_file() and _MARK.search(file.read_bytes())]


def test_no_marked_byte_reaches_the_disk_or_a_log(
    vault: Vault, now: datetime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither sender id nor values are readable at any time, before and after erasure, uncompressed as they are."""
    caplog.set_level(logging.DEBUG)
    for number in range(12):
        with vault.database.write() as conn:
            version, count = vault.conversations.head(conn, _SENDER)
            values = {"draw": [[count, _VALUE]], "news": [[count, {"text": _VALUE}]]}
            starts = [0] if number % 5 == 0 else []
            vault.conversations.append(conn, _SENDER, version, [{"text": _VALUE}], values, starts, now)
            subject_id = vault.subjects.find_or_create(conn, _SENDER, now)
            vault.ledger.append(conn, LedgerRecord(subject_id, "draw", "asked", bytes(32), "en", "button", "rest", now))
        assert _found(tmp_path) == []
    with vault.database.write() as conn:
        vault.conversations.drop_purpose(conn, subject_id, "news")
        vault.data_keys.destroy(conn, subject_id, "news")
        vault.erasures.bury(conn, subject_id, now, "ER-1", {"events": 12})
    assert _found(tmp_path) == []
    vault.database.checkpoint()
    assert _found(tmp_path) == []
    assert not _MARK.search(caplog.text.encode())


def _failures(vault: Vault, sql: Callable[..., list[Any]], now: datetime) -> Iterator[Callable[[Any], Any]]:
    """Yield operations that fail, each with the marked data in its hands."""
    store = vault.conversations
    yield lambda conn: store.append(conn, _SENDER, 7, [_VALUE], {}, [], now)
    yield lambda conn: store.append(conn, _SENDER, 1, [{_VALUE: object()}], {}, [], now)
    yield lambda conn: store.append(conn, _SENDER, 1, [], {"draw": [[_VALUE]]}, [], now)
    yield lambda conn: store.append(conn, _SENDER, 1, [], {"draw": [[999, _VALUE]]}, [], now)
    yield lambda conn: store.append(conn, _SENDER, 1, [_VALUE], {}, [5], now)
    yield lambda conn: vault.erasures.bury(conn, b"CANARY", now, "ER", {})
    yield lambda conn: vault.subjects.find_or_create(conn, _SENDER + "2", now.replace(tzinfo=None))
    for change in (
        "UPDATE segments SET sealed = x'00'",
        "UPDATE segments SET purpose = 'other'",
        "DELETE FROM segments",
        "UPDATE conversations SET manifest = NULL",
        "UPDATE conversations SET conversation_id = x'00'",
        "UPDATE data_keys SET wrapped = randomblob(68)",
        "DELETE FROM data_keys",
        "DROP TABLE data_keys",
        "DROP TABLE conversations",
    ):
        sql(change)
        yield lambda conn: store.load(conn, _SENDER)


def test_no_error_shows_the_marked_data(
    vault: Vault, sql: Callable[..., list[Any]], now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    """Every failure is one of our errors, and neither it nor what led to it shows a sender id or a value."""
    caplog.set_level(logging.DEBUG)
    with vault.database.write() as conn:
        vault.conversations.append(conn, _SENDER, 0, [{"text": _VALUE}], {"draw": [[0, _VALUE]]}, [], now)
    failed = 0
    for operation in _failures(vault, sql, now):
        with pytest.raises(PrivacyError) as caught, vault.database.write() as conn:
            operation(conn)
        error: BaseException | None = caught.value
        while error is not None:
            shown = json.dumps([str(error), repr(error.args)])
            assert not _MARK.search(shown.encode()), type(error)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        failed += 1
    assert failed == 16
    assert not _MARK.search(caplog.text.encode())
