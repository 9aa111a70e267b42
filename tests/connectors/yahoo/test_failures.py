"""Tokens, signatures, the day's quota, and what Yahoo!'s refusals mean for the channel."""

import base64
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.contract import NeedsPerson, TryLater, Watermark
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from connectors.yahoo import credentials
from connectors.yahoo.connector import YahooShopping
from connectors.yahoo.service import LANE
from connectors.yahoo.signing import public_key
from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered, web_page
from tests.connectors.yahoo.harness import config, opened, vault
from tests.connectors.yahoo.stub import (
    CLIENT,
    REFRESH,
    SECRET,
    SELLER,
    YahooStore,
    failed,
    order,
    public_pem,
    xml,
)

HOUR = timedelta(hours=1)


@pytest.fixture
def store() -> Iterator[YahooStore]:
    one = YahooStore(order(1, NOW - HOUR))
    yield one
    one.loopback.stop()


def pull(one: YahooShopping) -> list[str]:
    mark = Watermark((NOW - 2 * HOUR).isoformat())
    return [raw.external_id for page in one.pull("orders", mark, None, NOW) for raw in page.raws]


def calls(store: YahooStore, end: str) -> int:
    return sum(asked.path.endswith(end) for asked in store.loopback.asked)


def test_the_first_question_buys_a_token_and_the_next_ones_use_it(store: YahooStore) -> None:
    keys = vault()
    assert pull(opened(store, keys)) == [f"{SELLER}-1"]
    assert pull(opened(store, keys)) == [f"{SELLER}-1"]
    assert calls(store, "/token") == 1
    assert keys.get("access_token") == "access-token-0001"
    assert keys.expires == {"access_token": None}, "an hour's token is nothing to warn about"
    assert keys.get("refresh_token") == REFRESH


def test_a_token_that_ends_early_is_bought_anew_once(store: YahooStore) -> None:
    keys = vault(access_token="access-token-old")
    assert pull(opened(store, keys)) == [f"{SELLER}-1"]
    assert calls(store, "/token") == 1
    store.access_tokens = ["something-else"]
    with pytest.raises(NeedsPerson, match="px-04102"):
        pull_with(store, keys)


def pull_with(store: YahooStore, keys: MemoryVault) -> list[str]:
    """Pull at a store that forgets every token it gives."""
    answer = store.answer

    def forgetful(asked: object) -> Answered:
        given = answer(asked)  # type: ignore[arg-type]
        store.access_tokens = []
        return given

    store.loopback.handle = forgetful
    return pull(opened(store, keys))


def test_a_token_that_another_worker_bought_is_taken_over(store: YahooStore) -> None:
    keys = vault(access_token="access-token-old")
    one = opened(store, keys)
    store.access_tokens = ["access-token-new"]
    refused = one._service.tokens.access()
    keys.put("access_token", "access-token-new")
    assert one._service.tokens.renewed(refused) == "access-token-new"
    assert calls(store, "/token") == 0


def test_an_ended_login_asks_staff_to_log_in_again(store: YahooStore) -> None:
    store.refresh_token = "another"
    with pytest.raises(NeedsPerson) as caught:
        pull(opened(store))
    assert "invalid_grant" in caught.value.problem
    assert "ログイン" in caught.value.remedy
    assert REFRESH not in str(caught.value)


def test_a_wrong_client_is_told_from_an_ended_login(store: YahooStore) -> None:
    with pytest.raises(NeedsPerson, match="invalid_client"):
        pull(opened(store, vault(client_secret="wrong")))


def test_staff_log_in_and_the_28_days_begin(store: YahooStore) -> None:
    keys = vault()
    del keys.values["refresh_token"]
    one = opened(store, keys)
    parts = urlsplit(one.login_url("https://shop.example/back", "state-1"))
    assert parts.path == "/yconnect/v2/authorization"
    assert dict(parse_qsl(parts.query)) == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": "https://shop.example/back",
        "scope": "openid profile",
        "bail": "1",
        "state": "state-1",
    }
    one.log_in("good-code", "https://shop.example/back")
    ends = keys.expires["refresh_token"]
    assert ends is not None
    assert abs(ends - datetime.now(UTC) - timedelta(days=28)) < timedelta(minutes=1)
    assert pull(one) == [f"{SELLER}-1"]
    with pytest.raises(NeedsPerson):
        one.log_in("bad-code", "https://shop.example/back")


def test_every_question_is_signed_with_the_time_it_is_sent(store: YahooStore) -> None:
    pull(opened(store))
    assert len(store.seconds) == 2
    assert all(abs(second - time.time()) < 60 for second in store.seconds)


def test_no_question_is_ever_sent_without_a_signature(store: YahooStore) -> None:
    keys = vault()
    del keys.values["public_key"]
    with pytest.raises(NeedsPerson, match="公開鍵"):
        pull(opened(store, keys))
    with pytest.raises(NeedsPerson, match="公開鍵を読み取れません"):
        pull(opened(store, vault(public_key="nonsense")))
    assert calls(store, "orderList") == 0


def test_the_public_key_is_read_without_its_line_breaks() -> None:
    pem = public_pem()
    bare = "".join(pem.splitlines()[1:-1])
    same = {public_key(text).public_numbers() for text in (pem, pem.replace("\n", " "), bare)}
    assert len(same) == 1
    with pytest.raises(NeedsPerson):
        public_key(base64.b64encode(b"no key").decode())


@pytest.mark.parametrize(
    ("name", "word"), [(one.name, one.label) for one in credentials.ALL if one.name != "public_key"]
)
def test_a_missing_credential_says_where_to_find_it(
    store: YahooStore, name: str, word: str
) -> None:
    keys = vault()
    del keys.values[name]
    with pytest.raises(NeedsPerson) as caught:
        pull(opened(store, keys))
    assert word in caught.value.problem


def test_lifetimes_are_declared() -> None:
    lives = {one.name: one.lifetime_days for one in credentials.ALL if one.lifetime_days}
    assert lives == {"public_key": 365, "refresh_token": 28}


def test_an_unregistered_address_and_a_missing_application_say_what_to_do(
    store: YahooStore,
) -> None:
    store.allowed_ip = False
    with pytest.raises(NeedsPerson) as caught:
        pull(opened(store))
    assert "固定IPアドレス" in caught.value.remedy
    store.allowed_ip, store.applied = True, False
    with pytest.raises(NeedsPerson, match="px-04303"):
        pull(opened(store))


def test_a_used_up_quota_waits_for_midnight_in_japan(store: YahooStore) -> None:
    store.calls_left = 0
    noon = datetime(2026, 11, 20, 3, tzinfo=UTC)
    closed: list[datetime] = []

    class Noted(LocalPace):
        def exhausted(self, lane: str, until: datetime, reason: str = "") -> None:
            assert (lane, "回数を使い切りました" in reason) == (LANE, True)
            closed.append(until)

    one = YahooShopping(config(store), vault=vault(), pace=Noted({LANE: (1e6, 1e6)}))
    one._service._clock = lambda: noon
    store._signed = lambda asked: True  # type: ignore[method-assign]
    with pytest.raises(TryLater) as caught:
        pull(one)
    assert caught.value.retry_after == 12 * 3600
    assert closed == [datetime(2026, 11, 20, 15, tzinfo=UTC)]
    assert calls(store, "orderList") == 1


@pytest.mark.parametrize(
    "fault",
    [
        web_page(503),
        web_page(200),
        Answered(500),
        Answered(503, b"<Error><Code>ed-00006</Code></Error>", {"retry-after": "60"}),
        xml("<Result><Status>OK</Status><Search>"),
        Answered(200, b"<Result><Status>OK</Status></Result>", cut=9),
        xml("<Result><Status>NG</Status></Result>"),
        xml("<Result>&nbsp;</Result>"),
        xml("<Error><Message>?</Message><Code>xx-1</Code></Error>"),
        failed("od90001", "?"),
        xml("<Result><Status>OK</Status><Search><TotalCount>3</TotalCount></Search></Result>"),
    ],
    ids=[
        *("maintenance", "page", "error", "busy", "broken", "cut", "not_ok", "entity"),
        *("code", "od", "count"),
    ],
)
def test_a_source_in_trouble_is_asked_again_later(store: YahooStore, fault: Answered) -> None:
    keys = vault()
    pull(opened(store, keys))
    store.loopback.handle = lambda asked: fault
    with pytest.raises(TryLater) as caught:
        pull(opened(store, keys))
    assert caught.value.retry_after == (60.0 if fault.headers.get("retry-after") else None)


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_that_nobody_explained_needs_a_person(store: YahooStore, status: int) -> None:
    keys = vault()
    pull(opened(store, keys))
    store.loopback.handle = lambda asked: xml("<Error><Code>px-99</Code></Error>", status)
    with pytest.raises(NeedsPerson, match="px-99"):
        pull(opened(store, keys))


def test_a_slow_source_is_asked_again_later(store: YahooStore) -> None:
    keys = vault()
    pull(opened(store, keys))
    store.loopback.faults.append(Answered(200, b"", delay=0.6))
    with pytest.raises(TryLater, match="Timeout"):
        pull(opened(store, keys, timeout=0.2))


def test_a_login_server_in_trouble_is_asked_again_later(store: YahooStore) -> None:
    for fault in (web_page(200), web_page(403), Answered(503), xml("<a/>")):
        store.loopback.faults.append(fault)
        with pytest.raises(TryLater):
            pull(opened(store))


def test_an_answer_with_entities_is_never_read(store: YahooStore) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><ResultSet>&y;</ResultSet>'
    store.garbled[f"{SELLER}-1"] = Answered(200, bomb.encode(), {"content-type": "text/xml"})
    mark = Watermark((NOW - 2 * HOUR).isoformat())
    (page, _) = opened(store).pull("orders", mark, None, NOW)
    assert [bad.payload["Code"] for bad in page.rejected] == ["bad_xml"]


def test_no_log_line_shows_a_secret(store: YahooStore, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        pull(opened(store))
        store.refresh_token = "another"
        store.access_tokens = []
        with pytest.raises(NeedsPerson):
            pull(opened(store))
    said = "\n".join(str(record.__dict__) for record in caplog.records)
    for secret in (SECRET, REFRESH, "access-token", "hanako"):
        assert secret not in said
