"""Discount codes are told only after Shopify has confirmed them, and nothing is made twice."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import build_client_schema, parse
from graphql.execution.values import get_variable_values
from graphql.language import OperationDefinitionNode

from connectors.contract import NeedsPerson, TryLater
from connectors.kit.coupons import CouponSource, CouponTerms, MadeCoupon
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from connectors.shopify.connector import Shopify
from connectors.shopify.coupons import ShopifyCoupons
from tests.connectors.loopback import web_page
from tests.connectors.shopify.harness import config
from tests.connectors.shopify.stub import TOKEN, ShopifyShop
from tests.connectors.shopify.test_contract import SCHEMA

TERMS = CouponTerms(
    reference="grant-7",
    title="5回目のお礼",
    currency="JPY",
    starts_at=datetime(2026, 11, 20, tzinfo=UTC),
    ends_at=datetime(2026, 12, 31, 14, 59, 59, tzinfo=UTC),
    amount=500,
    minimum=3000,
)
BOUND = replace(TERMS, member_id="9", amount=None, percent=10, minimum=None)


def coupons(shop: ShopifyShop) -> ShopifyCoupons:
    pace = LocalPace(Shopify.LANES, patience=1.0)
    return ShopifyCoupons(config(shop), vault=MemoryVault({"access_token": TOKEN}), pace=pace)


def inputs(shop: ShopifyShop) -> list[dict[str, Any]]:
    return [sent["input"] for query, sent in shop.sent() if "CouponCreate" in query]


def test_it_is_a_coupon_source() -> None:
    assert isinstance(coupons(ShopifyShop()), CouponSource)


def test_a_coupon_of_one_customer_is_a_discount_of_its_own() -> None:
    shop = ShopifyShop()
    made = coupons(shop).make(["AAAA"], BOUND)
    assert made.confirmed == (MadeCoupon("AAAA", "gid://shopify/DiscountCodeNode/1"),)
    (told,) = inputs(shop)
    assert told["context"] == {"customers": {"add": ["gid://shopify/Customer/9"]}}
    assert told["customerGets"]["value"] == {"percentage": 0.1}
    assert (told["usageLimit"], told["appliesOncePerCustomer"]) == (1, True)


def test_what_is_sent_fits_the_schema() -> None:
    if not SCHEMA.exists():
        pytest.skip("../shared/contracts is not here")
    with gzip.open(SCHEMA) as file:
        schema = build_client_schema(json.load(file)["data"], assume_valid=True)
    shop = ShopifyShop()
    coupons(shop).make(["AAAA"], BOUND)
    coupons(shop).make(["BBBB", "CCCC"], TERMS)
    for query, sent in shop.sent():
        (operation,) = parse(query).definitions
        assert isinstance(operation, OperationDefinitionNode)
        found = get_variable_values(schema, operation.variable_definitions or (), sent)
        assert not isinstance(found, list), found
    assert {"CouponFind", "CouponCreate", "CouponCodesAdd"} <= set(shop.operations())


def test_many_codes_share_a_discount_and_are_confirmed_later() -> None:
    shop = ShopifyShop()
    shop.bulk_polls = 1
    source = coupons(shop)
    made = source.make(["AAAA", "BBBB", "CCCC"], TERMS)
    assert [one.code for one in made.confirmed] == ["AAAA"]
    assert made.pending is not None
    waiting = source.confirm(made.pending)
    assert (waiting.confirmed, waiting.pending) == ((), made.pending)
    assert [one.code for one in source.confirm(made.pending).confirmed] == ["BBBB", "CCCC"]
    (told,) = inputs(shop)
    assert told["customerGets"]["value"]["discountAmount"]["amount"] == "500"
    assert told["minimumRequirement"] == {"subtotal": {"greaterThanOrEqualToSubtotal": "3000"}}
    assert told["appliesOncePerCustomer"] is False


def test_making_the_same_again_finds_what_was_made() -> None:
    shop = ShopifyShop()
    shop.bulk_polls = 0
    source = coupons(shop)
    for _ in range(2):
        made = source.make(["AAAA", "BBBB"], TERMS)
        assert made.pending is not None
        later = source.confirm(made.pending)
        assert [one.code for one in (*made.confirmed, *later.confirmed)] == ["AAAA", "BBBB"]
    assert len(shop.discounts) == 1


def test_a_code_of_somebody_else_is_taken() -> None:
    shop = ShopifyShop()
    shop.bulk_polls = 0
    source = coupons(shop)
    source.make(["AAAA"], replace(TERMS, reference="other"))
    assert source.make(["AAAA"], TERMS).refused == (("AAAA", "taken"),)
    made = source.make(["BBBB", "AAAA"], TERMS)
    assert made.pending is not None
    assert source.confirm(made.pending).refused == (("AAAA", "taken"),)


def test_a_refusal_with_http_200_is_no_success() -> None:
    shop = ShopifyShop()
    shop.user_errors = [{"field": [], "code": "INVALID", "message": "endsAt is in the past"}]
    with pytest.raises(NeedsPerson, match="endsAt is in the past"):
        coupons(shop).make(["AAAA"], TERMS)


def test_an_answer_that_never_came_is_asked_for_again_without_a_second_coupon() -> None:
    shop = ShopifyShop()
    source = coupons(shop)
    source.make(["AAAA"], BOUND)
    shop.loopback.faults.append(web_page(502))
    with pytest.raises(TryLater):
        source.make(["AAAA"], BOUND)
    assert source.make(["AAAA"], BOUND).confirmed[0].code == "AAAA"
    assert len(shop.discounts) == 1


def test_a_single_code_is_voided_and_one_of_many_is_left_to_staff() -> None:
    shop = ShopifyShop()
    shop.bulk_polls = 0
    source = coupons(shop)
    (alone,) = source.make(["AAAA"], BOUND).confirmed
    (shared,) = source.make(["BBBB", "CCCC"], TERMS).confirmed
    assert source.void(alone) is True
    assert shop.discounts[alone.source_id]["ended"] is True
    assert source.void(shared) is False
    assert shop.discounts[shared.source_id]["ended"] is False
    assert source.void(MadeCoupon("GONE", "x")) is True


def test_use_is_seen_for_a_single_code() -> None:
    shop = ShopifyShop()
    source = coupons(shop)
    (alone,) = source.make(["AAAA"], BOUND).confirmed
    assert source.used(alone) is False
    shop.discounts[alone.source_id]["used"] = 1
    assert source.used(alone) is True


@pytest.mark.parametrize("count", [0, 251])
def test_only_so_many_are_made_at_once(count: int) -> None:
    with pytest.raises(ValueError, match="250"):
        coupons(ShopifyShop()).make([str(n) for n in range(count)], TERMS)
