"""OrderModel to Order: states, money, people; and the same order as from RMS's CSV."""

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import (
    BadRecord,
    Buyer,
    Fulfilment,
    Life,
    Line,
    Order,
    Payment,
    PaymentKind,
    RawOrder,
    Recipient,
)
from connectors.rakuten.mapping import map_order
from tests.connectors.csv_file.tables import orders as orders_of_file
from tests.connectors.rakuten.stub import MASKED, change, item, order, package, person
from tests.connectors.same_sales import differences

PLACED = datetime(2026, 2, 1, 11, 3, 43, tzinfo=UTC)  # 20:03:43 in Tokyo
LATER = datetime(2026, 2, 3, 1, tzinfo=UTC)
PARCEL = {
    "shippingDetailId": 1,
    "shippingNumber": "4000-0000-0000",
    "deliveryCompany": "1001",
    "deliveryCompanyName": "ヤマト運輸",
    "shippingDate": "2026-02-03",
}


def told(**changes: Any) -> Order:
    payload = order(1, PLACED, **changes)
    return map_order(RawOrder(payload["orderNumber"] or "?", payload, "item 1"))


def refused(**changes: Any) -> BadRecord:
    with pytest.raises(BadRecord) as caught:
        told(**changes)
    assert caught.value.payload
    assert caught.value.reason_ja
    return caught.value


def test_the_example_becomes_an_order() -> None:
    found = told(orderProgress=300)
    assert (found.external_id, found.number) == ("123456-20260201-0000000001",) * 2
    assert (found.ordered_at, found.updated_at, found.currency) == (PLACED, PLACED, "JPY")
    assert (found.life, found.payment, found.fulfilment) == (
        Life.OPEN,
        Payment.PAID,
        Fulfilment.UNSHIPPED,
    )
    assert (found.subtotal, found.shipping, found.fee) == (4400, 660, 0)
    assert (found.discount, found.points, found.total, found.tax) == (300, 300, 4460, None)
    assert "tax" not in found.present
    assert found.buyer == Buyer(
        email=MASKED,
        email_is_relay=True,
        name="見本 花子",
        family_name="見本",
        given_name="花子",
        kana="ミホン ハナコ",
        phone="090-0000-0000",
        postal_code="150-0001",
        address="東京都渋谷区神宮前0-0-0",
        birthday=date(1985, 4, 12),
    )
    assert found.lines == (Line("緑茶ティーバッグ", "tea-01-50", 2, 2200),)
    assert (found.delivery_date, found.delivery_band) == (date(2026, 2, 6), "午前中")
    assert (found.payment_method, found.payment_kind) == ("クレジットカード", PaymentKind.CARD)
    assert (found.coupon_code, found.gift) == ("AAAA-BBBB-CCCC-DDDD", False)
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (100, (Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED)),
        (200, (Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED)),
        (300, (Life.OPEN, Payment.PAID, Fulfilment.UNSHIPPED)),
        (400, (Life.OPEN, None, Fulfilment.UNSHIPPED)),
        (500, (Life.OPEN, Payment.PAID, Fulfilment.SHIPPED)),
        (600, (Life.OPEN, Payment.PAID, Fulfilment.SHIPPED)),
        (700, (Life.OPEN, Payment.PAID, Fulfilment.SHIPPED)),
        (800, (Life.CANCELLED, None, Fulfilment.UNSHIPPED)),
        (900, (Life.CANCELLED, None, Fulfilment.UNSHIPPED)),
    ],
)
def test_each_progress_has_its_states(progress: int, expected: tuple[Any, ...]) -> None:
    found = told(orderProgress=progress)
    assert (found.life, found.payment, found.fulfilment) == expected
    assert ("payment" in found.present) == (expected[1] is not None)


def test_an_unknown_progress_tells_no_state() -> None:
    found = told(orderProgress=950)
    assert (found.life, found.payment, found.fulfilment) == (None, None, None)
    assert found.warnings == ("unknown_status",)
    assert not {"life", "payment", "fulfilment"} & found.present


@pytest.mark.parametrize("detail", [2, 3, 5, 15])
def test_a_cancel_after_shipping_for_a_return_came_back(detail: int) -> None:
    changes = {
        "orderProgress": 900,
        "shippingCmplRptDatetime": "2026-02-03T10:00:00+0900",
        "ChangeReasonModelList": [change(1, LATER, detail)],
    }
    found = told(**changes)
    assert (found.life, found.fulfilment) == (Life.CANCELLED, Fulfilment.RETURNED)
    assert found.cancelled_at == LATER
    other = changes | {"ChangeReasonModelList": [change(1, LATER, 10)]}
    assert told(**other).fulfilment is Fulfilment.SHIPPED
    unfixed = changes | {"ChangeReasonModelList": [change(0, LATER, detail)]}
    assert told(**unfixed).fulfilment is Fulfilment.SHIPPED
    unshipped = changes | {"shippingCmplRptDatetime": None}
    assert told(**unshipped).fulfilment is Fulfilment.UNSHIPPED


def test_a_withdrawn_cancel_is_newer_than_the_cancel() -> None:
    asked = [change(0, LATER)]
    waits = told(orderProgress=800, ChangeReasonModelList=asked)
    again = datetime(2026, 2, 4, tzinfo=UTC)
    withdrawn = told(orderProgress=300, ChangeReasonModelList=[*asked, change(3, again)])
    assert (waits.updated_at, withdrawn.updated_at) == (LATER, again)
    assert (withdrawn.life, withdrawn.cancelled_at) == (Life.OPEN, None)
    assert "cancelled_at" in withdrawn.present


def test_the_report_of_shipping_comes_before_mere_days() -> None:
    second = PARCEL | {"shippingDate": "2026-02-02", "shippingNumber": None}
    packages = [package(ShippingModelList=[PARCEL, second])]
    days = told(orderProgress=500, PackageModelList=packages)
    assert days.shipped_at == datetime(2026, 2, 1, 15, tzinfo=UTC)
    assert (days.carrier, days.tracking_number) == ("ヤマト運輸", "4000-0000-0000")
    reported = told(PackageModelList=packages, shippingCmplRptDatetime="2026-02-03T10:00:00+0900")
    assert reported.shipped_at == LATER
    assert "carrier" not in told().present


@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [
        (1, "クレジットカード", PaymentKind.CARD),
        (2, "代金引換", PaymentKind.COD),
        (5, "オートローン", PaymentKind.UNKNOWN),
        (7, "請求書払い", PaymentKind.DEFERRED),
        (8, "ポイント", PaymentKind.FREE),
        (9, "銀行振込", PaymentKind.PREPAYMENT),
        (14, "ローソン、ファミリーマート等(前払)", PaymentKind.PREPAYMENT),
        (21, "後払い決済", PaymentKind.DEFERRED),
        (99, "楽天ペイ", PaymentKind.CARD),
        (99, "新しい決済", PaymentKind.UNKNOWN),
    ],
)
def test_payment_methods_have_their_kind(code: int, name: str, kind: PaymentKind) -> None:
    found = told(SettlementModel={"settlementMethodCode": code, "settlementMethod": name})
    assert (found.payment_method, found.payment_kind) == (name, kind)


def test_an_amount_that_is_not_determined_is_none() -> None:
    found = told(requestPrice=-9999, postagePrice=-9999, deliveryPrice=-9999)
    assert (found.total, found.shipping, found.fee) == (None, None, 0)
    assert {"total", "shipping"} <= found.present


def test_items_priced_without_tax_are_added_up_with_it() -> None:
    plain = item(price=2000, priceTaxIncl=2160, includeTaxFlag=0)
    wrapping = {"title": 1, "name": None, "price": 100}
    found = told(PackageModelList=[package(ItemModelList=[plain])], WrappingModel1=wrapping)
    assert (found.subtotal, found.gift_wrap) == (4420, "包装紙")


def test_deleted_items_and_packages_are_left_out() -> None:
    kept = item(SkuModelList=[], itemNumber=None)
    packages = [
        package(packageDeleteFlag=1, SenderModel=person(familyName="消去")),
        package(ItemModelList=[item(deleteItemFlag=1), kept], noshi="御礼"),
    ]
    found = told(PackageModelList=packages)
    assert found.lines == (Line("緑茶ティーバッグ", "tea-01", 2, 2200),)
    assert found.recipient is not None
    assert (found.recipient.name, found.gift_wrap) == ("見本 花子", "御礼")


def test_a_social_gift_that_nobody_answered_names_no_recipient() -> None:
    waiting = person(zipCode1="999", zipCode2="9999", familyName="入力待ち", firstName="入力待ち")
    found = told(socialGiftFlag=1, PackageModelList=[package(SenderModel=waiting)])
    assert (found.recipient, found.gift) == (None, True)
    assert found.warnings == ("recipient_pending",)
    assert not [name for name in found.present if name.startswith("recipient.")]


def test_an_order_without_its_buyer_tells_no_person() -> None:
    found = told(OrdererModel=None)
    assert (found.buyer, found.warnings) == (Buyer(), ("no_buyer",))
    assert not [name for name in found.present if name.startswith("buyer.")]


def test_people_that_rakuten_took_out_are_not_told_as_empty() -> None:
    blank = dict.fromkeys(person(emailAddress=None))
    found = told(OrdererModel=blank, PackageModelList=[package(SenderModel=blank)])
    assert not [name for name in found.present if name.startswith(("buyer.", "recipient."))]


def test_letters_beyond_the_usual_ones_stay() -> None:
    found = told(OrdererModel=person(familyName="𠮷野", firstName="🍵", emailAddress=MASKED))
    assert found.buyer.name == "𠮷野 🍵"


def test_bad_mail_and_birthday_are_warned_about_and_left_out() -> None:
    broken = person(emailAddress="not a mail", birthYear=1985, birthMonth=2, birthDay=31)
    found = told(OrdererModel=broken)
    assert found.warnings == ("bad_email", "bad_birthday")
    assert not {"buyer.email", "buyer.birthday"} & found.present


def test_subscriptions_and_hours_of_delivery() -> None:
    found = told(reserveNumber="S1", reserveDeliveryCount=2, shippingTerm=1416)
    assert (found.subscription_number, found.delivery_count) == ("S1", 2)
    assert found.delivery_band == "14:00-16:00"
    assert [told(shippingTerm=term).delivery_band for term in (None, 0, 2, 9, 810)] == [
        None,
        None,
        "午後",
        "その他",
        "8:00-10:00",
    ]


def test_the_shops_coupon_comes_before_rakutens() -> None:
    coupons = [
        {"couponCode": "R", "couponCapitalCode": 3},
        {"couponCode": "S", "couponCapitalCode": 1},
    ]
    assert told(CouponModelList=coupons).coupon_code == "S"
    assert told(CouponModelList=None).coupon_code is None


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"orderNumber": None}, "missing_value", "orderNumber"),
        ({"orderDatetime": None}, "missing_value", "orderDatetime"),
        ({"orderDatetime": "yesterday"}, "bad_date", "orderDatetime"),
        ({"orderDatetime": "9999-12-31T00:00:00+0900"}, "bad_date", "orderDatetime"),
        ({"requestPrice": "4,4x"}, "bad_money", "requestPrice"),
        ({"requestPrice": 44.5}, "bad_money", "requestPrice"),
        ({"requestPrice": -1}, "negative_total", "requestPrice"),
        ({"requestPrice": [1]}, "bad_text", "requestPrice"),
        ({"orderProgress": "x"}, "bad_number", "orderProgress"),
        ({"PointModel": {"usedPoint": "many"}}, "bad_money", "PointModel.usedPoint"),
    ],
)
def test_a_broken_record_names_its_field(changes: dict[str, Any], code: str, field: str) -> None:
    bad = refused(**changes)
    assert (bad.code, bad.field_name, bad.position) == (code, field, "item 1")


def test_fields_of_a_later_version_do_no_harm() -> None:
    assert told(newField={"a": [1]}, orderNumber2=7) == told()


# --- the same sale as a file -----------------------------------------------------------------

_CELLS = {
    "注文番号": "orderNumber",
    "ステータス": "orderProgress",
    "商品合計金額": "goodsPrice",
    "送料合計": "postagePrice",
    "代引料合計": "deliveryPrice",
    "決済手数料": "paymentCharge",
    "注文者負担金合計": "additionalFeeOccurAmountToUser",
    "請求金額": "requestPrice",
    "クーポン利用総額": "couponAllTotalPrice",
    "お届け日指定": "deliveryDate",
    "コメント": "remarks",
    "ギフト配送希望": "giftCheckFlag",
    "申込番号": "reserveNumber",
    "申込お届け回数": "reserveDeliveryCount",
    "ひとことメモ": "memo",
}
_ADDRESS = {
    "郵便番号1": "zipCode1", "郵便番号2": "zipCode2", "住所都道府県": "prefecture",
    "住所郡市区": "city", "住所それ以降の住所": "subAddress", "姓": "familyName",
    "名": "firstName", "姓カナ": "familyNameKana", "名カナ": "firstNameKana",
    "電話番号1": "phoneNumber1", "電話番号2": "phoneNumber2", "電話番号3": "phoneNumber3",
}  # fmt: skip


def as_rows(model: dict[str, Any]) -> list[dict[str, str]]:
    """The rows in which RMS's CSV tells the order, one for each item."""
    cells = {column: model[source] for column, source in _CELLS.items()}
    first = model["PackageModelList"][0]
    cells |= {f"注文者{column}": model["OrdererModel"][f] for column, f in _ADDRESS.items()}
    cells |= {f"送付先{column}": first["SenderModel"][f] for column, f in _ADDRESS.items()}
    cells["注文者メールアドレス"] = model["OrdererModel"]["emailAddress"]
    cells["注文日時"] = model["orderDatetime"][:19].replace("T", " ")
    shipped = model["shippingCmplRptDatetime"]
    cells["発送完了報告日時"] = shipped[:19].replace("T", " ") if shipped else None
    cells["支払方法名"] = model["SettlementModel"]["settlementMethod"]
    cells["ポイント利用額"] = model["PointModel"]["usedPoint"]
    cells["店舗発行クーポンコード"] = model["CouponModelList"][0]["couponCode"]
    cells["お届け時間帯"] = "午前中"
    parcels = first["ShippingModelList"]
    cells["購入時配送会社"] = parcels[0]["deliveryCompanyName"] if parcels else None
    rows = []
    for one in first["ItemModelList"]:
        sku = one["SkuModelList"][0]["merchantDefinedSkuId"]
        goods = {"商品名": one["itemName"], "個数": one["units"], "商品番号": one["itemNumber"]}
        goods |= {"単価": one["price"], "商品毎税込価格": one["priceTaxIncl"]}
        row = cells | goods | {"システム連携用SKU番号": sku}
        rows.append({name: "" if cell is None else str(cell) for name, cell in row.items()})
    return rows


def written(rows: list[dict[str, str]], folder: Path) -> Path:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path = folder / "rms.csv"
    path.write_bytes(text.getvalue().encode("cp932"))
    return path


@pytest.mark.parametrize("progress", [100, 200, 300, 400, 500, 600, 700, 800, 900])
def test_the_csv_of_the_same_sale_gives_the_same_order(progress: int, tmp_path: Path) -> None:
    shipped = progress in {500, 600, 700}
    model = order(
        1,
        PLACED,
        orderProgress=progress,
        memo="常連",
        requestPrice=-9999 if progress == 100 else 4460,
        shippingCmplRptDatetime="2026-02-03T10:00:00+0900" if shipped else None,
        PackageModelList=[
            package(
                ItemModelList=[item(), item(itemName="湯呑", units=1)],
                ShippingModelList=[PARCEL] if shipped else [],
                SenderModel=person(familyName="見本", firstName="太郎"),
            )
        ],
    )
    (from_file,) = orders_of_file(written(as_rows(model), tmp_path))
    from_api = map_order(RawOrder(model["orderNumber"], model))
    assert differences(from_api, from_file) == {}
    assert len(from_api.present & from_file.present) > 35
    assert from_api.recipient == Recipient(
        "見本 太郎", "ミホン ハナコ", "090-0000-0000", "150-0001", "東京都渋谷区神宮前0-0-0"
    )
