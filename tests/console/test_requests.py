"""Review requests on the page of the marketplaces' own mailings: shown, released, settled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from tests.console import conftest
from tests.console.conftest import Clock, Enter
from tests.console.sample import NOW
from tests.factories import make_channel, make_order_row
from worker.pipeline.context import Context
from worker.rules.states import MailKind, MessageState, Role, Sender
from worker.store.engine import reading, writing
from worker.store.solicitations import Solicitation

S = MessageState
NAME = "amazon:jp"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender matrix leaves Amazon's review requests to Okaeri."""
    plain = conftest.make_context()
    senders = replace(
        plain.documents.senders, channels={NAME: {MailKind.REVIEW_REQUEST: Sender.OKAERI}}
    )
    context = replace(plain, documents=replace(plain.documents, senders=senders))

    def made() -> Context:
        return context

    monkeypatch.setattr(conftest, "make_context", made)


@pytest.fixture
def orders(desk_engine: Engine, clock: Clock) -> list[int]:
    """Three orders that may be asked about, and one whose outcome is unknown."""
    with writing(desk_engine) as session:
        channel = make_channel(session, NAME, kind="amazon")
        made = []
        for number in range(1, 5):
            order = make_order_row(
                session, channel, None, NOW - 10 * DAY, external_id=f"250-{number}",
                fulfilment="shipped",
            )  # fmt: skip
            one = Solicitation(
                channel_id=channel.id, external_id=order.external_id, state=S.HANDOFF,
                opens_at=NOW - DAY, closes_at=NOW + 9 * DAY, looked_at=NOW, created_at=NOW,
                history=[],
            )  # fmt: skip
            session.add(one)
            made.append(one)
        made[3].state, made[3].said, made[3].sending_since = S.UNCONFIRMED, "HTTP 500", NOW
        session.flush()
        return [one.id for one in made]


def states(engine: Engine) -> list[str]:
    with reading(engine) as session:
        rows = session.scalars(select(Solicitation).order_by(Solicitation.id))
        return [one.state.value for one in rows]


WAITING = ["handoff"] * 3 + ["unconfirmed"]


def test_the_orders_are_shown_by_number_with_how_long_they_may_be_asked(
    enter: Enter, orders: list[int]
) -> None:
    html = enter().get("/handoffs").text
    assert "Amazonのレビュー依頼" in html
    assert all(f"250-{number}" in html for number in range(1, 5))
    assert "2026/12/3(木)" in html
    assert "HTTP 500" in html
    english = enter(language="en").get("/handoffs").text
    assert "The marketplace asks the buyer in its own fixed words" in english


def test_exactly_the_ticked_ones_are_released(
    enter: Enter, orders: list[int], desk_engine: Engine
) -> None:
    visitor = enter()
    visitor.get("/handoffs")
    answer = visitor.send("/handoffs/requests", number=2, item=orders[:2])
    assert answer.headers["location"] == "/handoffs"
    assert states(desk_engine) == ["approved", "approved", "handoff", "unconfirmed"]
    assert "順番待ち" in visitor.get("/handoffs").text


@pytest.mark.parametrize(("number", "ticked"), [(3, 2), (2, 3), (1, 0), (0, 0)])
def test_another_number_than_ticked_releases_nobody(
    enter: Enter, orders: list[int], desk_engine: Engine, number: int, ticked: int
) -> None:
    visitor = enter()
    visitor.get("/handoffs")
    answer = visitor.send("/handoffs/requests", number=number, item=orders[:ticked])
    assert answer.status_code == 409
    assert states(desk_engine) == WAITING


def test_the_same_form_twice_is_refused(
    enter: Enter, orders: list[int], desk_engine: Engine
) -> None:
    visitor = enter()
    visitor.get("/handoffs")
    assert visitor.send("/handoffs/requests", number=1, item=orders[:1]).status_code == 303
    again = visitor.send("/handoffs/requests", number=1, item=orders[:1])
    assert (again.status_code, "いま依頼できるのは0件" in again.text) == (409, True)


def test_only_who_may_approve_releases(
    enter: Enter, orders: list[int], desk_engine: Engine
) -> None:
    visitor = enter(Role.EDITOR)
    assert 'name="item"' not in visitor.get("/handoffs").text
    assert visitor.send("/handoffs/requests", number=3, item=orders[:3]).status_code == 403
    assert states(desk_engine) == WAITING


def test_a_doubt_is_settled_by_a_person_once(
    enter: Enter, orders: list[int], desk_engine: Engine
) -> None:
    visitor = enter()
    visitor.get("/handoffs")
    path = f"/handoffs/requests/{orders[3]}"
    assert visitor.send(path, how="sent").status_code == 422
    assert visitor.send(path, how="was_asked").status_code == 303
    assert states(desk_engine)[3] == "handed_off"
    assert visitor.send(path, how="was_not_asked").status_code == 409
    assert "依頼済み" in visitor.get("/handoffs").text
