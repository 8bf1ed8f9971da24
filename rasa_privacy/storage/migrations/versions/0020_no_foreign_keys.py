"""On PostgreSQL no foreign keys: it looked seven times for rows that name each person who is removed.

What they did is done by the lock on the person, by the statements of a removal, and by `check --database` (ADR 23).
Where two run it, or it is run again, nothing is left to drop.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_TABLES = ("segments", "sessions", "conversations", "links", "known_contacts", "handovers")


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    there = sa.inspect(op.get_bind())
    for table in _TABLES:
        for key in there.get_foreign_keys(table):
            op.drop_constraint(key["name"], table, type_="foreignkey")
