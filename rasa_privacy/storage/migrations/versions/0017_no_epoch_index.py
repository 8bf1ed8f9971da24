"""Data keys are not found by their epoch any more: the index took a sixth of their bytes and of a rotation's time.

A killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_INDEX = "data_keys_epoch"


def upgrade() -> None:
    if _INDEX in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("data_keys")}:
        op.drop_index(_INDEX, "data_keys")
