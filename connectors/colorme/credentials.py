"""What a shop enters for the Color Me Shop API, and what it must know first."""

from __future__ import annotations

from connectors.contract import Credential

_APP = "カラーミーデベロッパーのアプリケーション詳細画面にあります。"
_APP_EN = "The page of your application in the Color Me developer site."
_PASTED = "アクセストークンを直接貼り付ける場合は空欄でかまいません。"
_PASTED_EN = "May stay empty where the access token itself is pasted."

CLIENT_ID = Credential(
    "client_id",
    "クライアントID",
    "Client id",
    _APP + _PASTED,
    f"{_APP_EN} {_PASTED_EN}",
    secret=False,
    optional=True,
)
CLIENT_SECRET = Credential(
    "client_secret",
    "クライアントシークレット",
    "Client secret",
    _APP + _PASTED,
    f"{_APP_EN} {_PASTED_EN}",
    optional=True,
)
ACCESS_TOKEN = Credential(
    "access_token",
    "アクセストークン",
    "Access token",
    "ショップのオーナーがブラウザでログインし、read_sales (受注・顧客データの参照) を許可して"
    "発行します。有効期限はありません。発行済みのものを貼り付けることもできます。",
    "Issued when the owner logs in with a browser and grants read_sales (orders and customers). "
    "It does not expire. One issued before may be pasted.",
    by_login=True,
)
ALL = (CLIENT_ID, CLIENT_SECRET, ACCESS_TOKEN)

WARNINGS = (
    "カラーミーショップも受注・入金・発送メールを送ります。送り手は senders.toml で決めます。",
    "アクセストークンに期限はありませんが、許可済みアプリケーションから外すと使えなくなります。",
    "権限は read_sales (受注・顧客データの参照) だけで足ります。書き込みは許可しないでください。",
    "API は1分間に120回までが目安です。ほかのアプリとは別に数えられます。",
)
WARNINGS_EN = (
    "Color Me Shop mails orders, payments and parcels too: say in senders.toml who sends which.",
    "The access token does not expire, but ends when the owner removes the app.",
    "The right read_sales (orders and customers) is enough: grant no right to write.",
    "About 120 questions a minute are allowed for each access token.",
)
