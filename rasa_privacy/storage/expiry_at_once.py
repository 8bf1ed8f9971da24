"""Removing many people in one statement, for PostgreSQL.

Everything of them goes in one round trip, and neither keyed hash nor number of a conversation leaves the database. The
parts see one state, so no part may need what another one did. On PostgreSQL no foreign key does any of it (ADR 23), so
each table that names people is emptied here; a test holds that none was forgotten. Rows are found by arrays and not by
joins, since a join's plan depends on what the server knows of the tables.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import Connection

from rasa_privacy.storage.erasures import Erasure, row_of
from rasa_privacy.storage.many import bytes_array

_GONE: Final = text("""
WITH listed AS MATERIALIZED (
    SELECT * FROM unnest(
        CAST(:people AS bytea[]), CAST(:certificates AS text[]), CAST(:times AS bigint[]), CAST(:counts AS text[]),
        CAST(:keys AS text[])
    ) AS n(subject_id, certificate, erased_at, counts, key_ids)
), gone AS (
    DELETE FROM conversations WHERE subject_id = ANY(CAST(:people AS bytea[]))
    RETURNING conversation_ref, sender_index, subject_id
), certified AS (
    INSERT INTO erasures (certificate, subject_id, erased_at, counts, key_ids)
    SELECT certificate, subject_id, erased_at, counts, key_ids FROM listed
), buried AS (
    INSERT INTO tombstones (sender_index, erased_at)
    SELECT gone.sender_index, listed.erased_at FROM gone JOIN listed USING (subject_id)
    ON CONFLICT (sender_index) DO UPDATE SET erased_at = excluded.erased_at
), emptied AS (
    DELETE FROM segments WHERE conversation_ref = ANY(ARRAY(SELECT conversation_ref FROM gone))
), ended AS (
    DELETE FROM sessions WHERE conversation_ref = ANY(ARRAY(SELECT conversation_ref FROM gone))
), codes AS (
    DELETE FROM opt_in_codes WHERE subject_id = ANY(CAST(:people AS bytea[]))
), lasting AS (
    DELETE FROM lasting_values WHERE subject_id = ANY(CAST(:people AS bytea[]))
), linked AS (
    DELETE FROM links WHERE subject_id = ANY(CAST(:people AS bytea[]))
), linked_to AS (
    DELETE FROM links WHERE other_id = ANY(CAST(:people AS bytea[]))
), known AS (
    DELETE FROM known_contacts WHERE subject_id = ANY(CAST(:people AS bytea[]))
), outlived AS (
    INSERT INTO ledger_people (subject_id, mac)
    SELECT subject_id, ledger_mac FROM subjects
    WHERE subject_id = ANY(CAST(:people AS bytea[])) AND ledger_mac IS NOT NULL
    ON CONFLICT DO NOTHING
), handed_over AS (
    DELETE FROM handovers WHERE subject_id = ANY(CAST(:people AS bytea[]))
)
DELETE FROM subjects WHERE subject_id = ANY(CAST(:people AS bytea[]))
""")


def bury_at_once(conn: Connection, done: Mapping[bytes, Erasure]) -> None:
    """Remove people, with a certificate and tombstones for each; their keys were destroyed before.

    Args:
        conn: A connection of `Database.transact`, in which they are locked.
        done: Whom, each with what the certificate says.
    """
    rows = [row_of(each) for each in done.values()]
    values = {
        "people": bytes_array(done),
        "certificates": [row["certificate"] for row in rows],
        "times": [row["erased_at"] for row in rows],
        "counts": [row["counts"] for row in rows],
        "keys": [row["key_ids"] for row in rows],
    }
    conn.execute(_GONE, values)
