"""Review requests that a marketplace sends itself: to release, under way, in doubt, and over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import formats
from console.views.names import shop_labels
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.solicit import Ready, ready_requests
from worker.rules.states import MessageState
from worker.store.channels import Channel
from worker.store.solicitations import Solicitation

MOST = 200
"""Requests in one form; the rest come when these are released."""
_PAST = 20

S = MessageState


@dataclass(frozen=True, slots=True)
class Open:
    """One order that may be asked about now."""

    id: int
    number: str
    ordered: str
    closes: str


@dataclass(frozen=True, slots=True)
class Front:
    """The requests of one channel that wait for a release; ``more`` are not shown yet."""

    shop: str
    orders: tuple[Open, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Told:
    """One request that was released: where it stands, and the marketplace's words."""

    id: int
    shop: str
    number: str
    state: str
    when: str
    said: str


@dataclass(frozen=True, slots=True)
class RequestsView:
    """What the page shows of review requests; empty where no channel leaves them to us."""

    fronts: tuple[Front, ...]
    going: tuple[Told, ...]
    doubts: tuple[Told, ...]
    past: tuple[Told, ...]

    @property
    def number(self) -> int:
        """How many may be released."""
        return sum(len(front.orders) + front.more for front in self.fronts)


def requests_view(session: Session, ctx: Context, words: Words, now: datetime) -> RequestsView:
    """Read everything that is to be seen."""
    shops = shop_labels(session, words)
    by_channel: dict[str, list[Ready]] = {}
    for one in ready_requests(session, ctx, now):
        by_channel.setdefault(one.channel, []).append(one)
    fronts = tuple(
        _front(shops.get(name, name), ready, ctx, words) for name, ready in by_channel.items()
    )
    return RequestsView(
        fronts=fronts,
        going=_told(session, ctx, words, shops, now, (S.APPROVED, S.SENDING)),
        doubts=_told(session, ctx, words, shops, now, (S.UNCONFIRMED,)),
        past=_told(session, ctx, words, shops, now, (S.HANDED_OFF, S.FAILED)),
    )


def _front(shop: str, ready: Sequence[Ready], ctx: Context, words: Words) -> Front:
    def day(at: datetime) -> str:
        return formats.day(at.astimezone(ctx.zone).date(), words.locale)

    shown = tuple(
        Open(one.id, one.number, day(one.ordered_at), day(one.closes_at)) for one in ready[:MOST]
    )
    return Front(shop, shown, len(ready) - len(shown))


def _told(
    session: Session,
    ctx: Context,
    words: Words,
    shops: dict[str, str],
    now: datetime,
    states: tuple[MessageState, ...],
) -> tuple[Told, ...]:
    rows = session.execute(
        select(Solicitation, Channel.name)
        .join(Channel, Channel.id == Solicitation.channel_id)
        .where(Solicitation.state.in_(states))
        .order_by(Solicitation.sending_since.desc(), Solicitation.id.desc())
        .limit(_PAST if S.HANDED_OFF in states else MOST)
    ).all()
    return tuple(
        Told(
            id=request.id,
            shop=shops.get(name, name),
            number=request.external_id,
            state=words(f"requests.{request.state}"),
            when=formats.near(request.sending_since, now, ctx.zone)
            if request.sending_since
            else "",
            said=request.said,
        )
        for request, name in rows
    )
