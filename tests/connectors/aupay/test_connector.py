"""au PAY's days, rows and streams, against a pretend Wow! manager over HTTP."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.aupay.connector import AuPayMarket
from connectors.aupay.service import LANE, Question
from connectors.contract import NeedsPerson, Page, TryLater, Watermark
from connectors.kit.pace import LocalPace
from tests.connectors.aupay.harness import config, opened, vault
from tests.connectors.aupay.stub import KEY, SHOP, WowManager, day, number, order
from tests.connectors.harness import NOW
from tests.connectors.loopback import Asked

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AN_HOUR_AGO = Watermark((NOW - HOUR).isoformat())


@pytest.fixture
def shop() -> Iterator[WowManager]:
    one = WowManager()
    yield one
    one.loopback.stop()


def questions(shop: WowManager) -> list[dict[str, str]]:
    return [asked.query for asked in shop.loopback.asked]


def pulled(
    one: AuPayMarket,
    stream: str = "orders",
    mark: Watermark = AN_HOUR_AGO,
    cursor: str | None = None,
) -> list[Page]:
    return list(one.pull(stream, mark, cursor, NOW))


def names(pages: Iterable[Page]) -> list[int]:
    return [int(raw.external_id) - 500_000_000 for page in pages for raw in page.raws]


def test_the_question_has_the_documented_form(shop: WowManager) -> None:
    pulled(opened(shop))
    (asked,) = shop.loopback.asked
    assert (asked.method, asked.path) == ("GET", "/wmshopapi/searchTradeInfoListProc")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.query == {
        "shopId": SHOP,
        "totalCount": "100",
        "startCount": "1",
        "startDate": "20261117",
        "endDate": "20261120",
        "dateType": "0",
    }


def test_a_first_read_goes_a_year_back_in_windows_that_share_a_day(shop: WowManager) -> None:
    for serial, age in ((1, 364), (2, 40), (3, 0.1), (4, 367)):
        shop.place(order(serial, NOW - timedelta(days=age)))
    pages = pulled(opened(shop), mark=Watermark())
    assert names(pages) == [1, 2, 3]
    spans = list(dict.fromkeys((one["startDate"], one["endDate"]) for one in questions(shop)))
    assert (spans[0][0], spans[-1][1], len(spans)) == ("20251120", "20261120", 14)
    assert [begin for begin, _ in spans[1:]] == [end for _, end in spans[:-1]]
    assert pages[-1].watermark == Watermark((NOW - timedelta(minutes=1)).isoformat())


@pytest.mark.parametrize(
    ("settings", "first"),
    [
        ({"since": "2026-11-01T00:00:00+09:00"}, "20261101"),
        ({"history_days": 10}, "20261110"),
        ({"history_days": 10, "since": "2026-01-01T00:00:00+09:00"}, "20261110"),
    ],
)
def test_the_first_read_may_begin_elsewhere_by_a_setting(
    shop: WowManager, settings: dict[str, Any], first: str
) -> None:
    pulled(opened(shop, **settings), mark=Watermark())
    assert questions(shop)[0]["startDate"] == first


def test_a_year_is_read_unless_the_shop_says_otherwise(shop: WowManager) -> None:
    assert opened(shop).history_days() == 365
    assert opened(shop, history_days="730").history_days() == 730


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_size", 1),
        ("page_size", 1001),
        ("page_size", "many"),
        ("history_days", 0),
        ("history_days", "-3"),
        ("since", "last year"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(shop: WowManager, name: str, value: Any) -> None:
    with pytest.raises(NeedsPerson, match=name):
        pulled(opened(shop, **{name: value}), mark=Watermark())
    assert shop.loopback.asked == []


# --- rows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("counts_all", [False, True])
@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("placed", [0, 1, 9, 10, 11, 18, 19, 20, 37])
def test_every_row_is_read_whatever_the_count_means(
    shop: WowManager, placed: int, counts_all: bool, newest_first: bool
) -> None:
    shop.counts_all, shop.newest_first = counts_all, newest_first
    for serial in range(1, placed + 1):
        shop.place(order(serial, NOW - serial * HOUR))
    pages = pulled(opened(shop, page_size=10))
    assert sorted(names(pages)) == list(range(1, placed + 1))
    assert len(names(pages)) == placed


def test_each_answer_begins_with_the_last_row_of_the_one_before(shop: WowManager) -> None:
    for serial in range(1, 8):
        shop.place(order(serial, NOW - serial * HOUR))
    pulled(opened(shop, page_size=3))
    assert [one["startCount"] for one in questions(shop)] == ["1", "3", "5", "7"]


def test_a_source_that_gives_fewer_rows_than_asked_for_is_followed(shop: WowManager) -> None:
    shop.most = 4
    for serial in range(1, 12):
        shop.place(order(serial, NOW - serial * HOUR))
    assert sorted(names(pulled(opened(shop)))) == list(range(1, 12))


def test_a_list_that_changes_between_its_pages_loses_nothing(shop: WowManager) -> None:
    shop.newest_first = True
    for serial in range(1, 9):
        shop.place(order(serial, NOW - serial * HOUR))
    late = order(90, NOW)
    shop.after_answer = [
        lambda: shop.orders.update({late["orderId"]: late}),
        lambda: shop.change(number(8), memo="?"),
        lambda: shop.orders.update({number(91): order(91, NOW - 3 * HOUR)}),
    ]
    assert set(names(pulled(opened(shop, page_size=3)))) == {*range(1, 9), 90, 91}


def test_a_list_that_never_stands_still_waits(shop: WowManager) -> None:
    shop.newest_first = True
    for serial in range(1, 9):
        shop.place(order(serial, NOW - serial * HOUR))
    later = iter(range(100, 200))

    def arrive() -> None:
        shop.place(order(next(later), NOW))

    shop.after_answer = [arrive] * 40
    with pytest.raises(TryLater, match="changes while it is read") as caught:
        pulled(opened(shop, page_size=3))
    assert caught.value.retry_after == 60.0


def test_a_list_that_tells_fewer_orders_than_it_counts_waits(shop: WowManager) -> None:
    for serial in range(1, 6):
        shop.place(order(serial, NOW - serial * HOUR))
    answer = shop.answer

    def overcounting(asked: Asked) -> Any:
        given = answer(asked)
        body = given.body.replace(b"<resultCount>5<", b"<resultCount>7<")
        return type(given)(given.status, body.replace(b"<resultCount>1<", b"<resultCount>7<"))

    shop.loopback.handle = overcounting
    with pytest.raises(TryLater, match="5 of 7 orders"):
        pulled(opened(shop))


def test_a_read_goes_on_behind_the_last_stored_row(shop: WowManager) -> None:
    for serial in range(1, 31):
        shop.place(order(serial, NOW - serial * DAY))
    one = opened(shop, page_size=10, history_days=20)
    first = next(one.pull("orders", Watermark(), None, NOW))
    shop.place(order(90, NOW - timedelta(minutes=2)))
    rest = pulled(opened(shop, page_size=10, history_days=20), cursor=first.cursor)
    assert names([first, *rest]) == [*range(20, 0, -1), 90], "what is stored is not told again"


def test_a_read_whose_last_row_has_gone_begins_its_window_again(shop: WowManager) -> None:
    for serial in range(1, 6):
        shop.place(order(serial, NOW - serial * HOUR))
    first = next(opened(shop, page_size=3).pull("orders", AN_HOUR_AGO, None, NOW))
    del shop.orders[first.raws[-1].external_id]
    rest = pulled(opened(shop, page_size=3), cursor=first.cursor)
    assert set(names(rest)) == {1, 2, 3, 4, 5} - {int(first.raws[-1].external_id) - 500_000_000}


def test_a_cursor_of_another_version_begins_again(shop: WowManager) -> None:
    shop.place(order(1, NOW - HOUR))
    assert names(pulled(opened(shop), cursor="page=3")) == [1]


def test_a_day_that_its_own_end_leaves_out_is_told_by_the_next_window(shop: WowManager) -> None:
    shop.last_included = False
    for serial in range(1, 62):
        shop.place(order(serial, NOW - serial * DAY))
    assert set(names(pulled(opened(shop), mark=Watermark()))) == set(range(1, 62))


# --- orders that cannot be read --------------------------------------------------------------


def test_an_order_in_broken_xml_is_kept_in_sight_and_the_others_go_on(shop: WowManager) -> None:
    for serial in range(1, 41):
        shop.place(order(serial, NOW - serial * HOUR))
    shop.garbled = {number(17), number(40)}
    pages = pulled(opened(shop))
    assert sorted(names(pages)) == [n for n in range(1, 41) if n not in {17, 40}]
    bad = {one.external_id or "": one for page in pages for one in page.rejected}
    assert sorted(bad) == [number(17), number(40)]
    assert {one.code for one in bad.values()} == {"not_told"}
    assert all(one.reason_ja and one.position for one in bad.values())
    shop.garbled.clear()
    assert len(names(pulled(opened(shop)))) == 40


def test_answers_that_are_all_broken_wait(shop: WowManager) -> None:
    for serial in range(1, 41):
        shop.place(order(serial, NOW - serial * HOUR))
    shop.garbled = set(shop.orders)
    with pytest.raises(TryLater, match="cannot be read"):
        pulled(opened(shop))
    assert len(shop.loopback.asked) < 30


def test_an_order_without_a_number_is_kept_for_a_person(shop: WowManager) -> None:
    shop.place(order(1, NOW - HOUR))
    shop.place(order(2, NOW - 2 * HOUR, userComment="?"))
    shop.orders[number(2)]["orderId"] = ""
    pages = pulled(opened(shop))
    assert names(pages) == [1]
    (bad,) = pages[0].rejected
    assert (bad.code, bad.field_name, bad.payload["userComment"]) == (
        "no_order_number", "orderId", "?",
    )  # fmt: skip
    assert bad.reason_ja


def test_nothing_of_the_card_is_kept(shop: WowManager) -> None:
    shop.place(order(1, NOW - HOUR))
    (raw,) = pulled(opened(shop))[0].raws
    left = {"cardJadgement", "pgResult", "pgOrderId", "pgRequestPrice"} & raw.payload.keys()
    assert left == set()
    assert raw.payload["mailAddress"] == "hanako@Example.JP"


# --- streams ---------------------------------------------------------------------------------


def test_streams_overlap_and_each_has_its_time(shop: WowManager) -> None:
    told = {s.name: (s.interval_seconds, s.overlap_seconds) for s in opened(shop).streams()}
    assert told == {
        "orders": (900, 3 * 86400),
        "shipped": (3600, 7 * 86400),
        "paid": (3600, 7 * 86400),
        "changes": (6 * 3600, 0),
        "far_changes": (7 * 86400, 0),
    }


def test_parcels_and_payments_of_today_are_seen_however_old_the_order(shop: WowManager) -> None:
    shop.place(order(1, NOW - 200 * DAY))
    one = opened(shop)
    assert [names(pulled(one, name)) for name in ("orders", "shipped", "paid")] == [[], [], []]
    shop.change(number(1), paymentDate=day(NOW - 6 * DAY))
    assert names(pulled(one, "paid")) == [1]
    shop.ship(number(1), NOW)
    assert names(pulled(one, "shipped")) == [1]
    assert {asked["dateType"] for asked in questions(shop)} == {"0", "1", "2"}


@pytest.mark.parametrize(
    ("age", "seen"), [(2, ["orders", "changes"]), (89, ["changes"]), (300, ["far_changes"])]
)
def test_every_change_of_an_order_shows_in_some_stream(
    shop: WowManager, age: int, seen: list[str]
) -> None:
    shop.place(order(1, NOW - age * DAY))
    shop.change(number(1), orderStatus="キャンセル")
    streams = ("orders", "changes", "far_changes")
    assert [name for name in streams if names(pulled(opened(shop), name))] == seen


def test_a_young_shop_has_no_far_changes(shop: WowManager) -> None:
    pages = pulled(opened(shop, since="2026-11-01T00:00:00+09:00"), "far_changes")
    assert shop.loopback.asked == []
    assert pages == [Page((), None, Watermark((NOW - timedelta(minutes=1)).isoformat()))]


def test_a_source_whose_clock_is_behind_holds_the_watermark_back(shop: WowManager) -> None:
    one = opened(shop)
    one._service._clock = lambda: datetime.now(UTC)
    shop.loopback.clock_offset = -2 * HOUR
    mark = pulled(one, mark=Watermark())[-1].watermark
    assert mark is not None
    held = datetime.fromisoformat(mark.value or "")
    assert abs(held - (NOW - 2 * HOUR)) < timedelta(minutes=2)
    later = Watermark(NOW.isoformat())
    assert pulled(one, mark=later)[-1].watermark == later


def test_an_unknown_stream_is_refused(shop: WowManager) -> None:
    with pytest.raises(NeedsPerson, match="There is no stream"):
        pulled(opened(shop), "files")


def test_no_question_is_sent_before_the_pace_allows_it(shop: WowManager) -> None:
    pace = LocalPace({LANE: (0.01, 1.0)})
    one = AuPayMarket(config(shop), vault=vault(), pace=pace)
    assert names(pulled(one)) == []
    with pytest.raises(TryLater) as caught:
        pulled(one)
    assert caught.value.retry_after is not None
    assert len(shop.loopback.asked) == 1


# --- check and totals ------------------------------------------------------------------------


def test_check_says_what_it_found(shop: WowManager) -> None:
    shop.place(order(1, datetime.now(UTC)))
    said = opened(shop).check()
    assert "今日の注文: 1 件。" in said
    assert "Connected" in said
    assert len(shop.loopback.asked) == 1


def test_a_broken_order_is_no_trouble_of_the_connection(shop: WowManager) -> None:
    shop.place(order(1, datetime.now(UTC)))
    shop.garbled = {number(1)}
    assert "Connected" in opened(shop).check()


def test_totals_list_each_order_of_the_span_once(shop: WowManager) -> None:
    begin, end = NOW - 60 * DAY, NOW
    moments = (begin, begin + 28 * DAY, end - timedelta(minutes=1), end, begin - 2 * HOUR)
    for serial, moment in enumerate(moments, 1):
        shop.place(order(serial, moment))
    shop.change(number(2), requestPrice="4,5x")
    shop.place(order(9, NOW, orderDate=f"{day(NOW)} soon"))
    found = opened(shop).totals(begin, end)
    assert found.orders == {number(1): 4500, number(2): None, number(3): 4500}
    assert (found.count, found.total) == (3, None)


def test_a_question_names_days_of_japan(shop: WowManager) -> None:
    evening = datetime(2026, 11, 19, 15, 30, tzinfo=UTC)  # 00:30 of the 20th in Tokyo
    shop.place(order(1, evening))
    list(opened(shop).pull("orders", Watermark(evening.isoformat()), None, evening + HOUR))
    assert questions(shop)[0]["endDate"] == "20261120"
    asked = Question(date(2026, 11, 20), date(2026, 11, 20), 0, 1, 100)
    assert len(opened(shop)._service.orders(asked).orders) == 1
