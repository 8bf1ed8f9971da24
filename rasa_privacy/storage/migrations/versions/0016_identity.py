"""Who has proven to be whom, by which contacts people are found, and links for collecting a copy.

Each step looks whether it was done: MariaDB commits after each statement, so a killed upgrade is gone on with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def _blob(length):
    return sa.LargeBinary(length).with_variant(mysql.VARBINARY(length), "mysql")


def _person(name, **more):
    return sa.Column(name, _blob(16), sa.ForeignKey("subjects.subject_id", ondelete="CASCADE"), **more)


def upgrade() -> None:
    known = sa.inspect(op.get_bind()).get_table_names()
    if "links" not in known:
        op.create_table(
            "links",
            _person("subject_id", primary_key=True),
            _person("other_id", primary_key=True),
            sa.Column("linked_at", sa.BigInteger, nullable=False),
            sa.Column("mac", _blob(32), nullable=False),
            sa.Index("links_other", "other_id"),
        )
    if "known_contacts" not in known:
        op.create_table(
            "known_contacts",
            _person("subject_id", primary_key=True),
            sa.Column("contact_index", _blob(32), primary_key=True),
            sa.Column("purpose", sa.String(255), primary_key=True),
            sa.Column("item", sa.String(255), primary_key=True),
            sa.Index("known_contacts_contact", "contact_index"),
        )
    if "handovers" not in known:
        op.create_table(
            "handovers",
            sa.Column("token_hash", _blob(32), primary_key=True),
            _person("subject_id", nullable=False),
            sa.Column("expires_at", sa.BigInteger, nullable=False),
            sa.Column("used_at", sa.BigInteger),
            sa.Index("handovers_subject", "subject_id"),
            sa.Index("handovers_expire", "expires_at"),
        )
