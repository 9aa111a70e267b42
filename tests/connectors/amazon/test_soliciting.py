"""Amazon's review request: its window, its two calls by the contract, what answers mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.amazon.connector import Amazon
from connectors.amazon.keeping import kept
from connectors.amazon.soliciting import ASK_LANE, LOOK_LANE
from connectors.contract import NeedsPerson, RawOrder, TryLater
from connectors.kit.pace import LocalPace
from connectors.kit.soliciting import Answer, AskWindow, Replied, Solicits
from tests.connectors.amazon.harness import config, opened, vault
from tests.connectors.amazon.stub import (
    JAPAN,
    SOLICITATIONS,
    AmazonStore,
    order,
    order_id,
    package,
    refused,
    stamp,
)
from tests.connectors.amazon.test_contract import faults
from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered, Asked, told, web_page

SWAGGER = Path(__file__).parents[4] / "shared/contracts/amazon/solicitations.json"
DAY = timedelta(days=1)
ONE = order_id(1)
NO_LINE = Answered(200, b"{}" * 50, {"content-type": "application/json"}, cut=50)


@pytest.fixture
def store() -> Iterator[AmazonStore]:
    one = AmazonStore(order(1, NOW - 20 * DAY, "SHIPPED"))
    yield one
    one.loopback.stop()


def asked(store: AmazonStore) -> list[Asked]:
    return [one for one in store.loopback.asked if one.path.startswith(SOLICITATIONS)]


# --- the window ------------------------------------------------------------------------------


def record(**changes: Any) -> RawOrder:
    """A shipped order that was to come eight to six days ago."""
    window = {"earliestDateTime": stamp(NOW - 8 * DAY), "latestDateTime": stamp(NOW - 6 * DAY)}
    fulfillment = {"fulfillmentStatus": "SHIPPED", "deliverByWindow": window}
    one = order(1, NOW - 10 * DAY, "SHIPPED", fulfillment=fulfillment) | changes
    return RawOrder(ONE, kept(one))


def test_it_opens_five_days_after_the_first_and_closes_thirty_after_the_last_day() -> None:
    assert opened(AmazonStore()).ask_window(record()) == AskWindow(
        NOW - 3 * DAY, NOW + 24 * DAY, JAPAN
    )


def test_a_parcel_that_left_late_opens_it_later() -> None:
    packages = [package("SHIPPED", NOW - 2 * DAY), package("DELIVERED", NOW - 9 * DAY)]
    found = opened(AmazonStore()).ask_window(record(packages=packages))
    assert found is not None
    assert (found.opens_at, found.closes_at) == (NOW + 3 * DAY, NOW + 24 * DAY)


@pytest.mark.parametrize(
    "changes",
    [
        {"fulfillment": {"fulfillmentStatus": "SHIPPED"}},
        {
            "fulfillment": {
                "deliverByWindow": {"earliestDateTime": "soon", "latestDateTime": "late"}
            }
        },
        {"salesChannel": {"channelName": "NON_AMAZON", "marketplaceId": JAPAN}},
        {"salesChannel": {"channelName": "AMAZON"}},
        {"packages": [package("SHIPPED", NOW + 40 * DAY)]},
    ],
)
def test_without_a_window_of_amazons_own_nobody_is_asked(changes: dict[str, Any]) -> None:
    assert opened(AmazonStore()).ask_window(record(**changes)) is None


def test_a_row_of_the_sellers_report_has_no_window() -> None:
    assert opened(AmazonStore()).ask_window(RawOrder(ONE, {"rows": [{"sku": "tea"}]})) is None


# --- the calls -------------------------------------------------------------------------------


def test_amazon_solicits() -> None:
    assert isinstance(opened(AmazonStore()), Solicits)


def test_a_buyer_is_asked_once_and_nothing_of_ours_goes_along(store: AmazonStore) -> None:
    one = opened(store)
    assert one.may_ask(ONE, JAPAN) == Replied(Answer.YES)
    assert one.ask(ONE, JAPAN) == Replied(Answer.YES, "HTTP 201")
    assert store.asked_reviews == [ONE]
    assert [(each.method, each.body) for each in asked(store)] == [("GET", b""), ("POST", b"")]
    looked = one.may_ask(ONE, JAPAN)
    assert (looked.answer, "受け付けていません" in looked.said) == (Answer.NO, True)


def test_every_request_is_one_of_the_contract(store: AmazonStore) -> None:
    if not SWAGGER.exists():
        pytest.skip("../shared/contracts is not here")
    swagger = json.loads(SWAGGER.read_text("utf-8"))
    one = opened(store)
    one.may_ask(ONE, JAPAN)
    one.ask(ONE, JAPAN)
    for each in asked(store):
        template = each.path.replace(ONE, "{amazonOrderId}")
        route = swagger["paths"][template][each.method.lower()]
        known = {part["name"]: part for part in route["parameters"] if part["in"] == "query"}
        assert each.query.keys() == {name for name, part in known.items() if part["required"]}
        for name, text in each.query.items():
            assert faults(known[name], text.split(","), swagger, name) == []


def test_the_answers_of_the_sandbox_are_understood(store: AmazonStore) -> None:
    if not SWAGGER.exists():
        pytest.skip("../shared/contracts is not here")
    paths = json.loads(SWAGGER.read_text("utf-8"))["paths"]
    looks, asks = (paths[path] for path in list(paths)[:2])
    answer = looks["get"]["responses"]["200"]
    one = opened(store)
    one.may_ask(ONE, JAPAN)  # has the token
    for case in (answer["x-amzn-api-sandbox"]["static"][0]["response"],
                 answer["examples"]["application/hal+json"]):  # fmt: skip
        store.loopback.faults.append(told(case))
        assert one.may_ask(ONE, JAPAN).answer is Answer.YES
    (case,) = asks["post"]["responses"]["201"]["x-amzn-api-sandbox"]["static"]
    store.loopback.faults.append(told(case["response"], 201))
    assert one.ask(ONE, JAPAN).answer is Answer.YES


def test_an_app_without_the_role_needs_a_person(store: AmazonStore) -> None:
    store.may_ask_reviews = False
    with pytest.raises(NeedsPerson, match="Unauthorized") as no:
        opened(store).may_ask(ONE, JAPAN)
    assert "Buyer Solicitation" in no.value.remedy


def test_an_order_that_amazon_does_not_know_is_a_no_in_words(store: AmazonStore) -> None:
    assert opened(store).may_ask(order_id(9), JAPAN) == Replied(Answer.NO, "HTTP 404 NotFound: no")


def test_a_look_that_tells_no_actions_is_put_off(store: AmazonStore) -> None:
    one = opened(store)
    one.may_ask(ONE, JAPAN)
    for answer in (told({}), told([]), told({"_links": []}), web_page(200), web_page()):
        store.loopback.faults.append(answer)
        with pytest.raises(TryLater):
            one.may_ask(ONE, JAPAN)


@pytest.mark.parametrize("status", [400, 403, 404, 413, 415])
def test_a_refusal_of_the_request_is_a_no_in_amazons_words(store: AmazonStore, status: int) -> None:
    one = opened(store)
    one.may_ask(ONE, JAPAN)
    error = {"code": "InvalidInput", "message": f"Not eligible: {ONE} of hanako@example.com"}
    store.loopback.faults.append(told({"errors": [error]}, status))
    assert one.ask(ONE, JAPAN) == Replied(
        Answer.NO, f"HTTP {status} InvalidInput: Not eligible: *** of ***"
    )
    assert len(asked(store)) == 2


@pytest.mark.parametrize(
    "answer",
    [told({}, 200), told({}, 302), told({}, 500), web_page(), web_page(200),
     NO_LINE, Answered(201, b"{}", delay=3.0)],
    ids=["200", "302", "500", "503 page", "200 page", "broken off", "slow"],
)  # fmt: skip
def test_where_nobody_knows_the_answer_is_unknown_and_nothing_is_repeated(
    store: AmazonStore, answer: Answered
) -> None:
    one = opened(store, timeout=1)
    one.may_ask(ONE, JAPAN)
    store.loopback.faults.append(answer)
    assert one.ask(ONE, JAPAN).answer is Answer.UNKNOWN
    assert len(asked(store)) == 2


@pytest.mark.parametrize("answer", [refused("QuotaExceeded", 429), refused("Unauthorized", 401)])
def test_what_was_certainly_not_taken_may_be_tried_later(
    store: AmazonStore, answer: Answered
) -> None:
    one = opened(store)
    one.may_ask(ONE, JAPAN)
    store.loopback.faults.append(answer)
    with pytest.raises(TryLater):
        one.ask(ONE, JAPAN)
    assert store.asked_reviews == []


def test_a_full_lane_stops_before_anything_is_sent(store: AmazonStore) -> None:
    lanes = {LOOK_LANE: (1e6, 1e6), ASK_LANE: (0.001, 1.0)}
    one = Amazon(config(store), vault=vault(), pace=LocalPace(lanes))
    one.ask(ONE, JAPAN)
    with pytest.raises(TryLater):
        one.ask(ONE, JAPAN)
    assert store.asked_reviews == [ONE]
