"""On SQLite five tables are kept in the order of their key, which took a second tree for each before.

SQLite does a migration in one transaction, so it is done wholly or not at all. The other databases have nothing to do:
MariaDB keeps every table so, and PostgreSQL none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def _person():
    return sa.ForeignKey("subjects.subject_id", ondelete="CASCADE")


def _columns():
    """Return the columns of each table; a column belongs to one table, so they are made anew."""
    return {
        "data_keys": [
            sa.Column("subject_id", sa.LargeBinary(16), primary_key=True),
            sa.Column("purpose", sa.String(255), primary_key=True),
            sa.Column("epoch", sa.BigInteger, nullable=False),
            sa.Column("wrapped", sa.LargeBinary, nullable=False),
            sa.Column("created_at", sa.BigInteger, nullable=False),
            sa.Column("due_at", sa.BigInteger),
        ],
        "ledger_people": [
            sa.Column("subject_id", sa.LargeBinary(16), primary_key=True),
            sa.Column("records", sa.BigInteger, nullable=False),
            sa.Column("last_seq", sa.BigInteger, nullable=False),
            sa.Column("mac", sa.LargeBinary(32), nullable=False),
        ],
        "known_contacts": [
            sa.Column("subject_id", sa.LargeBinary(16), _person(), primary_key=True),
            sa.Column("contact_index", sa.LargeBinary(32), primary_key=True),
            sa.Column("purpose", sa.String(255), primary_key=True),
            sa.Column("item", sa.String(255), primary_key=True),
        ],
        "lasting_values": [
            sa.Column("subject_id", sa.LargeBinary(16), primary_key=True),
            sa.Column("item", sa.String(255), primary_key=True),
            sa.Column("given_at", sa.BigInteger, nullable=False),
        ],
        "tombstones": [
            sa.Column("sender_index", sa.LargeBinary(32), primary_key=True),
            sa.Column("erased_at", sa.BigInteger, nullable=False),
        ],
    }


_INDEXES = (
    ("data_keys_due_first", "data_keys", ["due_at", "subject_id", "purpose"]),
    ("known_contacts_contact", "known_contacts", ["contact_index"]),
    ("lasting_values_oldest", "lasting_values", ["item", "given_at", "subject_id"]),
)


def upgrade() -> None:
    if op.get_context().dialect.name != "sqlite":
        return
    for table, columns in _columns().items():
        names = ", ".join(column.name for column in columns)
        op.create_table(f"{table}_0021", *columns, sqlite_with_rowid=False)
        op.execute(f"INSERT INTO {table}_0021 ({names}) SELECT {names} FROM {table}")
        op.drop_table(table)
        op.rename_table(f"{table}_0021", table)
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)
