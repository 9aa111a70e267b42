"""Drafts over the shop documents, and what publishing them would change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.store.types import Json, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document_drafts",
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("base_sha256", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_document_drafts")),
    )
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
    op.drop_table("document_drafts")
