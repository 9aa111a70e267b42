"""Placeholders about coupons and samples."""

from __future__ import annotations

from worker.mail import wording
from worker.mail.declared.shape import Placeholder, line

REWARDS: tuple[Placeholder, ...] = (
    Placeholder(
        "coupon_value_text",
        "クーポンの値引き",
        "Coupon value",
        "Amount or percentage",
        ("coupon",),
        "500円",
        "¥500",
        wording.coupon_value,
    ),
    Placeholder(
        "coupon_code",
        "クーポンコード",
        "Coupon code",
        "Single-use code of the own shop",
        ("coupon.code",),
        "7K3M-Q9XT-4WBD-2",
        "7K3M-Q9XT-4WBD-2",
        line("coupon.code"),
        personal=True,
    ),
    Placeholder(
        "mall_coupon_code",
        "モールのクーポンコード",
        "Marketplace coupon code",
        "Shared code made in the marketplace's own tool",
        ("coupon.mall_code",),
        "THANKS-2027",
        "THANKS-2027",
        line("coupon.mall_code"),
    ),
    Placeholder(
        "coupon_min_spend_text",
        "利用条件(金額)",
        "Smallest purchase",
        "Smallest purchase the coupon is good for",
        ("coupon.min_spend",),
        "3,000円(税込)以上",
        "¥3,000 or more (tax included)",
        wording.coupon_min_spend,
        aliases=("利用条件_金額",),
    ),
    Placeholder(
        "coupon_targets_text",
        "対象商品",
        "Items it is good for",
        "What the coupon may be used for",
        ("coupon.targets",),
        "全商品",
        "all items",
        wording.coupon_targets,
    ),
    Placeholder(
        "coupon_expires_text",
        "有効期限",
        "Valid until",
        "Last valid minute, with まで",
        ("coupon.expires_at",),
        "2027年1月31日(日)23:59まで",
        "until 23:59 on Sunday, 31 January 2027 (Japan time)",
        wording.coupon_expires,
    ),
    Placeholder(
        "sample_name",
        "おまけの品名",
        "Sample in the parcel",
        "Only once the packing list shows it as packed",
        ("sample_name",),
        "ほうじ茶のお試し袋",
        "a trial bag of hojicha",
        line("sample_name"),
    ),
)
