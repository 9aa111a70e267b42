"""What came back by mail is kept, and a suppression knows its evidence and its end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.store.types import Key, UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "returned_mails",
        sa.Column("id", Key, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("bounce", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("matched", sa.String(length=12), nullable=False),
        sa.Column("message_id", sa.String(length=26), nullable=True),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_returned_mails_message_id_messages")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returned_mails")),
        sa.UniqueConstraint("digest", name=op.f("uq_returned_mails_digest")),
    )
    op.create_index(op.f("ix_returned_mails_message_id"), "returned_mails", ["message_id"])
    op.create_index("ix_returned_mails_address_hash", "returned_mails", ["address_hash", "at"])
    op.create_index("ix_messages_mail_id", "messages", ["mail_id"])
    with op.batch_alter_table("suppressions") as batch:
        batch.add_column(sa.Column("expires_at", UtcDateTime(), nullable=True))
        batch.add_column(sa.Column("evidence_id", Key, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("suppressions") as batch:
        batch.drop_column("evidence_id")
        batch.drop_column("expires_at")
    op.drop_index("ix_messages_mail_id", table_name="messages")
    op.drop_index("ix_returned_mails_address_hash", table_name="returned_mails")
    op.drop_index(op.f("ix_returned_mails_message_id"), table_name="returned_mails")
    op.drop_table("returned_mails")
