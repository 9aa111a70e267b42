"""Growing trust: clean approvals per text version and channel, and the next step they offer."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.store.messages import CleanApproval, Message


@dataclass(frozen=True, slots=True)
class TrustOffer:
    """A text version that was approved unchanged so often that reading fewer is offered."""

    channel_id: int
    text_key: str
    text_version: str
    count: int


def count_clean(session: Session, message: Message) -> None:
    """Count an approval of words that nobody had to change."""
    if message.edited or not message.text_key:
        return
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    keys = (CleanApproval.channel_id, CleanApproval.text_key, CleanApproval.text_version)
    session.execute(
        insert(CleanApproval)
        .values(
            channel_id=message.channel_id,
            text_key=message.text_key,
            text_version=message.text_version,
            count=1,
        )
        .on_conflict_do_update(index_elements=keys, set_={"count": CleanApproval.count + 1})
    )


def uncount_clean(session: Session, message: Message) -> None:
    """Take a counted approval back, because it was undone or sent back after all."""
    if message.edited or not message.text_key:
        return
    session.execute(
        update(CleanApproval)
        .where(
            CleanApproval.channel_id == message.channel_id,
            CleanApproval.text_key == message.text_key,
            CleanApproval.text_version == message.text_version,
            CleanApproval.count > 0,
        )
        .values(count=CleanApproval.count - 1)
    )


def trust_offers(session: Session, ctx: Context) -> list[TrustOffer]:
    """Text versions with enough clean approvals for the next step of ``review.toml``."""
    rows = session.scalars(
        select(CleanApproval)
        .where(CleanApproval.count >= ctx.documents.review.trust_after)
        .order_by(CleanApproval.channel_id, CleanApproval.text_key, CleanApproval.text_version)
    )
    return [TrustOffer(r.channel_id, r.text_key, r.text_version, r.count) for r in rows]
