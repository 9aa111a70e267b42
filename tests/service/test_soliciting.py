"""Review requests are planned by order, released by number, and asked once, whatever breaks."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from connectors.kit.soliciting import Answer, Replied
from tests.connectors.amazon.stub import AmazonStore, order_id, refused
from tests.factories import NOW
from tests.service.asking import (
    DAY,
    amazon,
    answering,
    calls,
    connected,
    delivered,
    installed,
    read,
    release,
    requests,
    shop,
    states,
)
from worker.daily import run_daily
from worker.pipeline.review_words import Refused
from worker.pipeline.solicit import ready_requests
from worker.pipeline.stops import stop
from worker.rules.states import MailKind
from worker.runtime import Runtime
from worker.soliciting import plan_all_requests, solicit_round
from worker.store.channels import Channel, ChannelKind
from worker.store.customers import Customer
from worker.store.messages import Message, Occasion
from worker.store.orders import OrderRow
from worker.store.running import Audit

__all__ = ["amazon", "shop"]
ONE, TWO, THREE = (order_id(n) for n in (1, 2, 3))


def ready(runtime: Runtime) -> list[str]:
    with runtime.look() as session:
        return [one.number for one in ready_requests(session, runtime.context(), NOW)]


# --- off by default, planned without anybody's name --------------------------------------------


def test_as_shipped_nothing_is_planned(tmp_path: Path, store_url: str, amazon: AmazonStore) -> None:
    runtime = installed(tmp_path, store_url, ours=False)
    connected(runtime, amazon)
    assert requests(runtime) == {}
    runtime.dispose()


def test_orders_are_noted_by_their_numbers_and_make_nobody(shop: Runtime) -> None:
    assert states(shop) == dict.fromkeys((ONE, TWO, THREE), "handoff")
    assert ready(shop) == [ONE, TWO, THREE]
    with shop.look() as session:
        for table in (Customer, Message, Occasion):
            assert session.scalars(select(table)).all() == []
    assert plan_all_requests(shop, NOW) == 0


def test_only_sent_orders_in_their_window_and_after_the_begin(
    shop: Runtime, amazon: AmazonStore
) -> None:
    amazon.put(delivered(4, days=3))  # opens in two days
    amazon.put(delivered(5, days=40))  # is over
    amazon.put(delivered(6) | {"fulfillment": {"fulfillmentStatus": "UNSHIPPED"}})
    amazon.put(delivered(7) | {"fulfillment": {"fulfillmentStatus": "SHIPPED"}})
    amazon.put(delivered(8, days=20))
    with shop.transaction() as session:
        session.execute(
            update(ChannelKind)
            .where(ChannelKind.kind == MailKind.REVIEW_REQUEST)
            .values(active_from=NOW - 12 * DAY)
        )
    read(shop)
    assert set(states(shop)) == {ONE, TWO, THREE, order_id(4)}
    with shop.transaction() as session:
        session.execute(
            update(ChannelKind)
            .where(ChannelKind.kind == MailKind.REVIEW_REQUEST)
            .values(active_from=NOW - 60 * DAY)
        )
    plan_all_requests(shop, NOW)
    assert set(states(shop)) == {ONE, TWO, THREE, order_id(4), order_id(8)}
    assert order_id(4) not in ready(shop)


# --- released by the exact number --------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "expected", "code"),
    [((), 0, "nothing_chosen"), ((), 3, "nothing_chosen"), ((ONE, TWO), 3, "requests_differ"),
     ((ONE, ONE), 2, "requests_differ")],
)  # fmt: skip
def test_another_number_than_meant_releases_nobody(
    shop: Runtime, amazon: AmazonStore, numbers: tuple[str, ...], expected: int, code: str
) -> None:
    with pytest.raises(Refused) as no:
        release(shop, *numbers, expected=expected)
    assert no.value.code == code
    assert set(states(shop).values()) == {"handoff"}
    solicit_round(shop, NOW)
    assert calls(amazon) == 0


def test_a_second_release_of_the_same_is_refused_whole(shop: Runtime, amazon: AmazonStore) -> None:
    release(shop, ONE)
    with pytest.raises(Refused):
        release(shop, ONE, TWO)
    assert states(shop) == {ONE: "approved", TWO: "handoff", THREE: "handoff"}
    assert solicit_round(shop, NOW) == {"asked": 1}
    with pytest.raises(Refused):
        release(shop, ONE)
    assert solicit_round(shop, NOW) == {}
    assert amazon.asked_reviews == [ONE]


def test_what_was_released_is_asked_by_amazon_and_noted_with_who(
    shop: Runtime, amazon: AmazonStore
) -> None:
    release(shop, ONE, TWO, expected=2)
    assert solicit_round(shop, NOW) == {"asked": 2}
    assert sorted(amazon.asked_reviews) == [ONE, TWO]
    found = requests(shop)[ONE]
    assert (found.state, found.attempts, found.said) == ("handed_off", 1, "HTTP 201")
    assert [(one["move"], one["by"]) for one in found.history] == [
        ("release", "hana"), ("ask", "solicit"), ("asked", "solicit"),
    ]  # fmt: skip
    with shop.look() as session:
        (note,) = session.scalars(select(Audit).where(Audit.action == "release_requests"))
        assert (note.by, note.detail) == ("hana", {"count": 2})


def test_a_cancelled_or_refunded_order_is_not_released_and_not_asked(
    shop: Runtime, amazon: AmazonStore
) -> None:
    release(shop, ONE, TWO)
    with shop.transaction() as session:
        session.execute(
            update(OrderRow).where(OrderRow.external_id == ONE).values(life="cancelled")
        )
        session.execute(
            update(OrderRow).where(OrderRow.external_id == TWO).values(payment="refunded_part")
        )
        session.execute(
            update(OrderRow).where(OrderRow.external_id == THREE).values(fulfilment="returned")
        )
    with pytest.raises(Refused):
        release(shop, THREE)
    assert solicit_round(shop, NOW) == {"passed": 2}
    assert calls(amazon) == 0
    plan_all_requests(shop, NOW)
    assert set(states(shop).values()) == {"cancelled"}


def test_a_stop_and_a_trial_keep_what_is_released_at_home(
    shop: Runtime, amazon: AmazonStore
) -> None:
    release(shop, ONE)
    shop.settings = shop.settings.model_copy(update={"transport": "capture"})
    assert solicit_round(shop, NOW) == {}
    shop.settings = shop.settings.model_copy(update={"transport": "smtp"})
    with shop.transaction() as session:
        stop(session, shop.context(), by="hana", now=NOW, kind=MailKind.REVIEW_REQUEST)
    with pytest.raises(Refused):
        release(shop, TWO)
    assert solicit_round(shop, NOW) == {"passed": 1}
    assert (calls(amazon), states(shop)[ONE]) == (0, "approved")


def test_taken_back_in_the_matrix_it_waits_again(shop: Runtime, amazon: AmazonStore) -> None:
    release(shop, ONE)
    senders = shop.settings.config_dir / "senders.toml"
    senders.write_text(senders.read_text("utf-8").replace('"okaeri"\n', '"mall"\n'), "utf-8")
    assert solicit_round(shop, NOW) == {"passed": 1}
    assert (calls(amazon), states(shop)[ONE], ready(shop)) == (0, "handoff", [])


# --- what Amazon answers -----------------------------------------------------------------------


def test_what_amazon_does_not_offer_is_recorded_in_words(
    shop: Runtime, amazon: AmazonStore
) -> None:
    release(shop, ONE, TWO)
    amazon.not_offered.add(ONE)
    amazon.orders.pop(TWO)
    assert solicit_round(shop, NOW) == {"refused": 2}
    found = requests(shop)
    assert {one.state.value for one in found.values()} == {"failed", "handoff"}
    assert "受け付けていません" in found[ONE].said
    assert found[TWO].said == "HTTP 404 NotFound: no"
    assert amazon.asked_reviews == []
    assert solicit_round(shop, NOW) == {}


def test_a_refusal_of_the_request_itself_is_recorded_and_final(
    shop: Runtime, amazon: AmazonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, Replied(Answer.NO, "HTTP 403 Unauthorized: not eligible"))
    release(shop, ONE)
    assert solicit_round(shop, NOW) == {"refused": 1}
    found = requests(shop)[ONE]
    assert (found.state, found.said) == ("failed", "HTTP 403 Unauthorized: not eligible")
    assert amazon.asked_reviews == []


def test_busy_is_tried_again_when_amazon_says(shop: Runtime, amazon: AmazonStore) -> None:
    release(shop, ONE, TWO)
    read(shop)
    amazon.loopback.faults.append(refused("QuotaExceeded", 429))
    assert solicit_round(shop, NOW) == {"later": 1}
    assert set(states(shop).values()) == {"approved", "handoff"}
    assert solicit_round(shop, NOW) == {"asked": 1}  # the other one; this one still waits
    assert solicit_round(shop, NOW + timedelta(minutes=10)) == {"asked": 1}
    assert sorted(amazon.asked_reviews) == [ONE, TWO]


def test_a_missing_role_leaves_all_waiting_with_what_to_do(
    shop: Runtime, amazon: AmazonStore
) -> None:
    release(shop, ONE, TWO)
    amazon.may_ask_reviews = False
    assert solicit_round(shop, NOW) == {"later": 1}
    assert "Buyer Solicitation" in requests(shop)[ONE].said
    assert states(shop)[ONE] == "approved"
    assert requests(shop)[TWO].said == ""


# --- gone on time ------------------------------------------------------------------------------


def test_thirty_days_after_the_last_day_of_delivery_it_is_gone(
    shop: Runtime, amazon: AmazonStore
) -> None:
    release(shop, ONE)
    solicit_round(shop, NOW)
    ends = NOW - 9 * DAY + 30 * DAY
    run_daily(shop, ends - DAY)
    assert len(requests(shop)) == 3
    run_daily(shop, ends)
    assert requests(shop) == {}
    assert plan_all_requests(shop, ends) == 0
    assert requests(shop) == {}


def test_a_request_that_waited_too_long_ends_by_itself(shop: Runtime) -> None:
    release(shop, ONE)
    assert plan_all_requests(shop, NOW + 22 * DAY) == 0
    assert set(states(shop).values()) == {"expired"}


def test_an_order_taken_back_with_its_import_may_be_noted_anew(shop: Runtime) -> None:
    with shop.transaction() as session:
        session.execute(delete(OrderRow).where(OrderRow.external_id == ONE))
    plan_all_requests(shop, NOW)
    assert set(states(shop)) == {TWO, THREE}


def test_channels_of_another_kind_are_left_alone(shop: Runtime, amazon: AmazonStore) -> None:
    with shop.transaction() as session:
        session.execute(update(Channel).values(kind="csv_file"))
    amazon.put(delivered(4))
    assert plan_all_requests(shop, NOW) == 0
