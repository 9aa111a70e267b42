"""Requests are valid against Amazon's Swagger, and every answer of its sandbox is parsed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.amazon.keeping import kept
from connectors.amazon.mapping import map_order
from connectors.contract import RawOrder, Watermark
from tests.connectors.amazon.harness import opened
from tests.connectors.amazon.stub import AmazonStore, order, package
from tests.connectors.harness import NOW
from tests.connectors.loopback import Asked

SWAGGER = Path(__file__).parents[4] / "shared/contracts/amazon/orders_2026-01-01.json"
_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
}


@pytest.fixture(scope="module")
def swagger() -> dict[str, Any]:
    if not SWAGGER.exists():
        pytest.skip("../shared/contracts is not here")
    found: dict[str, Any] = json.loads(SWAGGER.read_text("utf-8"))
    return found


def faults(schema: dict[str, Any], value: Any, swagger: dict[str, Any], at: str = "") -> list[str]:
    """Say what is wrong with a value, by the few keywords that the contract uses."""
    if "$ref" in schema:
        schema = swagger["definitions"][schema["$ref"].rpartition("/")[2]]
    kind = schema.get("type", "object")
    if not isinstance(value, _TYPES[kind]):
        return [f"{at}: not {kind}"]
    found = [f"{at}: {value}"] * ("enum" in schema and value not in schema["enum"])
    if schema.get("format") == "date-time":
        datetime.fromisoformat(value)
    if kind == "array":
        found += [f"{at}: too many"] * (len(value) > schema.get("maxItems", len(value)))
        found += [f for one in value for f in faults(schema["items"], one, swagger, f"{at}[]")]
    if kind == "object":
        known = schema.get("properties", {})
        found += [f"{at}: no {name}" for name in schema.get("required", ()) if name not in value]
        found += [f"{at}: {name} not known" for name in value if name not in known]
        for name, part in known.items():
            if name in value:
                found += faults(part, value[name], swagger, f"{at}.{name}")
    return found


def request_faults(asked: Asked, swagger: dict[str, Any]) -> list[str]:
    route = swagger["paths"][asked.path][asked.method.lower()]
    known = {one["name"]: one for one in route["parameters"]}
    found = []
    for name, text in asked.query.items():
        if name not in known:
            found.append(f"{name}: not known")
            continue
        kind = known[name]["type"]
        value: Any = (
            text.split(",") if kind == "array" else int(text) if kind == "integer" else text
        )
        found += faults(known[name], value, swagger, name)
    by = {"createdAfter", "lastUpdatedAfter"} & asked.query.keys()
    return found + ["not exactly one begin"] * (len(by) != 1)


def sandbox(swagger: dict[str, Any]) -> list[dict[str, Any]]:
    """Every order of every answer of both operations, the examples included."""
    answers = []
    for route in swagger["paths"].values():
        told = route["get"]["responses"]["200"]
        answers += [case["response"] for case in told["x-amzn-api-sandbox"]["static"]]
        answers += list(told["examples"].values())
    orders = [one for answer in answers for one in answer.get("orders", ())]
    return orders + [answer["order"] for answer in answers if "order" in answer]


def test_every_request_is_one_of_the_contract(swagger: dict[str, Any]) -> None:
    store = AmazonStore(*(order(n, NOW - timedelta(hours=n)) for n in range(1, 30)))
    connector = opened(store, page_size=10)
    list(connector.pull("orders", Watermark(), None, NOW))
    connector.check()
    connector.totals(NOW - timedelta(days=1), NOW)
    asked = [one for one in store.loopback.asked if one.path != "/auth/o2/token"]
    assert len(asked) >= 5
    assert [f for one in asked for f in request_faults(one, swagger)] == []
    assert {one.query["marketplaceIds"] for one in asked} == {"A1VC38T7YXB528"}


def test_no_request_asks_who_bought() -> None:
    store = AmazonStore(order(1, NOW - timedelta(hours=1)))
    list(opened(store).pull("orders", Watermark(), None, NOW))
    asked = store.loopback.asked[-1].query["includedData"].split(",")
    assert not {"BUYER", "RECIPIENT", "TAX"} & set(asked)


def test_the_stub_tells_orders_as_the_contract_says(swagger: dict[str, Any]) -> None:
    told = order(1, NOW, packages=[package("SHIPPED", NOW)])
    assert faults({"$ref": "#/definitions/Order"}, told, swagger) == []
    assert faults({"$ref": "#/definitions/Order"}, told | {"orderId": 1}, swagger) == [
        ".orderId: not string"
    ]


def test_every_answer_of_the_sandbox_becomes_an_order_that_names_nobody(
    swagger: dict[str, Any],
) -> None:
    orders = sandbox(swagger)
    assert len(orders) >= 6
    for told in orders:
        one = map_order(RawOrder(told["orderId"], kept(told)))
        assert (one.number, len(one.lines)) == (told["orderId"], len(told["orderItems"]))
        assert one.life is not None
        assert one.updated_at is not None
        assert "unknown_status" not in one.warnings
        text = json.dumps(kept(told), ensure_ascii=False)
        for private in _people(told):
            assert private not in text


def _people(told: dict[str, Any]) -> list[str]:
    address = told.get("recipient", {}).get("deliveryAddress", {})
    values = [*told.get("buyer", {}).values(), *address.values()]
    return [one for one in values if isinstance(one, str) and len(one) > 4 and one != "RESIDENTIAL"]


def test_the_order_from_japan_has_its_exact_money(swagger: dict[str, Any]) -> None:
    (told, *_) = [one for one in sandbox(swagger) if one["orderId"] == "250-1234567-8901234"]
    one = map_order(RawOrder(told["orderId"], kept(told)))
    assert (one.total, one.subtotal, one.currency) == (19940, 19940, "JPY")
    assert [(line.quantity, line.amount) for line in one.lines] == [(1, 5980), (2, 13960)]
