"""Certificates of erasure: only of what is gone, and no word in them can be changed."""

import json
from typing import Any

import pytest
from sqlalchemy import insert

from rasa_privacy.crypto.signing import SigningKey
from rasa_privacy.errors import RequestError, SignatureError, StorageError, TamperedSegmentError
from rasa_privacy.rights.certificate_files import json_file, open_certificate, page_file
from rasa_privacy.rights.certificates import certificate
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage import remains as store
from rasa_privacy.storage.replay import replay
from rasa_privacy.storage.tables import data_keys, metadata, opt_in_codes, subjects
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, evidence, give, grant

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
ROWS: dict[str, tuple[Any, dict[str, Any]]] = {
    "subjects": (subjects, {"created_at": 1}),
    "data_keys": (data_keys, {"purpose": "draw", "epoch": 1, "wrapped": b"x"}),
    "opt_in_codes": (opt_in_codes, {"purpose": "draw", "code_hash": bytes(32), "expires_at": 1, "attempts": 0}),
}


@pytest.fixture
def subject_id(vault: Vault) -> bytes:
    """Return a person with two purposes and three events."""
    found = grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"full_name": "Ana Li", "email": "ana@example.com"}}, events=3)
    return found


@pytest.fixture
def number(vault: Vault, subject_id: bytes) -> str:  # noqa: ARG001 - somebody must be there
    """Return the number of the certificate of a person who was erased."""
    done = erase(vault, SENDER, evidence(vault))
    assert done is not None
    return done.number


def written(vault: Vault, number: str) -> tuple[bytes, bytes]:
    """Return a certificate as JSON and as a page."""
    made = certificate(vault, number, vault.clock())
    return json_file(vault, made), page_file(vault, made, "en")


@each_kind
def test_it_says_what_was_destroyed_and_what_stays(vault: Vault, number: str, subject_id: bytes) -> None:
    """By purpose with the id of its key; why what stays stays; by which request; and nothing of the person."""
    files = written(vault, number)
    for raw in files:
        made = open_certificate(raw, vault.signer.key.public())
        assert made["certificate"] == number
        assert made["destroyed"]["events"] == 3
        (draw,) = made["destroyed"]["purposes"]
        assert draw["items"] == ["full_name", "email", "postcode"]
        assert len(draw["data_key"]) == len(made["destroyed"]["conversation_key"]) == 64
        assert made["request"].startswith("RQ-")
        assert {"tombstone", "consent ledger", "suppression"} <= made["stays"].keys()
        assert {"conversations", "data_keys", "segments", "sessions", "subjects"} <= set(made["verified"]["tables"])
        for secret in (SENDER, "Ana", "ana@example.com", subject_id.hex()):
            assert secret not in raw.decode()


@pytest.mark.parametrize("table", ROWS)
@each_kind
def test_there_is_none_while_anything_is_left(vault: Vault, number: str, subject_id: bytes, table: str) -> None:
    """Every table is read back when it is written; the table is named, the person is not."""
    where, row = ROWS[table]
    with vault.database.write() as conn:
        conn.execute(insert(where), {"subject_id": subject_id, **row})
    with pytest.raises(StorageError, match=table) as caught:
        certificate(vault, number, vault.clock())
    assert SENDER not in str(caught.value)


@pytest.mark.usefixtures("subject_id")
def test_an_erasure_that_leaves_something_is_not_claimed(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the erasure forgets, reading back finds: segments too, which name no person."""
    import rasa_privacy.storage.conversation_rows as rows  # noqa: PLC0415 - to break it

    monkeypatch.setattr(rows, "_DELETE_SEGMENTS", rows._DELETE_SESSIONS)
    with pytest.raises(StorageError):
        erase(vault, SENDER, evidence(vault))


def test_every_table_that_names_people_is_read_or_stays_for_a_reason() -> None:
    """A table that is added with a `subject_id` is read back by itself."""
    named = {name for name, table in metadata.tables.items() if "subject_id" in table.c}
    assert named - set(store.STAYING) <= set(store.EXAMINED)
    assert set(store.STAYING) <= set(metadata.tables)


@pytest.mark.usefixtures("subject_id")
def test_a_kill_in_between_has_its_certificate_after_the_next_start(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it there is none, since nothing was erased."""
    entries: list[Any] = []

    def die(*given: object) -> None:
        entries.append(given[4])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(vault.erasures), "bury", die)
        with pytest.raises(KeyboardInterrupt):
            erase(vault, SENDER, evidence(vault))
    with pytest.raises(RequestError, match="no certificate of this number"):
        certificate(vault, entries[0], vault.clock())
    replay(vault)
    made = open_certificate(written(vault, entries[0])[0], vault.signer.key.public())
    assert made["destroyed"]["events"] == 3


@pytest.mark.parametrize("form", [0, 1])
def test_no_word_can_be_changed(vault: Vault, number: str, form: int) -> None:
    """Neither in what is shown nor in the token, nor by another store's key."""
    raw, key = written(vault, number)[form], vault.signer.key.public()
    name = vault.policy.controller.name.encode()
    changes = [
        raw.replace(number.encode(), b"ER-0000-0000-0000", 1),
        raw.replace(name, b"Somebody else", 1),
        raw.replace(b'"jws": "ey', b'"jws": "eY') if form == 0 else raw.replace(b">ey", b">eY"),
        raw.replace(b"</h1>", b"</h1><p>and more</p>") if form == 1 else raw.replace(b'"version": 2', b'"version": 1'),
        raw[: len(raw) // 2],
        b"",
        b"{}",
        b"<html></html>",
        b"[" * 100_000,
    ]
    for changed in changes:
        assert changed != raw
        with pytest.raises(SignatureError):
            open_certificate(changed, key)
    with pytest.raises(SignatureError):
        open_certificate(raw, SigningKey(bytes(32)).public())


@pytest.mark.parametrize("name", [b"certificate", b"jws"])
def test_no_name_is_there_twice(vault: Vault, number: str, name: bytes) -> None:
    """A program that takes the first of two would show what nobody signed."""
    raw, _ = written(vault, number)
    changed = raw.replace(b"{", b'{"' + name + b'": {"certificate": "ER-0000-0000-0000"},', 1)
    assert json.loads(changed) == json.loads(raw)
    with pytest.raises(SignatureError, match="not what was signed"):
        open_certificate(changed, vault.signer.key.public())


def test_a_receipt_is_no_certificate(vault: Vault, number: str) -> None:
    """What the store signed for something else proves no erasure."""
    made = certificate(vault, number, vault.clock())
    signed = json_file(vault, made)
    token = json.loads(signed)["jws"].encode()
    other = vault.signer.key.token(made, "consent-receipt+jws").encode()
    with pytest.raises(SignatureError, match="no erasure-certificate"):
        open_certificate(signed.replace(token, other), vault.signer.key.public())


def test_what_an_older_release_erased_has_a_certificate(vault: Vault, number: str) -> None:
    """Without the ids of its keys and the number of values, which were not kept."""
    with vault.database.write() as conn:
        conn.exec_driver_sql("""UPDATE erasures SET key_ids = NULL, counts = '{"events":3,"keys":2}'""")
    found = json.loads(written(vault, number)[0])["certificate"]["destroyed"]
    assert found.pop("not_counted")
    assert found == {"events": 3, "keys": 2, "values": None, "conversation_key": None, "purposes": []}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE erasures SET counts = '{'",
        """UPDATE erasures SET counts = '{"events":-1}'""",
        """UPDATE erasures SET counts = '{"events":"<b>"}'""",
        "UPDATE erasures SET key_ids = '[]'",
    ],
)
def test_a_row_that_was_changed_into_none_is_said(vault: Vault, number: str, sql: str) -> None:
    """With what to do about it, whatever stands there."""
    with vault.database.write() as conn:
        conn.exec_driver_sql(sql)
    with pytest.raises(TamperedSegmentError, match="backup"):
        certificate(vault, number, vault.clock())
