"""A login at a marketplace in the browser: begun by somebody, answered once, within minutes."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import NeedsPerson
from worker.pipeline.channel_admin import note, resume
from worker.pipeline.pull import channel_named
from worker.store.channels import BrowserLogin, Channel

LIFE = timedelta(minutes=15)
"""A login that is not answered by then is begun anew: time for a second factor, not for a loan."""

_AGAIN = "もう一度、ログインを始めてください。Begin the login again."


@dataclass(frozen=True)
class Begun:
    """A login under way. ``redirect_uri`` is the address the marketplace was told."""

    channel: str
    redirect_uri: str
    by: str


def begin_login(
    session: Session,
    name: str,
    redirect_uri: str,
    by: str,
    now: datetime,
    *,
    session_id: int | None = None,
) -> str:
    """Note that a login begins; gives its state, of which only the hash is kept.

    ``session_id``: the login at the desk that alone may answer. Raises LookupError.
    """
    channel = channel_named(session, name)
    session.execute(sa.delete(BrowserLogin).where(BrowserLogin.expires_at < now - LIFE))
    state = secrets.token_urlsafe(32)
    session.add(
        BrowserLogin(
            channel_id=channel.id, state_hash=_hash(state), session_id=session_id,
            redirect_uri=redirect_uri, by=by[:80], expires_at=now + LIFE,
        )
    )  # fmt: skip
    note(session, "channel_login_begun", channel, by, now)
    return state


def take_login(
    session: Session, state: str, now: datetime, *, session_id: int | None = None
) -> Begun:
    """Use a state up; what else comes with it is refused from now on.

    Raises NeedsPerson for a state that is unknown, somebody else's, used or too old. One of
    another login at the desk is not used up: a stranger must not end a login.
    """
    whose = (
        BrowserLogin.session_id.is_(None)
        if session_id is None
        else BrowserLogin.session_id == session_id
    )
    mine = (BrowserLogin.state_hash == _hash(state)) & whose
    taken = session.execute(
        sa.update(BrowserLogin)
        .where(mine, BrowserLogin.used_at.is_(None), BrowserLogin.expires_at > now)
        .values(used_at=now)
        .returning(BrowserLogin.channel_id, BrowserLogin.redirect_uri, BrowserLogin.by)
    ).one_or_none()
    if taken is None:
        raise _refusal(session.scalars(sa.select(BrowserLogin).where(mine)).one_or_none())
    channel = session.get_one(Channel, taken.channel_id)
    return Begun(channel.name, taken.redirect_uri, taken.by)


def _refusal(found: BrowserLogin | None) -> NeedsPerson:
    if found is None:
        return NeedsPerson(
            "この画面から始めたログインではありません。何もしていません。"
            "This answer belongs to no login that was begun here; nothing was done.",
            _AGAIN,
        )
    if found.used_at is not None:
        return NeedsPerson(
            "このログインの返事はもう使われています。"
            "This answer of the login has been used already.",
            "連携の画面で状態を確かめてください。Look at the channel's page.",
        )
    return NeedsPerson("ログインの時間が切れました。The login took too long.", _AGAIN)


def login_worked(session: Session, name: str, by: str, now: datetime) -> None:
    """The tokens are kept: note it, and poll again where a refusal had stopped the channel.

    A channel that a person paused stays paused: nothing had gone wrong there.
    """
    channel = channel_named(session, name)
    if channel.paused and channel.last_error:
        resume(session, name, by, now, audit=False)
    note(session, "channel_login", channel, by, now)


def login_failed(session: Session, name: str, by: str, now: datetime, problem: str) -> None:
    """Note that a login brought nothing; the tokens of before stay as they are."""
    note(session, "channel_login_failed", channel_named(session, name), by, now, problem=problem)


def _hash(state: str) -> str:
    # 256 random bits: a plain hash cannot be guessed backwards.
    return hashlib.sha256(state.encode()).hexdigest()
