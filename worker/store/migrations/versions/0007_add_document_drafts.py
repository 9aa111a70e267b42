"""Shop documents that somebody is still writing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.store.types import Json, Key, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document_drafts",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("parts", Json, nullable=False),
        sa.Column("based_on", Json, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_drafts")),
        sa.UniqueConstraint("name", name=op.f("uq_document_drafts_name")),
    )


def downgrade() -> None:
    op.drop_table("document_drafts")
