"""Logins at marketplaces that were begun in a browser, so that each state works once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.store.types import Key, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "browser_logins",
        sa.Column("id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("session_id", Key, nullable=True),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_browser_logins_channel_id_channels")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_browser_logins")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_browser_logins_state_hash")),
    )
    with op.batch_alter_table("browser_logins", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_browser_logins_expires_at"), ["expires_at"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("browser_logins", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_browser_logins_expires_at"))

    op.drop_table("browser_logins")
