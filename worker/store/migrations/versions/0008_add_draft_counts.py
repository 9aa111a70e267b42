"""What publishing the drafts of settings would change, counted once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.store.types import Json, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "draft_counts",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("figures", Json, nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_draft_counts")),
    )


def downgrade() -> None:
    op.drop_table("draft_counts")
