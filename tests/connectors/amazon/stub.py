"""A pretend Amazon: logins, searches by time of change with page tokens, quota, refusals."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered, Asked, Loopback, told

CLIENT, SECRET = "amzn1.application-oa2-client.0000", "amzn1.oa2-cs.v1.0000"
REFRESH = "Atzr|refresh-0000"
JAPAN = "A1VC38T7YXB528"
BUYER = "見本 花子"
MAIL = "abc0000@marketplace.amazon.co.jp"

SOLICITATIONS = "/solicitations/v1/orders/"
ACTION = "productReviewAndSellerFeedback"
REQUEST = f"solicitations/{ACTION}"

_SETTLED = timedelta(minutes=2)
_SETS = {
    "BUYER": "buyer", "RECIPIENT": "recipient", "PROCEEDS": "proceeds", "PAYMENT": "payment",
    "FULFILLMENT": "fulfillment", "PACKAGES": "packages",
}  # fmt: skip

Row = dict[str, Any]


def stamp(moment: datetime) -> str:
    """A time as answers hold it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def order_id(number: int) -> str:
    """An order number of Amazon's shape."""
    return f"250-0000000-{number:07}"


def yen(amount: int | str) -> Row:
    """Money as Amazon writes it."""
    return {"amount": str(amount), "currencyCode": "JPY"}


def parts(**amounts: int) -> list[Row]:
    """Breakdowns of proceeds by type."""
    return [{"type": kind, "subtotal": yen(amount)} for kind, amount in amounts.items()]


def item(**changes: Any) -> Row:
    """Two packets of tea at 1,000 yen."""
    return {
        "orderItemId": "00000000000001",
        "quantityOrdered": 2,
        "product": {
            "asin": "B000000001", "title": "緑茶", "sellerSku": "tea-01",
            "price": {"unitPrice": yen(1000)},
            "customization": {"customizedUrl": "https://example.com/見本"},
        },
        "proceeds": {"proceedsTotal": yen(2000), "breakdowns": parts(ITEM=2000, SHIPPING=400)},
        "fulfillment": {
            "quantityFulfilled": 0, "quantityUnfulfilled": 2,
            "packing": {"giftOption": {"giftMessage": f"{BUYER}より", "giftWrapLevel": "紙袋"}},
        },
    } | changes  # fmt: skip


def order(number: int, at: datetime, status: str = "UNSHIPPED", **changes: Any) -> Row:
    """One order of 2,400 yen, with everything that Amazon may tell of its buyer."""
    address = {"name": BUYER, "postalCode": "150-0001", "stateOrRegion": "東京都",
               "city": "渋谷区", "addressLine1": "神宮前0", "phone": "09000000000",
               "countryCode": "JP"}  # fmt: skip
    return {
        "orderId": order_id(number),
        "createdTime": stamp(at),
        "lastUpdatedTime": stamp(at),
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": JAPAN},
        "buyer": {"buyerName": BUYER, "buyerEmail": MAIL, "buyerPurchaseOrderNumber": "PO-0"},
        "recipient": {"deliveryAddress": address},
        "proceeds": {"grandTotal": yen(2400)},
        "payment": {"paymentExecutions": [
            {"paymentMethod": "CreditCard", "paymentAmount": yen(2400)},
        ]},
        "fulfillment": {"fulfillmentStatus": status, "fulfilledBy": "MERCHANT"},
        "orderItems": [item()],
    } | changes  # fmt: skip


def package(status: str, at: datetime) -> Row:
    """A parcel."""
    return {"packageReferenceId": "1", "packageStatus": {"status": status},
            "shipTime": stamp(at), "trackingNumber": "400000000000"}  # fmt: skip


def refused(code: str, status: int) -> Answered:
    """An error of the API."""
    return told({"errors": [{"code": code, "message": "no", "details": ""}]}, status)


class AmazonStore:
    """Answers as the reference says; attributes make it misbehave."""

    def __init__(self, *orders: Row) -> None:
        self.orders = {one["orderId"]: one for one in orders}
        self.now = NOW
        """Amazon's clock."""
        self.refresh_token = REFRESH
        self.secret = SECRET
        self.access_tokens: list[str] = []
        """Those that were given out and still work."""
        self.given = 0
        self.searches_left = 1_000_000
        self.authorised = True
        self.rate: str | None = "0.0056"
        self.echoes = True
        """Whether an answer tells up to when it was read."""
        self.oldest_token = 0
        self.nameless: list[Any] = []
        """Records that are told with the first page though they are no orders."""
        self.after_page: list[Callable[[], None]] = []
        self.pages = 0
        self.may_ask_reviews = True
        """Whether the app has the role for review requests."""
        self.not_offered: set[str] = set()
        """Orders that Amazon takes no review request for."""
        self.asked_reviews: list[str] = []
        """Orders whose buyer was asked, one entry for each time."""
        """How many page tokens were given out; those up to ``oldest_token`` have ended."""
        self.loopback = Loopback(self.answer)

    @property
    def url(self) -> str:
        return self.loopback.url

    def put(self, one: Row) -> None:
        """An order arrives or changes."""
        self.orders[one["orderId"]] = one

    def change(self, name: str, at: datetime, **values: Any) -> None:
        """Something of an order changes, and with it its time of change."""
        self.put(self.orders[name] | values | {"lastUpdatedTime": stamp(at)})

    # --- answers -----------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answered:
        if asked.path == "/auth/o2/token":
            return self._token(asked)
        if asked.path.startswith(SOLICITATIONS):
            return self._solicit(asked)
        answer = self._refused(asked) or self._search(asked.query)
        extra = {"x-amzn-RequestId": "request-0001"}
        if self.rate is not None:
            extra["x-amzn-RateLimit-Limit"] = self.rate
        return Answered(answer.status, answer.body, answer.headers | extra)

    def _token(self, asked: Asked) -> Answered:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if form.get("client_id") != CLIENT or form.get("client_secret") != self.secret:
            return told({"error": "invalid_client"}, 401)
        known = form.get("grant_type") == "refresh_token"
        if not known or form.get("refresh_token") != self.refresh_token:
            return told({"error": "invalid_grant"}, 400)
        self.given += 1
        self.access_tokens = [f"Atza|access-{self.given:04}"]
        return told(
            {"access_token": self.access_tokens[0], "token_type": "bearer", "expires_in": 3600,
             "refresh_token": self.refresh_token}
        )  # fmt: skip

    def _solicit(self, asked: Asked) -> Answered:
        order_id, _, action = asked.path.removeprefix(SOLICITATIONS).partition("/")
        known = asked.headers.get("x-amz-access-token") in self.access_tokens
        if not known or not self.may_ask_reviews:
            return refused("Unauthorized", 403)
        if order_id not in self.orders:
            return refused("NotFound", 404)
        place = self.orders[order_id]["salesChannel"]["marketplaceId"]
        if asked.query != {"marketplaceIds": place}:
            return refused("InvalidInput", 400)
        open_to = order_id not in self.not_offered and order_id not in self.asked_reviews
        path = f"{SOLICITATIONS}{order_id}"
        if not action:
            offered = [{"href": f"{path}/{REQUEST}?marketplaceIds={place}", "name": ACTION}]
            links = {"actions": offered * open_to, "self": {"href": path}}
            return told({"_links": links, "_embedded": {"actions": []}})
        if (asked.method, action) != ("POST", REQUEST) or not open_to:
            return refused("Unauthorized", 403)
        self.asked_reviews.append(order_id)
        return told({}, 201)

    def _refused(self, asked: Asked) -> Answered | None:
        if asked.path != "/orders/2026-01-01/orders" or asked.method != "GET":
            return refused("NotFound", 404)
        if not self.authorised or asked.headers.get("x-amz-access-token") not in self.access_tokens:
            return refused("Unauthorized", 403)
        if self.searches_left <= 0:
            return refused("QuotaExceeded", 429)
        self.searches_left -= 1
        by = [name for name in ("createdAfter", "lastUpdatedAfter") if name in asked.query]
        wrong_partner = {"createdAfter": "lastUpdatedBefore"}.get(by[0] if by else "")
        if len(by) != 1 or wrong_partner in asked.query:
            return refused("InvalidInput", 400)
        return None

    def _search(self, query: dict[str, str]) -> Answered:
        by = "created" if "createdAfter" in query else "lastUpdated"
        settled = self.now - _SETTLED
        until = datetime.fromisoformat(query.get(f"{by}Before") or stamp(settled))
        begin = datetime.fromisoformat(query[f"{by}After"])
        if f"{by}Before" in query and until < begin:
            return refused("InvalidInput", 400)
        behind, until = self._behind(query, until)
        if behind is None:
            return refused("InvalidInput", 400)
        hits = sorted(
            (one[f"{by}Time"], one["orderId"])
            for one in self.orders.values()
            if begin <= datetime.fromisoformat(one[f"{by}Time"]) <= until
        )
        rest = [key for key in hits if list(key) > behind]
        size = int(query.get("maxResultsPerPage", 100))
        sets = {name for word, name in _SETS.items() if word in query["includedData"].split(",")}
        rows = [_told(self.orders[name], sets) for _, name in rest[:size]]
        answer: Row = {"orders": rows if behind else [*self.nameless, *rows], "pagination": {}}
        if self.echoes:
            answer[f"{by}Before"] = stamp(until)
        if len(rest) > size:
            self.pages += 1
            token = json.dumps([self.pages, stamp(until), *rest[size - 1]])
            answer["pagination"]["nextToken"] = base64.b64encode(token.encode()).decode()
        if self.after_page:
            self.after_page.pop(0)()
        return told(answer)

    def _behind(self, query: dict[str, str], until: datetime) -> tuple[list[str] | None, datetime]:
        """Behind which order the page begins, and the end that its first page fixed."""
        if "paginationToken" not in query:
            return [], until
        page, fixed, *behind = json.loads(base64.b64decode(query["paginationToken"]))
        if page <= self.oldest_token:
            return None, until
        return behind, datetime.fromisoformat(fixed)


def _told(one: Row, sets: set[str]) -> Row:
    """The datasets that were asked for."""
    return {
        name: value for name, value in one.items() if name not in _SETS.values() or name in sets
    }
