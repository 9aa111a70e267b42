"""Freezes texts when it is time to read them, follows changed facts, and checks them at sending."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.render_check import Recheck, checked, recheck, recheck_many
from worker.pipeline.render_coupons import PoolEmpty, coupon_for, sample_for
from worker.pipeline.render_draft import (
    Draft,
    Workshop,
    draft,
    open_workshop,
)
from worker.pipeline.render_freeze import (
    end_repeated,
    freeze,
    keep_words,
    refuse,
    settle_fresh,
    settle_old,
)
from worker.pipeline.render_timed import release_timed
from worker.rules.flags import Raised
from worker.rules.states import WAITING, Flag, MessageState
from worker.store.messages import Message
from worker.store.text_queries import Material, due_to_render

__all__ = [
    "Preview",
    "Recheck",
    "RenderResult",
    "preview",
    "recheck",
    "recheck_many",
    "refresh",
    "render_due",
    "render_message",
]


@dataclass
class RenderResult:
    """How many messages went into which state, by the state's word."""

    states: Counter[str] = field(default_factory=Counter)
    timed: list[str] = field(default_factory=list)
    """Messages that went unread, as their mode allows."""

    @property
    def rendered(self) -> int:
        """Messages that were looked at."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class Preview:
    """A mail as it would be now; nothing is stored and no coupon is taken."""

    subject: str
    text: str
    html: str | None
    recipient: str
    text_key: str
    flags: list[dict[str, Any]]


def render_due(session: Session, ctx: Context, now: datetime, limit: int = 200) -> RenderResult:
    """Freeze the text of messages whose time to be read has come, and let timed ones go.

    A mail whose approval lapsed at the last moment is written anew here as well.
    """
    messages = due_to_render(session, now, limit)
    result = RenderResult(timed=release_timed(session, ctx, now, limit))
    if not messages:
        return result
    shop, materials = open_workshop(session, ctx, messages, now)
    # One flush for all: a statement in between would otherwise write each mail by itself.
    with session.no_autoflush:
        for material in materials:
            if material.message.state is MessageState.SCHEDULED:
                _render(shop, material, now)
            else:
                _follow(shop, material, now)
            material.message.review_at = None
            result.states[material.message.state.value] += 1
    session.flush()
    return result


def render_message(session: Session, ctx: Context, message_id: str, now: datetime) -> Message:
    """Write one waiting message anew, whatever its state; a clerk's own words are kept."""
    message = session.get_one(Message, message_id, with_for_update=True)
    if message.state in WAITING:
        shop, (material,) = open_workshop(session, ctx, [message], now)
        if message.state is MessageState.SCHEDULED:
            _render(shop, material, now)
        else:
            _follow(shop, material, now, forced=True)
        message.review_at = None
        session.flush()
    return message


def refresh(session: Session, ctx: Context, messages: list[Message], now: datetime) -> int:
    """Let rendered messages follow their facts (P11); gives how many were written anew."""
    waiting = [m for m in messages if m.state in WAITING and m.state is not MessageState.SCHEDULED]
    if not waiting:
        return 0
    shop, materials = open_workshop(session, ctx, waiting, now)
    changed = sum(_follow(shop, material, now) for material in materials)
    session.flush()
    return changed


def _render(shop: Workshop, material: Material, now: datetime) -> None:
    made = _drafted(shop, material, now, take=True)
    if refuse(shop, made, now) or end_repeated(shop, made, now):
        return
    material.message.edited = False
    freeze(shop, made, now)
    settle_fresh(shop, made, now)


def _drafted(shop: Workshop, material: Material, now: datetime, *, take: bool) -> Draft:
    """Draft with the coupon the mail carries; an empty pool is a reason to hold."""
    sample = sample_for(shop.session, material)
    try:
        coupon = coupon_for(shop.session, shop.ctx, material, now, take=take)
    except PoolEmpty as empty:
        made = draft(shop, material, now, empty.shown, sample)
        flag = Raised(empty.flag, empty.pool)
        others = [f for f in made.flags if f.flag is not Flag.MISSING_VALUE]
        return Draft(
            **{
                **{name: getattr(made, name) for name in Draft.__dataclass_fields__},
                "problem": flag,
                "flags": [flag, *others],
            }
        )
    return draft(shop, material, now, coupon, sample)


def _follow(shop: Workshop, material: Material, now: datetime, *, forced: bool = False) -> bool:
    """Write a rendered message anew where something it rests on has changed."""
    message = material.message
    if not forced and message.facts_hash and not checked(shop, material).changed:
        return False
    made = _drafted(shop, material, now, take=True)
    if refuse(shop, made, now):
        return True
    if message.edited:
        keep_words(shop, made)
    else:
        freeze(shop, made, now)
    settle_old(shop, made, now)
    return True


def preview(session: Session, ctx: Context, message_id: str, now: datetime) -> Preview:
    """Show one message as it would be now, with the very renderer that sends."""
    message = session.get_one(Message, message_id)
    shop, (material,) = open_workshop(session, ctx, [message], now)
    made = _drafted(shop, material, now, take=False)
    rendered = made.rendered
    return Preview(
        subject=rendered.subject if rendered else "",
        text=rendered.body_text if rendered else "",
        html=rendered.body_html if rendered else None,
        recipient=made.recipient,
        text_key=made.text_key,
        flags=[raised.stored() for raised in made.flags],
    )
