"""Coupons are told only after the shop has confirmed them, and nothing is made twice."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.contract import NeedsPerson, TryLater
from connectors.kit.coupons import CouponSource, CouponTerms, Made, MadeCoupon, decimal_text
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from connectors.woocommerce.coupons import WooCommerceCoupons
from tests.connectors.loopback import told, web_page
from tests.connectors.woocommerce.harness import config
from tests.connectors.woocommerce.stub import KEY, SECRET, WooShop
from tests.connectors.woocommerce.subset import faults

TERMS = CouponTerms(
    reference="grant-7",
    title="5回目のお礼",
    currency="JPY",
    starts_at=datetime(2026, 11, 20, tzinfo=UTC),
    ends_at=datetime(2026, 12, 31, 14, 59, 59, tzinfo=UTC),
    amount=500,
    minimum=3000,
    email="hanako@example.jp",
)


def coupons(shop: WooShop) -> WooCommerceCoupons:
    keys = MemoryVault({"consumer_key": KEY, "consumer_secret": SECRET})
    return WooCommerceCoupons(config(shop), vault=keys, pace=LocalPace({"requests": (1e6, 1e6)}))


def bodies(shop: WooShop) -> list[dict[str, Any]]:
    return [json.loads(asked.body) for asked in shop.loopback.asked if asked.method == "POST"]


def test_it_is_a_coupon_source() -> None:
    assert isinstance(coupons(WooShop()), CouponSource)


def test_a_coupon_works_once_and_for_its_buyer(subset: dict[str, Any]) -> None:
    shop = WooShop()
    made = coupons(shop).make(["TH5-A1"], TERMS)
    assert made.confirmed == (MadeCoupon("TH5-A1", "700"),)
    (body,) = bodies(shop)
    assert body == {
        "code": "TH5-A1",
        "discount_type": "fixed_cart",
        "amount": "500",
        "description": "5回目のお礼",
        "date_expires_gmt": "2026-12-31T14:59:59",
        "usage_limit": 1,
        "usage_limit_per_user": 1,
        "individual_use": True,
        "email_restrictions": ["hanako@example.jp"],
        "minimum_amount": "3000",
        "meta_data": [{"key": "_okaeri_reference", "value": "grant-7"}],
    }
    schemas = subset["components"]["schemas"]
    assert faults(schemas["CouponWrite"], body, subset) == []
    assert faults(schemas["Coupon"], shop.coupons["th5-a1"], subset) == []


def test_a_percentage_is_written_as_such() -> None:
    shop = WooShop()
    coupons(shop).make(["A"], replace(TERMS, amount=None, percent=10, email=None, minimum=None))
    (body,) = bodies(shop)
    assert (body["discount_type"], body["amount"]) == ("percent", "10")
    assert body.keys() & {"email_restrictions", "minimum_amount"} == set()


def test_making_the_same_again_finds_what_was_made() -> None:
    shop = WooShop()
    source = coupons(shop)
    assert source.make(["TH5-A1"], TERMS) == source.make(["TH5-A1"], TERMS)
    assert len(shop.coupons) == 1


def test_a_code_of_somebody_else_is_taken() -> None:
    shop = WooShop()
    source = coupons(shop)
    source.make(["TH5-A1"], replace(TERMS, reference="other"))
    made = source.make(["TH5-A1", "TH5-B2"], TERMS)
    assert made.refused == (("TH5-A1", "taken"),)
    assert [one.code for one in made.confirmed] == ["TH5-B2"]


def test_an_answer_that_is_none_confirms_nothing() -> None:
    shop = WooShop()
    source = coupons(shop)
    for fault in (web_page(502), told({"id": 5, "code": "other"}, 201), told([], 201)):
        shop.loopback.faults.append(fault)
        with pytest.raises(TryLater):
            source.make(["TH5-A1"], TERMS)


def test_a_shop_without_coupons_or_a_key_that_only_reads_is_told() -> None:
    for refusal in (
        told({"code": "rest_invalid_param", "message": "", "data": {"status": 400}}, 400),
        told({"code": "woocommerce_rest_cannot_create", "data": {"status": 401}}, 401),
    ):
        shop = WooShop()
        shop.loopback.faults.append(refusal)
        with pytest.raises(NeedsPerson):
            coupons(shop).make(["TH5-A1"], TERMS)


def test_use_is_seen_and_voiding_is_left_to_staff() -> None:
    shop = WooShop()
    source = coupons(shop)
    (made,) = source.make(["TH5-A1"], TERMS).confirmed
    assert source.used(made) is False
    shop.coupons["th5-a1"]["usage_count"] = 1
    assert source.used(made) is True
    assert source.used(MadeCoupon("GONE", "1")) is False
    assert source.void(made) is False
    assert source.confirm("") == Made()


@pytest.mark.parametrize(
    "changes",
    [
        {"percent": 10},
        {"amount": None},
        {"amount": 0},
        {"amount": None, "percent": 101},
        {"ends_at": TERMS.starts_at},
    ],
)
def test_terms_that_make_no_sense_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        replace(TERMS, **changes)


def test_money_is_written_in_whole_units() -> None:
    assert [decimal_text(500, "JPY"), decimal_text(1990, "USD")] == ["500", "19.90"]
