"""Certification keys, and what Qoo10's refusals and silences mean for the channel."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest

from connectors.contract import NeedsPerson, TryLater, Watermark
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault, NoSecrets
from connectors.qoo10 import credentials
from connectors.qoo10.connector import Qoo10
from connectors.qoo10.service import BASE_URL, LANE, Qoo10Service
from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered, told, web_page
from tests.connectors.qoo10.harness import config, opened, vault
from tests.connectors.qoo10.stub import API_KEY, KEY, PASSWORD, Qoo10Shop, cart_of, order, result

HOUR = timedelta(hours=1)
JSON = {"content-type": "application/json"}


@pytest.fixture
def shop() -> Iterator[Qoo10Shop]:
    one = Qoo10Shop(order(10, NOW - HOUR))
    yield one
    one.loopback.stop()


def pull(one: Qoo10) -> list[str]:
    mark = Watermark((NOW - 2 * HOUR).isoformat())
    return [raw.external_id for page in one.pull("orders", mark, None, NOW) for raw in page.raws]


def test_without_a_certification_key_one_is_bought_and_kept(shop: Qoo10Shop) -> None:
    keys = vault(certification_key="")
    assert pull(opened(shop, keys)) == [cart_of(10)]
    assert pull(opened(shop, keys)) == [cart_of(10)]
    assert shop.given == 1
    assert keys.get("certification_key") == shop.keys[0]


def test_a_certification_key_alone_is_enough(shop: Qoo10Shop) -> None:
    assert pull(opened(shop, MemoryVault({"certification_key": KEY}))) == [cart_of(10)]
    assert shop.given == 0


@pytest.mark.parametrize("old", [KEY, "not-a-key"])
def test_a_key_that_is_refused_is_bought_anew_once(shop: Qoo10Shop, old: str) -> None:
    shop.keys = []
    keys = vault(certification_key=old)
    assert pull(opened(shop, keys)) == [cart_of(10)]
    assert (shop.given, keys.get("certification_key")) == (1, shop.keys[0])


@pytest.mark.parametrize("code", [-10000, -90004, -90005])
def test_a_new_key_that_is_refused_too_needs_a_person(shop: Qoo10Shop, code: int) -> None:
    shop.codes["ShippingBasic.GetShippingInfo_v3"] = code
    with pytest.raises(NeedsPerson, match=str(code)) as caught:
        pull(opened(shop))
    assert "販売認証キー" in caught.value.remedy
    assert shop.given == 1


def test_a_key_that_another_worker_bought_is_taken_over(shop: Qoo10Shop) -> None:
    keys = vault()
    service = Qoo10Service({"base_url": shop.url}, keys, LocalPace({}))
    keys.put("certification_key", "new-key")
    assert service._renewed("old-key", "-90004") == "new-key"
    assert shop.given == 0


def test_a_key_of_which_no_other_can_be_had_says_what_to_enter(shop: Qoo10Shop) -> None:
    shop.keys = []
    with pytest.raises(NeedsPerson, match="-90004") as caught:
        pull(opened(shop, MemoryVault({"certification_key": KEY})))
    assert "QSM" in caught.value.remedy


@pytest.mark.parametrize("name", ["api_key", "user_id", "password"])
def test_a_channel_without_its_login_says_where_to_find_it(shop: Qoo10Shop, name: str) -> None:
    with pytest.raises(NeedsPerson, match="not entered"):
        pull(opened(shop, vault(certification_key="", **{name: ""})))
    assert shop.loopback.asked == []


def test_a_wrong_password_is_named_and_never_shown(shop: Qoo10Shop) -> None:
    shop.password = "another"
    with pytest.raises(NeedsPerson, match="issues no certification key") as caught:
        pull(opened(shop, vault(certification_key="")))
    assert "パスワード" in caught.value.remedy
    assert PASSWORD not in str(caught.value)
    assert "見本" not in str(caught.value), "Qoo10's own words may hold anything"


@pytest.mark.parametrize("key", ["販売認証キー", "a\nb"])
def test_a_key_that_no_header_can_hold_needs_a_person(shop: Qoo10Shop, key: str) -> None:
    with pytest.raises(NeedsPerson, match="letters that no key has"):
        pull(opened(shop, MemoryVault({"certification_key": key})))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (-90001, "base_url"),
        (-90002, "ShippingBasic"),
        (-90003, "ShippingBasic"),
        (-10002, "window_days"),
        (-10003, "window_days"),
    ],
)
@pytest.mark.parametrize("method", ["GetShippingInfo_v3", "GetClaimInfo_V3"])
def test_refusals_say_what_a_person_must_do(
    shop: Qoo10Shop, method: str, code: int, said: str
) -> None:
    shop.codes[f"ShippingBasic.{method}"] = code
    with pytest.raises(NeedsPerson, match=str(code)) as caught:
        pull(opened(shop))
    assert said in caught.value.remedy


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (302, "base_url"),
        (400, "window_days"),
        (401, "販売認証キー"),
        (403, "ShippingBasic"),
        (410, "window_days"),
    ],
)
def test_a_page_in_place_of_an_answer_goes_by_its_status(
    shop: Qoo10Shop, status: int, said: str
) -> None:
    shop.loopback.faults.append(web_page(status))
    keys = MemoryVault({"certification_key": KEY})
    with pytest.raises(NeedsPerson, match=f"HTTP {status}") as caught:
        pull(opened(shop, keys))
    assert said in caught.value.remedy


@pytest.mark.parametrize(
    "answer",
    [
        web_page(404),
        web_page(503),
        web_page(200),
        Answered(500),
        Answered(429, headers={"retry-after": "7"}),
        Answered(200, b'{"ResultCode": 0, "Resu', JSON),
        Answered(200, b'{"ResultCode": 0}', JSON, cut=5),
        Answered(200, b"{nope}", JSON),
        Answered(200, b"[]", JSON),
        Answered(200, b"<StdResult/>", {"content-type": "text/xml"}),
        told({"ErrorCode": 5, "ErrorMsg": "見本"}),
        told({"ResultCode": "x", "ResultObject": []}),
        result(-77777),
        result(0, {"OrderNo": 1}),
        Answered(200, b"{}", JSON, delay=1.2),
    ],
)
def test_what_passes_by_itself_is_waited_for(shop: Qoo10Shop, answer: Answered) -> None:
    shop.loopback.faults.append(answer)
    with pytest.raises(TryLater) as caught:
        pull(opened(shop, timeout=0.6))
    assert caught.value.retry_after == (7 if answer.status == 429 else None)
    assert "見本" not in str(caught.value)
    assert pull(opened(shop)) == [cart_of(10)]


@pytest.mark.parametrize(
    "answer", [web_page(503), web_page(200), told({}), result(0), result(0, " "), result(0, [1])]
)
def test_trouble_where_keys_are_issued_passes(shop: Qoo10Shop, answer: Answered) -> None:
    keys = vault(certification_key="")
    shop.loopback.faults.append(answer)
    with pytest.raises(TryLater):
        pull(opened(shop, keys))
    assert keys.get("certification_key") == ""
    assert pull(opened(shop, keys)) == [cart_of(10)]


def test_a_source_that_is_gone_is_asked_again_later() -> None:
    shop = Qoo10Shop()
    shop.loopback.stop()
    with pytest.raises(TryLater):
        pull(opened(shop))


def test_a_source_whose_clock_is_wrong_is_read_all_the_same(shop: Qoo10Shop) -> None:
    shop.loopback.clock_offset = timedelta(days=-2)
    assert pull(opened(shop)) == [cart_of(10)]


def test_no_question_is_sent_before_the_pace_allows_it(shop: Qoo10Shop) -> None:
    one = Qoo10(config(shop), vault=vault(), pace=LocalPace({LANE: (0.01, 3.0)}))
    with pytest.raises(TryLater) as caught:
        pull(one)
    assert caught.value.retry_after is not None
    assert len(shop.loopback.asked) == 3
    assert Qoo10.LANES == {LANE: (1.0, 1.0)}


def test_no_secret_and_no_person_is_logged(
    shop: Qoo10Shop, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        pull(opened(shop, vault(certification_key="")))
        shop.loopback.faults.append(Answered(410, f"{API_KEY} hanako@example.jp".encode()))
        with pytest.raises(NeedsPerson) as caught:
            pull(opened(shop))
    logged = "\n".join(str(record.__dict__) for record in caplog.records) + str(caught.value)
    assert "http_answered" in logged
    for secret in (API_KEY, PASSWORD, shop.keys[0], "hanako", "見本"):
        assert secret not in logged


def test_mapping_needs_no_credentials(shop: Qoo10Shop) -> None:
    one = Qoo10(config(shop), vault=NoSecrets(), pace=LocalPace({}))
    assert one.streams()
    with pytest.raises(NeedsPerson, match="not entered"):
        one.check()


def test_credentials_say_where_they_are_found() -> None:
    assert all(one.where and one.where_en for one in credentials.ALL)
    assert [one.name for one in credentials.ALL if not one.secret] == ["user_id"]
    assert len(credentials.WARNINGS) == len(credentials.WARNINGS_EN)
    assert BASE_URL.startswith("https://")
