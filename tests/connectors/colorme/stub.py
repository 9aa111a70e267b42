"""A pretend Color Me Shop: a token without end, seven days by default, lists cut by offset."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from connectors.kit.fields import TOKYO
from tests.connectors.loopback import Answered, Asked, Loopback, told

CLIENT, SECRET = "client-id-0000", "client-secret-0000"
TOKEN = "access-token-0000"
REDIRECT = "https://okaeri.example.jp/colorme"
CARD, BANK, COD, HOUSE = 751, 752, 753, 754

Row = dict[str, Any]

METHODS: list[Row] = [
    {"id": CARD, "name": "クレジットカード", "type": 6, "fee": 0, "display": True},
    {"id": BANK, "name": "銀行振込", "type": 1, "fee": 0, "display": True},
    {"id": COD, "name": "代金引換", "type": 0, "fee": 300, "display": True},
    {"id": HOUSE, "name": "店頭で", "type": 9, "fee": 0, "display": False},
]


def seconds(moment: datetime) -> int:
    """A time as answers hold it."""
    return int(moment.timestamp())


def customer(**changes: Any) -> Row:
    """Hanako, a member who wants the shop's mails."""
    return {
        "id": 998273, "account_id": "PA00000000", "name": "見本 花子", "furigana": "ミホン ハナコ",
        "hojin": None, "busho": None, "sex": "female", "birthday": "1990-02-03",
        "postal": "1500001", "pref_id": 13, "pref_name": "東京都", "address1": "渋谷区神宮前0",
        "address2": "見本ビル", "mail": "hanako@Example.JP", "tel": "0300000000", "fax": None,
        "tel_mobile": "09000000000", "other": None, "points": 216, "member": True,
        "sales_count": 3, "receive_mail_magazine": True, "answer_free_form1": "秘密の答え",
        "answer_free_form2": None, "answer_free_form3": None,
    } | changes  # fmt: skip


def detail(number: int, **changes: Any) -> Row:
    """Two packets of tea."""
    return {
        "id": number, "sale_id": number, "product_id": 1342332, "sale_delivery_id": number,
        "option1_value": None, "option2_value": None, "product_model_number": "tea-01",
        "product_name": "緑茶", "pristine_product_full_name": "緑茶", "product_cost": 500,
        "price": 1000, "price_with_tax": 1080, "product_num": 2, "unit": "袋",
        "subtotal_price": 2160,
    } | changes  # fmt: skip


def parcel(number: int, **changes: Any) -> Row:
    """To Taro in Sapporo."""
    return {
        "id": number, "sale_id": number, "delivery_id": 113922, "detail_ids": [number],
        "name": "見本 太郎", "furigana": "ミホン タロウ", "postal": "0600001", "pref_id": 1,
        "pref_name": "北海道", "address1": "札幌市中央区0", "address2": None, "tel": "0110000000",
        "preferred_date": None, "preferred_period": None, "slip_number": None,
        "noshi_text": None, "noshi_charge": 0, "card_name": None, "card_text": None,
        "card_charge": 0, "wrapping_name": None, "wrapping_charge": 0, "delivery_charge": 600,
        "total_charge": 600, "memo": None, "delivered": False,
    } | changes  # fmt: skip


def sale(number: int, placed: datetime, **changes: Any) -> Row:
    """One sale, 2,710 yen: tea 2,160, delivery 600, a card 50, a coupon 100; tax included."""
    return {
        "id": number, "account_id": "PA00000000", "make_date": seconds(placed),
        "update_date": seconds(placed), "memo": None, "payment_id": CARD, "mobile": False,
        "paid": True, "delivered": False, "canceled": False, "accepted_mail_state": "sent",
        "paid_mail_state": "not_yet", "delivered_mail_state": "not_yet",
        "accepted_mail_sent_date": seconds(placed), "paid_mail_sent_date": None,
        "delivered_mail_sent_date": None, "point_state": "assumed",
        "product_total_price": 2160, "delivery_total_charge": 600, "fee": 0, "tax": 160,
        "noshi_total_charge": 0, "card_total_charge": 50, "wrapping_total_charge": 0,
        "point_discount": 0, "gmo_point_discount": 0, "other_discount": 100,
        "other_discount_name": "初回", "total_price": 2710, "use_points": 0,
        "external_order_id": "", "customer": customer(), "details": [detail(number)],
        "sale_deliveries": [parcel(number)],
        "segment": {"id": 1, "parent_sale_id": number, "splitted": False, "total_price": 2710},
    } | changes  # fmt: skip


def cancelled(one: Row) -> Row:
    """What a cancel leaves of a sale: no quantities, no total, points given back."""
    items = [item | {"product_num": 0, "subtotal_price": 0} for item in one["details"]]
    return {"canceled": True, "total_price": 0, "details": items, "point_state": "canceled"}


class ColorMeShop:
    """Answers as the reference says; attributes make it misbehave."""

    def __init__(self, *sales: Row) -> None:
        self.sales: dict[int, Any] = {one["id"]: one for one in sales}
        self.methods = [dict(method) for method in METHODS]
        self.tokens = {TOKEN}
        """Those that work."""
        self.scope = "read_sales"
        """What a login grants."""
        self.refused: dict[str, Answered] = {}
        """Path to what it answers instead."""
        self.most = 100
        """The longest page, whatever was asked for."""
        self.counts = True
        """Whether answers tell how many sales there are."""
        self.calls_left = 10_000
        self.now: Callable[[], datetime] | None = None
        self.after_list: list[Callable[[], None]] = []
        self.loopback = Loopback(self.answer)

    @property
    def url(self) -> str:
        return self.loopback.url

    def place(self, one: Row) -> Row:
        """A sale arrives."""
        self.sales[one["id"]] = one
        return one

    def change(self, number: int, at: datetime, **values: Any) -> None:
        """Something of a sale changes, and with it its time of change."""
        self.sales[number] = self.sales[number] | {"update_date": seconds(at)} | values

    # --- answers -----------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answered:
        if asked.path == "/oauth/token" and asked.method == "POST":
            return self._token(dict(parse_qsl(asked.body.decode())))
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return failed(401, 401100)
        if self.calls_left <= 0:
            return failed(429, 429100)
        self.calls_left -= 1
        if asked.path in self.refused:
            return self.refused[asked.path]
        if asked.path == "/v1/payments.json":
            return told({"payments": self.methods})
        return self._list(asked.query) if asked.path == "/v1/sales.json" else failed(404, 404100)

    def _token(self, question: dict[str, str]) -> Answered:
        wanted = {
            "client_id": CLIENT, "client_secret": SECRET, "redirect_uri": REDIRECT,
            "grant_type": "authorization_code", "code": "good-code",
        }  # fmt: skip
        if question != wanted:
            return failed(400, 400100)
        self.tokens.add("access-token-0001")
        given = {"access_token": "access-token-0001", "token_type": "bearer"}
        return told(given | ({"scope": self.scope} if self.scope else {}))

    def _list(self, query: dict[str, str]) -> Answered:
        hits = [one for one in self.sales.values() if self._hit(one, query)]
        hits.sort(key=lambda one: (one["make_date"], str(one["id"])), reverse=True)
        limit = min(int(query.get("limit", 10)), self.most)
        offset = int(query.get("offset", 0))
        rows = hits[offset : offset + limit]
        if self.after_list:
            self.after_list.pop(0)()
        meta = {"total": len(hits), "limit": limit, "offset": offset} if self.counts else {}
        return told({"sales": rows, "meta": meta})

    def _hit(self, one: Row, query: dict[str, str]) -> bool:
        changed = one["update_date"]
        begin, end = query.get("update_date_min"), query.get("update_date_max")
        return (
            self._after(query) <= one["make_date"] <= moment(query.get("before"), 1e12)
            and (begin is None or changed >= moment(begin))
            and (end is None or changed <= moment(end))
        )

    def _after(self, query: dict[str, str]) -> float:
        if "after" in query:
            return moment(query["after"])
        end = datetime.fromtimestamp(moment(query.get("before"), self._clock()), TOKYO)
        midnight = end.replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight - timedelta(days=7)).timestamp()

    def _clock(self) -> float:
        return (self.now() if self.now else datetime.now(TOKYO)).timestamp()


def moment(text: str | None, default: float = 0.0) -> float:
    """Seconds of a time of a question, which is Japan's."""
    if text is None:
        return default
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=TOKYO).timestamp()


def failed(status: int, code: int) -> Answered:
    """An error of the API."""
    error = {"code": code, "message": "見本 のエラー", "status": status}
    return told({"errors": [error]}, status)
