"""The audit log and its checkpoints.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _blob(length):
    return sa.LargeBinary(length).with_variant(mysql.VARBINARY(length), "mysql")


def upgrade() -> None:
    if "audit" not in _tables():
        op.create_table(
            "audit",
            sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("at", sa.BigInteger, nullable=False),
            sa.Column("operator", sa.String(64), nullable=False),
            sa.Column("role", sa.String(64), nullable=False),
            sa.Column("verb", sa.String(32), nullable=False),
            sa.Column("outcome", sa.String(16), nullable=False),
            sa.Column("subject_id", _blob(16)),
            sa.Column("reason", sa.String(255), nullable=False),
            sa.Column("details", sa.Text, nullable=False),
            sa.Column("link", _blob(32), nullable=False),
            sa.Column("mac", _blob(32), nullable=False),
        )
    for name, column in (("audit_subject", "subject_id"), ("audit_at", "at")):
        if name not in {each["name"] for each in sa.inspect(op.get_bind()).get_indexes("audit")}:
            op.create_index(name, "audit", [column])
    if "audit_checkpoints" not in _tables():
        op.create_table(
            "audit_checkpoints",
            sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("seq", sa.BigInteger, nullable=False),
            sa.Column("link", _blob(32), nullable=False),
            sa.Column("at", sa.BigInteger, nullable=False),
            sa.Column("signature", _blob(64), nullable=False),
        )


def _tables() -> set[str]:
    return set(sa.inspect(op.get_bind()).get_table_names())
