"""The form of a mail that a clerk writes to one customer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import formats
from console.views.names import Option, shop_labels
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.notes import kept_customer
from worker.pipeline.personal_words import offered, tag_of
from worker.store.channels import Channel
from worker.store.customers import CustomerProfile
from worker.store.orders import OrderRow

_ORDERS = 12


@dataclass(frozen=True, slots=True)
class Pick:
    """One placeholder of the list: its label, what is written for it, and a sample."""

    label: str
    tag: str
    sample: str


@dataclass(frozen=True, slots=True)
class LetterForm:
    """``about`` says which shop writes, and about which order: ``channel:order``."""

    id: int
    name: str
    about: tuple[Option, ...]
    subject: str
    text: str
    picks: tuple[Pick, ...]
    key: str
    trouble: str = ""


def letter_form(
    session: Session,
    ctx: Context,
    customer_id: int,
    words: Words,
    now: datetime,
    *,
    key: str,
    chosen: str = "",
    order_id: int | None = None,
    subject: str = "",
    text: str = "",
    trouble: str = "",
) -> LetterForm:
    """Read it. Raises Refused for an unknown customer."""
    kept = kept_customer(session, customer_id)
    profile = session.get(CustomerProfile, kept)
    return LetterForm(
        id=kept,
        name=(profile.name if profile else None) or "",
        about=_about(session, ctx, kept, words, now, chosen, order_id),
        subject=subject,
        text=text,
        picks=tuple(
            Pick(one.label(words.locale), tag_of(one, words.locale), one.sample("ja"))
            for one in offered()
        ),
        key=key,
        trouble=trouble,
    )


def _about(
    session: Session,
    ctx: Context,
    customer_id: int,
    words: Words,
    now: datetime,
    chosen: str,
    order_id: int | None,
) -> tuple[Option, ...]:
    rows = session.execute(
        select(OrderRow, Channel)
        .join(Channel, Channel.id == OrderRow.channel_id)
        .where(OrderRow.customer_id == customer_id)
        .order_by(OrderRow.ordered_at.desc(), OrderRow.id.desc())
        .limit(_ORDERS)
    ).all()
    shops = shop_labels(session, words)
    found: dict[str, str] = {}
    for order, channel in rows:
        when = formats.near(order.ordered_at, now, ctx.zone)
        said = words(
            "write.about", shop=shops.get(channel.name, ""), number=order.number, when=when
        )
        found[f"{channel.id}:{order.id}"] = said
        if order.id == order_id and not chosen:
            chosen = f"{channel.id}:{order.id}"
    for channel in {channel.id: channel for _order, channel in rows}.values():
        if channel.family == "own":
            shop = shops.get(channel.name, "")
            found[f"{channel.id}:"] = words("write.about_none", shop=shop)
    return tuple(Option(value, label, None, value == chosen) for value, label in found.items())
