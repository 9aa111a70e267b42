"""クーポン: campaigns with their levels, and the rewards that carry them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import formats
from console.views.names import Option, scope_label, shop_labels
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.coupons_level import PoolLevel, pool_levels
from worker.rules.gifts import STOP_DAYS
from worker.rules.milestones import reward_pool
from worker.rules.states import GrantState
from worker.store.channels import Channel
from worker.store.grant_queries import GrantLine, codes_of, grant_page, pools
from worker.store.reward_sources import CouponSourceRow, source_of
from worker.store.rewards import CouponPool


@dataclass(frozen=True, slots=True)
class Campaign:
    """One pool as a line of the list."""

    id: int
    name: str
    kind: str
    """``single``, ``shared`` or ``live``."""
    shop: str
    value: str
    minimum: str
    left: str
    until: str
    state: str
    tone: str
    """``ok``, ``warn`` or ``bad``."""
    problem: str
    todo: str
    cards: int
    codes: str
    paused: bool
    declared: bool
    """By the shop's document: terms are changed there."""


@dataclass(frozen=True, slots=True)
class Gift:
    """One reward."""

    id: int
    customer_id: int
    name: str
    what: str
    scope: str
    order: str
    reward: str
    state: str
    tone: str
    changed: str
    why: str
    to_decide: bool


@dataclass(frozen=True, slots=True)
class CouponsView:
    """Everything the page prints."""

    campaigns: tuple[Campaign, ...]
    gifts: tuple[Gift, ...]
    states: tuple[Option, ...]
    chosen: str
    after: str
    more: str


def coupons_view(
    session: Session, ctx: Context, words: Words, now: datetime, *, state: str = "", after: str = ""
) -> CouponsView:
    """Read the page. Raises UnknownPlace."""
    wanted = GrantState(state) if state in set(GrantState) else None
    lines, more = grant_page(session, wanted, after=after)
    shops = shop_labels(session, words)
    return CouponsView(
        campaigns=_campaigns(session, ctx, words, now),
        gifts=tuple(_gift(line, words, shops, now, ctx) for line in lines),
        states=(
            Option("", words("coupons.all"), None, wanted is None),
            *(Option(s, words(f"grant.{s}"), None, s is wanted) for s in GrantState),
        ),
        chosen=wanted or "",
        after=after,
        more=more,
    )


# --- campaigns ------------------------------------------------------------------------------


def _campaigns(session: Session, ctx: Context, words: Words, now: datetime) -> tuple[Campaign, ...]:
    levels = {level.name: level for level in pool_levels(session, now)}
    codes = codes_of(session, now)
    labels = shop_labels(session, words)
    names = {row.id: row.name for row in session.execute(select(Channel.id, Channel.name))}
    return tuple(
        _campaign(
            pool, levels[pool.name], source_of(session, pool.id), codes.get(pool.id, {}),
            labels.get(names.get(pool.channel_id or 0, ""), ""), ctx, words, now,
        )
        for pool in pools(session)
    )  # fmt: skip


def _campaign(
    pool: CouponPool, level: PoolLevel, source: CouponSourceRow | None, codes: Mapping[str, int],
    shop: str, ctx: Context, words: Words, now: datetime,
) -> Campaign:  # fmt: skip
    state, tone = _state(pool, level, now)
    return Campaign(
        id=pool.id,
        name=pool.name,
        kind=kind_of(pool, source),
        shop=shop or words("coupons.any_own"),
        value=_worth(pool, source, ctx, words),
        minimum=_minimum(pool, ctx, words),
        left=_left(level, words),
        until=_until(pool, source, ctx, words),
        state=words(f"coupons.{state}"),
        tone=tone,
        problem=_own_side(level.problem, words),
        todo=_todo(pool, state, ctx, words),
        cards=level.printed,
        codes=words("app.comma").join(
            f"{words(f'code_state.{name}')} {number:,}" for name, number in sorted(codes.items())
        ),
        paused=source is not None and source.paused,
        declared=source is not None and source.from_documents,
    )


def kind_of(pool: CouponPool, source: CouponSourceRow | None) -> str:
    """Where the codes come from."""
    if source is not None:
        return "live"
    return "shared" if pool.shared_code is not None else "single"


def _state(pool: CouponPool, level: PoolLevel, now: datetime) -> tuple[str, str]:
    if level.live:
        if level.stopped:
            return "paused", "bad"
        return ("failing", "bad") if level.low else ("good", "ok")
    if pool.expires_at is not None and pool.expires_at <= now:
        return "over", "bad"
    if level.shared:
        if level.stopped:
            return "stopped", "bad"
        return ("ending", "warn") if level.low else ("good", "ok")
    if not level.left:
        return "empty_pool", "bad"
    return ("low", "warn") if level.low else ("good", "ok")


def _todo(pool: CouponPool, state: str, ctx: Context, words: Words) -> str:
    if state == "ending" and pool.expires_at is not None:
        stops = (pool.expires_at - timedelta(days=STOP_DAYS)).astimezone(ctx.zone)
        return words("coupons.renew_by", day=formats.day(stops.date(), words.locale))
    return {
        "stopped": words("coupons.stopped_text"),
        "over": words("coupons.stopped_text") if pool.shared_code else words("coupons.low_text"),
        "low": words("coupons.low_text"),
        "empty_pool": words("coupons.low_text"),
    }.get(state, "")


def _worth(pool: CouponPool, source: CouponSourceRow | None, ctx: Context, words: Words) -> str:
    if source is not None and source.percent:
        return words("coupons.percent", n=source.percent)
    money = formats.money(pool.value, ctx.documents.shop.counting.currency, words.locale)
    return words("coupons.money_off", money=money)


def _minimum(pool: CouponPool, ctx: Context, words: Words) -> str:
    if not pool.minimum:
        return words("coupons.no_minimum")
    money = formats.money(pool.minimum, ctx.documents.shop.counting.currency, words.locale)
    return words("coupons.from", money=money)


def _left(level: PoolLevel, words: Words) -> str:
    if level.live and level.waiting:
        return words("coupons.waiting", n=level.waiting)
    if level.live:
        return words("coupons.when_needed")
    return "–" if level.left is None else words("coupons.count", n=f"{level.left:,}")


def _until(pool: CouponPool, source: CouponSourceRow | None, ctx: Context, words: Words) -> str:
    if source is not None:
        return words("coupons.valid_days", n=source.valid_days)
    if pool.expires_at is None:
        return words("coupons.no_end")
    last = (pool.expires_at - timedelta(minutes=1)).astimezone(ctx.zone).date()
    return words("coupons.last_day", day=formats.day(last, words.locale))


def _own_side(text: str, words: Words) -> str:
    """Problems are kept in both languages, Japanese first."""
    ja, found, en = text.partition(" / ")
    return (en if words.locale == "en" else ja) if found else text


# --- rewards --------------------------------------------------------------------------------

_TONES = {
    GrantState.EARNED: "ok",
    GrantState.USED: "ok",
    GrantState.RESERVED: "",
    GrantState.TO_DECIDE: "warn",
}


def _gift(
    line: GrantLine, words: Words, shops: Mapping[str, str], now: datetime, ctx: Context
) -> Gift:
    grant = line.grant
    key = f"grant_why.{(grant.reason or {}).get('code', '')}"
    return Gift(
        id=grant.id,
        customer_id=line.customer_id,
        name=line.name,
        what=formats.nth(grant.milestone, words.locale),
        scope=scope_label(grant.scope, words, shops),
        order=line.number,
        reward=_reward(grant.reward, line.last4, words),
        state=words(f"grant.{grant.state}"),
        tone=_TONES.get(grant.state, ""),
        changed=formats.near(grant.changed_at, now, ctx.zone),
        why=words(key) if words.has(key) else "",
        to_decide=grant.state is GrantState.TO_DECIDE,
    )


def _reward(name: str, last4: str, words: Words) -> str:
    pool = reward_pool(name)
    things = name.partition("coupon:")[0].split("+")
    parts = [words(f"coupons.reward_{thing}") for thing in ("card", "sample") if thing in things]
    parts += [f"{pool} (…{last4})" if last4 else pool] if pool else []
    return words("app.comma").join(parts)
