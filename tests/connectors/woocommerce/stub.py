"""A pretend WooCommerce shop: signatures, windows, sorting, pages, drafts and the bin."""

from __future__ import annotations

import base64
import hmac
import json
import time
from datetime import datetime, timedelta
from typing import Any

from connectors.woocommerce.signing import signature
from tests.connectors.loopback import Answered, Asked, Loopback, told

KEY, SECRET = "ck_" + "a" * 40, "cs_" + "b" * 40
ROUTE = "/wp-json/wc/v3"
_SHOWN_BY_ANY = {"trash", "auto-draft"}

Row = dict[str, Any]


def row(number: int, modified: str, **changes: Any) -> Row:
    """One order as current releases send it; ``modified`` is UTC without an offset."""
    person = {
        "first_name": "花子", "last_name": "見本", "company": "", "address_1": "神宮前0-0-0",
        "address_2": "", "city": "渋谷区", "state": "JP13", "postcode": "150-0001",
        "country": "JP", "phone": "0300000000",
    }  # fmt: skip
    order: Row = {
        "id": number, "parent_id": 0, "number": str(number), "order_key": f"wc_order_{number}",
        "created_via": "checkout", "version": "11.0.1", "status": "processing", "currency": "JPY",
        "date_created": "2026-02-01T20:03:00", "date_created_gmt": "2026-02-01T11:03:00",
        "date_modified": _local(modified), "date_modified_gmt": modified,
        "discount_total": "0", "discount_tax": "0", "shipping_total": "455", "shipping_tax": "45",
        "cart_tax": "182", "total": "2500", "total_tax": "227", "prices_include_tax": True,
        "customer_id": 0, "customer_ip_address": "192.0.2.1", "customer_user_agent": "Mozilla",
        "customer_note": "", "billing": {**person, "email": "hanako@Example.jp"},
        "shipping": dict.fromkeys(person, ""), "payment_method": "cod",
        "payment_method_title": "代金引換", "transaction_id": "", "date_paid": None,
        "date_paid_gmt": None, "date_completed": None, "date_completed_gmt": None,
        "cart_hash": "0", "meta_data": [], "line_items": [line(number)], "tax_lines": [],
        "shipping_lines": [], "fee_lines": [], "coupon_lines": [], "refunds": [],
        "payment_url": "https://shop.example/pay", "is_editable": False, "needs_payment": False,
        "_links": {"self": [{"href": "https://shop.example"}]},
    }  # fmt: skip
    return order | changes


def line(number: int, **changes: Any) -> Row:
    """One row of two pieces, 2,000 yen with tax."""
    return {
        "id": number * 10, "name": "緑茶", "product_id": 93, "variation_id": 0, "quantity": 2,
        "tax_class": "", "subtotal": "1818", "subtotal_tax": "182", "total": "1818",
        "total_tax": "182", "taxes": [], "meta_data": [], "sku": "tea-01", "price": 909,
        "image": {"id": "", "src": ""}, "parent_name": None,
    } | changes  # fmt: skip


def _local(utc: str) -> str:
    return (datetime.fromisoformat(utc) + timedelta(hours=9)).isoformat()


class WooShop:
    """Answers the orders route as the reference says; attributes make it an odd shop."""

    def __init__(self, *orders: Row) -> None:
        self.orders = {order["id"]: order for order in orders}
        self.coupons: dict[str, Row] = {}
        self.secret = SECRET
        self.https = False
        """Whether PHP believes the request came over https: Basic instead of a signature."""
        self.sorts_by_modified = True
        self.filters_by_modified = True
        self.notice = b""
        """Printed before the data by a plugin with debugging on."""
        self.after_page: list[Row] = []
        """Changes that happen one by one after each listing, while it is being read."""
        self._nonces: set[str] = set()
        self.loopback = Loopback(self.answer)

    @property
    def url(self) -> str:
        """The shop's address."""
        return self.loopback.url

    def put(self, order: Row) -> None:
        """Create or change an order."""
        self.orders[order["id"]] = order

    def listings(self) -> list[Asked]:
        """The listings asked for, without the one that reads the clock."""
        return [asked for asked in self.loopback.asked if "status" in asked.query]

    def answer(self, asked: Asked) -> Answered:
        """Answer one request."""
        refused = self._refusal(asked)
        if refused is not None:
            return refused
        if asked.path == f"{ROUTE}/orders":
            return self._listing(asked)
        if asked.path.startswith(f"{ROUTE}/coupons"):
            return self._coupons(asked)
        return _error(404, "rest_no_route")

    def _refusal(self, asked: Asked) -> Answered | None:
        if self.https or "consumer_key" in asked.query:
            wanted = "Basic " + base64.b64encode(f"{KEY}:{self.secret}".encode()).decode()
            given = (asked.query.get("consumer_key"), asked.query.get("consumer_secret"))
            good = asked.headers.get("authorization") == wanted or given == (KEY, self.secret)
            return None if good else _error(401, "woocommerce_rest_cannot_view")
        if "oauth_signature" not in asked.query:
            return _error(401, "woocommerce_rest_cannot_view")
        query = dict(asked.query)
        sign, nonce = query.pop("oauth_signature"), query["oauth_nonce"]
        right = signature(asked.method, f"http://{asked.host}{asked.path}", query, self.secret)
        now = time.time() + self.loopback.clock_offset.total_seconds()
        late = abs(now - int(query["oauth_timestamp"])) > 900
        if late or nonce in self._nonces or not hmac.compare_digest(sign, right):
            return _error(401, "woocommerce_rest_authentication_error")
        self._nonces.add(nonce)
        return None

    def _listing(self, asked: Asked) -> Answered:
        query = asked.query
        size, page = int(query.get("per_page", 10)), int(query.get("page", 1))
        sort = query.get("orderby", "date")
        if size > 100:
            return _error(400, "rest_invalid_param", "per_page")
        if sort == "modified" and not self.sorts_by_modified:
            return _error(400, "rest_invalid_param", "orderby")
        found = sorted(self._matching(query), key=_sorting(sort))
        if query.get("order", "desc") == "desc":
            found.reverse()
        part = found[(page - 1) * size : page * size]
        pages = -(-len(found) // size)
        answer = told(part, x_wp_total=str(len(found)), x_wp_totalpages=str(pages))
        if "status" in query and self.after_page:
            self.put(self.after_page.pop(0))
        return Answered(200, self.notice + answer.body, answer.headers)

    def _matching(self, query: dict[str, str]) -> list[Row]:
        status = query.get("status", "any")
        rows = [
            order
            for order in self.orders.values()
            if (
                order["status"] not in _SHOWN_BY_ANY
                if status == "any"
                else order["status"] == status
            )
        ]
        utc = query.get("dates_are_gmt") == "true"
        for prefix, name in (("modified_", "date_modified"), ("", "date_created")):
            if prefix and not self.filters_by_modified:
                continue
            key = f"{name}_gmt" if utc else name
            if after := query.get(f"{prefix}after"):
                rows = [order for order in rows if order[key] > after]
            if before := query.get(f"{prefix}before"):
                rows = [order for order in rows if order[key] < before]
        return rows

    def _coupons(self, asked: Asked) -> Answered:
        if asked.method == "GET":
            code = asked.query.get("code", "").lower()
            return told([self.coupons[code]] if code in self.coupons else [], x_wp_total="1")
        body = json.loads(asked.body)
        code = str(body["code"]).lower()
        if code in self.coupons:
            return _error(400, "woocommerce_rest_coupon_code_already_exists")
        amount = f"{float(body.get('amount', 0)):.2f}"
        made = {**body, "id": 700 + len(self.coupons), "code": code, "amount": amount}
        self.coupons[code] = made | {"usage_count": 0, "used_by": []}
        return told(self.coupons[code], 201)


def _sorting(name: str) -> Any:
    key = {"modified": "date_modified_gmt", "date": "date_created_gmt"}.get(name, "id")
    return lambda order: (order[key] or 0, order["id"] or 0)


def _error(status: int, code: str, *params: str) -> Answered:
    data: dict[str, Any] = {"status": status}
    if params:
        data["params"] = dict.fromkeys(params, "無効なパラメーターです。")
    return told({"code": code, "message": "申し訳ありません。", "data": data}, status)
