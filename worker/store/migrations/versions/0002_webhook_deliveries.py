"""Webhook deliveries that were taken, so that one sent again is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.store.types import Key, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("delivery", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_webhook_deliveries_channel_id_channels")
        ),
        sa.PrimaryKeyConstraint("channel_id", "delivery", name=op.f("pk_webhook_deliveries")),
    )
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_deliveries_at"), ["at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_deliveries_at"))

    op.drop_table("webhook_deliveries")
