"""Keys, signatures, notices, shields, limits and broken answers, over real HTTP."""

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import pytest

from connectors.contract import ConnectorError, NeedsPerson, TryLater, Watermark
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from connectors.registry import open_connector
from connectors.woocommerce.connector import WooCommerce
from connectors.woocommerce.signing import signature
from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered, told, web_page
from tests.connectors.woocommerce.harness import config, modified, opened
from tests.connectors.woocommerce.stub import KEY, SECRET, WooShop, row


def read(connector: WooCommerce) -> int:
    return sum(len(p.raws) for p in connector.pull("orders", Watermark(), None, NOW))


def problem(connector: WooCommerce) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        read(connector)
    return caught.value


def test_over_http_requests_are_signed_and_no_secret_travels() -> None:
    shop = WooShop(row(1, modified(1)))
    assert read(opened(shop)) == 1
    sent = str([(asked.query, asked.headers) for asked in shop.loopback.asked])
    assert SECRET not in sent


def test_a_signature_is_that_of_rfc_5849() -> None:
    # Made once by hand: base string and key put through `openssl dgst -sha256 -hmac`.
    params = {"b": "2 + 2", "a": "ü&=", "oauth_nonce": "n"}
    base = (
        "GET&http%3A%2F%2Fshop.example%2Fwp-json%2Fwc%2Fv3%2Forders"
        "&a%3D%25C3%25BC%2526%253D%26b%3D2%2520%252B%25202%26oauth_nonce%3Dn"
    )
    wanted = base64.b64encode(hmac.new(b"cs_x&", base.encode(), hashlib.sha256).digest()).decode()
    url = "http://shop.example/wp-json/wc/v3/orders"
    assert signature("get", url, params, "cs_x") == wanted


@pytest.mark.parametrize("auth", ["basic", "query"])
def test_a_shop_behind_https_takes_the_keys_as_they_are(auth: str) -> None:
    shop = WooShop(row(1, modified(1)))
    shop.https = True
    assert read(opened(shop, auth=auth)) == 1


def test_plain_permalinks_ask_by_argument() -> None:
    shop = WooShop()
    problem(opened(shop, plain_permalinks=True))
    asked = shop.loopback.asked[0]
    assert (asked.path, asked.query["rest_route"]) == ("/", "/wc/v3/orders")


def test_a_wrong_secret_pauses_and_says_where_to_get_a_new_key() -> None:
    shop = WooShop()
    shop.secret = "cs_other"
    found = problem(opened(shop))
    assert isinstance(found, NeedsPerson)
    assert "woocommerce_rest_authentication_error" in found.problem
    assert "REST API" in found.remedy


def test_a_wrong_clock_is_told_as_that() -> None:
    shop = WooShop()
    shop.loopback.clock_offset = timedelta(hours=-2)
    found = problem(opened(shop))
    assert isinstance(found, NeedsPerson)
    assert "-120 min" in found.problem


def test_a_missing_key_says_where_the_shop_finds_it() -> None:
    found = problem(opened(WooShop(), MemoryVault({})))
    assert isinstance(found, NeedsPerson)
    assert "Add key" in found.remedy


def test_an_address_without_the_api_is_told() -> None:
    shop = WooShop()
    shop.loopback.faults.append(web_page(404))
    found = problem(opened(shop))
    assert isinstance(found, NeedsPerson)
    assert "plain_permalinks" in found.remedy


@pytest.mark.parametrize(
    "fault",
    [
        web_page(200),
        web_page(403),
        web_page(502),
        Answered(200, b""),
        Answered(200, b'[{"id": 1, "meta_data": []}]', cut=10),
        Answered(200, b'Notice: x in y.php\n[{"id": 1, "refunds": []'),
        told({"orders": []}),
        told([], x_wp_total="3"),
        told([], 500),
    ],
)
def test_an_answer_that_is_none_waits_and_moves_nothing(fault: Answered) -> None:
    shop = WooShop(row(1, modified(1)))
    connector = opened(shop)
    pull = connector.pull("orders", Watermark(), None, NOW)
    shop.loopback.faults.extend([told([], x_wp_total="0"), fault])
    with pytest.raises(TryLater):
        list(pull)
    assert read(connector) == 1


def test_a_slow_shop_is_left_alone() -> None:
    shop = WooShop()
    shop.loopback.faults.append(Answered(200, b"[]", delay=1.5))
    assert isinstance(problem(opened(shop, timeout=1)), TryLater)


@pytest.mark.parametrize("status", [429, 503])
def test_a_limit_with_a_time_closes_the_lane_for_everybody(status: int) -> None:
    shop = WooShop()
    shop.loopback.faults.append(Answered(status, b"", {"retry-after": "120"}))
    pace = LocalPace({"requests": (100.0, 100.0)})
    keys = MemoryVault({"consumer_key": KEY, "consumer_secret": SECRET})
    connector = WooCommerce(config(shop), vault=keys, pace=pace)
    found = problem(connector)
    assert isinstance(found, TryLater)
    assert found.retry_after == 120
    with pytest.raises(TryLater):
        pace.take("requests")
    assert len(shop.loopback.asked) == 1


def test_a_notice_and_a_mark_before_the_data_do_not_matter() -> None:
    shop = WooShop(row(1, modified(1)))
    shop.notice = b"\xef\xbb\xbf<br />\n<b>Notice</b>: Undefined index [x] in /a.php\n"
    assert read(opened(shop)) == 1


def test_an_unreachable_shop_waits() -> None:
    shop = WooShop()
    shop.loopback.stop()
    assert isinstance(problem(opened(shop)), TryLater)


def test_the_check_counts_orders_and_tells_a_wrong_clock() -> None:
    shop = WooShop(row(1, modified(1)), row(2, modified(2)))
    assert opened(shop).check() == "つながりました (注文 2 件)。Connected: 2 orders."
    shop.https, shop.loopback.clock_offset = True, timedelta(minutes=40)
    assert "differ by 40 min" in opened(shop, auth="basic").check()


def test_a_webhook_is_believed_by_its_signature_over_the_raw_bytes() -> None:
    vault = MemoryVault({"webhook_secret": "秘密"})
    connector = opened(WooShop(), vault)
    body = '{"id":1,"note":"é"}'.encode()
    digest = hmac.new("秘密".encode(), body, hashlib.sha256).digest()
    headers = {"x-wc-webhook-signature": base64.b64encode(digest).decode()}
    assert connector.webhook(headers, body) is True
    assert connector.webhook(headers, body + b" ") is False
    assert connector.webhook({"x-wc-webhook-signature": "é"}, body) is False
    assert connector.webhook({}, b"webhook_id=1") is False
    assert opened(WooShop()).webhook(headers, body) is False


def test_the_trial_of_a_new_webhook_is_known_as_that() -> None:
    connector = opened(WooShop())
    assert connector.is_ping({}, b"webhook_id=1") is True
    assert connector.is_ping({"x-wc-webhook-signature": "x"}, b"webhook_id=1") is False
    assert connector.is_ping({}, b"webhook_id=1&x=2") is False
    assert connector.is_ping({}, b'{"id":1}') is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("base_url", "shop.example"),
        ("auth", "digest"),
        ("read_by", "luck"),
        ("page_size", 500),
        ("page_size", "many"),
        ("status_map", {"shipped": "sent"}),
        ("status_map", "shipped"),
        ("payment_map", {"linepay": "gold"}),
        ("meta_keys", {"total": "_x"}),
        ("kana_keys", ["_yomi"]),
    ],
)
def test_a_setting_nobody_can_use_is_named(name: str, value: Any) -> None:
    with pytest.raises(NeedsPerson, match=name):
        opened(WooShop(), None, **{name: value})


def test_it_is_opened_by_its_kind() -> None:
    assert isinstance(open_connector(config(WooShop())), WooCommerce)
