"""Tokens, points, refusals with HTTP 200, broken answers and webhooks, over real HTTP."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import ConnectorError, NeedsPerson, TryLater, Watermark
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from connectors.registry import open_connector
from connectors.shopify.connector import Shopify
from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered, told, web_page
from tests.connectors.shopify.harness import config, opened, updated
from tests.connectors.shopify.stub import CLIENT, SECRET, TOKEN, ShopifyShop, order

APP = {"client_id": CLIENT, "client_secret": SECRET}


def read(connector: Shopify) -> int:
    return sum(len(p.raws) for p in connector.pull("orders", Watermark(), None, NOW))


def problem(connector: Shopify) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        read(connector)
    return caught.value


def shop_of(count: int) -> ShopifyShop:
    return ShopifyShop(*(order(n, updated(n)) for n in range(1, count + 1)))


def tokens_asked(shop: ShopifyShop) -> int:
    return sum(asked.path.endswith("access_token") for asked in shop.loopback.asked)


# --- tokens ------------------------------------------------------------------------------------


def test_an_app_fetches_its_token_once_and_keeps_it() -> None:
    shop, vault = shop_of(1), MemoryVault(APP)
    assert read(opened(shop, vault)) == 1
    assert read(opened(shop, vault)) == 1
    assert tokens_asked(shop) == 1
    assert vault.expires["session_token"] is None


def test_a_token_near_its_end_is_renewed_ahead() -> None:
    shop, vault = shop_of(1), MemoryVault(APP)
    read(opened(shop, vault))
    vault.values["session_token_until"] = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    read(opened(shop, vault))
    assert tokens_asked(shop) == 2


def test_a_token_revoked_in_between_is_renewed_and_the_call_repeated() -> None:
    shop, vault = shop_of(1), MemoryVault(APP)
    read(opened(shop, vault))
    shop.token = "revoked"
    assert read(opened(shop, vault)) == 1
    assert tokens_asked(shop) == 2


def test_a_token_that_another_worker_renewed_is_taken_over() -> None:
    shop = shop_of(1)

    class Busy(MemoryVault):
        @contextmanager
        def refreshing(self) -> Iterator[bool]:
            self.put("session_token_until", (datetime.now(UTC) + timedelta(days=1)).isoformat())
            self.put("session_token", shop.token)
            yield False

    assert read(opened(shop, Busy(APP))) == 1
    assert tokens_asked(shop) == 0


def test_a_wrong_secret_of_the_app_needs_a_person() -> None:
    found = problem(opened(shop_of(1), MemoryVault(APP | {"client_secret": "shpss_no"})))
    assert isinstance(found, NeedsPerson)
    assert "same organisation" in found.remedy


def test_a_revoked_fixed_token_needs_a_person() -> None:
    found = problem(opened(shop_of(1), MemoryVault({"access_token": "shpat_old"})))
    assert isinstance(found, NeedsPerson)
    assert "Enter the token again" in found.remedy


@pytest.mark.parametrize(("values", "label"), [({}, "Client ID"), ({"client_id": "x"}, "secret")])
def test_what_is_not_entered_is_named(values: dict[str, str], label: str) -> None:
    found = problem(opened(shop_of(1), MemoryVault(values)))
    assert isinstance(found, NeedsPerson)
    assert label in found.problem


# --- points --------------------------------------------------------------------------------------


def test_a_throttled_answer_with_http_200_is_waited_for_and_asked_again() -> None:
    shop = shop_of(30)
    shop.points, shop.restore, shop.page_cost = 20.0, 400.0, 20.0
    assert read(opened(shop)) == 30


def test_a_long_wait_for_points_frees_the_worker() -> None:
    shop = shop_of(30)
    shop.points, shop.page_cost = 110.0, 20.0  # nothing comes back while it is asked
    found = problem(opened(shop))
    assert isinstance(found, TryLater)
    assert found.retry_after is not None
    assert 1 <= found.retry_after <= 10


def test_what_shopify_says_of_its_points_is_learnt() -> None:
    class Noted(LocalPace):
        def learn(
            self, lane: str, *, left: float | None = None, restore_per_second: float = 0.0
        ) -> None:
            seen.append((lane, left, restore_per_second))

    seen: list[tuple[str, float | None, float]] = []
    pace = Noted(Shopify.LANES)
    read(Shopify(config(shop_of(1)), vault=MemoryVault({"access_token": TOKEN}), pace=pace))
    assert seen[0] == ("points", 990.0, 100.0)


def test_a_page_that_costs_too_much_is_made_smaller() -> None:
    shop = shop_of(30)
    shop.page_cost, shop.restore = 90.0, 1000.0
    assert read(opened(shop)) == 30
    firsts = [sent["first"] for _, sent in shop.sent() if "first" in sent]
    assert firsts[:3] == [20, 10, 10]


def test_an_order_that_costs_too_much_alone_needs_a_person() -> None:
    shop = shop_of(1)
    shop.page_cost = 2000.0
    assert isinstance(problem(opened(shop)), NeedsPerson)


# --- refusals ------------------------------------------------------------------------------------


def errors(code: str) -> list[dict[str, Any]]:
    return [{"message": "hanako@example.jp 09000000000", "extensions": {"code": code}}]


def test_a_denied_field_with_http_200_needs_a_person_and_names_nobody() -> None:
    shop = shop_of(1)
    shop.errors.append(errors("ACCESS_DENIED"))
    found = problem(opened(shop))
    assert isinstance(found, NeedsPerson)
    assert "read_customers" in found.remedy
    assert "hanako" not in found.problem


@pytest.mark.parametrize(
    ("code", "kind"),
    [("INTERNAL_SERVER_ERROR", TryLater), ("TIMEOUT", TryLater), ("undefinedField", NeedsPerson)],
)
def test_errors_inside_an_answer_are_sorted(code: str, kind: type[ConnectorError]) -> None:
    shop = shop_of(1)
    shop.errors.append(errors(code))
    assert isinstance(problem(opened(shop)), kind)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (402, NeedsPerson),
        (403, NeedsPerson),
        (404, NeedsPerson),
        (423, NeedsPerson),
        (430, NeedsPerson),
        (500, TryLater),
        (502, TryLater),
    ],
)
def test_statuses_are_sorted(status: int, kind: type[ConnectorError]) -> None:
    shop = shop_of(1)
    shop.loopback.faults.append(told({"errors": "x"}, status))
    assert isinstance(problem(opened(shop)), kind)


@pytest.mark.parametrize(
    "fault",
    [
        web_page(200),
        Answered(200, b""),
        Answered(200, b'{"data": {"shop": {}}}', cut=5),
        Answered(200, b'{"data": tru'),
        Answered(200, b"{]"),
        told([]),
        told({"extensions": {}}),
        told({"data": None, "extensions": {"cost": "odd"}}),
    ],
)
def test_an_answer_that_is_none_waits_and_moves_nothing(fault: Answered) -> None:
    shop = shop_of(1)
    shop.loopback.faults.append(fault)
    connector = opened(shop)
    assert isinstance(problem(connector), TryLater)
    assert read(connector) == 1


def test_a_limit_with_a_time_closes_the_lane_for_everybody() -> None:
    shop = shop_of(1)
    shop.loopback.faults.append(Answered(429, b"", {"retry-after": "120"}))
    connector = opened(shop)
    found = problem(connector)
    assert isinstance(found, TryLater)
    assert found.retry_after == 120
    assert isinstance(problem(connector), TryLater)
    assert len(shop.loopback.asked) == 1


def test_a_slow_or_silent_shop_is_left_alone() -> None:
    shop = shop_of(1)
    shop.loopback.faults.append(Answered(200, b"{}", delay=1.5))
    assert isinstance(problem(opened(shop, timeout=1)), TryLater)
    shop.loopback.stop()
    assert isinstance(problem(opened(shop)), TryLater)


# --- check, webhooks, settings -----------------------------------------------------------------


def test_the_check_names_the_shop_and_what_cannot_be_read() -> None:
    shop = shop_of(1)
    assert opened(shop).check() == "「見本ストア」につながりました。Connected to '見本ストア'."
    shop.scopes = ["read_orders", "read_customers"]
    assert "last 60 days" in opened(shop).check()
    shop.version, shop.loopback.clock_offset = "2027-01", timedelta(minutes=40)
    assert "2026-10 has ended; 2027-01 answers" in opened(shop).check()
    assert "differ by 40 min" in opened(shop).check()
    shop.scopes = ["read_orders"]
    with pytest.raises(NeedsPerson, match="lacks read_customers"):
        opened(shop).check()


def test_a_wrong_clock_of_ours_ends_the_window_at_shopifys_time() -> None:
    shop = shop_of(1)
    shop.loopback.clock_offset = timedelta(minutes=-40)
    last = list(opened(shop).pull("orders", Watermark(), None, NOW))[-1]
    assert last.watermark is not None
    assert (last.watermark.value or "")[:16] in {"2026-11-20T02:19", "2026-11-20T02:20"}


def test_a_webhook_is_believed_by_its_signature_over_the_raw_bytes() -> None:
    connector = opened(shop_of(1), MemoryVault(APP))
    body = '{"id":1,"note":"é"}'.encode()
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    signed = {"x-shopify-hmac-sha256": base64.b64encode(digest).decode()}
    assert connector.webhook(signed, body) is True
    assert connector.webhook(signed | {"x-shopify-shop-domain": "sample.myshopify.com"}, body)
    assert not connector.webhook(signed | {"x-shopify-shop-domain": "other.myshopify.com"}, body)
    assert connector.webhook(signed, body + b" ") is False
    assert connector.webhook({"x-shopify-hmac-sha256": "é"}, body) is False
    assert connector.webhook({}, body) is False
    assert opened(shop_of(1)).webhook(signed, body) is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shop", "sample"),
        ("shop", "https://sample.myshopify.com"),
        ("api_version", "latest"),
        ("base_url", "sample"),
        ("page_size", 500),
        ("page_size", "many"),
        ("attributes", {"total": "x"}),
        ("attributes", "kana"),
        ("payment_map", {"paidy": "gold"}),
    ],
)
def test_a_setting_nobody_can_use_is_named(name: str, value: Any) -> None:
    with pytest.raises(NeedsPerson, match=name):
        opened(shop_of(1), None, **{name: value})


def test_it_is_opened_by_its_kind() -> None:
    assert isinstance(open_connector(config(shop_of(1))), Shopify)


def test_a_costly_page_is_read_at_half_pace_too() -> None:
    class Half(LocalPace):
        def take(self, lane: str, cost: float = 1.0) -> None:
            super().take(lane, cost * 2)

    shop = shop_of(1)
    shop.page_cost, shop.restore = 45.0, 1000.0  # 910 points for a page of twenty
    keys = MemoryVault({"access_token": TOKEN})
    for _ in range(2):
        connector = Shopify(config(shop), vault=keys, pace=Half(Shopify.LANES))
        assert read(connector) == 1
