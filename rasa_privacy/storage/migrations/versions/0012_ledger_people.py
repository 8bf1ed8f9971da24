"""How many records the consent ledger has of each person; `ConsentLedger.prepare` fills it in.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _blob(length):
    return sa.LargeBinary(length).with_variant(mysql.VARBINARY(length), "mysql")


def upgrade() -> None:
    if "ledger_people" not in sa.inspect(op.get_bind()).get_table_names():
        op.create_table(
            "ledger_people",
            sa.Column("subject_id", _blob(16), primary_key=True),
            sa.Column("records", sa.BigInteger, nullable=False),
            sa.Column("last_seq", sa.BigInteger, nullable=False),
            sa.Column("mac", _blob(32), nullable=False),
        )
