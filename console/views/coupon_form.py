"""Forms of campaigns: what was typed, read into terms, each fault at its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.registry import coupon_kinds
from console.views.coupons import kind_of
from console.views.names import Option, shop_labels
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.coupons import PoolRefused
from worker.rules.live_coupons import LONGEST_NAME, LiveCoupon, problems_of
from worker.store.channels import Channel
from worker.store.reward_sources import source_of
from worker.store.rewards import CouponPool

Kind = Literal["single", "shared", "live"]
KINDS: tuple[Kind, ...] = ("single", "shared", "live")

_FIELDS_OF = {
    "shared": "name",
    "single": "name",
    "live": "name",
    "name": "name",
    "elsewhere": "name",
    "channel": "channel",
    "terms": "code",
    "unreadable": "file",
}
"""Where a refusal of the step is shown."""


@dataclass(frozen=True)
class FormView:
    """The form as it is printed; ``errors`` by field, ``lines`` of a file that cannot be read."""

    kind: Kind
    values: Mapping[str, str]
    channels: tuple[Option, ...]
    errors: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[tuple[str, str], ...] = ()
    known: bool = False
    """The campaign exists: its name stays."""


def blank(words: Words) -> dict[str, str]:
    """What an empty form holds."""
    return {
        "name": "", "value": "", "percent": "", "minimum": "0", "expires": "", "channel": "",
        "targets": words("coupons.targets_default"), "code": "", "days": "90", "title": "",
        "bound": "yes",
    }  # fmt: skip


def values_of(session: Session, ctx: Context, pool: CouponPool) -> tuple[Kind, dict[str, str]]:
    """A campaign's terms, to be added to, renewed or changed."""
    source = source_of(session, pool.id)
    names = {row.id: row.name for row in session.execute(select(Channel.id, Channel.name))}
    last = pool.expires_at - timedelta(minutes=1) if pool.expires_at else None
    values = {
        "name": pool.name,
        "value": str(pool.value) if pool.value else "",
        "percent": str(source.percent or "") if source else "",
        "minimum": str(pool.minimum),
        "expires": last.astimezone(ctx.zone).date().isoformat() if last else "",
        "channel": names.get(pool.channel_id or 0, ""),
        "targets": pool.targets,
        "code": "",
        "days": str(source.valid_days) if source else "",
        "title": source.title if source else "",
        "bound": "yes" if source and source.bound else "",
    }
    return cast(Kind, kind_of(pool, source)), values


def channels_for(session: Session, kind: Kind, chosen: str, words: Words) -> tuple[Option, ...]:
    """The shops where such a code may be redeemed."""
    labels = shop_labels(session, words)
    rows = session.execute(select(Channel.name, Channel.kind, Channel.family)).all()
    fits: Callable[[Any], bool] = {
        "single": lambda row: row.family == "own",
        "shared": lambda row: row.family != "amazon",
        "live": lambda row: row.kind in coupon_kinds(),
    }[kind]
    found = [
        Option(row.name, labels.get(row.name, row.name), None, row.name == chosen)
        for row in rows
        if fits(row)
    ]
    if kind == "single":
        found.insert(0, Option("", words("coupons.own_any"), None, not chosen))
    return tuple(found)


@dataclass
class Typed:
    """Reads one form after another field; what is wrong gathers in ``errors``."""

    values: Mapping[str, str]
    words: Words
    errors: dict[str, str] = field(default_factory=dict)

    def fault(self, name: str, code: str) -> None:
        """The first fault of a field is the one that is shown."""
        self.errors.setdefault(name, self.words(f"pool_refused.{code}"))

    def number(self, name: str, least: int, code: str) -> int:
        """A whole number of at least ``least``; empty counts as 0."""
        typed = self.values.get(name, "").replace(",", "").strip() or "0"
        if not typed.lstrip("-").isdecimal() or len(typed) > _DIGITS:
            self.fault(name, "number")
            return least
        if int(typed) < least:
            self.fault(name, code)
        return int(typed)

    def day(self, name: str, today: date) -> date | None:
        """A day from today on; None where the field is empty."""
        typed = self.values.get(name, "").strip()
        if not typed:
            return None
        try:
            found = date.fromisoformat(typed)
        except ValueError:
            self.fault(name, "day")
            return None
        if found < today:
            self.fault(name, "expires")
        return found

    def pool_name(self) -> str:
        """The campaign's name."""
        name = self.values.get("name", "").strip()
        if not 0 < len(name) <= LONGEST_NAME:
            self.fault("name", "name")
        return name


_DIGITS = 9


def pool_terms(typed: Typed, today: date) -> dict[str, Any]:
    """Terms of a pool of single codes or of a shared one."""
    return {
        "value": typed.number("value", 1, "value"),
        "minimum": typed.number("minimum", 0, "minimum"),
        "targets": typed.values.get("targets", "").strip()[:200],
        "expires_on": typed.day("expires", today),
        "channel": typed.values.get("channel", "").strip() or None,
    }


_LIVE_FIELDS = {"valid_days": ("days", "days"), "value": ("value", "both")}


def live_terms(typed: Typed, name: str) -> LiveCoupon:
    """Terms of a pool whose codes are made at the shop."""
    coupon = LiveCoupon(
        channel=typed.values.get("channel", "").strip(),
        value=typed.number("value", 0, "value"),
        percent=typed.number("percent", 0, "percent"),
        minimum=typed.number("minimum", 0, "minimum"),
        valid_days=typed.number("days", 1, "days"),
        title=typed.values.get("title", "").strip(),
        targets=typed.values.get("targets", "").strip()[:200],
        bound=typed.values.get("bound", "") == "yes",
    )
    for setting, _ in problems_of(name, coupon):
        shown, code = _LIVE_FIELDS.get(setting, (setting or "name", setting or "name"))
        typed.fault(shown, code)
    return coupon


def refusal(refused: PoolRefused, words: Words) -> dict[str, str]:
    """A refusal of the step at the field that it is about."""
    shown = _FIELDS_OF.get(refused.code, "name")
    if refused.code:
        return {shown: words(f"pool_refused.{refused.code}")}
    ja, found, en = str(refused).partition(" / ")
    text = (en if words.locale == "en" else ja) if found else ja
    return {shown: words("pool_refused.other", text=text)}
