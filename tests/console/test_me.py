"""One's own account: name, keys, password, second step and the places one is logged in."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from console import auth
from tests.console.conftest import NAMES, PASSWORD, Clock, Enter, Visitor
from worker.rules.states import Role
from worker.store.access import RecoveryCode
from worker.store.engine import reading, writing
from worker.store.running import Audit, LoginSession, User

NEW = "a quite long horse"


def actions(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(sa.select(Audit.action).order_by(Audit.id)))


def secret_on(visitor: Visitor) -> str:
    """Begin the second step and read the key off the page."""
    visitor.send("/me/totp")
    found = re.search(r'<code class="dk-key">([A-Z2-7 ]+)</code>', visitor.get("/me").text)
    assert found is not None
    return found.group(1).replace(" ", "")


def start(visitor: Visitor, clock: Clock) -> tuple[pyotp.TOTP, list[str]]:
    """Switch the second step on; gives the telephone and the recovery codes."""
    phone = pyotp.TOTP(secret_on(visitor))
    answer = visitor.send("/me/totp/confirm", code=phone.at(clock.now))
    codes = re.findall(r"<li><code>([a-z0-9-]+)</code></li>", answer.text)
    assert len(codes) == 10
    return phone, codes


def knock(enter: Enter) -> Visitor:
    """Come to the door of the code with the right password."""
    visitor = enter(None)
    answer = visitor.send("/login", name=NAMES[Role.EDITOR], password=PASSWORD, next="/stops")
    assert answer.headers["location"] == "/login/code?next=%2Fstops"
    return visitor


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_shows_ones_own_things(enter: Enter, language: str) -> None:
    html = enter(Role.VIEWER, language).get("/me").text
    words = {"ja": "ログイン中の場所", "en": "Where you are logged in"}
    assert words[language] in html
    assert 'value="見田"' in html


def test_a_new_name_is_shown_and_the_old_one_can_never_be_taken(
    enter: Enter, desk_engine: Engine
) -> None:
    visitor, other = enter(Role.EDITOR), enter(Role.VIEWER)
    assert visitor.send("/me/screen", name="中村 春", shortcuts="on").status_code == 303
    assert "中村 春" in visitor.get("/me").text
    taken = other.send("/me/screen", name=NAMES[Role.EDITOR])
    assert taken.status_code == 409
    assert "前に使われていました" in taken.text
    assert other.send("/me/screen", name="api:見田").status_code == 409
    with reading(desk_engine) as session:
        told = session.scalar(sa.select(Audit.detail).where(Audit.action == "rename_user"))
    assert told == {"old": "中村", "new": "中村 春"}


def test_single_keys_are_switched_off_for_one_user_only(enter: Enter) -> None:
    visitor = enter(Role.EDITOR)
    assert 'data-keys="off"' not in visitor.get("/queue").text
    visitor.send("/me/screen", name=NAMES[Role.EDITOR], language="en")
    html = visitor.get("/queue").text
    assert 'data-keys="off"' in html
    assert '<html lang="en">' in html
    assert 'data-keys="off"' not in enter(Role.VIEWER).get("/queue").text


def test_a_new_password_needs_the_old_one_and_ends_every_other_login(
    enter: Enter, desk_engine: Engine
) -> None:
    here, there = enter(Role.EDITOR), enter(Role.EDITOR)
    wrong = here.send("/me/password", old="guess", new=NEW, again=NEW)
    assert (wrong.status_code, "いまのパスワードが違います" in wrong.text) == (409, True)
    short = here.send("/me/password", old=PASSWORD, new="short", again="short")
    assert "10文字以上" in short.text
    differs = here.send("/me/password", old=PASSWORD, new=NEW, again=NEW + "!")
    assert "2回目のパスワード" in differs.text
    assert there.client.get("/queue", follow_redirects=False).status_code == 200
    done = here.send("/me/password", old=PASSWORD, new=NEW, again=NEW)
    assert done.headers["location"] == "/me?said=password_done"
    assert here.client.get("/queue", follow_redirects=False).status_code == 200
    assert there.client.get("/queue", follow_redirects=False).status_code == 303
    stranger = enter(None)
    name = NAMES[Role.EDITOR]
    assert stranger.send("/login", name=name, password=PASSWORD).status_code == 401
    assert stranger.send("/login", name=name, password=NEW).status_code == 303
    assert actions(desk_engine) == ["change_password"]


def test_guessing_the_old_password_is_slow_too(enter: Enter) -> None:
    visitor = enter(Role.EDITOR)
    tries = [
        visitor.send("/me/password", old="guess", new=NEW, again=NEW).status_code for _ in range(6)
    ]
    assert tries == [409, 409, 409, 409, 409, 429]


def test_who_came_by_a_link_sets_a_password_without_an_old_one(enter: Enter) -> None:
    visitor = enter(Role.ADMIN)
    assert 'name="old"' not in visitor.get("/me?welcome=1").text
    assert visitor.send("/me/password", new=NEW, again=NEW).status_code == 303
    assert enter(None).send("/login", name=NAMES[Role.ADMIN], password=NEW).status_code == 303


def test_the_second_step_asks_for_the_telephone_after_the_password(
    enter: Enter, clock: Clock, desk_engine: Engine
) -> None:
    phone, _codes = start(enter(Role.EDITOR), clock)
    clock.now += timedelta(minutes=1)
    visitor = knock(enter)
    assert visitor.client.get("/queue", follow_redirects=False).status_code == 303
    assert visitor.send("/login/code", code="000000").status_code == 401
    entered = visitor.send("/login/code", code=phone.at(clock.now), next="/stops")
    assert (entered.status_code, entered.headers["location"]) == (303, "/stops")
    assert visitor.client.get("/queue", follow_redirects=False).status_code == 200
    assert actions(desk_engine) == ["start_totp"]


def test_a_code_of_the_telephone_works_once(enter: Enter, clock: Clock) -> None:
    phone, _codes = start(enter(Role.EDITOR), clock)
    # The code that proved the telephone is used up as well.
    assert knock(enter).send("/login/code", code=phone.at(clock.now)).status_code == 401
    clock.now += timedelta(minutes=1)
    code = phone.at(clock.now)
    assert knock(enter).send("/login/code", code=code).status_code == 303
    assert knock(enter).send("/login/code", code=code).status_code == 401


def test_a_recovery_code_works_once_and_its_use_is_told(
    enter: Enter, clock: Clock, desk_engine: Engine
) -> None:
    _phone, codes = start(enter(Role.EDITOR), clock)
    assert knock(enter).send("/login/code", code=codes[3].upper()).status_code == 303
    assert knock(enter).send("/login/code", code=codes[3]).status_code == 401
    assert actions(desk_engine) == ["start_totp", "use_recovery"]
    with reading(desk_engine) as session:
        stored = session.scalars(sa.select(RecoveryCode.code_hash)).all()
        sealed = session.scalars(sa.select(User.totp_secret).where(User.totp_secret != "")).one()
    assert not set(stored) & set(codes)
    assert _phone.secret not in sealed


def test_codes_cannot_be_guessed(enter: Enter, clock: Clock) -> None:
    phone, _codes = start(enter(Role.EDITOR), clock)
    clock.now += timedelta(minutes=1)
    visitor = knock(enter)
    tries = [visitor.send("/login/code", code="000000").status_code for _ in range(6)]
    assert tries == [401, 401, 401, 401, 401, 429]
    assert knock(enter).send("/login/code", code=phone.at(clock.now)).status_code == 429


def test_a_right_password_does_not_wait_for_its_code_for_ever(enter: Enter, clock: Clock) -> None:
    phone, _codes = start(enter(Role.EDITOR), clock)
    visitor = knock(enter)
    clock.now += timedelta(minutes=11)
    answer = visitor.send("/login/code", code=phone.at(clock.now))
    assert answer.headers["location"] == "/login"


def test_a_link_does_not_pass_the_telephone_by(
    enter: Enter, clock: Clock, desk_engine: Engine
) -> None:
    start(enter(Role.EDITOR), clock)
    with writing(desk_engine) as session:
        user = session.scalars(sa.select(User).where(User.name == NAMES[Role.EDITOR])).one()
        token = auth.one_time_link(session, user, clock.now)
    visitor = enter(None)
    answer = visitor.client.get(f"/login/once/{token}", follow_redirects=False)
    assert answer.headers["location"].startswith("/login/code")
    assert visitor.client.get("/queue", follow_redirects=False).status_code == 303


def test_the_second_step_ends_only_with_a_code(enter: Enter, clock: Clock) -> None:
    visitor = enter(Role.EDITOR)
    phone, _codes = start(visitor, clock)
    assert visitor.send("/me/totp/stop", code="123456").status_code == 409
    clock.now += timedelta(minutes=1)
    assert visitor.send("/me/totp/stop", code=phone.at(clock.now)).status_code == 303
    again = enter(None).send("/login", name=NAMES[Role.EDITOR], password=PASSWORD)
    assert again.headers["location"] == "/"


def test_new_recovery_codes_make_the_old_ones_worthless(enter: Enter, clock: Clock) -> None:
    visitor = enter(Role.EDITOR)
    phone, old = start(visitor, clock)
    clock.now += timedelta(minutes=1)
    answer = visitor.send("/me/totp/renew", code=phone.at(clock.now))
    new = re.findall(r"<li><code>([a-z0-9-]+)</code></li>", answer.text)
    assert (len(new), set(new) & set(old)) == (10, set())
    assert knock(enter).send("/login/code", code=old[0]).status_code == 401
    assert knock(enter).send("/login/code", code=new[0]).status_code == 303


def test_logins_are_listed_and_ended_one_by_one(enter: Enter, desk_engine: Engine) -> None:
    here, there, foreign = enter(Role.EDITOR), enter(Role.EDITOR), enter(Role.VIEWER)
    with reading(desk_engine) as session:
        ids = session.scalars(
            sa.select(LoginSession.id)
            .where(LoginSession.one_time.is_(False))
            .order_by(LoginSession.id)
        ).all()
    assert here.get("/me").text.count("不明なブラウザ</b>") == 2
    assert foreign.send(f"/me/logins/{ids[1]}/end").status_code == 409
    assert there.client.get("/queue", follow_redirects=False).status_code == 200
    assert here.send(f"/me/logins/{ids[1]}/end").status_code == 303
    assert there.client.get("/queue", follow_redirects=False).status_code == 303
    again = enter(Role.EDITOR)
    assert here.send("/me/logins/others").status_code == 303
    assert again.client.get("/queue", follow_redirects=False).status_code == 303
    assert here.client.get("/queue", follow_redirects=False).status_code == 200


def test_every_form_of_the_page_asks_for_the_logins_token(enter: Enter) -> None:
    visitor = enter(Role.EDITOR)
    for path in ("screen", "password", "totp", "totp/confirm", "totp/stop", "logins/others"):
        assert visitor.send(f"/me/{path}", csrf="guess", name="x").status_code == 403
