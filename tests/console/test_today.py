"""今日: the boards, what needs somebody, and what it says when there is nothing."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.console.conftest import Enter
from tests.console.rich import PERSON, enrich
from tests.console.sample import NOW, message_id
from worker.rules.states import MessageState, NoteState, Role
from worker.store.customers import ContactNote, CustomerStanding
from worker.store.engine import writing
from worker.store.messages import Message
from worker.store.orders import OrderRow
from worker.store.rewards import PackingItem
from worker.store.schema import all_tables


def empty_of_orders(session: Session) -> None:
    for table in reversed(all_tables().sorted_tables):
        if any(each.name == "order_id" for each in table.columns):
            session.execute(
                table.update().values(order_id=None)
                if table.columns["order_id"].nullable
                else table.delete()
            )
    session.execute(sa.delete(OrderRow))


def test_a_regular_with_a_question_for_today_stands_on_the_board(
    enter: Enter, desk_engine: Engine
) -> None:
    with writing(desk_engine) as session:
        enrich(session)
    html = enter().get("/").text
    board = html.split('id="h-reg"')[1].split("</section>")[0]
    assert f'href="/customers/{PERSON}"' in board
    assert "今日が期日" in board


def test_a_regular_is_late_by_their_own_rhythm(enter: Enter, desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        enrich(session)
        session.execute(sa.update(ContactNote).values(state=NoteState.DONE))
        days = (99, 130, 160, 190, 220, 250)
        orders = session.scalars(
            sa.select(OrderRow).where(OrderRow.customer_id == PERSON).order_by(OrderRow.id)
        ).all()
        for order, back in zip(orders, [*days, *days], strict=False):
            order.ordered_at = NOW - timedelta(days=back)
            order.ordered_on = order.ordered_at.date()
    board = enter().get("/").text.split('id="h-reg"')[1].split("</section>")[0]
    assert "30日" in board
    assert "<b>99日</b>" in board
    assert "69日超過" in board


def test_new_customers_stand_with_the_state_of_their_thank_you(enter: Enter) -> None:
    board = enter().get("/").text.split('id="h-new"')[1].split("</section>")[0]
    assert "山口 さくら" in board
    assert f'href="/queue?m={message_id(0)}#mail"' in board
    assert "贈り物" in board
    assert "藤原 千鶴" not in board


def test_the_figures_lead_to_what_they_count(enter: Enter) -> None:
    html = enter().get("/").text
    assert 'href="/queue?kind=order_thanks&amp;rank=vip">2</a>' in html
    assert 'href="/messages?state=failed"' in html
    assert 'href="/customers?noted=1"' in html


def test_all_read_says_what_comes_next_and_where_to_go(enter: Enter, desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        session.execute(
            sa.update(Message)
            .where(Message.state.in_((MessageState.IN_REVIEW, MessageState.ON_HOLD)))
            .values(
                state=MessageState.SCHEDULED,
                review_at=NOW + timedelta(minutes=150),
            )
        )
    html = enter().get("/").text
    assert "すべて確認しました" in html
    assert "今日は1通。次は12:10ごろ、" in html
    assert "今日の同梱物 2件" in html


def test_nothing_to_pack_says_when_there_will_be(enter: Enter, desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        session.execute(sa.delete(PackingItem))
    html = enter().get("/").text
    assert "今日入れるものはありません" in html
    assert "節目特典を見る" in html


def test_without_regulars_the_board_says_why(enter: Enter, desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        session.execute(sa.delete(CustomerStanding))
    assert "いま、間隔の近い常連さんはいません" in enter().get("/").text
    assert "No regular is due just now" in enter(Role.VIEWER, "en").get("/").text


def test_the_first_day_leads_to_connecting_or_a_csv(enter: Enter, desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        empty_of_orders(session)
    html = enter(Role.ADMIN).get("/").text
    assert "まだ受注がありません" in html
    assert 'href="/channels/new">モール・カートをつなぐ' in html
    assert 'href="/channels/new?kind=csv_file">CSVを取り込む' in html
    assert 'href="/guide">はじめの一週間' in enter(Role.VIEWER).get("/").text
