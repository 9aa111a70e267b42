"""A pretend Wow! manager: key and address, days, rows, and orders in XML as the reference says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from tests.connectors.loopback import Answered, Asked, Loopback

KEY, SHOP = "aupay-key-0123456789abcdef", "40000000"
METHOD = "/wmshopapi/searchTradeInfoListProc"

_DATES = {"0": ("orderDate",), "1": ("shippingDate", "shipDate"), "2": ("paymentDate",)}

Row = dict[str, Any]


def stamp(moment: datetime) -> str:
    """A time as answers hold it: Japan's, to the minute."""
    return (moment.astimezone(UTC) + timedelta(hours=9)).strftime("%Y/%m/%d %H:%M")


def day(moment: datetime) -> str:
    """A day as answers hold it."""
    return stamp(moment)[:10]


def number(serial: int) -> str:
    """An order number of the shop."""
    return str(500_000_000 + serial)


def detail(**changes: Any) -> Row:
    """Two packets of tea, 4,400 yen."""
    return {
        "orderDetailId": "1", "itemManagementId": "-ag", "itemCode": "tea-01",
        "lotnumber": "300000001", "itemName": "緑茶", "itemOption": "", "itemOptionPrice": "0",
        "giftWrappingPrice": "0", "giftMessage": "", "noshiPresenterName1": "",
        "noshiPresenterName2": "", "noshiPresenterName3": "", "itemCancelStatus": "N",
        "beforeDiscount": "2200", "discount": "0", "itemPrice": "2200", "unit": "2",
        "totalItemPrice": "4400", "totalItemChargePrice": "0", "taxType": "0", "reducedTax": "1",
        "taxRate": "0.08", "giftPoint": "40", "shippingDayDispText": "",
        "shippingTimelimitDate": "",
    } | changes  # fmt: skip


def order(serial: int, placed: datetime, **changes: Any) -> Row:
    """One order: 4,500 yen after the store's coupon and points."""
    return {
        "orderId": number(serial), "orderDate": stamp(placed), "sellMethodSegment": "1",
        "releaseDate": "", "siteAndDevice": "au PAY マーケット(SP(アプリ))",
        "crossBorderEcTradeKbn": "0", "mailAddress": "hanako@Example.JP",
        "ordererName": "見本 花子", "ordererKana": "ミホン ハナコ", "ordererZipCode": "150-0001",
        "ordererAddress": "東京都渋谷区神宮前0-0-0", "ordererPhoneNumber1": "090-0000-0000",
        "ordererPhoneNumber2": "", "nickname": "はな", "senderName": "見本 太郎",
        "senderKana": "ミホン タロウ", "senderZipCode": "060-0001",
        "senderAddress": "北海道札幌市中央区0", "senderPhoneNumber1": "011-000-0000",
        "senderPhoneNumber2": "", "orderOption": "", "settlementName": "クレジットカード決済",
        "userComment": "", "tradeRemarks": "", "memo": "", "orderStatus": "新規受付",
        "contactStatus": "N", "contactDate": "", "authorizationStatus": "Y",
        "authorizationDate": day(placed), "paymentStatus": "N", "paymentDate": "",
        "shipStatus": "N", "shipDate": "", "printStatus": "N", "printDate": "",
        "cancelStatus": "N", "cancelReason": "", "cancelComment": "", "cancelDate": "",
        "totalSalePrice": "4400", "totalSaleUnit": "2", "postagePrice": "600", "chargePrice": "0",
        "totalItemOptionPrice": "0", "totalGiftWrappingPrice": "0", "totalPrice": "5000",
        "couponTotalPrice": "300", "usePoint": "0", "usePointCancel": "0",
        "useAuPointPrice": "200", "useAuPoint": "200", "useAuPointCancel": "0",
        "requestPrice": "4500", "pointFixedDate": "", "settleStatus": "AD", "pgResult": "0",
        "pgOrderId": "PG0001", "pgRequestPrice": "4500", "couponType": "2", "couponKey": "K1",
        "cardJadgement": "1", "deliveryName": "宅配便", "deliveryMethodId": "1",
        "deliveryRequestDay": "", "deliveryRequestTime": "", "shippingDate": "",
        "shippingCarrier": "", "shippingNumber": "", "details": [detail()],
    } | changes  # fmt: skip


def inside(one: Row) -> str:
    """The inside of orderInfo: the fields of the order, then its details."""
    leaves = "".join(
        f"<{name}>{escape(str(value))}</{name}>"
        for name, value in one.items()
        if name != "details" and value is not None
    )
    details = (
        "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in each.items())
        for each in one["details"]
    )
    return leaves + "".join(f"<detail>{each}</detail>" for each in details)


class WowManager:
    """Answers as the reference says; attributes make it misbehave."""

    def __init__(self, *orders: Row) -> None:
        self.orders = {one["orderId"]: one for one in orders}
        self.key, self.shop = KEY, SHOP
        self.allowed_ip = True
        self.most = 1000
        """Rows of an answer, whatever is asked for."""
        self.last_included = True
        """Whether endDate belongs to the days that are told."""
        self.counts_all = False
        """Whether resultCount tells all rows of the days, not those of the answer."""
        self.newest_first = False
        self.garbled: set[str] = set()
        """Orders told in broken XML."""
        self.after_answer: list[Callable[[], None]] = []
        """What happens, one by one, after each answer."""
        self.loopback = Loopback(self.answer)

    @property
    def url(self) -> str:
        return f"{self.loopback.url}/wmshopapi"

    def place(self, one: Row) -> Row:
        """An order arrives."""
        self.orders[one["orderId"]] = one
        return one

    def change(self, name: str, **values: Any) -> None:
        """The shop or its buyer changes an order; nothing tells when."""
        self.orders[name] = self.orders[name] | values

    def ship(self, name: str, at: datetime) -> None:
        """The parcel leaves."""
        parcel = {"shippingCarrier": "ヤマト運輸", "shippingNumber": "400000000000"}
        self.change(name, orderStatus="完了", shipStatus="Y", shippingDate=day(at), **parcel)

    def cancel(self, name: str, at: datetime) -> None:
        """The order is cancelled for good."""
        self.change(name, orderStatus="キャンセル", cancelStatus="C", cancelDate=day(at))

    # --- answers -----------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answered:
        if asked.path != METHOD or asked.method != "GET":
            return Answered(404)
        if not self.allowed_ip:
            return failed("E0002", "登録されていない接続元IPアドレスです。", 403)
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            return failed("E0001", "認証に失敗しました。", 401)
        if asked.headers.get("content-type") != "application/x-www-form-urlencoded":
            return failed("E0003", "Content-Type", 400)
        if asked.query.get("shopId") != self.shop:
            return failed("E0101", "店舗IDが正しくありません。")
        answer = self._list(asked.query)
        if self.after_answer:
            self.after_answer.pop(0)()
        return answer

    def _list(self, query: dict[str, str]) -> Answered:
        size, start = int(query["totalCount"]), int(query.get("startCount", "1"))
        first, last = (_date(query[name]) for name in ("startDate", "endDate"))
        if not 1 <= size <= 1000 or start < 1 or not 0 <= (last - first).days <= 30:
            return failed("E0201", "パラメータが正しくありません。", 400)
        rows = self._found(first, last, _DATES[query.get("dateType", "0")])
        shown = rows[start - 1 : start - 1 + min(size, self.most)]
        count = len(rows) if self.counts_all else len(shown)
        body = "".join(f"<orderInfo>{self._inside(one)}</orderInfo>" for one in shown)
        return xml(f"<result><status>0</status></result><resultCount>{count}</resultCount>{body}")

    def _inside(self, one: Row) -> str:
        return inside(one) + ("<memo>&nbsp;</memo>" if one["orderId"] in self.garbled else "")

    def _found(self, first: date, last: date, fields: tuple[str, ...]) -> list[Row]:
        end = last if self.last_included else last - timedelta(days=1)
        hits = [
            one
            for one in self.orders.values()
            if any(one[name] and first <= _date(one[name]) <= end for name in fields)
        ]
        hits.sort(key=lambda one: (one["orderDate"], one["orderId"]), reverse=self.newest_first)
        return hits


def _date(text: str) -> date:
    plain = text[:10].replace("/", "").replace("-", "")
    return date(int(plain[:4]), int(plain[4:6]), int(plain[6:8]))


def xml(inner: str, status: int = 200) -> Answered:
    """An XML answer."""
    text = f'<?xml version="1.0" encoding="UTF-8"?><response>{inner}</response>'
    return Answered(status, text.encode(), {"content-type": "application/xml; charset=UTF-8"})


def failed(code: str, message: str, status: int = 200) -> Answered:
    """A refusal; most of them come with HTTP 200."""
    error = f"<error><code>{code}</code><message>{message}</message></error>"
    return xml(f"<result><status>1</status>{error}</result>", status)
