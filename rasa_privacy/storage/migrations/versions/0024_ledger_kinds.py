"""A record of the consent ledger takes half the bytes.

What records say beside who and when stands once, in `ledger_kinds`. No record has a link any more but those that have
one now: who follows the chain computes the others, whose keyed hash does not need one. Numbers come first in a row, as
PostgreSQL fills up to a multiple of 8 bytes before each. Of keyed hashes the first 16 bytes stay.

Tables are made anew under another name. The old one is renamed first, so that no server of an older release writes
into it meanwhile, and dropped when the new one is full. Each step looks whether it was done: MariaDB commits after each
statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_OLD, _NEW = "ledger_0023", "ledger_0024"
_KINDS = "ledger_kinds"
_WORDS = ("purpose", "event", "notice_hash", "language", "method", "channel")
_SAID = ", ".join(_WORDS)
_ADD_KINDS = f"""
INSERT INTO {_KINDS} (kind, {_SAID})
SELECT row_number() OVER (ORDER BY first_seq), {_SAID}
FROM (SELECT min(seq) AS first_seq, {_SAID} FROM {_OLD} GROUP BY {_SAID}) AS said
"""
_ADD_RECORDS = f"""
INSERT INTO {_NEW} (seq, at, kind, subject_id, mac, link)
SELECT o.seq, o.at, k.kind, o.subject_id, substr(o.mac, 1, 16), o.link
FROM {_OLD} o JOIN {_KINDS} k ON {" AND ".join(f"k.{name} = o.{name}" for name in _WORDS)}
"""
_PEOPLE = ("subjects", "subjects_0023", ("created_at", "subject_id", "ledger_mac"))


def _bytes(length):
    return sa.LargeBinary(length).with_variant(mysql.VARBINARY(length), "mysql")


def _tables():
    return set(sa.inspect(op.get_bind()).get_table_names())


def _indexes(table):
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}


def upgrade() -> None:
    if "ledger" in _tables() and "purpose" in {each["name"] for each in sa.inspect(op.get_bind()).get_columns("ledger")}:
        op.rename_table("ledger", _OLD)
    if _KINDS not in _tables():
        op.create_table(
            _KINDS,
            sa.Column("kind", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("purpose", sa.String(255), nullable=False),
            sa.Column("event", sa.String(32), nullable=False),
            sa.Column("notice_hash", _bytes(32), nullable=False),
            sa.Column("language", sa.String(35), nullable=False),
            sa.Column("method", sa.String(64), nullable=False),
            sa.Column("channel", sa.String(64), nullable=False),
        )
    if "ledger_kinds_notice" not in _indexes(_KINDS):
        op.create_index("ledger_kinds_notice", _KINDS, ["notice_hash"])
    if _OLD in _tables():
        _fill()
    if _NEW in _tables():
        op.rename_table(_NEW, "ledger")
    if "ledger_subject" not in _indexes("ledger"):
        op.create_index("ledger_subject", "ledger", ["subject_id"])
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"ALTER INDEX IF EXISTS {_NEW}_pkey RENAME TO ledger_pkey")
        _put_numbers_first()


def _fill() -> None:
    """Write the new ledger from the old one, and drop that; what an interrupted upgrade wrote is written again."""
    if _NEW in _tables():
        op.drop_table(_NEW)
    op.execute(f"DELETE FROM {_KINDS}")
    op.execute(_ADD_KINDS)
    op.create_table(
        _NEW,
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("subject_id", _bytes(16), nullable=False),
        sa.Column("mac", _bytes(32)),
        sa.Column("link", _bytes(32)),
    )
    op.execute(_ADD_RECORDS)
    op.drop_table(_OLD)


def _put_numbers_first() -> None:
    """Do the same for the row of a person, which takes 8 bytes less; the other databases fill nothing up."""
    table, old, names = _PEOPLE
    op.rename_table(table, old)
    op.create_table(
        table,
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("subject_id", sa.LargeBinary(16), nullable=False),
        sa.Column("ledger_mac", sa.LargeBinary(32)),
    )
    listed = ", ".join(names)
    op.execute(f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {old}")
    op.drop_table(old)
    op.create_primary_key(f"{table}_pkey", table, ["subject_id"])
