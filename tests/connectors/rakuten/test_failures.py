"""What Rakuten's refusals, silences and broken answers mean for the channel; and its key's end."""

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from connectors.contract import NeedsPerson, TryLater, Watermark
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault, NoSecrets
from connectors.rakuten.connector import Rakuten
from connectors.rakuten.service import LANE
from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered, told, web_page
from tests.connectors.rakuten.harness import config, opened, vault
from tests.connectors.rakuten.stub import KEY, SECRET, Rms, order

YESTERDAY = Watermark((NOW - timedelta(days=1)).isoformat())


@pytest.fixture
def shop() -> Iterator[Rms]:
    one = Rms(NOW, order(1, NOW - timedelta(hours=1)))
    yield one
    one.loopback.stop()


def pull(one: Rakuten, stream: str = "orders") -> list[str]:
    pages = one.pull(stream, YESTERDAY, None, NOW)
    return [raw.external_id for page in pages for raw in page.raws]


def test_the_key_travels_as_rakuten_wants_it(shop: Rms) -> None:
    pull(opened(shop))
    headers = shop.loopback.asked[0].headers
    assert headers["authorization"].startswith("ESA ")
    assert headers["content-type"] == "application/json; charset=utf-8"


def test_a_wrong_or_expired_key_asks_for_a_new_one(shop: Rms) -> None:
    shop.key = "SL000000_new"
    with pytest.raises(NeedsPerson) as caught:
        pull(opened(shop))
    assert "ES01-01" in caught.value.problem
    assert "利用設定" in caught.value.remedy
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_a_gateway_refusal_is_understood_whatever_its_status(shop: Rms, status: int) -> None:
    shop.refusal = (status, {"Results": {"errorCode": "ES04-01", "message": "Bad Request"}})
    with pytest.raises(NeedsPerson) as caught:
        pull(opened(shop))
    assert "チェック" in caught.value.remedy
    assert "30 分" in caught.value.remedy


def test_a_question_of_the_wrong_form_names_the_code(shop: Rms) -> None:
    with pytest.raises(NeedsPerson, match="GET_ORDER_ERROR_009"):
        pull(opened(shop, version=2))


def test_an_error_that_nobody_explained_is_asked_again_later(shop: Rms) -> None:
    message = {"messageType": "ERROR", "messageCode": "ORDER_EXT_API_SEARCH_ORDER_ERROR_023"}
    shop.refusal = (200, {"MessageModelList": [message], "orderNumberList": None})
    with pytest.raises(TryLater, match="023"):
        pull(opened(shop))


def test_a_warning_does_not_stop_anything(
    shop: Rms, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = shop.answer
    warning = {"messageType": "WARNING", "messageCode": "ORDER_EXT_API_GET_ORDER_WARNING_101"}

    def warned(asked: Any) -> Answered:
        given = answer(asked)
        body = given.body.replace(b'"MessageModelList": [', b'"MessageModelList": [%s, ')
        return Answered(given.status, body % json.dumps(warning).encode(), given.headers)

    shop.loopback.handle = warned
    assert len(pull(opened(shop))) == 1
    assert "ORDER_EXT_API_GET_ORDER_WARNING_101" in {
        getattr(record, "code", "") for record in caplog.records
    }


@pytest.mark.parametrize(
    "fault",
    [
        web_page(503),
        web_page(200),
        Answered(500),
        Answered(503, b"", {"retry-after": "120"}),
        Answered(200, b'{"orderNumberList": ["123456-2026', {"content-type": "application/json"}),
        Answered(200, b'{"orderNumberList": []}', {"content-type": "application/json"}, cut=5),
        Answered(200, b"[]", {"content-type": "application/json"}),
        Answered(200, b"\xff\xfe", {"content-type": "application/json"}),
        told({}),
    ],
    ids=["maintenance", "page", "error", "busy", "broken", "cut", "list", "bytes", "silence"],
)
def test_a_source_in_trouble_is_asked_again_later(shop: Rms, fault: Answered) -> None:
    one = opened(shop)
    list(one.pull("orders", YESTERDAY, None, NOW))
    if fault.body == b"{}":  # only getOrder can be silent about what it was asked
        shop.loopback.handle = lambda asked: (
            fault if "getOrder" in asked.path else shop.answer(asked)
        )
    else:
        shop.loopback.faults.append(fault)
    with pytest.raises(TryLater) as caught:
        pull(one)
    assert caught.value.retry_after == (120.0 if fault.headers.get("retry-after") else None)


def test_a_slow_source_is_asked_again_later(shop: Rms) -> None:
    shop.loopback.faults.append(Answered(200, b"{}", delay=0.6))
    with pytest.raises(TryLater, match="Timeout"):
        pull(opened(shop, timeout=0.2))


def test_a_source_that_is_gone_is_asked_again_later() -> None:
    shop = Rms(NOW)
    shop.loopback.stop()
    with pytest.raises(TryLater):
        pull(opened(shop))


def test_a_channel_without_its_key_says_where_to_find_it(shop: Rms) -> None:
    one = Rakuten(config(shop), vault=NoSecrets(), pace=LocalPace({}))
    with pytest.raises(NeedsPerson, match="サービスシークレット"):
        pull(one)
    keys = MemoryVault({"service_secret": SECRET})
    with pytest.raises(NeedsPerson, match="ライセンスキー"):
        pull(opened(shop, keys))
    assert shop.loopback.asked == []


def test_no_question_is_sent_before_the_pace_allows_it(shop: Rms) -> None:
    pace = LocalPace({LANE: (0.01, 2.0)})
    one = Rakuten(config(shop), vault=vault(), pace=pace)
    assert len(pull(one)) == 1
    with pytest.raises(TryLater) as caught:
        pull(one)
    assert caught.value.retry_after is not None
    assert len(shop.loopback.asked) == 2


def test_the_end_of_the_key_is_learnt_every_day_and_shown(shop: Rms) -> None:
    keys = vault()
    one = opened(shop, keys)
    (page,) = one.pull("licence", Watermark(), None, NOW)
    assert (page.raws, page.cursor) == ((), None)
    assert keys.expires == {"license_key": shop.expires}
    assert keys.get("license_key") == KEY
    assert one.expiry() == shop.expires
    assert {s.name: s.interval_seconds for s in one.streams()}["licence"] == 24 * 3600


def test_a_shop_that_forbids_to_ask_for_the_end_still_gets_its_orders(shop: Rms) -> None:
    shop.expiry_allowed = False
    keys = vault()
    one = opened(shop, keys)
    (page,) = one.pull("licence", Watermark(), None, NOW)
    assert page.watermark is not None
    assert keys.expires == {}
    assert one.expiry() is None
    assert len(pull(one)) == 1


def test_an_end_that_cannot_be_read_is_unknown(shop: Rms) -> None:
    shop.loopback.faults.append(told({"expiryDate": "soon"}))
    assert opened(shop).expiry() is None


def test_no_log_line_shows_the_key(shop: Rms, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        one = opened(shop)
        one.expiry()
        shop.key = "SL000000_new"
        with pytest.raises(NeedsPerson):
            pull(one)
    said = "\n".join(str(record.__dict__) for record in caplog.records)
    assert KEY not in said
    assert SECRET not in said


@pytest.mark.parametrize("value", [5, 1.5, True, "x", {"x": 1}])
@pytest.mark.parametrize("name", ["orderNumberList", "OrderModelList"])
def test_a_list_that_is_none_is_asked_for_again_later(
    shop: Rms, name: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = opened(shop)
    plain = one._service.ask

    def ask(path: str, question: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = plain(path, question)
        return {**answer, name: value} if name in answer else answer

    monkeypatch.setattr(one._service, "ask", ask)
    with pytest.raises(TryLater, match=f"{name}"):
        pull(one)
