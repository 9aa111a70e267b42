"""What the lint finds, per family."""

from __future__ import annotations

import pytest

from worker.mail.lint import Finding, LintContext, Severity, is_advertisement, lint_content
from worker.mail.render import Rendered

OWN = LintContext("own", own_hosts=frozenset({"midori.example"}))
RAKUTEN = LintContext("rakuten", own_hosts=frozenset({"midori.example"}))
E = Severity.ERROR


def mail(body: str = "", html: str | None = None, used: dict[str, str] | None = None) -> Rendered:
    return Rendered("件名", body, html, used or {})


def codes(body: str, context: LintContext, html: str | None = None) -> list[str]:
    return [finding.code for finding in lint_content(mail(body, html), context)]


@pytest.mark.parametrize(
    ("body", "own", "rakuten", "yahoo"),
    [
        ("https://midori.example/", [], ["url_host"], ["url_host"]),
        ("https://www.rakuten.co.jp/midori/", ["url_host"], [], ["url_host"]),
        ("https://store.shopping.yahoo.co.jp/m/", ["url_host"], ["url_host"], []),
        ("https://rakuten.co.jp.evil.example/", ["url_host"], ["url_host"], ["url_host"]),
        (
            "http://midori.example/",
            ["url_insecure"],
            ["url_insecure", "url_host"],
            ["url_insecure", "url_host"],
        ),
        (
            "www.midori.example",
            ["url_insecure"],
            ["url_insecure", "url_host"],
            ["url_insecure", "url_host"],
        ),
        ("https://bit.ly/x", ["url_shortener"], ["url_shortener"], ["url_shortener"]),
        ("https://203.0.113.9/x", ["url_ip"], ["url_ip"], ["url_ip"]),
        ("当店の公式サイトへ", [], ["leads_outside"], ["leads_outside"]),
        ("LINE登録はこちら", [], ["leads_outside"], ["leads_outside"]),
        ("お電話でのご注文", [], ["leads_outside"], ["leads_outside"]),
        ("次回は当店で", [], ["leads_outside"], ["leads_outside"]),
        ("クーポンをお届けします", [], ["coupon"], ["coupon"]),
        ("7K3M-Q9XT-4WBD-2", ["coupon"], ["coupon"], ["coupon"]),
        ("★5をお願いします", ["review_pressure"], ["review_pressure"], ["review_pressure"]),
        (
            "レビューを書いて500円プレゼント",
            ["review_pressure"],
            ["review_pressure"],
            ["review_pressure"],
        ),
        ("高評価を", ["review_pressure"], ["review_pressure"], ["review_pressure"]),
        ("高橋 様様", ["doubled_honorific"], ["doubled_honorific"], ["doubled_honorific"]),
        (" 様\n", ["empty_name"], ["empty_name"], ["empty_name"]),
        ("{{ name }}", ["unresolved_variable"], ["unresolved_variable"], ["unresolved_variable"]),
        (
            "[KOKYAKU_NAME] 様",
            ["unresolved_variable"],
            ["unresolved_variable"],
            ["unresolved_variable"],
        ),
        ("<%注文番号%>", ["unresolved_variable"], ["unresolved_variable"], ["unresolved_variable"]),
        ("レビューをお聞かせください。お電話は平日のみです。", [], [], []),
    ],
)
def test_each_family_has_its_rules(
    body: str, own: list[str], rakuten: list[str], yahoo: list[str]
) -> None:
    assert codes(body, OWN) == own
    assert codes(body, RAKUTEN) == rakuten
    assert codes(body, LintContext("yahoo")) == yahoo


def test_amazon_allows_no_address_at_all() -> None:
    assert codes("https://www.amazon.co.jp/", LintContext("amazon")) == ["url_host"]


def test_a_carriers_page_belongs_in_a_shipping_notice_only() -> None:
    page = "https://toi.kuronekoyamato.co.jp/x"
    assert codes(page, RAKUTEN) == ["url_host"]
    assert codes(page, LintContext("rakuten", is_shipping_notice=True)) == []


def test_links_and_images_of_the_html_part_are_read() -> None:
    html = '<p>よろしく</p><a href="https://evil.example/">x</a><img src="https://midori.example/p.gif">'
    assert lint_content(mail("", html), RAKUTEN) == [
        Finding("url_host", E, "evil.example"),
        Finding("remote_image", E, "midori.example"),
    ]
    assert [f.severity for f in lint_content(mail("", html), OWN)] == [E, Severity.WARNING]


def test_an_advertisement_needs_its_legal_footer() -> None:
    context = LintContext(
        "own",
        is_advertisement=True,
        own_hosts=frozenset({"midori.example"}),
        legal_name="株式会社みどり",
        postal_address="東京都千代田区",
        unsubscribe_url="https://midori.example/u/1",
    )
    found = lint_content(mail("株式会社みどり"), context)
    assert [f.detail for f in found] == ["postal_address", "unsubscribe_url"]
    whole = "株式会社みどり 東京都千代田区 https://midori.example/u/1"
    assert lint_content(mail(whole), context) == []


def test_another_channels_shop_or_order_is_an_error() -> None:
    context = LintContext("rakuten", foreign_names=["みどり茶舗 本店"], foreign_numbers=["A-77"])
    found = lint_content(mail("みどり茶舗 本店のご注文 A-77"), context)
    assert [f.code for f in found] == ["foreign_shop", "foreign_order"]


def test_the_name_of_an_item_is_the_buyers_order_and_no_advertisement() -> None:
    item = "・【クーポンで10%OFF】Instagramで話題の煎茶"
    said = mail(f"ご注文の内容\n{item}\n", used={"order_lines_block": item})
    assert lint_content(said, RAKUTEN) == []
    assert is_advertisement(said) == ()


@pytest.mark.parametrize(
    ("body", "evidence"),
    [
        ("ご注文ありがとうございます。\n小計 500円\nhttps://midori.example", ()),
        ("レビューをお聞かせください。", ()),
        ("500円引き", ("discount",)),
        ("10%OFF", ("discount",)),
        ("クーポンをお届けします", ("coupon",)),
        ("7K3M-Q9XT-4WBD-2", ("coupon",)),
        ("ただいま期間限定セール", ("campaign",)),
        ("おすすめ商品はこちら", ("recommendation",)),
        ("LINE友だち追加", ("invitation",)),
        ("https://midori.example/items/1", ("product_link",)),
        ("https://midori.example https://midori.example/", ("shop_links",)),
        ("Take 10% off your next order", ("discount",)),
    ],
)
def test_advertising_is_known_by_its_words(body: str, evidence: tuple[str, ...]) -> None:
    assert is_advertisement(mail(body), {"midori.example"}) == evidence


def test_the_page_with_the_terms_is_no_advertisement() -> None:
    terms = "返品の条件: https://midori.example/returns"
    said = mail(f"{terms}\nhttps://midori.example", used={"returns_text": terms})
    assert is_advertisement(said, {"midori.example"}) == ()
    assert is_advertisement(mail(said.body_text), {"midori.example"}) == ("product_link",)
