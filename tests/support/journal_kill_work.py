"""What `tests/rights/test_journal_kills.py` kills. Each function gets a folder and where the keys lie."""

import os
from dataclasses import replace
from pathlib import Path

from rasa_privacy.access.admission import admit_local
from rasa_privacy.policy.settings import StoreSettings
from rasa_privacy.rights import bulk_erasure
from rasa_privacy.rights.bulk_erasure import erase_listed
from rasa_privacy.rights.bulk_run import Bulk
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.erasure import erase as erase_person
from rasa_privacy.rights.withdrawal import withdraw as withdraw_from
from rasa_privacy.storage import replay as replaying
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.parts import delete_part
from tests.support.vaults import BY_LAW, PRIVACY, START, evidence, give, grant, settings_in

APART = "apart"
TOGETHER = "together"
ERASED = ("anna", "berta", "carla")
WITHDRAWN = "dora"
_SHORT_BYTES = 100
BOOKS = {"books": {"full_name": "Any Name"}}
VALUES = {"draw": {"full_name": "Any Name"}, "newsletter": {"birthday": "1990"}}


def settings_of(folder: str, keys: str) -> StoreSettings:
    """Return settings with a journal in a file, and the keys beside the conversations or apart."""
    settings = settings_in(Path(folder))
    if (Path(folder) / "law").exists():
        (Path(folder) / "privacy.yml").write_text(PRIVACY + BY_LAW, encoding="utf-8")
    settings = replace(settings, journal=Path(folder) / "erasures.journal")
    own = f"sqlite:///{folder}/keys.db" if keys == APART else None
    return replace(settings, keys=replace(settings.keys, url=own))


def opened(folder: str, keys: str) -> Vault:
    """Open the store with a clock that stands still."""
    return open_vault(settings_of(folder, keys), lambda: START)


def people(folder: str, keys: str) -> None:
    """Store everybody, and keep a copy of the database as a backup."""
    vault = opened(folder, keys)
    for sender in (*ERASED, WITHDRAWN):
        grant(vault, "draw", "newsletter", sender=sender)
        give(vault, VALUES, sender=sender)
    vault.close()
    (Path(folder) / "backup").write_bytes((Path(folder) / "c.db").read_bytes())


def people_by_law(folder: str, keys: str) -> None:
    """Store everybody, of whom the law keeps a name."""
    (Path(folder) / "law").touch()
    people(folder, keys)
    vault = opened(folder, keys)
    for sender in ERASED:
        give(vault, BOOKS, sender=sender)
    vault.close()


def _tell(folder: str, what: str) -> None:
    with (Path(folder) / "told").open("a") as file:
        file.write(what + "\n")


def told(folder: str) -> list[str]:
    """Return who was told that it is done."""
    file = Path(folder) / "told"
    return file.read_text().splitlines() if file.exists() else []


def _write_in_parts() -> None:
    """Let each write to the journal take half of what it is given, so that lines can be torn at an fsync."""
    write = os.pwrite

    def half(descriptor: int, text: bytes, offset: int) -> int:
        written = write(descriptor, text[: len(text) // 2] if len(text) > _SHORT_BYTES else text, offset)
        os.fsync(descriptor)
        return written

    os.pwrite = half  # type: ignore[assignment]


def erase(folder: str, keys: str) -> None:
    """Erase one person, in a process of its own."""
    _write_in_parts()
    _erase(folder, keys, "anna")


def _erase(folder: str, keys: str, *senders: str) -> None:
    vault = opened(folder, keys)
    for sender in senders:
        erase_person(vault, sender, evidence(vault))
        _tell(folder, sender)
    vault.close()


def erase_list(folder: str, keys: str) -> None:
    """Erase three people from a list, two of them in one transaction, in a process of its own."""
    _write_in_parts()
    bulk_erasure.PAGE["sqlite"] = 2
    vault = opened(folder, keys)
    run = Bulk(vault, admit_local(vault, "erase"), lambda line: _tell(folder, ERASED[line.number - 1]))
    erase_listed(run, ERASED)
    vault.close()


def withdraw(folder: str, keys: str) -> None:
    """Take back one consent, in a process of its own."""
    _write_in_parts()
    _withdraw(folder, keys)


def _withdraw(folder: str, keys: str) -> None:
    vault = opened(folder, keys)
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, WITHDRAWN)
    assert subject_id is not None
    vault.database.transact(lambda conn: withdraw_from(vault, conn, subject_id, ["draw"], evidence(vault)))
    empty_log(vault)
    _tell(folder, WITHDRAWN)
    vault.close()


def delete_item(folder: str, keys: str) -> None:
    """Delete one item of a person, in a process of its own."""
    _write_in_parts()
    vault = opened(folder, keys)
    if delete_part(vault, WITHDRAWN, ["full_name"], [], evidence(vault)) is not None:
        _tell(folder, WITHDRAWN)
    vault.close()


def restored(folder: str, keys: str) -> None:
    """Erase three people, take one consent back, and put the backup in the place of the database."""
    people(folder, keys)
    _erase(folder, keys, *ERASED)
    _withdraw(folder, keys)
    (Path(folder) / "c.db").write_bytes((Path(folder) / "backup").read_bytes())


def replay(folder: str, keys: str) -> None:
    """Start, with a transaction for each entry."""
    replaying._BATCH = 1  # type: ignore[misc]
    opened(folder, keys).close()
    _tell(folder, "open")
