"""Checkpoints of the consent ledger, a keyed hash of each record, and the terms that a notice stood for.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _blob(length):
    return sa.LargeBinary(length).with_variant(mysql.VARBINARY(length), "mysql")


def upgrade() -> None:
    if "checkpoints" not in sa.inspect(op.get_bind()).get_table_names():
        op.create_table(
            "checkpoints",
            sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("seq", sa.BigInteger, nullable=False),
            sa.Column("link", _blob(32), nullable=False),
            sa.Column("at", sa.BigInteger, nullable=False),
            sa.Column("signature", _blob(64), nullable=False),
        )
    if "mac" not in _columns("ledger"):
        op.add_column("ledger", sa.Column("mac", _blob(32)))
    if "terms" not in _columns("notices"):
        op.add_column("notices", sa.Column("terms", sa.Text))


def _columns(table: str) -> set[str]:
    return {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}
