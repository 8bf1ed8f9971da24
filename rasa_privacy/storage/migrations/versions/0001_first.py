"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_counter = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _blob(length=None):
    return sa.LargeBinary(length).with_variant(mysql.VARBINARY(length) if length else mysql.LONGBLOB(), "mysql")


def upgrade() -> None:
    op.create_table(
        "meta", sa.Column("name", sa.String(64), primary_key=True), sa.Column("value", _blob(), nullable=False)
    )
    op.create_table(
        "system_keys", sa.Column("name", sa.String(64), primary_key=True), sa.Column("wrapped", _blob(), nullable=False)
    )
    op.create_table(
        "subjects",
        sa.Column("subject_id", _blob(16), primary_key=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "data_keys",
        sa.Column("subject_id", _blob(16), sa.ForeignKey("subjects.subject_id"), primary_key=True),
        sa.Column("purpose", sa.String(255), primary_key=True),
        sa.Column("wrapped", _blob(), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
    )
    op.create_index("data_keys_due", "data_keys", ["due_at"])
    op.create_table(
        "conversations",
        sa.Column("conversation_ref", _counter, primary_key=True),
        sa.Column("conversation_id", _blob(16), nullable=False),
        sa.Column("subject_id", _blob(16), sa.ForeignKey("subjects.subject_id"), nullable=False),
        sa.Column("sender_index", _blob(32), nullable=False),
        sa.Column("sealed_sender", _blob(), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("session", sa.BigInteger, nullable=False),
        sa.Column("manifest", _blob()),
    )
    op.create_index("conversations_sender", "conversations", ["sender_index"], unique=True)
    op.create_index("conversations_subject", "conversations", ["subject_id"])
    op.create_table(
        "sessions",
        sa.Column(
            "conversation_ref", sa.BigInteger, sa.ForeignKey("conversations.conversation_ref"), primary_key=True
        ),
        sa.Column("session", sa.BigInteger, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("manifest", _blob(), nullable=False),
    )
    op.create_table(
        "segments",
        sa.Column("segment_id", _counter, primary_key=True),
        sa.Column(
            "conversation_ref", sa.BigInteger, sa.ForeignKey("conversations.conversation_ref"), nullable=False
        ),
        sa.Column("session", sa.BigInteger, nullable=False),
        sa.Column("purpose", sa.String(255), nullable=False),
        sa.Column("sealed", _blob(), nullable=False),
    )
    op.create_index("segments_session", "segments", ["conversation_ref", "session"])
    op.create_table(
        "ledger",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("subject_id", _blob(16), nullable=False),
        sa.Column("purpose", sa.String(255), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("notice_hash", _blob(32), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("method", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("link", _blob(32), nullable=False),
    )
    op.create_index("ledger_subject", "ledger", ["subject_id"])
    op.create_table(
        "notices",
        sa.Column("hash", _blob(32), primary_key=True),
        sa.Column("notice_id", sa.String(255), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "erasures",
        sa.Column("certificate", sa.String(64), primary_key=True),
        sa.Column("subject_id", _blob(16), nullable=False),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
    )
    op.create_index("erasures_subject", "erasures", ["subject_id"])
    op.create_table(
        "tombstones",
        sa.Column("sender_index", _blob(32), primary_key=True),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
    )
