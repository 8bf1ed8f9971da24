"""The ids of the data keys that an erasure destroyed, for its certificate.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("erasures")}
    if "key_ids" not in columns:
        op.add_column("erasures", sa.Column("key_ids", sa.Text))
