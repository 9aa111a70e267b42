"""Tokens, settings, and what an EC-CUBE shop's refusals mean for the channel."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.contract import ChannelConfig, Family, NeedsPerson, TryLater, Watermark
from connectors.eccube4 import credentials
from connectors.eccube4.client import LANE
from connectors.eccube4.connector import EcCube4
from connectors.kit.live import LogsIn
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from tests.connectors.eccube4.harness import config, opened, vault
from tests.connectors.eccube4.stub import CLIENT, REDIRECT, REFRESH, SECRET, CubeShop, order
from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered, told, web_page
from worker.pipeline.channel_admin import asked_settings

HOUR = timedelta(hours=1)
JSON = {"content-type": "application/json"}


@pytest.fixture
def shop() -> Iterator[CubeShop]:
    one = CubeShop(order(1, NOW - HOUR / 2))
    yield one
    one.loopback.stop()


def pull(one: EcCube4) -> list[str]:
    mark = Watermark((NOW - HOUR).isoformat())
    return [raw.external_id for page in one.pull("orders", mark, None, NOW) for raw in page.raws]


def bought(shop: CubeShop) -> int:
    return sum(asked.path == "/token" for asked in shop.loopback.asked)


def logged_in(shop: CubeShop) -> MemoryVault:
    """Somebody has just logged in: the next question needs no new token."""
    keys = vault()
    opened(shop, keys)._client.tokens.access()
    return keys


# --- tokens ----------------------------------------------------------------------------------


def test_the_first_question_buys_a_token_and_the_next_ones_use_it(shop: CubeShop) -> None:
    keys = vault()
    assert pull(opened(shop, keys)) == ["1"]
    assert pull(opened(shop, keys)) == ["1"]
    assert bought(shop) == 1
    assert keys.get("access_token") == "access-token-0001"


def test_each_refresh_keeps_the_new_refresh_token_and_when_it_ends(shop: CubeShop) -> None:
    keys = logged_in(shop)
    assert keys.get("refresh_token") == shop.refresh_token != REFRESH
    ends = keys.expires["refresh_token"]
    assert ends is not None
    assert abs(ends - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    assert keys.expires["access_token"] is None, "an hour's token is nothing to warn about"


def test_the_new_refresh_token_is_kept_before_anything_else(shop: CubeShop) -> None:
    kept: list[str] = []

    class Watched(MemoryVault):
        def put(self, name: str, value: str, expires_at: datetime | None = None) -> None:
            kept.append(name)
            super().put(name, value, expires_at)

    pull(opened(shop, Watched(vault().values)))
    assert kept[0] == "refresh_token"


@pytest.mark.parametrize("minutes", [-60, 4])
def test_a_token_at_its_end_is_renewed_before_it_is_used(shop: CubeShop, minutes: int) -> None:
    keys = logged_in(shop)
    ends = datetime.now(UTC) + timedelta(minutes=minutes)
    keys.put("access_token_until", ends.isoformat())
    assert pull(opened(shop, keys)) == ["1"]
    assert (bought(shop), keys.get("access_token")) == (2, "access-token-0002")


def test_a_token_that_is_refused_is_bought_anew_once(shop: CubeShop) -> None:
    keys = logged_in(shop)
    shop.access_tokens = []
    assert pull(opened(shop, keys)) == ["1"]
    assert bought(shop) == 2
    shop.loopback.faults.extend([Answered(401), told({"access_token": "t"}), Answered(401)])
    with pytest.raises(NeedsPerson, match="does not accept the login") as caught:
        pull(opened(shop, keys))
    assert "Authorization" in caught.value.remedy


def test_a_token_that_another_worker_bought_is_taken_over(shop: CubeShop) -> None:
    keys = vault()
    keys.put("access_token", "access-token-new")
    assert opened(shop, keys)._client.tokens.renewed("access-token-old") == "access-token-new"
    assert bought(shop) == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"client_secret": "wrong"}, "client id or its secret"),
        ({"refresh_token": "ended"}, "login at EC-CUBE has ended"),
        ({"refresh_token": ""}, "not entered"),
        ({"client_id": ""}, "not entered"),
    ],
)
def test_what_is_wrong_with_a_login_is_said(
    shop: CubeShop, changes: dict[str, str], said: str
) -> None:
    with pytest.raises(NeedsPerson, match=said) as caught:
        pull(opened(shop, vault(**changes)))
    assert "見本" not in str(caught.value), "the shop's own words may hold anything"


def test_a_login_fills_the_vault(shop: CubeShop) -> None:
    keys = vault(refresh_token="")
    one = opened(shop, keys, admin_path="/back-office/")
    assert isinstance(one, LogsIn)
    parts = urlsplit(one.login_url(REDIRECT, "state-1"))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{shop.url}/back-office/authorize"
    assert dict(parse_qsl(parts.query)) == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": REDIRECT,
        "scope": "read",
        "state": "state-1",
    }
    one.log_in("good-code", REDIRECT)
    assert pull(one) == ["1"]
    assert keys.get("redirect_uri") == REDIRECT
    with pytest.raises(NeedsPerson, match="invalid_grant"):
        one.log_in("bad-code", REDIRECT)


@pytest.mark.parametrize(
    "answer",
    [
        web_page(503),
        web_page(200),
        Answered(200, b"{", JSON),
        Answered(200, b"{}", JSON),
        Answered(200, b'{"access_token": []}', JSON),
        Answered(200, b"{nope}", JSON),
        Answered(500),
    ],
)
def test_trouble_at_the_token_desk_passes(shop: CubeShop, answer: Answered) -> None:
    keys = vault()
    shop.loopback.faults.append(answer)
    with pytest.raises(TryLater):
        pull(opened(shop, keys))
    assert keys.get("refresh_token") == REFRESH
    assert pull(opened(shop, keys)) == ["1"]


def test_a_shop_without_the_plugin_says_so_at_the_token_desk(shop: CubeShop) -> None:
    shop.loopback.faults.append(web_page(404))
    with pytest.raises(NeedsPerson, match="no Web API at this address"):
        pull(opened(shop))


# --- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "said", "remedy"),
    [
        (301, "forwards to another address", "base_url"),
        (302, "forwards to another address", "base_url"),
        (400, "refuses the question", "plugin"),
        (403, "server refuses the connection", "read"),
        (404, "no Web API at this address", "base_url"),
    ],
)
def test_a_refusal_says_what_a_person_must_do(
    shop: CubeShop, status: int, said: str, remedy: str
) -> None:
    keys = logged_in(shop)
    shop.loopback.faults.append(web_page(status))
    with pytest.raises(NeedsPerson, match=said) as caught:
        pull(opened(shop, keys))
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("Insufficient permission. (read)", "scope read"),
        ('Cannot query field "use_point" on type "Order".', "Update the Web API plugin"),
        ("update_datetime_start: 有効な日時ではありません。;", "Update the Web API plugin"),
    ],
)
def test_an_error_inside_an_answer_says_what_a_person_must_do(
    shop: CubeShop, message: str, remedy: str
) -> None:
    keys = logged_in(shop)
    shop.loopback.faults.append(told({"errors": [{"message": message}]}))
    with pytest.raises(NeedsPerson) as caught:
        opened(shop, keys).check()
    assert message in caught.value.problem
    assert remedy in caught.value.remedy


def test_a_client_without_the_scope_is_told_to_a_person(shop: CubeShop) -> None:
    shop.scope = "write"
    with pytest.raises(NeedsPerson, match="may not read orders"):
        opened(shop).check()


@pytest.mark.parametrize(
    "answer",
    [
        web_page(503),
        web_page(200),
        Answered(500),
        Answered(429, headers={"retry-after": "7"}),
        Answered(200, b'{"data": {', JSON),
        Answered(200, b'{"data": 5}', JSON),
        Answered(200, b"[]", JSON),
        Answered(200, b"{nope}", JSON),
        Answered(200, b"0123456789", cut=5),
        told({"errors": [{"message": "Internal server error", "path": ["orders"]}]}),
        Answered(200, b"{}", JSON, delay=1.2),
    ],
)
def test_what_passes_by_itself_is_waited_for(shop: CubeShop, answer: Answered) -> None:
    keys = logged_in(shop)
    shop.loopback.faults.append(answer)
    with pytest.raises(TryLater) as caught:
        pull(opened(shop, keys, timeout=1))
    assert caught.value.retry_after == (7 if answer.status == 429 else None)
    assert pull(opened(shop, keys)) == ["1"]


@pytest.mark.parametrize(
    "orders",
    [
        None,
        [],
        {"nodes": None, "totalCount": 1},
        {"nodes": [], "totalCount": None},
        {"nodes": [], "totalCount": 3},
    ],
)
def test_an_answer_without_all_its_orders_is_not_believed(shop: CubeShop, orders: Any) -> None:
    keys = logged_in(shop)
    shop.loopback.faults.extend([told({"data": {}}), told({"data": {"orders": orders}})])
    with pytest.raises(TryLater, match=r"list of orders|not whole"):
        pull(opened(shop, keys))


def test_a_busy_shop_closes_the_lane_for_all_workers(shop: CubeShop) -> None:
    keys, pace = logged_in(shop), LocalPace({LANE: (1e6, 1e6)})
    shop.loopback.faults.append(Answered(503, headers={"retry-after": "60"}))
    with pytest.raises(TryLater):
        pull(EcCube4(config(shop), vault=keys, pace=pace))
    asked = len(shop.loopback.asked)
    with pytest.raises(TryLater):
        pull(EcCube4(config(shop), vault=keys, pace=pace))
    assert len(shop.loopback.asked) == asked


def test_an_unreachable_shop_is_tried_later() -> None:
    shop = CubeShop()
    shop.loopback.stop()
    with pytest.raises(TryLater):
        pull(opened(shop))


# --- settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"base_url": ""}, "base_url"),
        ({"base_url": "shop.example.com"}, "base_url"),
        ({"base_url": "ftp://shop.example.com"}, "base_url"),
        ({"base_url": "http://shop.example.com"}, "https"),
        ({"base_url": "http://127.0.0.1.example.com"}, "https"),
        ({"base_url": "https://staff:word@shop.example.com"}, "base_url"),
        ({"base_url": "https://shop.example.com/?a=1"}, "base_url"),
        ({"admin_path": "../x"}, "admin_path"),
        ({"admin_path": "a?b=c"}, "admin_path"),
        ({"search_by": "week"}, "search_by"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": "many"}, "page_size"),
        ({"reread_days": 400}, "reread_days"),
        ({"status_map": "5=shipped"}, "status_map"),
        ({"status_map": {"10": "open/sent/-"}}, "status_map"),
        ({"status_map": {"10": "open"}}, "status_map"),
        ({"payment_map": {"掛売": "credit"}}, "payment_map"),
        ({"currency": "YEN"}, "currency"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(settings: dict[str, Any], named: str) -> None:
    sound = {"base_url": "https://shop.example.com"}
    told_config = ChannelConfig("own:cube", "eccube4", Family.OWN, sound | settings)
    with pytest.raises(NeedsPerson, match=named):
        EcCube4(told_config, vault=vault(), pace=LocalPace({}))


@pytest.mark.parametrize(
    "base_url",
    ["https://shop.example.com/cube/", "http://127.0.0.1:8080", "http://localhost", "http://[::1]"],
)
def test_an_address_may_be_https_or_this_machine(base_url: str) -> None:
    told_config = ChannelConfig("own:cube", "eccube4", Family.OWN, {"base_url": base_url})
    one = EcCube4(told_config, vault=vault(), pace=LocalPace({}))
    wanted = f"{base_url.rstrip('/')}/admin/authorize?"
    assert one.login_url(REDIRECT, "s").startswith(wanted)


# --- what must not leak, and what is declared ------------------------------------------------


def test_no_secret_is_logged_when_tokens_are_bought(
    shop: CubeShop, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        pull(opened(shop))
    logged = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "http_answered" in logged
    for secret in (SECRET, REFRESH, "token-0001", "refresh-0001", "hanako", "見本"):
        assert secret not in logged


def test_credentials_say_where_they_are_found_and_what_lasts_how_long() -> None:
    assert all(one.where and one.where_en for one in credentials.ALL)
    lasting = {one.name: one.lifetime_days for one in credentials.ALL if one.lifetime_days}
    assert lasting == {"refresh_token": 30}
    assert [one.name for one in credentials.ALL if one.by_login] == ["refresh_token"]
    settings = asked_settings("eccube4")
    assert [one.name for one in settings] == ["base_url", "admin_path", "search_by"]
    assert not any(one.secret for one in settings)
    assert len(credentials.WARNINGS) == len(credentials.WARNINGS_EN)


def test_mapping_needs_no_credentials(shop: CubeShop) -> None:
    one = EcCube4(config(shop), vault=MemoryVault({}), pace=LocalPace({}))
    assert one.streams()
    with pytest.raises(NeedsPerson, match="not entered"):
        one.check()
