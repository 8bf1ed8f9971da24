"""Leases, and an index in which the keys that are due stand in one order.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _blob(length):
    return sa.LargeBinary(length).with_variant(mysql.VARBINARY(length), "mysql")


def upgrade() -> None:
    if "leases" not in sa.inspect(op.get_bind()).get_table_names():
        op.create_table(
            "leases",
            sa.Column("name", sa.String(64), primary_key=True),
            sa.Column("holder", _blob(16), nullable=False),
            sa.Column("until", sa.BigInteger, nullable=False),
        )
    there = {index["name"]: index["column_names"] for index in sa.inspect(op.get_bind()).get_indexes("data_keys")}
    if "data_keys_due_first" not in there:
        op.create_index("data_keys_due_first", "data_keys", ["due_at", "subject_id", "purpose"])
    if "data_keys_due" in there:
        op.drop_index("data_keys_due", "data_keys")
