"""What another system sent while Okaeri rehearsed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.store.types import BinaryText, Key, UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hub_mails",
        sa.Column("id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("number", BinaryText, nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_hub_mails_channel_id_channels")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_mails")),
        sa.UniqueConstraint(
            "channel_id", "kind", "number", name=op.f("uq_hub_mails_channel_id_kind_number")
        ),
    )


def downgrade() -> None:
    op.drop_table("hub_mails")
