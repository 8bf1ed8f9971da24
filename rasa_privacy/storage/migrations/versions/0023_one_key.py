"""A short conversation takes fewer bytes: segments are found by one key, and numbers of a conversation have 4 bytes.

The key of a segment is its conversation, its session and its place in that, instead of a number of its own and an index
of the other two; MariaDB then keeps the segments of a session together. PostgreSQL has the columns of a row in the
order in which they were made, each number at a multiple of its length; so there two more tables are made anew, with
their numbers first. `textless` is 0 where nobody has looked, since an empty column costs more. Keyed hashes by which
rows are found have 15 bytes, since with their length they take 16 then.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

#: In the order in which they were inserted; a session has few segments.
_PLACE = """
SELECT COUNT(*) FROM segments b
WHERE b.conversation_ref = a.conversation_ref AND b.session = a.session AND b.segment_id <= a.segment_id
"""
_CUT = (
    ("conversations", "sender_index"),
    ("tombstones", "sender_index"),
    ("suppressions", "contact_index"),
    ("known_contacts", "contact_index"),
)
_COUNTER = "conversations_conversation_ref_seq"


def upgrade() -> None:
    dialect = op.get_context().dialect.name
    for table, column in _CUT:
        op.execute(f"UPDATE {table} SET {column} = substr({column}, 1, 15) WHERE length({column}) > 15")
    if "number" not in _names("segments"):
        _make_anew("segments", _segments(dialect), {"number": f"({_PLACE})"})
    if dialect == "postgresql":
        _order_columns()
    elif dialect == "mysql":
        op.execute("UPDATE conversations SET textless = 0 WHERE textless IS NULL")
        for name, nullable in (("version", False), ("session", False), ("textless", True)):
            op.alter_column(
                "conversations", name, existing_type=sa.BigInteger(), type_=sa.Integer(), existing_nullable=nullable
            )


def _make_anew(table, columns, values):
    """Put a table with these columns in the place of an old one, if that is still there."""
    new = f"{table}_0023"
    if _names(table):
        if _names(new):
            op.drop_table(new)
        op.create_table(new, *columns)
        names = [column.name for column in columns]
        found = ", ".join(values.get(name, f"a.{name}") for name in names)
        op.execute(f"INSERT INTO {new} ({', '.join(names)}) SELECT {found} FROM {table} a")
        if table == "conversations":
            op.execute(f"ALTER TABLE {new} ALTER COLUMN conversation_ref SET DEFAULT nextval('{_COUNTER}')")
            op.execute(f"ALTER SEQUENCE {_COUNTER} OWNED BY {new}.conversation_ref")
        op.drop_table(table)
    op.rename_table(new, table)


def _segments(dialect):
    # PostgreSQL has no foreign keys since 0020.
    parent = () if dialect == "postgresql" else (sa.ForeignKey("conversations.conversation_ref"),)
    number = sa.Integer().with_variant(sa.BigInteger(), "sqlite")
    return [
        sa.Column("conversation_ref", sa.BigInteger, *parent, primary_key=True, autoincrement=False),
        sa.Column("session", number, primary_key=True, autoincrement=False),
        sa.Column("number", number, primary_key=True, autoincrement=False),
        sa.Column("purpose", sa.String(255), nullable=False),
        sa.Column("sealed", sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql"), nullable=False),
    ]


def _order_columns():
    data_keys = [
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("subject_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("purpose", sa.String(255), primary_key=True),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    ]
    conversations = [
        sa.Column("conversation_ref", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("session", sa.Integer, nullable=False),
        sa.Column("textless", sa.Integer),
        sa.Column("conversation_id", sa.LargeBinary(16), nullable=False),
        sa.Column("subject_id", sa.LargeBinary(16), nullable=False),
        sa.Column("sender_index", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed_sender", sa.LargeBinary, nullable=False),
        sa.Column("manifest", sa.LargeBinary),
    ]
    _make_anew("data_keys", data_keys, {})
    op.create_index("data_keys_due_first", "data_keys", ["due_at"])
    _make_anew("conversations", conversations, {"textless": "COALESCE(a.textless, 0)"})
    op.create_index("conversations_sender", "conversations", ["sender_index"], unique=True)
    op.create_index("conversations_subject", "conversations", ["subject_id"])


def _names(table):
    """Return the columns of a table; none where there is no such table."""
    there = sa.inspect(op.get_bind())
    return {column["name"] for column in there.get_columns(table)} if there.has_table(table) else set()
