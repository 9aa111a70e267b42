"""What a shop enters for the BASE API, and what it must know first."""

from __future__ import annotations

from connectors.contract import Credential

REFRESH_DAYS = 30

_DEVELOPERS = "BASE Developers のアプリ管理画面にあります。"
_DEVELOPERS_EN = "BASE Developers, the page of your app."

CLIENT_ID = Credential(
    "client_id",
    "クライアントID (client_id)",
    "Client id",
    _DEVELOPERS + "開発者登録とアプリの承認が必要です。",
    _DEVELOPERS_EN + " A developer account and an approved app are needed.",
    secret=False,
)
CLIENT_SECRET = Credential(
    "client_secret",
    "クライアントシークレット (client_secret)",
    "Client secret",
    _DEVELOPERS,
    _DEVELOPERS_EN,
)
REDIRECT_URI = Credential(
    "redirect_uri",
    "コールバックURL (redirect_uri)",
    "Callback URL",
    "BASE Developers でアプリに登録したコールバックURLと同じ値です。",
    "The callback URL registered for the app in BASE Developers, letter for letter.",
    secret=False,
)
REFRESH_TOKEN = Credential(
    "refresh_token",
    "リフレッシュトークン",
    "Refresh token",
    "ショップのオーナーがブラウザで BASE にログインし、read_orders を許可して発行します。",
    "Issued when the owner logs in to BASE in a browser and grants read_orders.",
    lifetime_days=REFRESH_DAYS,
    by_login=True,
)
ALL = (CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, REFRESH_TOKEN)

WARNINGS = (
    "BASE Developers の登録とアプリの承認が必要です。待つ間はCSVで取り込めます。",
    "リフレッシュトークンは30日で切れます。30日止めるとログインし直す必要があります。",
    "同じリフレッシュトークンをほかのソフトで使わないでください。片方が使えなくなることがあります。",
    "問い合わせは1時間5,000回、1日100,000回までです。ほかのアプリと分け合います。",
)
WARNINGS_EN = (
    "A BASE Developers account and an approved app are needed; meanwhile CSV files work.",
    "The refresh token lasts 30 days: after a pause of 30 days the owner must log in again.",
    "Do not use the same refresh token in another tool: one of the two may stop working.",
    "At most 5,000 questions an hour and 100,000 a day, shared with the shop's other apps.",
)
