"""The second step of a login: a code of the telephone (RFC 6238), or one of the kept codes."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime

import pyotp
from cryptography.fernet import InvalidToken
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from worker.pipeline.audit import record
from worker.pipeline.context import Context
from worker.pipeline.users_secrets import same_secret
from worker.pipeline.users_words import UserRefused
from worker.pipeline.vault import seal, unseal
from worker.rules.keys import keyed_hash
from worker.store.access import RecoveryCode
from worker.store.running import User

CODES = 10
STEP = 30
"""Seconds of one code."""
_NEAR = (0, -1, 1)
"""A telephone's clock may be half a minute off."""
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"


def begin_totp(session: Session, ctx: Context, user_id: int) -> str:
    """A new secret for the telephone; asks for nothing until a code of it was shown."""
    user = _locked(session, user_id)
    if user.totp_since is not None:
        raise UserRefused("totp_on")
    if user.totp_secret:
        return _secret_of(ctx, user)
    secret = pyotp.random_base32()
    user.totp_secret = seal(ctx, secret)
    return secret


def pending_secret(ctx: Context, user: User) -> str:
    """The secret that waits for its first code; empty where none does."""
    return _secret_of(ctx, user) if user.totp_secret and user.totp_since is None else ""


def address_of(secret: str, name: str, shop: str) -> str:
    """What the QR code says to the telephone."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=f"Okaeri {shop}".strip())


def confirm_totp(
    session: Session, ctx: Context, user_id: int, code: str, *, by: str, now: datetime
) -> list[str]:
    """Ask for the code from now on; gives the recovery codes, which are told this once."""
    user = _locked(session, user_id)
    if user.totp_since is not None:
        raise UserRefused("totp_on")
    step = _step_of(ctx, user, code, now)
    if step is None:
        raise UserRefused("code_wrong")
    user.totp_since, user.totp_step = now, step
    record(session, by=by, action="start_totp", subject=f"user:{user_id}", now=now)
    return _new_codes(session, ctx, user_id)


def renew_codes(
    session: Session, ctx: Context, user_id: int, *, by: str, now: datetime
) -> list[str]:
    """New recovery codes; those of before are worth nothing."""
    if _locked(session, user_id).totp_since is None:
        raise UserRefused("totp_off")
    record(session, by=by, action="renew_codes", subject=f"user:{user_id}", now=now)
    return _new_codes(session, ctx, user_id)


def drop_totp(session: Session, user_id: int, *, by: str, now: datetime) -> None:
    """Ask for no code any more and forget secret and recovery codes."""
    user = _locked(session, user_id)
    was_on = user.totp_since is not None
    user.totp_secret, user.totp_since, user.totp_step = "", None, None
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    if was_on:
        record(session, by=by, action="stop_totp", subject=f"user:{user_id}", now=now)


def takes_code(session: Session, ctx: Context, user_id: int, code: str, now: datetime) -> bool:
    """Whether the code lets this user in; it is used up by that."""
    user = _locked(session, user_id)
    if user.totp_since is None:
        return False
    step = _step_of(ctx, user, code, now)
    if step is not None:
        user.totp_step = step
        return True
    used = session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == _code_hash(ctx, user_id, code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
        .execution_options(synchronize_session=False)
    )
    if used is not None:
        record(session, by=user.name, action="use_recovery", subject=f"user:{user_id}", now=now)
    return used is not None


def codes_left(session: Session, user_id: int) -> int:
    """How many recovery codes were not used yet."""
    unused = select(func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    return session.scalar(unused) or 0


def _locked(session: Session, user_id: int) -> User:
    user = session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise UserRefused("user_unknown")
    return user


def _secret_of(ctx: Context, user: User) -> str:
    """Unseal with the present key, else with one of before. Raises InvalidToken."""
    for key in ctx.former_keys:
        try:
            return unseal(ctx, user.totp_secret)
        except InvalidToken:
            ctx = replace(ctx, key=key)
    return unseal(ctx, user.totp_secret)


def _step_of(ctx: Context, user: User, code: str, now: datetime) -> int | None:
    """The time step whose code this is, if it is near and newer than the last one taken."""
    shown = "".join(code.split())
    if not user.totp_secret or not (len(shown) == 6 and shown.isascii() and shown.isdigit()):
        return None
    totp = pyotp.TOTP(_secret_of(ctx, user), interval=STEP)
    present = int(now.timestamp()) // STEP
    for near in _NEAR:
        step = present + near
        is_new = user.totp_step is None or step > user.totp_step
        if is_new and same_secret(totp.at(step * STEP), shown):
            return step
    return None


def _new_codes(session: Session, ctx: Context, user_id: int) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = ["-".join(_piece() for _ in range(3)) for _ in range(CODES)]
    session.add_all(
        RecoveryCode(user_id=user_id, code_hash=_code_hash(ctx, user_id, code)) for code in codes
    )
    return codes


def _piece() -> str:
    return "".join(secrets.choice(_SIGNS) for _ in range(4))


def _code_hash(ctx: Context, user_id: int, code: str) -> str:
    plain = "".join(sign for sign in code.lower() if sign in _SIGNS)
    return keyed_hash(ctx.key, "recovery-code", f"{user_id}\x00{plain}")
