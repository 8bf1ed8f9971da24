"""A short conversation takes fewer bytes.

The keyed hash of how many records the ledger has of a person stands in the row of the person: a row of its own with an
entry in an index was a twentieth of what PostgreSQL took. `ledger_people` keeps the hashes of people who are gone. Both
numbers go, since whoever checks the hash has read the records. Keyed hashes by which rows are found have 16 bytes, and
data keys no time of their making, which nobody read.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with. What was
moved or cut is not moved or cut again.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_TAKEN = """
UPDATE subjects SET ledger_mac = (SELECT p.mac FROM ledger_people p WHERE p.subject_id = subjects.subject_id)
WHERE ledger_mac IS NULL
"""
_MOVED = """
DELETE FROM ledger_people
WHERE subject_id IN (SELECT s.subject_id FROM subjects s WHERE s.ledger_mac IS NOT NULL)
"""
_CUT = (
    ("conversations", "sender_index"),
    ("tombstones", "sender_index"),
    ("suppressions", "contact_index"),
    ("known_contacts", "contact_index"),
)
_DROPPED = (("ledger_people", "records"), ("ledger_people", "last_seq"), ("data_keys", "created_at"))
_INDEX, _COLUMNS = "data_keys_due_first", ["due_at"]


def _names(table):
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}


def upgrade() -> None:
    if "ledger_mac" not in _names("subjects"):
        op.add_column(
            "subjects", sa.Column("ledger_mac", sa.LargeBinary(32).with_variant(mysql.VARBINARY(32), "mysql"))
        )
    op.execute(_TAKEN)
    op.execute(_MOVED)
    for table, column in _CUT:
        op.execute(f"UPDATE {table} SET {column} = substr({column}, 1, 16) WHERE length({column}) > 16")
    if op.get_context().dialect.name == "sqlite":
        _make_anew()
        return
    for table, column in _DROPPED:
        if column in _names(table):
            op.drop_column(table, column)
    found = {index["name"]: index["column_names"] for index in sa.inspect(op.get_bind()).get_indexes("data_keys")}
    if found.get(_INDEX, _COLUMNS) != _COLUMNS:
        op.drop_index(_INDEX, "data_keys")
    if found.get(_INDEX) != _COLUMNS:
        op.create_index(_INDEX, "data_keys", _COLUMNS)


def _make_anew() -> None:
    """SQLite before 3.35 drops no column; it does a migration in one transaction."""
    columns = {
        "ledger_people": [
            sa.Column("subject_id", sa.LargeBinary(16), primary_key=True),
            sa.Column("mac", sa.LargeBinary(32), nullable=False),
        ],
        "data_keys": [
            sa.Column("subject_id", sa.LargeBinary(16), primary_key=True),
            sa.Column("purpose", sa.String(255), primary_key=True),
            sa.Column("epoch", sa.BigInteger, nullable=False),
            sa.Column("wrapped", sa.LargeBinary, nullable=False),
            sa.Column("due_at", sa.BigInteger),
        ],
    }
    for table, its in columns.items():
        names = ", ".join(column.name for column in its)
        op.create_table(f"{table}_0022", *its, sqlite_with_rowid=False)
        op.execute(f"INSERT INTO {table}_0022 ({names}) SELECT {names} FROM {table}")
        op.drop_table(table)
        op.rename_table(f"{table}_0022", table)
    op.create_index(_INDEX, "data_keys", _COLUMNS)
