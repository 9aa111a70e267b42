"""Invented customers, orders and shops for previews, save-time checks and expected mails."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from worker.mail.facts import (
    CouponFacts,
    LineFacts,
    OrderFacts,
    ParcelFacts,
    PersonName,
    ShipPlan,
    ShopFacts,
    TextFacts,
)

NOW = datetime(2026, 11, 22, 3, 10, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Tokyo")

_OWN_JA = ShopFacts(
    shop_name="みどり茶舗",
    staff_role="店長",
    staff_name="森本",
    contact_mail="hello@midori-chaho.example",
    contact_phone="03-0000-0000",
    contact_hours="平日10時-17時",
    shop_url="https://midori-chaho.example",
    legal_name="株式会社みどり茶舗",
    postal_address="東京都千代田区見本町1-2-3",
)
_OWN_EN = ShopFacts(
    shop_name="Midori Tea",
    staff_role="shop manager",
    staff_name="Morimoto",
    contact_mail="hello@midori-chaho.example",
    contact_phone="+81 3-0000-0000",
    contact_hours="weekdays 10:00-17:00, Japan time",
    shop_url="https://midori-chaho.example",
    legal_name="Midori Chaho Co., Ltd.",
    postal_address="1-2-3 Mihoncho, Chiyoda-ku, Tokyo, Japan",
)
_MALLS = {
    ("ja", "rakuten"): ("みどり茶舗 楽天市場店", "楽天市場", "購入履歴のお問い合わせ"),
    ("ja", "yahoo"): (
        "みどり茶舗 Yahoo!店",
        "Yahoo!ショッピング",
        "注文履歴のストアへのお問い合わせ",
    ),
    ("en", "rakuten"): (
        "Midori Tea Rakuten",
        "Rakuten Ichiba",
        "the inquiry form in your purchase history",
    ),
    ("en", "yahoo"): (
        "Midori Tea Yahoo!",
        "Yahoo! Shopping",
        "the store inquiry form in your order history",
    ),
}


def sample_shop(locale: str, family: str) -> ShopFacts:
    """The invented shop as it calls itself on a channel of the family."""
    own = _OWN_JA if locale == "ja" else _OWN_EN
    if family == "own":
        return own
    shop_name, mall_name, inquiry = _MALLS[locale, family]
    return replace(
        own,
        shop_name=shop_name,
        mall_name=mall_name,
        inquiry_place=inquiry,
        contact_mail=None,
        shop_url=None,
        legal_name=None,
        postal_address=None,
    )


def sample_order(locale: str, number: str = "20261122-0142") -> OrderFacts:
    """An order of two things with shipping and points."""
    ja = locale == "ja"
    return OrderFacts(
        number=number,
        ordered_at=datetime(2026, 11, 22, 1, 5, tzinfo=UTC),
        lines=(
            LineFacts("煎茶ティーバッグ 20包" if ja else "Sencha tea bags, 20", 2, 2160),
            LineFacts("ほうじ茶 100g" if ja else "Hojicha, 100 g", 1, 864),
        ),
        subtotal=3024,
        shipping=550,
        points=100,
        total=3474,
        payment_method="クレジットカード" if ja else "Credit card",
    )


def sample_facts(locale: str, family: str = "own", *, orders: int = 1) -> TextFacts:
    """Facts with every value filled, so that any text of the family can be shown."""
    ja = locale == "ja"
    numbers = [f"20261122-{142 + index:04d}" for index in range(orders)]
    return TextFacts(
        now=NOW,
        zone=ZONE,
        shop=sample_shop(locale, family),
        customer=PersonName("高橋", "美咲") if ja else PersonName("Takahashi", "Misaki"),
        recipient=PersonName("佐々木", "恵子") if ja else PersonName("Sasaki", "Keiko"),
        orders=tuple(sample_order(locale, number) for number in numbers),
        ship_plan=ShipPlan(ship_by=date(2026, 11, 24)),
        arrival_on=date(2026, 11, 25),
        parcel=ParcelFacts("ヤマト運輸" if ja else "Yamato Transport", "1234-5678-9012"),
        visit_number=3,
        previous_ordered_at=datetime(2026, 3, 8, 2, 0, tzinfo=UTC),
        first_ordered_at=datetime(2024, 5, 19, 2, 0, tzinfo=UTC),
        last_item_name="煎茶ティーバッグ" if ja else "Sencha tea bags",
        last_delivered_on=date(2026, 6, 14),
        coupon=CouponFacts(
            code="7K3M-Q9XT-4WBD-2",
            mall_code="THANKS-2027",
            amount=500,
            min_spend=3000,
            expires_at=datetime(2027, 1, 31, 15, 0, tzinfo=UTC),
        ),
        sample_name="ほうじ茶のお試し袋" if ja else "a trial bag of hojicha",
        unsubscribe_url="https://midori-chaho.example/u/3f9cKq2ZtR8vLm5NwXy1Ab",
        **_words(locale),
    )


def _words(locale: str) -> dict[str, Any]:
    if locale == "ja":
        return {
            "personal_line": "先日はお写真までお送りいただき、ありがとうございました。",
            "question_line": "お母さまのお口には合いましたでしょうか。",
            "care_block": "開封後は冷暗所で、1か月を目安にお召し上がりください。",
            "busy_period_line": ("11月28日から30日まで休業のため、お返事は12月1日以降になります。"),
            "season_line": "朝晩の冷え込みが増してまいりました。",
            "letter_subject": "お問い合わせの件につきまして",
            "letter_body": "お尋ねの件、お調べいたしました。\n茶葉は本日の便でお送りいたします。",
        }
    return {
        "personal_line": "Thank you again for sending us the photograph the other day.",
        "question_line": "Did your mother enjoy the tea?",
        "care_block": (
            "Once opened, please keep it cool and dark and enjoy it within about a month."
        ),
        "busy_period_line": (
            "We are closed from 28 to 30 November and will answer from 1 December."
        ),
        "season_line": "The mornings have turned cold here.",
        "letter_subject": "About your question",
        "letter_body": "We have looked into your question.\nThe tea will leave us today.",
    }
