"""Freezes texts when it is time to read them, follows changed facts, and checks them at sending."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from worker.mail.placeholders import values as all_values
from worker.mail.render import MissingValue, TextRefused
from worker.pipeline.context import Context
from worker.pipeline.render_coupons import PoolEmpty, coupon_for, sample_for
from worker.pipeline.render_draft import (
    Draft,
    Workshop,
    draft,
    open_workshop,
    permission_of,
)
from worker.pipeline.render_facts import telltale, text_facts
from worker.pipeline.render_freeze import (
    end_repeated,
    freeze,
    keep_words,
    refuse,
    settle_fresh,
    settle_old,
)
from worker.rules.flags import Raised
from worker.rules.states import WAITING, Flag, MessageState, Verdict
from worker.store.messages import Message, MessageBody
from worker.store.text_queries import Material, due_to_render

__all__ = [
    "Preview",
    "Recheck",
    "RenderResult",
    "preview",
    "recheck",
    "refresh",
    "render_due",
    "render_message",
]


@dataclass
class RenderResult:
    """How many messages went into which state, by the state's word."""

    states: Counter[str] = field(default_factory=Counter)

    @property
    def rendered(self) -> int:
        """Messages that were looked at."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class Recheck:
    """A fresh look: ``changed`` names what is not as it was rendered; empty, nothing is."""

    verdict: Verdict
    changed: list[str]
    code: str = ""
    """Why the mail must not go at all; empty: it may."""


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
    """Freeze the text of scheduled messages whose time to be read has come."""
    messages = due_to_render(session, now, limit)
    result = RenderResult()
    if not messages:
        return result
    shop, materials = open_workshop(session, ctx, messages, now)
    for material in materials:
        _render(shop, material, now)
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
    freeze(shop, made, now)
    settle_fresh(shop, made, now)


def _drafted(shop: Workshop, material: Material, now: datetime, *, take: bool) -> Draft:
    """Draft with the coupon the mail carries; an empty pool is a reason to hold."""
    sample = sample_for(shop.session, material)
    try:
        coupon = coupon_for(shop.session, shop.ctx, material, now, take=take)
    except PoolEmpty as empty:
        made = draft(shop, material, now, empty.shown, sample)
        flag = Raised(Flag.POOL_EMPTY, empty.pool)
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
    if not forced and message.facts_hash and not _checked(shop, material).changed:
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


# --- checking -------------------------------------------------------------------------------


def recheck(session: Session, ctx: Context, message_id: str, now: datetime) -> Recheck:
    """Look at one message's facts again, as they are now; used by review and inside the claim.

    Only values the text speaks of count, besides recipient, verdict and the choice of words (P5).
    """
    message = session.get_one(Message, message_id)
    shop, (material,) = open_workshop(session, ctx, [message], now)
    return _checked(shop, material)


def _checked(shop: Workshop, material: Material) -> Recheck:
    message = material.message
    permission = permission_of(shop, material, advertising=message.advertising)
    tale = telltale(shop.ctx, material)
    before = dict(message.why.get("basis") or {})
    body = material.body or MessageBody(message_id=message.id, values={}, recipient="")
    now_is = {
        "recipient": shop.recipients.get(message.id) or "",
        "verdict": permission.verdict.value,
        "refused": permission.code,
        "rank": tale.rank,
        "occasions": list(tale.occasions),
    }
    was = {**before, "recipient": body.recipient}
    changed = [name for name, value in now_is.items() if was.get(name) != value]
    changed += _changed_values(shop, material, body.values or {})
    if material.occasions or message.again_of:
        return Recheck(permission.verdict, changed, permission.code)
    # Nothing carries it any more: its last order was cancelled in between.
    return Recheck(permission.verdict, [*changed, "occasion"], permission.code)


def _changed_values(shop: Workshop, material: Material, used: dict[str, Any]) -> list[str]:
    """Names of used values that would be different; written with the clock of the rendering."""
    if not used:
        return []
    message = material.message
    stamp = message.why.get("rendered_at")
    written = datetime.fromisoformat(stamp) if stamp else shop.run.now
    coupon = coupon_for(shop.session, shop.ctx, material, written, take=False)
    try:
        facts = text_facts(
            shop.ctx,
            material,
            shop.run.setting.days,
            written,
            telltale(shop.ctx, material),
            coupon,
            sample_for(shop.session, material),
        )
    except (MissingValue, TextRefused):
        # A clerk's letter names a value that is not known any more.
        return ["letter_body"]
    fresh = all_values(facts, message.locale, only=set(used))
    return sorted(name for name, value in used.items() if fresh.get(name) != value)


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
