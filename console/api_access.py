"""Users, tokens and the audit for programs: the same steps as the pages, for admins."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from console.views.users import token_state
from console.visit import AdminReading, ApiAdmin, ApiPerson
from worker.pipeline import users, users_logins, users_tokens, users_totp
from worker.rules.states import Role
from worker.store.access import ApiToken
from worker.store.audit_queries import AuditFilter, audit_page
from worker.store.running import Audit, User

router = APIRouter(prefix="/api/v1", tags=["access"])

RowId = Annotated[int, Query(ge=1, le=2**63 - 1)]


class UserRow(BaseModel):
    """Somebody who may enter the desk."""

    id: int
    name: str
    role: Role
    disabled: bool
    has_password: bool
    second_step: bool
    created_at: datetime


class NewUser(BaseModel):
    """Whom to add; a link lets them in."""

    name: str = Field(min_length=1, max_length=80)
    role: Role


class NewRole(BaseModel):
    """The role to have from now on."""

    role: Role


class Link(BaseModel):
    """A path that opens the desk once, within 24 hours; told this once."""

    path: str


class TokenRow(BaseModel):
    """A program's token; ``state`` is live, soon, over or revoked."""

    id: int
    name: str
    role: Role
    state: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class NewToken(BaseModel):
    """What the token is for, what it may do and for how long."""

    name: str = Field(min_length=1, max_length=60)
    role: Role
    days: int = Field(ge=1, le=users_tokens.LONGEST)


class MadeToken(BaseModel):
    """A new token; ``token`` is told this once."""

    id: int
    token: str


class AuditRow(BaseModel):
    """One act; ``id`` given as ``before`` goes on behind it."""

    id: int
    at: datetime
    by: str
    action: str
    subject: str
    detail: dict[str, Any]


def _user(row: User) -> UserRow:
    return UserRow(
        id=row.id,
        name=row.name,
        role=row.role,
        disabled=row.disabled,
        has_password=bool(row.password_hash),
        second_step=row.totp_since is not None,
        created_at=row.created_at,
    )


@router.get("/users")
def everybody(visit: AdminReading) -> list[UserRow]:
    """Everybody, those who may enter first."""
    with visit.read() as (session, _ctx):
        return [_user(row) for row in users.all_users(session)]


@router.post("/users")
def add(visit: ApiAdmin, new: NewUser) -> UserRow:
    """Add a user."""
    with visit.write() as (session, _ctx):
        return _user(
            users.add_user(session, new.name, new.role, by=visit.login.name, now=visit.now)
        )


@router.post("/users/{user_id}/role")
def change_role(visit: ApiAdmin, user_id: int, new: NewRole) -> UserRow:
    """Give another role; the last admin keeps theirs."""
    with visit.write() as (session, _ctx):
        return _user(
            users.change_role(session, user_id, new.role, by=visit.login.name, now=visit.now)
        )


@router.post("/users/{user_id}/off")
def switch_off(visit: ApiAdmin, user_id: int) -> UserRow:
    """Shut a user out at once; the last admin stays."""
    with visit.write() as (session, _ctx):
        return _user(users.deactivate(session, user_id, by=visit.login.name, now=visit.now))


@router.post("/users/{user_id}/on")
def switch_on(visit: ApiAdmin, user_id: int) -> UserRow:
    """Let a user in again."""
    with visit.write() as (session, _ctx):
        return _user(users.reactivate(session, user_id, by=visit.login.name, now=visit.now))


@router.post("/users/{user_id}/logins/end")
def end_logins(visit: ApiAdmin, user_id: int) -> UserRow:
    """End every login of a user."""
    with visit.write() as (session, _ctx):
        user = users.user_of(session, user_id)
        users_logins.end_all_logins(session, user_id, by=visit.login.name, now=visit.now)
        return _user(user)


@router.post("/users/{user_id}/second_step/drop")
def drop_second_step(visit: ApiPerson, user_id: int) -> UserRow:
    """Ask for no code any more, for somebody who lost the telephone; not for programs."""
    with visit.write() as (session, _ctx):
        users_totp.drop_totp(session, user_id, by=visit.login.name, now=visit.now)
        return _user(users.user_of(session, user_id))


@router.post("/users/{user_id}/link")
def make_link(visit: ApiPerson, user_id: int) -> Link:
    """Make a one-time link; not for programs."""
    with visit.write() as (session, _ctx):
        token = users.make_link(session, user_id, by=visit.login.name, now=visit.now)
    return Link(path=f"/login/once/{token}")


@router.get("/tokens")
def tokens(visit: AdminReading) -> list[TokenRow]:
    """Every token, those that work first."""
    with visit.read() as (session, _ctx):
        return [_token(row, visit.now) for row in users_tokens.all_tokens(session)]


def _token(row: ApiToken, now: datetime) -> TokenRow:
    return TokenRow(
        id=row.id,
        name=row.name,
        role=row.role,
        state=token_state(row, now),
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )


@router.post("/tokens")
def make_token(visit: ApiPerson, new: NewToken) -> MadeToken:
    """Make a token; a program cannot make itself another one."""
    with visit.write() as (session, _ctx):
        row, secret = users_tokens.make_token(
            session, new.name, new.role, new.days, by=visit.login.name, now=visit.now
        )
        return MadeToken(id=row.id, token=secret)


@router.post("/tokens/{token_id}/revoke")
def revoke_token(visit: ApiAdmin, token_id: int) -> list[TokenRow]:
    """Make a token worthless at once; gives all that there are."""
    with visit.write() as (session, _ctx):
        users_tokens.revoke_token(session, token_id, by=visit.login.name, now=visit.now)
    return tokens(visit)


@router.get("/audit")
def audit(
    visit: AdminReading,
    by: Annotated[str, Query(max_length=80)] = "",
    action: Annotated[str, Query(max_length=60)] = "",
    subject: Annotated[str, Query(max_length=200)] = "",
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    before: RowId | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[AuditRow]:
    """What was done, the newest first; ``since`` is included, ``until`` is not."""
    wanted = AuditFilter(by, action, subject, since, until)
    with visit.read() as (session, _ctx):
        rows = audit_page(session, wanted, before=before, limit=limit)
        return [_act(row) for row in rows]


def _act(row: Audit) -> AuditRow:
    return AuditRow(
        id=row.id,
        at=row.at,
        by=row.by,
        action=row.action,
        subject=row.subject,
        detail=row.detail,
    )
