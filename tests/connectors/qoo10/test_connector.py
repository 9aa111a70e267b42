"""Qoo10's lists, claims, carts and streams, against a pretend shop over HTTP."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import pytest

from connectors.contract import NeedsPerson, Page, Watermark
from connectors.kit.fields import TOKYO
from connectors.kit.scanning import Place
from connectors.qoo10 import connector as qoo10
from connectors.qoo10.connector import Qoo10
from tests.connectors.harness import NOW
from tests.connectors.qoo10.harness import opened
from tests.connectors.qoo10.stub import Qoo10Shop, cart_of, order

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
AN_HOUR_AGO = Watermark((NOW - HOUR).isoformat())
BILLION = 1_000_000_000


@pytest.fixture
def shop() -> Iterator[Qoo10Shop]:
    one = Qoo10Shop()
    yield one
    one.loopback.stop()


def questions(shop: Qoo10Shop, method: str = "GetShippingInfo_v3") -> list[dict[str, str]]:
    return [
        dict(parse_qsl(asked.body.decode(), keep_blank_values=True))
        for asked in shop.loopback.asked
        if asked.path.endswith(method)
    ]


def pulled(
    one: Qoo10, stream: str = "orders", mark: Watermark = AN_HOUR_AGO, cursor: str | None = None
) -> list[Page]:
    return list(one.pull(stream, mark, cursor, NOW))


def names(pages: Iterable[Page]) -> list[str]:
    return [raw.external_id for page in pages for raw in page.raws]


def numbers(payload: Any, side: str = "Orders", name: str = "OrderNo") -> list[int]:
    return [row[name] - BILLION for row in payload[side]]


def read(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=TOKYO)


def test_a_first_read_goes_89_days_back_in_windows_of_a_week(shop: Qoo10Shop) -> None:
    shop.place(order(10, NOW - 88 * DAY))
    shop.place(order(20, NOW - HOUR))
    shop.place(order(30, NOW - 100 * DAY))
    pages = pulled(opened(shop), mark=Watermark())
    assert names(pages) == [cart_of(10), cart_of(20)]
    spans = [
        (read(one["SearchStartDate"]), read(one["SearchEndDate"])) for one in questions(shop)[::5]
    ]
    assert spans[0][0] == NOW - 89 * DAY - HOUR
    assert all(end - begin <= 7 * DAY + 2 * HOUR for begin, end in spans)
    assert spans[-1][1] == NOW
    assert pages[-1].watermark == Watermark((NOW - MINUTE).isoformat())


def test_every_status_and_every_claim_of_a_window_is_asked_for(shop: Qoo10Shop) -> None:
    pulled(opened(shop))
    orders, claims = questions(shop), questions(shop, "GetClaimInfo_V3")
    assert orders[0] == {
        "returnType": "application/json",
        "ShippingStatus": "1",
        "SearchStartDate": "20261117100000",
        "SearchEndDate": "20261120120000",
        "SearchCondition": "1",
    }
    assert claims[0] == {
        "returnType": "application/json",
        "ClaimStat": "1",
        "search_Sdate": "20261117100000",
        "search_Edate": "20261120120000",
        "search_condition": "1",
    }
    assert [one["ShippingStatus"] for one in orders] == list("12345")
    assert [one["ClaimStat"] for one in claims] == [*"123456", *map(str, range(11, 17))]
    headers = shop.loopback.asked[0].headers
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["qapiversion"] == "1.0"


def test_the_order_numbers_of_a_cart_are_one_order(shop: Qoo10Shop) -> None:
    for number, status in ((12, 4), (10, 1), (11, 3), (20, 2)):
        shop.place(order(number, NOW - HOUR, status))
    pages = pulled(opened(shop))
    raws = [raw for page in pages for raw in page.raws]
    assert [raw.external_id for raw in raws] == [cart_of(10), cart_of(20)]
    assert numbers(raws[0].payload) == [10, 11, 12]


def test_a_shop_may_count_each_order_number_as_an_order(shop: Qoo10Shop) -> None:
    for number in (10, 11):
        shop.place(order(number, NOW - HOUR))
    shop.claim(BILLION + 11, 3, NOW)
    assert names(pulled(opened(shop, orders_by="order"))) == ["1000000010", "1000000011"]


def test_a_row_without_a_cart_number_goes_by_its_order_number(shop: Qoo10Shop) -> None:
    shop.place(order(10, NOW - HOUR, PackNo=0))
    assert names(pulled(opened(shop))) == ["1000000010"]


def test_a_row_that_names_nothing_is_kept_for_a_person_even_alone(shop: Qoo10Shop) -> None:
    shop.extra.append(order(10, NOW - HOUR) | {"PackNo": None, "OrderNo": ""})
    pages = pulled(opened(shop))
    (bad,) = [bad for page in pages for bad in page.rejected]
    assert (bad.code, bad.payload["ItemTitle"], names(pages)) == ("no_order_number", "緑茶", [])
    assert bad.reason_ja


def test_a_cart_on_the_seam_of_two_windows_is_not_cut(shop: Qoo10Shop) -> None:
    seam = NOW - MINUTE - 2 * DAY - timedelta(hours=1)  # begin of the scan plus a day
    shop.place(order(10, seam - 2 * MINUTE))
    shop.place(order(11, seam + 2 * MINUTE))
    pages = pulled(opened(shop, window_days=1), mark=AN_HOUR_AGO)
    payloads = [raw.payload for page in pages for raw in page.raws]
    assert payloads
    assert all(numbers(payload) == [10, 11] for payload in payloads)


def test_a_cancelled_order_is_found_among_the_claims(shop: Qoo10Shop) -> None:
    for number in (10, 11, 20):
        shop.place(order(number, NOW - HOUR))
    shop.claim(BILLION + 10, 3, NOW)
    shop.claim(BILLION + 20, 3, NOW)
    raws = {raw.external_id: raw for page in pulled(opened(shop)) for raw in page.raws}
    assert numbers(raws[cart_of(10)].payload) == [11]
    assert numbers(raws[cart_of(10)].payload, "Claims", "orderNo") == [10]
    assert numbers(raws[cart_of(20)].payload) == []
    assert opened(shop).map(raws[cart_of(20)]).life == "cancelled"


def test_claims_may_be_asked_for_at_once(shop: Qoo10Shop) -> None:
    for number, status in ((10, 3), (20, 6)):
        shop.place(order(number, NOW - HOUR, 5))
        shop.claim(BILLION + number, status, NOW)
    assert names(pulled(opened(shop, claims_at_once=True))) == [cart_of(10), cart_of(20)]
    assert [one["ClaimStat"] for one in questions(shop, "GetClaimInfo_V3")] == [""]


@pytest.mark.parametrize("asked", range(5))
def test_what_moves_on_while_it_is_read_is_not_missed(shop: Qoo10Shop, asked: int) -> None:
    shop.place(order(10, NOW - HOUR, 2))
    shop.after = [lambda: None] * asked
    shop.after.append(partial(shop.move, BILLION + 10, 4, NOW))
    assert names(pulled(opened(shop))) == [cart_of(10)]


@pytest.mark.parametrize("asked", range(5, 17))
def test_a_claim_withdrawn_while_it_is_read_never_cancels_its_cart(
    shop: Qoo10Shop, asked: int
) -> None:
    for number in (10, 11):
        shop.place(order(number, NOW - HOUR))
    shop.claim(BILLION + 10, 3, NOW)
    shop.claim(BILLION + 11, 1, NOW)
    shop.after = [lambda: None] * (asked - 1)
    shop.after.append(partial(shop.withdraw, BILLION + 11))
    one = opened(shop)
    (order_told,) = [one.map(raw) for page in pulled(one) for raw in page.raws]
    assert order_told.life == "open"


def test_each_stream_reads_its_own_age_of_carts(shop: Qoo10Shop) -> None:
    for number, age in ((10, 1), (20, 10), (30, 60)):
        shop.place(order(number, NOW - age * DAY))
    found = {
        name: names(pulled(opened(shop), name)) for name in ("orders", "changes", "far_changes")
    }
    assert found == {
        "orders": [cart_of(10)],
        "changes": [cart_of(20)],
        "far_changes": [cart_of(30)],
    }
    with pytest.raises(NeedsPerson, match="There is no stream"):
        pulled(opened(shop), "pictures")


def test_no_age_is_left_out_between_the_streams(shop: Qoo10Shop) -> None:
    for age in range(88):
        shop.place(order(10 * age + 10, NOW - age * DAY - HOUR))
    one = opened(shop, window_days=30)
    found = {name for stream in one.streams() for name in names(pulled(one, stream.name))}
    assert len(found) == 88


def test_a_read_goes_on_behind_the_last_stored_cart(
    shop: Qoo10Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qoo10, "GROUP", 4)
    for number in range(10, 110, 10):
        shop.place(order(number, NOW - HOUR - number * MINUTE))
    first = next(opened(shop).pull("orders", AN_HOUR_AGO, None, NOW))
    shop.place(order(500, NOW - 2 * MINUTE))
    rest = pulled(opened(shop), cursor=first.cursor)
    assert names([first]) == [cart_of(number) for number in (100, 90, 80, 70)]
    assert names(rest) == [cart_of(number) for number in (60, 50, 40, 30, 20, 10, 500)]


def test_a_long_read_of_a_quiet_shop_keeps_its_place(shop: Qoo10Shop) -> None:
    pull = opened(shop).pull("orders", Watermark(), None, NOW)
    places = [Place.of(next(pull).cursor) for _ in range(3)]
    begin = NOW - 89 * DAY
    assert [place and place.begin for place in places] == [begin + 7 * n * DAY for n in range(3)]
    asked = len(shop.loopback.asked)
    assert places[2] is not None
    pulled(opened(shop), mark=Watermark(), cursor=places[2].cursor())
    assert read(questions(shop)[asked // 17 * 5]["SearchStartDate"]) == begin + 14 * DAY - HOUR


def test_an_unchanged_cart_is_told_in_the_same_words(shop: Qoo10Shop) -> None:
    for number in (11, 10):
        shop.place(order(number, NOW - HOUR))
    first = [raw.payload for page in pulled(opened(shop)) for raw in page.raws]
    shop.orders = dict(reversed(shop.orders.items()))
    assert [raw.payload for page in pulled(opened(shop)) for raw in page.raws] == first


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("orders_by", "item"),
        ("cart_amounts", "maybe"),
        ("claims_at_once", "often"),
        ("window_days", "a week"),
        ("since", "x"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(shop: Qoo10Shop, name: str, value: str) -> None:
    told: dict[str, Any] = {name: value}
    with pytest.raises(NeedsPerson, match=name):
        pulled(opened(shop, **told), mark=Watermark())


def test_totals_list_each_cart_of_the_span_once(shop: Qoo10Shop) -> None:
    begin, end = NOW - 20 * DAY, NOW - DAY
    for number, placed in ((10, begin), (20, begin + 7 * DAY), (30, end - MINUTE), (40, end)):
        shop.place(order(number, placed))
    shop.place(order(21, begin + 7 * DAY))
    shop.change(BILLION + 30, Total="?")
    found = opened(shop).totals(begin, end)
    assert found.orders == {cart_of(10): 2300, cart_of(20): 4600, cart_of(30): None}


def test_check_says_what_it_found(shop: Qoo10Shop) -> None:
    shop.place(order(10, datetime.now(UTC) - HOUR))
    assert "1 件" in opened(shop).check()
    assert len(questions(shop, "GetClaimInfo_V3")) == 1
