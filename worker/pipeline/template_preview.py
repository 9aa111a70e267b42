"""Shows a text as it would arrive: written for an invented customer or for a real order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from worker.mail.facts import TextFacts
from worker.mail.placeholders import BY_NAME, values
from worker.mail.render import MissingValue, Rendered, TextRefused, render
from worker.mail.texts import ChosenText, TextBroken, load_card, load_text
from worker.pipeline.context import Context
from worker.pipeline.plan_run import shop_days
from worker.pipeline.render_facts import telltale, text_facts
from worker.pipeline.review_words import Refused
from worker.pipeline.template_names import TextName, overlaid
from worker.pipeline.template_samples import (
    SAMPLES,
    facts_of,
    samples_for,
    shop_shown,
)
from worker.rules.states import MailKind
from worker.store.channels import Channel
from worker.store.customers import OrderStanding
from worker.store.messages import Message
from worker.store.orders import OrderRow
from worker.store.text_queries import material_of


@dataclass(frozen=True, slots=True)
class Shown:
    """A text with its values; ``mail`` None where it cannot be finished, ``why`` says it."""

    mail: Rendered | None
    code: str = ""
    what: str = ""
    """The placeholder or the passage that is to blame."""
    line: int = 0
    sender: str = ""


def chosen(ctx: Context, name: TextName, parts: Mapping[str, str]) -> ChosenText:
    """Put the text together with its blocks. Raises TextBroken."""
    source = overlaid(ctx.texts, name, parts)
    if name.is_card:
        return load_card(source, name.locale, name.family, name.occasion or None)
    if not name.is_block:
        return load_text(source, name.locale, name.key)
    return ChosenText(name.key, name.locale, "-", parts["text"], parts.get("html"), "")


def show_sample(
    session: Session,
    ctx: Context,
    name: TextName,
    parts: Mapping[str, str],
    sample_id: str,
) -> Shown:
    """The mail that an invented customer would get."""
    fitting = samples_for(name)
    sample = next((s for s in (*fitting, *SAMPLES) if s.id == sample_id), fitting[0])
    facts = facts_of(name, sample, shop_shown(session, ctx, name))
    return _shown(ctx, name, parts, facts)


def show_order(
    session: Session,
    ctx: Context,
    name: TextName,
    parts: Mapping[str, str],
    order_id: int,
    now: datetime,
) -> Shown:
    """The mail that the buyer of this order would get from this text; no coupon is taken.

    Raises Refused for an order that is not of the text's family.
    """
    order = session.get(OrderRow, order_id)
    channel = session.get(Channel, order.channel_id) if order else None
    if order is None or channel is None or channel.family != name.family:
        raise Refused("order_unfit")
    example = facts_of(name, samples_for(name)[0], shop_shown(session, ctx, name))
    material = material_of(session, _imagined(session, ctx, name, order, channel, now), [order])
    with session.no_autoflush:
        tale = telltale(ctx, material)
        facts = text_facts(
            ctx, material, shop_days(ctx, now), now, tale, example.coupon, example.sample_name
        )
    return _shown(ctx, name, parts, facts)


def _imagined(
    session: Session,
    ctx: Context,
    name: TextName,
    order: OrderRow,
    channel: Channel,
    now: datetime,
) -> Message:
    """The message as it would be made; it is never added to the store."""
    standing = session.get(OrderStanding, order.id)
    return Message(
        id="",
        kind=name.mail_kind or MailKind.ORDER_THANKS,
        step="",
        group_key="",
        channel_id=channel.id,
        family=channel.family,
        scope=ctx.documents.shop.scope_of(channel.name, channel.family),
        customer_id=order.customer_id,
        locale=name.locale,
        rank=standing.rank if standing else None,
        visit_number=standing.visit_number if standing else None,
        created_at=now,
    )


def _shown(ctx: Context, name: TextName, parts: Mapping[str, str], facts: TextFacts) -> Shown:
    try:
        text = chosen(ctx, name, parts)
        known = values(facts, name.locale)
        if name.is_card:
            text = ChosenText(text.key, text.locale, "-", text.body_text, None, "")
        return Shown(render(text, known), sender=facts.shop.shop_name or "")
    except TextBroken as error:
        return Shown(None, "block_missing", str(error))
    except MissingValue as error:
        return Shown(None, "missing_value", error.name)
    except TextRefused as error:
        return Shown(None, error.code, error.reason, error.line)


def label_of(placeholder: str, locale: str) -> str:
    """A placeholder's label in the desk's language; its own name where nobody declared it."""
    declared = BY_NAME.get(placeholder)
    return declared.label(locale) if declared else placeholder
