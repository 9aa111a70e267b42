"""Logging a channel in from the desk: once, by whoever began, and nothing by a strange address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine, select

from tests.connectors.thebase.stub import CLIENT, SECRET, BaseShop
from tests.console.conftest import Clock, Enter, Visitor
from tests.console.sample import KEY, NOW
from worker.pipeline.channel_vault import Keyring, sealed
from worker.rules.states import Role
from worker.store.channels import BrowserLogin, Channel
from worker.store.engine import reading, writing
from worker.store.running import Audit

NAME = "own:base"
BACK = "http://desk.test/channels/login/back"


@pytest.fixture
def shop(desk_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseShop]:
    """A shop that lacks its token, and knows the desk's own address."""
    monkeypatch.setattr("tests.connectors.thebase.stub.REDIRECT", BACK)
    made = BaseShop()
    ring = Keyring.of(KEY)
    values = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uri": BACK}
    with writing(desk_engine) as session:
        session.add(
            Channel(
                name=NAME, kind="thebase", family="own", created_at=NOW, paused=True,
                pause_reason="x", last_error="x", settings={"base_url": made.url},
                secrets={name: sealed(ring, value, NOW) for name, value in values.items()},
            )
        )  # fmt: skip
    yield made
    made.loopback.stop()


def begun(admin: Visitor) -> str:
    """Begin a login; gives its state, from the link to the marketplace."""
    page = admin.send(f"/channels/{NAME}/login").text
    found = re.search(r'href="([^"]+/1/oauth/authorize[^"]+)"', page)
    assert found is not None
    query = parse_qs(urlsplit(unescape(found.group(1))).query)
    assert query["redirect_uri"] == [BACK]
    return query["state"][0]


def channel(engine: Engine) -> Channel:
    with reading(engine) as session:
        row = session.scalars(select(Channel).where(Channel.name == NAME)).one()
        session.expunge(row)
    return row


def actions(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(select(Audit.action).order_by(Audit.id)))


def test_the_marketplace_sends_the_browser_back_and_orders_come_in_again(
    enter: Enter, desk_engine: Engine, shop: BaseShop
) -> None:
    admin = enter(Role.ADMIN)
    assert "あとは、ブラウザでのログインだけです" in admin.get(f"/channels/{NAME}").text
    page = admin.get(f"/channels/login/back?code=good-code&state={begun(admin)}").text
    assert "ログインできました。" in page
    assert "refresh-token" not in page
    row = channel(desk_engine)
    assert "refresh_token" in row.secrets
    assert not row.paused
    assert actions(desk_engine) == ["channel_login_begun", "channel_login"]


def test_an_answer_is_taken_once(enter: Enter, shop: BaseShop) -> None:
    admin = enter(Role.ADMIN)
    address = f"/channels/login/back?code=good-code&state={begun(admin)}"
    admin.get(address)
    again = admin.get(address)
    assert again.status_code == 409
    assert "もう使われています" in again.text
    assert shop.given == 1


def test_nobody_else_can_bring_their_code_into_this_shop(
    enter: Enter, desk_engine: Engine, shop: BaseShop
) -> None:
    admin, other = enter(Role.ADMIN), enter(Role.ADMIN)
    state = begun(other)
    for strange in (state, "", "made-up"):
        answer = admin.get(f"/channels/login/back?code=good-code&state={strange}")
        assert answer.status_code == 409
        assert "始めたログインではありません" in answer.text
    assert (shop.given, "refresh_token" in channel(desk_engine).secrets) == (0, False)
    assert other.get(f"/channels/login/back?code=good-code&state={state}").status_code == 200


def test_a_login_that_took_too_long_begins_anew(enter: Enter, shop: BaseShop, clock: Clock) -> None:
    admin = enter(Role.ADMIN)
    state = begun(admin)
    clock.now += timedelta(minutes=15)
    answer = admin.get(f"/channels/login/back?code=good-code&state={state}")
    assert "時間が切れました" in answer.text
    assert shop.given == 0


def test_a_no_at_the_marketplace_changes_nothing_and_is_noted(
    enter: Enter, desk_engine: Engine, shop: BaseShop
) -> None:
    admin = enter(Role.ADMIN)
    answer = admin.get(f"/channels/login/back?error=access_denied&state={begun(admin)}")
    assert "許可されませんでした (access_denied)" in answer.text
    page = admin.get(f"/channels/login/back?error=%3Cb%3Eodd&state={begun(admin)}").text
    assert "odd" not in page
    assert channel(desk_engine).paused
    assert actions(desk_engine)[1] == "channel_login_failed"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.APPROVER])
def test_only_an_admin_logs_a_channel_in(
    enter: Enter, desk_engine: Engine, shop: BaseShop, role: Role
) -> None:
    state = begun(enter(Role.ADMIN))
    visitor = enter(role)
    assert visitor.send(f"/channels/{NAME}/login").status_code == 403
    for path in (f"back?code=good-code&state={state}",):
        assert visitor.get(f"/channels/login/{path}").status_code == 403
    pasted = visitor.send("/channels/login/paste", state=state, answer="good-code")
    assert pasted.status_code == 403
    with reading(desk_engine) as session:
        assert session.scalars(select(BrowserLogin.used_at)).all() == [None]


def test_the_way_back_asks_a_stranger_to_log_in_to_the_desk(enter: Enter, shop: BaseShop) -> None:
    answer = enter(None).client.get(
        "/channels/login/back?code=good-code&state=x", follow_redirects=False
    )
    assert answer.headers["location"].startswith("/login")


def test_an_answer_can_be_pasted_but_an_address_must_be_of_this_login(
    enter: Enter, shop: BaseShop
) -> None:
    admin = enter(Role.ADMIN)
    state = begun(admin)
    foreign = "https://shop.example.jp/back?code=good-code&state=another"
    refused = admin.send("/channels/login/paste", state=state, answer=foreign)
    assert refused.status_code == 409
    stateless = "https://shop.example.jp/back?code=good-code"
    refused = admin.send("/channels/login/paste", state=state, answer=stateless)
    assert refused.status_code == 409
    admin.csrf, right = "foreign", admin.csrf
    assert admin.send("/channels/login/paste", state=state, answer="good-code").status_code == 403
    admin.csrf = right
    done = admin.send("/channels/login/paste", state=state, answer="good-code")
    assert done.headers["location"] == f"/channels/{NAME}?done=login"


def test_a_marketplace_that_is_away_is_told_and_the_old_token_stays(
    enter: Enter, desk_engine: Engine, shop: BaseShop
) -> None:
    admin = enter(Role.ADMIN)
    state = begun(admin)
    shop.loopback.stop()
    answer = admin.get(f"/channels/login/back?code=good-code&state={state}")
    assert answer.status_code == 409
    assert "いまは確かめられません" in answer.text
    assert channel(desk_engine).paused


def test_a_kind_without_logins_says_so(enter: Enter) -> None:
    answer = enter(Role.ADMIN).send("/channels/own:main/login")
    assert answer.status_code == 409
    assert "ログインがありません" in answer.text
