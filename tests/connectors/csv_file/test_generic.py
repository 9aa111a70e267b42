"""The generic profile: unified names, Japanese words, and exactly what the file can tell."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connectors.contract import (
    BadRecord,
    Fulfilment,
    Life,
    NeedsPerson,
    Payment,
    PaymentKind,
    RawOrder,
)
from connectors.csv_file.files import inspect_file, load_profiles, map_raw, read_file
from tests.connectors.csv_file.tables import PROFILES, order, orders, raws, rejected, write

KEYS = "order_number,ordered_at,email"


@pytest.mark.parametrize("key", ["customer_id", "email", "name", "phone,name"])
def test_number_date_and_one_customer_key_are_enough(tmp_path: Path, key: str) -> None:
    cells = ",".join(["090-0000-0000", "x@y.jp"][: key.count(",") + 1])
    one = order(tmp_path, f"order_number,ordered_at,{key}", f"0001,2026-02-01 10:00:00,{cells}")
    assert (one.number, one.currency, one.total) == ("0001", "JPY", None)
    assert "total" not in one.present
    assert (one.life, one.payment, one.fulfilment) == (
        Life.OPEN,
        Payment.PAID,
        Fulfilment.UNSHIPPED,
    )


def test_what_stands_in_for_missing_columns_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, f"{KEYS}\n1,2026-02-01,a@b.jp\n")
    preview = inspect_file(path, profiles=PROFILES)
    assert preview.profile == "generic"
    assert preview.warnings == ("status_constant:paid", "currency_constant:JPY", "no_total_column")
    assert "total" in preview.missing


def test_the_columns_may_stand_in_any_order_and_others_are_kept(tmp_path: Path) -> None:
    header = "color,email,TOTAL,Ordered At,order number"
    path = write(tmp_path, f"{header}\nred,a@b.jp,100,2026-02-01 10:00,A1\n")
    assert inspect_file(path, profiles=PROFILES).unknown_columns == ("color",)
    (raw,) = raws(path)
    assert raw.payload["rows"][0]["color"] == "red"
    assert orders(path)[0].total == 100


def test_every_unified_field_is_read(tmp_path: Path) -> None:
    values = {
        "order_number": "A1",
        "external_id": "X1",
        "ordered_at": "2026-02-01T10:00:00+09:00",
        "updated_at": "2026-02-02T10:00:00Z",
        "status": "delivered",
        "payment_status": "paid",
        "fulfilment_status": "delivered",
        "payment_method": "コンビニ後払い",
        "customer_id": "C1",
        "email": "Hanako@EXAMPLE.jp",
        "name": "見本　花子 様",
        "kana": "みほん　はなこ",
        "phone": "090-0000-0000",
        "postal_code": "150-0001",
        "address": "東京都渋谷区0",
        "birthday": "1985/04/12",
        "recipient_name": "見本 太郎",
        "item": "緑茶",
        "sku": "tea",
        "quantity": "2",
        "unit_price": "1000",
        "subtotal": "2000",
        "shipping": "500",
        "fee": "300",
        "discount": "▲100",
        "points": "50",
        "coupon_code": "TEA10",
        "tax": "200",
        "total": "2650",
        "refunded": "0",
        "currency": "JPY",
        "paid_at": "2026-02-01 11:00",
        "shipped_at": "2026-02-03",
        "delivered_at": "2026-02-04",
        "cancelled_at": "",
        "carrier": "ヤマト",
        "tracking_number": "'0012-3",
        "delivery_date": "2026年2月4日",
        "buyer_comment": "よろしく",
        "gift": "いいえ",
        "subscription_number": "S1",
        "marketing_consent": "はい",
        "consent_at": "2026-01-01 00:00:00",
        "store": "本店",
        "note": "常連",
    }
    one = order(tmp_path, ",".join(values), ",".join(values.values()))
    assert (one.external_id, one.number, one.store) == ("X1", "A1", "本店")
    assert one.updated_at == datetime(2026, 2, 2, 10, tzinfo=UTC)
    assert (one.payment, one.fulfilment) == (Payment.PAID, Fulfilment.DELIVERED)
    assert one.payment_kind is PaymentKind.DEFERRED
    assert (one.buyer.email, one.buyer.name) == ("Hanako@example.jp", "見本 花子")
    assert (one.buyer.kana, one.buyer.birthday) == ("ミホン ハナコ", date(1985, 4, 12))
    assert (one.discount, one.points, one.total, one.refunded) == (100, 50, 2650, 0)
    assert (one.delivery_date, one.gift) == (date(2026, 2, 4), False)
    assert (one.marketing_consent, one.consent_at) == (True, datetime(2025, 12, 31, 15, tzinfo=UTC))
    assert one.warnings == ()
    assert {"buyer.email", "recipient.name", "cancelled_at", "lines", "life"} <= one.present


def test_present_names_what_the_columns_can_tell_and_nothing_else(tmp_path: Path) -> None:
    one = order(tmp_path, f"{KEYS},note,status", "1,2026-02-01,a@b.jp,,paid")
    assert one.present == {
        "external_id", "number", "ordered_at", "time_unknown", "currency",
        "buyer.email", "buyer.email_is_relay", "note", "life", "payment", "fulfilment",
    }  # fmt: skip
    assert one.note is None


@pytest.mark.parametrize(
    ("word", "life", "payment", "fulfilment"),
    [
        ("new", "open", "unpaid", "unshipped"),
        ("paid", "open", "paid", "unshipped"),
        ("Shipped", "open", "paid", "shipped"),
        ("delivered", "open", "paid", "delivered"),
        ("cancelled", "cancelled", None, None),
        ("canceled", "cancelled", None, None),
        ("returned", "open", None, "returned"),
        ("新規受注", "open", "unpaid", "unshipped"),
        ("入金済み", "open", "paid", "unshipped"),
        ("発送済み", "open", "paid", "shipped"),
        ("キャンセル", "cancelled", None, None),
        ("返品", "open", None, "returned"),
        ("", "open", None, None),
    ],
)
def test_a_status_word_says_three_things(
    tmp_path: Path, word: str, life: str, payment: str | None, fulfilment: str | None
) -> None:
    one = order(tmp_path, f"{KEYS},status", f"1,2026-02-01,a@b.jp,{word}")
    assert (one.life, one.payment, one.fulfilment) == (life, payment, fulfilment)
    assert ("payment" in one.present) is (payment is not None)


def test_an_unknown_status_word_says_nothing_and_warns(tmp_path: Path) -> None:
    one = order(tmp_path, f"{KEYS},status,shipped_at", "1,2026-02-01,a@b.jp,謎,2026-02-02")
    assert (one.life, one.payment, one.fulfilment) == (None, None, None)
    assert not {"life", "payment", "fulfilment"} & one.present
    assert one.warnings == ("unknown_status",)


@pytest.mark.parametrize(
    ("header", "cells", "payment", "fulfilment"),
    [
        ("status,payment_status", "shipped,unpaid", "unpaid", "shipped"),
        ("status,fulfilment_status", "paid,part", "paid", "part"),
        ("status,payment_status", "new,authorized", "authorized", "unshipped"),
        ("status,shipped_at", "paid,2026-02-03", "paid", "shipped"),
        ("status,shipped_at", "returned,2026-02-03", None, "returned"),
        ("status,delivered_at", "shipped,2026-02-05", "paid", "delivered"),
        ("status,paid_at", "new,2026-02-03", "paid", "unshipped"),
        ("paid_at,shipped_at", "2026-02-02,", "paid", "unshipped"),
        ("paid_at,shipped_at", ",", "unpaid", "unshipped"),
        ("status,total,refunded", "shipped,1000,300", "refunded_part", "shipped"),
        ("status,total,refunded", "shipped,1000,1000", "refunded", "shipped"),
        ("status,total,refunded", "shipped,1000,-1000", "refunded", "shipped"),
        ("status,total,refunded", "shipped,1000,0", "paid", "shipped"),
    ],
)
def test_other_columns_override_or_carry_the_status_further(
    tmp_path: Path, header: str, cells: str, payment: str | None, fulfilment: str
) -> None:
    one = order(tmp_path, f"{KEYS},{header}", f"1,2026-02-01,a@b.jp,{cells}")
    assert (one.payment, one.fulfilment) == (payment, fulfilment)


def test_a_cancel_date_cancels_whatever_the_word(tmp_path: Path) -> None:
    one = order(tmp_path, f"{KEYS},status,cancelled_at", "1,2026-02-01,a@b.jp,paid,2026-02-02")
    assert one.life is Life.CANCELLED


def test_bad_cells_reject_their_order_and_no_other(tmp_path: Path) -> None:
    header = f"{KEYS},total,currency,quantity"
    path = write(
        tmp_path,
        f"{header}\n"
        "1,2026-02-01,a@b.jp,23.5,JPY,1\n"
        "2,someday,a@b.jp,1,JPY,1\n"
        "3,,a@b.jp,1,JPY,1\n"
        "4,2026-02-30,a@b.jp,1,JPY,1\n"
        "5,2026-02-01,a@b.jp,1,yen,1\n"
        "1.23E+12,2026-02-01,a@b.jp,1,JPY,1\n"
        "7,2026-02-01,a@b.jp,1,JPY,1\n"
        ",2026-02-01,a@b.jp,1,JPY,1\n",
    )
    assert rejected(path) == [
        ("bad_money", "line 2"),
        ("bad_date", "line 3"),
        ("missing_value", "line 4"),
        ("bad_date", "line 5"),
        ("bad_currency", "line 6"),
        ("scientific_notation", "line 7"),
        ("no_order_number", "line 9"),
    ]


@pytest.mark.parametrize(
    ("cell", "utc", "time_unknown"),
    [
        ("2026-02-01 10:00:00", "2026-02-01T01:00:00", False),
        ("2026/2/1 9:05", "2026-02-01T00:05:00", False),
        ("2026/02/01 10:00:00", "2026-02-01T01:00:00", False),
        ("2026-02-01T10:00:00Z", "2026-02-01T10:00:00", False),
        ("2026-02-01T10:00:00+0900", "2026-02-01T01:00:00", False),
        ("2026-02-01 10:00:00 -0500", "2026-02-01T15:00:00", False),
        ("2026-02-01 10:00:00 UTC", "2026-02-01T10:00:00", False),
        ("2026年2月1日", "2026-01-31T15:00:00", True),
        ("2026年2月1日(日) 10時05分", "2026-02-01T01:05:00", False),
        ("２０２６/２/１", "2026-01-31T15:00:00", True),
        ("20260201", "2026-01-31T15:00:00", True),
        ("20260201100000", "2026-02-01T01:00:00", False),
        ("46000.5", "2025-12-09T03:00:00", False),
        ("46000", "2025-12-08T15:00:00", True),
        ("1769907600", "2026-02-01T01:00:00", False),
    ],
)
def test_dates_of_mixed_forms_and_zones_become_the_same_instants(
    tmp_path: Path, cell: str, utc: str, time_unknown: bool
) -> None:
    one = order(tmp_path, KEYS, f"1,{cell},a@b.jp")
    assert one.ordered_at == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert one.time_unknown is time_unknown


@pytest.mark.parametrize(
    "cell",
    ["01/02/2026", "2026-13-01", "2026-02-01 25:00", "2026-W05-1", "9999-12-31", "0001/01/01"],
)
def test_a_date_that_could_be_another_is_refused(tmp_path: Path, cell: str) -> None:
    path = write(tmp_path, f"{KEYS}\n1,{cell},a@b.jp\n")
    assert rejected(path) == [("bad_date", "line 2")]


@pytest.mark.parametrize("cell", ["nobody", "a@b@", "a b@c.jp", "@c.jp", "x" * 250 + "@c.jp"])
def test_an_impossible_mail_address_keeps_the_order_and_never_overwrites(
    tmp_path: Path, cell: str
) -> None:
    one = order(tmp_path, f"{KEYS},name", f"1,2026-02-01,{cell},見本")
    assert (one.buyer.email, one.warnings) == (None, ("bad_email",))
    assert "buyer.email" not in one.present


def test_a_line_break_inside_a_mail_address_is_refused(tmp_path: Path) -> None:
    one = order(tmp_path, f"{KEYS},name", '1,2026-02-01,"a@b.jp\nBcc: x@y.jp",見本')
    assert one.buyer.email is None


@pytest.mark.parametrize(
    ("address", "relay"),
    [
        ("x@pc.fw.rakuten.ne.jp", True),
        ("x@fw.rakuten.ne.jp", True),
        ("x@marketplace.amazon.co.jp", True),
        ("x@notfw.rakuten.ne.jp", False),
        ("x@example.jp", False),
    ],
)
def test_a_masked_address_is_marked(tmp_path: Path, address: str, relay: bool) -> None:
    assert order(tmp_path, KEYS, f"1,2026-02-01,{address}").buyer.email_is_relay is relay


@pytest.mark.parametrize(
    ("word", "consent", "warnings", "present"),
    [
        ("yes", True, (), True),
        ("いいえ", False, (), True),
        ("", None, (), True),
        ("maybe", None, ("bad_marketing_consent",), False),
    ],
)
def test_consent_is_only_what_was_said(
    tmp_path: Path, word: str, consent: bool | None, warnings: tuple[str, ...], present: bool
) -> None:
    one = order(tmp_path, f"{KEYS},marketing_consent", f"1,2026-02-01,a@b.jp,{word}")
    assert (one.marketing_consent, one.warnings) == (consent, warnings)
    assert ("marketing_consent" in one.present) is present


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("クレジットカード", "card"),
        ("PayPay残高払い", "card"),
        ("代金引換", "cod"),
        ("銀行振込", "prepayment"),
        ("コンビニ決済（前払）", "prepayment"),
        ("コンビニ後払い", "deferred"),
        ("NP後払い", "deferred"),
        ("全額ポイント払い", "free"),
        ("物々交換", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_payment_method_tells_its_kind(tmp_path: Path, method: str, kind: str) -> None:
    one = order(tmp_path, f"{KEYS},payment_method", f"1,2026-02-01,a@b.jp,{method}")
    assert one.payment_kind == PaymentKind(kind)


def test_foreign_numbers_get_no_japanese_zero(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "us.toml").write_text(
        'name = "us"\nextends = "generic"\nzone = "America/New_York"\n'
        '[constants]\ncurrency = "USD"\n'
    )
    profiles = load_profiles(own)
    path = write(
        tmp_path,
        f"{KEYS},phone,postal_code,total\n1,2026-07-01 08:00:00,a@b.jp,2125550123,10001,5\n",
    )
    preview = inspect_file(path, profiles=profiles, profile="us")
    (record,) = read_file(path, preview, profiles=profiles)
    assert record.raw is not None
    one = map_raw(record.raw, profiles)
    assert (one.buyer.phone, one.buyer.postal_code, one.total) == ("2125550123", "10001", 500)
    assert one.ordered_at == datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_a_spreadsheet_wrapping_is_taken_off(tmp_path: Path) -> None:
    one = order(tmp_path, f"{KEYS},phone,note", '"=""007""",2026-02-01,a@b.jp,\'0312345678,\'=1+1')
    assert (one.number, one.buyer.phone, one.note) == ("007", "0312345678", "=1+1")


def test_japanese_headings_are_understood(tmp_path: Path) -> None:
    header = "注文番号,注文日時,メールアドレス,注文者氏名,合計金額,ステータス,商品名,数量"
    one = order(tmp_path, header, '1,2026/02/01 10:00,a@b.jp,見本 花子,"1,980円",発送済み,緑茶,２')
    assert (one.total, one.fulfilment, one.lines[0].quantity) == (1980, Fulfilment.SHIPPED, 2)


def test_no_customer_key_stops_the_import(tmp_path: Path) -> None:
    path = write(tmp_path, "order_number,ordered_at,total\n1,2026-02-01,5\n")
    with pytest.raises(NeedsPerson) as caught:
        inspect_file(path, profiles=PROFILES)
    assert "customer_id / email / name" in str(caught.value)


def mended(number: str) -> RawOrder:
    row = dict.fromkeys(("order_number", "email", "total"), "")
    row |= {"order_number": number, "ordered_at": "2026-02-01", "total": "100"}
    return RawOrder("", {"profile": "generic", "rows": [row], "lines": [9]}, "line 9")


def test_a_row_that_was_read_without_a_number_becomes_no_order_by_itself() -> None:
    with pytest.raises(BadRecord) as told:
        map_raw(mended(""), PROFILES)
    assert told.value.code == "no_order_number"


def test_a_row_whose_number_was_mended_is_the_order_of_that_number() -> None:
    found = map_raw(mended("A-7"), PROFILES)
    assert (found.external_id, found.number) == ("A-7", "A-7")


def test_an_empty_date_cell_of_a_spreadsheet_is_no_order_date(tmp_path: Path) -> None:
    path = write(tmp_path, f"{KEYS}\n1,1900-01-01,a@b.jp\n")
    assert rejected(path) == [("bad_date", "line 2")]
