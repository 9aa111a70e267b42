"""What a shop enters for its WooCommerce channel, and what it must know before it does."""

from __future__ import annotations

from connectors.contract import Credential

_PLACE = "WooCommerce > 設定 > 高度な設定 > REST API > キーを追加"
_PLACE_EN = "WooCommerce > Settings > Advanced > REST API > Add key"

BASE_URL = Credential(
    "base_url",
    "ショップのアドレス",
    "Address of the shop",
    "WordPress のアドレスです。例: https://shop.example.jp",
    "The address of WordPress, e.g. https://shop.example.jp",
    secret=False,
)
CONSUMER_KEY = Credential(
    "consumer_key",
    "コンシューマーキー",
    "Consumer key",
    f"{_PLACE} (権限: 読み取り。クーポンも作るなら読み取り/書き込み)。ck_ で始まります。",
    f"{_PLACE_EN} (permission Read; Read/Write to make coupons). It begins with ck_.",
)
CONSUMER_SECRET = Credential(
    "consumer_secret",
    "コンシューマーシークレット",
    "Consumer secret",
    f"{_PLACE}。作成時に一度だけ表示されます。cs_ で始まります。",
    f"{_PLACE_EN}. It is shown once. It begins with cs_.",
)
WEBHOOK_SECRET = Credential(
    "webhook_secret",
    "Webhook の秘密鍵",
    "Webhook secret",
    "WooCommerce > 設定 > 高度な設定 > Webhook で作る order.created と order.updated の秘密鍵。",
    "The secret of the order.created and order.updated webhooks, Settings > Advanced > Webhooks.",
    optional=True,
)

_USER = (
    "鍵は作成した WordPress ユーザーのものです。そのユーザーを消すと鍵も使えなくなります。"
    "「ショップ管理者」の専用ユーザーで作ってください。"
)
_USER_EN = (
    "A key belongs to the WordPress user who made it and dies with that user: "
    "make it as a shop manager of its own."
)
WARNINGS = (
    _USER,
    "https のアドレスを使ってください。http では署名だけを送り、注文の中身は暗号化されません。",
    "WooCommerce 5.8 より古いショップでは read_by を created にしてください (更新日で絞れません)。",
)
WARNINGS_EN = (
    _USER_EN,
    "Use an https address. Over http only a signature is sent, but the orders are not encrypted.",
    "Shops older than WooCommerce 5.8 cannot filter by modification: set read_by to created.",
)
