"""The claim: lease what is due, look at everything again, and compose exactly what was approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parseaddr
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.mail.addresses import classify
from worker.mail.compose import Outgoing, RecipientRefused, compose, message_id_for
from worker.mail.headers import HeaderRefused
from worker.mail.transport import Prepared, Transport
from worker.pipeline.dispatch_ports import CHUNK, SEND_LEASE, Tools
from worker.pipeline.review_approval import clear_approval, content_hash
from worker.pipeline.review_verdict import Rechecked, refusal_of, refusals
from worker.pipeline.stops import STOPPED, active_stops, covers
from worker.rules.states import ADVERTISING_KINDS, Actor, Flag, MailKind, Verdict
from worker.store.customer_queries import channel_names
from worker.store.message_queries import Taking, lease_due
from worker.store.messages import Message, MessageBody
from worker.store.moves import apply_move
from worker.store.running import Stop

_SUPPRESSING = frozenset({"forbidden", "platform", "no_consent", "suppressed"})
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that passed every check, with its bytes and the way it goes."""

    taking: Taking
    generation: int
    mail: Prepared
    transport: Transport
    captured: bool
    sender: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claim:
    """What one claim brought: mails to send, and how many were leased in all."""

    claimed: tuple[Claimed, ...]
    leased: int


def claim(session: Session, tools: Tools, *, now: datetime, limit: int = CHUNK) -> Claim:
    """Lease due messages and judge each; the ones that may not go are moved where they belong."""
    ids = lease_due(session, tools.owner, now, SEND_LEASE, limit)
    seen = _look_at_all(session, tools, ids, now) if ids else None
    found = [_judged(session, tools, message_id, seen, now) for message_id in ids]
    return Claim(tuple(item for item in found if item is not None), len(ids))


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at several messages found, by id: everything that is read at the claim."""

    messages: Mapping[str, Message]
    bodies: Mapping[str, MessageBody]
    channels: Mapping[int, str]
    stops: Sequence[Stop]
    refusals: Mapping[str, str | None]
    facts: Mapping[str, Rechecked]


def _look(session: Session, tools: Tools, ids: Sequence[str], now: datetime) -> _Look:
    fresh = {"populate_existing": True}
    messages = session.scalars(
        select(Message).where(Message.id.in_(ids)).execution_options(**fresh)
    ).all()
    bodies = session.scalars(
        select(MessageBody).where(MessageBody.message_id.in_(ids)).execution_options(**fresh)
    ).all()
    return _Look(
        messages={message.id: message for message in messages},
        bodies={body.message_id: body for body in bodies},
        channels={number: name for number, (name, _) in channel_names(session).items()},
        stops=active_stops(session),
        refusals=refusals(session, tools.ctx, messages),
        facts=tools.recheck(session, tools.ctx, ids, now),
    )


def _look_at_all(session: Session, tools: Tools, ids: Sequence[str], now: datetime) -> _Look | None:
    """None where one of them breaks the look: then each is looked at by itself."""
    try:
        with session.begin_nested():
            return _look(session, tools, ids, now)
    except Exception as error:  # noqa: BLE001 - whose fault it is shows when each is judged alone
        _log.warning("claim_one_by_one", error=type(error).__name__, count=len(ids))
        return None


def _judged(
    session: Session, tools: Tools, message_id: str, seen: _Look | None, now: datetime
) -> Claimed | None:
    """Judge one message on a savepoint: one that cannot be judged must not stop the others."""
    try:
        with session.begin_nested():
            look = seen or _look(session, tools, [message_id], now)
            return _judge(session, tools, message_id, look, now)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and this mail holds
        _log.exception("claim_failed", message=message_id)
        message = session.get_one(Message, message_id, populate_existing=True)
        _hold(session, message, "check_failed", now, error=type(error).__name__)
        return None


def _judge(
    session: Session, tools: Tools, message_id: str, look: _Look, now: datetime
) -> Claimed | None:
    message, body = look.messages[message_id], look.bodies.get(message_id)
    if body is None or message.approved_hash != content_hash(body):
        _lapse(session, message, "content_changed", [], now)
        return None
    if any(covers(stop, message.channel_id, message.kind) for stop in look.stops):
        _hold(session, message, STOPPED, now)
        return None
    code = look.refusals[message_id]
    if code is not None:
        _refuse(session, message, code, now)
        return None
    if not _unchanged(session, message, look.facts[message_id], now):
        return None
    transport = _way_out(tools, message, look.channels[message.channel_id])
    if transport is None:
        _hold(session, message, "no_transport", now)
        return None
    return _composed(session, tools, message, body, transport, now)


def _way_out(tools: Tools, message: Message, channel: str) -> Transport | None:
    cell = tools.ctx.documents.policy.cell(message.family, message.kind)
    return tools.transports.of(
        channel,
        capture_only=tools.standing.capture_only,
        relay=cell.verdict is Verdict.RELAY,
    )


def _unchanged(session: Session, message: Message, checked: Rechecked, now: datetime) -> bool:
    """Look at the facts again; what changed takes the approval with it (P5, P6)."""
    if checked.code:
        _refuse(session, message, refusal_of(checked.code), now)
    elif "occasion" in checked.changed:
        apply_move(session, message, "cancel", Actor.DISPATCH, "dispatch", "occasion_gone", now)
        clear_approval(message)
        session.flush()
    elif checked.changed:
        _lapse(session, message, "facts_changed", list(checked.changed), now)
    else:
        return True
    return False


def _composed(
    session: Session,
    tools: Tools,
    message: Message,
    body: MessageBody,
    transport: Transport,
    now: datetime,
) -> Claimed | None:
    captured = tools.transports.captures(transport)
    advertising = message.advertising or message.kind in ADVERTISING_KINDS
    if advertising and not captured:
        _hold(session, message, "advertising_only_captured", now)
        return None
    try:
        mail = prepare(tools.ctx.zone, message, body, advertising=advertising)
    except (HeaderRefused, RecipientRefused) as error:
        _hold(session, message, "not_composable", now, error=str(error))
        return None
    sender = parseaddr(body.sender)[1]
    path = tools.transports.envelope_from(
        transport, tools.ctx.key, message.id, message.family, sender
    )
    mail = replace(mail, envelope_from=path)
    taking = Taking(
        message.id, tools.owner, message.version, message.approved_hash, mail.message_id
    )
    return Claimed(
        taking,
        message.generation,
        mail,
        transport,
        captured,
        sender,
        message.expires_at,
    )


def prepare(zone: ZoneInfo, message: Message, body: MessageBody, *, advertising: bool) -> Prepared:
    """Make the bytes of an approved message: the same at every attempt of one generation.

    Raises HeaderRefused and RecipientRefused for what no mail may carry.
    """
    name, sender = parseaddr(body.sender)
    address = classify(body.recipient)
    outgoing = Outgoing(
        message_ref=message.id,
        message_id=message_id_for(message.id, message.generation, sender.rpartition("@")[2]),
        from_address=sender,
        from_name=name or None,
        reply_to=parseaddr(body.reply_to)[1] or None,
        to_address=body.recipient,
        subject=body.subject,
        body_text=body.text,
        body_html=body.html,
        date=_date(message),
        family=message.family,
        locale=message.locale,
        zone=zone,
        by_hand=message.kind is MailKind.PERSONAL,
        is_advertisement=advertising,
        list_unsubscribe=_unsubscribe(body, sender) if advertising else (),
    )
    return Prepared(
        message_ref=message.id,
        message_id=outgoing.message_id,
        envelope_from=sender,
        envelope_to=address.rcpt,
        data=compose(outgoing),
        is_advertisement=advertising,
    )


def _date(message: Message) -> datetime:
    # Not the time of the attempt: a retry must bring the identical bytes.
    approved = message.approved_at or message.created_at
    return max(approved, message.due_at)


def _unsubscribe(body: MessageBody, sender: str) -> tuple[str, ...]:
    link = str(body.values.get("unsubscribe_url") or "")
    mailto = f"mailto:{parseaddr(body.reply_to)[1] or sender}?subject=unsubscribe"
    return (link, mailto) if link.startswith("https:") else (mailto,)


def _refuse(session: Session, message: Message, code: str, now: datetime) -> None:
    if code not in _SUPPRESSING:
        _hold(session, message, code, now)
        return
    apply_move(session, message, "suppress", Actor.DISPATCH, "dispatch", code, now)
    clear_approval(message)
    session.flush()


def _hold(session: Session, message: Message, code: str, now: datetime, **facts: Any) -> None:
    apply_move(session, message, "hold", Actor.SYSTEM, "dispatch", {"code": code, **facts}, now)
    clear_approval(message)
    message.hold_reason = code
    session.flush()


def _lapse(
    session: Session, message: Message, code: str, changed: Sequence[Any], now: datetime
) -> None:
    """Take the approval back; the desk shows what changed since."""
    reason = {"code": code, "changed": [str(change) for change in changed]}
    apply_move(session, message, "lapse", Actor.DISPATCH, "dispatch", reason, now)
    clear_approval(message)
    message.next_attempt_at = None
    message.review_at = now  # the next rendering writes it anew
    if message.attempts:
        # Other words under the Message-ID of an earlier attempt would be two mails in one.
        message.generation, message.attempts = message.generation + 1, 0
    kept = [f for f in message.flags if f.get("flag") != Flag.FACTS_CHANGED.value]
    message.flags = [*kept, {"flag": Flag.FACTS_CHANGED.value, "fact": code}]
    session.flush()
