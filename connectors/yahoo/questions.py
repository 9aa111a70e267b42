"""The XML questions of orderList and orderInfo."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from connectors.kit.fields import TOKYO
from connectors.kit.markup import element, leaf
from connectors.kit.windows import Window

LISTED = "OrderId,OrderTime,LastUpdateTime,OrderStatus,TotalPrice"

FIELDS = (
    *("OrderId", "ParentOrderId", "ChildOrderId", "IsSplit", "OrderTime", "LastUpdateTime"),
    *("OrderStatus", "StoreStatus", "CancelReason", "Suspect", "BuyerComments", "SocialGiftType"),
    *("TotalCouponDiscount", "PayStatus", "PayType", "PayKind", "PayMethod", "PayMethodName"),
    *("PayActionTime", "PayDate", "BillLastName", "BillFirstName", "BillLastNameKana"),
    *("BillFirstNameKana", "BillZipCode", "BillPrefecture", "BillCity", "BillAddress1"),
    *("BillAddress2", "BillPhoneNumber", "BillMailAddress", "ShipStatus", "ShipMethodName"),
    *("ShipRequestDate", "ShipRequestTime", "ShipInvoiceNumber1", "ShipInvoiceNumber2"),
    *("ShipCompanyCode", "ShipDate", "ArrivalDate", "NeedGiftWrap", "GiftWrapName"),
    *("GiftWrapMessage", "ShipLastName", "ShipFirstName", "ShipLastNameKana"),
    *("ShipFirstNameKana", "ShipZipCode", "ShipPrefecture", "ShipCity", "ShipAddress1"),
    *("ShipAddress2", "ShipPhoneNumber", "PayCharge", "ShipCharge", "GiftWrapCharge", "Discount"),
    *("Adjustments", "UsePoint", "GiftCardDiscount", "TotalMallCouponDiscount", "SettleAmount"),
    *("TotalPrice", "LineId", "ItemId", "SubCode", "Title", "UnitPrice", "Quantity"),
    *("ItemTaxRatio", "CouponDiscount", "IsLogin", "SellerId"),
)
"""What is asked of an order; nothing of cards, and nothing that is not used or explained."""


def stamp(moment: datetime) -> str:
    """A time as questions hold it: digits, in Japan."""
    return moment.astimezone(TOKYO).strftime("%Y%m%d%H%M%S")


def order_list(seller_id: str, window: Window, start: int, size: int) -> str:
    """Ask for the orders of a window, oldest first, from position ``start`` (1-based)."""
    condition = element(
        "Condition",
        leaf("OrderTimeFrom", stamp(window.start)),
        leaf("OrderTimeTo", stamp(window.end)),
    )
    search = element(
        "Search",
        leaf("Result", str(size)),
        leaf("Start", str(start)),
        leaf("Sort", "+order_time"),
        condition,
        leaf("Field", LISTED),
    )
    return element("Req", search, leaf("SellerId", seller_id))


def order_info(seller_id: str, order_id: str, omitted: Collection[str] = ()) -> str:
    """Ask for one order, less the fields that this store must not ask for."""
    fields = ",".join(field for field in FIELDS if field not in omitted)
    target = element("Target", leaf("OrderId", order_id), leaf("Field", fields))
    return element("Req", target, leaf("SellerId", seller_id))
