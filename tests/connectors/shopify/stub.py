"""A pretend Shopify shop: tokens, points, the window's search, cursors and bulk operations."""

from __future__ import annotations

import json
import re
from collections import deque
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from tests.connectors.loopback import Answered, Asked, Loopback, told

TOKEN, SHOP = "shpat_" + "a" * 32, "sample.myshopify.com"
CLIENT, SECRET = "client-of-sample", "shpss_" + "b" * 32
_WINDOW = re.compile(r"(\w+):>='([^']+)' AND \w+:<'([^']+)'")
_BUCKET = 1000.0

Node = dict[str, Any]


def money(amount: str, currency: str = "JPY") -> Node:
    """A money bag as the API writes it; yen come with a fraction."""
    return {"shopMoney": {"amount": amount, "currencyCode": currency}}


def person(**changes: Any) -> Node:
    """An address in Tokyo."""
    return {
        "firstName": "花子", "lastName": "見本", "address1": "神宮前0-0-0", "address2": None,
        "city": "渋谷区", "province": "Tokyo", "provinceCode": "JP-13", "zip": "150-0001",
        "countryCodeV2": "JP", "phone": "+819000000000",
    } | changes  # fmt: skip


def line(number: int, **changes: Any) -> Node:
    """One line of two pieces, 2,000 yen."""
    return {
        "id": f"gid://shopify/LineItem/{number}", "title": "緑茶", "variantTitle": None,
        "sku": "tea-01", "quantity": 2, "currentQuantity": 2,
        "originalUnitPriceSet": money("1000.0"), "discountedTotalSet": money("2000.0"),
    } | changes  # fmt: skip


def customer(number: int, last: int, count: int, **changes: Any) -> Node:
    """A customer whose last order is ``last``, of ``count`` in all."""
    return {
        "id": f"gid://shopify/Customer/{number}", "firstName": "花子", "lastName": "見本",
        "numberOfOrders": str(count), "lastOrder": {"id": f"gid://shopify/Order/{last}"},
        "defaultEmailAddress": {
            "emailAddress": "hanako@example.jp", "marketingState": "SUBSCRIBED",
            "marketingUpdatedAt": "2026-01-05T00:00:00Z",
        },
        "defaultPhoneNumber": None,
    } | changes  # fmt: skip


def order(number: int, updated: str, **changes: Any) -> Node:
    """One paid order, not yet shipped; ``updated`` is ISO 8601 with Z."""
    return {
        "id": f"gid://shopify/Order/{number}", "legacyResourceId": str(number),
        "name": f"#{number}", "createdAt": "2026-11-01T00:50:26Z",
        "processedAt": "2026-11-01T00:50:26Z", "updatedAt": updated, "cancelledAt": None,
        "test": False, "email": "hanako@Example.jp", "phone": None, "customerLocale": "ja",
        "customerAcceptsMarketing": True, "currencyCode": "JPY", "taxesIncluded": True,
        "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "UNFULFILLED",
        "returnStatus": "NO_RETURN", "sourceName": "web", "note": None, "customAttributes": [],
        "discountCodes": [], "paymentGatewayNames": ["shopify_payments"],
        "subtotalPriceSet": money("2000.0"), "totalShippingPriceSet": money("500.0"),
        "totalTaxSet": money("227.0"), "totalDiscountsSet": money("0.0"),
        "totalPriceSet": money("2500.0"), "totalRefundedSet": money("0.0"),
        "customer": customer(number, number, 1), "billingAddress": person(),
        "shippingAddress": None, "fulfillments": [],
        "lineItems": {"pageInfo": {"hasNextPage": False, "endCursor": None},
                      "nodes": [line(number)]},
    } | changes  # fmt: skip


class ShopifyShop:
    """Answers by the name of the operation; attributes make it an odd shop."""

    def __init__(self, *orders: Node) -> None:
        self.orders = {node["legacyResourceId"]: node for node in orders}
        self.token = TOKEN
        self.scopes = ["read_orders", "read_customers", "read_all_orders"]
        self.version = "2026-10"
        self.points, self.restore = _BUCKET, 0.0
        """What is left of the bucket, and what comes back before each request."""
        self.page_cost = 0.0
        """Points per order asked for; above the bucket it is refused for good."""
        self.searches = True
        self.errors: deque[list[Node]] = deque()
        """Errors that the next answers carry with HTTP 200."""
        self.bulk_polls = 2
        """So often a bulk operation is still running when asked."""
        self.bulk: Node = {"status": "COMPLETED", "errorCode": None}
        self.bulk_query = ""
        self.line_page = 50
        self.after_page: list[Node] = []
        """Changes that happen one by one after each page, while it is being read."""
        self.discounts: dict[str, Node] = {}
        self.creation: list[Node] = []
        self.user_errors: list[Node] = []
        self.loopback = Loopback(self.answer)

    @property
    def url(self) -> str:
        """Where the shop answers."""
        return self.loopback.url

    def put(self, node: Node) -> None:
        """Create or change an order."""
        self.orders[node["legacyResourceId"]] = node

    def operations(self) -> list[str]:
        """Names of the operations asked for, in turn."""
        bodies = (a.body for a in self.loopback.asked if a.path.endswith("graphql.json"))
        return [_name(json.loads(body)["query"]) for body in bodies]

    def sent(self) -> list[tuple[str, Node]]:
        """Every operation with its variables."""
        bodies = (a.body for a in self.loopback.asked if a.path.endswith("graphql.json"))
        return [(b["query"], b["variables"]) for b in map(json.loads, bodies)]

    def answer(self, asked: Asked) -> Answered:
        """Answer one request."""
        if asked.path == "/admin/oauth/access_token":
            return self._token(parse_qs(asked.body.decode()))
        if asked.path == "/bulk.jsonl":
            return Answered(200, self._file(), {"content-type": "application/jsonl"})
        if asked.headers.get("x-shopify-access-token") != self.token:
            return told({"errors": "[API] Invalid API key or access token"}, 401)
        body = json.loads(asked.body)
        return self._run(_name(body["query"]), body["variables"])

    def _token(self, form: dict[str, list[str]]) -> Answered:
        if form.get("client_secret") != [SECRET] or form.get("client_id") != [CLIENT]:
            return told({"error": "invalid_client"}, 401)
        self.token = f"shpat_{len(self.loopback.asked):032d}"
        scope = ",".join(self.scopes)
        return told({"access_token": self.token, "scope": scope, "expires_in": 86399})

    def _run(self, name: str, variables: Node) -> Answered:
        cost = 10.0 + self.page_cost * (variables.get("first") or 0)
        self.points = min(_BUCKET, self.points + self.restore)
        bucket = {
            "maximumAvailable": _BUCKET, "currentlyAvailable": self.points,
            "restoreRate": self.restore or 100.0,
        }  # fmt: skip
        extensions = {"cost": {"requestedQueryCost": cost, "throttleStatus": bucket}}
        if self.errors:
            return told({"errors": self.errors.popleft(), "data": None, "extensions": extensions})
        if cost > _BUCKET:
            return told({"errors": [_error("MAX_COST_EXCEEDED")], "extensions": extensions})
        if cost > self.points:
            return told({"errors": [_error("THROTTLED")], "extensions": extensions})
        self.points -= cost
        bucket["currentlyAvailable"] = self.points
        data = getattr(self, f"_{name}")(variables)
        return told({"data": data, "extensions": extensions}, x_shopify_api_version=self.version)

    # --- operations ------------------------------------------------------------------------------

    def _ShopCheck(self, _: Node) -> Node:  # noqa: N802
        scopes = [{"handle": handle} for handle in self.scopes]
        return {
            "shop": {"name": "見本ストア", "currencyCode": "JPY"},
            "currentAppInstallation": {"accessScopes": scopes},
        }

    def _matching(self, text: str) -> list[Node]:
        match = _WINDOW.search(text)
        assert match is not None, text
        key = {"updated_at": "updatedAt", "processed_at": "processedAt"}[match[1]]
        found = list(self.orders.values())
        if self.searches:
            found = [node for node in found if match[2] <= node[key] < match[3]]
        return sorted(found, key=lambda node: (node[key], int(node["legacyResourceId"] or 0)))

    def _OrdersSync(self, variables: Node) -> Node:  # noqa: N802
        found = self._matching(variables["filter"])
        after = variables["after"]
        places = [f"{node['updatedAt']}|{node['id']}" for node in found]
        begin = sum(place <= after for place in places) if after else 0
        part = found[begin : begin + variables["first"]]
        more = begin + len(part) < len(found)
        end = places[begin + len(part) - 1] if part else None
        connection = {
            "pageInfo": {"hasNextPage": more, "endCursor": end},
            "nodes": [self._cut(node) for node in part],
        }
        if self.after_page:
            self.put(self.after_page.pop(0))
        return {"orders": connection}

    _OrderTotals = _OrdersSync

    def _cut(self, node: Node) -> Node:
        return node | {"lineItems": self._lines(node["lineItems"]["nodes"], 0, self.line_page)}

    def _lines(self, nodes: list[Node], begin: int, most: int) -> Node:
        end = begin + most
        info = {"hasNextPage": end < len(nodes), "endCursor": str(end)}
        return {"pageInfo": info, "nodes": nodes[begin:end]}

    def _OrderLines(self, variables: Node) -> Node:  # noqa: N802
        node = self.orders[variables["id"].rpartition("/")[2]]
        lines = self._lines(node["lineItems"]["nodes"], int(variables["after"]), 250)
        return {"order": {"lineItems": lines}}

    def _OrdersCount(self, variables: Node) -> Node:  # noqa: N802
        count = len(self._matching(variables["filter"]))
        return {"ordersCount": {"count": min(count, variables["limit"]), "precision": "EXACT"}}

    def _BulkOrders(self, variables: Node) -> Node:  # noqa: N802
        self.bulk_query = variables["query"]
        operation = {"id": "gid://shopify/BulkOperation/1", "status": "CREATED"}
        return {"bulkOperationRunQuery": {"bulkOperation": operation, "userErrors": []}}

    def _BulkStatus(self, _: Node) -> Node:  # noqa: N802
        running = self.bulk_polls > 0
        self.bulk_polls -= 1
        count = len(self._file().splitlines())
        found: Node = {"id": "gid://shopify/BulkOperation/1", "objectCount": str(count)} | self.bulk
        done = found["status"] == "COMPLETED"
        found["url"] = f"{self.url}/bulk.jsonl" if done and count else None
        if running:
            found |= {"status": "RUNNING", "url": None}
        return {"bulkOperation": found}

    # --- discounts -------------------------------------------------------------------------------

    def _CouponFind(self, variables: Node) -> Node:  # noqa: N802
        return {"codeDiscountNodeByCode": self._discount_of(variables["code"])}

    def _discount_of(self, code: str) -> Node | None:
        for number, kept in self.discounts.items():
            if code in kept["codes"]:
                count = {"count": len(kept["codes"])}
                told = {"title": kept["title"], "asyncUsageCount": kept["used"]}
                return {"id": number, "codeDiscount": told | {"codesCount": count}}
        return None

    def _CouponCreate(self, variables: Node) -> Node:  # noqa: N802
        told = variables["input"]
        if self._discount_of(told["code"]):
            taken = [{"field": ["code"], "code": "TAKEN", "message": "taken"}]
            return {"discountCodeBasicCreate": {"codeDiscountNode": None, "userErrors": taken}}
        number = f"gid://shopify/DiscountCodeNode/{len(self.discounts) + 1}"
        self.discounts[number] = told | {"codes": [told["code"]], "used": 0, "ended": False}
        made = {"codeDiscountNode": {"id": number}, "userErrors": self.user_errors}
        return {"discountCodeBasicCreate": made}

    def _CouponCodesAdd(self, variables: Node) -> Node:  # noqa: N802
        self.creation = []
        for code in (one["code"] for one in variables["codes"]):
            taken = self._discount_of(code) is not None
            error = {"field": ["code"], "code": "TAKEN", "message": "taken"}
            there = None if taken else {"id": f"gid://shopify/DiscountRedeemCode/{code}"}
            self.creation.append(
                {"code": code, "errors": [error] * taken, "discountRedeemCode": there}
            )
            if not taken:
                self.discounts[variables["discountId"]]["codes"].append(code)
        creation = {"id": "gid://shopify/DiscountRedeemCodeBulkCreation/1", "done": False}
        return {"discountRedeemCodeBulkAdd": {"bulkCreation": creation, "userErrors": []}}

    def _CouponCodesStatus(self, _: Node) -> Node:  # noqa: N802
        done = self.bulk_polls <= 0
        self.bulk_polls -= 1
        nodes = self.creation if done else []
        return {"discountRedeemCodeBulkCreation": {"done": done, "codes": {"nodes": nodes}}}

    def _CouponVoid(self, variables: Node) -> Node:  # noqa: N802
        self.discounts[variables["id"]]["ended"] = True
        done = {"codeDiscountNode": {"id": variables["id"]}, "userErrors": []}
        return {"discountCodeDeactivate": done}

    # --- bulk operations -------------------------------------------------------------------------

    def _file(self) -> bytes:
        """Orders first, all lines after them: children may stand far from their parents."""
        nodes = self._matching(self.bulk_query)
        parents = [{k: v for k, v in node.items() if k != "lineItems"} for node in nodes]
        children = [
            one | {"__parentId": node["id"]} for node in nodes for one in node["lineItems"]["nodes"]
        ]
        return b"".join(json.dumps(one).encode() + b"\n" for one in (*parents, *children))


def _name(query: str) -> str:
    match = re.search(r"(?:query|mutation)\s+(\w+)", query)
    assert match is not None, query
    return match[1]


def _error(code: str) -> Node:
    return {"message": code.title(), "extensions": {"code": code}}


def instant(moment: datetime) -> str:
    """As Shopify writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
