"""The page of reports and its files, on two years of invented sales."""

from __future__ import annotations

import csv
import io
import re

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from tests.console.busy import sell
from tests.console.conftest import Enter, make_context
from worker.pipeline import reports
from worker.rules.states import Role
from worker.store.channels import Channel
from worker.store.customers import CustomerProfile
from worker.store.engine import reading, writing
from worker.store.orders import OrderRow
from worker.store.reports import ReportCount
from worker.store.running import Audit

SECTIONS = (
    *("rank", "again", "second", "moves", "matrix", "top", "nth"),
    *("channel", "coupons", "dormant", "grants"),
)


@pytest.fixture
def _busy(desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        sell(session, make_context(), people=60)


def table_of(enter: Enter, name: str, query: str = "", role: Role = Role.VIEWER) -> list[list[str]]:
    """The rows of a report's file, as a spreadsheet reads them."""
    answer = enter(role).get(f"/reports/{name}.csv{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def exports(engine: Engine) -> list[tuple[str, str, int]]:
    with reading(engine) as session:
        rows = session.scalars(sa.select(Audit).where(Audit.action == "export_report"))
        return [(row.by, row.subject, row.detail["count"]) for row in rows]


@pytest.mark.usefixtures("_busy")
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_report_is_on_the_page_with_its_file(enter: Enter, language: str) -> None:
    html = enter(Role.VIEWER, language).get("/reports").text
    assert tuple(re.findall(r'<section class="card[^"]*" id="(\w+)"', html)) == SECTIONS
    assert tuple(re.findall(r"/reports/(\w+)\.csv", html)) == SECTIONS
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=", html) == []


@pytest.mark.usefixtures("_busy")
def test_one_channel_tells_only_what_can_be_told_of_it(enter: Enter) -> None:
    html = enter(Role.VIEWER).get("/reports?shop=rakuten:main&months=24").text
    found = tuple(re.findall(r'<section class="card[^"]*" id="(\w+)"', html))
    assert found == ("rank", "again", "second", "top", "channel", "coupons")
    assert '<option value="24" selected>' in html


@pytest.mark.usefixtures("_busy")
def test_amazon_is_in_the_sales_and_has_no_rank(enter: Enter, desk_engine: Engine) -> None:
    with reading(desk_engine) as session:
        spend = session.scalar(
            sa.select(sa.func.sum(OrderRow.spend))
            .join(Channel, Channel.id == OrderRow.channel_id)
            .where(Channel.family == "amazon", OrderRow.ordered_on >= "2025-12-01")
        )
    by_name = {row[0]: row for row in table_of(enter, "channel")}
    assert by_name["Amazon"][3] == str(spend)
    head, *months, _share = table_of(enter, "rank")
    assert head[1] == "ランクなし"
    assert sum(int(row[1]) for row in months) == spend
    for row in months:
        assert int(row[-1]) == sum(map(int, row[1:-1]))


@pytest.mark.usefixtures("_busy")
def test_names_leave_only_with_a_row_in_the_audit_and_defused(
    enter: Enter, desk_engine: Engine
) -> None:
    with writing(desk_engine) as session:
        session.execute(sa.update(CustomerProfile).values(name="=cmd()"))
    _head, *rows = table_of(enter, "top")
    assert [row[1] for row in rows] == ["'=cmd()"] * 10
    assert exports(desk_engine) == [("見田", "report:top", 10)]
    table_of(enter, "rank")
    assert len(exports(desk_engine)) == 1


def test_a_report_that_is_not_there_is_not_found(enter: Enter) -> None:
    assert enter(Role.VIEWER).get("/reports/nothing.csv").status_code == 404


@pytest.mark.usefixtures("_busy")
def test_a_large_ledger_is_counted_when_somebody_asks(
    enter: Enter, desk_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "SMALL", 0)
    visitor = enter(Role.EDITOR)
    assert "まだ数えていません" in visitor.get("/reports").text
    assert visitor.send("/reports/count").status_code == 303
    html = visitor.get("/reports").text
    assert "9:40に数えた数字です。" in html
    assert 'id="rank"' in html
    with reading(desk_engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ReportCount)) == 1
        assert session.scalars(sa.select(Audit.action)).all() == ["count_reports"]


def test_who_may_only_look_does_not_count(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.VIEWER)
    visitor.get("/reports")
    assert visitor.send("/reports/count").status_code == 403
    with reading(desk_engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ReportCount)) == 0


def test_a_shop_without_orders_is_told_what_to_do(enter: Enter, desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        session.execute(sa.update(OrderRow).values(counting=False))
    html = enter(Role.VIEWER).get("/reports").text
    assert "まだ数える受注がありません" in html
    assert 'href="/channels"' in html


@pytest.mark.usefixtures("_busy")
def test_money_that_has_no_rate_stands_by_itself_and_is_said(
    enter: Enter, desk_engine: Engine
) -> None:
    with writing(desk_engine) as session:
        first = session.scalars(
            sa.select(OrderRow).where(OrderRow.ordered_on >= "2026-11-01").order_by(OrderRow.id)
        ).first()
        assert first is not None
        first.currency, first.total, first.spend = "USD", 12345, 0
    html = enter(Role.VIEWER).get("/reports").text
    assert "USDの受注 1件は換算率がないため、売上に入っていません。" in html
    rows = {row[0]: row[1:] for row in table_of(enter, "currency")}
    assert rows["USD"] == ["1", "12345", "0"]
    assert "123.45 USD" in html
