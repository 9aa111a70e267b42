"""Whether the service lives, whether it can work, and its figures for a monitoring system."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from console.visit import house_of
from worker.pipeline.channel_health import Health, channel_health
from worker.pipeline.coupons_level import pool_levels
from worker.rules.states import CouponState, MessageState, QuarantineState
from worker.store.engine import reading
from worker.store.message_queries import TO_SEND
from worker.store.messages import Message
from worker.store.orders import Quarantine
from worker.store.reward_sources import made_live
from worker.store.rewards import CouponCode, CouponPool
from worker.store.running import Stop

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return PlainTextResponse("ok")


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """The store answers and the data directory can be written; else 503 naming which cannot."""
    house = house_of(request)
    wrong = [
        name
        for name, works in (
            ("store", _store_answers(house.engine)),
            ("data directory", _can_write(house.data_dir)),
        )
        if not works
    ]
    if wrong:
        return PlainTextResponse(f"not ready: {', '.join(wrong)}", status_code=503)
    return PlainTextResponse("ready")


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Counts only, nothing personal; in the text format that Prometheus reads."""
    house = house_of(request)
    registry = CollectorRegistry()
    registry.register(_Figures(house.engine, house.clock()))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _store_answers(engine: Engine) -> bool:
    try:
        with reading(engine) as session:
            session.execute(text("SELECT 1 FROM messages LIMIT 1"))
    except SQLAlchemyError:
        return False
    return True


def _can_write(folder: Path) -> bool:
    try:
        with tempfile.NamedTemporaryFile(dir=folder):
            return True
    except OSError:
        return False


class _Figures(Collector):
    """Reads the store when it is asked, so that every replica tells the same."""

    def __init__(self, engine: Engine, now: datetime) -> None:
        self.engine, self.now = engine, now

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing beforehand: registering must not read the store."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One gauge per figure."""
        with reading(self.engine) as session:
            yield _messages(session)
            yield _one(
                "okaeri_oldest_due_seconds",
                "How long the oldest approved message has been due",
                _oldest_due(session, self.now),
            )
            yield _one(
                "okaeri_unconfirmed",
                "Sends whose outcome nobody knows",
                session.scalar(
                    select(func.count()).where(Message.state == MessageState.UNCONFIRMED)
                ),
            )
            yield _one(
                "okaeri_quarantine_open",
                "Records that could not become orders",
                session.scalar(
                    select(func.count()).where(Quarantine.state == QuarantineState.OPEN)
                ),
            )
            yield _one(
                "okaeri_stops",
                "Pressed kill switches",
                session.scalar(select(func.count()).where(Stop.lifted_at.is_(None))),
            )
            yield _pools(session)
            yield from _live_pools(session, self.now)
            yield from _channels(channel_health(session, self.now), self.now)


def _channels(channels: list[Health], now: datetime) -> Iterator[GaugeMetricFamily]:
    paused = GaugeMetricFamily(
        "okaeri_channel_paused", "1: orders wait for a person", labels=["channel"]
    )
    lag = GaugeMetricFamily(
        "okaeri_channel_lag_seconds", "Since the last poll that worked", labels=["channel"]
    )
    left = GaugeMetricFamily(
        "okaeri_credential_seconds_left",
        "Until a credential ends; negative once it has",
        labels=["channel", "credential"],
    )
    for one in channels:
        paused.add_metric([one.channel], float(one.paused))
        if one.lag_seconds is not None:
            lag.add_metric([one.channel], one.lag_seconds)
        for name, ends in sorted(one.expires.items()):
            left.add_metric([one.channel, name], (ends - now).total_seconds())
    yield from (paused, lag, left)


def _one(name: str, meaning: str, value: float | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=float(value or 0))


def _messages(session: Session) -> GaugeMetricFamily:
    family = GaugeMetricFamily("okaeri_messages", "Messages by state", labels=["state"])
    rows = session.execute(select(Message.state, func.count()).group_by(Message.state)).all()
    found = {row[0]: row[1] for row in rows}
    for state in MessageState:
        family.add_metric([state.value], float(found.get(state, 0)))
    return family


def _oldest_due(session: Session, now: datetime) -> float:
    oldest = session.scalar(
        select(func.min(Message.due_at)).where(Message.state.in_(TO_SEND), Message.due_at <= now)
    )
    return (now - oldest).total_seconds() if oldest else 0.0


def _pools(session: Session) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "okaeri_coupons_available", "Codes left in each pool", labels=["pool"]
    )
    rows = session.execute(
        select(CouponPool.name, func.count(CouponCode.id))
        .outerjoin(
            CouponCode,
            (CouponCode.pool_id == CouponPool.id) & (CouponCode.state == CouponState.AVAILABLE),
        )
        .where(CouponPool.shared_code.is_(None), ~made_live(CouponPool.id))
        .group_by(CouponPool.name)
    ).all()
    for name, left in rows:
        family.add_metric([name], float(left))
    return family


def _live_pools(session: Session, now: datetime) -> Iterator[GaugeMetricFamily]:
    waiting = GaugeMetricFamily(
        "okaeri_coupons_waiting", "Codes promised that their shop has not made", labels=["pool"]
    )
    failing = GaugeMetricFamily(
        "okaeri_coupon_source_failing", "1: paused, or keeps failing", labels=["pool"]
    )
    for level in pool_levels(session, now):
        if level.live:
            waiting.add_metric([level.name], float(level.waiting))
            failing.add_metric([level.name], float(level.low))
    yield from (waiting, failing)
