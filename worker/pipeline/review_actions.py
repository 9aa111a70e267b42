"""What staff do with one message: approve, hold, release, send back, undo, cancel, settle."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.review_approval import bind_approval, clear_approval, content
from worker.pipeline.review_diff import diff_mail
from worker.pipeline.review_eyes import count_reader, raise_where_own_words, uncount_reader
from worker.pipeline.review_reading import raise_where_read
from worker.pipeline.review_trust import count_clean, uncount_clean
from worker.pipeline.review_verdict import Recheck, incomplete, refusal
from worker.pipeline.review_words import Refused, StaleEdit, Words
from worker.pipeline.stops import stop_over
from worker.rules.states import Actor, move
from worker.store.messages import Handoff, Message, MessageBody
from worker.store.moves import apply_move


def load(session: Session, message_id: str, version: int | None) -> Message:
    """Read a message as it stands and lock it; raises StaleEdit where it is not ``version``."""
    message = session.get(Message, message_id, with_for_update=True, populate_existing=True)
    if message is None:
        raise Refused("not_found")
    if version is not None and version != message.version:
        raise StaleEdit(message_id, message.version)
    return message


def load_seen(
    session: Session, message_id: str, version: int | None, seen: Words | None
) -> Message:
    """``load``, and tell a stale page what became of the words that stood on it."""
    try:
        return load(session, message_id, version)
    except StaleEdit as stale:
        body = session.get(MessageBody, message_id, populate_existing=True)
        theirs = diff_mail(seen.given(), content(body)) if seen and body else {}
        raise StaleEdit(message_id, stale.version, theirs) from None


def body_of(session: Session, message: Message) -> MessageBody:
    """The message's words; raises Refused where they are not written yet."""
    body = session.get(MessageBody, message.id)
    if body is None:
        raise Refused("not_rendered")
    return body


def approve(
    session: Session,
    ctx: Context,
    message_id: str,
    *,
    by: str,
    now: datetime,
    version: int | None = None,
    seen: Words | None = None,
    recheck: Recheck | None = None,
) -> Message:
    """Release exactly what stands there; it leaves after the undo window.

    ``seen`` are the words on the page that was read. Raises StaleEdit, with what became of them,
    where the message is not ``version`` any more; MoveRefused where the state does not allow it;
    Refused where somebody else has it open, on a pressed kill switch, a negative verdict
    (missing consent too), an incomplete mail, changed facts, or words that ``by`` wrote.
    """
    message = load_seen(session, message_id, version, seen)
    move("approve", message.state, Actor.STAFF)
    raise_where_read(session, message_id, by=by, now=now)
    body = session.get(MessageBody, message.id)
    raise_where_unfit(session, ctx, message, body, now)
    raise_where_own_words(session, ctx, message, by)
    if recheck is not None and (changed := recheck(session, ctx, message_id, now).changed):
        if "occasion" in changed:
            raise Refused("order_gone")
        raise Refused("facts_changed", changed=list(changed))
    assert body is not None
    bind_approval(message, body, by=by, now=now, undo_seconds=ctx.documents.review.undo_seconds)
    reason = {"hash": message.approved_hash, "flags": [f.get("flag") for f in message.flags]}
    apply_move(session, message, "approve", Actor.STAFF, by, reason, now)
    count_clean(session, message)
    count_reader(session, message, by)
    session.flush()
    return message


def raise_where_unfit(
    session: Session, ctx: Context, message: Message, body: MessageBody | None, now: datetime
) -> None:
    """Raise Refused with the first thing that forbids releasing this message now."""
    if (lacking := incomplete(body)) is not None:
        raise Refused(lacking)
    if message.expires_at is not None and message.expires_at <= now:
        raise Refused("expired")
    if stop_over(session, message.channel_id, message.kind) is not None:
        raise Refused("stopped")
    if (code := refusal(session, ctx, message)) is not None:
        raise Refused(code)


def hold(
    session: Session,
    _ctx: Context,
    message_id: str,
    *,
    by: str,
    now: datetime,
    reason: str = "",
    version: int | None = None,
) -> Message:
    """Put a message aside until somebody releases it; an approval lapses."""
    message = load(session, message_id, version)
    _moved(session, message, "hold", by, {"words": reason}, now)
    clear_approval(message)
    message.hold_reason = reason
    session.flush()
    return message


def release(
    session: Session,
    _ctx: Context,
    message_id: str,
    *,
    by: str,
    now: datetime,
    version: int | None = None,
) -> Message:
    """Take a held message back to be read; a mail that lacks a part stays held."""
    message = load(session, message_id, version)
    move("release", message.state, Actor.STAFF)
    if (lacking := incomplete(session.get(MessageBody, message.id))) is not None:
        raise Refused(lacking)
    message.hold_reason = ""
    return _moved(session, message, "release", by, {}, now)


def send_back(
    session: Session,
    _ctx: Context,
    message_id: str,
    *,
    reason: str,
    by: str,
    now: datetime,
    version: int | None = None,
) -> Message:
    """Give a message back to whoever writes, with what is wrong; the reason is required."""
    message = load(session, message_id, version)
    return _moved(session, message, "send_back", by, {"words": _required(reason)}, now)


def undo(
    session: Session,
    _ctx: Context,
    message_id: str,
    *,
    by: str,
    now: datetime,
    version: int | None = None,
) -> Message:
    """Take an approval back within its window; raises Refused when that is over."""
    message = load(session, message_id, version)
    move("undo", message.state, Actor.STAFF)
    if message.undo_until is None or message.undo_until <= now:
        raise Refused("undo_over")
    uncount_clean(session, message)
    uncount_reader(session, message, message.approved_by)
    clear_approval(message)
    return _moved(session, message, "undo", by, {}, now)


def cancel(
    session: Session,
    _ctx: Context,
    message_id: str,
    *,
    reason: str,
    by: str,
    now: datetime,
    version: int | None = None,
) -> Message:
    """Decide that a message will never go; the reason is required."""
    message = load(session, message_id, version)
    _moved(session, message, "cancel", by, {"words": _required(reason)}, now)
    clear_approval(message)
    session.flush()
    return message


def expire(session: Session, _ctx: Context, message_id: str, *, now: datetime) -> Message:
    """Close a message whose useful time has passed."""
    message = load(session, message_id, None)
    apply_move(session, message, "expire", Actor.SYSTEM, "system", "useless_after", now)
    clear_approval(message)
    session.flush()
    return message


def resolve_unconfirmed(
    session: Session,
    _ctx: Context,
    message_id: str,
    *,
    how: str,
    by: str,
    now: datetime,
    evidence: str = "",
    version: int | None = None,
) -> Message:
    """Settle a send that nobody could confirm: ``was_sent``, ``was_not_sent`` or ``abandon``.

    Not sent means: read and approve it again; the next mail is another generation, with
    another Message-ID. ``evidence`` is required for saying that it was sent.
    """
    if how not in {"was_sent", "was_not_sent", "abandon"}:
        raise ValueError(f"how must be was_sent, was_not_sent or abandon, not {how!r}")
    message = load(session, message_id, version)
    move(how, message.state, Actor.STAFF)
    if how == "was_sent":
        evidence = _required(evidence)
        message.sent_at = message.sending_since or now
    if how == "was_not_sent":
        message.generation += 1
        message.attempts = 0
        message.next_attempt_at = None
    clear_approval(message)
    return _moved(session, message, how, by, {"evidence": evidence}, now)


def hand_off_done(
    session: Session,
    ctx: Context,
    message_id: str,
    *,
    done_on: date,
    count: int,
    by: str,
    now: datetime,
    version: int | None = None,
) -> Message:
    """Tick a campaign that staff ran in the marketplace's own tool, with its day and number."""
    message = load(session, message_id, version)
    move("handed_off", message.state, Actor.STAFF)
    if count < 0:
        raise Refused("count_negative")
    if done_on > now.astimezone(ctx.zone).date():
        raise Refused("day_ahead")
    handoff = session.get(Handoff, message_id) or Handoff(message_id=message_id)
    handoff.done_on, handoff.done_count, handoff.done_by = done_on, count, by
    session.add(handoff)
    told = {"on": done_on.isoformat(), "count": count}
    return _moved(session, message, "handed_off", by, told, now)


def changes_since_approval(body: MessageBody) -> dict[str, Any]:
    """What is different from what was last approved, field by field; empty where nothing is."""
    return dict(diff_mail(body.approved, content(body)))


def _required(reason: str) -> str:
    if not reason.strip():
        raise Refused("reason_required")
    return reason.strip()


def _moved(
    session: Session,
    message: Message,
    name: str,
    by: str,
    reason: dict[str, Any],
    now: datetime,
) -> Message:
    told = {key: value for key, value in reason.items() if value not in ("", None)}
    apply_move(session, message, name, Actor.STAFF, by, told, now)
    session.flush()
    return message
