"""What `tests/storage/test_kill.py` kills. Each function gets a folder and a database URL, as text.

A step that a person was told about is written into `told` in the folder, after it is done: from then on it must hold.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.policy.settings import KeySettings, StoreSettings
from rasa_privacy.retention import sweep as sweeping
from rasa_privacy.rights.erasure import erase as erase_person
from rasa_privacy.rights.withdrawal import withdraw as withdraw_from
from rasa_privacy.storage import rotation, schema
from rasa_privacy.storage.database import Database
from rasa_privacy.storage.kept import after_keeping
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.vaults import BY_LAW, PRIVACY, SENDER, START, give, grant, privacy_text

TURNS = 3
LATER = START + timedelta(days=4000)
LAST = LATER + timedelta(days=2)


def settings_of(folder: str, url: str) -> StoreSettings:
    """Return the settings of a store with its keys in the folder."""
    privacy = Path(folder) / "privacy.yml"
    privacy.write_text(privacy_text(), encoding="utf-8")
    own = _apart(folder).read_text(encoding="utf-8") if _apart(folder).exists() else None
    return StoreSettings(url, KeySettings("file", Path(folder) / "keys", url=own), privacy)


def put_keys_apart(folder: str, url: str) -> None:
    """Have the stores of this folder keep their keys in this database."""
    _apart(folder).write_text(url, encoding="utf-8")


def _apart(folder: str) -> Path:
    return Path(folder) / "apart"


def opened(folder: str, url: str) -> Vault:
    """Open the store with a clock that stands still."""
    return open_vault(settings_of(folder, url), lambda: START)


def told(folder: str) -> list[str]:
    """Return what people were told so far."""
    file = Path(folder) / "told"
    return file.read_text().splitlines() if file.exists() else []


def _tell(folder: str, what: str) -> None:
    with (Path(folder) / "told").open("a") as file:
        file.write(what + "\n")


def start(folder: str, url: str) -> None:
    """Open a store where there is nothing."""
    vault = opened(folder, url)
    _tell(folder, vault.index.of("check", "index").hex())
    vault.close()


def save(folder: str, url: str) -> None:
    """Save turns of somebody new, the second of which begins a session."""
    vault = opened(folder, url)
    for number in range(TURNS):

        def turn(connection: object, number: int = number) -> None:
            version, seq = vault.conversations.head(connection, SENDER)
            starts = [0] if number == 1 else []
            values = {"draw": [[seq, ["value"], "email", f"value {number}"]]}
            vault.conversations.append(connection, SENDER, version, [["turn", number]], values, starts, START)

        vault.database.transact(turn)
        _tell(folder, str(number))
    vault.close()


def erase(folder: str, url: str) -> None:
    """Erase the person."""
    vault = opened(folder, url)
    assert erase_person(vault, SENDER, Evidence("button", "rest", "en", START)) is not None
    _tell(folder, "erased")
    vault.close()


def settings_apart(folder: str, url: str) -> StoreSettings:
    """Return the settings of a store with a key database of its own, and a law that keeps a name."""
    settings = settings_of(folder, url)
    settings.privacy.write_text(PRIVACY + BY_LAW, encoding="utf-8")
    return replace(settings, keys=replace(settings.keys, url=f"sqlite:///{folder}/keys.db"))


def kept_person(folder: str, url: str) -> None:
    """Make a person of whom the law keeps a name, after an erasure that broke off with an older copy of it."""
    vault = open_vault(settings_apart(folder, url), lambda: START)
    subject_id = grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}, "books": {"full_name": "Ana Li"}})
    after_keeping(vault, [subject_id], START, lambda _connection: None)
    give(vault, {"books": {"full_name": "Ana Lind"}})
    vault.close()


def erase_kept(folder: str, url: str) -> None:
    """Erase that person."""
    vault = open_vault(settings_apart(folder, url), lambda: START)
    assert erase_person(vault, SENDER, Evidence("button", "rest", "en", START)) is not None
    _tell(folder, "erased")
    vault.close()


def withdraw(folder: str, url: str) -> None:
    """Withdraw one of two consents."""
    vault = opened(folder, url)

    def change(connection: object) -> None:
        subject_id = vault.subjects.find_for_update(connection, SENDER)
        assert subject_id is not None
        withdraw_from(vault, connection, subject_id, ["draw"], Evidence("button", "rest", "en", START))

    vault.database.transact(change)
    vault.database.checkpoint()
    _tell(folder, "withdrawn")
    vault.close()


def sweep(folder: str, url: str) -> None:
    """Remove what is due, in many small transactions; a day later the people of whom nothing is left go too."""
    with patch.dict(vars(sweeping)["_BATCH"], dict.fromkeys(vars(sweeping)["_BATCH"], 2)):
        vault = opened(folder, url)
        for now in (LATER, LAST):
            sweeping.sweep(vault, now, trusted=True)  # the clock of these tests is not that of the servers
        _tell(folder, "swept")
        vault.close()


def rotate(folder: str, url: str) -> None:
    """Wrap all data keys with a new key and destroy the old one, or go on where that was interrupted."""
    with patch.object(rotation, "BATCH", 2):
        vault = opened(folder, url)
        with vault.key_database.read() as connection:
            newest = vault.epochs.all(connection)[-1].number
        if newest == 1:
            vault.rotation.begin_epoch(START)
        for _count in vault.rotation.rewrap():
            pass
        vault.rotation.end_epoch(1, START)
        _tell(folder, "rotated")
        vault.close()


def migrate(_folder: str, url: str) -> None:
    """Bring a database of an earlier schema to the newest."""
    database = Database(url)
    schema.upgrade(database)
    database.close()


def person(folder: str, url: str, *others: str) -> None:
    """Make people with two consents and values."""
    vault = opened(folder, url)
    for sender in (SENDER, *others):
        grant(vault, "draw", "fitting", sender=sender)
        give(vault, {"draw": {"email": "a@b.example"}, "fitting": {"phone": "+49"}}, sender, events=3)
    vault.close()
