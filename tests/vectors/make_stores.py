"""Makes the stores of each schema that are not there: `python tests/vectors/make_stores.py`, with the whole history.

For each revision the code of the time (the last commit whose newest migration it is) writes a store on SQLite: two
people with two sessions, values of two purposes and consent, and one who was erased. What is asked of that code has
been the same since the first schema, and so has what it answers; tests/storage/test_older_stores.py has today's code
read it. From 0002 on it also writes one whose keys have a database of their own (`0002-apart.json`).
"""

import json
import os
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from contextlib import closing
from datetime import datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).with_name("stores")
#: The last commit of each revision; that of the newest one is the commit before the next migration.
COMMITS: Final = {
    "0001": "9bc1537",
    "0002": "0fd21a8",
    "0003": "2d9f615",
    "0004": "3372599",
    "0005": "48d4f9b",
    "0006": "596dbb0",
    "0007": "fdfdad6",
    "0008": "b2c2c45",
    "0009": "d9d50a2",
    "0010": "c21287a",
    "0011": "b16d084",
    "0012": "ac81191",
    "0013": "d95b06e",
    "0014": "69f3e73",
    "0015": "d04f102",
    "0016": "c3fb499",
    "0017": "c7d850c",
    "0018": "f909323",
    "0019": "07086b3",
    "0020": "1fc9cf8",
    "0021": "e28590f",
    "0022": "433da78",
    "0023": "03e991d",
}
#: What the name of a file says of a store whose keys have a database of their own, and the schema that was the first.
APART: Final = "-apart"
FIRST_APART: Final = "0002"
#: When everything was said, and what the stores were written with.
NOW: Final = datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=timezone.utc)
PRIVACY: Final = """\
version: 1
controller: {name: Northwind Outdoor, contact: privacy@northwind.example, policy_url: https://northwind.example/privacy}
items:
  email: {slot: email, detect: email, category: contact}
purposes:
  draw: {says: {en: to enter you in the draw}, basis: consent, items: {email: required}, retain: 90 days}
  news: {says: {en: to send you our newsletter}, basis: consent, items: {email: required}, retain: until withdrawn}
"""
#: Whose store it is, and what they gave as their email address.
PEOPLE: Final = {"rest-1": "ana@web.example", "ünï-2": "bo@mail.example"}
ERASED: Final = "+49 170 5558172"
#: Who said no to the newsletter.
REFUSED: Final = "ünï-2"


def turn(start: float, words: str, email: str | None = None) -> list[Any]:
    """Return the events of one turn, one of each kind that has a row of its own and one that has none."""
    at = iter(start + step / 8 for step in range(9))
    intent = {"name": "inform", "confidence": 0.9731864929199219}
    entities = [{"entity": "email", "value": None, "start": 3, "end": 9}] if email else []
    parsed = {"intent": intent, "entities": entities, "text": words, "metadata": {}, "message_id": f"{int(start):032x}"}
    ranking = [intent, {"name": "greet", "confidence": 0.1}]
    ids = {"model_id": "6f2a", "assistant_id": "northwind"}
    return [
        {"event": "user", "timestamp": next(at), "text": words, "parse_data": {**parsed, "intent_ranking": ranking},
         "input_channel": "rest", "message_id": parsed["message_id"], "metadata": ids},
        {"event": "user_featurization", "timestamp": next(at), "use_text_for_featurization": False, "metadata": ids},
        {"event": "slot", "timestamp": next(at), "name": "email", "value": None, "metadata": ids},
        {"event": "action", "timestamp": next(at), "name": "lead_form", "policy": "RulePolicy", "confidence": 1.0,
         "action_text": None, "hide_rule_turn": False, "metadata": ids},
        {"event": "active_loop", "timestamp": next(at), "name": "lead_form", "metadata": ids},
        {"event": "bot", "timestamp": next(at), "text": "Thank you — grüß dich!", "data": {"buttons": None},
         "metadata": {**ids, "utter_action": "utter_thanks"}},
        {"event": "pause", "timestamp": next(at)},
        {"event": "action", "timestamp": next(at), "name": "action_listen", "policy": None, "confidence": None,
         "action_text": None, "hide_rule_turn": False, "metadata": ids},
    ]  # fmt: skip


def turns(email: str) -> list[tuple[list[Any], dict[str, list[Any]], list[int]]]:
    """Return what is appended one after another: structure, values by purpose, and where sessions begin."""
    session = [{"event": "session_started", "timestamp": 1763900000.5}]
    return [
        ([*session, *turn(1763900001.25, "hi", email)],
         {"draw": [[1, ["parse_data", "entities", 0, "value"], "email", email], [3, ["value"], "email", email]]}, []),
        (turn(1763900011.25, "yes please", email), {"news": [[11, ["value"], "email", email]]}, []),
        (turn(1763900021.25, "what else?"), {}, []),
        ([{"event": "restart", "timestamp": 1763950000.0}, *session, *turn(1763950001.75, "once more", email)],
         {"draw": [[29, ["value"], "email", email]]}, [1]),
        (turn(1763950011.75, "bye"), {}, []),
    ]  # fmt: skip


def written(email: str) -> tuple[list[Any], dict[str, list[Any]]]:
    """Return the structure and the values, by purpose, of all turns."""
    structure: list[Any] = []
    found: dict[str, list[Any]] = {}
    for added, values, _ in turns(email):
        structure += added
        for purpose, entries in values.items():
            found.setdefault(purpose, []).extend(entries)
    return structure, found


def names() -> list[str]:
    """Return the names of the stores, that of a schema and perhaps APART."""
    return [*COMMITS, *(f"{revision}{APART}" for revision in COMMITS if revision >= FIRST_APART)]


def write(folder: Path, *, apart: bool) -> dict[str, Any]:
    """Write a store with the code that is imported, read it back, and return SQLite's dumps and the key folder."""
    from rasa_privacy.policy.settings import KeySettings, StoreSettings  # noqa: PLC0415 - of the time
    from rasa_privacy.rights.erasure import erase  # noqa: PLC0415
    from rasa_privacy.storage.vault import open_vault  # noqa: PLC0415

    (folder / "privacy.yml").write_text(PRIVACY)
    own: dict[str, Any] = {"url": f"sqlite:///{folder}/k.db"} if apart else {}
    keys = KeySettings("file", folder / "keys", **own)
    settings = StoreSettings(f"sqlite:///{folder}/c.db", keys, folder / "privacy.yml")
    with closing(open_vault(settings, clock=lambda: NOW)) as vault:
        for sender, email in {**PEOPLE, ERASED: "cy@web.example"}.items():
            _consent(vault, sender)
            for structure, values, starts in turns(email):
                with vault.database.write() as conn:
                    version = vault.conversations.head(conn, sender)[0]
                    vault.conversations.append(conn, sender, version, structure, values, starts, NOW)
        assert erase(vault, ERASED, _evidence()) is not None
        for sender, email in PEOPLE.items():
            with vault.database.read() as conn:
                stored = vault.conversations.load(conn, sender, all_sessions=True)
            assert stored is not None
            assert (stored.structure, stored.values) == written(email)
    dumps = {"dump": _dump(folder / "c.db"), **({"key_dump": _dump(folder / "k.db")} if apart else {})}
    return {**dumps, "keys": {path.name: path.read_bytes().hex() for path in sorted((folder / "keys").iterdir())}}


def _dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as file:
        return list(file.iterdump())


def _evidence(later: int = 0) -> Any:
    from rasa_privacy.consent.ledger import Evidence  # noqa: PLC0415 - of the time

    return Evidence("button", "rest", "en", NOW + timedelta(seconds=later))


def _consent(vault: Any, sender: str) -> None:
    from rasa_privacy.consent.ledger import record_answer, record_asked  # noqa: PLC0415 - of the time
    from rasa_privacy.consent.notice import Notice, terms_version  # noqa: PLC0415

    with vault.database.write() as conn:
        subject_id = vault.subjects.find_or_create(conn, sender, NOW)
        for purpose, granted in (("draw", True), ("news", sender != REFUSED)):
            notice = Notice(purpose, terms_version(vault.policy, purpose), "en", f"May we? ({purpose})")
            record_asked(vault, conn, subject_id, notice, _evidence())
            record_answer(vault, conn, subject_id, purpose, granted=granted, evidence=_evidence(1))


def _make(name: str) -> None:
    revision = name.removesuffix(APART)
    commit = COMMITS[revision]
    command = ["git", "archive", commit, "rasa_privacy"]
    packed = subprocess.run(command, capture_output=True, check=True, cwd=FOLDER.parents[2]).stdout
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(packed)) as tar:
            tar.extractall(folder)  # noqa: S202 - our own commit
        (Path(folder) / "store").mkdir(mode=0o700)
        command = [sys.executable, __file__, str(Path(folder) / "store"), *([APART] if name != revision else [])]
        environment = {**os.environ, "PYTHONPATH": folder}
        made = subprocess.run(command, capture_output=True, check=True, text=True, env=environment).stdout
    comment = f"A store of schema {revision} as commit {commit} wrote it (make_stores.py)."
    text = json.dumps({"comment": comment, **json.loads(made)}, indent=0, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(write(Path(sys.argv[1]), apart=APART in sys.argv)))
    else:
        for each in names():
            if not (FOLDER / f"{each}.json").exists():
                _make(each)
