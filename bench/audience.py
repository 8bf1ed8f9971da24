"""The audience of a purpose: who is in by consent, of a million people, and what opening their addresses costs.

BENCH_PEOPLE and BENCH_EXPORTED set the numbers of people, arguments name the databases.
"""

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.support.databases import fresh_url
from bench.support.memory import begin_peak, peak
from bench.support.report import Table, publish, verdict
from rasa_privacy.access.admission import admit_local
from rasa_privacy.access.permit import Permit
from rasa_privacy.consent.ledger import Evidence, record_answer, record_asked
from rasa_privacy.consent.notice import Notice, terms_version
from rasa_privacy.crypto.blind_index import FOUND_BY_BYTES
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.rights.audience import Tally
from rasa_privacy.rights.audience_lines import lines
from rasa_privacy.rights.audience_processes import cores
from rasa_privacy.rights.membership import members
from rasa_privacy.rights.suppression import suppress_contacts
from rasa_privacy.storage import ledger_rows
from rasa_privacy.storage.tables import conversations, subjects, suppressions, to_micros
from rasa_privacy.storage.vault import Vault, open_vault

PEOPLE: Final = int(os.environ.get("BENCH_PEOPLE", "1000000"))
OPENED: Final = int(os.environ.get("BENCH_EXPORTED", "100000"))  # a multiple of 200
GOAL: Final = 50_000
GOAL_MEBIBYTES: Final = 64
_CHUNK: Final = 20_000
KINDS: Final = ("SQLite", "PostgreSQL")
_PRIVACY: Final = """\
version: 1
controller: {name: Northwind Outdoor, contact: privacy@northwind.example, policy_url: https://northwind.example/privacy}
items:
  email: {slot: email, entity: email, detect: email}
purposes:
  draw: {says: {en: to enter you}, basis: consent, items: {email: required}, guards: [lead_form], retain: 90 days}
  newsletter:
    says: {en: to send you our newsletter}
    basis: consent
    marketing: true
    items: {email: required}
    guards: [newsletter_form]
    retain: until withdrawn
    consent_lasts: 12 months
"""
METHOD: Final = f"""Each of the people was asked about two purposes and agreed to both; one in five took the
newsletter back and one in fifty is suppressed. "Who is in" is `members`: pages from the ledger, the fold over each
person's answers, the suppressions of senders; nothing is opened. "Exported" is what the command does, of {OPENED:,}
people with a real conversation each, of whom one in fifty is suppressed by an address: it opens sender ids and
contacts, each under keys of the person's own, and looks for them among the suppressed ones. It counts whoever is looked
at, in one process and in one for each of the {cores()} cores, with the time in which they begin. Memory is how much the
process grew at its peak."""


def crowd(vault: Vault, digest: bytes) -> int:
    """Add the rows of people who agreed, and return how many of them are in the newsletter's audience."""
    inside = 0
    for first in range(0, PEOPLE, _CHUNK):
        numbers = range(first, min(first + _CHUNK, PEOPLE))
        people = [(number, os.urandom(16), os.urandom(FOUND_BY_BYTES)) for number in numbers]
        inside += sum(number % 5 != 0 and number % 50 != 1 for number in numbers)
        with vault.database.write() as conn:
            conn.execute(subjects.insert(), [{"subject_id": each, "created_at": 0} for _, each, _ in people])
            conn.execute(conversations.insert(), [_conversation(*each) for each in people])
            ledger_rows.add_all(
                conn, [row for number, each, _ in people for row in _records(vault, number, each, digest)]
            )
            out = [
                {"contact_index": index, "reason": "stop", "at": 0} for number, _, index in people if number % 50 == 1
            ]
            conn.execute(suppressions.insert(), out)
    vault.database.checkpoint()
    if vault.database.dialect == "postgresql":
        with vault.database.write() as conn:
            conn.exec_driver_sql("ANALYZE")
    return inside


def _conversation(number: int, subject_id: bytes, index: bytes) -> dict[str, Any]:
    row = {"conversation_ref": number + 1_000_000_000, "conversation_id": b"", "subject_id": subject_id}
    return {**row, "sender_index": index, "sealed_sender": os.urandom(90), "version": 0, "session": 0, "manifest": None}


def _records(vault: Vault, number: int, subject_id: bytes, digest: bytes) -> list[dict[str, Any]]:
    """Return five records, the last of which is another question or the withdrawal. Nothing here verifies the chain."""
    events = [("draw", "asked"), ("draw", "granted"), ("newsletter", "asked"), ("newsletter", "granted")]
    events.append(("newsletter", "withdrawn") if number % 5 == 0 else ("newsletter", "asked"))
    common = {"subject_id": subject_id, "notice_hash": digest, "language": "en", "method": "button", "channel": "rest"}
    at, first = to_micros(vault.clock()), 1_000_000 + number * 5
    return [
        {"seq": first + step, "purpose": purpose, "event": event, "at": at, "mac": None, **common}
        for step, (purpose, event) in enumerate(events)
    ]


def real_people(vault: Vault, notice: Notice) -> int:
    """Let people agree as the bot does, with an address on file, and return how many are in the audience."""
    now = vault.clock()
    evidence = Evidence("button", "rest", "en", now)
    for first in range(0, OPENED, 200):
        with vault.database.write() as conn:
            for number in range(first, first + 200):
                sender, address = f"4930123{number:05d}", f"person{number}@example.com"
                subject_id = vault.subjects.find_or_create(conn, sender, now)
                record_asked(vault, conn, subject_id, notice, evidence)
                record_answer(vault, conn, subject_id, "newsletter", granted=True, evidence=evidence)
                entries = {"newsletter": [[0, ["value"], "email", address]]}
                event = {"event": "slot", "timestamp": 1.0, "name": "email", "value": None}
                vault.conversations.append(conn, sender, 0, [event] * 20, entries, [], now)
                if number % 50 == 1:
                    suppress_contacts(vault, conn, [address], "complaint", now)
    return sum(number % 50 != 1 for number in range(OPENED))


def measure(kind: str, url: str, folder: Path) -> list[tuple[str, ...]]:
    """Return the rows of one kind of database."""
    (folder / "privacy.yml").write_text(_PRIVACY, encoding="utf-8")
    settings = StoreSettings(url, KeySettings("file", folder / "keys"), folder / "privacy.yml")
    vault = open_vault(settings)
    notice = Notice("newsletter", terms_version(vault.policy, "newsletter"), "en", "May we?")
    expected = real_people(vault, notice)
    permit = admit_local(vault, "audience")
    rows = [
        _speed(f"exported {what}, {name}", _exported(vault, settings, permit, item, workers, expected))
        for what, item in (("by sender id", None), ("with addresses", "email"))
        for name, workers in (("one process", 1), (f"{cores()} processes", cores()))
    ]
    inside = crowd(vault, notice.hash) + OPENED
    before = begin_peak()
    begin = time.perf_counter()
    found = sum(map(len, members(vault, "newsletter", vault.clock())))
    deciding = time.perf_counter() - begin
    grown = peak() - before
    vault.close()
    if found != inside:
        raise SystemExit(f"{kind}: {found:,} people are in instead of {inside:,}")
    memory = f"{grown:.0f} MiB", f"<= {GOAL_MEBIBYTES}", verdict(met=grown <= GOAL_MEBIBYTES)
    chosen = _speed(f"who is in of {PEOPLE:,}", (PEOPLE + OPENED) / deciding)
    return [chosen, ("memory for that", *memory), *rows]


def _speed(work: str, speed: float) -> tuple[str, ...]:
    return work, f"{speed:,.0f} people/s", f">= {GOAL:,}", verdict(met=speed >= GOAL)


def _exported(  # noqa: PLR0913, PLR0917 - what is exported, by how many, and what is to come out
    vault: Vault, settings: StoreSettings, permit: Permit, item: str | None, workers: int, expected: int
) -> float:
    """Return how many people are looked at in a second by an export to nowhere."""
    begin = time.perf_counter()
    found = lines(vault, permit, "newsletter", item, vault.clock(), Tally(), settings, workers)
    written = sum(piece.count(b"\n") for piece in found)
    if written != expected:
        raise SystemExit(f"{written:,} people are exported instead of {expected:,}")
    return OPENED / (time.perf_counter() - begin)


def main() -> None:
    """Measure, print, and write the document."""
    for kind in sys.argv[1:] or KINDS:
        print(f"{kind}: {PEOPLE:,} people ...", flush=True)
        with TemporaryDirectory() as folder, fresh_url(kind, Path(folder)) as url:
            rows = measure(kind, url, Path(folder))
        head, method = ("work", "measured", "goal", ""), " ".join(METHOD.split())
        publish(f"audience {kind}", Table(f"Audience of a purpose on {kind}", method, head, rows))


if __name__ == "__main__":
    main()
