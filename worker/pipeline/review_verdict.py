"""Whether a message may go at all, asked the same way at approval and inside the claim (P9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def refusal(session: Session, ctx: Context, message: Message) -> str | None:
    """Name why the message must not go (a code of ``review_words``), or None where it may."""
    reach = _reach(session, ctx, message)
    permission = permit(ctx.documents.policy, reach)
    if not permission.allows:
        return _CODES[permission.holds or permission.code]
    needs_consent = message.kind in ADVERTISING_KINDS and not reach.consented
    return "no_consent" if needs_consent else None


def permission_now(session: Session, ctx: Context, message: Message) -> Permission:
    """What policy, suppression and consent say of the message as it stands."""
    return permit(ctx.documents.policy, _reach(session, ctx, message))


def refusal_of(code: str) -> str:
    """Translate a code of ``rules.policy`` into one of ``review_words``."""
    return _CODES.get(code, "suppressed")


def _reach(session: Session, ctx: Context, message: Message) -> Reach:
    """What is known of the recipient now; the address itself stays where it is."""
    blocks = session.execute(
        select(Suppression.reason, Suppression.ads_only).where(
            Suppression.lifted_at.is_(None),
            or_(
                Suppression.address_hash == message.recipient_hash,
                Suppression.customer_id == message.customer_id,
            ),
        )
    ).all()
    advertising = message.advertising or message.kind in ADVERTISING_KINDS
    shop = ctx.documents.shop
    return Reach(
        family=message.family,
        kind=message.kind,
        advertising=advertising,
        address=message.recipient_hash or None,
        suppressed=next((b.reason for b in blocks if not b.ads_only), ""),
        ads_suppressed=next((b.reason for b in blocks if b.ads_only), ""),
        consented=has_consent(session, message),
        relay_ready=_channel_name(session, message) in shop.relays,
        erased=_is_erased(session, message),
        incidental_ads=shop.incidental_ads,
    )


def _channel_name(session: Session, message: Message) -> str | None:
    return session.scalar(select(Channel.name).where(Channel.id == message.channel_id))


def _is_erased(session: Session, message: Message) -> bool:
    erased_at = select(Customer.erased_at).where(Customer.id == message.customer_id)
    return session.scalar(erased_at) is not None


def has_consent(session: Session, message: Message) -> bool:
    """Whether the newest word of this address on this channel is yes."""
    newest = session.scalar(
        select(Consent.action)
        .where(
            Consent.channel_id == message.channel_id,
            Consent.address_hash == message.recipient_hash,
        )
        .order_by(Consent.occurred_at.desc(), Consent.id.desc())
        .limit(1)
    )
    return newest in _AGREED


def incomplete(body: MessageBody | None) -> str | None:
    """Name what a mail still lacks before anybody may approve it, or None."""
    if body is None or not body.subject.strip() or not body.text.strip():
        return "not_rendered"
    if not body.recipient.strip():
        return "no_recipient"
    return None if body.sender.strip() else "no_sender"
