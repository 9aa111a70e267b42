"""The first week step by step: each says from the store how far it is, none is ticked by hand.

Who sends which mail today is outside of the store, so that one step is confirmed by a person; the
confirmation is about the very table that was shown and lapses when the table changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.documents import is_sample
from worker.pipeline.audit import record
from worker.pipeline.channel_health import Health, channel_health
from worker.pipeline.context import Context
from worker.pipeline.go_live import Beginning, beginnings
from worker.rules.occasions import ORDER_KINDS
from worker.rules.states import Certainty, MailKind, RunMode, Sender, Verdict
from worker.store import first_week_queries as queries
from worker.store.channels import Channel
from worker.store.first_week_queries import Past
from worker.store.rehearsals import told_of
from worker.store.running import Instance

WEEK = 7
"""Days of orders that a rehearsal should cover."""
CONFIRMED = "senders_confirmed"
_FOOTER = ("staff_name", "mail", "phone", "url", "legal_name", "postal_address", "sender")
"""What every mail of an own shop prints (see worker.setup)."""
_OTHERS = (Sender.HUB, Sender.CART, Sender.MALL)


class TableChanged(Exception):
    """The table of senders is another than the one that was shown."""


@dataclass(frozen=True, slots=True)
class ShopStep:
    """Shop and legal footer. ``senderless`` are channels Okaeri sends for that have no sender."""

    sample: bool
    name: str
    missing: tuple[str, ...]
    senderless: tuple[str, ...]

    @property
    def done(self) -> bool:
        """Nothing is missing and it is one's own."""
        return not (self.sample or self.missing or self.senderless)


def shop_step(session: Session, ctx: Context) -> ShopStep:
    """What of the shop every mail prints, and what of it is missing."""
    shop = ctx.documents.shop
    missing = tuple(name for name in _FOOTER if not getattr(shop.contact, name))
    senderless = {
        one.channel.name
        for one in beginnings(session, ctx)
        if _ours(one) and not shop.contact_of(one.channel.name).sender
    }
    return ShopStep(is_sample(ctx.documents), shop.name, missing, tuple(sorted(senderless)))


@dataclass(frozen=True, slots=True)
class ChannelsStep:
    """Channels with their health and the number of their orders."""

    channels: tuple[Health, ...]

    @property
    def troubled(self) -> tuple[str, ...]:
        """Those that stand still or have brought nothing yet."""
        return tuple(one.channel for one in self.channels if one.paused or not one.orders)

    @property
    def done(self) -> bool:
        """There are channels, and every one has brought orders."""
        return bool(self.channels) and not self.troubled


def channels_step(session: Session, now: datetime) -> ChannelsStep:
    """The channels there are."""
    return ChannelsStep(tuple(channel_health(session, now, count=True)))


@dataclass(frozen=True, slots=True)
class PastStep:
    """The imported past: what it proved, and what stays uncertain."""

    past: Past
    reach: Mapping[str, date]
    """From which day each channel's history is complete, where that is known."""

    @property
    def uncertain(self) -> int:
        """People whose number is not proved."""
        return self.past.customers - self.past.certainty.get(Certainty.PROVED, 0)

    @property
    def done(self) -> bool:
        """There are orders, and none waits to be mended."""
        return self.past.orders > 0 and not self.past.quarantined


def past_step(session: Session) -> PastStep:
    """What is known of the time before."""
    rows = session.execute(select(Channel.name, Channel.history_complete_since))
    return PastStep(queries.past(session), {name: since for name, since in rows if since})


@dataclass(frozen=True, slots=True)
class SendersStep:
    """Who sends which mail today; ``key`` names this very table."""

    lines: tuple[Beginning, ...]
    key: str
    by: str
    at: datetime | None

    @property
    def done(self) -> bool:
        """Somebody has confirmed this table."""
        return self.at is not None


def senders_step(session: Session, ctx: Context) -> SendersStep:
    """The table of senders, and whether somebody has confirmed it as it stands."""
    lines = tuple(beginnings(session, ctx))
    told = "\n".join(f"{one.channel.name} {one.kind} {one.sender}" for one in lines)
    key = hashlib.sha256(told.encode()).hexdigest()[:16]
    row = queries.newest_audit(session, CONFIRMED)
    if row is None or not lines or row.detail.get("table") != key:
        return SendersStep(lines, key, "", None)
    return SendersStep(lines, key, row.by, row.at)


def confirm_senders(session: Session, ctx: Context, key: str, *, by: str, now: datetime) -> None:
    """Note that a person found the table true. Raises TableChanged."""
    step = senders_step(session, ctx)
    if key != step.key or not step.lines:
        raise TableChanged
    record(session, by=by, action=CONFIRMED, now=now, table=key)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many reached a visit number, and how many of them agreed to advertising."""

    number: int
    reached: int
    agreed: int


@dataclass(frozen=True, slots=True)
class ConsentStep:
    """Consent among all people, and among those at milestones."""

    everybody: Coverage
    milestones: tuple[Coverage, ...]

    @property
    def done(self) -> bool:
        """There is somebody to count: what is found is shown, not judged."""
        return self.everybody.reached > 0


def consent_step(session: Session, ctx: Context) -> ConsentStep:
    """Consent as it is: only who agreed on an own shop may have advertising by mail."""
    numbers = sorted(ctx.documents.milestones.default.numbers)
    return ConsentStep(
        Coverage(1, *queries.coverage(session, 1)),
        tuple(Coverage(number, *queries.coverage(session, number)) for number in numbers),
    )


@dataclass(frozen=True, slots=True)
class RehearsalStep:
    """What was compared so far; ``days`` of orders that another system wrote about."""

    told: Mapping[tuple[int, MailKind], int]
    days: int
    needed: bool
    """Another system sends order mails today that Okaeri may send."""

    @property
    def done(self) -> bool:
        """A week lies side by side, or there is nothing to lay beside."""
        return not self.needed or self.days >= WEEK


def rehearsal_step(session: Session, ctx: Context) -> RehearsalStep:
    """How much of a week is compared."""
    lines = beginnings(session, ctx)
    needed = not lines or any(
        one.sender in _OTHERS and one.kind in ORDER_KINDS and one.verdict is not Verdict.FORBID
        for one in lines
    )
    return RehearsalStep(told_of(session), queries.days_compared(session), needed)


@dataclass(frozen=True, slots=True)
class LiveStep:
    """``mode`` and ``locked`` say whether mails leave; ``lines`` what Okaeri sends by the table."""

    mode: RunMode
    locked: bool
    lines: tuple[Beginning, ...]

    @property
    def begun(self) -> int:
        """How many of them plan."""
        return sum(1 for one in self.lines if one.active_from is not None)

    @property
    def done(self) -> bool:
        """Mails leave, and everything that is Okaeri's has begun."""
        live = self.mode is RunMode.LIVE and not self.locked
        return live and bool(self.lines) and self.begun == len(self.lines)


def live_step(session: Session, ctx: Context) -> LiveStep:
    """What has begun, and whether anything leaves the house."""
    instance = session.scalars(select(Instance).limit(1)).first()
    rules = [rule for rule in ctx.documents.mails.rules if rule.enabled]
    used = {(rule.kind, family) for rule in rules for family in rule.families}
    lines = tuple(
        one
        for one in beginnings(session, ctx)
        if _ours(one) and (one.kind, one.channel.family) in used
    )
    mode = instance.mode if instance else RunMode.CAPTURE
    return LiveStep(mode, bool(instance and instance.locked_reason), lines)


def _ours(one: Beginning) -> bool:
    return one.sender is Sender.OKAERI and one.verdict is not Verdict.FORBID


@dataclass(frozen=True, slots=True)
class FirstWeek:
    """All steps."""

    shop: ShopStep
    channels: ChannelsStep
    past: PastStep
    senders: SendersStep
    consent: ConsentStep
    rehearsal: RehearsalStep
    live: LiveStep

    @property
    def states(self) -> dict[str, bool]:
        """Which step is done, in their order."""
        return {name: getattr(self, name).done for name in self.__slots__}


def first_week(session: Session, ctx: Context, now: datetime) -> FirstWeek:
    """Read all steps."""
    return FirstWeek(
        shop=shop_step(session, ctx),
        channels=channels_step(session, now),
        past=past_step(session),
        senders=senders_step(session, ctx),
        consent=consent_step(session, ctx),
        rehearsal=rehearsal_step(session, ctx),
        live=live_step(session, ctx),
    )


def states_of(session: Session, ctx: Context, now: datetime) -> dict[str, bool]:
    """Which step is done, as ``FirstWeek.states`` says it, without counting anything large."""
    brought = queries.channels_with_orders(session)
    channels = channel_health(session, now)
    return {
        "shop": shop_step(session, ctx).done,
        "channels": bool(channels)
        and all(one.channel in brought and not one.paused for one in channels),
        "past": bool(brought) and not queries.any_quarantined(session),
        "senders": senders_step(session, ctx).done,
        "consent": queries.any_standing(session),
        "rehearsal": rehearsal_step(session, ctx).done,
        "live": live_step(session, ctx).done,
    }
