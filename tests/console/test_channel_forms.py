"""Adding a channel, entering its keys anew, and taking a file in after a look inside."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import Response
from sqlalchemy import Engine, func, select

from tests.console.conftest import Enter, Visitor
from tests.console.sample import KEY, NOW
from tests.toy_shop import KEY as TOY_KEY
from tests.toy_shop import ToyServer, toy
from worker.pipeline.channel_vault import Keyring, expiries
from worker.rules.states import ImportState, Role
from worker.store.channels import Channel
from worker.store.engine import reading
from worker.store.orders import Import, OrderRow
from worker.uploads import FORGOTTEN_AFTER, forget_uploads, upload_of

__all__ = ["toy"]
HEADER = (
    "order_number,ordered_at,status,payment_method,customer_id,email,name,item,quantity,"
    "unit_price,total"
)
ROW = "X-1,2026-11-20T10:00:00+09:00,paid,card,m9,m9@example.jp,見本 太郎,煎茶,1,1200,1200"
BAD = "X-2,someday,paid,card,m8,m8@example.jp,見本 花子,玉露,1,2400,2400"


def channel(engine: Engine, name: str) -> Channel | None:
    with reading(engine) as session:
        row = session.scalars(select(Channel).where(Channel.name == name)).one_or_none()
        if row is not None:
            session.expunge(row)
    return row


def entries(toy: ToyServer, **more: str) -> dict[str, str]:
    given = {
        "set.base_url": toy.loopback.url,
        "kind": "toy",
        "account": "new",
        "title": "新しい店",
        "understood": "yes",
    }
    return given | {"key.key": TOY_KEY} | more


def test_a_channel_is_added_by_the_form_of_its_kind_and_tried_at_once(
    enter: Enter, desk_engine: Engine, toy: ToyServer
) -> None:
    admin = enter(Role.ADMIN)
    page = admin.get("/channels/new?kind=toy").text
    assert "鍵を作り直すと、ほかのツールが止まります。" in page
    assert "設定→APIで見られます。" in page
    answer = admin.send("/channels/new", **entries(toy, since="2026-11-01"))
    assert answer.status_code == 200
    row = channel(desk_engine, "own:new")
    assert row is not None
    assert (row.kind, row.title) == ("toy", "新しい店")
    assert row.settings["since"] == "2026-11-01T00:00:00+09:00"
    assert Keyring.of(KEY).unseal(row.secrets["key"]["cipher"]) == TOY_KEY
    assert TOY_KEY not in answer.text


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"understood": ""}, "印を付けてください"),
        ({"set.base_url": ""}, "まだ入っていないものがあります: アドレス"),
        ({"key.key": " "}, "まだ入っていないものがあります: APIキー"),
        ({"account": "main"}, "「own:main」はもうあります"),
        ({"account": "a b"}, "チャネル名「own:a b」が正しくありません"),
        ({"since": "someday"}, "日付を読めません"),
        ({"ends.key": "someday"}, "日付を読めません"),
    ],
)
def test_what_is_wrong_is_told_and_what_was_typed_stays_but_for_secrets(
    enter: Enter, desk_engine: Engine, toy: ToyServer, wrong: dict[str, str], told: str
) -> None:
    answer = enter(Role.ADMIN).send("/channels/new", **entries(toy, **wrong))
    assert answer.status_code == 409
    assert told in answer.text
    assert 'value="新しい店"' in answer.text
    assert TOY_KEY not in answer.text
    assert channel(desk_engine, "own:new") is None


def test_settings_a_kind_asks_for_are_asked(enter: Enter, desk_engine: Engine) -> None:
    admin = enter(Role.ADMIN)
    assert "myshopify.com" in admin.get("/channels/new?kind=shopify").text
    given = {"kind": "shopify", "account": "shop", "understood": "yes"}
    assert "ショップの名前" in admin.send("/channels/new", **given).text
    assert channel(desk_engine, "own:shop") is None


def test_a_channel_of_files_needs_no_key(enter: Enter, desk_engine: Engine) -> None:
    given = {"kind": "csv_file", "account": "second", "family": "rakuten"}
    enter(Role.ADMIN).send("/channels/new", **given)
    row = channel(desk_engine, "rakuten:second")
    assert row is not None
    assert row.kind == "csv_file"


def test_a_kind_whose_key_comes_by_login_goes_on_to_it(enter: Enter, desk_engine: Engine) -> None:
    given = {
        "kind": "thebase", "account": "base", "understood": "yes", "key.client_id": "c",
        "key.client_secret": "s", "key.redirect_uri": "https://desk.example.jp/back",
    }  # fmt: skip
    admin = enter(Role.ADMIN)
    answer = admin.send("/channels/new", **given)
    assert answer.headers["location"] == "/channels/own:base?done=added"
    assert "ログインする" in admin.get("/channels/own:base").text


def test_keys_are_entered_anew_one_by_one(
    enter: Enter, desk_engine: Engine, toy: ToyServer
) -> None:
    admin = enter(Role.ADMIN)
    admin.send("/channels/new", **entries(toy))
    before = channel(desk_engine, "own:new")
    assert before is not None
    assert admin.send("/channels/own:new/keys").status_code == 303, "nothing was entered"
    fresh = {"key.key": "toy-key-2", "ends.key": "2026-12-24"}
    admin.send("/channels/own:new/keys", **fresh)
    row = channel(desk_engine, "own:new")
    assert row is not None
    assert Keyring.of(KEY).unseal(row.secrets["key"]["cipher"]) == "toy-key-2"
    assert expiries(row.secrets)["key"].isoformat() == "2026-12-25T00:00:00+09:00"
    assert row.title == "新しい店"


# --- files -----------------------------------------------------------------------------------


def sent(visitor: Visitor, *rows: str, name: str = "orders.csv", **more: bytes) -> Response:
    body = "\n".join([HEADER, *rows]).encode()
    files = {"file": (name, body), **{key: (f"{key}.csv", value) for key, value in more.items()}}
    answer: Response = visitor.client.post(
        "/channels/own:main/import",
        data={"csrf": visitor.csrf},
        files=files,
        headers={"origin": "http://desk.test", **visitor.headers},
        follow_redirects=False,
    )
    return answer


def token_of(answer: Response) -> str:
    return answer.text.partition("/channels/own:main/import/")[2].partition('"')[0]


def orders(engine: Engine) -> int:
    with reading(engine) as session:
        found = select(func.count()).select_from(OrderRow).where(OrderRow.number.like("X-%"))
        return session.scalar(found) or 0


def imports(engine: Engine) -> list[tuple[str, ImportState]]:
    with reading(engine) as session:
        rows = session.execute(select(Import.file_name, Import.state, Import.by)).all()
    return [(row.file_name, row.state) for row in rows if row.by == "中村"]


def test_a_file_is_looked_at_before_anything_is_taken_in(
    enter: Enter, desk_engine: Engine, tmp_path: Path
) -> None:
    clerk = enter(Role.EDITOR)
    answer = sent(clerk, ROW, BAD)
    assert answer.status_code == 200
    assert "1件を取り込む" in answer.text
    assert "3行目" in answer.text
    assert (orders(desk_engine), imports(desk_engine)) == (0, [])

    done = clerk.send(f"/channels/own:main/import/{token_of(answer)}")
    assert done.headers["location"] == "/channels/own:main?done=imported#files"
    assert orders(desk_engine) == 1
    assert imports(desk_engine) == [("orders.csv", ImportState.DONE)]
    assert list((tmp_path / "uploads").iterdir()) == []
    page = clerk.get("/channels/own:main").text
    assert "新規 1、変更 0、変更なし 0、取込できず 1" in page
    assert "取込済みです" in sent(clerk, ROW, BAD).text


def test_a_file_can_be_let_be(enter: Enter, desk_engine: Engine, tmp_path: Path) -> None:
    clerk = enter(Role.EDITOR)
    token = token_of(sent(clerk, ROW))
    clerk.send(f"/channels/own:main/import/{token}/drop")
    assert list((tmp_path / "uploads").iterdir()) == []
    gone = clerk.send(f"/channels/own:main/import/{token}")
    assert gone.status_code == 410
    assert orders(desk_engine) == 0


def test_what_is_no_order_file_is_told_and_not_kept(enter: Enter, tmp_path: Path) -> None:
    clerk = enter(Role.EDITOR)
    answer: Response = clerk.client.post(
        "/channels/own:main/import", data={"csrf": clerk.csrf},
        files={"file": ("photo.jpg", b"\xff\xd8\xff\xe0 no orders")},
        headers={"origin": "http://desk.test"},
    )  # fmt: skip
    assert answer.status_code == 409
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_file_that_is_too_large_is_refused(
    enter: Enter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.uploads._CHUNK", 1)
    assert sent(enter(Role.EDITOR), ROW).status_code == 413
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize("name", ["../../evil.csv", "..\\evil.csv", "/etc/evil.csv", "...", "a\nb"])
def test_the_name_of_a_file_leads_nowhere(enter: Enter, tmp_path: Path, name: str) -> None:
    token = token_of(sent(enter(Role.EDITOR), ROW, name=name))
    kept = upload_of(tmp_path / "uploads", token).file
    assert kept.parent == tmp_path / "uploads" / token / "0"
    assert not list(tmp_path.glob("evil*"))


@pytest.mark.parametrize("token", [".", "..", "x", "0" * 31, "0" * 32, "../" + "0" * 29])
def test_only_a_token_that_was_given_opens_an_upload(tmp_path: Path, token: str) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "orders.csv").touch()
    with pytest.raises(LookupError):
        upload_of(tmp_path, token)


def test_a_viewer_sends_no_file(enter: Enter, tmp_path: Path) -> None:
    assert sent(enter(Role.VIEWER), ROW).status_code == 403
    assert not (tmp_path / "uploads").exists()


def test_what_nobody_took_in_is_forgotten_after_a_day(enter: Enter, tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    token = token_of(sent(enter(Role.EDITOR), ROW))
    old = (NOW - FORGOTTEN_AFTER - timedelta(minutes=1)).timestamp()
    os.utime(folder / token, (NOW.timestamp(), NOW.timestamp()))
    assert forget_uploads(folder, NOW) == 0
    os.utime(folder / token, (old, old))
    assert forget_uploads(folder, NOW) == 1
    assert list(folder.iterdir()) == []
    assert forget_uploads(tmp_path / "absent", NOW) == 0
