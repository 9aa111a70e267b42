"""Figures of the reports are kept, and a card knows that it was printed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.store.types import Json, UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_counts",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_report_counts")),
    )
    with op.batch_alter_table("packing_items") as batch:
        batch.add_column(sa.Column("printed_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("packing_items") as batch:
        batch.drop_column("printed_at")
    op.drop_table("report_counts")
