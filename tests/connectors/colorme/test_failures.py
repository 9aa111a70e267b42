"""Logins, refusals and trouble at Color Me Shop, and what they mean for the channel."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.colorme import credentials
from connectors.colorme.connector import ColorMe
from connectors.colorme.refusals import LANE
from connectors.contract import NeedsPerson, PaymentKind, TryLater, Watermark
from connectors.kit.live import LogsIn
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from tests.connectors.colorme.harness import config, opened, vault
from tests.connectors.colorme.stub import (
    CLIENT,
    REDIRECT,
    SECRET,
    TOKEN,
    ColorMeShop,
    failed,
    sale,
)
from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered, told, web_page

HOUR = timedelta(hours=1)
JSON = {"content-type": "application/json"}


@pytest.fixture
def shop() -> Iterator[ColorMeShop]:
    one = ColorMeShop(sale(1, NOW - HOUR))
    yield one
    one.loopback.stop()


def pull(one: ColorMe) -> list[str]:
    mark = Watermark((NOW - 2 * HOUR).isoformat())
    return [raw.external_id for page in one.pull("orders", mark, None, NOW) for raw in page.raws]


# --- logging in ------------------------------------------------------------------------------


def test_a_pasted_token_is_all_that_is_needed(shop: ColorMeShop) -> None:
    assert pull(opened(shop, MemoryVault({"access_token": TOKEN}))) == ["1"]


def test_a_login_brings_a_token_that_does_not_end(shop: ColorMeShop) -> None:
    keys = vault(access_token="")
    one = opened(shop, keys)
    assert isinstance(one, LogsIn)
    parts = urlsplit(one.login_url(REDIRECT, "state-1"))
    assert parts.path == "/oauth/authorize"
    assert dict(parse_qsl(parts.query)) == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": REDIRECT,
        "scope": "read_sales",
        "state": "state-1",
    }
    with pytest.raises(NeedsPerson, match="not entered"):
        pull(one)
    one.log_in("good-code", REDIRECT)
    assert (keys.get("access_token"), keys.expires["access_token"]) == ("access-token-0001", None)
    assert pull(one) == ["1"]


@pytest.mark.parametrize(
    ("code", "redirect", "changes"),
    [
        ("bad-code", REDIRECT, {}),
        ("good-code", "https://elsewhere.example", {}),
        ("good-code", REDIRECT, {"client_secret": "wrong"}),
    ],
)
def test_a_login_that_is_refused_leaves_the_old_token(
    shop: ColorMeShop, code: str, redirect: str, changes: dict[str, str]
) -> None:
    keys = vault(**changes)
    with pytest.raises(NeedsPerson, match="login could not be completed"):
        opened(shop, keys).log_in(code, redirect)
    assert keys.get("access_token") == TOKEN


@pytest.mark.parametrize("name", ["client_id", "client_secret"])
def test_a_login_without_the_app_says_what_is_missing(shop: ColorMeShop, name: str) -> None:
    with pytest.raises(NeedsPerson, match="not entered"):
        opened(shop, vault(**{name: ""})).log_in("good-code", REDIRECT)


@pytest.mark.parametrize("scope", ["read_products", "read_products write_sales"])
def test_a_login_that_grants_something_else_is_not_kept(shop: ColorMeShop, scope: str) -> None:
    keys, shop.scope = vault(), scope
    with pytest.raises(NeedsPerson, match="did not grant read_sales"):
        opened(shop, keys).log_in("good-code", REDIRECT)
    assert keys.get("access_token") == TOKEN


@pytest.mark.parametrize("scope", ["", "read_products read_sales"])
def test_a_scope_that_holds_more_or_is_unsaid_is_taken(shop: ColorMeShop, scope: str) -> None:
    keys, shop.scope = vault(), scope
    opened(shop, keys).log_in("good-code", REDIRECT)
    assert keys.get("access_token") == "access-token-0001"


@pytest.mark.parametrize(
    "answer",
    [
        web_page(503),
        web_page(200),
        Answered(200, b"{", JSON),
        Answered(200, b"{}", JSON),
        Answered(200, b'{"access_token": []}', JSON),
    ],
)
def test_trouble_at_the_token_desk_passes(shop: ColorMeShop, answer: Answered) -> None:
    keys = vault()
    shop.loopback.faults.append(answer)
    with pytest.raises(TryLater):
        opened(shop, keys).log_in("good-code", REDIRECT)
    assert keys.get("access_token") == TOKEN
    opened(shop, keys).log_in("good-code", REDIRECT)


def test_a_page_in_place_of_a_refused_login_needs_a_person(shop: ColorMeShop) -> None:
    shop.loopback.faults.append(web_page(403))
    with pytest.raises(NeedsPerson, match="HTTP 403"):
        opened(shop).log_in("good-code", REDIRECT)


# --- refusals --------------------------------------------------------------------------------


def test_a_token_the_shop_took_back_needs_a_person(shop: ColorMeShop) -> None:
    shop.tokens.clear()
    with pytest.raises(NeedsPerson, match="access token is refused") as caught:
        pull(opened(shop))
    assert "許可済みアプリケーション" in caught.value.remedy
    assert "401100" in caught.value.problem


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (failed(403, 403100), "right to read orders is missing"),
        (failed(404, 404100), "API is not there"),
        (failed(400, 400100), "question is refused"),
        (failed(422, 422100), "question is refused"),
        (web_page(401), "access token is refused"),
        (web_page(403), "right to read orders is missing"),
        (told({"errors": [{"code": 403100, "status": 403}]}), "right to read orders is missing"),
        (told({"errors": [{"code": [], "status": 401}]}), "question is refused"),
    ],
)
def test_refusals_say_what_a_person_must_do(shop: ColorMeShop, answer: Answered, said: str) -> None:
    shop.refused["/v1/sales.json"] = answer
    for ask in (pull, ColorMe.check):
        with pytest.raises(NeedsPerson, match=said) as caught:
            ask(opened(shop))
        assert caught.value.remedy
        assert "見本" not in str(caught.value), "the shop's own words may hold anything"


@pytest.mark.parametrize(
    "answer",
    [
        web_page(503),
        web_page(200),
        failed(500, 500100),
        failed(503, 503100),
        told({"errors": [{"code": 503100, "status": 503}]}),
        Answered(503, b"", {"retry-after": "7"}),
        Answered(200, b'{"sales": [', JSON),
        Answered(200, b'{"sales": 5}', JSON),
        Answered(200, b"[]", JSON),
        Answered(200, b"{nope}", JSON),
        Answered(200, b"0123456789", cut=5),
        Answered(200, b"{}", JSON, delay=1.2),
        told({"sales": [], "meta": {"total": 3}}),
    ],
)
def test_what_passes_by_itself_is_waited_for(shop: ColorMeShop, answer: Answered) -> None:
    shop.refused["/v1/sales.json"] = answer
    with pytest.raises(TryLater) as caught:
        pull(opened(shop, timeout=0.6))
    if answer.headers.get("retry-after"):
        assert caught.value.retry_after == 7
    shop.refused.clear()
    assert pull(opened(shop)) == ["1"]


def test_trouble_with_the_payment_methods_comes_before_any_order_is_told(
    shop: ColorMeShop,
) -> None:
    shop.refused["/v1/payments.json"] = web_page(503)
    with pytest.raises(TryLater):
        pull(opened(shop))
    shop.refused.clear()
    assert pull(opened(shop)) == ["1"]


@pytest.mark.parametrize(
    ("answer", "wait"),
    [(None, 60), (Answered(429, b"", {"retry-after": "7"}), 7)],
)
def test_asking_too_often_closes_the_lane_for_all_workers(
    shop: ColorMeShop, answer: Answered | None, wait: int
) -> None:
    shop.calls_left = 0 if answer is None else 100
    if answer:
        shop.loopback.faults.append(answer)
    pace = LocalPace({LANE: (1e6, 1e6)})
    with pytest.raises(TryLater, match="429") as caught:
        pull(ColorMe(config(shop), vault=vault(), pace=pace))
    assert caught.value.retry_after == wait
    asked = len(shop.loopback.asked)
    with pytest.raises(TryLater):
        pull(ColorMe(config(shop), vault=vault(), pace=pace))
    assert len(shop.loopback.asked) == asked


def test_the_lane_stays_below_what_a_minute_allows() -> None:
    rate, burst = ColorMe.LANES[LANE]
    assert burst + rate * 60 < 120


# --- settings and secrets --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"page_size": "many"}, "page_size"),
        ({"page_size": 1}, "page_size"),
        ({"page_size": 101}, "page_size"),
        ({"payment_map": {"751": "barter"}}, "payment_map"),
        ({"payment_map": "card"}, "payment_map"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    shop: ColorMeShop, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(NeedsPerson, match=said) as caught:
        opened(shop, **settings)
    assert said == "page_size" or PaymentKind.CARD in caught.value.remedy


def test_a_begin_that_is_no_time_is_named(shop: ColorMeShop) -> None:
    with pytest.raises(NeedsPerson, match="since"):
        pull(opened(shop, since="last year"))


def test_no_secret_is_logged_by_a_login_or_a_poll(
    shop: ColorMeShop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.refused["/v1/payments.json"] = failed(403, 403100)
    with caplog.at_level(logging.DEBUG):
        one = opened(shop)
        one.log_in("good-code", REDIRECT)
        pull(one)
    logged = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "http_answered" in logged
    assert "colorme_payments_refused" in logged
    for secret in (SECRET, TOKEN, "access-token-0001", "good-code", "hanako", "見本"):
        assert secret not in logged


def test_credentials_say_where_they_are_found_and_that_none_of_them_ends() -> None:
    assert all(one.where and one.where_en for one in credentials.ALL)
    assert [one.name for one in credentials.ALL if one.lifetime_days] == []
    assert [one.name for one in credentials.ALL if one.by_login] == ["access_token"]
    assert [one.name for one in credentials.ALL if not one.optional] == ["access_token"]
    assert len(credentials.WARNINGS) == len(credentials.WARNINGS_EN)


def test_mapping_needs_no_credentials(shop: ColorMeShop) -> None:
    one = ColorMe(config(shop), vault=MemoryVault({}), pace=LocalPace({}))
    assert one.streams()
    with pytest.raises(NeedsPerson, match="not entered"):
        one.check()
