"""Reading a shop page by page or in bulk, within its search, points and reach."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import NeedsPerson, Page, TryLater, Watermark
from connectors.kit.live import StillPreparing
from connectors.shopify import reading
from connectors.shopify.connector import Shopify
from tests.connectors.harness import NOW
from tests.connectors.shopify.harness import opened, updated
from tests.connectors.shopify.stub import ShopifyShop, customer, line, order


def pages(
    connector: Shopify, mark: str | None = None, cursor: str | None = None, now: datetime = NOW
) -> list[Page]:
    return list(connector.pull("orders", Watermark(mark), cursor, now))


def ids(found: list[Page]) -> list[int]:
    return sorted({int(raw.external_id) for page in found for raw in page.raws})


def test_the_window_is_fixed_before_its_first_page() -> None:
    shop = ShopifyShop(order(1, "2026-11-20T02:30:00Z"))
    (page,) = pages(opened(shop), mark="2026-11-20T02:00:00+00:00")
    assert shop.operations() == ["ShopCheck", "OrdersSync"]
    assert shop.sent()[1][1] == {
        "first": 20,
        "after": None,
        "filter": "updated_at:>='2026-11-20T01:50:00Z' AND updated_at:<'2026-11-20T02:59:55Z'",
    }
    assert page.watermark == Watermark("2026-11-20T02:59:55+00:00")


def test_orders_that_change_while_they_are_read_push_no_other_out() -> None:
    shop = ShopifyShop(*(order(n, updated(n)) for n in range(1, 61)))
    shop.after_page = [order(n, "2026-11-20T03:00:30Z") for n in (1, 2, 45)]
    found = ids(pages(opened(shop)))
    assert set(found) | {1, 2, 45} == set(range(1, 61))
    later = pages(opened(shop), mark="2026-11-20T02:59:55+00:00", now=NOW + timedelta(minutes=5))
    assert ids(later) == [1, 2, 45]


def test_a_stopped_reading_goes_on_at_its_cursor() -> None:
    shop = ShopifyShop(*(order(n, updated(n)) for n in range(1, 61)))
    first = next(iter(opened(shop).pull("orders", Watermark(), None, NOW)))
    rest = pages(opened(shop), cursor=first.cursor, now=NOW + timedelta(hours=1))
    assert ids([first, *rest]) == list(range(1, 61))
    assert rest[-1].watermark == Watermark("2026-11-20T03:59:55+00:00")


def test_a_cursor_of_another_version_begins_the_window_again() -> None:
    assert ids(pages(opened(ShopifyShop(order(1, updated(1)))), cursor="page-3")) == [1]


def test_a_list_longer_than_shopify_pages_begins_again_at_its_last_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "_MOST_LISTED", 40)
    shop = ShopifyShop(*(order(n, updated(n)) for n in range(1, 101)))
    assert ids(pages(opened(shop))) == list(range(1, 101))
    starts = {sent["filter"][13:33] for _, sent in shop.sent() if "first" in sent}
    assert len(starts) == 3


def test_the_rest_of_a_long_order_is_read_too() -> None:
    many = order(1, updated(1))
    many["lineItems"]["nodes"] = [line(n, sku=f"tea-{n}") for n in range(600)]
    shop = ShopifyShop(many, order(2, updated(2)))
    connector = opened(shop)
    (page,) = pages(connector)
    assert [len(connector.map(raw).lines) for raw in page.raws] == [600, 1]
    assert shop.operations().count("OrderLines") == 3


def test_a_search_that_shopify_does_not_understand_is_told_to_a_person() -> None:
    shop = ShopifyShop(order(1, updated(1)))
    shop.searches = False
    with pytest.raises(NeedsPerson, match="ignores the time filter"):
        pages(opened(shop), mark="2026-11-20T02:00:00+00:00")


@pytest.mark.parametrize(("scope", "days"), [("read_all_orders", 9820), ("", 60)])
def test_the_first_read_reaches_as_far_as_the_scope(scope: str, days: int) -> None:
    shop = ShopifyShop(order(1, updated(1)))
    shop.scopes = ["read_orders", "read_customers", scope]
    pages(opened(shop, bulk_from=False))
    start = datetime.fromisoformat(shop.sent()[1][1]["filter"][14:34])
    assert (NOW - start).days == days
    assert Shopify.HISTORY_DAYS == 60


def test_a_long_first_read_is_left_to_a_bulk_operation() -> None:
    shop = ShopifyShop(*(order(n, updated(n)) for n in range(1, 451)))
    connector = opened(shop, bulk_from=100)
    pull = connector.pull("orders", Watermark(), None, NOW)
    begun = next(pull)
    assert (begun.raws, begun.watermark) == ((), None)
    for _ in range(2):  # it runs: the cursor waits
        with pytest.raises(StillPreparing, match="still writing") as caught:
            pages(opened(shop), cursor=begun.cursor)
        assert caught.value.retry_after == 30
    found = pages(opened(shop), cursor=begun.cursor)
    assert ids(found) == list(range(1, 451))
    assert [len(page.raws) for page in found] == [200, 200, 50]
    assert found[-1].watermark == Watermark("2026-11-20T02:59:55+00:00")
    assert [line.sku for line in connector.map(found[0].raws[0]).lines] == ["tea-01"]
    assert shop.operations().count("OrdersSync") == 0
    resumed = pages(opened(shop), cursor=found[0].cursor)
    assert ids(resumed) == list(range(201, 451))


def test_orders_of_a_file_and_of_a_page_are_the_same() -> None:
    shop = ShopifyShop(*(order(n, updated(n)) for n in range(1, 4)))
    shop.bulk_polls = 0
    connector = opened(shop)
    listed = {raw.external_id: connector.map(raw) for page in pages(connector) for raw in page.raws}
    filed = {
        raw.external_id: connector.map(raw)
        for page in pages(opened(shop, bulk_from=1))
        for raw in page.raws
    }
    assert filed == listed
    assert "BulkOrders" in shop.operations()


@pytest.mark.parametrize("status", ["FAILED", "CANCELED", "EXPIRED"])
def test_a_failed_bulk_operation_is_read_page_by_page(status: str) -> None:
    shop = ShopifyShop(*(order(n, updated(n)) for n in range(1, 31)))
    shop.bulk, shop.bulk_polls = {"status": status, "errorCode": "INTERNAL_SERVER_ERROR"}, 0
    assert ids(pages(opened(shop, bulk_from=1))) == list(range(1, 31))


def test_a_bulk_operation_without_rights_needs_a_person() -> None:
    shop = ShopifyShop(*(order(n, updated(n)) for n in range(1, 4)))
    shop.bulk, shop.bulk_polls = {"status": "FAILED", "errorCode": "ACCESS_DENIED"}, 0
    with pytest.raises(NeedsPerson, match="denied"):
        pages(opened(shop, bulk_from=1))


def test_a_bulk_file_that_is_not_whole_is_read_again_later() -> None:
    shop = ShopifyShop(*(order(n, updated(n)) for n in range(1, 4)))
    shop.bulk, shop.bulk_polls = {"status": "COMPLETED", "objectCount": "7"}, 0
    with pytest.raises(TryLater, match="6 of 7"):
        pages(opened(shop, bulk_from=1))


def test_test_orders_are_left_out() -> None:
    shop = ShopifyShop(order(1, updated(1)), order(2, updated(2), test=True))
    assert ids(pages(opened(shop))) == [1]


def test_orders_without_any_buyer_are_told_as_a_right_that_is_missing() -> None:
    bare = {"email": None, "customer": None, "billingAddress": None}
    shop = ShopifyShop(*(order(n, updated(n), **bare) for n in range(1, 7)))
    with pytest.raises(NeedsPerson, match="No order names its buyer"):
        pages(opened(shop))
    assert len(ids(pages(opened(shop, without_buyers=True)))) == 6
    at_the_counter = [order(n, updated(n), sourceName="pos", **bare) for n in range(1, 7)]
    assert len(ids(pages(opened(ShopifyShop(*at_the_counter))))) == 6


def test_a_record_without_id_stands_aside_with_its_place() -> None:
    shop = ShopifyShop(order(1, updated(1)))
    shop.orders["1"] |= {"legacyResourceId": None, "id": ""}
    (page,) = pages(opened(shop))
    assert [bad.code for bad in page.rejected] == ["no_order_number"]


def test_only_the_last_order_of_a_customer_carries_shopifys_count() -> None:
    first = order(1, updated(1), customer=customer(9, 2, 7))
    second = order(2, updated(2), customer=customer(9, 2, 7))
    connector = opened(ShopifyShop(first, second))
    (page,) = pages(connector)
    one, two = (connector.map(raw) for raw in page.raws)
    assert "platform_order_count" not in one.present
    assert two.platform_order_count == 7
    assert "platform_order_count" in two.present


def test_totals_list_what_was_placed_in_the_span() -> None:
    placed = {"processedAt": "2026-11-10T03:00:00Z"}
    shop = ShopifyShop(
        order(1, updated(1), **placed),
        order(2, updated(1), **placed, test=True),
        order(3, updated(1), processedAt="2026-11-11T00:00:00Z"),
    )
    since = datetime(2026, 11, 10, tzinfo=UTC)
    assert opened(shop).totals(since, since + timedelta(days=1)).orders == {"1": 2500}


def test_a_stream_nobody_knows_is_refused() -> None:
    with pytest.raises(NeedsPerson, match="no stream"):
        list(opened(ShopifyShop()).pull("returns", Watermark(), None, NOW))
