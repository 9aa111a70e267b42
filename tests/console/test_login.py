"""Who may enter the desk, for how long, and how guessing is made slow."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import Engine

from console import auth
from tests.console.conftest import NAMES, PASSWORD, Clock, Enter
from worker.rules.states import Role
from worker.store.engine import writing
from worker.store.running import LoginSession, User


def _link(engine: Engine, clock: Clock, role: Role = Role.ADMIN) -> str:
    with writing(engine) as session:
        user = session.scalars(sa.select(User).where(User.name == NAMES[role])).one()
        return auth.one_time_link(session, user, clock.now)


def test_a_stranger_is_led_to_the_login_and_back_to_the_page(enter: Enter) -> None:
    visitor = enter(None)
    answer = visitor.client.get("/queue?list=vip", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fqueue%3Flist%3Dvip"


def test_the_right_password_opens_the_desk(enter: Enter) -> None:
    visitor = enter(None)
    answer = visitor.send(
        "/login", name=NAMES[Role.EDITOR], password=PASSWORD, next="/queue?list=vip"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/queue?list=vip")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert visitor.get("/queue").status_code == 200


def test_a_login_never_leads_to_another_site(enter: Enter) -> None:
    for elsewhere in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        answer = enter(None).send(
            "/login", name=NAMES[Role.EDITOR], password=PASSWORD, next=elsewhere
        )
        assert answer.headers["location"] == "/"


def test_wrong_passwords_are_refused_and_soon_not_even_looked_at(
    enter: Enter, clock: Clock
) -> None:
    visitor, name = enter(None), NAMES[Role.EDITOR]
    tries = [visitor.send("/login", name=name, password="guess").status_code for _ in range(6)]
    assert tries == [401, 401, 401, 401, 401, 429]
    assert visitor.send("/login", name=name, password=PASSWORD).status_code == 429
    clock.now += timedelta(minutes=16)
    assert visitor.send("/login", name=name, password=PASSWORD).status_code == 303


def test_a_user_without_a_password_cannot_enter_by_an_empty_one(enter: Enter) -> None:
    visitor = enter(None)
    assert visitor.send("/login", name=NAMES[Role.ADMIN], password="").status_code == 401


def test_a_one_time_link_works_once(enter: Enter, desk_engine: Engine, clock: Clock) -> None:
    token = _link(desk_engine, clock)
    first, second = enter(None), enter(None)
    assert first.client.get(f"/login/once/{token}").status_code == 200
    assert first.get("/queue").status_code == 200
    assert second.client.get(f"/login/once/{token}").status_code == 410
    assert second.client.get("/queue", follow_redirects=False).status_code == 303


def test_a_one_time_link_is_over_after_a_day(
    enter: Enter, desk_engine: Engine, clock: Clock
) -> None:
    token = _link(desk_engine, clock)
    clock.now += timedelta(hours=24)
    assert enter(None).client.get(f"/login/once/{token}").status_code == 410


def test_a_one_time_token_is_no_cookie(enter: Enter, desk_engine: Engine, clock: Clock) -> None:
    token = _link(desk_engine, clock)
    visitor = enter(None)
    visitor.client.cookies.set("okaeri_login", token)
    assert visitor.client.get("/queue", follow_redirects=False).status_code == 303


def test_logging_out_ends_the_login_and_not_only_the_cookie(enter: Enter) -> None:
    visitor = enter()
    cookie = visitor.client.cookies["okaeri_login"]
    assert visitor.send("/logout").headers["location"] == "/login"
    visitor.client.cookies.set("okaeri_login", cookie)
    assert visitor.client.get("/queue", follow_redirects=False).status_code == 303


def test_a_login_that_nobody_uses_ends_by_itself(enter: Enter, clock: Clock) -> None:
    visitor = enter()
    clock.now += timedelta(hours=11)
    assert visitor.client.get("/queue", follow_redirects=False).status_code == 200
    clock.now += timedelta(hours=11)
    assert visitor.client.get("/queue", follow_redirects=False).status_code == 200
    clock.now += timedelta(hours=13)
    assert visitor.client.get("/queue", follow_redirects=False).status_code == 303


def test_a_disabled_user_is_out_at_once(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.APPROVER)
    with writing(desk_engine) as session:
        session.execute(
            sa.update(User).where(User.name == NAMES[Role.APPROVER]).values(disabled=True)
        )
    assert visitor.client.get("/queue", follow_redirects=False).status_code == 303


def test_a_new_password_ends_every_open_login(
    enter: Enter, desk_engine: Engine, clock: Clock
) -> None:
    visitor = enter(Role.APPROVER)
    with writing(desk_engine) as session:
        user = session.scalars(sa.select(User).where(User.name == NAMES[Role.APPROVER])).one()
        auth.set_password(session, user, "another horse", clock.now)
    assert visitor.client.get("/queue", follow_redirects=False).status_code == 303


def test_the_store_keeps_no_token_and_no_password(
    enter: Enter, desk_engine: Engine, clock: Clock
) -> None:
    token = _link(desk_engine, clock)
    visitor = enter(Role.EDITOR)
    cookie = visitor.client.cookies["okaeri_login"]
    with desk_engine.connect() as connection:
        rows = connection.execute(sa.select(LoginSession.token_hash)).scalars().all()
        hashes = connection.execute(sa.select(User.password_hash)).scalars().all()
    assert token not in rows
    assert cookie not in rows
    assert [stored for stored in hashes if stored and not stored.startswith("$argon2id$")] == []
