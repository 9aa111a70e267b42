"""Who must not be mailed, and what a person agreed to, as staff were told by the customer."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.notes import kept_customer
from worker.pipeline.review_words import Refused
from worker.rules.keys import address_hash, keyed_hash
from worker.rules.states import ConsentAction
from worker.store.channels import Channel
from worker.store.customers import Consent, Customer, CustomerProfile, Suppression
from worker.store.orders import OrderRow
from worker.store.person_queries import addresses_in

ASKED = "asked"
"""Reason of a suppression: the customer asked staff for it."""

BOUNCED = "bounce"
"""Reason of a suppression: there is no such address."""

METHOD = "staff"
"""Method of a consent row: the customer told staff."""

_LONGEST_EVIDENCE = 500


def suppress_customer(
    session: Session,
    ctx: Context,
    customer_id: int,
    *,
    ads_only: bool,
    note: str,
    by: str,
    now: datetime,
    reason: str = ASKED,
) -> Suppression:
    """Stop mails, or advertising only, to a person at every address; the same is noted once."""
    kept = kept_customer(session, customer_id)
    standing = session.scalar(
        sa.select(Suppression).where(
            Suppression.customer_id == kept,
            Suppression.ads_only.is_(ads_only),
            Suppression.lifted_at.is_(None),
        )
    )
    if standing is not None:
        return standing
    made = Suppression(
        address_hash=_hash(session, ctx, kept),
        customer_id=kept,
        ads_only=ads_only,
        reason=reason,
        note=note.strip(),
        by=by,
        at=now,
    )
    session.add(made)
    _plan_again(session, kept)
    return made


def _hash(session: Session, ctx: Context, customer_id: int) -> str:
    profile = session.get(CustomerProfile, customer_id)
    if profile is not None and profile.email:
        return address_hash(ctx.key, profile.email)
    # Nobody's address has this hash: the row blocks the person alone.
    return keyed_hash(ctx.key, "customer", str(customer_id))


def suppress_address(
    session: Session, ctx: Context, customer_id: int | None, address: str, *, by: str, now: datetime
) -> None:
    """Stop every mail to an address that does not exist; the same is noted once."""
    suppress_hash(session, customer_id, address_hash(ctx.key, address), by=by, now=now)


def suppress_hash(
    session: Session,
    customer_id: int | None,
    hashed: str,
    *,
    by: str,
    now: datetime,
    reason: str = BOUNCED,
    ads_only: bool = False,
    evidence_id: int | None = None,
    expires_at: datetime | None = None,
) -> bool:
    """Stop mails, or advertising only, to an address known by its hash; False: it was already."""
    known = sa.select(Suppression.id).where(
        Suppression.address_hash == hashed,
        Suppression.ads_only.is_(ads_only),
        Suppression.customer_id.is_(None),
        Suppression.lifted_at.is_(None),
    )
    if session.scalar(known) is not None:
        return False
    # Without the person: a new address of theirs may be mailed.
    session.add(
        Suppression(
            address_hash=hashed,
            ads_only=ads_only,
            reason=reason,
            by=by,
            at=now,
            evidence_id=evidence_id,
            expires_at=expires_at,
        )
    )
    if customer_id is not None:
        _plan_again(session, customer_id)
    return True


def lift_ended(session: Session, now: datetime) -> int:
    """Lift the suppressions whose time is over; gives how many."""
    ended = session.scalars(
        sa.select(Suppression).where(Suppression.lifted_at.is_(None), Suppression.expires_at <= now)
    ).all()
    for each in ended:
        each.lifted_at = now
    session.flush()
    return len(ended)


def lift_suppression(
    session: Session, suppression_id: int, *, note: str, by: str, now: datetime
) -> Suppression:
    """Lift one, with a word on why. Raises Refused where it is lifted already or none is given."""
    found = session.get(Suppression, suppression_id, with_for_update=True)
    if found is None or found.lifted_at is not None:
        raise Refused("suppression_unknown")
    if not note.strip():
        raise Refused("reason_required")
    found.lifted_at = now
    found.note = f"{found.note}\n{now:%Y-%m-%d} {by}: {note.strip()}".strip()
    if found.customer_id is not None:
        _plan_again(session, found.customer_id)
    session.flush()
    return found


def record_consent(
    session: Session,
    ctx: Context,
    customer_id: int,
    channel_id: int,
    *,
    agreed: bool,
    evidence: str,
    by: str,
    now: datetime,
) -> Consent:
    """Write what the customer said about advertising of one shop, for the address given there.

    Raises Refused without evidence (the law wants to know when and how), and where the shop
    has no address of the person.
    """
    kept = kept_customer(session, customer_id)
    if not evidence.strip():
        raise Refused("evidence_required")
    channel = session.get(Channel, channel_id)
    address = addresses_in(session, channel_id, [kept]).get(kept) if channel else None
    if address is None:
        raise Refused("no_address_here")
    row = Consent(
        customer_id=kept,
        channel_id=channel_id,
        address_hash=address_hash(ctx.key, address),
        action=ConsentAction.GRANTED if agreed else ConsentAction.WITHDRAWN,
        method=METHOD,
        source_ref=f"{by}: {evidence.strip()[:_LONGEST_EVIDENCE]}",
        occurred_at=now,
        recorded_at=now,
    )
    session.add(row)
    _plan_again(session, kept)
    session.flush()
    return row


def _plan_again(session: Session, customer_id: int) -> None:
    session.flush()
    session.execute(sa.update(Customer).where(Customer.id == customer_id).values(plan_due=True))
    session.execute(
        sa.update(OrderRow).where(OrderRow.customer_id == customer_id).values(plan_due=True)
    )
