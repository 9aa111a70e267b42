"""The form of what a clerk may enter about a customer, and of a mail to them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.views.names import Option, shop_labels
from console.words import Words
from worker.pipeline.notes import kept_customer
from worker.store.channels import Channel
from worker.store.customers import CustomerProfile
from worker.store.orders import OrderRow


@dataclass(frozen=True, slots=True)
class ProfileForm:
    """Empty strings where nothing is known; ``channels`` where the person ordered."""

    id: int
    name: str
    kana: str
    phone: str
    email: str
    postal_code: str
    address: str
    birthday: str
    channels: tuple[Option, ...] = ()


def profile_form(session: Session, customer_id: int, words: Words | None = None) -> ProfileForm:
    """Read it. Raises Refused for an unknown customer."""
    kept = kept_customer(session, customer_id)
    row = session.get(CustomerProfile, kept)
    return ProfileForm(
        id=kept,
        name=(row.name if row else None) or "",
        kana=(row.kana if row else None) or "",
        phone=(row.phone if row else None) or "",
        email=(row.email if row else None) or "",
        postal_code=(row.postal_code if row else None) or "",
        address=(row.address if row else None) or "",
        birthday=row.birthday.isoformat() if row and row.birthday else "",
        channels=_channels(session, kept, words) if words else (),
    )


def _channels(session: Session, customer_id: int, words: Words) -> tuple[Option, ...]:
    shops = shop_labels(session, words)
    theirs = select(OrderRow.channel_id).where(OrderRow.customer_id == customer_id)
    rows = session.execute(
        select(Channel.id, Channel.name)
        .where(Channel.id.in_(theirs))
        .order_by(Channel.family != "own", Channel.id)
    )
    return tuple(Option(str(row.id), shops.get(row.name, row.name)) for row in rows)
