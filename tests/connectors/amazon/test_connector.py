"""Searches, tokens, quota and refusals, against a pretend Amazon over HTTP."""

import json
import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from connectors.amazon.connector import Amazon
from connectors.amazon.service import LANE
from connectors.amazon.tokens import TOKEN, UNTIL
from connectors.contract import NeedsPerson, Page, TryLater, Watermark
from connectors.kit.pace import LocalPace
from tests.connectors.amazon.harness import config, opened, vault
from tests.connectors.amazon.stub import AmazonStore, order, order_id, refused, stamp, yen
from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered, told, web_page

HOUR = timedelta(hours=1)
AN_HOUR_AGO = Watermark((NOW - HOUR).isoformat())
SETTLED = Watermark((NOW - timedelta(minutes=2)).isoformat())


@pytest.fixture
def store() -> Iterator[AmazonStore]:
    one = AmazonStore()
    yield one
    one.loopback.stop()


def fill(store: AmazonStore, count: int) -> None:
    for number in range(1, count + 1):
        store.put(order(number, NOW - timedelta(minutes=50 - number)))


def pulled(one: Amazon, mark: Watermark = AN_HOUR_AGO, cursor: str | None = None) -> list[Page]:
    return list(one.pull("orders", mark, cursor, NOW))


def names(pages: Iterable[Page]) -> list[str]:
    return [raw.external_id for page in pages for raw in page.raws]


def searches(store: AmazonStore) -> list[dict[str, str]]:
    return [one.query for one in store.loopback.asked if one.path != "/auth/o2/token"]


def test_a_first_read_begins_where_amazon_does(store: AmazonStore) -> None:
    store.put(order(1, datetime(2016, 2, 1, tzinfo=UTC)))
    pages = pulled(opened(store), Watermark())
    assert names(pages) == [order_id(1)]
    assert searches(store)[0]["lastUpdatedAfter"] == "2016-01-01T00:00:00Z"
    assert pages[-1].watermark == SETTLED


def test_a_poll_begins_before_its_watermark_and_ends_where_amazon_says(store: AmazonStore) -> None:
    store.put(order(1, NOW - HOUR - timedelta(minutes=4)))
    store.put(order(2, NOW - timedelta(minutes=1)))
    (page,) = pulled(opened(store))
    assert names([page]) == [order_id(1)]
    assert searches(store)[0]["lastUpdatedAfter"] == stamp(NOW - HOUR - timedelta(minutes=5))
    assert page.watermark == SETTLED


def test_an_answer_that_does_not_say_its_end_sets_the_mark_earlier(store: AmazonStore) -> None:
    store.echoes = False
    (page,) = pulled(opened(store))
    assert page.watermark == Watermark((NOW - timedelta(minutes=5)).isoformat())
    store.loopback.clock_offset = -timedelta(hours=2)
    (page,) = pulled(opened(store), Watermark((NOW - 24 * HOUR).isoformat()))
    reached = datetime.fromisoformat((page.watermark or Watermark()).value or "")
    assert abs(reached - (NOW - timedelta(hours=2, minutes=5))) < timedelta(minutes=1)


def test_pages_follow_their_tokens_with_the_same_question(store: AmazonStore) -> None:
    fill(store, 5)
    pages = pulled(opened(store, page_size=2))
    assert names(pages) == [order_id(n) for n in range(1, 6)]
    first, *rest = searches(store)
    assert [{k: v for k, v in one.items() if k != "paginationToken"} for one in rest] == [first] * 2
    assert [page.watermark for page in pages] == [None, None, SETTLED]


def test_an_order_that_changes_while_it_is_read_comes_with_the_next_poll(
    store: AmazonStore,
) -> None:
    fill(store, 4)
    later = NOW + timedelta(minutes=1)
    store.after_page.append(lambda: store.change(order_id(4), later))
    pages = pulled(opened(store, page_size=2))
    assert names(pages) == [order_id(n) for n in (1, 2, 3)]
    store.now = NOW + HOUR
    again = opened(store).pull("orders", pages[-1].watermark or Watermark(), None, NOW + HOUR)
    assert order_id(4) in names(again)


@pytest.mark.parametrize("how", ["old", "refused", "unknown"])
def test_a_page_token_that_has_ended_begins_the_window_again(store: AmazonStore, how: str) -> None:
    fill(store, 5)
    one = opened(store, page_size=2)
    first = next(one.pull("orders", AN_HOUR_AGO, None, NOW))
    cursor = first.cursor or ""
    if how == "refused":
        store.oldest_token = store.pages
    elif how == "old":
        cursor = json.dumps(json.loads(cursor) | {"at": (NOW - timedelta(hours=24)).isoformat()})
    else:
        cursor = "page 2"
    pages = pulled(one, cursor=cursor)
    assert names(pages) == [order_id(n) for n in range(1, 6)]
    assert pages[-1].watermark == SETTLED


def test_what_names_a_person_is_gone_before_the_page_is_given(store: AmazonStore) -> None:
    store.put(order(1, NOW - HOUR))
    store.nameless = [{"buyer": {"buyerName": "見本"}}, "text"]
    (page,) = pulled(opened(store))
    kept = str([raw.payload for raw in page.raws]) + str([bad.payload for bad in page.rejected])
    assert "見本" not in kept
    assert "神宮前" not in kept
    assert [bad.code for bad in page.rejected] == ["no_order_number"] * 2


# --- tokens ----------------------------------------------------------------------------------


def test_one_token_serves_until_it_ends(store: AmazonStore) -> None:
    keys = vault()
    pulled(opened(store, keys))
    pulled(opened(store, keys))
    assert store.given == 1
    keys.values[UNTIL] = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
    assert keys.values[TOKEN] == "Atza|access-0001"
    store.access_tokens = []
    keys.values[TOKEN] = "Atza|older"
    pulled(opened(store, keys))
    assert keys.values[TOKEN] == "Atza|access-0002"


def test_a_token_that_amazon_refuses_is_renewed_once(store: AmazonStore) -> None:
    keys = vault()
    pulled(opened(store, keys))
    store.access_tokens = []
    pulled(opened(store, keys))
    assert store.given == 2
    store.authorised = False
    with pytest.raises(NeedsPerson, match="Unauthorized"):
        pulled(opened(store, keys))
    assert store.given == 3


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"client_secret": "no"}, "invalid_client"), ({"refresh_token": "no"}, "invalid_grant")],
)
def test_refused_credentials_need_a_person(
    store: AmazonStore, changes: dict[str, str], word: str
) -> None:
    with pytest.raises(NeedsPerson, match=word):
        opened(store, vault(**changes)).check()


def test_a_missing_credential_says_where_it_is_found(store: AmazonStore) -> None:
    with pytest.raises(NeedsPerson, match="未登録"):
        opened(store, vault(client_secret="")).check()


# --- pace and refusals -----------------------------------------------------------------------


class Noted(LocalPace):
    """Notes what is learnt and when it was closed."""

    def __init__(self) -> None:
        super().__init__({LANE: (1e6, 1e6)})
        self.learnt: list[tuple[float | None, float]] = []
        self.closed: list[datetime] = []

    def learn(
        self, lane: str, *, left: float | None = None, restore_per_second: float = 0.0
    ) -> None:
        self.learnt.append((left, restore_per_second))

    def exhausted(self, lane: str, until: datetime, reason: str = "") -> None:
        self.closed.append(until)


def test_another_rate_than_the_table_is_learnt_once(store: AmazonStore) -> None:
    fill(store, 5)
    pace = Noted()
    pulled(Amazon(config(store, page_size=2), vault=vault(), pace=pace))
    assert pace.learnt == []
    store.rate = "0.5"
    pulled(Amazon(config(store, page_size=2), vault=vault(), pace=pace))
    assert pace.learnt == [(None, 0.5)]
    for store.rate in (None, "nan", "-1", "soon"):
        pulled(Amazon(config(store), vault=vault(), pace=pace))
    assert pace.learnt == [(None, 0.5)]


def test_a_used_up_quota_closes_the_lane_for_three_minutes(store: AmazonStore) -> None:
    store.searches_left = 0
    pace = Noted()
    with pytest.raises(TryLater) as caught:
        pulled(Amazon(config(store), vault=vault(), pace=pace))
    assert caught.value.retry_after == pytest.approx(1 / 0.0056)
    (until,) = pace.closed
    assert timedelta(seconds=170) < until - datetime.now(UTC) < timedelta(seconds=180)
    assert len(searches(store)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answered(500),
        Answered(503),
        web_page(503),
        web_page(200),
        told({"errors": [{"code": "QuotaExceeded"}]}),
        told({}),
        told([]),
        told({"orders": "none"}),
        told({"orders": [], "lastUpdatedBefore": "soon"}),
        Answered(200, b'{"orders": [', {"content-type": "application/json"}),
        Answered(200, b"{'orders'}", {"content-type": "application/json"}),
        Answered(200, b'{"orders": []}', cut=5),
    ],
)
def test_a_busy_or_broken_answer_is_asked_for_later(store: AmazonStore, answer: Answered) -> None:
    keys = vault()
    opened(store, keys).check()
    store.loopback.faults.append(answer)
    with pytest.raises(TryLater):
        pulled(opened(store, keys))


@pytest.mark.parametrize("status", [400, 404, 413, 415])
def test_a_wrong_question_needs_a_person(store: AmazonStore, status: int) -> None:
    keys = vault()
    opened(store, keys).check()
    store.loopback.faults.append(refused("InvalidInput", status))
    with pytest.raises(NeedsPerson, match=f"HTTP {status} InvalidInput"):
        pulled(opened(store, keys))


def test_a_slow_answer_is_asked_for_later(store: AmazonStore) -> None:
    keys = vault()
    opened(store, keys).check()
    store.loopback.faults.append(Answered(200, b"{}", delay=1.5))
    with pytest.raises(TryLater):
        pulled(opened(store, keys, timeout=0.5))


def test_a_broken_answer_of_the_login_is_asked_for_later(store: AmazonStore) -> None:
    for answer in (web_page(400), told([]), Answered(200, b"{", {})):
        store.loopback.faults.append(answer)
        with pytest.raises((TryLater, NeedsPerson)):
            pulled(opened(store))


def test_the_request_id_is_logged(store: AmazonStore, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        pulled(opened(store))
    ids = [getattr(record, "request_id", None) for record in caplog.records]
    assert "request-0001" in ids


# --- totals and settings ---------------------------------------------------------------------


def test_totals_list_the_orders_of_the_span(store: AmazonStore) -> None:
    begin = NOW - 24 * HOUR
    for number, placed in enumerate((begin, begin + HOUR, NOW - timedelta(seconds=1), NOW)):
        store.put(order(number, placed))
    broken = {"payment": {}, "proceeds": {"grandTotal": yen("x")}}
    store.orders[order_id(1)] |= broken
    found = opened(store, page_size=1).totals(begin, NOW)
    assert found.orders == {order_id(0): 2400, order_id(1): None, order_id(2): 2400}
    assert opened(store).totals(NOW, NOW).count == 0


@pytest.mark.parametrize("size", [0, 101, "many"])
def test_an_unusable_page_size_is_named(store: AmazonStore, size: object) -> None:
    with pytest.raises(NeedsPerson, match="page_size"):
        pulled(opened(store, page_size=size))


def test_an_unknown_stream_is_refused(store: AmazonStore) -> None:
    with pytest.raises(NeedsPerson, match="There is no stream"):
        list(opened(store).pull("files", Watermark(), None, NOW))
