"""Yahoo!'s lists, details, times of change and streams, against a pretend store over HTTP."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import NeedsPerson, Page, TryLater, Watermark
from connectors.kit.markup import parse
from connectors.kit.pace import LocalPace
from connectors.yahoo.connector import YahooShopping
from connectors.yahoo.service import LANE
from tests.connectors.harness import NOW
from tests.connectors.yahoo.harness import config, opened, vault
from tests.connectors.yahoo.stub import SELLER, YahooStore, failed, order, stamp

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AN_HOUR_AGO = Watermark((NOW - HOUR).isoformat())


@pytest.fixture
def store() -> Iterator[YahooStore]:
    one = YahooStore()
    yield one
    one.loopback.stop()


def questions(store: YahooStore, call: str) -> list[dict[str, Any]]:
    bodies = [asked.body for asked in store.loopback.asked if asked.path.endswith(call)]
    return [parse(body)["Req"] for body in bodies]


def pulled(
    one: YahooShopping,
    stream: str = "orders",
    mark: Watermark = AN_HOUR_AGO,
    cursor: str | None = None,
) -> list[Page]:
    return list(one.pull(stream, mark, cursor, NOW))


def names(pages: Iterable[Page]) -> list[str]:
    return [raw.external_id.removeprefix(f"{SELLER}-") for page in pages for raw in page.raws]


def test_a_first_read_goes_a_year_back_and_asks_for_every_order(store: YahooStore) -> None:
    for number, age in ((1, 364), (2, 40), (3, 0.5), (4, 366)):
        store.place(order(number, NOW - timedelta(days=age)))
    pages = pulled(opened(store), mark=Watermark())
    assert names(pages) == ["1", "2", "3"]
    windows = [one["Search"]["Condition"] for one in questions(store, "orderList")]
    assert windows[0]["OrderTimeFrom"] == "20251120120000"
    assert windows[-1]["OrderTimeTo"] == "20261120115900"
    assert len(windows) == 12
    assert pages[-1].watermark == Watermark((NOW - timedelta(minutes=1)).isoformat())


def test_the_list_is_asked_in_the_documented_form(store: YahooStore) -> None:
    pulled(opened(store))
    assert questions(store, "orderList") == [
        {
            "Search": {
                "Result": "1000",
                "Start": "1",
                "Sort": "+order_time",
                "Condition": {
                    "OrderTimeFrom": "20261117110000",
                    "OrderTimeTo": "20261120115900",
                },
                "Field": "OrderId,OrderTime,LastUpdateTime,OrderStatus,TotalPrice",
            },
            "SellerId": SELLER,
        }
    ]


def test_only_what_was_changed_since_is_asked_for_in_detail(store: YahooStore) -> None:
    for number in (1, 2, 3):
        store.place(order(number, NOW - 2 * DAY))
    store.change(f"{SELLER}-2", NOW - timedelta(minutes=30), ShipStatus="3")
    store.change(f"{SELLER}-3", NOW - HOUR - timedelta(minutes=9))
    assert names(pulled(opened(store))) == ["2", "3"]
    assert len(questions(store, "orderInfo")) == 2


def test_an_order_whose_time_of_change_cannot_be_read_is_asked_for(store: YahooStore) -> None:
    store.place(order(1, NOW - 2 * DAY, LastUpdateTime=""))
    store.place(order(2, NOW - 2 * DAY, LastUpdateTime="?"))
    found = opened(store)
    pages = pulled(found)
    assert names(pages) == ["1", "2"]


@pytest.mark.parametrize(
    ("age", "stream"), [(1, "orders"), (20, "changes"), (89, "changes"), (300, "far_changes")]
)
def test_a_change_shows_in_the_stream_of_the_orders_age(
    store: YahooStore, age: int, stream: str
) -> None:
    store.place(order(1, NOW - age * DAY))
    one = opened(store)
    assert names(pulled(one, stream)) == []
    store.change(f"{SELLER}-1", NOW - timedelta(minutes=5), OrderStatus="4")
    seen = {name: names(pulled(one, name)) for name in ("orders", "changes", "far_changes")}
    assert [name for name, found in seen.items() if found] == [stream]


def test_streams_meet_without_a_gap(store: YahooStore) -> None:
    ages = (2.5 * DAY, 3 * DAY, 89.99 * DAY, 90 * DAY, 91 * DAY)
    for number, age in enumerate(ages):
        store.place(order(number, NOW - age, LastUpdateTime=""))
    one = opened(store)
    seen = {
        name
        for stream in ("orders", "changes", "far_changes")
        for name in names(pulled(one, stream))
    }
    assert seen == {"0", "1", "2", "3", "4"}


def test_a_list_of_many_pages_is_read_whole(store: YahooStore) -> None:
    for number in range(23):
        store.place(order(number, NOW - HOUR - timedelta(minutes=number)))
    found = names(pulled(opened(store, page_size=5), mark=Watermark()))
    assert sorted(map(int, found)) == list(range(23))


def test_a_source_that_gives_fewer_rows_than_asked_for_loses_nothing(store: YahooStore) -> None:
    store.most = 4
    for number in range(11):
        store.place(order(number, NOW - HOUR - timedelta(minutes=number)))
    assert len(names(pulled(opened(store), mark=Watermark()))) == 11


def test_a_list_that_changes_between_its_pages_loses_nothing(store: YahooStore) -> None:
    for number in range(6):
        store.place(order(number, NOW - HOUR + timedelta(minutes=number)))
    # An order leaves the window: every later one moves up by a place.
    store.after_list.append(
        lambda: store.change(f"{SELLER}-0", NOW, OrderTime=stamp(NOW - 9 * DAY))
    )
    found = names(
        pulled(opened(store, page_size=2, since="2026-11-19T00:00:00+09:00"), mark=Watermark())
    )
    assert {"1", "2", "3", "4", "5"} <= set(found)


def until_stopped(pages: Iterator[Page]) -> tuple[list[Page], Exception | None]:
    """The pages that came before a problem, and the problem."""
    found: list[Page] = []
    try:
        found.extend(pages)
    except TryLater as problem:
        return found, problem
    return found, None


def test_a_stopped_scan_goes_on_behind_the_last_stored_order(store: YahooStore) -> None:
    for number in range(30):
        store.place(order(number, NOW - HOUR + timedelta(minutes=number)))
    store.calls_left = 9  # a list and eight details
    yesterday = Watermark((NOW - DAY).isoformat())
    stored, problem = until_stopped(opened(store).pull("orders", yesterday, None, NOW))
    assert isinstance(problem, TryLater)
    assert names(stored) == [str(number) for number in range(8)]
    store.calls_left = 50
    rest = list(opened(store).pull("orders", yesterday, stored[-1].cursor, NOW + HOUR))
    assert names(rest) == [str(number) for number in range(8, 30)]
    assert rest[-1].watermark == Watermark((NOW - timedelta(minutes=1)).isoformat())


def test_an_order_that_is_not_told_stays_in_sight_and_the_rest_goes_on(store: YahooStore) -> None:
    for number in (1, 2, 3):
        store.place(order(number, NOW - HOUR + timedelta(minutes=number)))
    store.garbled[f"{SELLER}-2"] = failed("od90166", "OrderId")
    page = pulled(opened(store))[0]
    assert names([page]) == ["1", "3"]
    (bad,) = page.rejected
    assert (bad.code, bad.external_id) == ("not_told", f"{SELLER}-2")
    assert bad.payload == {"OrderId": f"{SELLER}-2", "Code": "od90166"}


def test_a_source_whose_clock_is_behind_holds_the_watermark_back(store: YahooStore) -> None:
    store.loopback.clock_offset = timedelta(hours=-2)
    (page,) = pulled(opened(store), mark=Watermark((NOW - DAY).isoformat()))
    assert page.watermark is not None
    reached = datetime.fromisoformat(page.watermark.value or "")
    assert abs(reached - (NOW - timedelta(hours=2, minutes=1))) < timedelta(minutes=1)
    (page,) = pulled(opened(store))
    assert page.watermark == AN_HOUR_AGO


def test_totals_come_from_the_list(store: YahooStore) -> None:
    begin = NOW - 70 * DAY
    for number, placed in enumerate((begin, begin + 31 * DAY, NOW - timedelta(seconds=1), NOW)):
        store.place(order(number, placed, TotalPrice=str(1000 + number)))
    found = opened(store).totals(begin, NOW)
    assert found.orders == {f"{SELLER}-{n}": 1000 + n for n in range(3)}
    assert (found.count, found.total) == (3, 3003)
    store.change(f"{SELLER}-1", NOW, TotalPrice="")
    assert opened(store).totals(begin, NOW).total is None


def test_check_lists_the_last_day_and_reads_one_order(store: YahooStore) -> None:
    store.place(order(1, datetime.now(UTC) - HOUR))
    assert "1 件" in opened(store).check()
    assert len(questions(store, "orderInfo")) == 1


def test_fields_that_yahoo_refuses_can_be_left_out(store: YahooStore) -> None:
    store.place(order(1, NOW - HOUR))
    pulled(opened(store, omit_fields="SocialGiftType, GiftWrapName"))
    (asked,) = questions(store, "orderInfo")
    fields = asked["Target"]["Field"].split(",")
    assert not {"SocialGiftType", "GiftWrapName"} & set(fields)
    assert not [field for field in fields if "Card" in field and field != "GiftCardDiscount"]


def test_one_question_a_second_is_what_the_lane_allows(store: YahooStore) -> None:
    assert YahooShopping.LANES == {LANE: (1.0, 1.0)}
    store.place(order(1, NOW - HOUR))
    one = YahooShopping(config(store), vault=vault(), pace=LocalPace({LANE: (0.01, 1.0)}))
    with pytest.raises(TryLater) as caught:
        pulled(one)
    assert caught.value.retry_after is not None
    assert questions(store, "orderInfo") == []


def test_an_unknown_stream_is_refused(store: YahooStore) -> None:
    with pytest.raises(NeedsPerson, match="There is no stream"):
        pulled(opened(store), "files")
