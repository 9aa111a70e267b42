"""Writes a draft into its message and moves the message on: to a reader, out, or on hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from worker.pipeline.render_draft import Draft, Workshop, basis, hash_of
from worker.pipeline.review_approval import bind_approval, clear_approval
from worker.rules.flags import Raised
from worker.rules.keys import address_hash
from worker.rules.review_modes import path_for, rule_for
from worker.rules.states import (
    ADVERTISING_KINDS,
    Actor,
    Flag,
    MailKind,
    MessageState,
    Outcome,
)
from worker.store.messages import Message, MessageBody
from worker.store.moves import apply_move
from worker.store.text_queries import said_since

_ONCE_PER_TEXT = ADVERTISING_KINDS | {MailKind.FOLLOW_UP}
"""Kinds whose same words a second time feel like not being seen (mail-texts, section 3)."""

_SENT_ON = (MessageState.APPROVED, MessageState.RETRY_WAIT)


def refuse(shop: Workshop, made: Draft, now: datetime) -> bool:
    """End a mail that must not go; its occasions say why. True where it was ended."""
    outcome = made.permission.outcome
    if outcome is None or made.problem is not None:
        return False
    reason = {"code": made.permission.code, **made.permission.facts}
    _end(shop, made, "suppress", outcome, reason, now)
    return True


def end_repeated(shop: Workshop, made: Draft, now: datetime) -> bool:
    """End a mail whose very words the person has read not long ago."""
    message = made.material.message
    if made.text is None or message.kind not in _ONCE_PER_TEXT:
        return False
    days = shop.ctx.documents.mails.caps.same_text_days
    last = said_since(shop.session, message, made.text_key, now - timedelta(days=days))
    if last is None:
        return False
    reason = {"code": "same_text_recently", "days": days, "last": last.isoformat()}
    _end(shop, made, "cancel", Outcome.CAPPED, reason, now)
    return True


def _end(
    shop: Workshop,
    made: Draft,
    move: str,
    outcome: Outcome,
    reason: dict[str, Any],
    now: datetime,
) -> None:
    message = made.material.message
    clear_approval(message)
    apply_move(shop.session, message, move, Actor.SYSTEM, "system", reason, now)
    for occasion in made.material.occasions:
        occasion.outcome, occasion.reason, occasion.changed_at = outcome, reason, now


def freeze(shop: Workshop, made: Draft, now: datetime) -> None:
    """Store the words with the release and the hash of what they rest on."""
    message, body = made.material.message, made.material.body
    if body is None:
        body = MessageBody(message_id=message.id)
        shop.session.add(body)
        made.material.body = body
    body.sender, body.reply_to, body.recipient = made.sender, made.reply_to, made.recipient
    if made.rendered is not None:
        body.subject, body.text = made.rendered.subject, made.rendered.body_text
        body.html = made.rendered.body_html
        body.values = dict(made.used)
        body.plain = _plain(made, body)
    _note(shop, made, now)
    if message.attempts:
        # Other words under the Message-ID of an earlier attempt would be two mails in one.
        message.generation, message.attempts = message.generation + 1, 0


def keep_words(shop: Workshop, made: Draft) -> None:
    """A clerk wrote these words: they stay, the new rendering stands beside them for the diff."""
    body = made.material.body
    assert body is not None
    body.recipient, body.sender, body.reply_to = made.recipient, made.sender, made.reply_to
    if made.rendered is not None:
        body.values, body.plain = dict(made.used), _plain(made, body)
    _note(shop, made, shop.run.now)


def _plain(made: Draft, body: MessageBody) -> dict[str, Any]:
    assert made.rendered is not None
    letter = {"letter": body.plain["letter"]} if "letter" in (body.plain or {}) else {}
    return {
        **letter,
        "subject": made.rendered.subject,
        "text": made.rendered.body_text,
        "html": made.rendered.body_html,
    }


def _note(shop: Workshop, made: Draft, now: datetime) -> None:
    message = made.material.message
    found = basis(made, now)
    message.rank = _rank(made)
    message.visit_number = made.tale.number or message.visit_number
    message.announced = made.announced
    message.text_key = made.text_key
    message.text_version = made.text.version_hash if made.text else ""
    message.release = shop.ctx.documents.release
    message.advertising = bool(made.advertises) or message.kind in ADVERTISING_KINDS
    message.recipient_hash = address_hash(shop.ctx.key, made.recipient) if made.recipient else ""
    message.facts_hash = hash_of(found) if made.rendered is not None else ""
    told_before = [f for f in message.flags if f.get("flag") == Flag.FACTS_CHANGED.value]
    message.flags = [*(raised.stored() for raised in made.flags), *told_before[:1]]
    kept = {name: value for name, value in found.items() if name not in ("values", "recipient")}
    message.why = {**message.why, "rendered_at": now.isoformat(), "basis": kept}


def _rank(made: Draft) -> str | None:
    standings = made.material.standings
    for order in reversed(made.material.orders):
        if order.id in standings:
            return standings[order.id].rank
    return made.material.message.rank


# --- moving on ------------------------------------------------------------------------------


def settle_fresh(shop: Workshop, made: Draft, now: datetime) -> None:
    """Move a freshly rendered message to where it belongs."""
    message = made.material.message
    stopping = _stopping(made)
    if stopping is not None:
        message.hold_reason = stopping.flag.value
        _move(shop, message, "hold_unready", stopping.stored(), now)
        return
    _to_reader(shop, made, now)


def _stopping(made: Draft) -> Raised | None:
    if made.problem is not None:
        return made.problem
    if made.permission.holds is not None:
        return Raised(made.permission.holds, made.material.channel.name)
    if not made.sender:
        return Raised(Flag.MISSING_VALUE, "sender")
    return None


def _to_reader(shop: Workshop, made: Draft, now: datetime) -> None:
    message, review = made.material.message, shop.ctx.documents.review
    rule = rule_for(review, message.kind, message.rank, message.family)
    path = path_for(rule, message.kind, message.id, made.flags)
    message.mode = path.mode
    if path.reads:
        _move(shop, message, "submit", {"mode": path.mode.value}, now)
        return
    body = made.material.body
    assert body is not None
    bind_approval(message, body, by="auto", now=now, undo_seconds=review.undo_seconds)
    _move(shop, message, "auto_approve", {"mode": path.mode.value}, now)


def settle_old(shop: Workshop, made: Draft, now: datetime) -> None:
    """Move a message that was rendered before: what was approved must be read again."""
    message = made.material.message
    stopping = _stopping(made)
    was_out_for_sending = message.state in _SENT_ON
    changed = Raised(Flag.FACTS_CHANGED, message.why.get("basis", {}).get("rank"))
    if stopping is None and message.state is MessageState.ON_HOLD and _held_by_us(message):
        message.hold_reason = ""
        _move(shop, message, "release", {"code": "complete"}, now)
        return
    told = any(f.get("flag") == changed.flag.value for f in message.flags)
    if (was_out_for_sending or message.edited) and not told:
        message.flags = [*message.flags, changed.stored()]
    if was_out_for_sending:
        clear_approval(message)
        message.next_attempt_at = None
        _move(shop, message, "lapse", {"code": "facts_changed"}, now)
    if stopping is not None and message.state is MessageState.IN_REVIEW:
        message.hold_reason = stopping.flag.value
        _move(shop, message, "hold", stopping.stored(), now)


_OWN_HOLDS = frozenset(flag.value for flag in Flag)


def _held_by_us(message: Message) -> bool:
    """Held for something missing, not by a person or a kill switch."""
    return message.hold_reason in _OWN_HOLDS


def _move(
    shop: Workshop, message: Message, name: str, reason: dict[str, Any], now: datetime
) -> None:
    apply_move(shop.session, message, name, Actor.SYSTEM, "system", reason, now)
