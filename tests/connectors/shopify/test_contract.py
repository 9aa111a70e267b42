"""Every operation is valid against the published schema, and the stub answers in its types."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    NoDeprecatedCustomRule,
    build_client_schema,
    execute_sync,
    parse,
    specified_rules,
    validate,
)

from connectors.shopify import queries
from tests.connectors.shopify.stub import customer, line, money, order, person

SCHEMA = Path(__file__).parents[4] / "shared/contracts/shopify/admin_2026-10.introspection.json.gz"
OPERATIONS = {
    name: text
    for name, text in vars(queries).items()
    if name.isupper() and isinstance(text, str) and "{" in text and not name.startswith("_")
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    if not SCHEMA.exists():
        pytest.skip("../shared/contracts is not here")
    with gzip.open(SCHEMA) as file:
        return build_client_schema(json.load(file)["data"], assume_valid=True)


def faults(schema: GraphQLSchema, text: str) -> list[str]:
    rules = (*specified_rules, NoDeprecatedCustomRule)
    return [error.message for error in validate(schema, parse(text), rules)]


def test_every_operation_is_named() -> None:
    assert {"ORDERS", "LINES", "TOTALS", "COUNT", "SHOP", "BULK_RUN", "BULK_STATUS"} <= set(
        OPERATIONS
    )


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_is_valid_and_uses_nothing_deprecated(
    schema: GraphQLSchema, name: str
) -> None:
    assert faults(schema, OPERATIONS[name]) == []


def test_a_field_that_is_gone_would_be_found(schema: GraphQLSchema) -> None:
    text = OPERATIONS["ORDERS"].replace("customerLocale", "customerLocale totalPrice")
    assert any("deprecated" in fault for fault in faults(schema, text))


def test_the_bulk_query_is_valid_without_variables(schema: GraphQLSchema) -> None:
    text = queries.bulk_orders("updated_at:>='2026-01-01T00:00:00Z'")
    assert faults(schema, text) == []
    assert "$" not in text
    assert "after:" not in text


def sample() -> dict[str, Any]:
    parcel = {
        "id": "gid://shopify/Fulfillment/1",
        "status": "SUCCESS",
        "displayStatus": "DELIVERED",
        "createdAt": "2026-11-02T00:00:00Z",
        "deliveredAt": "2026-11-03T00:00:00Z",
        "trackingInfo": [{"company": "ヤマト運輸", "number": "1234"}],
    }
    return order(
        1001,
        "2026-11-04T00:00:00Z",
        customer=customer(9, 1001, 3),
        shippingAddress=person(firstName="太郎"),
        fulfillments=[parcel],
        displayFulfillmentStatus="FULFILLED",
        customAttributes=[{"key": "フリガナ", "value": "ミホン ハナコ"}],
        discountCodes=["TH5-A1"],
        totalRefundedSet=money("500.0"),
        lineItems={"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": [line(1)]},
    )


def test_the_stub_answers_in_the_types_of_the_schema(schema: GraphQLSchema) -> None:
    page = {"pageInfo": {"hasNextPage": False, "endCursor": "x"}, "nodes": [sample()]}
    result = execute_sync(
        schema,
        parse(queries.ORDERS),
        {"orders": page},
        variable_values={"first": 1, "filter": "updated_at:>='x'"},
    )
    assert result.errors is None
    assert json.loads(json.dumps(result.data)) == {"orders": page}
