"""EC-CUBE's lists, windows, clocks and streams, against a pretend shop over HTTP."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from connectors.contract import NeedsPerson, Page, TryLater, Watermark
from connectors.eccube4.connector import EcCube4
from connectors.kit.live import SameBodies, SignedWebhooks
from connectors.kit.secrets import MemoryVault
from tests.connectors.eccube4.harness import opened, vault
from tests.connectors.eccube4.stub import HOOK, CubeShop, order, parcel, stamp, status
from tests.connectors.harness import NOW

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
SECOND = timedelta(seconds=1)
AN_HOUR_AGO = Watermark((NOW - HOUR).isoformat())


@pytest.fixture
def shop() -> Iterator[CubeShop]:
    one = CubeShop()
    yield one
    one.loopback.stop()


@pytest.fixture
def old_shop() -> Iterator[CubeShop]:
    """EC-CUBE 4.0: it can be searched by day only."""
    one = CubeShop(by_instant=False)
    yield one
    one.loopback.stop()


def pulled(
    one: EcCube4, stream: str = "orders", mark: Watermark = AN_HOUR_AGO, cursor: str | None = None
) -> list[Page]:
    return list(one.pull(stream, mark, cursor, NOW))


def names(pages: Iterable[Page]) -> list[int]:
    return sorted({int(raw.external_id) for page in pages for raw in page.raws})


def fill(shop: CubeShop, count: int, step: timedelta, last: datetime = NOW - MINUTE) -> None:
    for number in range(1, count + 1):
        shop.place(order(number, last - number * step))


def leave(shop: CubeShop, number: int) -> None:
    """An order changes now: it leaves the window that is being read."""
    shop.change(str(number), NOW + MINUTE)


def test_a_first_read_brings_every_order(shop: CubeShop) -> None:
    for number, age in ((1, 4000), (2, 40), (3, 0.5)):
        shop.place(order(number, NOW - timedelta(days=age)))
    pages = pulled(opened(shop), mark=Watermark())
    assert names(pages) == [1, 2, 3]
    assert shop.lists()[0]["from"] == "2000-01-01T00:00:00+00:00"
    assert pages[-1].watermark == Watermark("2026-11-20T03:00:01+00:00")


def test_the_list_is_asked_in_the_documented_form(shop: CubeShop) -> None:
    pulled(opened(shop, page_size=""))
    assert shop.lists() == [
        {
            "query": "ChangedOrders",
            "page": 1,
            "limit": 50,
            "from": "2026-11-20T01:50:00+00:00",
            "until": "2026-11-20T03:00:01+00:00",
        }
    ]


def test_the_second_in_which_a_webhook_comes_takes_part(shop: CubeShop) -> None:
    shop.place(order(1, NOW))
    assert names(pulled(opened(shop))) == [1]


def test_only_what_changed_since_is_read(shop: CubeShop) -> None:
    for number in (1, 2):
        shop.place(order(number, NOW - DAY))
    shop.change("2", NOW - 5 * MINUTE)
    assert names(pulled(opened(shop))) == [2]


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 11, 40])
def test_a_list_of_any_length_is_read_whole(shop: CubeShop, count: int) -> None:
    fill(shop, count, HOUR)
    pages = pulled(opened(shop, page_size=5), mark=Watermark())
    assert names(pages) == list(range(1, count + 1))
    assert all(len(page.raws) <= 5 for page in pages)
    assert {asked["page"] for asked in shop.lists()} == {1}


def test_orders_that_change_while_they_are_read_push_no_other_out(shop: CubeShop) -> None:
    fill(shop, 40, HOUR)
    shop.after_page = [partial(leave, shop, number) for number in (38, 30, 21, 20, 3)]
    found = names(pulled(opened(shop, page_size=5), mark=Watermark()))
    assert set(found) | {38, 30, 21, 20, 3} == set(range(1, 41))


def test_more_orders_of_one_second_than_a_page_holds_are_all_read(shop: CubeShop) -> None:
    fill(shop, 23, timedelta(0))
    shop.place(order(99, NOW - 2 * MINUTE))
    found = pulled(opened(shop, page_size=5))
    assert names(found) == [*range(1, 24), 99]
    assert max(asked["page"] for asked in shop.lists()) == 5


def test_pages_of_one_second_are_read_again_where_their_count_changes(shop: CubeShop) -> None:
    fill(shop, 23, timedelta(0))
    one = opened(shop, page_size=5)
    pages: list[Page] = []
    for page in one.pull("orders", AN_HOUR_AGO, None, NOW):
        pages.append(page)
        if len(pages) == 1:
            leave(shop, 23)  # listed first: every order behind it moves up
    assert names(pages) == list(range(1, 24))


def test_a_second_in_endless_change_is_left_for_later(shop: CubeShop) -> None:
    fill(shop, 60, timedelta(0))
    one = opened(shop, page_size=5)
    walk = one.pull("orders", AN_HOUR_AGO, None, NOW)
    next(walk)
    shop.after_page = [partial(leave, shop, number) for number in range(60, 20, -1)]
    leave(shop, 1)
    with pytest.raises(TryLater, match="changes while it is read") as caught:
        list(walk)
    assert caught.value.retry_after == 60.0


def test_reading_goes_on_where_it_stopped(shop: CubeShop) -> None:
    fill(shop, 40, HOUR)
    pull = opened(shop, page_size=5).pull("orders", Watermark(), None, NOW)
    stored = [next(pull), next(pull)]
    before = len(shop.lists())
    rest = pulled(opened(shop, page_size=5), mark=Watermark(), cursor=stored[-1].cursor)
    assert names([*stored, *rest]) == list(range(1, 41))
    assert not set(names(stored)) & set(names(rest))
    assert shop.lists()[before]["from"] > shop.lists()[0]["from"]


def test_a_window_that_was_finished_late_is_followed_by_what_came_since(shop: CubeShop) -> None:
    fill(shop, 20, HOUR, last=NOW - DAY)
    early = NOW - 20 * HOUR
    first = next(iter(opened(shop, page_size=5).pull("orders", Watermark(), None, early)))
    shop.place(order(99, NOW - MINUTE))
    rest = pulled(opened(shop, page_size=5), mark=Watermark(), cursor=first.cursor)
    assert names([first, *rest]) == [*range(1, 21), 99]
    marks = [page.watermark.value for page in rest if page.watermark]
    assert marks == ["2026-11-19T07:00:01+00:00", "2026-11-20T03:00:01+00:00"]


def test_a_cursor_of_another_version_begins_the_window_again(shop: CubeShop) -> None:
    shop.place(order(1, NOW - MINUTE))
    assert names(pulled(opened(shop), cursor='{"page": 3}')) == [1]


@pytest.mark.parametrize("minutes", [-40, 40])
def test_a_wrong_clock_of_the_shop_costs_no_order(shop: CubeShop, minutes: int) -> None:
    shop.loopback.clock_offset = timedelta(minutes=minutes)
    there = NOW + timedelta(minutes=minutes)
    shop.place(order(1, there - MINUTE))
    pages = pulled(opened(shop), mark=Watermark((there - HOUR).isoformat()))
    assert names(pages) == [1]
    mark = datetime.fromisoformat((pages[-1].watermark or Watermark()).value or "")
    assert abs(mark - there) <= 5 * SECOND


def test_the_watermark_never_goes_back(shop: CubeShop) -> None:
    shop.loopback.clock_offset = -HOUR
    ahead = Watermark((NOW - 65 * MINUTE).isoformat())
    first = pulled(opened(shop), mark=ahead)[-1].watermark
    shop.loopback.clock_offset = -HOUR - 2 * MINUTE
    assert first is not None
    assert pulled(opened(shop), mark=first)[-1].watermark == first


def test_a_shop_that_ignores_the_filter_is_told_to_a_person(shop: CubeShop) -> None:
    shop.place(order(1, NOW - DAY))
    shop.filters = False
    with pytest.raises(NeedsPerson, match="ignores the time filter"):
        pulled(opened(shop))


def test_young_orders_are_read_again_though_their_time_stands_still(shop: CubeShop) -> None:
    shop.place(order(1, NOW - 3 * DAY))
    shop.place(order(2, NOW - 20 * DAY))
    shop.send("1", NOW - MINUTE, tracking_number="4000")
    assert names(pulled(opened(shop))) == []
    pages = pulled(opened(shop), "changes")
    assert names(pages) == [1]
    assert opened(shop).map(pages[0].raws[0]).tracking_number == "4000"
    assert names(pulled(opened(shop, reread_days=30), "changes")) == [1, 2]
    with pytest.raises(NeedsPerson):
        pulled(opened(shop), "pictures")


def test_a_setting_says_where_the_first_read_begins(shop: CubeShop) -> None:
    for number, age in ((1, 40), (2, 5)):
        shop.place(order(number, NOW - age * DAY))
    one = opened(shop, since=(NOW - 20 * DAY).isoformat(), reread_days=60)
    assert names(pulled(one, mark=Watermark())) == [2]
    assert names(pulled(one, "changes")) == [2]


def test_checkouts_are_left_out_and_come_when_they_are_orders(shop: CubeShop) -> None:
    shop.place(order(1, NOW - MINUTE, "8"))
    shop.place(order(2, NOW - MINUTE, "20"))
    assert names(pulled(opened(shop))) == [2]
    assert names(pulled(opened(shop, status_map={"20": "unfinished"}))) == []
    shop.change("1", NOW - SECOND, OrderStatus=status("1"))
    assert names(pulled(opened(shop))) == [1, 2]


@pytest.mark.parametrize(("field", "told"), [("Customer", "2"), ("subtotal", None)])
def test_an_order_that_is_not_told_whole_is_rejected_and_the_others_go_on(
    shop: CubeShop, field: str, told: str | None
) -> None:
    for number in (1, 2, 3):
        shop.place(order(number, NOW - number * MINUTE))
    shop.broken["2"] = field
    pages = pulled(opened(shop))
    assert names(pages) == [1, 3]
    (bad,) = [bad for page in pages for bad in page.rejected]
    assert (bad.code, bad.external_id) == ("not_told", told)


# --- EC-CUBE 4.0 -----------------------------------------------------------------------------


def test_release_4_0_is_searched_by_day_and_the_day_before_again(old_shop: CubeShop) -> None:
    for number, age in ((1, 60 * HOUR), (2, 30 * HOUR), (3, MINUTE)):
        old_shop.place(order(number, NOW - age))
    assert names(pulled(opened(old_shop, search_by="date"))) == [2, 3]
    (asked,) = old_shop.lists()
    assert (asked["query"], asked["from"], asked["until"]) == (
        "ChangedOrdersByDay", "2026-11-19", "2026-11-20",
    )  # fmt: skip


def test_a_long_history_of_release_4_0_is_read_whole(old_shop: CubeShop) -> None:
    fill(old_shop, 40, 7 * HOUR)
    one = opened(old_shop, search_by="date", page_size=2)
    assert names(pulled(one, mark=Watermark())) == list(range(1, 41))
    assert max(asked["page"] for asked in old_shop.lists()) == 2


def test_release_4_0_asked_by_instant_says_which_setting_helps(old_shop: CubeShop) -> None:
    with pytest.raises(NeedsPerson) as caught:
        pulled(opened(old_shop))
    assert "search_by" in caught.value.remedy


def test_totals_of_release_4_0_keep_to_the_span(old_shop: CubeShop) -> None:
    for number, at in ((1, NOW - DAY - SECOND), (2, NOW - DAY), (3, NOW)):
        old_shop.place(order(number, at))
    assert dict(opened(old_shop, search_by="date").totals(NOW - DAY, NOW).orders) == {"2": 4150}


# --- what else a channel is asked ---------------------------------------------------------------


def test_totals_tell_the_orders_of_a_span_without_checkouts(shop: CubeShop) -> None:
    for number, at in ((1, NOW - DAY), (2, NOW - HOUR), (3, NOW), (4, NOW - DAY - SECOND)):
        shop.place(order(number, at, payment_total=1000 * number))
    shop.place(order(5, NOW - HOUR, "8"))
    shop.place(order(6, NOW - HOUR, "20"))
    shop.place(order(7, NOW - HOUR, payment_total=10.5))
    one = opened(shop, status_map={"20": "unfinished"}, page_size=2)
    assert dict(one.totals(NOW - DAY, NOW).orders) == {"1": 1000, "2": 2000, "7": None}
    assert one.totals(NOW, NOW).count == 0
    assert {asked["query"] for asked in shop.lists()} == {"OrderTotals"}


def test_check_says_how_many_orders_changed(shop: CubeShop) -> None:
    shop.place(order(1, datetime.now(UTC) - HOUR))
    assert "変更された注文: 1 件" in opened(shop).check()
    assert "clocks" not in opened(shop).check()
    shop.loopback.clock_offset = timedelta(minutes=-7)
    assert "The clocks differ by -7 min." in opened(shop).check()


def test_a_webhook_is_believed_by_its_signature_alone(shop: CubeShop) -> None:
    body = b'[{"entity":"order","id":13,"action":"updated"}]'
    good = hmac.new(HOOK.encode(), body, hashlib.sha256).hexdigest()
    one = opened(shop)
    assert isinstance(one, SignedWebhooks)
    assert isinstance(one, SameBodies)
    assert one.webhook({"x-eccube-signature": good}, body) is True
    assert one.webhook({"x-eccube-signature": good}, body + b" ") is False
    assert one.webhook({"x-eccube-signature": good.replace(good[0], "g")}, body) is False
    assert one.webhook({"x-eccube-signature": "é"}, body) is False
    assert one.webhook({}, body) is False


def test_without_a_secret_no_signature_is_right(shop: CubeShop) -> None:
    body = b"[]"
    by_nothing = {"x-eccube-signature": hmac.new(b"", body, hashlib.sha256).hexdigest()}
    for keys in (vault(webhook_secret=""), MemoryVault({})):
        assert opened(shop, keys).webhook(by_nothing, body) is False


def test_an_order_of_two_parcels_is_partly_sent(shop: CubeShop) -> None:
    two = [parcel(1, NOW - DAY, shipping_date=stamp(NOW - HOUR)), parcel(2, NOW - DAY)]
    shop.place(order(1, NOW - MINUTE, Shippings=two))
    (page,) = pulled(opened(shop))
    assert opened(shop).map(page.raws[0]).fulfilment == "part"
