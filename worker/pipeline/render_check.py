"""Looks again at what a rendered mail rests on, and names what is not the same any more (P5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from worker.mail.placeholders import values as all_values
from worker.mail.render import MissingValue, TextRefused
from worker.pipeline.context import Context
from worker.pipeline.render_coupons import coupon_for, sample_for
from worker.pipeline.render_draft import Workshop, held_by, open_workshop, permission_of
from worker.pipeline.render_facts import telltale, text_facts
from worker.pipeline.template_mailboxes import TEST_STEP, changed_since
from worker.rules.states import Verdict
from worker.store.messages import Message, MessageBody
from worker.store.text_queries import Material


@dataclass(frozen=True, slots=True)
class Recheck:
    """A fresh look: ``changed`` names what is not as it was rendered; empty, nothing is."""

    verdict: Verdict
    changed: list[str]
    code: str = ""
    """Why the mail must not go at all; empty: it may."""


def recheck(session: Session, ctx: Context, message_id: str, now: datetime) -> Recheck:
    """Look at one message's facts again, as they are now; used by review and inside the claim.

    Only values the text speaks of count, besides recipient, verdict and the choice of words (P5).
    """
    return recheck_many(session, ctx, [message_id], now)[message_id]


def recheck_many(
    session: Session, ctx: Context, message_ids: Sequence[str], now: datetime
) -> dict[str, Recheck]:
    """Look at the facts of several messages, in about as many statements as for one."""
    messages = [session.get_one(Message, message_id) for message_id in message_ids]
    shop, materials = open_workshop(session, ctx, messages, now)
    return {material.message.id: checked(shop, material) for material in materials}


def checked(shop: Workshop, material: Material) -> Recheck:
    """Compare what is known now with what the message was rendered from."""
    message = material.message
    permission = permission_of(shop, material, advertising=message.advertising)
    if message.step == TEST_STEP:
        # It speaks of nobody: an invented customer or an order it was only tried on.
        return Recheck(Verdict.ALLOW, changed_since(shop.ctx, message, material.body))
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
    held = set(held_by(material, shop.run.now)) - set(before.get("held", ()))
    changed += sorted(held)
    changed += _changed_values(shop, material, body.values or {})
    if _is_carried(material):
        return Recheck(permission.verdict, changed, permission.code)
    # Nothing carries it any more: its last order was cancelled in between.
    return Recheck(permission.verdict, [*changed, "occasion"], permission.code)


def _is_carried(material: Material) -> bool:
    """Whether anything still asks for the mail; a repetition has only what its first one had."""
    if material.message.again_of is None:
        return bool(material.occasions)
    lives = [order.life for order in material.orders]
    return not lives or any(life != "cancelled" for life in lives)


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
