"""When values were given that last for some time.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if "lasting_values" not in sa.inspect(op.get_bind()).get_table_names():
        op.create_table(
            "lasting_values",
            sa.Column("subject_id", sa.LargeBinary(16).with_variant(mysql.VARBINARY(16), "mysql"), primary_key=True),
            sa.Column("item", sa.String(255), primary_key=True),
            sa.Column("given_at", sa.BigInteger, nullable=False),
        )
    indexes = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("lasting_values")}
    if "lasting_values_oldest" not in indexes:
        op.create_index("lasting_values_oldest", "lasting_values", ["item", "given_at", "subject_id"])
