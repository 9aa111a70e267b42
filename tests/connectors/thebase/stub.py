"""A pretend BASE: tokens that follow each other, quotas, lists without a count, details."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from connectors.kit.fields import TOKYO
from tests.connectors.loopback import Answered, Asked, Loopback, told

CLIENT, SECRET = "client-id-0000", "client-secret-0000"
REDIRECT = "https://okaeri.example.jp/base"
REFRESH = "refresh-token-0000"

_LISTED = (
    "unique_key", "ordered", "cancelled", "dispatched", "modified", "payment", "first_name",
    "last_name", "total", "delivery_date", "delivery_time_zone", "terminated", "dispatch_status",
    "subscription",
)  # fmt: skip

Row = dict[str, Any]


def key(number: int) -> str:
    """16 upper hexadecimal digits."""
    return f"{number:016X}"


def seconds(moment: datetime) -> int:
    """A time as answers hold it."""
    return int(moment.timestamp())


def order(number: int, placed: datetime, **changes: Any) -> Row:
    """One order, 4,150 yen: two packets of tea, shipping, a coupon and coins."""
    return {
        "unique_key": key(number), "ordered": seconds(placed), "cancelled": None,
        "dispatched": None, "modified": seconds(placed), "payment": "creditcard",
        "first_name": "花子", "last_name": "見本", "total": 4150, "delivery_date": None,
        "delivery_time_zone": None, "terminated": False, "dispatch_status": "ordered",
        "subscription": None, "shipping_method": "宅配便", "shipping_fee": 500, "cod_fee": 0,
        "country": "日本", "country_code": "JP", "zip_code": "150-0001", "prefecture": "東京都",
        "address": "渋谷区神宮前0", "address2": None, "mail_address": "hanako@Example.JP",
        "tel": "09000000000", "remark": None, "add_comment": None, "delivery_company_id": None,
        "tracking_number": None,
        "order_receiver": {
            "first_name": "太郎", "last_name": "見本", "zip_code": "060-0001",
            "prefecture": "北海道", "address": "札幌市中央区0", "address2": None,
            "tel": "09000000001",
        },
        "order_discount": {"discount": 300, "note": "初回", "is_allocate_user_balance_log": 0},
        "order_amount_adjustment": None,
        "order_header_coin": {"discount": 50, "note": "コイン"},
        "c_c_payment_transaction": {"collected_fee": 150, "status": "captured"},
        "user_balance_logs": [],
        "order_items": [item(number)],
    } | changes  # fmt: skip


def item(number: int, **changes: Any) -> Row:
    """Two packets of tea."""
    return {
        "order_item_id": number, "item_id": 77, "variation_id": 0, "title": "緑茶",
        "variation": None, "price": 2000, "amount": 2, "total": 4000, "status": "ordered",
        "shipping_method": None, "shipping_fee": 0, "modified": None,
    } | changes  # fmt: skip


class BaseShop:
    """Answers as the reference says; attributes make it misbehave."""

    def __init__(self, *orders: Row) -> None:
        self.orders = {one["unique_key"]: one for one in orders}
        self.refresh_token = REFRESH
        """The one that works; each use brings another."""
        self.access_tokens: list[str] = []
        """Those that were given out and still work."""
        self.given = 0
        self.calls_left = 5000
        self.limit_error = "hour_api_limit"
        self.error = ""
        """What every question is refused with."""
        self.garbled: dict[str, Answered] = {}
        """Order key to what the detail answers instead."""
        self.after_list: list[Callable[[], None]] = []
        self.loopback = Loopback(self.answer)

    @property
    def url(self) -> str:
        return self.loopback.url

    def place(self, one: Row) -> Row:
        """An order arrives."""
        self.orders[one["unique_key"]] = one
        return one

    def change(self, name: str, at: datetime, **values: Any) -> None:
        """Something of an order changes, and with it its time of change."""
        self.orders[name] = self.orders[name] | {"modified": seconds(at)} | values

    # --- answers -----------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answered:
        if asked.path == "/1/oauth/token" and asked.method == "POST":
            return self._token(dict(parse_qsl(asked.body.decode())))
        if asked.path == "/1/oauth/authorize":
            return self._allowed(asked.query)
        if refused := self._refused(asked):
            return refused
        if asked.path == "/1/orders":
            return self._list(asked.query)
        prefix, _, name = asked.path.rpartition("/")
        return self._detail(name) if prefix == "/1/orders/detail" else Answered(404)

    def _allowed(self, query: dict[str, str]) -> Answered:
        """The owner logs in and allows it: the browser is sent back with a code."""
        back = {"code": "good-code", "state": query["state"]}
        return Answered(302, b"", {"location": f"{query['redirect_uri']}?{urlencode(back)}"})

    def _token(self, question: dict[str, str]) -> Answered:
        if (question.get("client_id"), question.get("client_secret")) != (CLIENT, SECRET):
            return failed("unauthorized_client")
        if question.get("redirect_uri") != REDIRECT:
            return failed("invalid_request")
        offered = {"refresh_token": self.refresh_token, "authorization_code": "good-code"}
        kind = question.get("grant_type", "")
        name = "code" if kind == "authorization_code" else kind
        if kind not in offered or question.get(name) != offered[kind]:
            return failed("invalid_request")
        self.given += 1
        self.refresh_token = f"refresh-token-{self.given:04}"
        self.access_tokens = [f"access-token-{self.given:04}"]
        return told(
            {
                "access_token": self.access_tokens[0],
                "token_type": "bearer",
                "expires_in": 3600,
                "refresh_token": self.refresh_token,
            }
        )

    def _refused(self, asked: Asked) -> Answered | None:
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if bearer not in self.access_tokens:
            return failed("invalid_request")
        if self.error:
            return failed(self.error)
        if self.calls_left <= 0:
            return failed(self.limit_error)
        self.calls_left -= 1
        return None

    def _list(self, query: dict[str, str]) -> Answered:
        start, end = (moment(query[name]) for name in ("start_ordered", "end_ordered"))
        limit, offset = int(query.get("limit", 20)), int(query.get("offset", 0))
        if limit > 100:
            return failed("invalid_request")
        hits = [one for one in self.orders.values() if start <= one["ordered"] <= end]
        hits.sort(key=lambda one: (one["ordered"], str(one["unique_key"])), reverse=True)
        rows = [{name: one[name] for name in _LISTED} for one in hits[offset : offset + limit]]
        if self.after_list:
            self.after_list.pop(0)()
        return told({"orders": rows})

    def _detail(self, name: str) -> Answered:
        if name in self.garbled:
            return self.garbled[name]
        if name not in self.orders:
            return failed("no_order")
        return told({"order": self.orders[name]})


def moment(text: str) -> float:
    """Seconds of a time of a question, which is Japan's."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=TOKYO).timestamp()


def failed(code: str, status: int = 400) -> Answered:
    """An error of the API."""
    return told({"error": code, "error_description": "見本 のエラー"}, status)
