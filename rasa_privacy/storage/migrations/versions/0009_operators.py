"""Operators, and what they have learned.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _blob(length):
    return sa.LargeBinary(length).with_variant(mysql.VARBINARY(length), "mysql")


def upgrade() -> None:
    if "operators" not in _tables():
        op.create_table(
            "operators",
            sa.Column("name", sa.String(64), primary_key=True),
            sa.Column("roles", sa.Text, nullable=False),
            sa.Column("token_hash", sa.String(255), nullable=False),
            sa.Column("created_at", sa.BigInteger, nullable=False),
            sa.Column("expires_at", sa.BigInteger, nullable=False),
            sa.Column("revoked_at", sa.BigInteger),
            sa.Column("mac", _blob(32), nullable=False),
            sa.Column("failures", sa.Integer, nullable=False),
            sa.Column("locked_until", sa.BigInteger),
        )
    if "attestations" not in _tables():
        op.create_table(
            "attestations",
            sa.Column(
                "attestation",
                sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
                primary_key=True,
            ),
            sa.Column("operator", sa.String(64), nullable=False),
            sa.Column("course", sa.String(64), nullable=False),
            sa.Column("at", sa.BigInteger, nullable=False),
            sa.Column("asked", sa.Integer, nullable=False),
            sa.Column("correct", sa.Integer, nullable=False),
            sa.Column("passed", sa.Integer, nullable=False),
            sa.Column("mac", _blob(32), nullable=False),
        )
    if "attestations_operator" not in {each["name"] for each in sa.inspect(op.get_bind()).get_indexes("attestations")}:
        op.create_index("attestations_operator", "attestations", ["operator", "at"])


def _tables() -> set[str]:
    return set(sa.inspect(op.get_bind()).get_table_names())
