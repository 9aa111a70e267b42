"""Tokens, quotas, and what BASE's refusals mean for the channel."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.contract import NeedsPerson, TryLater, Watermark
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from connectors.thebase import credentials
from connectors.thebase.connector import Base
from connectors.thebase.refusals import LANE, later
from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered, web_page
from tests.connectors.thebase.harness import config, opened, vault
from tests.connectors.thebase.stub import CLIENT, REDIRECT, REFRESH, SECRET, BaseShop, key, order

HOUR = timedelta(hours=1)


@pytest.fixture
def shop() -> Iterator[BaseShop]:
    one = BaseShop(order(1, NOW - HOUR))
    yield one
    one.loopback.stop()


def pull(one: Base) -> list[str]:
    mark = Watermark((NOW - 2 * HOUR).isoformat())
    return [raw.external_id for page in one.pull("orders", mark, None, NOW) for raw in page.raws]


def bought(shop: BaseShop) -> int:
    return sum(asked.path == "/1/oauth/token" for asked in shop.loopback.asked)


def test_the_first_question_buys_a_token_and_the_next_ones_use_it(shop: BaseShop) -> None:
    keys = vault()
    assert pull(opened(shop, keys)) == [key(1)]
    assert pull(opened(shop, keys)) == [key(1)]
    assert bought(shop) == 1
    assert keys.get("access_token") == "access-token-0001"


def test_each_refresh_keeps_the_new_refresh_token_and_when_it_ends(shop: BaseShop) -> None:
    keys = vault()
    pull(opened(shop, keys))
    assert keys.get("refresh_token") == shop.refresh_token != REFRESH
    ends = keys.expires["refresh_token"]
    assert ends is not None
    assert abs(ends - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    assert keys.expires["access_token"] is None, "an hour's token is nothing to warn about"


@pytest.mark.parametrize("minutes", [-60, 4])
def test_a_token_at_its_end_is_renewed_before_it_is_used(shop: BaseShop, minutes: int) -> None:
    keys = vault()
    pull(opened(shop, keys))
    ends = datetime.now(UTC) + timedelta(minutes=minutes)
    keys.put("access_token_until", ends.isoformat())
    assert pull(opened(shop, keys)) == [key(1)]
    assert (bought(shop), keys.get("access_token")) == (2, "access-token-0002")


def test_a_token_that_is_refused_is_bought_anew_once(shop: BaseShop) -> None:
    keys = vault()
    pull(opened(shop, keys))
    shop.access_tokens = []
    assert pull(opened(shop, keys)) == [key(1)]
    assert bought(shop) == 2
    shop.error = "invalid_request"
    with pytest.raises(NeedsPerson, match="invalid_request"):
        pull(opened(shop, keys))
    assert bought(shop) == 3


def test_a_token_that_another_worker_bought_is_taken_over(shop: BaseShop) -> None:
    keys = vault()
    tokens = opened(shop, keys)._service.tokens
    keys.put("access_token", "access-token-new")
    assert tokens.renewed("access-token-old") == "access-token-new"
    assert bought(shop) == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"client_secret": "wrong"}, "client id or its secret"),
        ({"refresh_token": "ended"}, "login at BASE has ended"),
        ({"redirect_uri": "https://elsewhere.example"}, "login at BASE has ended"),
        ({"refresh_token": ""}, "not entered"),
        ({"redirect_uri": ""}, "not entered"),
    ],
)
def test_what_is_wrong_with_a_login_is_said(
    shop: BaseShop, changes: dict[str, str], said: str
) -> None:
    with pytest.raises(NeedsPerson, match=said):
        pull(opened(shop, vault(**changes)))


def test_a_login_fills_the_vault(shop: BaseShop) -> None:
    keys = vault(refresh_token="")
    one = opened(shop, keys)
    parts = urlsplit(one.login_url(REDIRECT, "state-1"))
    assert parts.path == "/1/oauth/authorize"
    assert dict(parse_qsl(parts.query)) == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": REDIRECT,
        "scope": "read_orders",
        "state": "state-1",
    }
    one.log_in("good-code", REDIRECT)
    assert pull(one) == [key(1)]
    with pytest.raises(NeedsPerson):
        one.log_in("bad-code", REDIRECT)


@pytest.mark.parametrize(
    ("answer", "keeps"),
    [
        (web_page(503), True),
        (web_page(200), True),
        (Answered(200, b"{", {"content-type": "application/json"}), True),
        (Answered(200, b"{}", {"content-type": "application/json"}), True),
        (Answered(200, b'{"access_token": []}', {"content-type": "application/json"}), True),
    ],
)
def test_trouble_at_the_token_desk_passes(shop: BaseShop, answer: Answered, keeps: bool) -> None:
    keys = vault()
    shop.loopback.faults.append(answer)
    with pytest.raises(TryLater):
        pull(opened(shop, keys))
    assert (keys.get("refresh_token") == REFRESH) is keeps
    assert pull(opened(shop, keys)) == [key(1)]


@pytest.mark.parametrize("limit", ["hour_api_limit", "day_api_limit"])
def test_a_used_up_quota_closes_the_lane_for_all_workers(shop: BaseShop, limit: str) -> None:
    shop.calls_left, shop.limit_error = 0, limit
    pace = LocalPace({LANE: (1e6, 1e6)})
    keys = vault()
    one = Base(config(shop), vault=keys, pace=pace)
    with pytest.raises(TryLater, match=limit) as caught:
        pull(one)
    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= (3600 if limit == "hour_api_limit" else 86400)
    asked = len(shop.loopback.asked)
    with pytest.raises(TryLater):
        pull(Base(config(shop), vault=keys, pace=pace))
    assert len(shop.loopback.asked) == asked


def test_quotas_are_given_anew_at_the_full_hour_and_at_midnight_in_japan() -> None:
    now = datetime(2026, 11, 20, 14, 59, 30, tzinfo=UTC)  # 23:59:30 in Tokyo
    for code in ("hour_api_limit", "day_api_limit"):
        found = later(code, LocalPace({LANE: (1.0, 1.0)}), now)
        assert found is not None
        assert found.retry_after == 30


def test_the_lane_stays_below_both_quotas() -> None:
    rate, burst = Base.LANES[LANE]
    assert burst + rate * 3600 < 5_000
    assert burst + rate * 86_400 < 100_000


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("invalid_scope", "read_orders"),
        ("unauthorized_client", "accept the app"),
        ("access_denied", "access_denied"),
        ("something_new", "something_new"),
    ],
)
def test_refusals_say_what_a_person_must_do(shop: BaseShop, code: str, said: str) -> None:
    shop.error = code
    with pytest.raises(NeedsPerson, match=said) as caught:
        pull(opened(shop))
    assert "見本" not in str(caught.value), "BASE's own words may hold anything"


@pytest.mark.parametrize(
    "answer",
    [
        web_page(503),
        web_page(200),
        Answered(500),
        Answered(429, headers={"retry-after": "7"}),
        Answered(200, b'{"orders": [', {"content-type": "application/json"}),
        Answered(200, b'{"orders": 5}', {"content-type": "application/json"}),
        Answered(200, b"{nope}", {"content-type": "application/json"}),
        Answered(200, b"0123456789", cut=5),
        Answered(400, b'{"error": "server_error"}', {"content-type": "application/json"}),
        Answered(200, b"{}", {"content-type": "application/json"}, delay=1.2),
    ],
)
def test_what_passes_by_itself_is_waited_for(shop: BaseShop, answer: Answered) -> None:
    keys = vault()
    opened(shop, keys)._service.tokens.access()
    shop.loopback.faults.append(answer)
    with pytest.raises(TryLater) as caught:
        pull(opened(shop, keys, timeout=0.6))
    assert caught.value.retry_after == (7 if answer.status == 429 else None)
    assert pull(opened(shop, keys)) == [key(1)]


def test_a_page_in_place_of_an_error_goes_by_its_status(shop: BaseShop) -> None:
    keys = vault()
    opened(shop, keys)._service.tokens.access()
    shop.loopback.faults += [web_page(403), web_page(404)]
    with pytest.raises(NeedsPerson, match="HTTP 403"):
        pull(opened(shop, keys))
    with pytest.raises(TryLater, match="HTTP 404"):
        pull(opened(shop, keys))


def test_no_secret_is_logged_when_tokens_are_bought(
    shop: BaseShop, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        pull(opened(shop))
    logged = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "http_answered" in logged
    for secret in (SECRET, REFRESH, "token-0001", "hanako", "見本"):
        assert secret not in logged


def test_credentials_say_where_they_are_found_and_what_lasts_how_long() -> None:
    assert all(one.where and one.where_en for one in credentials.ALL)
    lasting = {one.name: one.lifetime_days for one in credentials.ALL if one.lifetime_days}
    assert lasting == {"refresh_token": 30}
    assert len(credentials.WARNINGS) == len(credentials.WARNINGS_EN)


def test_mapping_needs_no_credentials(shop: BaseShop) -> None:
    one = Base(config(shop), vault=MemoryVault({}), pace=LocalPace({}))
    assert one.streams()
    with pytest.raises(NeedsPerson, match="not entered"):
        one.check()
