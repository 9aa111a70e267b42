"""Review requests that a marketplace sends itself: planned by order, released by staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.orm import Session

from connectors.contract import RawOrder
from connectors.kit.soliciting import AskWindow, Solicits
from worker.pipeline.context import Context
from worker.pipeline.review_words import Refused
from worker.pipeline.stops import stop_over
from worker.rules.soliciting import asks_for_reviews, request_move, unfit
from worker.rules.states import Actor, MailKind, MessageState
from worker.store.channels import Channel, ChannelKind
from worker.store.orders import OrderRow, RawRecord
from worker.store.running import Audit
from worker.store.solicitations import Solicitation

S = MessageState
WAITING = (S.HANDOFF, S.APPROVED)
REACH = timedelta(days=120)
"""Orders placed longer ago are not looked at: the marketplace's window is over for them."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A request that staff may release now."""

    id: int
    channel: str
    number: str
    ordered_at: datetime
    closes_at: datetime


def plan_requests(
    session: Session,
    channel: Channel,
    connector: Solicits,
    now: datetime,
    *,
    after: int = 0,
    limit: int = 200,
) -> tuple[int | None, int]:
    """Note the orders of a channel that may be asked about, some at a time, by their numbers.

    Gives where to go on (None: at the end), and how many were new. History is left alone: only
    orders from the kind's ``active_from`` on (P8).
    """
    since = _since(session, channel, now)
    if since is None:
        return None, 0
    orders = session.scalars(_to_look_at(channel, since, after).limit(limit)).all()
    raws = _newest_raws(session, channel, [order.external_id for order in orders])
    known = _requests_of(session, channel, [order.external_id for order in orders])
    made = 0
    for order in orders:
        raw = raws.get(order.external_id)
        window = None if raw is None else connector.ask_window(raw)
        request = known.get(order.external_id)
        if request is not None:
            _follow_window(request, window, now)
        elif window is not None and window.closes_at > now and not unfit_order(order):
            session.add(_request(channel, order, window, now))
            made += 1
    session.flush()
    return (orders[-1].id if len(orders) == limit else None), made


def _since(session: Session, channel: Channel, now: datetime) -> datetime | None:
    kind = session.get(ChannelKind, (channel.id, MailKind.REVIEW_REQUEST))
    return None if kind is None else max(kind.active_from, now - REACH)


def _to_look_at(channel: Channel, since: datetime, after: int) -> Any:
    """Sent orders without a request, and those that changed since their request was made."""
    return (
        select(OrderRow)
        .outerjoin(
            Solicitation,
            and_(
                Solicitation.channel_id == OrderRow.channel_id,
                Solicitation.external_id == OrderRow.external_id,
            ),
        )
        .where(
            OrderRow.channel_id == channel.id,
            OrderRow.ordered_at >= since,
            OrderRow.fulfilment.in_(("shipped", "delivered")),
            OrderRow.id > after,
            or_(
                Solicitation.id.is_(None),
                and_(Solicitation.state.in_(WAITING), OrderRow.changed_at > Solicitation.looked_at),
            ),
        )
        .order_by(OrderRow.id)
    )


def _newest_raws(session: Session, channel: Channel, numbers: Sequence[str]) -> dict[str, RawOrder]:
    rows = session.execute(
        select(RawRecord.external_id, RawRecord.payload)
        .where(
            RawRecord.channel_id == channel.id,
            RawRecord.external_id.in_(numbers),
            RawRecord.payload.is_not(None),
        )
        .order_by(RawRecord.id)
    )
    return {row.external_id: RawOrder(row.external_id, row.payload or {}) for row in rows}


def _requests_of(
    session: Session, channel: Channel, numbers: Sequence[str]
) -> dict[str, Solicitation]:
    rows = session.scalars(
        select(Solicitation).where(
            Solicitation.channel_id == channel.id, Solicitation.external_id.in_(numbers)
        )
    )
    return {row.external_id: row for row in rows}


def _follow_window(request: Solicitation, window: AskWindow | None, now: datetime) -> None:
    request.looked_at = now
    if window is not None:
        request.opens_at, request.closes_at = window.opens_at, window.closes_at


def _request(channel: Channel, order: OrderRow, window: AskWindow, now: datetime) -> Solicitation:
    return Solicitation(
        channel_id=channel.id,
        external_id=order.external_id,
        place=window.place,
        state=S.HANDOFF,
        opens_at=window.opens_at,
        closes_at=window.closes_at,
        looked_at=now,
        created_at=now,
        history=[],
    )


def unfit_order(order: OrderRow | None) -> str:
    """Why nobody may be asked about this order, as a code; empty where one may."""
    if order is None:
        return "order_gone"
    return unfit(
        life=order.life,
        payment=order.payment,
        fulfilment=order.fulfilment,
        refunded=order.refunded,
    )


def end_requests(session: Session, now: datetime) -> int:
    """End waiting requests whose order was cancelled, refunded or taken back, or that are late.

    One that was never tried and whose order is gone is forgotten: read again, it may come anew.
    """
    rows = session.execute(
        select(Solicitation, OrderRow)
        .outerjoin(
            OrderRow,
            and_(
                OrderRow.channel_id == Solicitation.channel_id,
                OrderRow.external_id == Solicitation.external_id,
            ),
        )
        .where(Solicitation.state.in_(WAITING))
        .order_by(Solicitation.id)
    ).all()
    ended = 0
    for request, order in rows:
        code = unfit_order(order)
        if code == "order_gone" and not request.attempts:
            session.delete(request)
        elif code:
            apply_request_move(request, "cancel", Actor.SYSTEM, "system", code, now)
        elif request.closes_at <= now:
            apply_request_move(request, "expire", Actor.SYSTEM, "system", "window_over", now)
        else:
            continue
        ended += 1
    session.flush()
    return ended


def purge_requests(session: Session, _ctx: Context, now: datetime) -> int:
    """Delete requests whose window is over: 30 days after the latest delivery day (P14).

    One that is just being sent stays until its outcome is known.
    """
    over = and_(Solicitation.closes_at <= now, Solicitation.state != S.SENDING)
    gone = session.execute(delete(Solicitation).where(over).returning(Solicitation.id))
    return len(gone.all())


def ready_requests(
    session: Session, ctx: Context, now: datetime, channel: str = ""
) -> tuple[Ready, ...]:
    """What may be released now, the soonest to close first; its length is the number asked for."""
    rows = session.execute(
        select(Solicitation, Channel, OrderRow)
        .join(Channel, Channel.id == Solicitation.channel_id)
        .join(
            OrderRow,
            and_(
                OrderRow.channel_id == Solicitation.channel_id,
                OrderRow.external_id == Solicitation.external_id,
            ),
        )
        .where(
            Solicitation.state == S.HANDOFF,
            Solicitation.opens_at <= now,
            Solicitation.closes_at > now,
        )
        .order_by(Solicitation.closes_at, Solicitation.id)
    ).all()
    return tuple(
        Ready(request.id, front.name, order.number, order.ordered_at, request.closes_at)
        for request, front, order in rows
        if channel in ("", front.name)
        and asks_for_reviews(ctx.documents, front.name, front.family)
        and not unfit_order(order)
    )


def release_requests(
    session: Session,
    ctx: Context,
    ids: Sequence[int],
    *,
    expected: int,
    by: str,
    now: datetime,
) -> tuple[int, ...]:
    """Leave exactly these requests to the marketplace; they go out with the next round.

    Raises Refused, and then none is released: for an empty selection, for another number than
    ``expected``, where one of them is no longer ready, and under a pressed kill switch.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise Refused("nothing_chosen")
    ready = {one.id for one in ready_requests(session, ctx, now)}
    found = [
        request
        for request in session.scalars(
            select(Solicitation)
            .where(Solicitation.id.in_(wanted))
            .order_by(Solicitation.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if request.id in ready and request.state is S.HANDOFF
    ]
    if not expected == len(wanted) == len(found):
        raise Refused("requests_differ", expected=expected, found=len(found))
    for request in found:
        if stop_over(session, request.channel_id, MailKind.REVIEW_REQUEST) is not None:
            raise Refused("stopped")
        apply_request_move(request, "release", Actor.STAFF, by, "released", now)
    session.add(Audit(at=now, by=by, action="release_requests", detail={"count": len(found)}))
    session.flush()
    return tuple(request.id for request in found)


def doubtful_requests(session: Session, order: str, channel: str = "") -> list[int]:
    """Ids of the unconfirmed requests of an order number; ``channel`` empty: of every shop."""
    query = (
        select(Solicitation.id)
        .join(Channel, Channel.id == Solicitation.channel_id)
        .where(Solicitation.external_id == order, Solicitation.state == S.UNCONFIRMED)
    )
    return list(session.scalars(query.where(Channel.name == channel) if channel else query))


def resolve_request(
    session: Session, request_id: int, *, how: str, by: str, now: datetime
) -> Solicitation:
    """Settle a request that nobody could confirm: was_asked, was_not_asked or abandon.

    Not asked means: it waits for a release again, and the marketplace is asked first whether it
    would take it. Raises Refused for an unknown one, MoveRefused for one that is no doubt.
    """
    request = session.get(Solicitation, request_id, with_for_update=True, populate_existing=True)
    if request is None:
        raise Refused("not_found")
    apply_request_move(request, how, Actor.STAFF, by, "by_hand", now)
    if how == "was_asked":
        request.asked_at = request.sending_since or now
    session.add(Audit(at=now, by=by, action=how, subject=f"request:{request.id}", detail={}))
    session.flush()
    return request


def apply_request_move(
    request: Solicitation, name: str, actor: Actor, by: str, reason: str, now: datetime
) -> None:
    """Make a move and note it in the request's history. Raises MoveRefused."""
    target = request_move(name, request.state, actor).target
    entry = {"at": now.isoformat(), "move": name, "to": target, "by": by, "reason": reason}
    request.state = target
    request.history = [*request.history, entry]
