"""What came by OpenDSR, and who was told of which state.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if "dsr_requests" not in sa.inspect(op.get_bind()).get_table_names():
        op.create_table(
            "dsr_requests",
            sa.Column("dsr_id", sa.LargeBinary(16).with_variant(mysql.VARBINARY(16), "mysql"), primary_key=True),
            sa.Column("kind", sa.String(16), nullable=False),
            sa.Column("number", sa.String(64), nullable=False),
            sa.Column("is_first", sa.Integer, nullable=False),
            sa.Column("callbacks", sa.Text, nullable=False),
            sa.Column("told", sa.String(16), nullable=False),
            sa.Column("attempts", sa.Integer, nullable=False),
            sa.Column("received_at", sa.BigInteger, nullable=False),
            sa.Column("next_at", sa.BigInteger),
        )
    if "dsr_requests_next" not in {each["name"] for each in sa.inspect(op.get_bind()).get_indexes("dsr_requests")}:
        op.create_index("dsr_requests_next", "dsr_requests", ["next_at"])
