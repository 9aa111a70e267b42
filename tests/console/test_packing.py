"""The packing bench: ticks, printed cards, filters, and cards whose words find their places."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from console.views.packing_cards import CardParts, parts_of, sheets_of
from tests.console.conftest import Enter, make_context
from tests.console.gifts import PARCELS, give, open_items
from worker.rules.states import Role
from worker.store.engine import reading, writing
from worker.store.rewards import PackingItem
from worker.store.running import Audit

_FIFTH = """高橋様

5回目のご注文、ありがとうございます。
ささやかですが、次のお買い物でお使いください。

500円引き クーポンコード 7K3M-Q9XT
(3,000円(税込)以上のお買い物で1回)
みどり茶舗 森本
"""


@pytest.fixture
def items(desk_engine: Engine) -> list[int]:
    with writing(desk_engine) as session:
        give(session, make_context())
        return open_items(session)


def test_a_cards_words_find_their_places() -> None:
    assert parts_of(_FIFTH, "7K3M-Q9XT") == CardParts(
        to="高橋様",
        text="5回目のご注文、ありがとうございます。\nささやかですが、次のお買い物でお使いください。",
        before="500円引き クーポンコード",
        code="7K3M-Q9XT",
        after="(3,000円(税込)以上のお買い物で1回)",
        signature="みどり茶舗 森本",
    )


@given(
    st.lists(st.text("あいう CODE1", min_size=1, max_size=12), min_size=1, max_size=8),
    st.sampled_from(["", "CODE1"]),
)
def test_no_word_of_a_card_is_lost(lines: list[str], code: str) -> None:
    text = "\n".join(lines)
    parts = parts_of(text, code)
    written = (parts.to, parts.text, parts.before, parts.code, parts.after, parts.signature)
    assert "".join("".join(written).split()) == "".join(text.split())


@pytest.mark.parametrize(("number", "sheets"), [(0, []), (4, [4]), (5, [4, 1])])
def test_four_cards_stand_on_a_sheet(number: int, sheets: list[int]) -> None:
    assert [len(sheet) for sheet in sheets_of([None] * number)] == sheets  # type: ignore[list-item]


def test_the_cards_to_print_are_those_that_may_be_and_were_not(
    enter: Enter, items: list[int], desk_engine: Engine
) -> None:
    visitor = enter(Role.EDITOR)
    html = visitor.get("/packing").text
    assert "未印刷の5枚を印刷" in html
    shown = [int(each) for each in re.findall(r'name="card" value="(\d+)"', html)]
    assert len(shown) == 5
    assert len(re.findall('class="dk-sheet"', html)) == 2
    assert "差し込みが足りません: 店名" in html
    assert visitor.send("/packing/printed", card=shown).status_code == 303
    html = visitor.get("/packing").text
    assert "data-prints" not in html
    assert html.count("刷り直す") == 5
    with reading(desk_engine) as session:
        audit = session.scalars(sa.select(Audit).where(Audit.action == "print_cards")).one()
        assert audit.detail == {"cards": sorted(shown)}
    visitor.send(f"/packing/{shown[0]}/unprinted")
    assert "未印刷の1枚を印刷" in visitor.get("/packing").text
    assert set(shown) < set(items)


def test_a_tick_can_be_taken_back(enter: Enter, items: list[int], desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    visitor.get("/packing")
    for value in (True, False):
        visitor.send(f"/packing/{items[0]}", packed=value)
        with reading(desk_engine) as session:
            packed = session.get_one(PackingItem, items[0]).packed_at
            assert (packed is not None) is value


def test_a_filter_shows_only_what_is_called_so(enter: Enter, items: list[int]) -> None:
    assert items
    html = enter(Role.VIEWER).get("/packing?item=ほうじ茶のお試し袋").text
    assert re.findall(r'<tr role="row"', html) == ['<tr role="row"']
    assert "藤原 千鶴" in html
    assert "data-prints" not in html
    whole = enter(Role.VIEWER).get("/packing?item=nothing").text
    assert whole.count('<tr role="row"') == len(PARCELS) + 1


@pytest.mark.parametrize("path", ["/packing/printed", "/packing/1/unprinted", "/packing/1"])
def test_who_may_only_look_marks_nothing(
    enter: Enter, items: list[int], desk_engine: Engine, path: str
) -> None:
    assert items
    visitor = enter(Role.VIEWER)
    visitor.get("/packing")
    assert visitor.send(path.replace("1", str(items[0])), card=items).status_code == 403
    with reading(desk_engine) as session:
        assert session.scalars(sa.select(PackingItem.printed_at)).all().count(None) == 8
        assert session.scalars(sa.select(Audit)).all() == []


def test_a_card_that_left_the_list_is_not_put_back(
    enter: Enter, items: list[int], desk_engine: Engine
) -> None:
    with writing(desk_engine) as session:
        session.execute(sa.update(PackingItem).values(withdrawn_at=sa.func.current_timestamp()))
    visitor = enter(Role.EDITOR)
    visitor.get("/packing")
    assert visitor.send(f"/packing/{items[0]}/unprinted").status_code == 409
