"""Carrying released review requests out: each step a transaction of its own, none while asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from connectors.kit.soliciting import Answer, Replied
from worker.mail.journal import SENDING, Entry, Journal
from worker.pipeline.context import Context
from worker.pipeline.solicit import apply_request_move, unfit_order
from worker.pipeline.stops import stop_over
from worker.rules.soliciting import asks_for_reviews
from worker.rules.states import Actor, MailKind, MessageState
from worker.store.channels import Channel
from worker.store.leases import DatabaseLater
from worker.store.orders import OrderRow
from worker.store.solicitations import Solicitation
from worker.store.types import DatabaseNow

S = MessageState
STUCK_SECONDS = 900.0
"""A request that is under way for longer has lost its worker; the call's deadlines are shorter."""

ASKED, REFUSED, NOT_NOW, UNSURE = "asked", "refused", "not_now", "unsure"
"""Outcomes in the journal: the names of the moves they lead to."""

_MOVE_OF = {Answer.YES: ASKED, Answer.NO: REFUSED, Answer.UNKNOWN: UNSURE}
_BY = "solicit"


@dataclass(frozen=True, slots=True)
class Due:
    """A released request whose time has come."""

    id: int
    ref: str
    """Its name in the journal: the same for this order in every copy of the database."""
    order_id: str
    place: str


def due_requests(session: Session, now: datetime, limit: int = 50) -> dict[str, list[Due]]:
    """Released requests by channel, the soonest to close first."""
    rows = session.execute(
        select(Solicitation, Channel.name)
        .join(Channel, Channel.id == Solicitation.channel_id)
        .where(
            Solicitation.state == S.APPROVED,
            Solicitation.opens_at <= now,
            or_(Solicitation.next_attempt_at.is_(None), Solicitation.next_attempt_at <= now),
        )
        .order_by(Solicitation.closes_at, Solicitation.id)
        .limit(limit)
    ).all()
    found: dict[str, list[Due]] = {}
    for request, name in rows:
        ref = f"request:{name}:{request.external_id}"
        due = Due(request.id, ref, request.external_id, request.place)
        found.setdefault(name, []).append(due)
    return found


def in_doubt(session: Session) -> bool:
    """Whether a request stands in ``sending``: its worker may have died."""
    query = select(Solicitation.id).where(Solicitation.state == S.SENDING).limit(1)
    return session.scalar(query) is not None


def may_go(session: Session, ctx: Context, request_id: int, now: datetime) -> bool:
    """Check a released request again; one that may not go is moved where it belongs."""
    request = _locked(session, request_id)
    return request is not None and _may_go(session, ctx, request, now)


def begin_asking(
    session: Session, ctx: Context, due: Due, journal: Sequence[Entry], now: datetime
) -> int | None:
    """Take the request into ``sending``; gives the number of the attempt, None: it may not go.

    ``journal`` are the entries of ``due.ref``: an attempt that this database does not know of
    means a restored copy, and a person must look (P13).
    """
    request = _locked(session, due.id)
    if request is None or not _may_go(session, ctx, request, now):
        return None
    if sum(entry.event == SENDING for entry in journal) > request.attempts:
        apply_request_move(request, "journal_says", Actor.DISPATCH, _BY, "journal_ahead", now)
        return None
    apply_request_move(request, "ask", Actor.DISPATCH, _BY, "offered", now)
    request.attempts += 1
    request.sending_since = DatabaseNow()
    session.flush()
    return request.attempts


def _locked(session: Session, request_id: int) -> Solicitation | None:
    return session.get(Solicitation, request_id, with_for_update=True, populate_existing=True)


def _may_go(session: Session, ctx: Context, request: Solicitation, now: datetime) -> bool:
    if request.state is not S.APPROVED:
        return False
    channel = session.get_one(Channel, request.channel_id)
    if not asks_for_reviews(ctx.documents, channel.name, channel.family):
        apply_request_move(request, "recall", Actor.SYSTEM, _BY, "other_sender", now)
        return False
    order = session.scalar(
        select(OrderRow).where(
            OrderRow.channel_id == request.channel_id, OrderRow.external_id == request.external_id
        )
    )
    if code := unfit_order(order):
        apply_request_move(request, "cancel", Actor.DISPATCH, _BY, code, now)
        return False
    if request.closes_at <= now:
        apply_request_move(request, "expire", Actor.DISPATCH, _BY, "window_over", now)
        return False
    return stop_over(session, channel.id, MailKind.REVIEW_REQUEST) is None


def refuse(session: Session, request_id: int, said: str, now: datetime) -> None:
    """Note that the marketplace does not offer the request; nothing was sent."""
    request = _locked(session, request_id)
    if request is not None and request.state is S.APPROVED:
        apply_request_move(request, REFUSED, Actor.DISPATCH, _BY, "not_offered", now)
        request.said = said


def put_off(session: Session, request_id: int, said: str, until: datetime) -> None:
    """Leave a released request for later, with why."""
    request = _locked(session, request_id)
    if request is not None and request.state is S.APPROVED:
        request.said, request.next_attempt_at = said, until


def outcome_of(replied: Replied) -> str:
    """The move that an answer leads to."""
    return _MOVE_OF[replied.answer]


def record_outcome(
    session: Session, request_id: int, outcome: str, said: str, now: datetime,
    until: datetime | None = None,
) -> None:  # fmt: skip
    """Note what became of a request in ``sending``; ``until``: when to try again."""
    request = _locked(session, request_id)
    if request is None or request.state is not S.SENDING:
        return
    apply_request_move(request, outcome, Actor.DISPATCH, _BY, "answered", now)
    request.said, request.next_attempt_at = said, until
    if outcome == ASKED:
        request.asked_at = now


def settle_stuck(session: Session, journal: Journal, now: datetime) -> int:
    """Settle requests whose worker died: by the journal's outcome, else a person must look."""
    stuck = session.execute(
        select(Solicitation, Channel.name)
        .join(Channel, Channel.id == Solicitation.channel_id)
        .where(
            Solicitation.state == S.SENDING,
            Solicitation.sending_since <= DatabaseLater(-STUCK_SECONDS),
        )
        .order_by(Solicitation.id)
        .with_for_update(of=Solicitation, skip_locked=True)
    ).all()
    for request, name in stuck:
        entries = journal.lookup(f"request:{name}:{request.external_id}")
        outcome = _last_word(entries, request.attempts)
        apply_request_move(request, outcome, Actor.DISPATCH, "sweep", "worker_died", now)
        request.asked_at = request.sending_since if outcome == ASKED else None
        if outcome == NOT_NOW:
            request.next_attempt_at = now + timedelta(minutes=5)
    return len(stuck)


def _last_word(entries: Sequence[Entry], attempts: int) -> str:
    sent = sum(entry.event == SENDING for entry in entries)
    last = entries[-1].event if entries else ""
    return last if sent == attempts and last in {ASKED, REFUSED, NOT_NOW} else UNSURE
