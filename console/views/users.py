"""利用者: who may enter, in which role, and what each role may do; and the tokens of programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console import formats
from console.views.me import Place, places_of
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.users import all_users
from worker.pipeline.users_tokens import all_tokens
from worker.pipeline.users_words import UserRefused
from worker.rules.states import Role
from worker.store.access import ApiToken
from worker.store.running import LoginSession, User

SOON = timedelta(days=14)
"""A token that ends within this is told."""
TOKEN_DAYS = (30, 90, 180, 366)


@dataclass(frozen=True, slots=True)
class Person:
    """One line of the list; ``state`` is ``on``, ``off``, ``invited`` or ``no_password``."""

    id: int
    name: str
    role: Role
    state: str
    look: str
    seen: str
    second: bool
    disabled: bool


@dataclass(frozen=True, slots=True)
class One:
    """A user with the places where they are logged in."""

    person: Person
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A program's token; ``state`` is ``live``, ``soon``, ``over`` or ``revoked``."""

    id: int
    name: str
    role: Role
    state: str
    look: str
    made: str
    expires: str
    used: str


_LOOKS = {"on": "ok", "no_password": "warn", "invited": "warn", "off": "none"}
_TOKEN_LOOKS = {"live": "ok", "soon": "warn", "over": "none", "revoked": "none"}


def people(session: Session, ctx: Context, now: datetime) -> tuple[Person, ...]:
    """Everybody, with when they were last here."""
    seen = _last_seen(session)
    return tuple(_person(user, seen.get(user.id), ctx, now) for user in all_users(session))


def one_user(session: Session, ctx: Context, user_id: int, words: Words, now: datetime) -> One:
    """One user. Raises UserRefused where there is none."""
    user = session.get(User, user_id)
    if user is None:
        raise UserRefused("user_unknown")
    seen = _last_seen(session, user_id).get(user_id)
    return One(
        person=_person(user, seen, ctx, now),
        places=places_of(session, ctx, user_id, 0, words, now),
    )


def _last_seen(session: Session, user_id: int | None = None) -> dict[int, datetime]:
    """By user; sessions are kept for a month after their end, which is as far as this looks."""
    statement = (
        select(LoginSession.user_id, func.max(LoginSession.seen_at))
        .where(LoginSession.one_time.is_(False), LoginSession.awaits_code.is_(False))
        .group_by(LoginSession.user_id)
    )
    if user_id is not None:
        statement = statement.where(LoginSession.user_id == user_id)
    return dict(session.execute(statement).all())


def _person(user: User, seen: datetime | None, ctx: Context, now: datetime) -> Person:
    state = "on"
    if user.disabled:
        state = "off"
    elif not user.password_hash:
        state = "no_password" if seen else "invited"
    return Person(
        id=user.id,
        name=user.name,
        role=user.role,
        state=state,
        look=_LOOKS[state],
        seen=formats.near(seen, now, ctx.zone) if seen else "",
        second=user.totp_since is not None,
        disabled=user.disabled,
    )


def tokens(session: Session, ctx: Context, words: Words, now: datetime) -> tuple[Token, ...]:
    """Every token, those that work first."""
    return tuple(_token(row, ctx, words, now) for row in all_tokens(session))


def _token(row: ApiToken, ctx: Context, words: Words, now: datetime) -> Token:
    state = token_state(row, now)
    made = formats.near(row.created_at, now, ctx.zone)
    return Token(
        id=row.id,
        name=row.name,
        role=row.role,
        state=state,
        look=_TOKEN_LOOKS[state],
        made=f"{row.created_by}　{made}",
        expires=formats.day(row.expires_at.astimezone(ctx.zone).date(), words.locale),
        used=formats.near(row.last_used_at, now, ctx.zone) if row.last_used_at else "",
    )


def token_state(row: ApiToken, now: datetime) -> str:
    """``live``, ``soon`` (ends within two weeks), ``over`` or ``revoked``."""
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at <= now:
        return "over"
    return "soon" if row.expires_at - now <= SOON else "live"


def role_options() -> Sequence[Role]:
    """Roles, the smallest first."""
    return tuple(Role)
