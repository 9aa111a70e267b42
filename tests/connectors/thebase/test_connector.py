"""BASE's lists, details, times of change and streams, against a pretend shop over HTTP."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from connectors.contract import NeedsPerson, Page, TryLater, Watermark
from connectors.thebase.connector import Base
from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered, told, web_page
from tests.connectors.thebase.harness import opened
from tests.connectors.thebase.stub import BaseShop, key, order

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
AN_HOUR_AGO = Watermark((NOW - HOUR).isoformat())


@pytest.fixture
def shop() -> Iterator[BaseShop]:
    one = BaseShop()
    yield one
    one.loopback.stop()


def lists(shop: BaseShop) -> list[dict[str, str]]:
    return [asked.query for asked in shop.loopback.asked if asked.path == "/1/orders"]


def pulled(
    one: Base, stream: str = "orders", mark: Watermark = AN_HOUR_AGO, cursor: str | None = None
) -> list[Page]:
    return list(one.pull(stream, mark, cursor, NOW))


def names(pages: Iterable[Page]) -> list[int]:
    return [int(raw.external_id, 16) for page in pages for raw in page.raws]


def put(shop: BaseShop, number: int) -> None:
    shop.place(order(number, NOW - 2 * MINUTE))


def take(shop: BaseShop, number: int) -> None:
    del shop.orders[key(number)]


def test_a_first_read_asks_for_every_order_oldest_first(shop: BaseShop) -> None:
    for number, age in ((1, 4000), (2, 40), (3, 0.5)):
        shop.place(order(number, NOW - timedelta(days=age)))
    pages = pulled(opened(shop, since=""), mark=Watermark())
    assert names(pages) == [1, 2, 3]
    assert lists(shop)[0]["start_ordered"] == "2000-01-01 09:00:00"
    assert pages[-1].watermark == Watermark((NOW - MINUTE).isoformat())


def test_the_list_is_asked_in_the_documented_form(shop: BaseShop) -> None:
    pulled(opened(shop, page_size=""))
    assert lists(shop) == [
        {
            "start_ordered": "2026-11-17 11:00:00",
            "end_ordered": "2026-11-20 11:59:00",
            "limit": "100",
            "offset": "0",
        }
    ]


def test_times_of_a_question_can_be_asked_in_another_zone(shop: BaseShop) -> None:
    pulled(opened(shop, query_zone="UTC"))
    assert lists(shop)[0]["end_ordered"] == "2026-11-20 02:59:00"


def test_only_what_changed_since_is_asked_for_in_detail(shop: BaseShop) -> None:
    for number in (1, 2):
        shop.place(order(number, NOW - DAY))
    shop.change(key(2), NOW - 5 * MINUTE, total=3000)
    assert names(pulled(opened(shop))) == [2]


def test_an_order_without_a_time_of_change_is_asked_for_until_it_is_closed(
    shop: BaseShop,
) -> None:
    shop.place(order(1, NOW - DAY, modified=None))
    assert names(pulled(opened(shop))) == [1]
    long_ago = int((NOW - DAY).timestamp())
    shop.orders[key(1)] |= {"dispatch_status": "dispatched", "dispatched": long_ago}
    assert names(pulled(opened(shop))) == []


def test_open_orders_are_asked_for_again_though_their_time_stands_still(shop: BaseShop) -> None:
    shop.place(order(1, NOW - 30 * DAY))
    shop.place(order(2, NOW - 30 * DAY, dispatch_status="dispatched"))
    assert names(pulled(opened(shop), "changes")) == [1]
    assert names(pulled(opened(shop, reread_open="false"), "changes")) == []


def test_each_stream_sees_its_own_age_of_orders(shop: BaseShop) -> None:
    for number, age in ((1, 1), (2, 30), (3, 200)):
        shop.place(order(number, NOW - age * DAY, modified=int((NOW - MINUTE).timestamp())))
    found = {
        name: names(pulled(opened(shop), name)) for name in ("orders", "changes", "far_changes")
    }
    assert found == {"orders": [1], "changes": [2], "far_changes": [3]}
    with pytest.raises(NeedsPerson):
        pulled(opened(shop), "pictures")


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 9])
def test_a_list_of_any_length_is_read_to_its_end(shop: BaseShop, count: int) -> None:
    for number in range(1, count + 1):
        shop.place(order(number, NOW - number * MINUTE - 2 * MINUTE))
    assert sorted(names(pulled(opened(shop, page_size=3)))) == list(range(1, count + 1))


def test_a_list_that_shifts_between_two_pages_is_read_again(shop: BaseShop) -> None:
    for number in range(1, 8):
        shop.place(order(number, NOW - 2 * HOUR + number * MINUTE, modified=None))
    shop.after_list = [partial(put, shop, 99)]
    assert sorted(names(pulled(opened(shop, page_size=3)))) == [*range(1, 8), 99]
    shop.after_list = [partial(take, shop, 99)]
    assert sorted(names(pulled(opened(shop, page_size=3)))) == [*range(1, 8)]


def test_a_list_that_never_stands_still_is_left_for_later(shop: BaseShop) -> None:
    for number in range(1, 8):
        shop.place(order(number, NOW - 2 * HOUR))
    shop.after_list = [partial(put, shop, serial) for serial in range(100, 150)]
    with pytest.raises(TryLater, match="changes while"):
        pulled(opened(shop, page_size=3))


def test_reading_goes_on_behind_the_last_order_that_was_stored(shop: BaseShop) -> None:
    for number in range(1, 31):
        shop.place(order(number, NOW - HOUR + number * MINUTE / 2))
    shop.garbled[key(25)] = web_page(503)
    found: list[Page] = []
    with pytest.raises(TryLater):
        found.extend(page for page in opened(shop).pull("orders", AN_HOUR_AGO, None, NOW))
    pull = opened(shop).pull("orders", AN_HOUR_AGO, None, NOW)
    stored = [next(pull), next(pull)]
    shop.garbled.clear()
    rest = pulled(opened(shop), cursor=stored[-1].cursor)
    assert names([*stored, *rest]) == list(range(1, 31))
    assert names(rest)[0] == 25


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (told({"error": "no_order"}, 400), "no_order"),
        (told({"order": {"unique_key": "OTHER"}}), "no_order"),
        (told([]), "no_order"),
        (Answered(200, b"{nope}", {"content-type": "application/json"}), "bad_json"),
    ],
)
def test_an_order_that_is_not_told_is_rejected_and_the_others_go_on(
    shop: BaseShop, answer: Answered, code: str
) -> None:
    for number in (1, 2, 3):
        shop.place(order(number, NOW - HOUR))
    shop.garbled[key(2)] = answer
    pages = pulled(opened(shop))
    assert names(pages) == [1, 3]
    (bad,) = [bad for page in pages for bad in page.rejected]
    assert (bad.code, bad.external_id, bad.payload["error"]) == ("not_told", key(2), code)


def test_a_row_that_names_no_order_is_rejected(shop: BaseShop) -> None:
    for number in (1, 2):
        shop.place(order(number, NOW - HOUR))
    shop.orders["?"] = order(3, NOW - HOUR, unique_key=None)
    pages = pulled(opened(shop))
    assert names(pages) == [1, 2]
    assert [bad.code for page in pages for bad in page.rejected] == ["not_told"]


def test_the_watermark_follows_a_clock_that_is_behind_and_never_goes_back(
    shop: BaseShop,
) -> None:
    shop.loopback.clock_offset = -HOUR
    mark = pulled(opened(shop), mark=Watermark((NOW - 3 * HOUR).isoformat()))[-1].watermark
    assert mark is not None
    behind = NOW - MINUTE - datetime.fromisoformat(mark.value or "")
    assert HOUR - 5 * MINUTE / 60 <= behind <= HOUR + 5 * MINUTE / 60
    assert pulled(opened(shop))[-1].watermark == Watermark((NOW - HOUR).isoformat())


def test_totals_are_listed_without_asking_for_details(shop: BaseShop) -> None:
    for number, at in ((1, NOW - DAY), (2, NOW - HOUR), (3, NOW)):
        shop.place(order(number, at, total=1000 * number))
    found = opened(shop).totals(NOW - DAY, NOW)
    shop.orders["?"] = order(4, NOW - HOUR, unique_key=None)
    assert opened(shop).totals(NOW - DAY, NOW) == found
    assert dict(found.orders) == {key(1): 1000, key(2): 2000}
    assert not [asked for asked in shop.loopback.asked if "detail" in asked.path]


def test_check_lists_a_day_and_reads_one_order(shop: BaseShop) -> None:
    shop.place(order(1, datetime.now(UTC) - HOUR))
    assert "1 件" in opened(shop).check()
    assert shop.loopback.asked[-1].path == f"/1/orders/detail/{key(1)}"
