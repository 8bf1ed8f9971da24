"""Legal holds.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if "holds" not in sa.inspect(op.get_bind()).get_table_names():
        op.create_table(
            "holds",
            sa.Column("subject_id", sa.LargeBinary(16).with_variant(mysql.VARBINARY(16), "mysql"), primary_key=True),
            sa.Column("name", sa.String(64), primary_key=True),
            sa.Column("added_at", sa.BigInteger, nullable=False),
            sa.Column("added_by", sa.String(64), nullable=False),
        )
