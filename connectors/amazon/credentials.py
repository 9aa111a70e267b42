"""What a seller enters for Amazon's order API, and what it must know first."""

from __future__ import annotations

from connectors.contract import Credential

CLIENT_ID = Credential(
    "client_id",
    "LWA クライアントID",
    "LWA client identifier",
    "セラーセントラルの「アプリとサービス」→「アプリを開発」で、アプリの「LWA認証情報」にあります。",
    "Seller Central, Develop Apps: the LWA credentials of the app.",
    secret=False,
)
CLIENT_SECRET = Credential(
    "client_secret",
    "LWA クライアントシークレット",
    "LWA client secret",
    "クライアントIDと同じ「LWA認証情報」にあります。180日ごとに更新が必要です。",
    "Beside the client identifier. It must be rotated every 180 days.",
    lifetime_days=180,
)
REFRESH_TOKEN = Credential(
    "refresh_token",
    "リフレッシュトークン",
    "Refresh token",
    "「アプリを開発」でアプリを自己認証したときに一度だけ表示されます。",
    "Shown once when the app is authorised in Develop Apps.",
)
ALL = (CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN)

WARNINGS = (
    "Amazonの受注からは顧客も回数も作らず、メールも送りません。購入者の氏名・住所・連絡先は取得しません。",
    "クライアントシークレットは180日ごとに更新が必要です。リフレッシュトークンはそのまま使えます。",
    "Amazonの検索は約3分に1回 (続けて20回) までです。古い注文の取り込みには時間がかかります。",
    "返品・返金は注文APIに含まれません。",
)
WARNINGS_EN = (
    "Amazon orders make no customer, no number and no mail; who bought is never asked for.",
    "The client secret must be rotated every 180 days and entered again; the refresh token stays.",
    "Amazon allows one search about every three minutes (20 at once): old orders take a while.",
    "Returns and refunds are not told by the order API.",
)
