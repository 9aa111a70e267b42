"""自分の設定: name and screen, password, second step, and where one is logged in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import segno
from markupsafe import Markup
from sqlalchemy.orm import Session

from console import formats
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.users_logins import logins_of
from worker.pipeline.users_secrets import SHORTEST
from worker.pipeline.users_totp import address_of, codes_left, pending_secret
from worker.store.running import LoginSession, User

FEW_CODES = 3


@dataclass(frozen=True, slots=True)
class Place:
    """One open login."""

    id: int
    agent: str
    times: str
    here: bool


@dataclass(frozen=True, slots=True)
class SecondStep:
    """``state`` is ``off``, ``pending`` (a secret waits for its first code) or ``on``."""

    state: str
    since: str = ""
    left: int = 0
    few: bool = False
    secret: str = ""
    picture: Markup | None = None


@dataclass(frozen=True, slots=True)
class Me:
    """The whole page."""

    name: str
    locale: str
    shortcuts: bool
    has_password: bool
    shortest: int
    second: SecondStep
    places: tuple[Place, ...]


def me_view(
    session: Session, ctx: Context, user_id: int, login_id: int, words: Words, now: datetime
) -> Me:
    """Read everything about one's own account."""
    user = session.get_one(User, user_id)
    return Me(
        name=user.name,
        locale=user.locale,
        shortcuts=user.shortcuts,
        has_password=bool(user.password_hash),
        shortest=SHORTEST,
        second=_second(session, ctx, user, words),
        places=places_of(session, ctx, user_id, login_id, words, now),
    )


def places_of(
    session: Session, ctx: Context, user_id: int, login_id: int, words: Words, now: datetime
) -> tuple[Place, ...]:
    """Where a user is logged in; ``login_id`` is the login that asks."""
    return tuple(_place(row, ctx, login_id, words, now) for row in logins_of(session, user_id, now))


def _place(row: LoginSession, ctx: Context, login_id: int, words: Words, now: datetime) -> Place:
    since = formats.near(row.created_at, now, ctx.zone)
    seen = formats.near(row.seen_at, now, ctx.zone)
    return Place(
        id=row.id,
        agent=row.agent or words("me.unknown_agent"),
        times=words("me.login_since", since=since, seen=seen),
        here=row.id == login_id,
    )


def _second(session: Session, ctx: Context, user: User, words: Words) -> SecondStep:
    if user.totp_since is not None:
        left = codes_left(session, user.id)
        day = formats.day(user.totp_since.astimezone(ctx.zone).date(), words.locale)
        return SecondStep("on", since=day, left=left, few=left <= FEW_CODES)
    secret = pending_secret(ctx, user)
    if not secret:
        return SecondStep("off")
    address = address_of(secret, user.name, ctx.documents.shop.name)
    return SecondStep(
        "pending",
        # In groups of four, as people read keys aloud.
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        picture=_picture(address),
    )


def _picture(address: str) -> Markup:
    """The QR code as a drawing inside the page: no file, nothing loaded."""
    drawn = segno.make_qr(address, error="m").svg_inline(
        scale=4, border=4, dark="#1d2733", light="#ffffff", svgclass="dk-qr", lineclass=None
    )
    return Markup(drawn)  # noqa: S704 - drawn by us from squares
