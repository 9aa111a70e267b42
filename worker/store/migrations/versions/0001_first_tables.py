"""The first tables: channels, orders, customers, messages, rewards and the running of it all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text  # noqa: F401 - named by JSONB columns
from sqlalchemy.dialects import postgresql  # noqa: F401

from worker.store.types import BinaryText, Json, Key, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", Key, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("detail", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)

    op.create_table(
        "channels",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", BinaryText, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("family", sa.String(length=16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("settings", Json, nullable=False),
        sa.Column("secrets", Json, nullable=False),
        sa.Column("history_complete_since", sa.Date(), nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("pause_reason", sa.Text(), nullable=False),
        sa.Column("next_poll_at", UtcDateTime(), nullable=True),
        sa.Column("last_success_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
        sa.UniqueConstraint("name", name=op.f("uq_channels_name")),
    )
    with op.batch_alter_table("channels", schema=None) as batch_op:
        batch_op.create_index("ix_channels_next_poll_at", ["next_poll_at"], unique=False)

    op.create_table(
        "customers",
        sa.Column("id", Key, nullable=False),
        sa.Column("merged_into", Key, nullable=True),
        sa.Column("identity_unsure", sa.Boolean(), nullable=False),
        sa.Column("rank_due", sa.Boolean(), nullable=False),
        sa.Column("plan_due", sa.Boolean(), nullable=False),
        sa.Column("erased_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merged_into"], ["customers.id"], name=op.f("fk_customers_merged_into_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
    )
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customers_merged_into"), ["merged_into"], unique=False)
        batch_op.create_index(
            "ix_customers_plan_due",
            ["id"],
            unique=False,
            sqlite_where=sa.text("plan_due"),
            postgresql_where=sa.text("plan_due"),
        )
        batch_op.create_index(
            "ix_customers_rank_due",
            ["id"],
            unique=False,
            sqlite_where=sa.text("rank_due"),
            postgresql_where=sa.text("rank_due"),
        )

    op.create_table(
        "daily_runs",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_daily_runs")),
    )
    op.create_table(
        "document_versions",
        sa.Column("id", Key, nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("author", sa.String(length=80), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_versions")),
    )
    with op.batch_alter_table("document_versions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_document_versions_path"), ["path"], unique=False)

    op.create_table(
        "instance",
        sa.Column("id", Key, nullable=False),
        sa.Column("instance_id", sa.String(length=40), nullable=False),
        sa.Column("journal_sequence", Key, nullable=False),
        sa.Column("mode", sa.String(length=24), nullable=False),
        sa.Column("locked_reason", sa.Text(), nullable=False),
        sa.Column("armed_at", UtcDateTime(), nullable=True),
        sa.Column("armed_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
    )
    op.create_table(
        "ladder_versions",
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_ladder_versions")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("token", Key, nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "login_attempts",
        sa.Column("id", Key, nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempts")),
    )
    with op.batch_alter_table("login_attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_attempts_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_attempts_who"), ["who"], unique=False)

    op.create_table(
        "rank_bases",
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("reach", sa.Date(), nullable=True),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_rank_bases")),
    )
    op.create_table(
        "releases",
        sa.Column("id", Key, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
    )
    op.create_table(
        "staff_tasks",
        sa.Column("id", Key, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("detail", Json, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("done_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_tasks")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_staff_tasks_kind_subject")),
    )
    op.create_table(
        "users",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_table(
        "candidates",
        sa.Column("id", Key, nullable=False),
        sa.Column("customer_a", Key, nullable=False),
        sa.Column("customer_b", Key, nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("blocking", sa.Boolean(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_a"], ["customers.id"], name=op.f("fk_candidates_customer_a_customers")
        ),
        sa.ForeignKeyConstraint(
            ["customer_b"], ["customers.id"], name=op.f("fk_candidates_customer_b_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidates")),
        sa.UniqueConstraint(
            "customer_a", "customer_b", name=op.f("uq_candidates_customer_a_customer_b")
        ),
    )
    with op.batch_alter_table("candidates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_candidates_customer_a"), ["customer_a"], unique=False)
        batch_op.create_index(batch_op.f("ix_candidates_customer_b"), ["customer_b"], unique=False)

    op.create_table(
        "channel_kinds",
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("active_from", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_channel_kinds_channel_id_channels")
        ),
        sa.PrimaryKeyConstraint("channel_id", "kind", name=op.f("pk_channel_kinds")),
    )
    op.create_table(
        "clean_approvals",
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("text_key", sa.String(length=200), nullable=False),
        sa.Column("text_version", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_clean_approvals_channel_id_channels")
        ),
        sa.PrimaryKeyConstraint(
            "channel_id", "text_key", "text_version", name=op.f("pk_clean_approvals")
        ),
    )
    op.create_table(
        "consents",
        sa.Column("id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=True),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=24), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=False),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_consents_channel_id_channels")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_consents_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
        sa.UniqueConstraint(
            "channel_id",
            "address_hash",
            "action",
            "occurred_at",
            name=op.f("uq_consents_channel_id_address_hash_action_occurred_at"),
        ),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(
            "ix_consents_channel_id_address_hash", ["channel_id", "address_hash"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_consents_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "contact_notes",
        sa.Column("id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("order_id", Key, nullable=True),
        sa.Column("inquiry", sa.Boolean(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("gift_received", sa.Text(), nullable=False),
        sa.Column("ask_next", sa.Text(), nullable=False),
        sa.Column("ask_by", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("done_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_contact_notes_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_notes")),
    )
    with op.batch_alter_table("contact_notes", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_contact_notes_customer_id"), ["customer_id"], unique=False
        )

    op.create_table(
        "coupon_pools",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("channel_id", Key, nullable=True),
        sa.Column("shared_code", sa.Text(), nullable=True),
        sa.Column("value", Key, nullable=False),
        sa.Column("minimum", Key, nullable=False),
        sa.Column("targets", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("low_water", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_coupon_pools_channel_id_channels")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_pools")),
        sa.UniqueConstraint("name", name=op.f("uq_coupon_pools_name")),
    )
    op.create_table(
        "customer_profiles",
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("family_name", sa.Text(), nullable=True),
        sa.Column("given_name", sa.Text(), nullable=True),
        sa.Column("kana", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("birthday", sa.Date(), nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=True),
        sa.Column("personal_line", sa.Text(), nullable=True),
        sa.Column("question_line", sa.Text(), nullable=True),
        sa.Column("order_id", Key, nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_customer_profiles_customer_id_customers"),
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer_profiles")),
    )
    op.create_table(
        "customer_standings",
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("rank", sa.String(length=40), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("net_spend", Key, nullable=False),
        sa.Column("first_order_at", UtcDateTime(), nullable=True),
        sa.Column("last_order_at", UtcDateTime(), nullable=True),
        sa.Column("certainty", sa.String(length=24), nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("ladder", sa.String(length=16), nullable=False),
        sa.Column("next_change_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_customer_standings_customer_id_customers"),
        ),
        sa.PrimaryKeyConstraint("customer_id", "scope", name=op.f("pk_customer_standings")),
    )
    with op.batch_alter_table("customer_standings", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_customer_standings_next_change_at"), ["next_change_at"], unique=False
        )
        batch_op.create_index(
            "ix_customer_standings_scope_last_order_at", ["scope", "last_order_at"], unique=False
        )

    op.create_table(
        "identities",
        sa.Column("id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("customer_id", Key, nullable=True),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_identities_channel_id_channels")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_identities_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint(
            "channel_id", "kind", "key_hash", name=op.f("uq_identities_channel_id_kind_key_hash")
        ),
    )
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_identities_customer_id"), ["customer_id"], unique=False
        )
        batch_op.create_index("ix_identities_kind_key_hash", ["kind", "key_hash"], unique=False)

    op.create_table(
        "imports",
        sa.Column("id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=True),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("profile", sa.String(length=80), nullable=False),
        sa.Column("encoding", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("counts", Json, nullable=False),
        sa.Column("warnings", Json, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_imports_channel_id_channels")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    with op.batch_alter_table("imports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_imports_sha256"), ["sha256"], unique=False)

    op.create_table(
        "login_sessions",
        sa.Column("id", Key, nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("one_time", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_login_sessions_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_sessions_token_hash")),
    )
    with op.batch_alter_table("login_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "merges",
        sa.Column("id", Key, nullable=False),
        sa.Column("kept_id", Key, nullable=False),
        sa.Column("merged_id", Key, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.Column("undone_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["kept_id"], ["customers.id"], name=op.f("fk_merges_kept_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["merged_id"], ["customers.id"], name=op.f("fk_merges_merged_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merges")),
    )
    with op.batch_alter_table("merges", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_merges_kept_id"), ["kept_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_merges_merged_id"), ["merged_id"], unique=False)

    op.create_table(
        "messages",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("family", sa.String(length=16), nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("customer_id", Key, nullable=True),
        sa.Column("group_key", sa.String(length=300), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("mode", sa.String(length=24), nullable=False),
        sa.Column("advertising", sa.Boolean(), nullable=False),
        sa.Column("rank", sa.String(length=40), nullable=True),
        sa.Column("visit_number", sa.Integer(), nullable=True),
        sa.Column("announced", sa.Integer(), nullable=True),
        sa.Column("flags", Json, nullable=False),
        sa.Column("why", Json, nullable=False),
        sa.Column("text_key", sa.String(length=200), nullable=False),
        sa.Column("text_version", sa.String(length=64), nullable=False),
        sa.Column("release", sa.String(length=40), nullable=False),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("facts_hash", sa.String(length=64), nullable=False),
        sa.Column("approved_hash", sa.String(length=64), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=False),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("undo_until", UtcDateTime(), nullable=True),
        sa.Column("hold_reason", sa.Text(), nullable=False),
        sa.Column("review_at", UtcDateTime(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("mail_id", sa.String(length=200), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("lease_owner", sa.String(length=80), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("sending_since", UtcDateTime(), nullable=True),
        sa.Column("captured", sa.Boolean(), nullable=False),
        sa.Column("last_reply", sa.Text(), nullable=False),
        sa.Column("recipient_hash", sa.String(length=64), nullable=False),
        sa.Column("again_of", sa.String(length=26), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_messages_channel_id_channels")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_messages_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_messages_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_messages_group_key"), ["group_key"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_messages_recipient_hash"), ["recipient_hash"], unique=False
        )
        batch_op.create_index("ix_messages_state_due_at", ["state", "due_at"], unique=False)
        batch_op.create_index(
            "ix_messages_state_expires_at", ["state", "expires_at", "id"], unique=False
        )
        batch_op.create_index("ix_messages_state_review_at", ["state", "review_at"], unique=False)

    op.create_table(
        "opening_counts",
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("spend", Key, nullable=False),
        sa.Column("before", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_opening_counts_channel_id_channels")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_opening_counts_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("customer_id", "channel_id", name=op.f("pk_opening_counts")),
    )
    op.create_table(
        "orders",
        sa.Column("id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("external_id", BinaryText, nullable=False),
        sa.Column("number", BinaryText, nullable=False),
        sa.Column("ordered_at", UtcDateTime(), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("time_unknown", sa.Boolean(), nullable=False),
        sa.Column("source_updated_at", UtcDateTime(), nullable=True),
        sa.Column("life", sa.String(length=16), nullable=False),
        sa.Column("payment", sa.String(length=16), nullable=False),
        sa.Column("fulfilment", sa.String(length=16), nullable=False),
        sa.Column("payment_method", sa.Text(), nullable=True),
        sa.Column("payment_kind", sa.String(length=16), nullable=False),
        sa.Column("paid_at", UtcDateTime(), nullable=True),
        sa.Column("shipped_at", UtcDateTime(), nullable=True),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.Column("cancelled_at", UtcDateTime(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("subtotal", Key, nullable=True),
        sa.Column("shipping", Key, nullable=True),
        sa.Column("fee", Key, nullable=True),
        sa.Column("discount", Key, nullable=True),
        sa.Column("points", Key, nullable=True),
        sa.Column("tax", Key, nullable=True),
        sa.Column("total", Key, nullable=True),
        sa.Column("refunded", Key, nullable=True),
        sa.Column("coupon_code", sa.Text(), nullable=True),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("tracking_number", sa.Text(), nullable=True),
        sa.Column("delivery_date", sa.Date(), nullable=True),
        sa.Column("delivery_band", sa.Text(), nullable=True),
        sa.Column("gift", sa.Boolean(), nullable=False),
        sa.Column("subscription_number", sa.Text(), nullable=True),
        sa.Column("delivery_count", sa.Integer(), nullable=True),
        sa.Column("hub_status", sa.Text(), nullable=True),
        sa.Column("hub_hold", sa.Boolean(), nullable=False),
        sa.Column("replaces", BinaryText, nullable=True),
        sa.Column("store", sa.Text(), nullable=True),
        sa.Column("platform_order_count", sa.Integer(), nullable=True),
        sa.Column("warnings", Json, nullable=False),
        sa.Column("marketing_consent", sa.Boolean(), nullable=True),
        sa.Column("consent_at", UtcDateTime(), nullable=True),
        sa.Column("counting", sa.Boolean(), nullable=False),
        sa.Column("visit_counting", sa.Boolean(), nullable=False),
        sa.Column("spend", Key, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("customer_id", Key, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("identify_due", sa.Boolean(), nullable=False),
        sa.Column("plan_due", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_orders_channel_id_channels")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_orders_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint(
            "channel_id", "external_id", name=op.f("uq_orders_channel_id_external_id")
        ),
    )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.create_index(
            "ix_orders_channel_id_ordered_on", ["channel_id", "ordered_on"], unique=False
        )
        batch_op.create_index(
            "ix_orders_customer_id_ordered_at", ["customer_id", "ordered_at"], unique=False
        )
        batch_op.create_index(
            "ix_orders_identify_due",
            ["id"],
            unique=False,
            sqlite_where=sa.text("identify_due"),
            postgresql_where=sa.text("identify_due"),
        )
        batch_op.create_index("ix_orders_number", ["number"], unique=False)
        batch_op.create_index("ix_orders_ordered_at", ["ordered_at"], unique=False)
        batch_op.create_index(
            "ix_orders_plan_due",
            ["id"],
            unique=False,
            sqlite_where=sa.text("plan_due"),
            postgresql_where=sa.text("plan_due"),
        )
        batch_op.create_index(
            "ix_orders_subscription_number",
            ["subscription_number"],
            unique=False,
            sqlite_where=sa.text("subscription_number IS NOT NULL"),
            postgresql_where=sa.text("subscription_number IS NOT NULL"),
        )

    op.create_table(
        "rank_history",
        sa.Column("id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("from_rank", sa.String(length=40), nullable=True),
        sa.Column("to_rank", sa.String(length=40), nullable=True),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("ladder", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_rank_history_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rank_history")),
    )
    with op.batch_alter_table("rank_history", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_rank_history_customer_id"), ["customer_id"], unique=False
        )

    op.create_table(
        "rank_pins",
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("rank", sa.String(length=40), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_rank_pins_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("customer_id", "scope", name=op.f("pk_rank_pins")),
    )
    op.create_table(
        "release_documents",
        sa.Column("release_id", Key, nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("version_id", Key, nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["releases.id"], name=op.f("fk_release_documents_release_id_releases")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["document_versions.id"],
            name=op.f("fk_release_documents_version_id_document_versions"),
        ),
        sa.PrimaryKeyConstraint("release_id", "path", name=op.f("pk_release_documents")),
    )
    op.create_table(
        "stops",
        sa.Column("id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=True),
        sa.Column("kind", sa.String(length=24), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("lifted_at", UtcDateTime(), nullable=True),
        sa.Column("lifted_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_stops_channel_id_channels")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stops")),
    )
    op.create_table(
        "streams",
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("stream", sa.String(length=40), nullable=False),
        sa.Column("watermark", sa.Text(), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_success_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_streams_channel_id_channels")
        ),
        sa.PrimaryKeyConstraint("channel_id", "stream", name=op.f("pk_streams")),
    )
    op.create_table(
        "suppressions",
        sa.Column("id", Key, nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("customer_id", Key, nullable=True),
        sa.Column("ads_only", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("lifted_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_suppressions_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
    )
    with op.batch_alter_table("suppressions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_suppressions_address_hash"), ["address_hash"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_suppressions_customer_id"), ["customer_id"], unique=False
        )

    op.create_table(
        "coupon_codes",
        sa.Column("id", Key, nullable=False),
        sa.Column("pool_id", Key, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("cipher", sa.Text(), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("grant_id", Key, nullable=True),
        sa.Column("message_id", sa.String(length=26), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pool_id"], ["coupon_pools.id"], name=op.f("fk_coupon_codes_pool_id_coupon_pools")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_codes")),
        sa.UniqueConstraint("pool_id", "code_hash", name=op.f("uq_coupon_codes_pool_id_code_hash")),
    )
    with op.batch_alter_table("coupon_codes", schema=None) as batch_op:
        batch_op.create_index(
            "ix_coupon_codes_pool_id_state", ["pool_id", "state", "id"], unique=False
        )

    op.create_table(
        "handoffs",
        sa.Column("message_id", sa.String(length=26), nullable=False),
        sa.Column("conditions", Json, nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("done_count", sa.Integer(), nullable=True),
        sa.Column("done_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_handoffs_message_id_messages")
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_handoffs")),
    )
    op.create_table(
        "identity_links",
        sa.Column("id", Key, nullable=False),
        sa.Column("identity_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("merge_id", Key, nullable=True),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_identity_links_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["identities.id"],
            name=op.f("fk_identity_links_identity_id_identities"),
        ),
        sa.ForeignKeyConstraint(
            ["merge_id"], ["merges.id"], name=op.f("fk_identity_links_merge_id_merges")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_links")),
    )
    with op.batch_alter_table("identity_links", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_identity_links_customer_id"), ["customer_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_identity_links_identity_id"), ["identity_id"], unique=False
        )

    op.create_table(
        "message_bodies",
        sa.Column("message_id", sa.String(length=26), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("reply_to", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("values", Json, nullable=False),
        sa.Column("plain", Json, nullable=False),
        sa.Column("approved", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_message_bodies_message_id_messages")
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message_bodies")),
    )
    op.create_table(
        "message_events",
        sa.Column("id", Key, nullable=False),
        sa.Column("message_id", sa.String(length=26), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("move", sa.String(length=40), nullable=False),
        sa.Column("from_state", sa.String(length=24), nullable=True),
        sa.Column("to_state", sa.String(length=24), nullable=False),
        sa.Column("actor", sa.String(length=24), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("reason", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_message_events_message_id_messages")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_events")),
    )
    with op.batch_alter_table("message_events", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_message_events_message_id"), ["message_id"], unique=False
        )

    op.create_table(
        "occasions",
        sa.Column("id", Key, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("channel_id", Key, nullable=True),
        sa.Column("order_id", Key, nullable=True),
        sa.Column("customer_id", Key, nullable=True),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("reason", Json, nullable=False),
        sa.Column("message_id", sa.String(length=26), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_occasions_channel_id_channels")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_occasions_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_occasions_message_id_messages")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
            name=op.f("fk_occasions_order_id_orders"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occasions")),
        sa.UniqueConstraint("kind", "step", "subject", name=op.f("uq_occasions_kind_step_subject")),
    )
    with op.batch_alter_table("occasions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_occasions_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_occasions_message_id"), ["message_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_occasions_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_occasions_outcome_due_at", ["outcome", "due_at"], unique=False)
        batch_op.create_index("ix_occasions_subject", ["subject"], unique=False)

    op.create_table(
        "order_contacts",
        sa.Column("order_id", Key, nullable=False),
        sa.Column("member_id", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_is_relay", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("family_name", sa.Text(), nullable=True),
        sa.Column("given_name", sa.Text(), nullable=True),
        sa.Column("kana", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("birthday", sa.Date(), nullable=True),
        sa.Column("recipient_name", sa.Text(), nullable=True),
        sa.Column("recipient_kana", sa.Text(), nullable=True),
        sa.Column("recipient_phone", sa.Text(), nullable=True),
        sa.Column("recipient_postal_code", sa.Text(), nullable=True),
        sa.Column("recipient_address", sa.Text(), nullable=True),
        sa.Column("buyer_comment", sa.Text(), nullable=True),
        sa.Column("gift_wrap", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
            name=op.f("fk_order_contacts_order_id_orders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_order_contacts")),
    )
    op.create_table(
        "order_identities",
        sa.Column("order_id", Key, nullable=False),
        sa.Column("identity_id", Key, nullable=False),
        sa.Column("strength", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["identities.id"],
            name=op.f("fk_order_identities_identity_id_identities"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
            name=op.f("fk_order_identities_order_id_orders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("order_id", "identity_id", name=op.f("pk_order_identities")),
    )
    with op.batch_alter_table("order_identities", schema=None) as batch_op:
        batch_op.create_index("ix_order_identities_identity_id", ["identity_id"], unique=False)

    op.create_table(
        "order_lines",
        sa.Column("order_id", Key, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", Key, nullable=True),
        sa.Column("amount", Key, nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
            name=op.f("fk_order_lines_order_id_orders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("order_id", "position", name=op.f("pk_order_lines")),
    )
    op.create_table(
        "order_revisions",
        sa.Column("id", Key, nullable=False),
        sa.Column("order_id", Key, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("import_id", Key, nullable=True),
        sa.Column("raw_id", Key, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("changed", Json, nullable=False),
        sa.Column("before", Json, nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_order_revisions_import_id_imports")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
            name=op.f("fk_order_revisions_order_id_orders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_revisions")),
        sa.UniqueConstraint(
            "order_id", "revision", name=op.f("uq_order_revisions_order_id_revision")
        ),
    )
    with op.batch_alter_table("order_revisions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_order_revisions_import_id"), ["import_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_order_revisions_order_id"), ["order_id"], unique=False)

    op.create_table(
        "order_standings",
        sa.Column("order_id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=True),
        sa.Column("visit_number", sa.Integer(), nullable=True),
        sa.Column("ordinal_overall", sa.Integer(), nullable=True),
        sa.Column("certainty", sa.String(length=24), nullable=False),
        sa.Column("rank", sa.String(length=40), nullable=True),
        sa.Column("facts", Json, nullable=False),
        sa.Column("ladder", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_order_standings_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
            name=op.f("fk_order_standings_order_id_orders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_order_standings")),
    )
    with op.batch_alter_table("order_standings", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_order_standings_customer_id"), ["customer_id"], unique=False
        )

    op.create_table(
        "raw_orders",
        sa.Column("id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=False),
        sa.Column("external_id", BinaryText, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("payload", Json, nullable=True),
        sa.Column("position", sa.String(length=80), nullable=False),
        sa.Column("import_id", Key, nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_raw_orders_channel_id_channels")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_raw_orders_import_id_imports")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raw_orders")),
        sa.UniqueConstraint(
            "channel_id",
            "external_id",
            "sha256",
            name=op.f("uq_raw_orders_channel_id_external_id_sha256"),
        ),
    )
    with op.batch_alter_table("raw_orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_raw_orders_import_id"), ["import_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_raw_orders_received_at"), ["received_at"], unique=False
        )

    op.create_table(
        "grants",
        sa.Column("id", Key, nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("milestone", sa.Integer(), nullable=False),
        sa.Column("channel_ids", Json, nullable=False),
        sa.Column("reward", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("order_id", Key, nullable=True),
        sa.Column("coupon_id", Key, nullable=True),
        sa.Column("reserved_at", UtcDateTime(), nullable=True),
        sa.Column("earned_at", UtcDateTime(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("reason", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["coupon_id"], ["coupon_codes.id"], name=op.f("fk_grants_coupon_id_coupon_codes")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_grants_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_grants_order_id_orders"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.UniqueConstraint(
            "customer_id", "scope", "milestone", name=op.f("uq_grants_customer_id_scope_milestone")
        ),
    )
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grants_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_grants_order_id"), ["order_id"], unique=False)

    op.create_table(
        "quarantine",
        sa.Column("id", Key, nullable=False),
        sa.Column("channel_id", Key, nullable=True),
        sa.Column("import_id", Key, nullable=True),
        sa.Column("raw_id", Key, nullable=True),
        sa.Column("external_id", BinaryText, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("position", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("field_name", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reason_ja", sa.Text(), nullable=False),
        sa.Column("payload", Json, nullable=True),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_quarantine_channel_id_channels")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_quarantine_import_id_imports")
        ),
        sa.ForeignKeyConstraint(
            ["raw_id"], ["raw_orders.id"], name=op.f("fk_quarantine_raw_id_raw_orders")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint(
            "channel_id",
            "external_id",
            "sha256",
            "code",
            name=op.f("uq_quarantine_channel_id_external_id_sha256_code"),
        ),
    )
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quarantine_import_id"), ["import_id"], unique=False)

    op.create_table(
        "packing_items",
        sa.Column("id", Key, nullable=False),
        sa.Column("order_id", Key, nullable=False),
        sa.Column("grant_id", Key, nullable=True),
        sa.Column("item", sa.String(length=24), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("packed_at", UtcDateTime(), nullable=True),
        sa.Column("packed_by", sa.String(length=80), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["grants.id"], name=op.f("fk_packing_items_grant_id_grants")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
            name=op.f("fk_packing_items_order_id_orders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packing_items")),
        sa.UniqueConstraint("order_id", "item", name=op.f("uq_packing_items_order_id_item")),
    )
    with op.batch_alter_table("packing_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_packing_items_grant_id"), ["grant_id"], unique=False)
        batch_op.create_index(
            "ix_packing_items_open",
            ["order_id"],
            unique=False,
            sqlite_where=sa.text("packed_at IS NULL AND withdrawn_at IS NULL"),
            postgresql_where=sa.text("packed_at IS NULL AND withdrawn_at IS NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("packing_items", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_packing_items_open",
            sqlite_where=sa.text("packed_at IS NULL AND withdrawn_at IS NULL"),
            postgresql_where=sa.text("packed_at IS NULL AND withdrawn_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_packing_items_grant_id"))

    op.drop_table("packing_items")
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quarantine_import_id"))

    op.drop_table("quarantine")
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_grants_order_id"))
        batch_op.drop_index(batch_op.f("ix_grants_customer_id"))

    op.drop_table("grants")
    with op.batch_alter_table("raw_orders", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_raw_orders_received_at"))
        batch_op.drop_index(batch_op.f("ix_raw_orders_import_id"))

    op.drop_table("raw_orders")
    with op.batch_alter_table("order_standings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_standings_customer_id"))

    op.drop_table("order_standings")
    with op.batch_alter_table("order_revisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_revisions_order_id"))
        batch_op.drop_index(batch_op.f("ix_order_revisions_import_id"))

    op.drop_table("order_revisions")
    op.drop_table("order_lines")
    with op.batch_alter_table("order_identities", schema=None) as batch_op:
        batch_op.drop_index("ix_order_identities_identity_id")

    op.drop_table("order_identities")
    op.drop_table("order_contacts")
    with op.batch_alter_table("occasions", schema=None) as batch_op:
        batch_op.drop_index("ix_occasions_subject")
        batch_op.drop_index("ix_occasions_outcome_due_at")
        batch_op.drop_index(batch_op.f("ix_occasions_order_id"))
        batch_op.drop_index(batch_op.f("ix_occasions_message_id"))
        batch_op.drop_index(batch_op.f("ix_occasions_customer_id"))

    op.drop_table("occasions")
    with op.batch_alter_table("message_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_events_message_id"))

    op.drop_table("message_events")
    op.drop_table("message_bodies")
    with op.batch_alter_table("identity_links", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_links_identity_id"))
        batch_op.drop_index(batch_op.f("ix_identity_links_customer_id"))

    op.drop_table("identity_links")
    op.drop_table("handoffs")
    with op.batch_alter_table("coupon_codes", schema=None) as batch_op:
        batch_op.drop_index("ix_coupon_codes_pool_id_state")

    op.drop_table("coupon_codes")
    with op.batch_alter_table("suppressions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_suppressions_customer_id"))
        batch_op.drop_index(batch_op.f("ix_suppressions_address_hash"))

    op.drop_table("suppressions")
    op.drop_table("streams")
    op.drop_table("stops")
    op.drop_table("release_documents")
    op.drop_table("rank_pins")
    with op.batch_alter_table("rank_history", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rank_history_customer_id"))

    op.drop_table("rank_history")
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_orders_subscription_number",
            sqlite_where=sa.text("subscription_number IS NOT NULL"),
            postgresql_where=sa.text("subscription_number IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_orders_plan_due",
            sqlite_where=sa.text("plan_due"),
            postgresql_where=sa.text("plan_due"),
        )
        batch_op.drop_index("ix_orders_ordered_at")
        batch_op.drop_index("ix_orders_number")
        batch_op.drop_index(
            "ix_orders_identify_due",
            sqlite_where=sa.text("identify_due"),
            postgresql_where=sa.text("identify_due"),
        )
        batch_op.drop_index("ix_orders_customer_id_ordered_at")
        batch_op.drop_index("ix_orders_channel_id_ordered_on")

    op.drop_table("orders")
    op.drop_table("opening_counts")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index("ix_messages_state_review_at")
        batch_op.drop_index("ix_messages_state_expires_at")
        batch_op.drop_index("ix_messages_state_due_at")
        batch_op.drop_index(batch_op.f("ix_messages_recipient_hash"))
        batch_op.drop_index(batch_op.f("ix_messages_group_key"))
        batch_op.drop_index(batch_op.f("ix_messages_customer_id"))

    op.drop_table("messages")
    with op.batch_alter_table("merges", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_merges_merged_id"))
        batch_op.drop_index(batch_op.f("ix_merges_kept_id"))

    op.drop_table("merges")
    with op.batch_alter_table("login_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_sessions_user_id"))

    op.drop_table("login_sessions")
    with op.batch_alter_table("imports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_imports_sha256"))

    op.drop_table("imports")
    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.drop_index("ix_identities_kind_key_hash")
        batch_op.drop_index(batch_op.f("ix_identities_customer_id"))

    op.drop_table("identities")
    with op.batch_alter_table("customer_standings", schema=None) as batch_op:
        batch_op.drop_index("ix_customer_standings_scope_last_order_at")
        batch_op.drop_index(batch_op.f("ix_customer_standings_next_change_at"))

    op.drop_table("customer_standings")
    op.drop_table("customer_profiles")
    op.drop_table("coupon_pools")
    with op.batch_alter_table("contact_notes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_notes_customer_id"))

    op.drop_table("contact_notes")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consents_customer_id"))
        batch_op.drop_index("ix_consents_channel_id_address_hash")

    op.drop_table("consents")
    op.drop_table("clean_approvals")
    op.drop_table("channel_kinds")
    with op.batch_alter_table("candidates", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_candidates_customer_b"))
        batch_op.drop_index(batch_op.f("ix_candidates_customer_a"))

    op.drop_table("candidates")
    op.drop_table("users")
    op.drop_table("staff_tasks")
    op.drop_table("releases")
    op.drop_table("rank_bases")
    with op.batch_alter_table("login_attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_attempts_who"))
        batch_op.drop_index(batch_op.f("ix_login_attempts_at"))

    op.drop_table("login_attempts")
    op.drop_table("leases")
    op.drop_table("ladder_versions")
    op.drop_table("instance")
    with op.batch_alter_table("document_versions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_document_versions_path"))

    op.drop_table("document_versions")
    op.drop_table("daily_runs")
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_customers_rank_due",
            sqlite_where=sa.text("rank_due"),
            postgresql_where=sa.text("rank_due"),
        )
        batch_op.drop_index(
            "ix_customers_plan_due",
            sqlite_where=sa.text("plan_due"),
            postgresql_where=sa.text("plan_due"),
        )
        batch_op.drop_index(batch_op.f("ix_customers_merged_into"))

    op.drop_table("customers")
    with op.batch_alter_table("channels", schema=None) as batch_op:
        batch_op.drop_index("ix_channels_next_poll_at")

    op.drop_table("channels")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_at"))

    op.drop_table("audit")
