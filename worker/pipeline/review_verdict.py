"""Whether a message may go at all, asked the same way at approval and inside the claim (P9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.rules.policy import Permission, Reach, permit
from worker.rules.states import ADVERTISING_KINDS, ConsentAction, Flag, Verdict
from worker.store.channels import Channel
from worker.store.customers import Consent, Customer, Suppression
from worker.store.messages import Message, MessageBody

_AGREED = frozenset({ConsentAction.GRANTED, ConsentAction.CONFIRMED, ConsentAction.IMPORTED})
_CODES: dict[str, str] = {
    "erased": "suppressed",
    "suppressed": "suppressed",
    "suppressed_ads": "suppressed",
    "policy_forbids": "forbidden",
    "platform_sends": "platform",
    "no_address": "no_recipient",
    "no_consent": "no_consent",
    Flag.POLICY_UNVERIFIED: "policy_hold",
    Flag.RELAY_MISSING: "relay_missing",
}


class Rechecked(Protocol):
    """What a fresh look at a message's facts says."""

    @property
    def verdict(self) -> Verdict:
        """What policy says of it now."""
        ...

    @property
    def changed(self) -> Sequence[Any]:
        """Names of what is no longer as rendered; ``occasion``: nothing carries it any more."""
        ...

    @property
    def code(self) -> str:
        """Why the mail must not go at all (a code of ``rules.policy``); empty: it may."""
        ...


Recheck = Callable[[Session, Context, str, datetime], Rechecked]
"""Looks at a message's facts again and changes nothing; ``render.recheck`` is the real one."""


RecheckMany = Callable[[Session, Context, Sequence[str], datetime], Mapping[str, Rechecked]]
"""The same for several messages, by id; ``render.recheck_many`` is the real one."""


def each(recheck: Recheck) -> RecheckMany:
    """Make a look at one message a look at several, one after the other."""

    def look(
        session: Session, ctx: Context, message_ids: Sequence[str], now: datetime
    ) -> dict[str, Rechecked]:
        return {one: recheck(session, ctx, one, now) for one in message_ids}

    return look


def refusal(session: Session, ctx: Context, message: Message) -> str | None:
    """Name why the message must not go (a code of ``review_words``), or None where it may."""
    return refusals(session, ctx, [message])[message.id]


def refusals(session: Session, ctx: Context, messages: Sequence[Message]) -> dict[str, str | None]:
    """The same for several messages, by id, in as many statements as for one."""
    known = _known(session, messages)
    return {message.id: _refusal(ctx, message, known) for message in messages}


def _refusal(ctx: Context, message: Message, known: _Known) -> str | None:
    reach = _reach(ctx, message, known)
    permission = permit(ctx.documents.policy, reach)
    if not permission.allows:
        return _CODES[permission.holds or permission.code]
    needs_consent = message.kind in ADVERTISING_KINDS and not reach.consented
    return "no_consent" if needs_consent else None


def permission_now(session: Session, ctx: Context, message: Message) -> Permission:
    """What policy, suppression and consent say of the message as it stands."""
    return permit(ctx.documents.policy, _reach(ctx, message, _known(session, [message])))


def refusal_of(code: str) -> str:
    """Translate a code of ``rules.policy`` into one of ``review_words``."""
    return _CODES.get(code, "suppressed")


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of the recipients now; the addresses themselves stay where they are."""

    blocks: Sequence[Any]
    agreed: set[tuple[int, str]]
    channels: Mapping[int, str]
    erased: set[int]


def _known(session: Session, messages: Sequence[Message]) -> _Known:
    hashes = {message.recipient_hash for message in messages}
    people = {m.customer_id for m in messages if m.customer_id is not None}
    blocks = session.execute(
        select(
            Suppression.reason,
            Suppression.ads_only,
            Suppression.address_hash,
            Suppression.customer_id,
        ).where(
            Suppression.lifted_at.is_(None),
            or_(Suppression.address_hash.in_(hashes), Suppression.customer_id.in_(people)),
        )
    ).all()
    erased = session.scalars(
        select(Customer.id).where(Customer.id.in_(people), Customer.erased_at.is_not(None))
    )
    wanted = {message.channel_id for message in messages}
    names = session.execute(select(Channel.id, Channel.name).where(Channel.id.in_(wanted)))
    return _Known(
        blocks=blocks,
        agreed=_agreed(session, wanted, hashes),
        channels={row.id: row.name for row in names},
        erased=set(erased),
    )


def _agreed(session: Session, channels: set[int], hashes: set[str]) -> set[tuple[int, str]]:
    """(channel, address) whose newest word is yes."""
    told = session.execute(
        select(Consent.channel_id, Consent.address_hash, Consent.action)
        .where(Consent.channel_id.in_(channels), Consent.address_hash.in_(hashes))
        .order_by(Consent.occurred_at, Consent.id)
    )
    newest = {(row.channel_id, row.address_hash): row.action for row in told}
    return {key for key, action in newest.items() if action in _AGREED}


def _reach(ctx: Context, message: Message, known: _Known) -> Reach:
    """What is known of one recipient."""
    blocks = [
        block
        for block in known.blocks
        if block.address_hash == message.recipient_hash
        or (block.customer_id is not None and block.customer_id == message.customer_id)
    ]
    shop = ctx.documents.shop
    return Reach(
        family=message.family,
        kind=message.kind,
        advertising=message.advertising or message.kind in ADVERTISING_KINDS,
        address=message.recipient_hash or None,
        suppressed=next((b.reason for b in blocks if not b.ads_only), ""),
        ads_suppressed=next((b.reason for b in blocks if b.ads_only), ""),
        consented=(message.channel_id, message.recipient_hash) in known.agreed,
        relay_ready=known.channels.get(message.channel_id) in shop.relays,
        erased=message.customer_id in known.erased,
        incidental_ads=shop.incidental_ads,
    )


def has_consent(session: Session, message: Message) -> bool:
    """Whether the newest word of this address on this channel is yes."""
    return bool(_agreed(session, {message.channel_id}, {message.recipient_hash}))


def incomplete(body: MessageBody | None) -> str | None:
    """Name what a mail still lacks before anybody may approve it, or None."""
    if body is None or not body.subject.strip() or not body.text.strip():
        return "not_rendered"
    if not body.recipient.strip():
        return "no_recipient"
    return None if body.sender.strip() else "no_sender"
