"""Suppressions, and one-time codes of double opt-in.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _blob(length=None):
    return sa.LargeBinary(length).with_variant(mysql.VARBINARY(length) if length else mysql.LONGBLOB(), "mysql")


def upgrade() -> None:
    if "suppressions" not in _tables():
        op.create_table(
            "suppressions",
            sa.Column("contact_index", _blob(32), primary_key=True),
            sa.Column("reason", sa.String(32), nullable=False),
            sa.Column("at", sa.BigInteger, nullable=False),
        )
    if "opt_in_codes" not in _tables():
        op.create_table(
            "opt_in_codes",
            sa.Column("subject_id", _blob(16), primary_key=True),
            sa.Column("purpose", sa.String(255), primary_key=True),
            sa.Column("code_hash", _blob(32), nullable=False),
            sa.Column("expires_at", sa.BigInteger, nullable=False),
            sa.Column("attempts", sa.Integer, nullable=False),
        )


def _tables() -> set[str]:
    return set(sa.inspect(op.get_bind()).get_table_names())
