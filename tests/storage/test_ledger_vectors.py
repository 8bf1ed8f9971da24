"""The ledger writes the links that docs/spec/keys.md gives."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import text

from rasa_privacy.crypto.blind_index import BlindIndex
from rasa_privacy.storage.ledger import ConsentLedger, LedgerRecord
from rasa_privacy.storage.tables import from_micros
from rasa_privacy.storage.vault import Vault

_VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors/keys.json").read_text(encoding="utf-8"))


def test_records_have_the_links_and_the_end_of_the_vectors(vault: Vault) -> None:
    """Each record is linked, and the end authenticated, byte for byte as on the page."""
    ledger = ConsentLedger(BlindIndex(bytes.fromhex(_VECTORS["blind_indexes"][0]["key"])))
    for vector in _VECTORS["ledger_links"]:
        seq, subject, purpose, event, notice, language, method, channel, at = vector["record"]
        record = LedgerRecord(
            bytes.fromhex(subject), purpose, event, bytes.fromhex(notice), language, method, channel, from_micros(at)
        )
        with vault.database.write() as conn:
            assert ledger.append(conn, record) == seq
            stored = conn.execute(text("SELECT link FROM ledger WHERE seq = :seq"), {"seq": seq}).scalar()
            end = conn.execute(text("SELECT value FROM meta WHERE name = 'ledger_head'")).scalar()
        assert (bytes(stored).hex(), bytes(end).hex()) == (vector["link"], vector["head"])
        with vault.database.read() as conn:
            ledger.verify(conn)
