"""Who may enter the desk: passwords and their limits, one-time links, codes, tokens of programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, delete, func, select, update
from sqlalchemy.orm import Session

from worker.pipeline.users import PROGRAM, one_time_link
from worker.pipeline.users_logins import IDLE, LIFE, end_logins, open_now, open_session
from worker.pipeline.users_secrets import hash_password, is_password, same_secret, secret_hash
from worker.pipeline.users_tokens import token_of
from worker.rules.keys import keyed_hash
from worker.rules.states import Role
from worker.store.engine import reading
from worker.store.running import LoginAttempt, LoginSession, User

__all__ = [
    "CODE_LIFE",
    "IDLE",
    "LIFE",
    "SEEN_EVERY",
    "Login",
    "TooManyTries",
    "check_password",
    "close_login",
    "count_try",
    "create_user",
    "find_login",
    "find_token",
    "forget_tries",
    "half_way",
    "mark_seen",
    "one_time_link",
    "open_login",
    "pass_on",
    "same_token",
    "set_password",
    "take_link",
]

CODE_LIFE = timedelta(minutes=10)
"""So long a right password waits for the telephone's code."""
SEEN_EVERY = timedelta(minutes=5)
WINDOW = timedelta(minutes=15)
TRIES_BY_NAME = 5
TRIES_BY_PLACE = 30

_ROLES = tuple(Role)


class TooManyTries(Exception):
    """Too many failed logins lately; try again after the window."""


@dataclass(frozen=True, slots=True)
class Login:
    """An open login or a program's token, read once per request."""

    session_id: int
    """The login's row; 0 for a program."""
    user_id: int
    """The user's row; 0 for a program."""
    name: str
    role: Role
    locale: str
    csrf: str
    seen_at: datetime
    shortcuts: bool = True
    token_id: int = 0

    def may(self, role: Role) -> bool:
        """Whether the role includes the one asked for."""
        return _ROLES.index(self.role) >= _ROLES.index(role)

    @property
    def is_program(self) -> bool:
        """A program shows its token with each request: no other site can borrow it."""
        return self.token_id != 0


def create_user(
    session: Session, name: str, role: Role, now: datetime, password: str | None = None
) -> User:
    """Add a user; without a password only a one-time link lets them in."""
    hashed = hash_password(password) if password else ""
    user = User(name=name, role=role, password_hash=hashed, created_at=now)
    session.add(user)
    session.flush()
    return user


def set_password(session: Session, user: User, password: str, now: datetime) -> None:
    """Give the user a new password and end all of their open logins."""
    user.password_hash = hash_password(password)
    end_logins(session, user.id, now)


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
    right = is_password(row.password_hash if row else "", password)
    return row.id if row and right else None


def open_login(session: Session, user_id: int, now: datetime, agent: str = "") -> tuple[str, bool]:
    """Open a login; with the second step it opens the desk only after ``pass_on``.

    Gives its token, and whether the code is still to come.
    """
    asks = _asks_code(session, user_id)
    life = CODE_LIFE if asks else LIFE
    token = open_session(session, user_id, now, life=life, awaits_code=asks, agent=agent)
    return token, asks


def take_link(
    session: Session, token: str, now: datetime, agent: str = ""
) -> tuple[str, bool] | None:
    """Turn a one-time token into a login as ``open_login`` does; None where it is over."""
    used = session.execute(
        update(LoginSession)
        .where(
            LoginSession.token_hash == secret_hash(token),
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
    return open_login(session, user.id, now, agent)


def half_way(session: Session, token: str, now: datetime) -> User | None:
    """Whose password was right and whose code is still to come; None where it took too long."""
    return session.scalar(
        select(User)
        .join(LoginSession, LoginSession.user_id == User.id)
        .where(*_waiting(token, now), User.disabled.is_(False))
    )


def pass_on(session: Session, token: str, now: datetime) -> str | None:
    """The code was right: the half-way login ends, and a whole one begins with its token."""
    row = session.execute(
        update(LoginSession)
        .where(*_waiting(token, now))
        .values(revoked_at=now)
        .returning(LoginSession.user_id, LoginSession.agent)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return open_session(session, row.user_id, now, agent=row.agent) if row else None


def forget_tries(session: Session, key: bytes, name: str, place: str) -> None:
    """Who came in has not guessed: drop the counted tries."""
    marks = [who for who, _limit in _marks(key, name, place)]
    session.execute(delete(LoginAttempt).where(LoginAttempt.who.in_(marks)))


def find_login(session: Session, token: str, now: datetime) -> Login | None:
    """Look the cookie's token up; None where it is unknown, over, revoked or its user disabled."""
    row = session.execute(
        select(LoginSession, User)
        .join(User, User.id == LoginSession.user_id)
        .where(
            LoginSession.token_hash == secret_hash(token),
            *open_now(now),
            User.disabled.is_(False),
        )
    ).one_or_none()
    if row is None:
        return None
    login, user = row
    return Login(
        session_id=login.id,
        user_id=user.id,
        name=user.name,
        role=user.role,
        locale=user.locale,
        csrf=login.csrf,
        seen_at=login.seen_at,
        shortcuts=user.shortcuts,
    )


def find_token(session: Session, secret: str, now: datetime) -> Login | None:
    """Look a program's token up; None where it is unknown, revoked or past its end."""
    token = token_of(session, secret, now)
    if token is None:
        return None
    return Login(
        session_id=0,
        user_id=0,
        name=f"{PROGRAM}{token.name}",
        role=token.role,
        locale="",
        csrf="",
        seen_at=token.last_used_at or token.created_at - SEEN_EVERY * 2,
        token_id=token.id,
    )


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
    return same_secret(one, other)


def _asks_code(session: Session, user_id: int) -> bool:
    return session.scalar(select(User.totp_since).where(User.id == user_id)) is not None


def _waiting(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        LoginSession.token_hash == secret_hash(token),
        LoginSession.awaits_code.is_(True),
        LoginSession.revoked_at.is_(None),
        LoginSession.expires_at > now,
    )


def _marks(key: bytes, name: str, place: str) -> tuple[tuple[str, int], tuple[str, int]]:
    return (
        (keyed_hash(key, "login-name", name.casefold()), TRIES_BY_NAME),
        (keyed_hash(key, "login-place", place), TRIES_BY_PLACE),
    )
