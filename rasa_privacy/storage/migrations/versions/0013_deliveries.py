"""What other systems are to be told of an erasure.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if "deliveries" not in sa.inspect(op.get_bind()).get_table_names():
        op.create_table(
            "deliveries",
            sa.Column("delivery_id", sa.LargeBinary(16).with_variant(mysql.VARBINARY(16), "mysql"), primary_key=True),
            sa.Column("system", sa.String(64), nullable=False),
            sa.Column("certificate", sa.String(64), nullable=False),
            sa.Column("sealed", sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql")),
            sa.Column("state", sa.String(16), nullable=False),
            sa.Column("attempts", sa.Integer, nullable=False),
            sa.Column("erased_at", sa.BigInteger, nullable=False),
            sa.Column("next_at", sa.BigInteger, nullable=False),
            sa.Column("answered_at", sa.BigInteger),
        )
    for name, columns in (("deliveries_due", ["state", "next_at"]), ("deliveries_certificate", ["certificate"])):
        if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("deliveries")}:
            op.create_index(name, "deliveries", columns)
