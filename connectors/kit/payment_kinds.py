"""Payment methods, as marketplaces and shops name them, to the kind that decides the gate."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from connectors.contract import PaymentKind

_KINDS: tuple[tuple[PaymentKind, tuple[str, ...]], ...] = (
    (PaymentKind.COD, ("代引", "代金引換", "着払", "cash on delivery", "cashondelivery", "cod")),
    (
        PaymentKind.DEFERRED,
        (
            "後払", "あと払い", "np掛け", "paidy", "ペイディ", "atobarai", "請求書", "掛売",
            "bnpl", "invoice",
        ),
    ),
    (
        PaymentKind.FREE,
        ("全額ポイント", "ポイント全額", "全額クーポン", "お支払いなし", "無料", "free"),
    ),
    (
        PaymentKind.PREPAYMENT,
        (
            "振込", "振替", "前払", "先払", "コンビニ", "セブンイレブン", "セブン-イレブン",
            "ローソン",
            "ファミリーマート", "ペイジー", "pay-easy", "payeasy", "bank", "bacs", "transfer",
            "convenience", "cvs", "konbini", "prepay", "現金書留", "cheque",
        ),
    ),
    (
        PaymentKind.CARD,
        (
            "クレジット", "カード", "card", "credit", "apple pay", "applepay", "google pay",
            "paypal", "paypay", "amazon pay", "amazon_pay", "amazonpay", "楽天ペイ", "楽天pay",
            "楽天id決済",
            "alipay", "shop pay", "shopify payments", "shopify_payments", "stripe", "キャリア",
            "carrier", "ドコモ払い", "d払い", "au簡単決済", "auかんたん決済", "au pay", "aupay",
            "ソフトバンク", "merpay", "メルペイ", "line pay", "id決済",
        ),
    ),
)  # fmt: skip
"""Looked for in this order: コンビニ後払い is deferred, not prepayment."""


@lru_cache(maxsize=4096)
def payment_kind(method: str) -> PaymentKind:
    """Tell the payment kind by the method's usual names; UNKNOWN where none fits."""
    folded = unicodedata.normalize("NFKC", method).strip().lower()
    for kind, names in _KINDS:
        if any(name in folded for name in names):
            return kind
    if folded in {"ポイント", "points"}:
        return PaymentKind.FREE
    return PaymentKind.UNKNOWN
