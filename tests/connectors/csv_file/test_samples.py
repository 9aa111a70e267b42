"""Every built-in profile reads its marketplace's own columns to the right order."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connectors.contract import (
    BadRecord,
    Buyer,
    Family,
    Fulfilment,
    Life,
    Line,
    NeedsPerson,
    Payment,
    PaymentKind,
)
from connectors.csv_file.files import inspect_file, map_raw
from tests.connectors.csv_file.tables import PROFILES, SAMPLES, orders, raws, records, write

NOON = datetime(2026, 2, 1, 11, 3, 43, tzinfo=UTC)  # 20:03:43 in Tokyo


@pytest.mark.parametrize(
    ("name", "profile", "encoding", "family"),
    [
        ("rakuten.csv", "rakuten", "cp932", Family.RAKUTEN),
        ("yahoo_orders.csv", "yahoo", "cp932", Family.YAHOO),
        ("amazon.txt", "amazon", "utf-8", Family.AMAZON),
        ("shopify.csv", "shopify", "utf-8-sig", Family.OWN),
        ("woocommerce.csv", "woocommerce", "utf-8", Family.OWN),
        ("eccube4.csv", "eccube4", "cp932", Family.OWN),
        ("base.csv", "base", "utf-8-sig", Family.OWN),
        ("colorme.csv", "colorme", "cp932", Family.OWN),
        ("qoo10.csv", "qoo10", "utf-8-sig", Family.QOO10),
        ("aupay.csv", "aupay", "cp932", Family.AUPAY),
        ("order_hub.csv", "order_hub", "cp932", Family.OWN),
    ],
)
def test_a_file_is_recognised_by_its_header(
    name: str, profile: str, encoding: str, family: Family
) -> None:
    preview = inspect_file(SAMPLES / name, profiles=PROFILES)
    assert (preview.profile, preview.encoding) == (profile, encoding)
    assert PROFILES.get(profile).family is family


def test_rakuten_repeats_the_order_on_each_line_and_masks_the_mail() -> None:
    first, second = orders(SAMPLES / "rakuten.csv")
    assert (first.number, first.ordered_at) == ("123456-20260201-0000000001", NOON)
    assert (first.life, first.payment, first.fulfilment) == (
        Life.OPEN,
        Payment.PAID,
        Fulfilment.SHIPPED,
    )
    assert (first.subtotal, first.shipping, first.discount, first.points, first.total) == (
        4400,
        660,
        300,
        300,
        4460,
    )
    assert first.buyer == Buyer(
        email="0123456789abcdefs1@pc.fw.rakuten.ne.jp",
        email_is_relay=True,
        name="髙﨑 花子",
        family_name="髙﨑",
        given_name="花子",
        kana="ミホン ハナコ",
        phone="090-0000-0000",
        postal_code="150-0001",
        address="東京都渋谷区神宮前0-0-0",
    )
    assert [(line.name, line.sku, line.unit_price) for line in first.lines] == [
        ("緑茶①～特選", "tea-01", 2200),
        ("ほうじ茶", "tea-02", 2200),
    ]
    assert (first.delivery_date, first.delivery_band) == (date(2026, 2, 6), "午前中")
    assert (first.buyer_comment, first.gift) == ("午前中に\r\nお願いします", True)
    assert (first.subscription_number, first.delivery_count) == ("S1", 2)
    assert first.recipient is not None
    assert (first.recipient.name, first.recipient.postal_code) == ("見本 太郎", "060-0001")
    assert (second.life, second.total, second.payment_kind) == (
        Life.CANCELLED,
        None,
        PaymentKind.COD,
    )
    assert first.warnings == ()


def test_rakuten_rows_of_one_order_need_not_stand_together() -> None:
    assert [raw.position for raw in raws(SAMPLES / "rakuten.csv")] == ["lines 2, 6", "line 4"]


def test_yahoo_joins_the_order_file_with_the_item_file() -> None:
    found = records(SAMPLES / "yahoo_orders.csv", SAMPLES / "yahoo_items.csv")
    first, second = (map_raw(r.raw, PROFILES) for r in found if r.raw)
    assert (first.external_id, first.number) == ("example-store-10000001", "10000001")
    assert first.lines == (Line("緑茶", "tea-01", 2, 2000),)
    assert (first.total, first.discount, first.fee, first.shipping) == (4150, 300, 0, 500)
    assert (first.payment, first.fulfilment) == (Payment.PAID, Fulfilment.SHIPPED)
    assert (second.payment, second.fulfilment) == (Payment.UNPAID, Fulfilment.UNSHIPPED)
    assert (first.payment_kind, second.payment_kind) == (PaymentKind.CARD, PaymentKind.PREPAYMENT)
    assert [(r.rejected.code, r.rejected.position) for r in found if r.rejected] == [
        ("orphan_item", "item file line 4")
    ]


def test_yahoo_orders_alone_leave_the_lines_untold() -> None:
    preview = inspect_file(SAMPLES / "yahoo_orders.csv", profiles=PROFILES)
    assert "no_item_file" in preview.warnings
    first, _ = orders(SAMPLES / "yahoo_orders.csv")
    assert first.lines == ()
    assert "lines" not in first.present


def test_yahoo_items_alone_need_both_files() -> None:
    with pytest.raises(NeedsPerson, match="Give both"):
        inspect_file(SAMPLES / "yahoo_items.csv", profiles=PROFILES)
    with pytest.raises(NeedsPerson, match="Give both"):
        inspect_file(SAMPLES / "yahoo_items.csv", profiles=PROFILES, profile="yahoo")
    with pytest.raises(NeedsPerson, match="not the item file"):
        inspect_file(
            SAMPLES / "yahoo_orders.csv", profiles=PROFILES, companion=SAMPLES / "yahoo_orders.csv"
        )


def test_amazon_makes_no_customer_and_stores_no_person() -> None:
    first, second = raws(SAMPLES / "amazon.txt")
    assert not {"ship-city", "ship-postal-code", "purchase-order-number"} & set(
        first.payload["rows"][0]
    )
    order = map_raw(first, PROFILES)
    assert order.buyer == Buyer()
    assert order.recipient is None
    assert not [name for name in order.present if name.startswith(("buyer.", "recipient."))]
    assert (order.subtotal, order.shipping, order.discount, order.total) == (3200, 400, 100, 3500)
    assert [line.name for line in order.lines] == ['"緑茶 lone quote', '湯呑" set']
    assert (order.fulfilment, order.warnings) == (Fulfilment.DELIVERED, ())
    cancelled = map_raw(second, PROFILES)
    assert (cancelled.life, cancelled.total, cancelled.lines) == (Life.CANCELLED, None, ())


def test_shopify_fills_the_order_on_the_first_row_only() -> None:
    first, second = orders(SAMPLES / "shopify.csv")
    assert (first.external_id, first.number) == ("5500000000001", "#1001")
    assert first.ordered_at == datetime(2026, 2, 1, 0, 50, 26, tzinfo=UTC)
    assert (first.total, first.refunded, first.payment) == (5000, 1000, Payment.REFUNDED_PART)
    assert [(line.sku, line.quantity, line.unit_price) for line in first.lines] == [
        ("tea-01", 1, 2200),
        ("cup", 2, 1100),
    ]
    assert first.marketing_consent is True
    assert (first.buyer.phone, first.buyer.postal_code) == ("09000000000", "1500001")
    assert (second.life, second.payment_kind, second.marketing_consent) == (
        Life.CANCELLED,
        PaymentKind.COD,
        False,
    )


def test_eccube_tells_goods_from_fees_and_keeps_both_columns_of_one_name() -> None:
    found = raws(SAMPLES / "eccube4.csv")
    order = map_raw(found[0], PROFILES)
    assert (order.shipping, order.fee, order.points, order.total) == (600, 130, 100, 2830)
    assert order.lines == (Line("緑茶 表ソ能", "tea-01", 2, 1100),)
    assert (order.buyer.member_id, order.buyer.birthday) == ("7", date(1985, 4, 12))
    assert (order.payment, order.fulfilment) == (Payment.UNPAID, Fulfilment.SHIPPED)
    assert found[0].payload["rows"][0]["送料#2"] == "300.00"


@pytest.mark.parametrize("name", ["eccube4.csv", "woocommerce.csv"])
def test_an_unfinished_checkout_is_no_order_but_is_kept(name: str) -> None:
    with pytest.raises(BadRecord) as caught:
        map_raw(raws(SAMPLES / name)[1], PROFILES)
    assert caught.value.code == "unfinished_order"
    assert caught.value.payload["rows"]


def test_base_gets_the_zeros_back_that_a_spreadsheet_took() -> None:
    (order,) = orders(SAMPLES / "base.csv")
    assert (order.buyer.phone, order.buyer.postal_code) == ("09000000000", "0600001")
    assert order.warnings == ("phone_padded", "postal_code_padded")
    assert (order.total, order.payment, order.payment_kind) == (
        2500,
        Payment.UNPAID,
        PaymentKind.PREPAYMENT,
    )
    assert [line.name for line in order.lines] == ["緑茶 50g", "湯呑"]


def test_colorme_works_the_total_out_and_says_so() -> None:
    (order,) = orders(SAMPLES / "colorme.csv")
    assert (order.total, order.warnings) == (2160 + 600 + 50 - 100, ("total_computed",))
    assert (order.payment, order.fulfilment, order.time_unknown) == (
        Payment.PAID,
        Fulfilment.UNSHIPPED,
        True,
    )
    assert order.delivery_date is None


def test_qoo10_counts_a_cart_as_one_order() -> None:
    (order,) = orders(SAMPLES / "qoo10.csv")
    assert (order.external_id, order.total, order.subtotal, order.discount) == (
        "900000001",
        3300,
        3400,
        100,
    )
    assert (order.buyer.phone, order.fulfilment) == ("090-0000-0000", Fulfilment.SHIPPED)
    assert "buyer.email" not in order.present


def test_any_address_of_aupay_may_be_a_mask() -> None:
    (first, _) = orders(SAMPLES / "aupay.csv")
    assert (first.buyer.email, first.buyer.email_is_relay) == ("buyer@example.jp", True)


def test_aupay_lets_the_status_tell_what_a_mark_leaves_open(tmp_path: Path) -> None:
    header = "orderId,orderDetailId,orderDate,ordererName,requestPrice,orderStatus,paymentStatus"
    header += ",paymentDate,shipStatus,shipDate"
    rows = [f"1,1,2026/02/01 21:15,見本,4500,{told},N,,N," for told in ("発送待ち", "完了")]
    rows[1] = "2" + rows[1][1:]
    waiting, done = orders(write(tmp_path, "\n".join([header, *rows, ""])))
    assert (waiting.payment, waiting.fulfilment) == (Payment.PAID, Fulfilment.UNSHIPPED)
    assert (done.payment, done.fulfilment) == (Payment.PAID, Fulfilment.SHIPPED)


def test_aupay_believes_the_cancel_mark_more_than_the_status_text() -> None:
    first, second = orders(SAMPLES / "aupay.csv")
    assert (first.total, first.points, first.buyer.kana) == (4500, 200, "ミホン ハナコ")
    assert (first.life, second.life) == (Life.OPEN, Life.CANCELLED)


def test_woocommerce_export_plugins_are_read() -> None:
    order = map_raw(raws(SAMPLES / "woocommerce.csv")[0], PROFILES)
    assert (order.number, order.total, order.payment_kind) == ("501", 2500, PaymentKind.COD)
    assert order.buyer.name == "見本 花子"


def test_a_hub_file_is_split_by_its_store_column() -> None:
    found = records(SAMPLES / "order_hub.csv")
    assert [(r.store, r.raw.external_id, r.raw.position) for r in found if r.raw] == [
        ("本店", "A-1", "lines 2, 4"),
        ("楽天店", "A-1", "line 3"),
        ("本店", "A-2", "line 5"),
    ]
    own, mall, held = (map_raw(r.raw, PROFILES) for r in found if r.raw)
    assert (own.store, len(own.lines), own.hub_hold) == ("本店", 2, False)
    assert (mall.buyer.email_is_relay, held.hub_hold) == (True, True)


def test_an_order_amount_of_several_columns_is_taken_once_too(tmp_path: Path) -> None:
    header, first, *_ = (SAMPLES / "aupay.csv").read_text("cp932").splitlines()
    path = write(tmp_path, f"{header}\n{first}\n{first}\n")
    (order,) = orders(path)
    assert (order.points, order.subtotal, len(order.lines)) == (200, 8800, 2)


def test_amazon_keeps_no_person_in_quarantine_either(tmp_path: Path) -> None:
    header, first, *_ = (SAMPLES / "amazon.txt").read_text("utf-8").splitlines()
    nameless = first.replace("250-1234567-8901234", "", 1)
    found = records(write(tmp_path, f"{header}\n{nameless}\n{first}\textra\n"))
    told = [record.rejected for record in found if record.rejected]
    assert [bad.code for bad in told] == ["no_order_number", "wrong_cell_count"]
    assert not [bad for bad in told if "渋谷区" in str(bad.payload) or "PO-9" in str(bad.payload)]
