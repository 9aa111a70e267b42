"""A pretend RMS: key header, windows, pages, caps, statuses, and the errors of the reference."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from tests.connectors.loopback import Answered, Asked, Loopback, told

SECRET, KEY = "SP000000_abcdefghij", "SL000000_klmnopqrst"
SHOP = "123456"
MASKED = "0123456789abcdef0123456789abcdefs1@pc.fw.rakuten.ne.jp"

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0900")
_DATES = {
    1: "orderDatetime",
    2: "shopOrderCfmDatetime",
    3: "orderFixDatetime",
    5: "shippingCmplRptDatetime",
    6: "paymentFixDatetime",
}
_HIDDEN = "paymentFixDatetime"
"""Searched by, but no field of an order that is told."""

Model = dict[str, Any]


def stamp(moment: datetime) -> str:
    """A time as RMS writes it."""
    return (moment.astimezone(UTC) + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M:%S+0900")


def number(serial: int, placed: datetime) -> str:
    """An order number of the shop."""
    return f"{SHOP}-{stamp(placed)[:10].replace('-', '')}-{serial:010}"


def person(**changes: Any) -> Model:
    """The address fields that orderers and recipients share."""
    return {
        "zipCode1": "150", "zipCode2": "0001", "prefecture": "東京都", "city": "渋谷区",
        "subAddress": "神宮前0-0-0", "familyName": "見本", "firstName": "花子",
        "familyNameKana": "ミホン", "firstNameKana": "ハナコ", "phoneNumber1": "090",
        "phoneNumber2": "0000", "phoneNumber3": "0000",
    } | changes  # fmt: skip


def item(**changes: Any) -> Model:
    """Two packets of tea, 4,400 yen."""
    return {
        "itemDetailId": 20000001, "itemName": "緑茶ティーバッグ", "itemId": 10000119,
        "itemNumber": "tea-01", "manageNumber": "tea-01", "price": 2200, "units": 2,
        "includeTaxFlag": 1, "taxRate": 0.08, "priceTaxIncl": 2200, "deleteItemFlag": 0,
        "SkuModelList": [
            {"variantId": "17095519", "merchantDefinedSkuId": "tea-01-50", "skuInfo": "容量:50包"}
        ],
    } | changes  # fmt: skip


def package(**changes: Any) -> Model:
    """One destination."""
    return {
        "basketId": 10631675, "postagePrice": 660, "deliveryPrice": 0, "goodsPrice": 4400,
        "totalPrice": 5060, "noshi": None, "packageDeleteFlag": 0,
        "SenderModel": person(isolatedIslandFlag=0), "ItemModelList": [item()],
        "ShippingModelList": [], "defaultDeliveryCompanyCode": "1001",
    } | changes  # fmt: skip


def order(serial: int, placed: datetime, **changes: Any) -> Model:
    """One order as version 10 tells it: 4,460 yen after a coupon and points."""
    return {
        "orderNumber": number(serial, placed), "orderProgress": 100, "subStatusId": None,
        "subStatusName": None, "orderDatetime": stamp(placed), "shopOrderCfmDatetime": None,
        "orderFixDatetime": None, "shippingInstDatetime": None, "shippingCmplRptDatetime": None,
        "cancelDueDate": None, "deliveryDate": "2026-02-06", "shippingTerm": 1,
        "remarks": "[配送日時指定:]\n2026-02-06(金)", "giftCheckFlag": 0, "socialGiftFlag": 0,
        "severalSenderFlag": 0, "equalSenderFlag": 1, "isolatedIslandFlag": 0,
        "rakutenMemberFlag": 1, "carrierCode": 11, "emailCarrierCode": 0, "orderType": 1,
        "reserveNumber": None, "reserveDeliveryCount": None, "cautionDisplayType": 0,
        "cautionDisplayDetailType": None, "rakutenConfirmFlag": 0, "goodsPrice": 4400,
        "postagePrice": 660, "deliveryPrice": 0, "paymentCharge": 0, "paymentChargeTaxRate": 0.1,
        "totalPrice": 5060, "requestPrice": 4460, "couponAllTotalPrice": 300,
        "couponShopPrice": 300, "couponOtherPrice": 0, "additionalFeeOccurAmountToUser": 0,
        "additionalFeeOccurAmountToShop": 0, "memo": None, "modifyFlag": 0,
        "OrdererModel": person(
            emailAddress=MASKED, sex="女", birthYear=1985, birthMonth=4, birthDay=12
        ),
        "SettlementModel": {
            "settlementMethodCode": 1, "settlementMethod": "クレジットカード",
            "rpaySettlementFlag": 1, "cardName": "VISA", "cardNumber": "****-****-****-9876",
            "cardOwner": "HANAKO MIHON", "cardYm": "2030/01", "cardPayType": 0,
        },
        "DeliveryModel": {"deliveryName": "宅配便", "deliveryClass": 0},
        "PointModel": {"usedPoint": 300}, "WrappingModel1": None, "WrappingModel2": None,
        "PackageModelList": [package()],
        "CouponModelList": [
            {"couponCode": "AAAA-BBBB-CCCC-DDDD", "itemId": 0, "couponName": "300円OFF",
             "couponCapitalCode": 1, "couponPrice": 300, "couponUnit": 1, "couponTotalPrice": 300}
        ],
        "ChangeReasonModelList": None, "TaxSummaryModelList": [], "DueDateModelList": [],
    } | changes  # fmt: skip


def change(kind: int, at: datetime, detail: int = 1) -> Model:
    """One entry of ChangeReasonModelList."""
    return {
        "changeId": 1, "changeType": kind, "changeTypeDetail": 0, "changeReason": 1,
        "changeReasonDetail": detail, "changeApplyDatetime": stamp(at),
        "changeFixDatetime": stamp(at) if kind in {1, 2} else None, "changeCmplDatetime": None,
    }  # fmt: skip


class Rms:
    """Answers as the reference says, at ``now``; attributes make it misbehave."""

    def __init__(self, now: datetime, *orders: Model) -> None:
        self.now = now
        self.orders = {one["orderNumber"]: one for one in orders}
        self.secret, self.key = SECRET, KEY
        self.expires = now + timedelta(days=60)
        self.expiry_allowed = True
        self.cap = 15_000
        self.untold: set[str] = set()
        """Numbers that searchOrder lists and getOrder cannot tell."""
        self.after_search: list[Callable[[], None]] = []
        """What happens, one by one, after each page of searchOrder."""
        self.refusal: tuple[int, Any] | None = None
        self.loopback = Loopback(self.answer)

    @property
    def url(self) -> str:
        return self.loopback.url

    def place(self, one: Model) -> Model:
        """An order arrives, or one is written anew."""
        self.orders[one["orderNumber"]] = one
        return one

    def change(self, name: str, **values: Any) -> None:
        """The shop or Rakuten changes an order."""
        self.orders[name] = self.orders[name] | values

    def ship(self, name: str, at: datetime) -> None:
        """The shop reports the parcel as shipped."""
        first = self.orders[name]["PackageModelList"][0]
        parcel = {
            "shippingDetailId": 1, "shippingNumber": "4000-0000-0000", "deliveryCompany": "1001",
            "deliveryCompanyName": "ヤマト運輸", "shippingDate": stamp(at)[:10],
        }  # fmt: skip
        packages = [first | {"ShippingModelList": [parcel]}]
        shipped = stamp(at)
        self.change(
            name, orderProgress=500, shippingCmplRptDatetime=shipped, PackageModelList=packages
        )

    def settle(self, name: str, at: datetime) -> None:
        """The money of a shipped order arrives."""
        self.change(name, orderProgress=700, **{_HIDDEN: stamp(at)})

    def cancel(self, name: str, at: datetime, *, fixed: bool = True, detail: int = 1) -> None:
        """A cancel is asked for, and fixed."""
        known = self.orders[name]["ChangeReasonModelList"] or []
        entry = change(1 if fixed else 0, at, detail)
        progress = 900 if fixed else 800
        self.change(name, orderProgress=progress, ChangeReasonModelList=[*known, entry])

    def withdraw(self, name: str, at: datetime) -> None:
        """The cancel that waited is withdrawn."""
        known = self.orders[name]["ChangeReasonModelList"] or []
        self.change(name, orderProgress=300, ChangeReasonModelList=[*known, change(3, at)])

    # --- answers -----------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answered:
        path = urlsplit(asked.path).path
        if self.refusal is not None:
            return told(self.refusal[1], self.refusal[0])
        known = base64.b64encode(f"{self.secret}:{self.key}".encode()).decode()
        if asked.headers.get("authorization") != f"ESA {known}":
            return _gateway(401, "ES01-01", "Un-Authorised")
        if path.endswith("/license-key/expiry-date"):
            return self._expiry(asked)
        if asked.method != "POST":
            return Answered(405)
        if asked.headers.get("content-type") != "application/json; charset=utf-8":
            return Answered(415)
        question = json.loads(asked.body)
        if path == "/es/2.0/order/searchOrder/":
            return self._search(question)
        return self._get(question) if path == "/es/2.0/order/getOrder/" else Answered(404)

    def _expiry(self, asked: Asked) -> Answered:
        if not self.expiry_allowed:
            return _gateway(400, "ES04-01", "Bad Request")
        if asked.query.get("licenseKey") != self.key:
            return _gateway(401, "ES01-01", "Un-Authorised")
        return told({"expiryDate": stamp(self.expires)})

    def _search(self, question: Model) -> Answered:
        if "dateType" not in question:
            return _failed("SEARCH", "009")
        ends = [str(question.get(name, "")) for name in ("startDatetime", "endDatetime")]
        if not all(map(_STAMP.fullmatch, ends)):
            return _failed("SEARCH", "011")
        begin, end = (datetime.fromisoformat(one) for one in ends)
        if not timedelta(0) <= end - begin <= timedelta(days=63):
            return _failed("SEARCH", "011")
        if begin < self.now - timedelta(days=730):
            return _failed("SEARCH", "011")
        found = self._found(question, begin, end)
        answer = self._page(question.get("PaginationRequestModel") or {}, found)
        if self.after_search:
            self.after_search.pop(0)()
        return answer

    def _found(self, question: Model, begin: datetime, end: datetime) -> list[str]:
        field = _DATES[question["dateType"]]
        wanted = question.get("orderProgressList")
        hits = [
            one
            for one in self.orders.values()
            if one.get(field) and begin <= datetime.fromisoformat(one[field]) <= end
            if wanted is None or one["orderProgress"] in wanted
        ]
        hits.sort(key=lambda one: (one["orderDatetime"], one["orderNumber"]))
        return [one["orderNumber"] for one in hits]

    def _page(self, pagination: Model, found: list[str]) -> Answered:
        size, page = pagination.get("requestRecordsAmount", 30), pagination.get("requestPage", 1)
        if not 1 <= size <= 1000 or page < 1:
            return _failed("SEARCH", "011")
        if not found:
            nothing = dict.fromkeys(("totalRecordsAmount", "totalPages", "requestPage"))
            return _searched("102", [], nothing)
        reachable = found[: self.cap]
        shown = reachable[(page - 1) * size : page * size]
        pages = {"totalRecordsAmount": len(found), "totalPages": -(-len(found) // size)}
        return _searched("101", shown, pages | {"requestPage": page})

    def _get(self, question: Model) -> Answered:
        numbers, version = question.get("orderNumberList"), question.get("version")
        if not numbers or not isinstance(version, int) or version < 3:
            return _failed("GET", "009")
        if len(numbers) > 100:
            return _failed("GET", "011")
        shown, errors = [], []
        for name in numbers:
            if name in self.untold or name not in self.orders:
                error = _message("ERROR", "GET", "010") | {"orderNumber": name}
                errors.append(error)
            else:
                shown.append({k: v for k, v in self.orders[name].items() if k != _HIDDEN})
        first = _message("INFO", "GET", "101")
        answer = {"version": version, "MessageModelList": [first, *errors]}
        return told(answer | {"OrderModelList": shown})


def _message(kind: str, call: str, code: str) -> Model:
    return {
        "messageType": kind,
        "messageCode": f"ORDER_EXT_API_{call}_ORDER_{kind}_{code}",
        "message": "受注情報",
    }


def _searched(code: str, numbers: list[str], pages: Model) -> Answered:
    answer = {"MessageModelList": [_message("INFO", "SEARCH", code)]}
    return told(answer | {"orderNumberList": numbers, "PaginationResponseModel": pages})


def _failed(call: str, code: str) -> Answered:
    nothing = {"orderNumberList": None, "PaginationResponseModel": None}
    return told({"MessageModelList": [_message("ERROR", call, code)]} | nothing, 400)


def _gateway(status: int, code: str, message: str) -> Answered:
    return told({"Results": {"errorCode": code, "message": message}}, status)
