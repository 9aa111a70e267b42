"""What a shop enters for its EC-CUBE channel, and what it must know before it does."""

from __future__ import annotations

from connectors.contract import Credential

REFRESH_DAYS = 30

_PLACE = "EC-CUBE の管理画面 > 設定 > API管理 > OAuth管理 で登録したクライアントの画面にあります。"
_PLACE_EN = "EC-CUBE admin: 設定 > API管理 > OAuth管理, the page of the registered client."

CLIENT_ID = Credential(
    "client_id",
    "クライアントID",
    "Client id",
    _PLACE + "スコープは read だけにします。",
    _PLACE_EN + " Give it the scope read only.",
    secret=False,
)
CLIENT_SECRET = Credential(
    "client_secret", "クライアントシークレット", "Client secret", _PLACE, _PLACE_EN
)
REDIRECT_URI = Credential(
    "redirect_uri",
    "リダイレクトURI",
    "Redirect URI",
    "OAuth管理でクライアントに登録したリダイレクトURIと同じ値です。",
    "The redirect URI registered for the client, letter for letter.",
    secret=False,
    optional=True,
)
REFRESH_TOKEN = Credential(
    "refresh_token",
    "リフレッシュトークン",
    "Refresh token",
    "システム管理者がブラウザで管理画面にログインし、read を許可して発行します。",
    "Issued when a system administrator logs in to the admin in a browser and grants read.",
    lifetime_days=REFRESH_DAYS,
    by_login=True,
)
WEBHOOK_SECRET = Credential(
    "webhook_secret",
    "WebHook のシークレット",
    "Webhook secret",
    "EC-CUBE の管理画面 > 設定 > API管理 > WebHook管理 で登録した WebHook のシークレットです。",
    "EC-CUBE admin: 設定 > API管理 > WebHook管理, the secret of the webhook.",
    optional=True,
)
ALL = (CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, REFRESH_TOKEN, WEBHOOK_SECRET)

WARNINGS = (
    "EC-CUBE 4.0.5 以降と「Web API プラグイン」が必要です。ない場合はCSVで取り込めます。",
    "連携を許可できるのは「システム管理者」だけです。",
    "リフレッシュトークンは約30日で切れます。30日止めるとログインし直す必要があります。",
    "同じクライアントをほかのソフトと共用しないでください。専用のクライアントを登録してください。",
    "対応状況を追加したショップでは、設定 status_map にIDごとの意味を書いてください。",
    "EC-CUBE 4.0 のショップでは、設定 search_by を date にしてください。",
)
WARNINGS_EN = (
    "EC-CUBE 4.0.5 or later with the Web API plugin is needed; without it CSV files work.",
    "Only a system administrator (システム管理者) can grant the access.",
    "The refresh token lasts about 30 days: after a pause of 30 days somebody must log in again.",
    "Do not share the client with another tool: register one of its own.",
    "A shop with order statuses of its own says in status_map what each id means.",
    "A shop of EC-CUBE 4.0 needs the setting search_by = date.",
)
