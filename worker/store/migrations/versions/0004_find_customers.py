"""Keys by which customers are found and listed, clerks' entries, saved views, words of notes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.rules.finding import keys_of_profile
from worker.store.types import BinaryText, Key, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CHUNK = 2000
_STANDINGS = (
    ("ix_customer_standings_visits", "visits"),
    ("ix_customer_standings_spend", "net_spend"),
    ("ix_customer_standings_last", "last_order_at"),
)
_PROFILES = ("kana_key", "name_key", "phone_key", "phone_tail")


def upgrade() -> None:
    _make_tables()
    with op.batch_alter_table("contact_notes") as batch:
        batch.add_column(sa.Column("via", sa.String(length=16), nullable=False, server_default=""))
        batch.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    with op.batch_alter_table("staff_tasks") as batch:
        batch.add_column(sa.Column("done_word", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("customer_profiles") as batch:
        batch.add_column(sa.Column("name_key", BinaryText, nullable=True))
        batch.add_column(sa.Column("kana_key", BinaryText, nullable=False, server_default="ヿ"))
        batch.add_column(sa.Column("phone_key", BinaryText, nullable=True))
        batch.add_column(sa.Column("phone_tail", BinaryText, nullable=True))
        batch.add_column(
            sa.Column("is_member", sa.Boolean(), nullable=False, server_default=sa.text("false"))
        )
    _fill_keys()
    _make_indexes()


def _make_tables() -> None:
    op.create_table(
        "profile_entries",
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("field", sa.String(length=24), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("was", sa.Text(), nullable=True),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_profile_entries_customer_id_customers"),
        ),
        sa.PrimaryKeyConstraint("customer_id", "field", name=op.f("pk_profile_entries")),
    )
    op.create_table(
        "saved_views",
        sa.Column("id", Key, nullable=False),
        sa.Column("user_id", Key, nullable=False),
        sa.Column("page", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_saved_views_user_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint(
            "user_id", "page", "name", name=op.f("uq_saved_views_user_id_page_name")
        ),
    )


def _make_indexes() -> None:
    for name, column in _STANDINGS:
        op.create_index(name, "customer_standings", ["scope", "rank", column, "customer_id"])
    for column in _PROFILES:
        op.create_index(
            f"ix_customer_profiles_{column}", "customer_profiles", [column, "customer_id"]
        )
    _partial("ix_customer_profiles_guests", "customer_profiles", ["customer_id"], "NOT is_member")
    _partial("ix_contact_notes_open", "contact_notes", ["ask_by", "customer_id"], "state = 'open'")
    _partial("ix_staff_tasks_open", "staff_tasks", ["created_at", "id"], "done_at IS NULL")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )


def _fill_keys() -> None:
    """Make the keys of the profiles there are, in the order of their ids."""
    connection, after = op.get_bind(), 0
    read = sa.text(
        "SELECT customer_id, name, kana, phone, EXISTS (SELECT 1 FROM identities"
        " WHERE identities.customer_id = customer_profiles.customer_id AND kind = 'member')"
        " AS member FROM customer_profiles WHERE customer_id > :after"
        " ORDER BY customer_id LIMIT :size"
    )
    write = sa.text(
        "UPDATE customer_profiles SET name_key = :name_key, kana_key = :kana_key,"
        " phone_key = :phone_key, phone_tail = :phone_tail, is_member = :is_member"
        " WHERE customer_id = :id"
    )
    while True:
        rows = connection.execute(read, {"after": after, "size": _CHUNK}).mappings().all()
        if not rows:
            return
        after = rows[-1]["customer_id"]
        connection.execute(
            write,
            [
                {"id": row["customer_id"], **keys_of_profile(row, member=bool(row["member"]))}
                for row in rows
            ],
        )


def downgrade() -> None:
    for name, table in (
        ("ix_staff_tasks_open", "staff_tasks"),
        ("ix_contact_notes_open", "contact_notes"),
        ("ix_customer_profiles_guests", "customer_profiles"),
        *((f"ix_customer_profiles_{column}", "customer_profiles") for column in _PROFILES),
        *((name, "customer_standings") for name, _column in _STANDINGS),
    ):
        op.drop_index(name, table_name=table)
    with op.batch_alter_table("customer_profiles") as batch:
        for column in ("is_member", "phone_tail", "phone_key", "kana_key", "name_key"):
            batch.drop_column(column)
    with op.batch_alter_table("staff_tasks") as batch:
        batch.drop_column("done_word")
    with op.batch_alter_table("contact_notes") as batch:
        batch.drop_column("version")
        batch.drop_column("via")
    op.drop_table("saved_views")
    op.drop_table("profile_entries")
