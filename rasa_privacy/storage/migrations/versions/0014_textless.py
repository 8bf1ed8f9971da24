"""Up to which version a conversation holds no texts, so that none is opened each day to see that.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("conversations")}
    if "textless" not in columns:
        op.add_column("conversations", sa.Column("textless", sa.BigInteger))
