"""Who may enter the desk and in which role: invite, change, switch off, and never the last admin.

The parts stand beside this file: own logins and passwords in ``users_logins``, the telephone's
code in ``users_totp``, programs in ``users_tokens``. Each step writes its own row in the audit.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.pipeline.audit import NAME_LENGTH, record
from worker.pipeline.users_logins import end_logins, open_session
from worker.pipeline.users_words import UserRefused
from worker.rules.states import Role
from worker.store.audit_queries import renamings
from worker.store.running import User

LINK_LIFE = timedelta(hours=24)
PROGRAM = "api:"
"""How the deeds of a program are signed; no person has a name like this."""


def all_users(session: Session) -> list[User]:
    """Everybody, those who may enter first, by name."""
    return list(session.scalars(select(User).order_by(User.disabled, User.name)))


def user_of(session: Session, user_id: int) -> User:
    """Read a user and lock the row. Raises UserRefused."""
    user = session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise UserRefused("user_unknown")
    return user


def named_user(session: Session, name: str) -> User:
    """The user of that name. Raises UserRefused."""
    user = session.scalar(select(User).where(User.name == name))
    if user is None:
        raise UserRefused("user_unknown")
    return user


def add_user(session: Session, name: str, role: Role, *, by: str, now: datetime) -> User:
    """Add a user without a password: only a one-time link lets them in."""
    user = User(name=_free_name(session, name), role=role, password_hash="", created_at=now)
    session.add(user)
    session.flush()
    record(session, by=by, action="add_user", subject=f"user:{user.id}", now=now, role=role.value)
    return user


def make_link(session: Session, user_id: int, *, by: str, now: datetime) -> str:
    """Make a token for ``/login/once/<token>``: works once within 24 hours, the newest only."""
    user = user_of(session, user_id)
    if user.disabled:
        raise UserRefused("user_off")
    end_logins(session, user.id, now, one_time=True)
    record(session, by=by, action="make_link", subject=f"user:{user.id}", now=now)
    return one_time_link(session, user, now)


def one_time_link(session: Session, user: User, now: datetime) -> str:
    """The bare token of a link, for who is at the machine itself."""
    return open_session(session, user.id, now, life=LINK_LIFE, one_time=True)


def change_role(session: Session, user_id: int, role: Role, *, by: str, now: datetime) -> User:
    """Give another role from the next request on. Raises UserRefused for the last admin."""
    admins = _admins(session)
    user = user_of(session, user_id)
    if user.role is role:
        return user
    if role is not Role.ADMIN:
        _raise_if_last(admins, user)
    told = {"old": user.role.value, "new": role.value}
    user.role = role
    record(session, by=by, action="change_role", subject=f"user:{user.id}", now=now, **told)
    return user


def deactivate(session: Session, user_id: int, *, by: str, now: datetime) -> User:
    """Shut a user out at once; their deeds stay. Raises UserRefused for the last admin."""
    admins = _admins(session)
    user = user_of(session, user_id)
    if user.disabled:
        return user
    _raise_if_last(admins, user)
    user.disabled = True
    end_logins(session, user.id, now)
    end_logins(session, user.id, now, one_time=True)
    record(session, by=by, action="deactivate_user", subject=f"user:{user.id}", now=now)
    return user


def reactivate(session: Session, user_id: int, *, by: str, now: datetime) -> User:
    """Let a user in again, with the password and role of before."""
    user = user_of(session, user_id)
    if user.disabled:
        user.disabled = False
        record(session, by=by, action="reactivate_user", subject=f"user:{user.id}", now=now)
    return user


def rename(session: Session, user_id: int, name: str, *, by: str, now: datetime) -> User:
    """Take another name; nobody may ever take the one of before, which stands in old rows."""
    user = user_of(session, user_id)
    wanted = _clean(name)
    if wanted == user.name:
        return user
    told = {"old": user.name, "new": _free_name(session, wanted)}
    user.name = wanted
    record(session, by=by, action="rename_user", subject=f"user:{user.id}", now=now, **told)
    return user


def names_of(session: Session, name: str) -> frozenset[str]:
    """Every name under which this person ever acted, this one included."""
    known = {name}
    for old, new in reversed(renamings(session)):
        if new in known:
            known.add(old)
    return frozenset(known)


def _admins(session: Session) -> set[int]:
    """Ids of who may administer, locked: two who leave at once must see one another."""
    statement = (
        select(User.id)
        .where(User.role == Role.ADMIN, User.disabled.is_(False))
        .order_by(User.id)
        .with_for_update()
    )
    return set(session.scalars(statement))


def _raise_if_last(admins: set[int], user: User) -> None:
    if admins == {user.id}:
        raise UserRefused("last_admin")


def _clean(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


def _free_name(session: Session, name: str) -> str:
    wanted = _clean(name)
    plain = all(unicodedata.category(sign)[0] != "C" for sign in wanted)
    if not wanted or len(wanted) > NAME_LENGTH or not plain or wanted.startswith(PROGRAM):
        raise UserRefused("name_unfit")
    former = {old for old, _new in renamings(session)}
    if wanted in former or session.scalar(select(User.id).where(User.name == wanted)):
        raise UserRefused("name_taken", name=wanted)
    return wanted
