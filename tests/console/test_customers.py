"""The customers' pages: the list, the card, what staff write there, and the errands."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from tests.console.conftest import Enter, Visitor
from tests.console.rich import PERSON, enrich
from worker.pipeline import packing
from worker.rules.states import ConsentAction, GrantState, MessageState, NoteState, Role
from worker.store.customers import (
    Consent,
    ContactNote,
    Customer,
    CustomerProfile,
    Merge,
    RankPin,
    Suppression,
)
from worker.store.engine import writing
from worker.store.messages import Message
from worker.store.rewards import Grant, StaffTask
from worker.store.running import Audit, SavedView

CARD = f"/customers/{PERSON}"
PATHS = (
    "/customers",
    "/customers?row=a&bucket=guest&noted=1&silent=90&rank=vip&scope=own&sort=spend",
    "/customers?q=2003",
    "/customers?q=nobody",
    "/customers?sort=kana",
    CARD,
    f"{CARD}?show=mail",
    f"{CARD}?show=rank&whole=1",
    f"{CARD}/edit",
    f"{CARD}/write",
    "/notes/2",
    "/tasks",
)


@pytest.fixture(autouse=True)
def _rich(desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        enrich(session)


def one(engine: Engine, query: sa.Select[Any]) -> Any:
    with engine.connect() as connection:
        return connection.execute(query).scalar()


def names(html: str) -> list[str]:
    """Names of the list, in its order."""
    return [part.split("</b>")[0] for part in html.split('<b lang="ja">')[1:]]


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", [Role.VIEWER, Role.APPROVER])
def test_a_page_opens_for_whoever_may_look(
    enter: Enter, path: str, language: str, role: Role
) -> None:
    answer = enter(role, language).get(path)
    assert answer.status_code == 200
    assert " style=" not in answer.text


# --- the list -------------------------------------------------------------------------------


def test_the_list_shows_the_ten_fields_of_the_ledger(enter: Enter) -> None:
    html = enter().get("/customers?rank=vip&sort=spend").text
    assert names(html) == ["藤原 千鶴", "黒田 浩"]
    for said in ("フジワラ チヅル", "埼玉県さいたま市", "090-0000-2011", "customer11@mail.example"):
        assert said in html
    for said in ("4月17日", "128,640円", "15回", "8,576円", "2026/11/02", "22日", "15回目"):
        assert said in html


def test_the_kana_index_and_the_guests_narrow_the_list(enter: Enter) -> None:
    visitor = enter()
    assert names(visitor.get("/customers?row=ya").text) == ["山口 さくら"]
    assert names(visitor.get("/customers?row=other").text) == ["株式会社はるか工房"]
    guests = names(visitor.get("/customers?bucket=guest&sort=kana").text)
    assert "藤原 千鶴" in guests
    assert "黒田 浩" not in guests
    assert names(visitor.get("/customers?noted=1&sort=kana").text) == ["岡本 千尋", "藤原 千鶴"]


@pytest.mark.parametrize(
    "words",
    ["090-0000-2011", "09000002011", "2011", "ふじわらち", "フジワラ", "藤原", "N-20261124-011"],
)
def test_a_caller_is_found_at_once_from_the_top_bar(enter: Enter, words: str) -> None:
    answer = enter().client.get(f"/customers/find?q={quote(words)}", follow_redirects=False)
    assert answer.headers["location"] == CARD


def test_several_who_fit_are_listed(enter: Enter) -> None:
    visitor = enter()
    found = visitor.client.get("/customers/find?q=0900000", follow_redirects=False)
    assert found.headers["location"] == "/customers?q=0900000"
    html = visitor.get("/customers?q=0900000").text
    assert "「0900000」に当てはまる顧客 18名" in html


def test_a_saved_view_is_the_users_own(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    answer = visitor.send("/customers/views", name="VIPの方", query="rank=vip&evil=1&sort=spend")
    assert answer.headers["location"] == "/customers?rank=vip&sort=spend"
    assert "VIPの方" in visitor.get("/customers").text
    assert "VIPの方" not in enter(Role.APPROVER).get("/customers").text
    other = enter(Role.APPROVER)
    assert other.send("/customers/views/1/drop").status_code == 303
    assert one(desk_engine, sa.select(sa.func.count()).select_from(SavedView)) == 1
    visitor.send("/customers/views/1/drop")
    assert one(desk_engine, sa.select(sa.func.count()).select_from(SavedView)) == 0


def test_an_odd_address_asks_for_nothing_and_an_odd_cursor_is_told(enter: Enter) -> None:
    visitor = enter()
    assert visitor.get("/customers?row=zz&bucket=x&silent=7&sort=q&rank=nope").status_code == 200
    assert visitor.get("/customers?after=nonsense").status_code == 422
    assert visitor.get("/customers/999").status_code == 409


# --- the card -------------------------------------------------------------------------------


def test_the_card_tells_the_whole_story(enter: Enter) -> None:
    html = enter().get(CARD).text
    for said in (
        "自社 12回　楽天 3回　全体 15回",
        "いつもは",
        "お母さまのお口に合ったか(期日)",
        "フォローメール 保留",
        "要対応の対応履歴があるため止めています。",
        "受注 自社 14,580円",
        "ランクアップ リピーターからVIP",
        "節目特典 10回目　付与",
        "名寄せ 同じ方に",
        "お知らせ・クーポンのメール(自社)",
        "楽天では、お知らせ・クーポンは送信不可",
    ):
        assert said in html, said


def test_who_was_merged_away_leads_to_who_was_kept(enter: Enter, desk_engine: Engine) -> None:
    gone = one(desk_engine, sa.select(Customer.id).where(Customer.merged_into == PERSON))
    answer = enter().client.get(f"/customers/{gone}", follow_redirects=False)
    assert answer.headers["location"] == CARD


def test_a_link_is_undone_from_the_story(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    visitor.get(CARD)
    assert visitor.send("/customers/3/unmerge/1").status_code == 409
    assert visitor.send(f"{CARD}/unmerge/1").status_code == 303
    assert one(desk_engine, sa.select(Merge.undone_by)) == "中村"
    assert visitor.send(f"{CARD}/unmerge/1").status_code == 409


def test_fields_are_entered_by_hand_and_say_so(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    visitor.get(f"{CARD}/edit")
    fields = {"name": "藤原 千鶴", "kana": "フジワラ チヅル", "phone": "03-1234-5678"}
    assert visitor.send(f"{CARD}/edit", **fields, birthday="1960-02-03").status_code == 303
    html = visitor.get(CARD).text
    assert "中村が11/24に記入" in html
    assert one(
        desk_engine,
        sa.select(CustomerProfile.birthday).where(CustomerProfile.customer_id == PERSON),
    ) == date(1960, 2, 3)
    assert names(visitor.get("/customers?q=5678").text) == ["藤原 千鶴"]
    assert visitor.send(f"{CARD}/edit", **fields, birthday="2990-01-01").status_code == 409


def test_a_rank_is_pinned_by_an_approver_until_its_day(enter: Enter, desk_engine: Engine) -> None:
    editor = enter(Role.EDITOR)
    pin = {"scope": "own", "rung": "repeat", "until": "2027-01-31", "reason": "確認中"}
    assert editor.send(f"{CARD}/pin", **pin).status_code == 403
    visitor = enter(Role.APPROVER)
    assert visitor.send(f"{CARD}/pin", **pin).status_code == 303
    assert "固定ランク 2027/1/31(日)まで" in visitor.get(CARD).text
    assert visitor.send(f"{CARD}/pin", scope="own", rung="no such").status_code == 422
    visitor.send(f"{CARD}/unpin", scope="own")
    assert one(desk_engine, sa.select(sa.func.count()).select_from(RankPin)) == 0


def test_blocks_and_consent_are_noted_with_a_word(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter()
    visitor.get(CARD)
    visitor.send(f"{CARD}/stop", what="ads", note="お電話で")
    assert "お知らせ・クーポンを配信停止" in visitor.get(CARD).text
    assert visitor.send(f"{CARD}/stop/1/lift", note="").status_code == 409
    assert visitor.send(f"{CARD}/stop/1/lift", note="お客様の希望").status_code == 303
    assert one(desk_engine, sa.select(Suppression.lifted_at)) is not None
    assert visitor.send(f"{CARD}/consent", channel_id=1, answer="no").status_code == 409
    visitor.send(f"{CARD}/consent", channel_id=1, answer="no", evidence="11/24 電話")
    actions = sa.select(Consent.action).order_by(Consent.id.desc())
    assert one(desk_engine, actions) is ConsentAction.WITHDRAWN
    assert "担当者が伺って停止" in visitor.get(CARD).text


def test_a_viewer_changes_nothing(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.VIEWER)
    visitor.get(CARD)
    for path in ("notes", "lines", "edit", "stop", "write", "unmerge/1"):
        assert visitor.send(f"{CARD}/{path}", said="x", what="all").status_code == 403
    assert one(desk_engine, sa.select(sa.func.count()).select_from(Audit)) == 0


# --- notes ----------------------------------------------------------------------------------


def a_note(engine: Engine) -> ContactNote:
    with writing(engine) as session:
        note = session.scalars(sa.select(ContactNote).order_by(ContactNote.id.desc())).first()
        assert note is not None
        session.expunge(note)
        return note


def test_a_line_on_the_telephone_becomes_the_fixed_form(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    visitor.get(CARD)
    visitor.send(f"{CARD}/notes", said="包みは紫で", open="true", via="phone")
    note = a_note(desk_engine)
    assert (note.said, note.state, note.by, note.via) == (
        "包みは紫で",
        NoteState.OPEN,
        "中村",
        "phone",
    )
    form = {"said": "包みは紫の風呂敷で", "ask_next": "お口に合ったか", "ask_by": "2026-12-01"}
    visitor.send(f"/notes/{note.id}", version=note.version, **form)
    assert visitor.send(f"/notes/{note.id}", version=note.version, **form).status_code == 409
    written = a_note(desk_engine)
    assert (written.said, written.ask_by) == ("包みは紫の風呂敷で", date(2026, 12, 1))
    visitor.send(f"/notes/{note.id}/done", version=written.version)
    assert a_note(desk_engine).done_by == "中村"
    visitor.send(f"/notes/{note.id}/reopen", version=a_note(desk_engine).version)
    assert a_note(desk_engine).state is NoteState.OPEN
    acts = sa.select(Audit.action).where(Audit.by == "中村").order_by(Audit.id)
    with desk_engine.connect() as connection:
        assert list(connection.scalars(acts)) == [
            *("write_note", "edit_note", "finish_note", "reopen_note"),
        ]


def test_a_note_beside_a_mail_leads_back_to_it_and_nowhere_else(enter: Enter) -> None:
    visitor = enter(Role.EDITOR)
    visitor.get(CARD)
    here = visitor.send(f"{CARD}/notes", said="x", back="/queue?m=1")
    assert here.headers["location"] == "/queue?m=1"
    away = visitor.send(f"{CARD}/notes", said="x", back="//evil.example")
    assert away.headers["location"] == f"{CARD}#note"


def test_an_empty_note_is_not_kept(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    before = one(desk_engine, sa.select(sa.func.count()).select_from(ContactNote))
    assert visitor.send(f"{CARD}/notes", said="  ").status_code == 409
    assert one(desk_engine, sa.select(sa.func.count()).select_from(ContactNote)) == before


def test_what_customers_say_is_shown_as_text(enter: Enter) -> None:
    visitor = enter(Role.EDITOR)
    visitor.get(CARD)
    visitor.send(f"{CARD}/notes", said="<script>alert(1)</script>")
    html = visitor.get(CARD).text
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


# --- errands --------------------------------------------------------------------------------


def test_notes_come_back_on_their_date(enter: Enter) -> None:
    visitor = enter()
    html = visitor.get("/").text
    assert "期日の来た対応履歴　1件" in html
    page = visitor.get("/tasks").text
    assert page.index("期日の来た対応履歴") < page.index("お母さまのお口に合ったか")
    assert "新茶の入荷を尋ねられた" in page


def test_an_errand_is_closed_with_a_word(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    assert "新しいメールアドレスを伺う" in visitor.get("/tasks").text
    assert visitor.send("/tasks/1", word="").status_code == 409
    assert visitor.send("/tasks/1", word="お電話で伺った").status_code == 303
    done = sa.select(StaffTask.done_word).where(StaffTask.id == 1)
    assert one(desk_engine, done) == "お電話で伺った"
    assert "お電話で伺った" in visitor.get("/tasks").text


def test_a_reward_that_waits_is_left_by_an_approver(enter: Enter, desk_engine: Engine) -> None:
    grant = one(desk_engine, sa.select(Grant.id).where(Grant.state == GrantState.TO_DECIDE))
    assert enter(Role.EDITOR).send(f"/rewards/{grant}", answer="leave").status_code == 403
    visitor = enter()
    assert visitor.send(f"/rewards/{grant}", answer="leave").status_code == 303
    state = sa.select(Grant.state).where(Grant.id == grant)
    assert one(desk_engine, state) is GrantState.DECLINED
    assert visitor.send(f"/rewards/{grant}", answer="give").status_code == 409


def test_a_mail_that_came_back_asks_for_a_new_address(enter: Enter, desk_engine: Engine) -> None:
    visitor: Visitor = enter(Role.EDITOR)
    path = "/messages/01KAZRICH00000000000000000"
    assert "不達の知らせが来た" in visitor.get(path).text
    assert visitor.send(f"{path}/bounced", evidence="5.1.1 no such user").status_code == 303
    states = sa.select(Message.state).where(Message.id == path.rpartition("/")[2])
    assert one(desk_engine, states) is MessageState.BOUNCED
    assert visitor.get("/tasks").text.count("新しいメールアドレスを伺う") >= 2
    assert visitor.send(f"{path}/bounced", evidence="again").status_code == 409


def test_the_packing_bench_sees_the_card_and_an_open_note(
    enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(*given: Any) -> list[packing.PackingRow]:
        return [replace(row, text="藤原 千鶴様\nいつも") for row in packing.packing_list(*given)]

    monkeypatch.setattr("console.views.packing.packing_list", written)
    html = enter().get("/packing").text
    assert html.count(f'href="/customers/{PERSON}#note"') == 1
    assert "藤原 千鶴様" in html.split("カードの文面")[1]
