"""A pretend EC-CUBE 4 shop: tokens that follow each other, and orders by GraphQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, graphql_sync

from connectors.kit.fields import TOKYO
from tests.connectors.eccube4.schema import schema
from tests.connectors.loopback import Answered, Asked, Loopback, told, web_page

CLIENT, SECRET = "client0000", "client-secret-0000"
REDIRECT = "https://okaeri.example.jp/login"
REFRESH = "def502-refresh-0000"
HOOK = "hook-secret-0000"

NAMES = {
    "1": "新規受付", "3": "注文取消し", "4": "対応中", "5": "発送済み", "6": "入金済み",
    "7": "決済処理中", "8": "購入処理中", "9": "返品",
}  # fmt: skip
_CHECKOUT = frozenset({"7", "8"})

Row = dict[str, Any]


def stamp(moment: datetime) -> str:
    """A time as the shop tells it: its own zone, whole seconds."""
    return moment.astimezone(TOKYO).replace(microsecond=0).isoformat()


def status(number: str) -> Row:
    """A status by its id."""
    return {"id": number, "name": NAMES.get(number, "独自の状況"), "sort_no": 1}


def item(number: int, kind: str = "1", **changes: Any) -> Row:
    """Two packets of tea, or another kind of row."""
    return {
        "id": str(number), "product_name": "緑茶", "product_code": "tea-01", "price": 2000,
        "quantity": 2, "tax": 148, "tax_rate": 8, "currency_code": "JPY",
        "OrderItemType": {"id": kind, "name": "", "sort_no": 1},
    } | changes  # fmt: skip


def parcel(number: int, placed: datetime, **changes: Any) -> Row:
    """A parcel to somebody else, not sent yet."""
    return {
        "id": str(number), "name01": "見本", "name02": "太郎", "kana01": "ミホン",
        "kana02": "タロウ", "phone_number": "09000000001", "postal_code": "0600001",
        "addr01": "札幌市中央区", "addr02": "0-0", "Pref": {"id": "1", "name": "北海道"},
        "shipping_delivery_name": "見本運輸", "shipping_delivery_time": "午前",
        "shipping_delivery_date": None, "shipping_date": None, "tracking_number": None,
        "update_date": stamp(placed), "create_date": stamp(placed),
    } | changes  # fmt: skip


def order(number: int, placed: datetime, state: str = "1", **changes: Any) -> Row:
    """One order of a member, 4,150 yen: tea, shipping, a fee, a discount and points."""
    placed_at = stamp(placed)
    return {
        "id": str(number), "order_no": f"N{number:05}", "message": None, "name01": "見本",
        "name02": "花子", "kana01": "ミホン", "kana02": "ハナコ", "email": "hanako@Example.JP",
        "phone_number": "09000000000", "postal_code": "1500001", "addr01": "渋谷区神宮前",
        "addr02": "0-0-0", "birth": "1985-04-12T00:00:00+09:00", "subtotal": 4000,
        "discount": 300, "delivery_fee_total": 500, "charge": 50, "tax": 296, "total": 4150,
        "payment_total": 4150, "payment_method": "クレジットカード", "note": None,
        "currency_code": "JPY", "add_point": 40, "use_point": 100, "order_date": placed_at,
        "payment_date": None, "update_date": placed_at, "create_date": placed_at,
        "OrderStatus": status(state), "Pref": {"id": "13", "name": "東京都"},
        "Customer": {"id": "7", "birth": None}, "Payment": {"id": "5", "method": "カード"},
        "OrderItems": _items(10 * number),
        "Shippings": [parcel(10 * number, placed)],
    } | changes  # fmt: skip


def _items(number: int) -> list[Row]:
    """A row of each kind: goods, shipping, fee, discount and points."""
    rows = {"2": ("送料", 500, 1), "3": ("手数料", 50, 1), "4": ("割引", -300, 1)}
    rows |= {"6": ("ポイント", -1, 100)}
    return [item(number)] + [
        item(number + int(kind), kind, product_name=name, product_code=None, price=price,
             quantity=count)
        for kind, (name, price, count) in rows.items()
    ]  # fmt: skip


@cache
def _schema(by_instant: bool) -> GraphQLSchema:
    return schema(by_instant=by_instant)


class CubeShop:
    """Answers as the reference says; attributes make it misbehave."""

    def __init__(self, *orders: Row, by_instant: bool = True) -> None:
        self.orders = {one["id"]: one for one in orders}
        self.by_instant = by_instant
        self.refresh_token = REFRESH
        """The one that works; each use brings another."""
        self.access_tokens: list[str] = []
        self.given = 0
        self.scope = "read"
        self.filters = True
        self.broken: dict[str, str] = {}
        """Order id to the field that fails when it is told."""
        self.after_page: list[Callable[[], None]] = []
        """What happens, one by one, after each list that was told."""
        self.loopback = Loopback(self.answer)

    @property
    def url(self) -> str:
        return self.loopback.url

    def place(self, one: Row) -> Row:
        """An order arrives."""
        self.orders[one["id"]] = one
        return one

    def change(self, number: str, at: datetime, **values: Any) -> None:
        """Something of an order changes, and with it its time of change."""
        self.orders[number] = self.orders[number] | {"update_date": stamp(at)} | values

    def send(self, number: str, at: datetime, **values: Any) -> None:
        """Something of its parcel changes: the order's own time of change stays."""
        first, *rest = self.orders[number]["Shippings"]
        changed = [first | {"update_date": stamp(at)} | values, *rest]
        self.orders[number] = self.orders[number] | {"Shippings": changed}

    def lists(self) -> list[Row]:
        """The lists that were asked for: name of the query, and its variables."""
        asked = [json.loads(a.body) for a in self.loopback.asked if a.path == "/api"]
        return [
            {"query": one["query"].split("(")[0].split()[1], **one["variables"]}
            for one in asked
            if one["variables"]
        ]

    # --- answers -----------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answered:
        if asked.method == "POST" and asked.path == "/token":
            return self._token(dict(parse_qsl(asked.body.decode())))
        if asked.method != "POST" or asked.path != "/api":
            return web_page(404)
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if bearer not in self.access_tokens:
            return Answered(401, headers={"www-authenticate": "Bearer"})
        body = json.loads(asked.body)
        return told(self._run(body["query"], body.get("variables") or {}))

    def _token(self, question: dict[str, str]) -> Answered:
        if (question.get("client_id"), question.get("client_secret")) != (CLIENT, SECRET):
            return failed("invalid_client", 401)
        kind = question.get("grant_type")
        if kind == "refresh_token" and question.get("refresh_token") != self.refresh_token:
            return failed("invalid_request", 401)
        good = (question.get("code"), question.get("redirect_uri")) == ("good-code", REDIRECT)
        if kind == "authorization_code" and not good:
            return failed("invalid_grant", 400)
        self.given += 1
        self.refresh_token = f"def502-refresh-{self.given:04}"
        self.access_tokens = [f"access-token-{self.given:04}"]
        return told(
            {
                "token_type": "Bearer",
                "expires_in": 3600,
                "access_token": self.access_tokens[0],
                "refresh_token": self.refresh_token,
            }
        )

    def _run(self, query: str, variables: Row) -> Row:
        if self.scope != "read":
            return {"errors": [{"message": "Insufficient permission. (read)"}]}
        result = graphql_sync(
            _schema(self.by_instant),
            query,
            root_value={"orders": self._listed},
            variable_values=variables,
            field_resolver=self._field,
        )
        if self.after_page and variables:
            self.after_page.pop(0)()
        return json.loads(json.dumps(result.formatted, default=str))  # type: ignore[no-any-return]

    def _field(self, parent: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        if info.parent_type.name == "Order" and self.broken.get(parent["id"]) == info.field_name:
            raise GraphQLError("Internal server error")
        value = parent.get(info.field_name) if isinstance(parent, Mapping) else None
        return value(**arguments) if callable(value) else value

    def _listed(self, page: int, limit: int, **search: Any) -> Row:
        found = [one for one in self.orders.values() if self._shown(one, search)]
        found.sort(key=lambda one: (one["update_date"], int(one["id"])), reverse=True)
        part = found[(page - 1) * limit : page * limit]
        more = page * limit < len(found)
        info = {"hasNextPage": more, "hasPreviousPage": page > 1}
        return {"nodes": part, "totalCount": len(found), "pageInfo": info}

    def _shown(self, one: Row, search: Row) -> bool:
        if one["OrderStatus"]["id"] in _CHECKOUT:
            return False
        return not self.filters or all(_inside(one, *each) for each in search.items())


def _inside(one: Row, name: str, limit: Any) -> bool:
    """From the start on, and before the end; a day as the end takes part."""
    if limit is None or name == "status":
        return True
    field, _, end = name.rpartition("_")
    value = one[field.replace("datetime", "date")]
    if value is None:
        return False
    moment = datetime.fromisoformat(value)
    if not isinstance(limit, datetime):
        day = datetime.combine(date.fromisoformat(limit), datetime.min.time(), TOKYO)
        limit = day + timedelta(days=1) if end == "end" else day
    return bool(moment >= limit) if end == "start" else bool(moment < limit)


def failed(code: str, status_code: int) -> Answered:
    """A refusal of the token endpoint."""
    return told({"error": code, "error_description": "見本", "message": "見本"}, status_code)
