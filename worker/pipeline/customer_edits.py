"""What staff enter about a customer: contact data and birthday, and the words for the next mail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.mail.addresses import AddressClass, classify
from worker.pipeline.context import Context
from worker.pipeline.notes import kept_customer
from worker.pipeline.profiles import renew_found
from worker.pipeline.render import refresh
from worker.pipeline.review_words import Refused
from worker.rules.states import REVIEWABLE
from worker.store.customers import CustomerProfile, ProfileEntry
from worker.store.line_queries import LINES, lines_said
from worker.store.messages import Message

EDITABLE = ("name", "kana", "phone", "email", "postal_code", "address", "birthday")
"""Fields a clerk may enter; totals and ranks follow from orders alone."""

_UNUSABLE = (AddressClass.INVALID,)
_OLDEST = date(1900, 1, 1)


def edit_profile(
    session: Session,
    customer_id: int,
    entered: Mapping[str, str | date | None],
    *,
    by: str,
    now: datetime,
) -> tuple[str, ...]:
    """Write fields of ``EDITABLE`` over a profile; gives the names of those that changed.

    An empty text means that nothing is known. Raises Refused for an unknown customer, a birthday
    that cannot be and an address that is none.
    """
    profile = _profile(session, customer_id)
    changed = {
        name: value
        for name, value in ((n, _clean(n, entered[n], now)) for n in EDITABLE if n in entered)
        if value != getattr(profile, name)
    }
    for name, value in changed.items():
        _enter(session, profile, name, value, by, now)
    if "name" in changed:
        # The parts belonged to the old name; a wrong one in a mail is worse than none.
        profile.family_name = profile.given_name = None
    renew_found(profile)
    session.flush()
    return tuple(changed)


def _profile(session: Session, customer_id: int) -> CustomerProfile:
    kept = kept_customer(session, customer_id)
    profile = session.get(CustomerProfile, kept, with_for_update=True)
    if profile is None:
        profile = CustomerProfile(customer_id=kept, is_member=False)
        session.add(profile)
    return profile


def _clean(name: str, value: str | date | None, now: datetime) -> Any:
    if isinstance(value, date):
        if not _OLDEST <= value <= now.date():
            raise Refused("birthday_odd")
        return value
    text = " ".join((value or "").split())
    if name == "email" and text and classify(text).kind in _UNUSABLE:
        raise Refused("email_odd")
    return text or None


def _enter(
    session: Session, profile: CustomerProfile, name: str, value: Any, by: str, now: datetime
) -> None:
    before = getattr(profile, name)
    entry = session.get(ProfileEntry, (profile.customer_id, name))
    if entry is None:
        entry = ProfileEntry(customer_id=profile.customer_id, field=name)
        session.add(entry)
    entry.value, entry.was = _stored(value), _stored(before)
    entry.by, entry.at = by, now
    setattr(profile, name, value)


def _stored(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, date) else value


def write_lines(
    session: Session,
    ctx: Context,
    customer_id: int,
    personal_line: str,
    question_line: str,
    *,
    now: datetime,
) -> int:
    """Put words into the person's next mail; gives how many waiting mails were written anew.

    Notes never reach a mail, only these two.
    """
    profile = _profile(session, customer_id)
    profile.personal_line = personal_line.strip() or None
    profile.question_line = question_line.strip() or None
    session.flush()
    waiting = session.scalars(
        sa.select(Message)
        .where(Message.customer_id == profile.customer_id, Message.state.in_(REVIEWABLE))
        .order_by(Message.id)
    ).all()
    return refresh(session, ctx, list(waiting), now)


def clear_said_lines(session: Session) -> int:
    """Empty the words that a mail has carried; gives how many. They are for one mail."""
    written = sa.or_(*(getattr(CustomerProfile, name).is_not(None) for name in LINES))
    profiles = session.scalars(sa.select(CustomerProfile).where(written)).all()
    said = lines_said(session, [profile.customer_id for profile in profiles])
    cleared = 0
    for profile in profiles:
        for name in LINES:
            if (name, getattr(profile, name)) in said.get(profile.customer_id, set()):
                setattr(profile, name, None)
                cleared += 1
    session.flush()
    return cleared
