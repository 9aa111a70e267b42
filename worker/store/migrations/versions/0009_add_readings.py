"""Who has which mail open at the desk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.store.types import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "readings",
        sa.Column("message_id", sa.String(length=26), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_readings_message_id_messages"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_readings")),
    )
    op.create_index(op.f("ix_readings_by"), "readings", ["by"])


def downgrade() -> None:
    op.drop_index(op.f("ix_readings_by"), table_name="readings")
    op.drop_table("readings")
