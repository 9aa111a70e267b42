"""What a shop enters for its Shopify channel, and what it must know before it does."""

from __future__ import annotations

from connectors.contract import Credential

_DEV = "Shopify Dev Dashboard > アプリ > 設定"
_DEV_EN = "Shopify Dev Dashboard > your app > Settings"

SHOP = Credential(
    "shop",
    "ショップの名前",
    "Name of the shop",
    "管理画面のアドレスにある ○○.myshopify.com です。",
    "NAME.myshopify.com, as the address of your admin shows it.",
    secret=False,
)
ACCESS_TOKEN = Credential(
    "access_token",
    "Admin API アクセストークン",
    "Admin API access token",
    "以前から使っているカスタムアプリだけです (shpat_…)。新しいアプリでは空にします。",
    "Only for a custom app made before 2026 (shpat_…); leave it empty for a new app.",
    optional=True,
)
CLIENT_ID = Credential(
    "client_id",
    "クライアント ID",
    "Client ID",
    f"{_DEV}。アプリとショップは同じ組織のものに限ります。",
    f"{_DEV_EN}. The app and the shop must belong to the same organisation.",
    secret=False,
    optional=True,
)
CLIENT_SECRET = Credential(
    "client_secret",
    "クライアントシークレット",
    "Client secret",
    f"{_DEV}。Webhook の署名の確認にも使います。",
    f"{_DEV_EN}. It also checks the signatures of webhooks.",
    optional=True,
)

WARNINGS = (
    (
        "read_orders だけでは過去 60 日の注文しか読めません。"
        "それより前の注文には read_all_orders の許可を申請するか、注文の CSV を取り込んでください。"
    ),
    "氏名・住所・メールを読めるかどうかは、アプリの種類とご契約のプランで変わります。",
    "必要な権限: read_orders, read_customers (クーポンには read_discounts, write_discounts)。",
)
WARNINGS_EN = (
    (
        "read_orders alone reads the last 60 days only: apply for read_all_orders, "
        "or take in the order CSV for what is older."
    ),
    "Whether names, addresses and mail addresses can be read depends on the app and your plan.",
    "Scopes needed: read_orders, read_customers (read_discounts, write_discounts for coupons).",
)
