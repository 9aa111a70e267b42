"""A pretend Qoo10: certification keys, lists of one status by order date, claims, result codes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from connectors.kit.fields import TOKYO
from tests.connectors.loopback import Answered, Asked, Loopback, told

API_KEY, USER, PASSWORD = "api-key-0000", "sample-shop", "qsm-password-0000"
KEY = "S5bnbfynQvO_g_1_0000"
PATH = "/ebayjapan.qapi"

_STATUSES = {
    1: "Awaiting shipping(1)", 2: "Request shipping(2)", 3: "Seller confirm(3)",
    4: "On delivery(4)", 5: "Delivered(5)",
}  # fmt: skip
_LONGEST = timedelta(days=90)

Row = dict[str, Any]


def stamp(moment: datetime) -> str:
    """A time as answers hold it: Japan's, without an offset."""
    return f"{moment.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}"


def cart_of(number: int) -> str:
    """The cart number of an order number: carts hold ten at most."""
    return str(900_000_000 + number // 10)


def order(number: int, placed: datetime, status: int = 2, **changes: Any) -> Row:
    """One order number, 2,300 yen: two packets of tea less a sale."""
    return {
        "ShippingStatus": _STATUSES[status], "SellerID": USER, "PackNo": int(cart_of(number)),
        "OrderNo": 1_000_000_000 + number, "OrderDate": stamp(placed),
        "PaymentDate": stamp(placed + timedelta(minutes=1)) if status > 1 else "",
        "EstimatedShippingDate": "", "ShippingDate": "", "DeliveredDate": "", "Buyer": "見本 花子",
        "BuyerKana": "ミホン ハナコ", "BuyerTel": "--", "BuyerMobile": "+81-90-0000-0000",
        "BuyerEmail": "hanako@Example.JP", "ItemNo": "55", "SellerItemCode": "tea-01",
        "ItemTitle": "緑茶", "Option": "50g", "OptionCode": "", "OrderPrice": 1200.0,
        "OrderQty": 2, "Discount": 100.0, "Total": 2300.0, "SellerDiscount": 0.0,
        "CartDiscountSeller": 0.0, "CartDiscountQoo10": 0.0, "SettlePrice": 2160.0,
        "ShippingRate": 0.0, "ShippingRateType": "Free", "Currency": "JPY",
        "Receiver": "見本 太郎", "ReceiverKana": "ミホン タロウ", "ZipCode": "150-0001",
        "ShippingAddress": "東京都渋谷区神宮前0", "Address1": "東京都渋谷区", "Address2": "神宮前0",
        "ReceiverTel": "", "ReceiverMobile": "090-0000-0001", "DesiredDeliveryDate": "",
        "ShippingWay": "", "ShippingMessage": "", "DeliveryCompany": "", "TrackingNo": "",
        "PackingNo": "", "SellerDeliveryNo": "", "VoucherCode": "", "SenderName": "",
        "PaymentMethod": "クレジットカード", "RelatedOrder": "", "Gift": "", "BranchName": "",
        "Material": "", "AvailableSendType": "0", "AvailableShippingDate": "",
    } | changes  # fmt: skip


def claim(row: Row, status: int, at: datetime, **changes: Any) -> Row:
    """What is told of a claim of an order number."""
    return {
        "claimStatus": str(status), "cancelRefundDate": stamp(at) if status in _DONE else "",
        "reason": "", "requestDate": stamp(at), "orderDate": row["OrderDate"],
        "PaymentDate": row["PaymentDate"], "shippingDate": row["ShippingDate"],
        "DeliveredDate": row["DeliveredDate"], "orderNo": row["OrderNo"], "packNo": row["PackNo"],
        "itemCode": row["ItemNo"], "sellerItemCode": row["SellerItemCode"],
        "itemTitle": row["ItemTitle"], "orderQty": row["OrderQty"], "paymentNation": "JP",
        "currency": row["Currency"], "paymentAmount": row["Total"], "receiver": row["Receiver"],
        "receiverTel": row["ReceiverTel"], "receiverMobile": row["ReceiverMobile"],
        "buyer": row["Buyer"], "buyerTel": row["BuyerTel"], "buyerMobile": row["BuyerMobile"],
        "nrPartRefundBalance": 0.0,
    } | changes  # fmt: skip


_DONE = frozenset({3, 6, 14, 15, 16})


class Qoo10Shop:
    """Answers as the reference says; attributes make it misbehave."""

    def __init__(self, *orders: Row) -> None:
        self.orders: dict[int, Row] = {one["OrderNo"]: one for one in orders}
        self.claims: dict[int, Row] = {}
        self.keys = [KEY]
        """Certification keys that work."""
        self.given = 0
        self.password = PASSWORD
        self.codes: dict[str, int] = {}
        """Method to the result code it answers."""
        self.extra: list[Row] = []
        """Rows that are told with status 1 besides the orders."""
        self.after: list[Callable[[], None]] = []
        """What happens, one by one, after each answer."""
        self.loopback = Loopback(self.answer)

    @property
    def url(self) -> str:
        return self.loopback.url + PATH

    def place(self, one: Row) -> Row:
        """An order number arrives."""
        self.orders[one["OrderNo"]] = one
        return one

    def change(self, number: int, **values: Any) -> None:
        """Something of an order number changes."""
        self.orders[number] = self.orders[number] | values

    def move(self, number: int, status: int, at: datetime) -> None:
        """The parcel of an order number goes on."""
        times = {2: "PaymentDate", 4: "ShippingDate", 5: "DeliveredDate"}
        told_at = {times[status]: stamp(at)} if status in times else {}
        self.change(number, ShippingStatus=_STATUSES[status], **told_at)

    def status(self, number: int) -> int:
        """Where the parcel of an order number is."""
        return int(self.orders[number]["ShippingStatus"][-2])

    def claim(self, number: int, status: int, at: datetime, **changes: Any) -> None:
        """A claim begins or goes on; its order number leaves the lists of parcels."""
        self.claims[number] = claim(self.orders[number], status, at, **changes)

    def withdraw(self, number: int) -> None:
        """A claim is taken back: its order number is on its way again."""
        self.claims.pop(number, None)

    # --- answers -----------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answered:
        form = dict(parse_qsl(asked.body.decode(), keep_blank_values=True))
        method = asked.path.removeprefix(PATH + "/")
        if asked.method != "POST" or asked.headers.get("qapiversion") != "1.0":
            return Answered(405)
        found = self._answered(method, form, asked.headers.get("giosiscertificationkey", ""))
        if self.after:
            self.after.pop(0)()
        return found

    def _answered(self, method: str, form: dict[str, str], key: str) -> Answered:
        if form.get("returnType") != "application/json":
            return Answered(200, b"<StdResult/>", {"content-type": "text/xml"})
        if method == "CertificationAPI.CreateCertificationKey":
            return self._certified(form, key)
        if key not in self.keys:
            return result(-90004 if key.startswith("S5") else -10000)
        if method in self.codes:
            return result(self.codes[method])
        if method == "ShippingBasic.GetShippingInfo_v3":
            return self._listed(form)
        if method == "ShippingBasic.GetClaimInfo_V3":
            return self._claimed(form)
        return result(-90001)

    def _certified(self, form: dict[str, str], key: str) -> Answered:
        if (key, form.get("user_id"), form.get("pwd")) != (API_KEY, USER, self.password):
            return result(-10000)
        self.given += 1
        self.keys = [f"S5bnbfynQvO_g_1_new-{self.given:04}"]
        return result(0, self.keys[0])

    def _listed(self, form: dict[str, str]) -> Answered:
        status, by = form["ShippingStatus"], form["SearchCondition"]
        span = _span(form, "SearchStartDate", "SearchEndDate")
        if span is None or by != "1" or status not in set("012345"):
            return result(-10001)
        wanted = {1, 2, 3} if status == "0" else {int(status)}
        found = [
            row
            for number, row in self.orders.items()
            if self.status(number) in wanted and number not in self.claims
        ]
        found += self.extra if status == "1" else []
        return result(0, [row for row in found if span[0] <= row["OrderDate"] <= span[1]])

    def _claimed(self, form: dict[str, str]) -> Answered:
        span = _span(form, "search_Sdate", "search_Edate")
        if span is None:
            return result(-10003)
        found = [
            row
            for row in self.claims.values()
            if form["ClaimStat"] in {"", row["claimStatus"]}
            and span[0] <= row["orderDate"] <= span[1]
        ]
        return result(0, found or None)


def _span(form: dict[str, str], begin: str, end: str) -> tuple[str, str] | None:
    """Both ends as rows hold times; None for a span that Qoo10 does not take."""
    first, last = (
        datetime.strptime(form[name], "%Y%m%d%H%M%S").replace(tzinfo=TOKYO) for name in (begin, end)
    )
    return (stamp(first), stamp(last)) if timedelta(0) <= last - first <= _LONGEST else None


def result(code: int, found: Any = None) -> Answered:
    """An answer of the API; errors come with HTTP 200."""
    words = "SUCCESS" if code == 0 else "見本 のエラー"
    return told({"ResultCode": code, "ResultMsg": words, "ResultObject": found})
