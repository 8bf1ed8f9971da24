"""Epochs of key-encryption keys; data keys name theirs and hang on no subject; a table for the erasure journal.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NEW = "data_keys_0002"


def _blob(length=None):
    return sa.LargeBinary(length).with_variant(mysql.VARBINARY(length) if length else mysql.LONGBLOB(), "mysql")


def upgrade() -> None:
    _epochs()
    _data_keys()
    if "erasure_journal" not in _tables():
        op.create_table(
            "erasure_journal",
            sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("entry", _blob(), nullable=False),
            sa.Column("link", _blob(32), nullable=False),
        )


def _tables() -> set[str]:
    return set(sa.inspect(op.get_bind()).get_table_names())


def _epochs() -> None:
    if "epochs" not in _tables():
        op.create_table(
            "epochs",
            sa.Column("epoch", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("fingerprint", _blob(32), nullable=False),
            sa.Column("state", sa.String(16), nullable=False),
            sa.Column("created_at", sa.BigInteger, nullable=False),
            sa.Column("ended_at", sa.BigInteger),
        )
    # A database of schema 0001 has one epoch, whose fingerprint stood in `meta`.
    bind = op.get_bind()
    if bind.execute(sa.text("SELECT COUNT(*) FROM epochs")).scalar() == 0:
        op.execute(
            "INSERT INTO epochs (epoch, fingerprint, state, created_at, ended_at) "
            "SELECT 1, value, 'active', 0, NULL FROM meta WHERE name = 'kek_fingerprint'"
        )
    op.execute("DELETE FROM meta WHERE name = 'kek_fingerprint'")


def _data_keys() -> None:
    if "epoch" not in _columns("data_keys"):
        if "data_keys" in _tables():
            if _NEW in _tables():
                op.drop_table(_NEW)
            _create(_NEW)
            op.execute(
                f"INSERT INTO {_NEW} (subject_id, purpose, epoch, wrapped, created_at, due_at) "
                "SELECT subject_id, purpose, 1, wrapped, created_at, due_at FROM data_keys"
            )
            op.drop_table("data_keys")
        op.rename_table(_NEW, "data_keys")
    indexes = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("data_keys")}
    if "data_keys_due" not in indexes:
        op.create_index("data_keys_due", "data_keys", ["due_at"])
    if "data_keys_epoch" not in indexes:
        op.create_index("data_keys_epoch", "data_keys", ["epoch", "subject_id"])


def _columns(table: str) -> set[str]:
    if table not in _tables():
        return set()
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}


def _create(table: str) -> None:
    op.create_table(
        table,
        sa.Column("subject_id", _blob(16), primary_key=True),
        sa.Column("purpose", sa.String(255), primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("wrapped", _blob(), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
    )
