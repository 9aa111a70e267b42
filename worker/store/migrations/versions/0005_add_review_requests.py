"""Review requests that a marketplace sends itself, one row for an order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.store.types import BinaryText, Json, Key, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "solicitations",
        sa.Column("id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("external_id", BinaryText, nullable=False),
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("opens_at", UtcDateTime(), nullable=False),
        sa.Column("closes_at", UtcDateTime(), nullable=False),
        sa.Column("looked_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("sending_since", UtcDateTime(), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("history", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_solicitations_channel_id_channels")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_solicitations")),
        sa.UniqueConstraint(
            "channel_id", "external_id", name=op.f("uq_solicitations_channel_id_external_id")
        ),
    )
    with op.batch_alter_table("solicitations", schema=None) as batch_op:
        batch_op.create_index("ix_solicitations_closes_at", ["closes_at"], unique=False)
        batch_op.create_index(
            "ix_solicitations_state_opens_at", ["state", "opens_at"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("solicitations", schema=None) as batch_op:
        batch_op.drop_index("ix_solicitations_state_opens_at")
        batch_op.drop_index("ix_solicitations_closes_at")

    op.drop_table("solicitations")
