"""Who may enter the desk: users, passwords, one-time links and logins that can be revoked."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from worker.rules.keys import keyed_hash
from worker.rules.states import Role
from worker.store.engine import reading
from worker.store.running import LoginAttempt, LoginSession, User

LIFE = timedelta(days=7)
"""A login ends after this long, whatever happens."""
IDLE = timedelta(hours=12)
"""A login ends when nothing was asked for this long."""
KEPT = timedelta(days=30)
"""Ended logins are forgotten this long after."""
LINK_LIFE = timedelta(hours=24)
SEEN_EVERY = timedelta(minutes=5)
WINDOW = timedelta(minutes=15)
TRIES_BY_NAME = 5
TRIES_BY_PLACE = 30

_ROLES = tuple(Role)
_hasher = PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")


class TooManyTries(Exception):
    """Too many failed logins lately; try again after the window."""


@dataclass(frozen=True, slots=True)
class Login:
    """An open login, read once per request."""

    session_id: int
    user_id: int
    name: str
    role: Role
    locale: str
    csrf: str
    seen_at: datetime

    def may(self, role: Role) -> bool:
        """Whether the role includes the one asked for."""
        return _ROLES.index(self.role) >= _ROLES.index(role)


def create_user(
    session: Session, name: str, role: Role, now: datetime, password: str | None = None
) -> User:
    """Add a user; without a password only a one-time link lets them in."""
    user = User(
        name=name,
        role=role,
        password_hash=_hasher.hash(password) if password else "",
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


def set_password(session: Session, user: User, password: str, now: datetime) -> None:
    """Give the user a new password and end all of their open logins."""
    user.password_hash = _hasher.hash(password)
    session.execute(
        update(LoginSession)
        .where(LoginSession.user_id == user.id, LoginSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def one_time_link(session: Session, user: User, now: datetime) -> str:
    """Make a token for ``/login/once/<token>``: it works once, within 24 hours."""
    return _open(session, user.id, now, one_time=True)


def count_try(session: Session, key: bytes, name: str, place: str, now: datetime) -> None:
    """Note an attempt before the password is looked at, so that parallel guesses count too.

    Raises TooManyTries where the name or the place has failed too often lately.
    """
    session.execute(delete(LoginAttempt).where(LoginAttempt.at <= now - WINDOW))
    for who, limit in _marks(key, name, place):
        failed = session.scalar(
            select(func.count()).select_from(LoginAttempt).where(LoginAttempt.who == who)
        )
        if (failed or 0) >= limit:
            raise TooManyTries
        session.add(LoginAttempt(who=who, at=now))


def check_password(engine: Engine, name: str, password: str) -> int | None:
    """Id of the user whose password this is; takes as long for a name that nobody has.

    Reads and then hashes outside of the transaction: hashing takes a tenth of a second.
    """
    with reading(engine) as session:
        row = session.execute(
            select(User.id, User.password_hash).where(User.name == name, User.disabled.is_(False))
        ).one_or_none()
    stored = row.password_hash if row and row.password_hash else _NOBODY
    try:
        _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return None
    return row.id if row and row.password_hash else None


def open_login(
    session: Session,
    user_id: int,
    now: datetime,
    forget: tuple[bytes, str, str] | None = None,
) -> str:
    """Open a login and give its token; ``forget`` (key, name, place) drops the counted tries."""
    if forget is not None:
        marks = [who for who, _limit in _marks(*forget)]
        session.execute(delete(LoginAttempt).where(LoginAttempt.who.in_(marks)))
    return _open(session, user_id, now, one_time=False)


def take_link(session: Session, token: str, now: datetime) -> str | None:
    """Turn a one-time token into an open login's token; None where it was used or is too old."""
    used = session.execute(
        update(LoginSession)
        .where(
            LoginSession.token_hash == _hash(token),
            LoginSession.one_time.is_(True),
            LoginSession.revoked_at.is_(None),
            LoginSession.expires_at > now,
        )
        .values(revoked_at=now, seen_at=now)
        .returning(LoginSession.user_id)
        .execution_options(synchronize_session=False)
    ).scalar()
    user = session.get(User, used) if used is not None else None
    if user is None or user.disabled:
        return None
    return _open(session, user.id, now, one_time=False)


def find_login(session: Session, token: str, now: datetime) -> Login | None:
    """Look the cookie's token up; None where it is unknown, over, revoked or its user disabled."""
    row = session.execute(
        select(LoginSession, User)
        .join(User, User.id == LoginSession.user_id)
        .where(
            LoginSession.token_hash == _hash(token),
            LoginSession.one_time.is_(False),
            LoginSession.revoked_at.is_(None),
            LoginSession.expires_at > now,
            LoginSession.seen_at > now - IDLE,
            User.disabled.is_(False),
        )
    ).one_or_none()
    if row is None:
        return None
    login, user = row
    return Login(login.id, user.id, user.name, user.role, user.locale, login.csrf, login.seen_at)


def mark_seen(session: Session, login: Login, now: datetime) -> None:
    """Remember that the login is in use."""
    session.execute(
        update(LoginSession).where(LoginSession.id == login.session_id).values(seen_at=now)
    )


def close_login(session: Session, login: Login, now: datetime) -> None:
    """End one login: its cookie is worth nothing from now on."""
    session.execute(
        update(LoginSession).where(LoginSession.id == login.session_id).values(revoked_at=now)
    )


def same_token(one: str, other: str) -> bool:
    """Compare two secrets without telling by the time where they differ."""
    return secrets.compare_digest(one.encode(), other.encode())


def _open(session: Session, user_id: int, now: datetime, *, one_time: bool) -> str:
    token = secrets.token_urlsafe(32)
    session.execute(delete(LoginSession).where(LoginSession.expires_at <= now - KEPT))
    session.add(
        LoginSession(
            user_id=user_id,
            token_hash=_hash(token),
            csrf=secrets.token_urlsafe(32),
            one_time=one_time,
            created_at=now,
            seen_at=now,
            expires_at=now + (LINK_LIFE if one_time else LIFE),
        )
    )
    session.flush()
    return token


def _hash(token: str) -> str:
    # The token has 256 random bits: a plain hash cannot be guessed backwards.
    return hashlib.sha256(token.encode()).hexdigest()


def _marks(key: bytes, name: str, place: str) -> tuple[tuple[str, int], tuple[str, int]]:
    return (
        (keyed_hash(key, "login-name", name.casefold()), TRIES_BY_NAME),
        (keyed_hash(key, "login-place", place), TRIES_BY_PLACE),
    )
