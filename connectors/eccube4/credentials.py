"""What a shop enters for its EC-CUBE channel, and what it must know before it does."""

from __future__ import annotations

from connectors.contract import Credential

REFRESH_DAYS = 30

_PLACE = "EC-CUBE の管理画面 > 設定 > API管理 > OAuth管理 で登録したクライアントの画面にあります。"
_PLACE_EN = "EC-CUBE admin: 設定 > API管理 > OAuth管理, the page of the registered client."

BASE_URL = Credential(
    "base_url",
    "ショップのアドレス",
    "Address of the shop",
    "トップページの https のアドレスです。例: https://shop.example.jp",
    "The https address of the shop's first page, e.g. https://shop.example.jp",
    secret=False,
)
ADMIN_PATH = Credential(
    "admin_path",
    "管理画面のパス",
    "Path of the admin screens",
    "管理画面のアドレス https://shop.example.jp/○○/ の ○○ です。空欄なら admin です。",
    "NAME in the admin's address https://shop.example.jp/NAME/. Empty: admin.",
    secret=False,
    optional=True,
)
SEARCH_BY = Credential(
    "search_by",
    "注文の探し方",
    "How orders are searched",
    "EC-CUBE 4.0 のときだけ date と入れてください。4.1 以降は空欄です。",
    "Enter date for EC-CUBE 4.0 only; leave it empty for 4.1 and later.",
    secret=False,
    optional=True,
)
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
    "OAuth管理でクライアントに登録したリダイレクトURIと同じ値です。"
    "空欄のときは http://127.0.0.1:8788/login を登録してください。",
    "The redirect URI registered for the client, letter for letter. Where it stays empty, "
    "register http://127.0.0.1:8788/login.",
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
SETTINGS = (BASE_URL, ADMIN_PATH, SEARCH_BY)
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
