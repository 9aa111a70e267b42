"""What Wow! manager's refusals, silences and broken answers mean for the channel."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest

from connectors.aupay import credentials
from connectors.aupay.connector import AuPayMarket
from connectors.contract import NeedsPerson, TryLater, Watermark
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import NoSecrets
from tests.connectors.aupay.harness import config, opened, vault
from tests.connectors.aupay.stub import KEY, SHOP, WowManager, failed, number, order, xml
from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered, web_page

HOUR = timedelta(hours=1)
WELL = "<result><status>0</status></result>"


@pytest.fixture
def shop() -> Iterator[WowManager]:
    one = WowManager(order(1, NOW - HOUR))
    yield one
    one.loopback.stop()


def pull(one: AuPayMarket) -> list[str]:
    mark = Watermark((NOW - 2 * HOUR).isoformat())
    return [raw.external_id for page in one.pull("orders", mark, None, NOW) for raw in page.raws]


def refused(shop: WowManager, answer: Answered) -> NeedsPerson:
    shop.loopback.faults.append(answer)
    with pytest.raises(NeedsPerson) as caught:
        pull(opened(shop))
    assert KEY not in str(caught.value)
    return caught.value


def test_a_wrong_or_ended_key_asks_for_a_new_one(shop: WowManager) -> None:
    shop.key = "another"
    with pytest.raises(NeedsPerson) as caught:
        opened(shop).check()
    assert "APIキー" in caught.value.problem
    assert "E0001" in caught.value.problem
    assert "API利用申請" in caught.value.remedy
    assert "CSV" in caught.value.remedy
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("status", [200, 400, 403])
@pytest.mark.parametrize(
    "message", ["APIキーの有効期限が切れています。", "ＡＰＩキーが不正です", "Authorization error"]
)
def test_words_about_the_key_are_understood_whatever_the_status(
    shop: WowManager, status: int, message: str
) -> None:
    assert "登録してください" in refused(shop, failed("?", message, status)).remedy


def test_an_unregistered_address_says_what_to_register(shop: WowManager) -> None:
    shop.allowed_ip = False
    with pytest.raises(NeedsPerson) as caught:
        opened(shop).check()
    assert "IPアドレス" in caught.value.problem
    assert "固定IPアドレス" in caught.value.remedy
    assert "CSV" in caught.value.remedy
    shop.allowed_ip = True
    told = refused(shop, failed("E9", "IPアドレスが許可されていません"))
    assert "固定IPアドレス" in told.remedy


@pytest.mark.parametrize("answer", [web_page(403), Answered(403), failed("", "", 403)])
def test_a_refusal_without_words_names_both_reasons(shop: WowManager, answer: Answered) -> None:
    remedy = refused(shop, answer).remedy
    assert "接続元IPアドレス" in remedy
    assert "APIキーの期限" in remedy


def test_a_wrong_shop_id_is_named(shop: WowManager) -> None:
    with pytest.raises(NeedsPerson) as caught:
        pull(opened(shop, vault(shop_id="1")))
    assert "店舗ID" in caught.value.problem
    assert "E0101" in caught.value.problem


@pytest.mark.parametrize("status", [400, 404])
def test_a_question_that_is_refused_needs_a_person(shop: WowManager, status: int) -> None:
    told = refused(shop, failed("E0201", "パラメータが正しくありません。", status))
    assert f"HTTP {status} E0201 パラメータ" in told.problem
    assert "base_url" in told.remedy


def test_a_page_goes_by_its_status_unless_it_only_says_that_nothing_is_there(
    shop: WowManager,
) -> None:
    assert "HTTP 400" in refused(shop, web_page(400)).problem
    shop.loopback.faults.append(web_page(404))
    with pytest.raises(TryLater, match="HTTP 404"):
        pull(opened(shop))


def test_what_a_refusal_repeats_of_secrets_and_people_is_masked(shop: WowManager) -> None:
    told = refused(shop, failed("E1", f"{KEY} hanako@example.jp 090-0000-0000", 400))
    assert "*** *** ***" in told.problem
    late = refused(shop, failed("E1", "長" * 190 + KEY, 400))
    assert KEY[:5] not in late.problem


@pytest.mark.parametrize(
    "fault",
    [
        web_page(503),
        web_page(200),
        Answered(500),
        Answered(429, b"", {"retry-after": "60"}),
        Answered(200, b"<response><result><status>0</status></result><orderInfo>"),
        Answered(200, b"<response></response>", cut=9),
        Answered(200, b"garbage"),
        Answered(200, b""),
        xml(""),
        xml("<resultCount>0</resultCount>"),
        xml("<result>&nbsp;</result>"),
        xml(f"{WELL}<resultCount>many</resultCount>"),
        xml(f"{WELL}<resultCount>3</resultCount>"),
        failed("E9999", "システムエラーが発生しました。"),
        failed("", ""),
        xml("<result><status>2</status></result>"),
    ],
    ids=[
        *("maintenance", "page", "error", "busy", "broken", "cut", "garbage", "empty", "silence"),
        *("no_result", "entity", "count", "no_orders", "system", "no_words", "status"),
    ],
)
def test_a_source_in_trouble_is_asked_again_later(shop: WowManager, fault: Answered) -> None:
    shop.loopback.faults.append(fault)
    with pytest.raises(TryLater) as caught:
        pull(opened(shop))
    assert caught.value.retry_after == (60.0 if fault.headers.get("retry-after") else None)
    assert pull(opened(shop)) == [number(1)]


def test_the_words_of_an_unexplained_refusal_are_shown(shop: WowManager) -> None:
    shop.loopback.faults.append(failed("E9999", "システムエラーが発生しました。"))
    with pytest.raises(TryLater, match="E9999 システムエラー"):
        pull(opened(shop))


def test_what_was_told_before_a_stop_is_kept(shop: WowManager) -> None:
    for serial in range(2, 9):
        shop.place(order(serial, NOW - serial * HOUR))
    pages = opened(shop, page_size=3).pull("orders", Watermark(NOW.isoformat()), None, NOW)
    first = next(pages)
    shop.loopback.faults.append(Answered(500))
    with pytest.raises(TryLater):
        next(pages)
    rest = opened(shop, page_size=3).pull("orders", Watermark(), first.cursor, NOW)
    told = [raw.external_id for page in (first, *rest) for raw in page.raws]
    assert sorted(told) == [number(n) for n in range(1, 9)]
    assert len(told) == 8


def test_an_answer_with_a_document_type_is_never_read(shop: WowManager) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]>'
    body = f"{bomb}<response>{WELL}<orderInfo><orderId>&y;</orderId></orderInfo></response>"
    shop.loopback.handle = lambda asked: Answered(200, body.encode())
    page = next(opened(shop, page_size=2).pull("orders", Watermark(NOW.isoformat()), None, NOW))
    assert page.raws == ()
    assert [bad.code for bad in page.rejected] == ["not_told", "not_told"]
    with pytest.raises(TryLater, match="cannot be read"):
        pull(opened(shop))


def test_a_slow_source_is_asked_again_later(shop: WowManager) -> None:
    shop.loopback.faults.append(Answered(200, b"", delay=0.6))
    with pytest.raises(TryLater) as caught:
        pull(opened(shop, timeout=0.2))
    assert SHOP not in str(caught.value)


def test_a_source_that_is_gone_is_asked_again_later() -> None:
    shop = WowManager()
    shop.loopback.stop()
    with pytest.raises(TryLater):
        pull(opened(shop))


@pytest.mark.parametrize(("name", "label"), [(one.name, one.label) for one in credentials.ALL])
def test_a_missing_credential_says_where_to_find_it(
    shop: WowManager, name: str, label: str
) -> None:
    keys = vault()
    del keys.values[name]
    with pytest.raises(NeedsPerson) as caught:
        pull(opened(shop, keys))
    assert label in caught.value.problem
    assert "Wow! manager" in caught.value.remedy
    assert shop.loopback.asked == []


def test_a_connector_without_a_vault_still_maps(shop: WowManager) -> None:
    raw = next(opened(shop).pull("orders", Watermark(NOW.isoformat()), None, NOW)).raws[0]
    one = AuPayMarket(config(shop), vault=NoSecrets(), pace=LocalPace({}))
    assert one.map(raw).number == number(1)


def test_the_shop_is_warned_of_address_application_key_and_shown_the_csv() -> None:
    told = "\n".join(AuPayMarket.WARNINGS)
    for word in ("利用申請", "固定IPアドレス", "APIキーには期限", "--expires api_key=", "CSV"):
        assert word in told
    assert len(AuPayMarket.WARNINGS) == len(AuPayMarket.WARNINGS_EN)
    assert "CSV" in "\n".join(AuPayMarket.WARNINGS_EN)


def test_no_log_line_shows_the_key_or_the_shop(
    shop: WowManager, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        pull(opened(shop))
        shop.key = "another"
        with pytest.raises(NeedsPerson):
            pull(opened(shop))
    said = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "searchTradeInfoListProc" in said
    for secret in (KEY, SHOP, "hanako", "見本"):
        assert secret not in said
