"""Color Me Shop's lists, windows, times of change and streams, over HTTP."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from connectors.colorme.connector import LAG, YOUNG, ColorMe
from connectors.contract import NeedsPerson, Page, TryLater, Watermark
from tests.connectors.colorme.harness import opened
from tests.connectors.colorme.stub import BANK, ColorMeShop, cancelled, sale
from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
AN_HOUR_AGO = Watermark((NOW - HOUR).isoformat())


@pytest.fixture
def shop() -> Iterator[ColorMeShop]:
    one = ColorMeShop()
    one.now = lambda: NOW
    yield one
    one.loopback.stop()


def lists(shop: ColorMeShop) -> list[dict[str, str]]:
    return [asked.query for asked in shop.loopback.asked if asked.path == "/v1/sales.json"]


def pulled(
    one: ColorMe, stream: str = "orders", mark: Watermark = AN_HOUR_AGO, cursor: str | None = None
) -> list[Page]:
    return list(one.pull(stream, mark, cursor, NOW))


def names(pages: Iterable[Page]) -> list[int]:
    return [int(raw.external_id) for page in pages for raw in page.raws]


def put(shop: ColorMeShop, number: int) -> None:
    shop.place(sale(number, NOW - 2 * MINUTE))


def take(shop: ColorMeShop, number: int) -> None:
    del shop.sales[number]


def test_a_first_read_asks_for_every_sale_oldest_first(shop: ColorMeShop) -> None:
    for number, age in ((1, 4000), (2, 40), (3, 0.5)):
        shop.place(sale(number, NOW - timedelta(days=age)))
    pages = pulled(opened(shop, since=""), mark=Watermark())
    assert names(pages) == [1, 2, 3]
    assert lists(shop)[0]["after"] == "2000-01-01 08:59:59"
    assert pages[-1].watermark == Watermark((NOW - LAG).isoformat())


def test_a_changed_sale_is_found_however_old_it_is(shop: ColorMeShop) -> None:
    for number in (1, 2):
        shop.place(sale(number, NOW - 300 * DAY))
    shop.change(2, NOW - 5 * MINUTE, total_price=2700)
    assert names(pulled(opened(shop))) == [2]


def test_the_list_of_changes_is_asked_in_the_documented_form(shop: ColorMeShop) -> None:
    pulled(opened(shop))
    assert lists(shop) == [
        {
            "after": "2025-11-20 11:59:59",
            "update_date_min": "2026-11-20 10:49:59",
            "update_date_max": "2026-11-20 11:59:56",
            "limit": "50",
            "offset": "0",
        }
    ]


@pytest.mark.parametrize("stream", ["orders", "again", "far_again"])
@pytest.mark.parametrize("mark", [Watermark(), AN_HOUR_AGO])
def test_no_list_is_asked_without_an_explicit_begin(
    shop: ColorMeShop, stream: str, mark: Watermark
) -> None:
    pulled(opened(shop), stream, mark)
    assert all("after" in query for query in lists(shop))


def test_a_sale_on_the_edge_of_a_window_is_told_once(shop: ColorMeShop) -> None:
    since = NOW - 400 * DAY
    edge = since + timedelta(days=366)
    for number, at in enumerate((since - MINUTE / 60, since, edge), 1):
        shop.place(sale(number, at))
    pages = pulled(opened(shop, since=since.isoformat()), mark=Watermark())
    assert sorted(set(names(pages))) == [2, 3]


def test_young_and_old_sales_are_looked_at_again_whatever_their_time_of_change(
    shop: ColorMeShop,
) -> None:
    for number, age in ((1, 1), (2, 80), (3, 200)):
        shop.place(sale(number, NOW - age * DAY))
    found = {
        stream: names(pulled(opened(shop), stream)) for stream in ("orders", "again", "far_again")
    }
    assert found == {"orders": [], "again": [1, 2], "far_again": [3]}
    with pytest.raises(NeedsPerson):
        pulled(opened(shop), "pictures")


@pytest.mark.parametrize("stream", ["again", "far_again"])
def test_what_there_is_at_first_is_left_to_the_first_stream(shop: ColorMeShop, stream: str) -> None:
    shop.place(sale(1, NOW - YOUNG - DAY))
    shop.place(sale(2, NOW - DAY))
    pages = pulled(opened(shop), stream, Watermark())
    assert (names(pages), lists(shop)) == ([], [])
    assert pages[-1].watermark == Watermark((NOW - LAG).isoformat())


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 9])
def test_a_list_of_any_length_is_read_to_its_end(
    shop: ColorMeShop, count: int, counts: bool
) -> None:
    shop.counts = counts
    for number in range(1, count + 1):
        shop.place(sale(number, NOW - number * MINUTE - 2 * MINUTE))
    assert names(pulled(opened(shop, page_size=3))) == list(range(1, count + 1))


def test_pages_shorter_than_asked_for_are_no_end(shop: ColorMeShop) -> None:
    shop.most = 2
    for number in range(1, 8):
        shop.place(sale(number, NOW - number * MINUTE - 2 * MINUTE))
    assert names(pulled(opened(shop, page_size=100))) == list(range(1, 8))


def test_a_list_that_shifts_between_two_pages_is_read_again(shop: ColorMeShop) -> None:
    for number in range(1, 8):
        shop.place(sale(number, NOW - HOUR + number * MINUTE))
    shop.after_list = [partial(put, shop, 99)]
    assert names(pulled(opened(shop, page_size=3))) == [*range(1, 8), 99]
    shop.after_list = [partial(take, shop, 99)]
    assert names(pulled(opened(shop, page_size=3))) == [*range(1, 8)]


def test_a_sale_that_leaves_the_list_while_it_is_read_hides_no_other(shop: ColorMeShop) -> None:
    for number in range(1, 8):
        shop.place(sale(number, NOW - HOUR + number * MINUTE))
    shop.after_list = [partial(shop.change, 6, NOW + MINUTE, paid=False)]
    assert names(pulled(opened(shop, page_size=3))) == [1, 2, 3, 4, 5, 7]


def test_a_list_that_never_stands_still_is_left_for_later(shop: ColorMeShop) -> None:
    for number in range(1, 8):
        shop.place(sale(number, NOW - HOUR))
    shop.after_list = [partial(put, shop, serial) for serial in range(100, 150)]
    with pytest.raises(TryLater, match="changes while"):
        pulled(opened(shop, page_size=3))


def test_a_window_with_too_many_sales_is_halved(
    shop: ColorMeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.colorme.listing.MOST", 5)
    for number in range(1, 21):
        shop.place(sale(number, NOW - 20 * HOUR + number * HOUR / 2))
    pages = pulled(opened(shop), mark=Watermark())
    assert sorted(set(names(pages))) == list(range(1, 21))
    assert set(opened(shop).totals(NOW - DAY, NOW).orders) == {str(n) for n in range(1, 21)}
    assert max(len(page.raws) for page in pages) <= 5


def test_many_sales_edited_in_one_second_are_still_read(
    shop: ColorMeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.colorme.listing.MOST", 5)
    for number in range(1, 21):
        shop.place(sale(number, NOW - 9 * DAY))
        shop.change(number, NOW - 5 * MINUTE, paid=False)
    assert sorted(set(names(pulled(opened(shop))))) == list(range(1, 21))


def test_reading_goes_on_behind_the_last_sale_that_was_stored(shop: ColorMeShop) -> None:
    for number in range(1, 231):
        shop.place(sale(number, NOW - 200 * DAY + number * HOUR))
    pull = opened(shop).pull("orders", Watermark(), None, NOW)
    stored = [next(pull), next(pull)]
    rest = pulled(opened(shop), mark=Watermark(), cursor=stored[-1].cursor)
    assert names(stored) == list(range(1, 201))
    assert names(rest) == list(range(201, 231))


def test_a_record_without_an_id_is_rejected_and_the_others_go_on(shop: ColorMeShop) -> None:
    for number in (1, 2, 3):
        shop.place(sale(number, NOW - HOUR + number * MINUTE))
    shop.sales[2]["id"] = None
    pages = pulled(opened(shop))
    assert names(pages) == [1, 3]
    (bad,) = [bad for page in pages for bad in page.rejected]
    assert (bad.code, bad.field_name) == ("no_order_number", "id")
    assert bad.payload["total_price"] == 2710


def test_several_records_without_an_id_are_each_rejected(shop: ColorMeShop) -> None:
    for number in (1, 2, 3):
        shop.place(sale(number, NOW - HOUR + number * MINUTE))
    for number in (1, 2):
        shop.sales[number]["id"] = None
    pages = pulled(opened(shop))
    assert names(pages) == [3]
    rejected = [bad for page in pages for bad in page.rejected]
    assert [bad.code for bad in rejected] == ["no_order_number"] * 2
    assert len({bad.position for bad in rejected}) == 2


def test_a_source_that_ignores_the_time_filter_needs_a_person(shop: ColorMeShop) -> None:
    shop.place(sale(1, NOW - 30 * DAY))
    shop.loopback.faults.append(shop._list({"after": "2020-01-01 00:00:00"}))
    with pytest.raises(NeedsPerson, match="ignores the time filter"):
        pulled(opened(shop))


def test_payment_methods_come_along_and_cost_nothing_where_nothing_changed(
    shop: ColorMeShop,
) -> None:
    pulled(opened(shop))
    assert [asked.path for asked in shop.loopback.asked] == ["/v1/sales.json"]
    shop.place(sale(1, NOW - 2 * MINUTE, payment_id=BANK))
    (raw,) = [raw for page in pulled(opened(shop)) for raw in page.raws]
    assert raw.payload["payment"] == {"id": str(BANK), "name": "銀行振込", "type": 1}
    assert opened(shop).map(raw).payment_method == "銀行振込"


def test_answers_to_the_shops_questions_are_never_stored(shop: ColorMeShop) -> None:
    shop.place(sale(1, NOW - 2 * MINUTE))
    (raw,) = [raw for page in pulled(opened(shop)) for raw in page.raws]
    told = raw.payload["customer"]
    assert not told.keys() & {"sex", "answer_free_form1", "answer_free_form2", "answer_free_form3"}
    assert told["name"] == "見本 花子"
    assert "answer_free_form1" in shop.sales[1]["customer"], "the source keeps its own"


def test_the_watermark_follows_a_clock_that_is_behind_and_never_goes_back(
    shop: ColorMeShop,
) -> None:
    shop.loopback.clock_offset = -HOUR
    mark = pulled(opened(shop), mark=Watermark((NOW - 3 * HOUR).isoformat()))[-1].watermark
    assert mark is not None
    behind = NOW - LAG - datetime.fromisoformat(mark.value or "")
    assert HOUR - 5 * MINUTE / 60 <= behind <= HOUR + 5 * MINUTE / 60
    assert pulled(opened(shop))[-1].watermark == Watermark((NOW - HOUR).isoformat())


def test_totals_list_the_span_as_the_mapping_tells_it(shop: ColorMeShop) -> None:
    for number, at in ((1, NOW - DAY), (2, NOW - HOUR), (3, NOW), (4, NOW - HOUR), (5, NOW - HOUR)):
        shop.place(sale(number, at, total_price=2710))
    shop.sales[4] |= cancelled(shop.sales[4])
    shop.sales[5]["segment"] = {"parent_sale_id": 2, "splitted": True}
    shop.place(sale(6, NOW - HOUR, total_price="2,71x"))
    shop.sales[7] = sale(7, NOW - HOUR, id=None)
    found = opened(shop).totals(NOW - DAY, NOW)
    assert dict(found.orders) == {"1": 2710, "2": 2710, "4": None, "6": None}
    assert not [asked for asked in shop.loopback.asked if "payments" in asked.path]


def test_check_lists_a_day_and_the_payment_methods(shop: ColorMeShop) -> None:
    shop.place(sale(1, datetime.now(UTC) - HOUR))
    shop.place(sale(2, datetime.now(UTC) - 30 * HOUR))
    assert "1 件" in opened(shop).check()
    assert shop.loopback.asked[-1].path == "/v1/payments.json"


def test_check_says_that_a_clock_is_wrong(shop: ColorMeShop) -> None:
    assert "clocks" not in opened(shop).check()
    shop.loopback.clock_offset = 2 * HOUR
    assert "The clocks differ by 120 min." in opened(shop).check()


def test_payment_methods_that_may_not_be_read_stop_no_order(shop: ColorMeShop) -> None:
    shop.place(sale(1, NOW - 2 * MINUTE))
    shop.refused["/v1/payments.json"] = Answered(
        403, b'{"errors":[{"code":403100,"status":403}]}', {"content-type": "application/json"}
    )
    (raw,) = [raw for page in pulled(opened(shop)) for raw in page.raws]
    assert opened(shop).map(raw).warnings == ("payment_untold",)
    assert "payment_map" in opened(shop).check()
