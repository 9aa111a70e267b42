"""送ってよいもの: what each shop may send this person, consent and blocks, as it stands now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import formats
from console.views.names import shop_labels
from console.words import Words
from worker.pipeline.context import Context
from worker.rules.keys import address_hash
from worker.rules.states import ConsentAction, MailKind, Verdict
from worker.store import card_queries as store
from worker.store.channels import Channel
from worker.store.customers import CustomerProfile
from worker.store.orders import OrderRow
from worker.store.person_queries import addresses_in


@dataclass(frozen=True, slots=True)
class Right:
    """One line: allowed or not, of what, and since when or why."""

    allowed: bool
    what: str
    small: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A block in force, which staff may lift with a word."""

    id: int
    what: str
    small: str


@dataclass(frozen=True, slots=True)
class Asking:
    """A shop whose consent a clerk may note; ``agreed`` is what stands there now."""

    channel_id: int
    label: str
    agreed: bool


@dataclass(frozen=True, slots=True)
class Rights:
    """Everything of the card's box."""

    lines: tuple[Right, ...]
    blocks: tuple[Block, ...]
    asking: tuple[Asking, ...]


def rights(
    session: Session,
    ctx: Context,
    customer_id: int,
    members: Sequence[int],
    profile: CustomerProfile | None,
    words: Words,
) -> Rights:
    """Read what may be sent through the channels the person ordered in."""
    channels = _channels(session, customer_id)
    shops = shop_labels(session, words)
    addresses = {
        c.id: addresses_in(session, c.id, [customer_id]).get(customer_id) for c in channels
    }
    hashes = {address_hash(ctx.key, each) for each in addresses.values() if each}
    if profile is not None and profile.email:
        hashes.add(address_hash(ctx.key, profile.email))
    blocks = store.suppressions_of(session, members, sorted(hashes))
    told = store.consents_of(session, sorted(hashes))
    lines: list[Right] = []
    asking: list[Asking] = []
    for channel in channels:
        label, address = shops.get(channel.name, channel.name), addresses[channel.id]
        lines.append(_orders_mail(ctx, channel, label, words))
        if _verdict(ctx, channel, MailKind.WIN_BACK) is not Verdict.CONSENT:
            lines.append(Right(False, words("rights.no_ads", shop=label)))
            continue
        row = told.get((channel.id, address_hash(ctx.key, address))) if address else None
        agreed = row is not None and row.action is not ConsentAction.WITHDRAWN
        small = words("rights.never_asked") if address else words("rights.no_address")
        if row is not None:
            day = row.occurred_at.astimezone(ctx.zone).strftime("%Y/%m/%d")
            key = f"rights.{'agreed' if agreed else 'withdrew'}_{_method(row.method)}"
            small = words(key, day=day)
        lines.append(Right(agreed, words("rights.ads", shop=label), small))
        if address:
            asking.append(Asking(channel.id, label, agreed))
    return Rights(
        tuple(lines),
        tuple(
            Block(
                row.id,
                words("rights.block_ads" if row.ads_only else "rights.block_all"),
                _why(row.reason, row.note, row.by, formats.short_day(row.at.date()), words),
            )
            for row in blocks
        ),
        tuple(asking),
    )


def _channels(session: Session, customer_id: int) -> Sequence[Channel]:
    theirs = select(OrderRow.channel_id).where(OrderRow.customer_id == customer_id)
    return session.scalars(select(Channel).where(Channel.id.in_(theirs)).order_by(Channel.id)).all()


def _verdict(ctx: Context, channel: Channel, kind: MailKind) -> Verdict:
    return ctx.documents.policy.cell(channel.family, kind).verdict


def _orders_mail(ctx: Context, channel: Channel, label: str, words: Words) -> Right:
    verdict = _verdict(ctx, channel, MailKind.ORDER_THANKS)
    allowed = verdict in (Verdict.ALLOW, Verdict.RELAY)
    key = "rights.orders" if allowed else "rights.no_orders"
    small = words("mail.relay") if verdict is Verdict.RELAY else ""
    return Right(allowed, words(key, shop=label), small)


def _method(method: str) -> str:
    return "staff" if method == "staff" else "import"


def _why(reason: str, note: str, by: str, day: str, words: Words) -> str:
    key = f"block_reason.{reason}"
    said = words(key) if words.has(key) else reason
    first = note.splitlines()[0] if note else ""
    who = words("actor.system") if by == "system" else by
    return "　".join(part for part in (said, first, f"{day} {who}") if part)
