"""What a shop enters for the Wow! manager API, and what it must know first."""

from __future__ import annotations

from connectors.contract import Credential

API_KEY = Credential(
    "api_key",
    "APIキー",
    "API key",
    "Wow! manager の「各種お申し込み」→「API利用申請」で発行します。画面に出る有効期限も控え、"
    "--expires api_key=日付 で登録してください。",
    "Issued in Wow! manager: 各種お申し込み, API利用申請. Note the end shown there and enter it "
    "with --expires api_key=DATE.",
)
SHOP_ID = Credential(
    "shop_id",
    "店舗ID (会員番号)",
    "Shop id",
    "Wow! manager に表示される数字の店舗ID (会員番号) です。",
    "The shop's number, shown in Wow! manager.",
    secret=False,
)
ALL = (API_KEY, SHOP_ID)

WARNINGS = (
    "APIの利用申請が必要です。使えるようになるまで日数がかかることがあります。",
    "登録した固定IPアドレスからしか接続できません。先にこのサーバーの送信元アドレスを固定してください。",
    "APIキーには期限があります。--expires api_key=日付 で登録すると、切れる前にお知らせします。",
    "固定IPアドレスがないときや申請中は、受注管理でダウンロードしたCSVを取り込めます。",
    "購入者のメールアドレスはこの店舗の連絡だけに使い、ほかの店舗とは照合しません。",
)
WARNINGS_EN = (
    "The shop must apply for the API; it may take days until it can be used.",
    "Only a registered fixed IP address is let in: fix this server's outgoing address first.",
    "The API key ends: enter the day with --expires api_key=DATE, and you are told before.",
    "Without a fixed address, or while you wait, take in the CSV of the order page.",
    "Buyers' addresses serve this shop alone and are never matched with other channels.",
)
