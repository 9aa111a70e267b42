"""Reading a shop that changes, sorts, filters and keeps time in its own way loses no order."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import NeedsPerson, Page, TryLater, Watermark
from connectors.woocommerce.connector import WooCommerce
from tests.connectors.harness import NOW
from tests.connectors.woocommerce.harness import modified, opened
from tests.connectors.woocommerce.stub import WooShop, row


def pages(
    connector: WooCommerce,
    mark: str | None = None,
    cursor: str | None = None,
    now: datetime = NOW,
    stream: str = "orders",
) -> list[Page]:
    return list(connector.pull(stream, Watermark(mark), cursor, now))


def ids(found: list[Page]) -> list[int]:
    return sorted({int(raw.external_id) for page in found for raw in page.raws})


def test_the_window_is_fixed_in_utc_and_sorted_by_modification() -> None:
    shop = WooShop(row(1, modified(1)))
    pages(opened(shop), mark="2026-11-20T02:00:00+00:00")
    (asked,) = shop.listings()
    assert {name: value for name, value in asked.query.items() if "oauth" not in name} == {
        "page": "1",
        "per_page": "20",
        "modified_after": "2026-11-20T01:49:59",
        "modified_before": "2026-11-20T02:59:55",
        "dates_are_gmt": "true",
        "orderby": "modified",
        "order": "asc",
        "status": "any",
    }


def test_the_watermark_is_the_end_of_the_window() -> None:
    (page,) = pages(opened(WooShop(row(1, modified(1)))))
    assert page.watermark == Watermark("2026-11-20T02:59:55+00:00")


def test_more_orders_of_one_second_than_a_page_holds_are_all_read() -> None:
    shop = WooShop(*(row(n, "2026-11-02T00:00:00") for n in range(1, 71)), row(71, modified(5)))
    assert ids(pages(opened(shop))) == list(range(1, 72))


@pytest.mark.parametrize("sorts_by_modified", [True, False])
def test_orders_that_change_while_they_are_read_push_no_other_out(sorts_by_modified: bool) -> None:
    shop = WooShop(*(row(n, modified(n // 30)) for n in range(1, 61)))
    shop.sorts_by_modified = sorts_by_modified
    shop.after_page = [row(n, "2026-11-20T03:00:30") for n in (1, 2, 25)]
    found = ids(pages(opened(shop)))
    assert set(found) | {1, 2, 25} == set(range(1, 61))
    later = pages(opened(shop), mark="2026-11-20T02:59:55+00:00", now=NOW + timedelta(minutes=5))
    assert ids(later) == [1, 2, 25]


def test_a_shop_in_endless_change_is_left_for_later() -> None:
    shop = WooShop(*(row(n, "2026-11-02T00:00:00") for n in range(1, 81)))
    shop.after_page = [row(n, "2026-11-20T03:00:30") for n in range(1, 81)]
    with pytest.raises(TryLater) as caught:
        pages(opened(shop))
    assert caught.value.retry_after == 60.0


def test_a_shop_that_cannot_sort_by_modification_is_read_in_short_windows() -> None:
    shop = WooShop(*(row(n, modified(-n * 1440)) for n in range(1, 61)))
    shop.sorts_by_modified = False
    found = pages(opened(shop, since="2026-09-01T00:00:00+00:00"))
    assert ids(found) == list(range(1, 61))
    marks = [page.watermark.value for page in found if page.watermark]
    assert len(marks) > 5
    assert marks == sorted(marks, key=str)
    assert marks[-1] == "2026-11-20T02:59:55+00:00"


def test_a_shop_that_ignores_the_filter_is_told_to_a_person() -> None:
    shop = WooShop(row(1, modified(1)))
    shop.filters_by_modified = False
    with pytest.raises(NeedsPerson, match="ignores the time filter") as caught:
        pages(opened(shop), mark="2026-11-20T02:00:00+00:00")
    assert "read_by" in caught.value.remedy


def test_read_by_creation_asks_again_for_the_last_weeks() -> None:
    old = row(1, modified(1), date_created_gmt="2026-10-10T00:00:00")
    shop = WooShop(old, row(2, modified(2), date_created_gmt="2026-09-10T00:00:00"))
    shop.filters_by_modified = shop.sorts_by_modified = False
    mark = "2026-11-20T02:00:00+00:00"
    assert ids(pages(opened(shop, read_by="created", repoll_days=60), mark=mark)) == [1]
    asked = shop.listings()[0].query
    assert (asked["after"], asked["orderby"]) == ("2026-09-21T01:59:59", "date")


def test_a_stopped_reading_goes_on_at_its_cursor() -> None:
    shop = WooShop(*(row(n, modified(n)) for n in range(1, 61)))
    first = next(iter(opened(shop).pull("orders", Watermark(), None, NOW)))
    rest = pages(opened(shop), cursor=first.cursor, now=NOW + timedelta(hours=1))
    assert ids([first, *rest]) == list(range(1, 61))
    assert rest[-1].watermark == Watermark("2026-11-20T03:59:55+00:00")


def test_a_cursor_of_another_version_begins_the_window_again() -> None:
    shop = WooShop(row(1, modified(1)))
    assert ids(pages(opened(shop), cursor='{"page": 3}')) == [1]


@pytest.mark.parametrize("minutes", [-40, 40])
def test_a_wrong_clock_of_the_shop_costs_no_order(minutes: int) -> None:
    shop = WooShop()
    shop.https = True
    shop.loopback.clock_offset = timedelta(minutes=minutes)
    connector = opened(shop, auth="basic")
    found: list[Page] = pages(connector, mark="2026-11-20T01:00:00+00:00")
    there = NOW + timedelta(minutes=minutes)
    shop.put(row(1, there.replace(tzinfo=None).isoformat()))  # changed at NOW, by its own clock
    mark = found[-1].watermark.value if found and found[-1].watermark else None
    later = pages(connector, mark=mark, now=NOW + timedelta(minutes=5))
    assert ids(later) == [1]


def test_the_bin_is_a_stream_of_its_own() -> None:
    shop = WooShop(row(1, modified(1)), row(2, "2026-11-20T02:30:00", status="trash"))
    assert ids(pages(opened(shop))) == [1]
    assert ids(pages(opened(shop), stream="trash")) == [2]


def test_drafts_and_traces_of_the_device_are_not_kept() -> None:
    shop = WooShop(row(1, modified(1)), row(2, modified(2), status="checkout-draft"))
    (page,) = pages(opened(shop))
    (raw,) = page.raws
    assert raw.payload.keys() & {"order_key", "payment_url", "customer_ip_address"} == set()
    assert raw.payload["meta_data"] == []


def test_a_record_without_id_stands_aside_with_its_place() -> None:
    shop = WooShop(row(1, modified(1)), row(2, modified(2)))
    shop.orders[2]["id"] = None
    shop.orders[2]["date_modified_gmt"] = modified(3)
    (page,) = pages(opened(shop))
    assert [(bad.code, bad.field_name) for bad in page.rejected] == [("no_order_number", "id")]
    assert "item 2" in page.rejected[0].position


def test_a_stream_nobody_knows_is_refused() -> None:
    with pytest.raises(NeedsPerson, match="no stream"):
        pages(opened(WooShop()), stream="returns")


def test_totals_list_what_was_placed_in_the_span() -> None:
    placed = {"date_created_gmt": "2026-11-10T00:00:00"}
    shop = WooShop(
        row(1, modified(1), **placed),
        row(2, modified(1), total="x", **placed),
        row(3, modified(1), date_created_gmt="2026-11-11T00:00:00"),
        row(4, modified(1), **placed, status="cancelled"),
    )
    since = datetime(2026, 11, 10, tzinfo=UTC)
    found = opened(shop).totals(since, since + timedelta(days=1))
    assert found.orders == {"1": 2500, "2": None, "4": 2500}
