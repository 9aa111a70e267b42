"""A pretend Yahoo! Shopping: logins, signatures, quota, lists and details in XML."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectors.kit.markup import parse
from tests.connectors.loopback import Answered, Asked, Loopback, told

SELLER = "example-store"
CLIENT, SECRET = "dj00aiZpPWV4YW1wbGU", "client-secret-0000"
REFRESH = "refresh-token-0000"

_GROUPS = {
    "Pay": ("Pay", "Bill"),
    "Ship": ("Ship", "Arrival", "NeedGiftWrap", "GiftWrapName", "GiftWrapMessage"),
    "Detail": (
        "PayCharge", "ShipCharge", "GiftWrapCharge", "Discount", "Adjustments", "UsePoint",
        "GiftCardDiscount", "TotalPrice", "TotalMallCouponDiscount", "SettleAmount",
    ),
}  # fmt: skip
_ITEM = ("LineId", "ItemId", "SubCode", "Title", "UnitPrice", "Quantity", "ItemTaxRatio")

Row = dict[str, Any]


@cache
def private_key() -> rsa.RSAPrivateKey:
    """The store's key, made once per run."""
    return rsa.generate_private_key(65537, 2048)


def public_pem() -> str:
    """What the store downloads and enters."""
    key = private_key().public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def stamp(moment: datetime) -> str:
    """A time as answers hold it."""
    return (moment.astimezone(UTC) + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M:%S+09:00")


def order(number: int, placed: datetime, **changes: Any) -> Row:
    """One order, 4,150 yen: two packets of tea, shipping, a store's and a mall's discount."""
    return {
        "OrderId": f"{SELLER}-{number}", "ParentOrderId": "", "ChildOrderId": "",
        "IsSplit": "false", "OrderTime": stamp(placed), "LastUpdateTime": stamp(placed),
        "OrderStatus": "2", "StoreStatus": "", "CancelReason": "", "Suspect": "0",
        "BuyerComments": "", "SocialGiftType": "0", "TotalCouponDiscount": "0", "PayStatus": "0",
        "PayType": "0",
        "PayKind": "0", "PayMethod": "payment_a1", "PayMethodName": "クレジットカード決済",
        "PayActionTime": "", "PayDate": "", "BillLastName": "見本", "BillFirstName": "花子",
        "BillLastNameKana": "ミホン", "BillFirstNameKana": "ハナコ", "BillZipCode": "1500001",
        "BillPrefecture": "東京都", "BillCity": "渋谷区", "BillAddress1": "神宮前0",
        "BillAddress2": "", "BillPhoneNumber": "09000000000",
        "BillMailAddress": "hanako@Example.JP", "ShipStatus": "1", "ShipMethodName": "宅配便",
        "ShipRequestDate": "", "ShipRequestTime": "", "ShipInvoiceNumber1": "",
        "ShipInvoiceNumber2": "", "ShipCompanyCode": "", "ShipDate": "", "ArrivalDate": "",
        "NeedGiftWrap": "false", "GiftWrapName": "", "GiftWrapMessage": "", "ShipLastName": "見本",
        "ShipFirstName": "太郎", "ShipLastNameKana": "", "ShipFirstNameKana": "",
        "ShipZipCode": "0600001", "ShipPrefecture": "北海道", "ShipCity": "札幌市",
        "ShipAddress1": "中央区0", "ShipAddress2": "", "ShipPhoneNumber": "", "PayCharge": "0",
        "ShipCharge": "500", "GiftWrapCharge": "0", "Discount": "100", "Adjustments": "0",
        "UsePoint": "50", "GiftCardDiscount": "0", "TotalMallCouponDiscount": "200",
        "SettleAmount": "4150", "TotalPrice": "4150", "SellerId": SELLER, "IsLogin": "true",
        "items": [item()],
    } | changes  # fmt: skip


def item(**changes: Any) -> Row:
    """Two packets of tea."""
    return {
        "LineId": "1", "ItemId": "tea", "SubCode": "tea-01", "Title": "緑茶",
        "UnitPrice": "2000", "Quantity": "2", "ItemTaxRatio": "8",
    } | changes  # fmt: skip


class YahooStore:
    """Answers as the reference says; attributes make it misbehave."""

    def __init__(self, *orders: Row) -> None:
        self.orders = {one["OrderId"]: one for one in orders}
        self.refresh_token = REFRESH
        self.access_tokens: list[str] = []
        """Those that were given out and still work."""
        self.given = 0
        self.calls_left = 50_000
        self.allowed_ip = self.applied = True
        self.most = 2000
        """Rows of a list, whatever is asked for."""
        self.garbled: dict[str, Answered] = {}
        """Order id to what orderInfo answers instead."""
        self.after_list: list[Callable[[], None]] = []
        self.seconds: list[int] = []
        """The moments that were signed."""
        self.loopback = Loopback(self.answer)

    @property
    def url(self) -> str:
        return self.loopback.url

    def place(self, one: Row) -> Row:
        """An order arrives."""
        self.orders[one["OrderId"]] = one
        return one

    def change(self, order_id: str, at: datetime, **values: str) -> None:
        """Something of an order changes, and with it its time of change."""
        self.orders[order_id] = self.orders[order_id] | values | {"LastUpdateTime": stamp(at)}

    # --- answers -----------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answered:
        if asked.path == "/yconnect/v2/token":
            return self._token(asked)
        if refused := self._refused(asked):
            return refused
        question = parse(asked.body)["Req"]
        if question.get("SellerId") != SELLER:
            return failed("od91201", "SellerId")
        if asked.path.endswith("/V1/orderList"):
            return self._list(question["Search"])
        if asked.path.endswith("/V1/orderInfo"):
            return self._info(question["Target"])
        return Answered(404)

    def _token(self, asked: Asked) -> Answered:
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {basic}":
            return told({"error": "invalid_client"}, 401)
        question = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        answer: Row = {"token_type": "Bearer", "expires_in": "3600"}
        if question["grant_type"] == "authorization_code":
            if question.get("code") != "good-code":
                return told({"error": "invalid_grant"}, 400)
            answer["refresh_token"] = self.refresh_token
        elif question.get("refresh_token") != self.refresh_token:
            return told({"error": "invalid_grant"}, 400)
        self.given += 1
        self.access_tokens = [f"access-token-{self.given:04}"]
        return told(answer | {"access_token": self.access_tokens[0]})

    def _refused(self, asked: Asked) -> Answered | None:
        if not self.allowed_ip:
            return failed("px-04306", "IP", 403)
        if not self.applied:
            return failed("px-04303", "appid", 403)
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if bearer not in self.access_tokens or not self._signed(asked):
            return failed("px-04102", "expired token", 401)
        if self.calls_left <= 0:
            body = b"<Error><Message>Your Request was Forbidden</Message></Error>"
            return Answered(403, body, {"content-type": "application/xml"})
        self.calls_left -= 1
        return None

    def _signed(self, asked: Asked) -> bool:
        if asked.headers.get("x-sws-signature-version") != "3":
            return False
        try:
            sealed = base64.b64decode(asked.headers.get("x-sws-signature", ""), validate=True)
            seller, _, at = private_key().decrypt(sealed, PKCS1v15()).decode().partition(":")
        except (ValueError, binascii.Error):
            return False
        self.seconds.append(int(at or 0))
        return seller == SELLER and abs(time.time() - int(at or 0)) < 300

    def _list(self, search: Row) -> Answered:
        condition = search["Condition"]
        begin, end = (
            datetime.strptime(condition[name] + "+0900", "%Y%m%d%H%M%S%z")
            for name in ("OrderTimeFrom", "OrderTimeTo")
        )
        hits = [
            one
            for one in self.orders.values()
            if begin <= datetime.fromisoformat(one["OrderTime"]) <= end
        ]
        hits.sort(key=lambda one: (one["OrderTime"], one["OrderId"]))
        start, size = int(search.get("Start", 1)) - 1, min(int(search.get("Result", 10)), self.most)
        fields = search["Field"].split(",")
        rows = "".join(
            f"<OrderInfo><Index>{n}</Index>{_leaves(one, fields)}</OrderInfo>"
            for n, one in enumerate(hits[start : start + size], start + 1)
        )
        answer = xml(
            f"<Result><Status>OK</Status><Search><TotalCount>{len(hits)}</TotalCount>"
            f"{rows}</Search></Result>"
        )
        if self.after_list:
            self.after_list.pop(0)()
        return answer

    def _info(self, target: Row) -> Answered:
        order_id = target["OrderId"]
        if order_id in self.garbled:
            return self.garbled[order_id]
        if order_id not in self.orders:
            return failed("od90166", "OrderId")
        fields = target["Field"].split(",")
        return xml(
            '<ResultSet totalResultsAvailable="1" totalResultsReturned="1" '
            'firstResultPosition="1"><Result><Status>OK</Status>'
            f"<OrderInfo>{info(self.orders[order_id], fields)}</OrderInfo></Result></ResultSet>"
        )


def info(one: Row, fields: list[str]) -> str:
    """The inside of OrderInfo: order fields, then the groups, then each item."""
    groups: dict[str, list[str]] = {"": [], "Pay": [], "Ship": [], "Detail": []}
    for field in fields:
        if field not in _ITEM:
            groups[_group(field)].append(field)
    parts = [_leaves(one, groups.pop(""))]
    parts += [f"<{name}>{_leaves(one, inside)}</{name}>" for name, inside in groups.items()]
    goods = [field for field in fields if field in _ITEM]
    parts += [f"<Item>{_leaves(each, goods)}</Item>" for each in one["items"]]
    return "".join(parts)


def _group(field: str) -> str:
    if field in _GROUPS["Detail"]:
        return "Detail"
    return next((n for n in ("Pay", "Ship") if field.startswith(_GROUPS[n])), "")


def _leaves(one: Row, fields: list[str]) -> str:
    return "".join(f"<{f}>{escape(str(one[f]))}</{f}>" for f in fields if f in one)


def xml(body: str, status: int = 200) -> Answered:
    """An XML answer."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>{body}'
    return Answered(status, text.encode(), {"content-type": "application/xml; charset=utf-8"})


def failed(code: str, message: str, status: int = 400) -> Answered:
    """An error of the API."""
    return xml(f"<Error><Message>{message}</Message><Code>{code}</Code></Error>", status)
