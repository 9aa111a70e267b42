"""Users in steps: roles, the last admin, names that nobody takes over, codes and tokens."""

from __future__ import annotations

import threading
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.factories import NOW
from worker.pipeline import users, users_logins, users_tokens, users_totp
from worker.pipeline.context import Context
from worker.pipeline.users_words import UserRefused
from worker.rules.states import Role
from worker.store.engine import writing
from worker.store.running import Audit, LoginSession, User

BY = "管"


def add(session: Session, name: str, role: Role = Role.EDITOR) -> User:
    return users.add_user(session, name, role, by=BY, now=NOW)


def refused(code: str) -> pytest.RaisesExc[UserRefused]:
    return pytest.raises(UserRefused, check=lambda error: error.code == code)


def actions(session: Session) -> list[str]:
    return list(session.scalars(sa.select(Audit.action).order_by(Audit.id)))


def test_the_last_admin_can_neither_go_nor_step_down(session: Session) -> None:
    first, second = add(session, "一", Role.ADMIN), add(session, "二", Role.ADMIN)
    users.change_role(session, second.id, Role.APPROVER, by=BY, now=NOW)
    with refused("last_admin"):
        users.change_role(session, first.id, Role.VIEWER, by=BY, now=NOW)
    with refused("last_admin"):
        users.deactivate(session, first.id, by=BY, now=NOW)
    assert (first.role, first.disabled) == (Role.ADMIN, False)
    users.change_role(session, second.id, Role.ADMIN, by=BY, now=NOW)
    users.deactivate(session, first.id, by=BY, now=NOW)
    with refused("last_admin"):
        users.deactivate(session, second.id, by=BY, now=NOW)


def test_two_admins_who_leave_at_once_do_not_leave_nobody(engine: Engine) -> None:
    with writing(engine) as session:
        ids = [add(session, name, Role.ADMIN).id for name in ("一", "二")]
    both = threading.Barrier(2)
    told: list[str] = []

    def leave(user_id: int) -> None:
        both.wait(timeout=10)
        try:
            with writing(engine) as session:
                users.deactivate(session, user_id, by=BY, now=NOW)
        except UserRefused as error:
            told.append(error.code)

    threads = [threading.Thread(target=leave, args=(user_id,)) for user_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert told == ["last_admin"]
    with writing(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).where(User.disabled.is_(False))) == 1


def test_who_is_switched_off_is_out_of_every_place_and_every_link(session: Session) -> None:
    add(session, "管理", Role.ADMIN)
    user = add(session, "中村")
    users_logins.open_session(session, user.id, NOW)
    users.make_link(session, user.id, by=BY, now=NOW)
    users.deactivate(session, user.id, by=BY, now=NOW)
    left = sa.select(sa.func.count()).where(LoginSession.revoked_at.is_(None))
    assert session.scalar(left) == 0
    with refused("user_off"):
        users.make_link(session, user.id, by=BY, now=NOW)
    users.reactivate(session, user.id, by=BY, now=NOW)
    assert actions(session)[2:] == ["make_link", "deactivate_user", "reactivate_user"]


def test_only_the_newest_link_works(session: Session) -> None:
    user = add(session, "中村")
    users.make_link(session, user.id, by=BY, now=NOW)
    users.make_link(session, user.id, by=BY, now=NOW)
    links = session.scalars(sa.select(LoginSession.revoked_at).order_by(LoginSession.id)).all()
    assert links == [NOW, None]


@pytest.mark.parametrize("name", ["", "   ", "api:hub", "行\n行", "\u202eevil", "長" * 81])
def test_a_name_that_could_deceive_is_refused(session: Session, name: str) -> None:
    with refused("name_unfit"):
        add(session, name)


def test_nobody_takes_the_name_of_somebody_else_not_even_a_former_one(session: Session) -> None:
    user = add(session, "中村")
    with refused("name_taken"):
        add(session, " 中村 ")
    users.rename(session, user.id, "中村 春", by="中村", now=NOW)
    users.rename(session, user.id, "森", by="中村 春", now=NOW)
    with refused("name_taken"):
        add(session, "中村")
    assert users.names_of(session, "森") == {"森", "中村 春", "中村"}
    assert users.names_of(session, "中村 春") == {"中村 春", "中村"}


def test_a_password_that_somebody_changed_meanwhile_is_not_overwritten(session: Session) -> None:
    user = add(session, "中村")
    user.password_hash = "theirs"
    with refused("password_wrong"):
        users_logins.change_password(
            session, user.id, "mine", expected="", keep=None, by="中村", now=NOW
        )
    assert user.password_hash == "theirs"


def test_a_code_is_taken_once_and_only_when_it_is_near(session: Session, ctx: Context) -> None:
    user = add(session, "中村")
    phone = pyotp.TOTP(users_totp.begin_totp(session, ctx, user.id))
    assert not users_totp.takes_code(session, ctx, user.id, phone.at(NOW), NOW)
    users_totp.confirm_totp(session, ctx, user.id, phone.at(NOW), by="中村", now=NOW)
    later = NOW + timedelta(minutes=5)
    early = phone.at(later - timedelta(seconds=90))
    assert not users_totp.takes_code(session, ctx, user.id, early, later)
    assert users_totp.takes_code(session, ctx, user.id, phone.at(later), later)
    assert not users_totp.takes_code(session, ctx, user.id, phone.at(later), later)
    # An older code is over once a newer one was taken.
    before = phone.at(later - timedelta(seconds=30))
    assert not users_totp.takes_code(session, ctx, user.id, before, later)


def test_a_recovery_code_of_one_user_opens_nothing_for_another(
    session: Session, ctx: Context
) -> None:
    ours, theirs = add(session, "中村"), add(session, "見田")
    codes = {}
    for user in (ours, theirs):
        phone = pyotp.TOTP(users_totp.begin_totp(session, ctx, user.id))
        codes[user.id] = users_totp.confirm_totp(
            session, ctx, user.id, phone.at(NOW), by=user.name, now=NOW
        )
    assert not users_totp.takes_code(session, ctx, ours.id, codes[theirs.id][0], NOW)
    assert users_totp.takes_code(session, ctx, ours.id, codes[ours.id][0], NOW)
    assert users_totp.codes_left(session, ours.id) == 9
    users_totp.drop_totp(session, ours.id, by=BY, now=NOW)
    assert not users_totp.takes_code(session, ctx, ours.id, codes[ours.id][1], NOW)


def test_a_token_works_until_its_end_or_until_it_is_revoked(session: Session) -> None:
    token, secret = users_tokens.make_token(session, "hub", Role.VIEWER, 30, by=BY, now=NOW)
    assert secret not in (token.token_hash, token.name)
    found = users_tokens.token_of(session, secret, NOW + timedelta(days=29))
    assert found is token
    assert users_tokens.token_of(session, secret, NOW + timedelta(days=30)) is None
    assert users_tokens.token_of(session, secret + "x", NOW) is None
    users_tokens.revoke_token(session, token.id, by=BY, now=NOW)
    session.expire_all()
    assert users_tokens.token_of(session, secret, NOW) is None
    with refused("token_unknown"):
        users_tokens.revoke_token(session, token.id, by=BY, now=NOW)
    with refused("token_taken"):
        users_tokens.make_token(session, "hub", Role.VIEWER, 30, by=BY, now=NOW)


@pytest.mark.parametrize(("name", "days"), [("", 30), ("x" * 61, 30), ("hub", 0), ("hub", 367)])
def test_a_token_without_a_name_or_an_end_is_refused(
    session: Session, name: str, days: int
) -> None:
    with refused("token_unfit"):
        users_tokens.make_token(session, name, Role.VIEWER, days, by=BY, now=NOW)
