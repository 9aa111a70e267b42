"""はじめの一週間 on the desk: steps from the store, the table of senders, no start by accident."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from tests.console.conftest import Enter, Visitor
from tests.console.sample import NOW
from worker.rules.states import MailKind, Role
from worker.store.channels import Channel, ChannelKind
from worker.store.engine import reading, writing
from worker.store.messages import Message, Occasion
from worker.store.orders import OrderRow
from worker.store.rehearsals import HubMail
from worker.store.running import Audit

BEFORE = NOW - timedelta(days=2)


@pytest.fixture
def unmailed(desk_engine: Engine) -> int:
    """The own shop's orders of the sample as if nothing had been planned; gives how many."""
    with writing(desk_engine) as session:
        session.execute(sa.update(Occasion).values(message_id=None))
        session.execute(sa.delete(Occasion))
        session.execute(sa.update(OrderRow).values(ordered_at=NOW - timedelta(hours=1)))
        session.execute(sa.update(Channel).values(last_success_at=NOW + timedelta(days=9)))
        return len(session.scalars(sa.select(OrderRow.id).where(OrderRow.channel_id == 1)).all())


def audits(engine: Engine, action: str) -> list[dict[str, object]]:
    with reading(engine) as session:
        return list(session.scalars(sa.select(Audit.detail).where(Audit.action == action)))


def begun(engine: Engine) -> int:
    with reading(engine) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(ChannelKind)) or 0


def question(visitor: Visitor, kind: str = "order_thanks") -> tuple[str, str]:
    """The start and the number that the page asks about."""
    start = BEFORE.isoformat().replace("+", "%2B")
    html = visitor.get(f"/guide/live?channel=own:main&kind={kind}&start={start}").text
    number = re.search(r'class="dk-bignum">(\d+)<', html)
    asked = re.search(r'name="start" value="([^"]+)"><?\s*<label class="dk-gtick"', html)
    assert number is not None
    assert asked is not None
    return asked.group(1), number.group(1)


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("path", ["/guide", "/guide/rehearsal"])
def test_the_pages_open(enter: Enter, path: str, language: str) -> None:
    answer = enter(Role.VIEWER, language).get(path)
    assert answer.status_code == 200
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=", answer.text) == []


def test_the_steps_say_what_the_store_says(enter: Enter) -> None:
    html = enter().get("/guide").text
    assert "7のうち3まで済みました" in html
    assert "5回目到達" in html
    assert "同意あり 0名" in html
    assert "取込できなかった受注" in html


def test_the_table_of_senders_is_confirmed_as_it_was_shown(
    enter: Enter, desk_engine: Engine
) -> None:
    visitor = enter(Role.ADMIN)
    html = visitor.get("/guide").text
    table = re.search(r'name="table" value="([^"]+)"', html)
    assert table is not None
    assert visitor.send("/guide/senders", table="other").status_code == 409
    assert audits(desk_engine, "senders_confirmed") == []
    assert visitor.send("/guide/senders", table=table.group(1)).status_code == 303
    assert audits(desk_engine, "senders_confirmed") == [{"table": table.group(1)}]
    assert "管が9:40に確かめました" in visitor.get("/guide").text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.APPROVER])
def test_only_an_admin_begins_or_confirms(
    enter: Enter, desk_engine: Engine, unmailed: int, role: Role
) -> None:
    visitor = enter(role)
    sent = {"channel": "own:main", "kind": "order_thanks", "start": BEFORE.isoformat()}
    answers = [
        visitor.send("/guide/live", **sent, typed=str(unmailed), switched_off="true"),
        visitor.send("/guide/senders", table="x"),
    ]
    assert [each.status_code for each in answers] == [403, 403]
    assert begun(desk_engine) == 0


def test_a_kind_begins_with_the_number_that_was_shown(
    enter: Enter, desk_engine: Engine, unmailed: int
) -> None:
    visitor = enter(Role.ADMIN)
    start, number = question(visitor)
    assert int(number) > 0
    sent = {"channel": "own:main", "kind": "order_thanks", "start": start, "typed": number}
    assert visitor.send("/guide/live", **sent, switched_off="true").status_code == 303
    with reading(desk_engine) as session:
        row = session.scalars(sa.select(ChannelKind)).one()
        assert (row.kind, row.active_from, row.by) == (MailKind.ORDER_THANKS, BEFORE, "管")
    assert [each["messages"] for each in audits(desk_engine, "go_live")] == [int(number)]


@pytest.mark.parametrize(
    ("typed", "switched_off", "status"),
    [("9999", "true", 409), ("", "true", 409), ("all", "true", 422), (None, "", 409)],
)
def test_nothing_begins_by_accident(
    enter: Enter,
    desk_engine: Engine,
    unmailed: int,
    typed: str | None,
    switched_off: str,
    status: int,
) -> None:
    visitor = enter(Role.ADMIN)
    start, number = question(visitor)
    sent = {"channel": "own:main", "kind": "order_thanks", "start": start}
    ticked = {"switched_off": switched_off} if switched_off else {}
    answer = visitor.send("/guide/live", **sent, typed=number if typed is None else typed, **ticked)
    assert answer.status_code == status
    assert begun(desk_engine) == 0
    assert audits(desk_engine, "go_live") == []


def test_a_start_without_a_zone_is_refused(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.ADMIN)
    sent = {"channel": "own:main", "kind": "order_thanks", "start": "2026-11-22"}
    answer = visitor.send("/guide/live", **sent, typed="0", switched_off="true")
    assert answer.status_code == 422
    assert begun(desk_engine) == 0


def test_what_another_sends_has_no_button(enter: Enter) -> None:
    html = enter(Role.ADMIN).get("/guide/live?channel=rakuten:main&kind=order_thanks").text
    assert "Okaeriが送るものではありません" in html
    assert 'name="typed"' not in html


def test_a_list_of_the_hub_is_laid_beside(enter: Enter, desk_engine: Engine) -> None:
    with reading(desk_engine) as session:
        numbers = session.scalars(
            sa.select(OrderRow.number).where(OrderRow.channel_id == 2).order_by(OrderRow.id)
        ).all()
        mails = session.scalar(sa.select(sa.func.count()).select_from(Message))
    visitor = enter(Role.EDITOR)
    where = {"channel": "rakuten:main", "kind": "order_thanks"}
    days = {"first": "2026-11-20", "last": "2026-11-24"}
    answer = visitor.send("/guide/rehearsal", **where, **days, numbers=f"{numbers[0]}\nX-404\n")
    assert answer.status_code == 303
    html = visitor.get(answer.headers["location"]).text
    assert "2件を聞いています" in html
    assert "X-404" in html
    assert visitor.send("/guide/rehearsal/forget", **where).status_code == 303
    with reading(desk_engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(HubMail)) == 0
        assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == mails


def test_a_viewer_tells_no_list(enter: Enter, desk_engine: Engine) -> None:
    where = {"channel": "rakuten:main", "kind": "order_thanks"}
    assert enter(Role.VIEWER).send("/guide/rehearsal", **where, numbers="X").status_code == 403
    with reading(desk_engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(HubMail)) == 0


def test_a_list_without_numbers_says_what_to_do(enter: Enter) -> None:
    where = {"channel": "rakuten:main", "kind": "order_thanks"}
    answer = enter(Role.EDITOR).send("/guide/rehearsal", **where, numbers="")
    assert answer.status_code == 422
    assert "注文番号が見つかりません" in answer.text


def test_the_first_page_leads_to_the_step_that_is_open(enter: Enter) -> None:
    html = enter().get("/").text
    assert "7のうち3まで済みました" in html
    assert 'href="/guide"' in html


def test_a_form_from_elsewhere_is_refused(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.ADMIN)
    visitor.csrf = "foreign"
    sent = {"channel": "own:main", "kind": "order_thanks", "start": NOW.isoformat()}
    answer = visitor.send("/guide/live", **sent, typed="0", switched_off="true")
    assert answer.status_code == 403
    assert begun(desk_engine) == 0
