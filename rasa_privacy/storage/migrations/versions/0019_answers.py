"""Calls of the API that may be made again, and what was answered.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def _bytes(length: int) -> sa.types.TypeEngine:
    return sa.LargeBinary(length).with_variant(mysql.VARBINARY(length), "mysql")


def upgrade() -> None:
    if "api_answers" not in sa.inspect(op.get_bind()).get_table_names():
        op.create_table(
            "api_answers",
            sa.Column("call_name", _bytes(32), primary_key=True),
            sa.Column("answer_id", _bytes(16), nullable=False),
            sa.Column("said", _bytes(32), nullable=False),
            sa.Column("sealed", sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql")),
            sa.Column("lasts_until", sa.BigInteger, nullable=False),
        )
    if "api_answers_over" not in {each["name"] for each in sa.inspect(op.get_bind()).get_indexes("api_answers")}:
        op.create_index("api_answers_over", "api_answers", ["lasts_until"])
