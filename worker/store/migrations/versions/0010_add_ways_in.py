"""Second factor, tokens of programs, second eyes on texts; the audit refuses to be changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.store.append_only import guard_statements, release_statements
from worker.store.types import Key, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_AUDIT = ("by", "action", "subject")


def upgrade() -> None:
    _make_tables()
    with op.batch_alter_table("users") as batch:
        batch.add_column(
            sa.Column("shortcuts", sa.Boolean(), nullable=False, server_default=sa.text("true"))
        )
        batch.add_column(sa.Column("totp_secret", sa.Text(), nullable=False, server_default=""))
        batch.add_column(sa.Column("totp_since", UtcDateTime(), nullable=True))
        batch.add_column(sa.Column("totp_step", Key, nullable=True))
    with op.batch_alter_table("login_sessions") as batch:
        batch.add_column(
            sa.Column("awaits_code", sa.Boolean(), nullable=False, server_default=sa.text("false"))
        )
        batch.add_column(
            sa.Column("agent", sa.String(length=80), nullable=False, server_default="")
        )
    for column in _AUDIT:
        op.create_index(f"ix_audit_{column}", "audit", [column, "id"])
    for statement in guard_statements("audit", op.get_bind().dialect.name):
        op.execute(statement)


def _make_tables() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("id", Key, nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_user_id"), "recovery_codes", ["user_id"])
    op.create_table(
        "api_tokens",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
    )
    op.create_table(
        "text_approvals",
        sa.Column("text_key", sa.String(length=200), nullable=False),
        sa.Column("text_version", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("text_key", "text_version", "by", name=op.f("pk_text_approvals")),
    )


def downgrade() -> None:
    for statement in release_statements("audit", op.get_bind().dialect.name):
        op.execute(statement)
    for column in _AUDIT:
        op.drop_index(f"ix_audit_{column}", table_name="audit")
    with op.batch_alter_table("login_sessions") as batch:
        batch.drop_column("agent")
        batch.drop_column("awaits_code")
    with op.batch_alter_table("users") as batch:
        for column in ("totp_step", "totp_since", "totp_secret", "shortcuts"):
            batch.drop_column(column)
    op.drop_table("text_approvals")
    op.drop_table("api_tokens")
    op.drop_table("recovery_codes")
