"""The form of what a clerk may enter about a customer."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from worker.pipeline.notes import kept_customer
from worker.store.customers import CustomerProfile


@dataclass(frozen=True, slots=True)
class ProfileForm:
    """Empty strings where nothing is known."""

    id: int
    name: str
    kana: str
    phone: str
    email: str
    postal_code: str
    address: str
    birthday: str


def profile_form(session: Session, customer_id: int) -> ProfileForm:
    """Read it. Raises Refused for an unknown customer."""
    kept = kept_customer(session, customer_id)
    row = session.get(CustomerProfile, kept)
    return ProfileForm(
        id=kept,
        name=(row.name if row else None) or "",
        kana=(row.kana if row else None) or "",
        phone=(row.phone if row else None) or "",
        email=(row.email if row else None) or "",
        postal_code=(row.postal_code if row else None) or "",
        address=(row.address if row else None) or "",
        birthday=row.birthday.isoformat() if row and row.birthday else "",
    )
