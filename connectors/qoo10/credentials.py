"""What a shop enters for the QSM API, and what it must know first."""

from __future__ import annotations

from connectors.contract import Credential

API_KEY = Credential(
    "api_key",
    "APIキー",
    "API key",
    "Qoo10 に API の利用を申請すると QSM で発行されます。販売認証キーだけを使う場合は空にします。",
    "Issued in QSM once Qoo10 grants the API; leave it empty to use a certification key alone.",
    optional=True,
)
USER_ID = Credential(
    "user_id",
    "QSM のログインID",
    "QSM login id",
    "QSM にログインするときの販売者IDです。APIキーから販売認証キーを発行するのに使います。",
    "The seller id you log in to QSM with; it buys the certification key.",
    secret=False,
    optional=True,
)
PASSWORD = Credential(
    "password",
    "QSM のパスワード",
    "QSM password",
    "QSM にログインするときのパスワードです。変更したらここにも登録し直してください。",
    "The password you log in to QSM with; after a change enter it here too.",
    optional=True,
)
CERTIFICATION_KEY = Credential(
    "certification_key",
    "販売認証キー (SAK)",
    "Certification key (SAK)",
    "QSM の画面で発行できます。APIキー・ID・パスワードを登録すれば空のままで自動発行されます。",
    "Issued in QSM; with API key, id and password it may stay empty and is bought by itself.",
    optional=True,
)
ALL = (API_KEY, USER_ID, PASSWORD, CERTIFICATION_KEY)

WARNINGS = (
    "APIの利用申請が必要です。許可を待つ間はCSVで取り込めます。",
    "Qoo10 の API が返すのは過去90日の注文です。それより前はCSVで取り込んでください。",
    (
        "販売認証キーを新しく発行すると、在庫連携など他のソフトのキーが止まるかもしれません。"
        "心配なときは、いま使っている販売認証キーだけを登録してください。"
    ),
    "合計金額は API の金額からの計算値です。正確な決済金額は QSM のCSVにあります。",
)
WARNINGS_EN = (
    "Qoo10 must grant the use of the API; meanwhile CSV files work.",
    "The API tells the orders of the last 90 days; take in older ones as CSV files.",
    (
        "A newly issued certification key may stop the one in your stock tools: "
        "where that matters, enter only the key in use."
    ),
    "Totals are worked out from the API's amounts; QSM's CSV holds what was really paid.",
)
