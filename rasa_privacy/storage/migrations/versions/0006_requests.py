"""What people ask for, with the steps of each request.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _blob(length):
    return sa.LargeBinary(length).with_variant(mysql.VARBINARY(length), "mysql")


def upgrade() -> None:
    if "requests" not in sa.inspect(op.get_bind()).get_table_names():
        op.create_table(
            "requests",
            sa.Column("number", sa.String(64), primary_key=True),
            sa.Column("kind", sa.String(32), nullable=False),
            sa.Column("subject_id", _blob(16)),
            sa.Column("regulation", sa.String(64), nullable=False),
            sa.Column("state", sa.String(16), nullable=False),
            sa.Column("owner", sa.String(255)),
            sa.Column("opened_at", sa.BigInteger, nullable=False),
            sa.Column("answer_by", sa.BigInteger, nullable=False),
            sa.Column("acknowledge_by", sa.BigInteger),
            sa.Column("paused_at", sa.BigInteger),
            sa.Column("extended_at", sa.BigInteger),
            sa.Column("closed_at", sa.BigInteger),
            sa.Column("reason", sa.String(32)),
            sa.Column("certificate", sa.String(64)),
        )
    _index("requests", "requests_subject", ["subject_id"])
    _index("requests", "requests_open", ["closed_at", "answer_by"])
    if "request_steps" not in sa.inspect(op.get_bind()).get_table_names():
        op.create_table(
            "request_steps",
            sa.Column("number", sa.String(64), primary_key=True),
            sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("at", sa.BigInteger, nullable=False),
            sa.Column("step", sa.String(32), nullable=False),
            sa.Column("actor", sa.String(255), nullable=False),
            sa.Column("reason", sa.String(32)),
        )


def _index(table, name, columns) -> None:
    if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns)
