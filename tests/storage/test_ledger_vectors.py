"""The ledger writes the links that docs/spec/keys.md gives."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import text

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.crypto.signing import SigningKey
from rasa_privacy.storage.checkpoints import Checkpoints
from rasa_privacy.storage.ledger import ConsentLedger
from rasa_privacy.storage.ledger_record import LedgerRecord
from rasa_privacy.storage.signer import Signer
from rasa_privacy.storage.tables import from_micros
from rasa_privacy.storage.vault import Vault

_VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors/keys.json").read_text(encoding="utf-8"))


def test_records_have_the_links_and_the_end_of_the_vectors(vault: Vault) -> None:
    """Each record is linked, and the end authenticated, byte for byte as on the page."""
    index = BlindIndex(bytes.fromhex(_VECTORS["blind_indexes"][0]["key"]))
    ledger = ConsentLedger(index, Checkpoints(index, vault.signer, vault.clock))
    for vector in _VECTORS["ledger_links"]:
        seq, subject, purpose, event, notice, language, method, channel, at = vector["record"]
        record = LedgerRecord(
            bytes.fromhex(subject), purpose, event, bytes.fromhex(notice), language, method, channel, from_micros(at)
        )
        with vault.database.write() as conn:
            assert ledger.append(conn, record) == seq
            end = conn.execute(text("SELECT value FROM meta WHERE name = 'ledger_head'")).scalar()
        assert bytes(end).hex() == vector["head"]
        with vault.database.read() as conn:
            *_, (_, link) = ledger.verified(conn)
        assert link.hex() == vector["link"]


def test_records_and_checkpoints_are_those_of_the_ledger_vectors(vault: Vault) -> None:
    """Links, keyed hashes and signatures are byte for byte those that docs/spec/ledger.md gives."""
    vectors = json.loads((Path(__file__).parents[1] / "vectors/ledger.json").read_text(encoding="utf-8"))
    index = BlindIndex(bytes.fromhex(vectors["index_key"]))
    signer = Signer(bytes.fromhex(vectors["store"]), SigningKey(bytes.fromhex(vectors["signing_key"])))
    assert signer.key.public().raw.hex() == vectors["public_key"]
    at = from_micros(vectors["checkpoints"][0]["checkpoint"]["at"])
    ledger = ConsentLedger(index, Checkpoints(index, signer, lambda: at))
    signed = {each["checkpoint"]["seq"]: each for each in vectors["checkpoints"]}
    with vault.database.write() as conn:
        conn.execute(text("DELETE FROM meta WHERE name = 'checkpoint_head'"))
        ledger.prepare(conn)
        assert _meta(conn) == vectors["no_checkpoint_head"]
        for vector in vectors["records"]:
            seq, subject, purpose, event, notice, language, method, channel, micros = vector["record"]
            who, shown = bytes.fromhex(subject), bytes.fromhex(notice)
            ledger.append(
                conn, LedgerRecord(who, purpose, event, shown, language, method, channel, from_micros(micros))
            )
            mac = conn.execute(text("SELECT mac FROM ledger WHERE seq = :seq"), {"seq": seq}).scalar()
            *_, (_, link) = ledger.verified(conn)
            assert (link.hex(), bytes(mac).hex()) == (vector["link"], vector["mac"])
            if seq in signed:
                made = ledger.checkpoint(conn)
                assert made is not None
                assert made.message(signer.store_id).hex() == signed[seq]["message"]
                assert made.signature.hex() == signed[seq]["checkpoint"]["signature"]
                assert _meta(conn) == signed[seq]["head"]


def _meta(conn: Any) -> str:
    return bytes(conn.execute(text("SELECT value FROM meta WHERE name = 'checkpoint_head'")).scalar()).hex()
