"""Open logins of a user: making, listing and ending them, and the password that opens them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from worker.pipeline.audit import record
from worker.pipeline.users_secrets import new_secret, secret_hash
from worker.pipeline.users_words import UserRefused
from worker.store.running import LoginSession, User

LIFE = timedelta(days=7)
"""A login ends after this long, whatever happens."""
IDLE = timedelta(hours=12)
"""A login ends when nothing was asked for this long."""
KEPT = timedelta(days=30)
"""Ended logins are forgotten this long after."""


def open_session(
    session: Session,
    user_id: int,
    now: datetime,
    *,
    life: timedelta = LIFE,
    one_time: bool = False,
    awaits_code: bool = False,
    agent: str = "",
) -> str:
    """Open a login, a link or a half-way login; gives its token, of which a hash is kept."""
    token = new_secret()
    session.execute(delete(LoginSession).where(LoginSession.expires_at <= now - KEPT))
    session.add(
        LoginSession(
            user_id=user_id,
            token_hash=secret_hash(token),
            csrf=new_secret(),
            one_time=one_time,
            awaits_code=awaits_code,
            agent=agent[:80],
            created_at=now,
            seen_at=now,
            expires_at=now + life,
        )
    )
    session.flush()
    return token


def open_now(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Conditions of a login that opens the desk now."""
    return (
        LoginSession.one_time.is_(False),
        LoginSession.awaits_code.is_(False),
        LoginSession.revoked_at.is_(None),
        LoginSession.expires_at > now,
        LoginSession.seen_at > now - IDLE,
    )


def logins_of(session: Session, user_id: int, now: datetime) -> list[LoginSession]:
    """Logins by which the user is in the desk now, the last used first."""
    statement = (
        select(LoginSession)
        .where(LoginSession.user_id == user_id, *open_now(now))
        .order_by(LoginSession.seen_at.desc(), LoginSession.id.desc())
    )
    return list(session.scalars(statement))


def end_login(session: Session, user_id: int, login_id: int, *, by: str, now: datetime) -> None:
    """End one login of the user. Raises UserRefused where there is no such open login."""
    ended = session.scalar(
        update(LoginSession)
        .where(LoginSession.id == login_id, LoginSession.user_id == user_id, *open_now(now))
        .values(revoked_at=now)
        .returning(LoginSession.id)
        .execution_options(synchronize_session=False)
    )
    if ended is None:
        raise UserRefused("login_gone")
    record(session, by=by, action="end_login", subject=f"user:{user_id}", now=now)


def end_other_logins(session: Session, user_id: int, keep: int, *, by: str, now: datetime) -> None:
    """End every login of the user but the one that asks."""
    end_logins(session, user_id, now, keep=keep)
    record(session, by=by, action="end_logins", subject=f"user:{user_id}", now=now)


def end_all_logins(session: Session, user_id: int, *, by: str, now: datetime) -> None:
    """Put a user out of every place; they may come in again."""
    end_logins(session, user_id, now)
    record(session, by=by, action="end_logins", subject=f"user:{user_id}", now=now)


def end_logins(
    session: Session,
    user_id: int,
    now: datetime,
    *,
    keep: int | None = None,
    one_time: bool = False,
) -> None:
    """End the user's logins but ``keep``, or with ``one_time`` the links nobody has used."""
    statement = update(LoginSession).where(
        LoginSession.user_id == user_id,
        LoginSession.one_time.is_(one_time),
        LoginSession.revoked_at.is_(None),
    )
    if keep is not None:
        statement = statement.where(LoginSession.id != keep)
    session.execute(statement.values(revoked_at=now))


def change_password(
    session: Session,
    user_id: int,
    hashed: str,
    *,
    expected: str,
    keep: int | None,
    by: str,
    now: datetime,
) -> None:
    """Store a new password's hash and end every login but ``keep``.

    ``expected`` is the hash that was looked at: hashing is slow and happens before the
    transaction. Raises UserRefused where somebody changed it meanwhile.
    """
    user = session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None or user.disabled:
        raise UserRefused("user_unknown")
    if user.password_hash != expected:
        raise UserRefused("password_wrong")
    user.password_hash = hashed
    end_logins(session, user_id, now, keep=keep)
    end_logins(session, user_id, now, one_time=True)
    record(session, by=by, action="change_password", subject=f"user:{user_id}", now=now)
