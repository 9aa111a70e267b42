"""Tokens of programs: told once, kept as a hash, of one role, and never without an end."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from worker.pipeline.audit import record
from worker.pipeline.users_secrets import new_secret, secret_hash
from worker.pipeline.users_words import UserRefused
from worker.rules.states import Role
from worker.store.access import ApiToken

PREFIX = "okaeri_"
"""Tells scanners for leaked secrets what it is."""
LONGEST = 366
"""Days."""
NAME_LENGTH = 60


def all_tokens(session: Session) -> list[ApiToken]:
    """Every token, the newest first; those that work before those that are over."""
    rows = session.scalars(select(ApiToken).order_by(ApiToken.id.desc())).all()
    return sorted(rows, key=lambda row: row.revoked_at is not None)


def make_token(
    session: Session, name: str, role: Role, days: int, *, by: str, now: datetime
) -> tuple[ApiToken, str]:
    """Make a token for a program; the second value is the token itself, told this once."""
    wanted = unicodedata.normalize("NFC", name).strip()
    plain = all(unicodedata.category(sign)[0] != "C" for sign in wanted)
    if not wanted or len(wanted) > NAME_LENGTH or not plain or not 1 <= days <= LONGEST:
        raise UserRefused("token_unfit")
    # Two programs of one name could not be told apart in the audit, not even afterwards.
    if session.scalar(select(ApiToken.id).where(ApiToken.name == wanted)):
        raise UserRefused("token_taken", name=wanted)
    secret = PREFIX + new_secret()
    token = ApiToken(
        name=wanted,
        role=role,
        token_hash=secret_hash(secret),
        created_by=by,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    session.add(token)
    session.flush()
    told = {"role": role.value, "days": days}
    record(session, by=by, action="make_token", subject=f"token:{token.id}", now=now, **told)
    return token, secret


def revoke_token(session: Session, token_id: int, *, by: str, now: datetime) -> None:
    """Make a token worthless at once. Raises UserRefused."""
    revoked = session.scalar(
        update(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now, revoked_by=by)
        .returning(ApiToken.id)
        .execution_options(synchronize_session=False)
    )
    if revoked is None:
        raise UserRefused("token_unknown")
    record(session, by=by, action="revoke_token", subject=f"token:{token_id}", now=now)


def token_of(session: Session, secret: str, now: datetime) -> ApiToken | None:
    """The token if it works now; None where it is unknown, revoked or past its end."""
    return session.scalar(
        select(ApiToken).where(
            ApiToken.token_hash == secret_hash(secret),
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > now,
        )
    )


def mark_used(session: Session, token_id: int, now: datetime) -> None:
    """Remember that the token is in use."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now))
