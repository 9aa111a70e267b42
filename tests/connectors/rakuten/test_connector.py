"""Rakuten's windows, caps, streams and pages, against a pretend RMS over HTTP."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import NeedsPerson, Page, TryLater, Watermark
from connectors.kit.scanning import Place
from connectors.kit.windows import Window
from connectors.rakuten import connector as rakuten
from connectors.rakuten.connector import Rakuten
from tests.connectors.harness import NOW
from tests.connectors.rakuten.harness import opened
from tests.connectors.rakuten.stub import MASKED, Rms, number, order

DAY = timedelta(days=1)
YESTERDAY = Watermark((NOW - DAY).isoformat())


@pytest.fixture
def shop() -> Iterator[Rms]:
    one = Rms(NOW)
    yield one
    one.loopback.stop()


def questions(shop: Rms, call: str = "search") -> list[dict[str, Any]]:
    return [json.loads(a.body) for a in shop.loopback.asked if f"/{call}Order/" in a.path]


def pulled(
    one: Rakuten, stream: str = "orders", mark: Watermark = YESTERDAY, cursor: str | None = None
) -> list[Page]:
    return list(one.pull(stream, mark, cursor, NOW))


def numbers(pages: Iterable[Page]) -> list[str]:
    return [raw.external_id for page in pages for raw in page.raws]


def test_a_first_read_goes_two_years_back_in_windows_of_at_most_63_days(shop: Rms) -> None:
    oldest = shop.place(order(1, NOW - timedelta(days=728)))["orderNumber"]
    newest = shop.place(order(2, NOW - timedelta(hours=1)))["orderNumber"]
    assert numbers(pulled(opened(shop), mark=Watermark())) == [oldest, newest]
    asked = questions(shop)
    spans = [
        [datetime.fromisoformat(one[name]) for name in ("startDatetime", "endDatetime")]
        for one in asked
    ]
    assert spans[0][0] == NOW - timedelta(days=729)
    assert all(end - begin <= timedelta(days=63) for begin, end in spans)
    assert [begin for begin, _ in spans[1:]] == [end for _, end in spans[:-1]]
    assert asked[0]["startDatetime"].endswith("+0900")
    assert asked[0]["PaginationRequestModel"] == {
        "requestRecordsAmount": 1000,
        "requestPage": 1,
        "SortModelList": [{"sortColumn": 1, "sortDirection": 1}],
    }


def test_a_later_read_starts_three_days_before_its_watermark(shop: Rms) -> None:
    pages = pulled(opened(shop))
    assert questions(shop)[0]["startDatetime"] == "2026-11-16T12:00:00+0900"
    assert pages[-1].watermark == Watermark((NOW - timedelta(minutes=1)).isoformat())


def test_the_first_read_may_begin_later_by_a_setting(shop: Rms) -> None:
    one = opened(shop, since="2026-11-01T00:00:00+09:00")
    pulled(one, mark=Watermark())
    assert questions(shop)[0]["startDatetime"] == "2026-11-01T00:00:00+0900"
    with pytest.raises(NeedsPerson, match="since"):
        pulled(opened(shop, since="last year"), mark=Watermark())


def test_orders_are_asked_for_a_hundred_at_a_time(shop: Rms) -> None:
    placed = [shop.place(order(n, NOW - timedelta(minutes=n + 5))) for n in range(230)]
    pages = pulled(opened(shop))
    assert [len(page.raws) for page in pages] == [100, 100, 30, 0]
    assert sorted(numbers(pages)) == sorted(one["orderNumber"] for one in placed)
    assert {one["version"] for one in questions(shop, "get")} == {10}


def test_a_window_above_the_cap_is_halved(shop: Rms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rakuten, "CAP", 20)
    monkeypatch.setattr(rakuten, "PAGE", 5)
    shop.cap = 20
    placed = [shop.place(order(n, NOW - timedelta(minutes=20 * n + 5))) for n in range(90)]
    assert sorted(numbers(pulled(opened(shop)))) == sorted(one["orderNumber"] for one in placed)


def test_a_second_with_more_orders_than_the_cap_waits(
    shop: Rms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rakuten, "CAP", 2)
    for n in range(4):
        shop.place(order(n, NOW - timedelta(hours=1)))
    with pytest.raises(TryLater, match="One second"):
        pulled(opened(shop))


def test_a_list_that_changes_between_its_pages_loses_nothing(
    shop: Rms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rakuten, "PAGE", 2)
    names = [
        shop.place(order(n, NOW - timedelta(hours=10 - n), orderProgress=300))["orderNumber"]
        for n in range(6)
    ]
    shop.after_search.append(lambda: shop.change(names[0], orderProgress=700))
    assert set(names[1:]) <= set(numbers(pulled(opened(shop), "open")))


def test_a_scan_goes_on_behind_the_last_stored_order(shop: Rms) -> None:
    for n in range(250):
        shop.place(order(n, NOW - timedelta(hours=n + 1)))
    first = next(opened(shop).pull("orders", Watermark(), None, NOW))
    assert first.cursor is not None
    shop.place(order(900, NOW - timedelta(seconds=1)))
    rest = pulled(opened(shop), mark=Watermark(), cursor=first.cursor)
    assert numbers([first, *rest]) == [
        number(n, NOW - timedelta(hours=n + 1)) for n in range(249, -1, -1)
    ]
    place = Place.of(first.cursor)
    assert place is not None
    assert rest[-1].watermark == Watermark(place.mark)


def test_a_cursor_of_another_version_begins_again(shop: Rms) -> None:
    name = shop.place(order(1, NOW - timedelta(hours=1)))["orderNumber"]
    assert numbers(pulled(opened(shop), cursor="page=3")) == [name]


@pytest.mark.parametrize(
    ("stream", "age"), [("open", 700), ("cancels", 60), ("cancel_scan", 700), ("orders", 2)]
)
def test_each_stream_reaches_as_far_back_as_it_must(shop: Rms, stream: str, age: int) -> None:
    placed = NOW - age * DAY
    progress = 100 if stream in {"open", "orders"} else 900
    name = shop.place(order(1, placed, orderProgress=progress))["orderNumber"]
    assert numbers(pulled(opened(shop), stream)) == [name]


def test_a_parcel_shipped_today_is_seen_however_old_the_order(shop: Rms) -> None:
    name = shop.place(order(1, NOW - 200 * DAY))["orderNumber"]
    assert numbers(pulled(opened(shop), "shipped")) == []
    shop.ship(name, NOW - timedelta(hours=2))
    assert numbers(pulled(opened(shop), "shipped")) == [name]
    shop.settle(name, NOW - timedelta(hours=1))
    assert numbers(pulled(opened(shop), "paid")) == [name]
    assert {one["dateType"] for one in questions(shop)} == {5, 6}


def test_every_change_of_an_old_order_shows_in_some_stream(shop: Rms) -> None:
    edited, cancelled = (
        shop.place(order(n, NOW - 30 * DAY, orderProgress=300))["orderNumber"] for n in (1, 2)
    )
    shop.change(edited, deliveryDate="2026-12-24")
    shop.cancel(cancelled, NOW - timedelta(hours=1), fixed=False)
    one = opened(shop)
    seen = {name: numbers(pulled(one, name)) for name in ("orders", "open", "cancels")}
    assert seen == {"orders": [], "open": [edited], "cancels": [cancelled]}


def test_an_unknown_stream_is_refused(shop: Rms) -> None:
    with pytest.raises(NeedsPerson, match="There is no stream"):
        pulled(opened(shop), "files")


def test_nothing_of_a_card_is_kept(shop: Rms) -> None:
    shop.place(order(1, NOW - timedelta(hours=1)))
    (raw,) = pulled(opened(shop))[0].raws
    assert raw.payload["SettlementModel"] == {
        "settlementMethodCode": 1,
        "settlementMethod": "クレジットカード",
        "rpaySettlementFlag": 1,
    }
    assert raw.payload["OrdererModel"]["emailAddress"] == MASKED


def test_an_order_that_is_listed_but_not_told_stays_in_sight(shop: Rms) -> None:
    told = shop.place(order(1, NOW - timedelta(hours=2)))["orderNumber"]
    mute = shop.place(order(2, NOW - timedelta(hours=1)))["orderNumber"]
    shop.untold.add(mute)
    page = pulled(opened(shop))[0]
    assert [raw.external_id for raw in page.raws] == [told]
    (bad,) = page.rejected
    assert (bad.code, bad.external_id) == ("not_told", mute)
    assert bad.payload["messageCodes"] == ["ORDER_EXT_API_GET_ORDER_ERROR_010"]
    shop.untold.clear()
    assert numbers(pulled(opened(shop))) == [told, mute]


def test_an_order_without_a_number_is_kept_for_a_person(shop: Rms) -> None:
    name = shop.place(order(1, NOW - timedelta(hours=1)))["orderNumber"]
    shop.orders[name]["orderNumber"] = None
    shop.orders[name] |= {"remarks": "?"}
    page = pulled_with_known(shop, name)
    assert [bad.code for bad in page.rejected] == ["no_order_number", "not_told"]


def pulled_with_known(shop: Rms, name: str) -> Page:
    """Search tells the number although the order itself has lost it."""
    one = opened(shop)
    window = Window(NOW - DAY, NOW)
    told = one._told(window, [name])
    return Page(told.raws, rejected=told.rejected)


def test_totals_list_each_order_of_the_span_once(shop: Rms) -> None:
    begin, end = NOW - timedelta(days=100), NOW
    inside = [
        shop.place(order(n, moment))["orderNumber"]
        for n, moment in enumerate((begin, begin + 63 * DAY, end - timedelta(seconds=1)))
    ]
    shop.place(order(9, end))
    found = opened(shop).totals(begin, end)
    assert (sorted(found.orders), found.count, found.total) == (sorted(inside), 3, 3 * 4460)


def test_totals_cost_one_getorder_however_many_there_are(shop: Rms) -> None:
    for n in range(250):
        shop.place(order(n, NOW - timedelta(minutes=n + 1), requestPrice=1000 + n))
    found = opened(shop).totals(NOW - DAY, NOW)
    (asked,) = questions(shop, "get")
    told = {name: total for name, total in found.orders.items() if total is not None}
    assert (found.count, len(told), found.total) == (250, 84, None)
    assert sorted(told) == sorted(asked["orderNumberList"])
    assert told == {name: shop.orders[name]["requestPrice"] for name in told}


def test_a_total_that_is_not_told_or_cannot_be_read_is_unknown(shop: Rms) -> None:
    names = [shop.place(order(n, NOW - timedelta(hours=n)))["orderNumber"] for n in (1, 2, 3)]
    shop.untold.add(names[0])
    shop.change(names[1], requestPrice="4,4x")
    assert opened(shop).totals(NOW - DAY, NOW).orders == {
        names[0]: None, names[1]: None, names[2]: 4460,
    }  # fmt: skip


def test_a_span_without_orders_asks_for_no_details(shop: Rms) -> None:
    assert opened(shop).totals(NOW - DAY, NOW).orders == {}
    assert questions(shop, "get") == []


def test_a_day_above_the_cap_is_counted_whole(shop: Rms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rakuten, "CAP", 4)
    for n in range(9):
        shop.place(order(n, NOW - timedelta(hours=n + 1)))
    assert opened(shop).totals(NOW - DAY, NOW).count == 9


def test_check_says_what_it_found(shop: Rms) -> None:
    now = datetime.now(UTC)
    shop.now, shop.expires = now, datetime(2027, 1, 31, 3, tzinfo=UTC)
    shop.place(order(1, now - timedelta(hours=1)))
    said = opened(shop).check()
    assert "1 件" in said
    assert "2027-01-31" in said
    assert len(questions(shop, "get")) == 1
