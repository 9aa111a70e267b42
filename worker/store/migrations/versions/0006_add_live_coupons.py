"""Coupon codes that are made at the shop when they are needed, and how far the shop is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.store.types import Json, Key, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_UNTOLD = "confirmed_at IS NOT NULL AND told_at IS NULL"


def upgrade() -> None:
    op.create_table(
        "coupon_sources",
        sa.Column("pool_id", Key, nullable=False),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("valid_days", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("bound", sa.Boolean(), nullable=False),
        sa.Column("from_documents", sa.Boolean(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try_at", UtcDateTime(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pool_id"], ["coupon_pools.id"], name=op.f("fk_coupon_sources_pool_id_coupon_pools")
        ),
        sa.PrimaryKeyConstraint("pool_id", name=op.f("pk_coupon_sources")),
    )
    op.create_table(
        "coupon_makings",
        sa.Column("code_id", Key, nullable=False),
        sa.Column("pool_id", Key, nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("terms", Json, nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=True),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.Column("end_wanted_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["code_id"], ["coupon_codes.id"], name=op.f("fk_coupon_makings_code_id_coupon_codes")
        ),
        sa.ForeignKeyConstraint(
            ["pool_id"],
            ["coupon_sources.pool_id"],
            name=op.f("fk_coupon_makings_pool_id_coupon_sources"),
        ),
        sa.PrimaryKeyConstraint("code_id", name=op.f("pk_coupon_makings")),
    )
    with op.batch_alter_table("coupon_makings", schema=None) as batch_op:
        batch_op.create_index(
            "ix_coupon_makings_due_at",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_coupon_makings_pool_id", ["pool_id", "confirmed_at"], unique=False
        )
        batch_op.create_index(
            "ix_coupon_makings_untold",
            ["code_id"],
            unique=False,
            sqlite_where=sa.text(_UNTOLD),
            postgresql_where=sa.text(_UNTOLD),
        )


def downgrade() -> None:
    with op.batch_alter_table("coupon_makings", schema=None) as batch_op:
        batch_op.drop_index("ix_coupon_makings_untold")
        batch_op.drop_index("ix_coupon_makings_pool_id")
        batch_op.drop_index("ix_coupon_makings_due_at")

    op.drop_table("coupon_makings")
    op.drop_table("coupon_sources")
