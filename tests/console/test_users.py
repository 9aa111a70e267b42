"""Users and tokens on the desk: for admins only, secrets shown once, the last admin stays."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from tests.console.conftest import NAMES, Clock, Enter, Visitor
from worker.rules.states import Role
from worker.store.access import ApiToken
from worker.store.engine import reading, writing
from worker.store.running import Audit, User


def id_of(engine: Engine, role: Role) -> int:
    with reading(engine) as session:
        return session.scalars(sa.select(User.id).where(User.name == NAMES[role])).one()


def link_in(html: str) -> str:
    found = re.search(r"http://desk\.test(/login/once/[^<\"]+)", html)
    assert found is not None
    return found.group(1).replace("&amp;", "&")


def rows(engine: Engine) -> list[tuple[str, str, str]]:
    with reading(engine) as session:
        found = session.execute(sa.select(Audit.by, Audit.action, Audit.subject).order_by(Audit.id))
        return [(row[0], row[1], row[2]) for row in found]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.APPROVER])
@pytest.mark.parametrize(
    "path", ["/users", "/users/1", "/users/tokens", "/users/audit", "/users/audit.csv"]
)
def test_only_an_admin_sees_users_tokens_and_the_audit(enter: Enter, role: Role, path: str) -> None:
    visitor = enter(role)
    assert visitor.get(path).status_code == 403
    assert "/users" not in visitor.get("/more").text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.APPROVER])
def test_only_an_admin_changes_them(enter: Enter, role: Role, desk_engine: Engine) -> None:
    visitor = enter(role)
    for path in ("/users", "/users/1/role", "/users/1/off", "/users/1/link", "/users/tokens"):
        answer = visitor.send(path, name="x", role="admin", days=30)
        assert answer.status_code == 403
    assert rows(desk_engine) == []


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("path", ["/users", "/users/1", "/users/tokens", "/users/audit"])
def test_the_pages_stand_in_both_languages(enter: Enter, language: str, path: str) -> None:
    answer = enter(Role.ADMIN, language).get(path)
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text


def test_an_invited_user_comes_in_by_the_link_once_and_chooses_a_password(
    enter: Enter, desk_engine: Engine
) -> None:
    answer = enter(Role.ADMIN).send("/users", name="新田", role="approver")
    address = link_in(answer.text)
    guest = enter(None)
    welcome = guest.client.get(address)
    assert welcome.status_code == 200
    assert "まずパスワードを決めてください" in welcome.text
    assert enter(None).client.get(address).status_code == 410
    assert [action for _by, action, _subject in rows(desk_engine)] == ["add_user", "make_link"]
    token = address.split("/")[-1].split("?")[0]
    with reading(desk_engine) as session:
        told = str(session.execute(sa.select(Audit.detail, Audit.subject)).all())
    assert token not in told


def test_a_taken_name_is_told_beside_the_form(enter: Enter) -> None:
    answer = enter(Role.ADMIN).send("/users", name=NAMES[Role.EDITOR], role="editor")
    assert answer.status_code == 409
    assert "使われているか" in answer.text
    assert f'value="{NAMES[Role.EDITOR]}"' in answer.text


def test_a_role_holds_from_the_next_request_on(enter: Enter, desk_engine: Engine) -> None:
    admin, viewer = enter(Role.ADMIN), enter(Role.VIEWER)
    assert viewer.send("/stops").status_code == 403
    path = f"/users/{id_of(desk_engine, Role.VIEWER)}"
    assert admin.send(f"{path}/role", role="editor").headers["location"] == (
        f"{path}?said=role_changed"
    )
    assert viewer.send("/stops").status_code == 303
    with reading(desk_engine) as session:
        told = session.scalar(sa.select(Audit.detail).where(Audit.action == "change_role"))
    assert told == {"old": "viewer", "new": "editor"}


def test_who_is_switched_off_is_out_at_once_and_comes_back_as_before(
    enter: Enter, desk_engine: Engine
) -> None:
    admin, editor = enter(Role.ADMIN), enter(Role.EDITOR)
    path = f"/users/{id_of(desk_engine, Role.EDITOR)}"
    assert admin.send(f"{path}/off").status_code == 303
    assert editor.client.get("/queue", follow_redirects=False).status_code == 303
    assert "再開する" in admin.get(path).text
    assert admin.send(f"{path}/on").status_code == 303
    assert enter(Role.EDITOR).get("/queue").status_code == 200


def test_the_last_admin_is_told_why_it_cannot_go(enter: Enter, desk_engine: Engine) -> None:
    admin = enter(Role.ADMIN)
    path = f"/users/{id_of(desk_engine, Role.ADMIN)}"
    for step, values in (("off", {}), ("role", {"role": "viewer"})):
        answer = admin.send(f"{path}/{step}", **values)
        assert answer.status_code == 409
        assert "先にほかの人を管理にしてください" in answer.text
    assert admin.get("/users").status_code == 200
    assert rows(desk_engine) == []


def test_an_admin_ends_somebodys_logins(enter: Enter, desk_engine: Engine) -> None:
    admin, editor = enter(Role.ADMIN), enter(Role.EDITOR)
    path = f"/users/{id_of(desk_engine, Role.EDITOR)}"
    assert admin.send(f"{path}/logins").status_code == 303
    assert editor.client.get("/queue", follow_redirects=False).status_code == 303
    assert "いまはどこからも入っていません" in admin.get(path).text


def test_nobody_by_that_number_is_told_in_words(enter: Enter) -> None:
    admin = enter(Role.ADMIN)
    assert "この利用者はいません" in admin.get("/users/999").text
    assert admin.send("/users/999/link").status_code == 409


def make(visitor: Visitor, role: Role = Role.VIEWER, name: str = "受注管理") -> str:
    answer = visitor.send("/users/tokens", name=name, role=role.value, days=30)
    found = re.search(r"okaeri_[\w-]{43}", answer.text)
    assert found is not None
    return found.group(0)


def test_a_token_is_shown_once_and_only_its_hash_is_kept(enter: Enter, desk_engine: Engine) -> None:
    admin = enter(Role.ADMIN)
    secret = make(admin)
    assert secret not in admin.get("/users/tokens").text
    with reading(desk_engine) as session:
        stored = str(session.execute(sa.select(ApiToken.__table__)).all())
        told = str(session.execute(sa.select(Audit.__table__)).all())
    assert secret not in stored
    assert secret not in told


def test_a_token_works_for_programs_until_it_is_revoked(
    enter: Enter, desk_engine: Engine, clock: Clock
) -> None:
    admin, program = enter(Role.ADMIN), enter(None)
    bearer = {"authorization": f"Bearer {make(admin, Role.EDITOR)}"}
    assert program.client.get("/api/v1/me").status_code == 401
    told = program.client.get("/api/v1/me", headers=bearer).json()
    assert (told["name"], told["role"]) == ("api:受注管理", "editor")
    # No page opens by it, and it needs no token of a form.
    assert program.client.get("/queue", headers=bearer, follow_redirects=False).status_code == 303
    stopped = program.client.post("/api/v1/stops", json={"reason": "x"}, headers=bearer)
    assert stopped.status_code == 200
    assert rows(desk_engine)[-1] == ("api:受注管理", "stop", "")
    refused = program.client.post("/api/v1/stops/1/lift", headers=bearer)
    assert (refused.status_code, refused.json()["error"]) == (403, "role")
    with reading(desk_engine) as session:
        assert session.scalar(sa.select(ApiToken.last_used_at)) == clock.now
    assert admin.send("/users/tokens/1/revoke").status_code == 303
    assert program.client.get("/api/v1/me", headers=bearer).status_code == 401


def test_a_token_ends_by_itself(enter: Enter, clock: Clock) -> None:
    bearer = {"authorization": f"Bearer {make(enter(Role.ADMIN))}"}
    program = enter(None)
    assert program.client.get("/api/v1/me", headers=bearer).status_code == 200
    clock.now += timedelta(days=30)
    assert program.client.get("/api/v1/me", headers=bearer).status_code == 401


def test_a_wrong_token_is_not_mended_by_a_cookie(enter: Enter) -> None:
    visitor = enter(Role.ADMIN)
    bearer = {"authorization": "Bearer okaeri_guess"}
    assert visitor.client.get("/api/v1/me", headers=bearer).status_code == 401


def test_without_tokens_the_page_says_what_they_are_for(enter: Enter) -> None:
    assert "トークンはありません" in enter(Role.ADMIN).get("/users/tokens").text


def acts(engine: Engine, clock: Clock, number: int) -> None:
    with writing(engine) as session:
        for place in range(number):
            session.add(
                Audit(
                    at=clock.now + timedelta(minutes=place),
                    by="森本" if place % 2 else "=cmd()",
                    action="approve" if place % 3 else "hold",
                    subject=f"message:{place}",
                    detail={"version": place},
                )
            )


def test_the_audit_is_read_page_by_page(enter: Enter, desk_engine: Engine, clock: Clock) -> None:
    acts(desk_engine, clock, 60)
    admin = enter(Role.ADMIN)
    first = admin.get("/users/audit").text
    assert first.count("<tr><td") == 50
    older = re.search(r'href="(/users/audit\?[^"]*before=\d+)"', first)
    assert older is not None
    second = admin.get(older.group(1).replace("&amp;", "&")).text
    assert second.count("<tr><td") == 10
    assert "さらに古いもの" not in second


def test_the_audit_is_narrowed_by_person_act_subject_and_day(
    enter: Enter, desk_engine: Engine, clock: Clock
) -> None:
    acts(desk_engine, clock, 12)
    admin = enter(Role.ADMIN)
    assert admin.get("/users/audit?by=森本&action=hold").text.count("<tr><td") == 2
    assert admin.get("/users/audit?subject=message:7").text.count("<tr><td") == 1
    day = clock.now.date().isoformat()
    assert admin.get(f"/users/audit?since={day}&until={day}").text.count("<tr><td") == 12
    assert "この条件の記録はありません" in admin.get("/users/audit?until=2020-01-01").text
    for odd in ("before=x", "since=yesterday", "before=99999999999999999999"):
        assert admin.get(f"/users/audit?{odd}").status_code == 200


def test_the_file_of_the_audit_is_harmless_and_its_taking_is_told(
    enter: Enter, desk_engine: Engine, clock: Clock
) -> None:
    acts(desk_engine, clock, 4)
    answer = enter(Role.ADMIN).get("/users/audit.csv?action=approve")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert ",'=cmd()," in lines[1]
    assert rows(desk_engine)[-1][:2] == (NAMES[Role.ADMIN], "export_audit")
    with reading(desk_engine) as session:
        told = session.scalar(sa.select(Audit.detail).where(Audit.action == "export_audit"))
    assert told == {"form": "csv", "count": 2, "filter": "action=approve"}


def test_the_four_eyes_switch_is_told_and_stands_in_the_settings(enter: Enter) -> None:
    admin = enter(Role.ADMIN)
    assert "切ってあります" in admin.get("/users").text
    assert 'name="review.four_eyes"' in admin.get("/settings/review").text
