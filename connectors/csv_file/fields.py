"""The unified field names that a profile may fill, by the kind of value they hold."""

from __future__ import annotations

ORDER_TEXTS = frozenset(
    [
        "payment_method",
        "coupon_code",
        "carrier",
        "tracking_number",
        "delivery_band",
        "buyer_comment",
        "gift_wrap",
        "subscription_number",
        "hub_status",
        "replaces",
        "store",
        "note",
    ]
)
ORDER_MONEY = frozenset(
    ["subtotal", "shipping", "fee", "discount", "points", "tax", "total", "refunded"]
)
ORDER_MOMENTS = frozenset(
    ["updated_at", "paid_at", "shipped_at", "delivered_at", "cancelled_at", "consent_at"]
)
ORDER_COUNTS = frozenset({"delivery_count", "platform_order_count"})
ORDER_TRUTHS = frozenset({"gift", "hub_hold", "marketing_consent"})
BUYER = frozenset(
    [
        "customer_id",
        "email",
        "name",
        "family_name",
        "given_name",
        "kana",
        "phone",
        "postal_code",
        "address",
        "birthday",
        "locale",
    ]
)
RECIPIENT = frozenset(
    [
        "recipient_name",
        "recipient_kana",
        "recipient_phone",
        "recipient_postal_code",
        "recipient_address",
    ]
)
LINE = frozenset({"item", "sku", "quantity", "unit_price", "item_amount"})
FIELDS = (
    frozenset(
        [
            "order_number",
            "external_id",
            "ordered_at",
            "currency",
            "status",
            "payment_status",
            "fulfilment_status",
            "cancel_status",
            "delivery_date",
        ]
    )
    | ORDER_TEXTS
    | ORDER_MONEY
    | ORDER_MOMENTS
    | ORDER_COUNTS
    | ORDER_TRUTHS
    | BUYER
    | RECIPIENT
    | LINE
)
"""Every unified field name that a profile may fill."""
