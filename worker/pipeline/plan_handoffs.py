"""Campaigns that staff run in the marketplace's own tool: text, conditions, expected number."""

from __future__ import annotations

from dataclasses import replace

from worker.mail.facts import TextFacts
from worker.mail.placeholders import values
from worker.mail.render import MissingValue, Rendered, TextRefused, render
from worker.mail.texts import TextBroken, TextMissing, choose_text
from worker.pipeline.plan_run import Planned, Run
from worker.pipeline.render_shop import shop_facts
from worker.rules.flags import Raised
from worker.rules.states import Actor, Flag, MessageState, ReviewMode
from worker.store.messages import Handoff, Message, MessageBody, MessageEvent
from worker.store.moves import apply_move
from worker.store.ulids import new_ulid


def make_handoff(run: Run, item: Planned) -> Message:
    """Make the campaign of this kind, channel and month; it is for many and names nobody."""
    message = Message(
        id=new_ulid(run.now),
        kind=item.kind,
        step=item.step,
        channel_id=item.channel.id,
        family=item.channel.family,
        scope=item.scope,
        customer_id=None,
        group_key=item.group_key,
        locale=item.channel.locale or run.ctx.documents.shop.locale,
        state=MessageState.SCHEDULED,
        mode=ReviewMode.REVIEW,
        advertising=True,
        why=item.decision.reason,
        due_at=run.now,
        created_at=run.now,
    )
    run.session.add(message)
    run.session.flush()
    month = run.setting.days.day(run.now).strftime("%Y-%m")
    conditions = {**item.conditions, "month": month}
    run.session.add(MessageEvent(**_planned_event(run, message)))
    run.session.add(Handoff(message_id=message.id, conditions=conditions, expected=0))
    _write(run, item, message)
    apply_move(
        run.session, message, "hand_off", Actor.SYSTEM, "system", item.decision.reason, run.now
    )
    run.session.flush()
    return message


def _planned_event(run: Run, message: Message) -> dict[str, object]:
    return {
        "message_id": message.id,
        "at": run.now,
        "move": "plan",
        "from_state": None,
        "to_state": message.state,
        "actor": Actor.SYSTEM,
        "by": "system",
        "reason": message.why,
    }


def _write(run: Run, item: Planned, message: Message) -> None:
    """Put the draft in; without one staff still see whom and how many it is for."""
    body = MessageBody(message_id=message.id)
    try:
        rendered, key, version = _draft(run, item, message.locale)
    except (TextMissing, TextBroken, TextRefused, MissingValue) as error:
        message.flags = [Raised(Flag.TEXT_MISSING, str(error)).stored()]
    else:
        body.subject, body.text, body.html = rendered.subject, rendered.body_text, None
        body.values = dict(rendered.used)
        message.text_key, message.text_version = key, version
        message.release = run.ctx.documents.release
    run.session.add(body)


def _draft(run: Run, item: Planned, locale: str) -> tuple[Rendered, str, str]:
    text = choose_text(run.ctx.texts, locale, item.kind, item.channel.family, "any")
    shop = shop_facts(run.ctx, item.channel, locale)
    if shop.shop_name is None:
        # A draft for staff, who put it into the marketplace's own tool.
        shop = replace(shop, shop_name=run.ctx.documents.shop.name)
    facts = TextFacts(now=run.now, zone=run.ctx.zone, shop=shop)
    rendered = render(text, values(facts, locale))
    return rendered, f"{locale}/{text.key}", text.version_hash
