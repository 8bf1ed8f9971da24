"""The sealed contact of a one-time code, and to which contacts codes went lately.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _blob(length=None):
    return sa.LargeBinary(length).with_variant(mysql.VARBINARY(length) if length else mysql.LONGBLOB(), "mysql")


def upgrade() -> None:
    known = sa.inspect(op.get_bind())
    if "contact" not in {each["name"] for each in known.get_columns("opt_in_codes")}:
        op.add_column("opt_in_codes", sa.Column("contact", _blob()))
    if "code_mails" not in known.get_table_names():
        op.create_table(
            "code_mails",
            sa.Column("mail_id", _blob(16), primary_key=True),
            sa.Column("contact_index", _blob(32), nullable=False),
            sa.Column("sent_at", sa.BigInteger, nullable=False),
            sa.Index("code_mails_contact", "contact_index"),
        )
