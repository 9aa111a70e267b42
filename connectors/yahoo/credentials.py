"""What a store enters for Yahoo!'s order API, and what it must know first."""

from __future__ import annotations

from connectors.contract import Credential

REFRESH_DAYS = 28

CLIENT_ID = Credential(
    "client_id",
    "アプリケーションID (Client ID)",
    "Client ID",
    "Yahoo!デベロッパーネットワークの「アプリケーションの管理」にあります。注文APIの利用申請が必要です。",
    "Yahoo! Developer Network, application management. The store must apply for the order API.",
    secret=False,
)
CLIENT_SECRET = Credential(
    "client_secret",
    "シークレット (Client Secret)",
    "Client secret",
    "Yahoo!デベロッパーネットワークの「アプリケーションの管理」にあります。",
    "Yahoo! Developer Network, application management.",
)
SELLER_ID = Credential(
    "seller_id",
    "ストアアカウント",
    "Store account",
    "ストアのURL store.shopping.yahoo.co.jp/○○/ の ○○ の部分です。",
    "The name in the store's address store.shopping.yahoo.co.jp/NAME/.",
    secret=False,
)
PUBLIC_KEY = Credential(
    "public_key",
    "公開鍵",
    "Public key",
    "ストアクリエイターPro の「設定」→「暗号鍵管理」からダウンロードします。有効期限は1年です。",
    "Download it in Store Creator Pro: 設定, 暗号鍵管理. It lasts one year.",
    lifetime_days=365,
)
KEY_VERSION = Credential(
    "public_key_version",
    "公開鍵のバージョン",
    "Version of the public key",
    "「暗号鍵管理」の画面で公開鍵の横に表示される数字です。",
    "The number shown beside the key in 暗号鍵管理.",
    secret=False,
)
REFRESH_TOKEN = Credential(
    "refresh_token",
    "リフレッシュトークン",
    "Refresh token",
    "ストアの担当者がブラウザで Yahoo! JAPAN ID にログインして発行します。4週間ごとに必要です。",
    "Issued when store staff log in in a browser; needed again every four weeks.",
    lifetime_days=REFRESH_DAYS,
    by_login=True,
)
ALL = (CLIENT_ID, CLIENT_SECRET, SELLER_ID, PUBLIC_KEY, KEY_VERSION, REFRESH_TOKEN)

WARNINGS = (
    "注文APIの利用申請とIPアドレスの登録が必要で、1〜2週間かかります。",
    "登録した固定IPアドレスからしか接続できません。",
    "リフレッシュトークンは4週間で切れ、担当者がもう一度ログインする必要があります。",
    "同じトークンを署名なしで使うソフトがあると12時間で切れます。専用のトークンを使ってください。",
    "公開鍵の有効期限は1年です。",
    "1日50,000回までしか問い合わせできません。古い注文はCSVで取り込んでください。",
)
WARNINGS_EN = (
    "The store must apply for the order API and register its address: one to two weeks.",
    "Only the registered fixed IP address is let in.",
    "The refresh token ends after four weeks; staff must then log in again.",
    "A tool that uses the same token unsigned ends it after 12 hours: use one of its own.",
    "The public key lasts one year.",
    "At most 50,000 questions a day: take older orders in from CSV files.",
)
