"""Requests and the stub's answers are valid against the OpenAPI subset of wc/v3."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.contract import RawOrder, Watermark
from connectors.woocommerce.mapping import map_order
from connectors.woocommerce.settings import MapSettings
from tests.connectors.harness import NOW
from tests.connectors.loopback import Asked
from tests.connectors.woocommerce.harness import modified, opened
from tests.connectors.woocommerce.stub import WooShop, row

SUBSET = Path(__file__).parents[4] / "shared/contracts/woocommerce/wc-v3-subset.openapi.yaml"
_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "number": (int, float),
}


@pytest.fixture(scope="module")
def subset() -> dict[str, Any]:
    if not SUBSET.exists():
        pytest.skip("../shared/contracts is not here")
    found: dict[str, Any] = yaml.safe_load(SUBSET.read_text("utf-8"))
    return found


def faults(schema: dict[str, Any], value: Any, subset: dict[str, Any], at: str = "") -> list[str]:
    """Say what is wrong with a value, by the few keywords that the subset uses."""
    if "$ref" in schema:
        schema = subset["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if value is None:
        return [] if schema.get("nullable") or not schema.get("type") else [f"{at}: null"]
    found = [f for part in schema.get("allOf", ()) for f in faults(part, value, subset, at)]
    kind = schema.get("type")
    if kind == "integer":
        right = isinstance(value, int) and not isinstance(value, bool)
    else:
        right = isinstance(value, _TYPES.get(kind or "", object))
    if not right:
        return [*found, f"{at}: not {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: not one of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{at}: not {schema['pattern']}")
    if kind == "array" and "items" in schema:
        found += [f for one in value for f in faults(schema["items"], one, subset, f"{at}[]")]
    if kind == "object":
        found += [f"{at}: no {name}" for name in schema.get("required", ()) if name not in value]
        for name, part in schema.get("properties", {}).items():
            if name in value:
                found += faults(part, value[name], subset, f"{at}.{name}")
    return found


def request_faults(asked: Asked, subset: dict[str, Any]) -> list[str]:
    route = subset["paths"][asked.path][asked.method.lower()]
    known = {one["name"]: one["schema"] for one in route.get("parameters", ())}
    found = []
    for name, text in asked.query.items():
        if name.startswith("oauth_"):
            continue
        schema = known.get(name)
        if schema is None:
            found.append(f"{name}: not known")
            continue
        if schema.get("format") == "date-time":
            datetime.fromisoformat(text)
        value: Any = text.split(",") if schema["type"] == "array" else text
        if schema["type"] == "integer":
            value = int(text)
            found += [f"{name}: too much"] * (value > schema.get("maximum", value))
        elif schema["type"] == "boolean":
            value = json.loads(text)
        found += faults(schema, value, subset, name)
    return found


@pytest.mark.parametrize("read_by", ["modified", "created"])
def test_every_request_is_one_of_the_subset(subset: dict[str, Any], read_by: str) -> None:
    shop = WooShop(*(row(n, modified(n)) for n in range(1, 30)))
    connector = opened(shop, read_by=read_by)
    for stream in ("orders", "trash"):
        list(connector.pull(stream, Watermark(), None, NOW))
    connector.check()
    connector.totals(NOW, NOW)
    assert [f for asked in shop.loopback.asked for f in request_faults(asked, subset)] == []


def test_the_stub_answers_as_the_subset_says(subset: dict[str, Any]) -> None:
    order = row(1, modified(1), refunds=[{"id": 2, "reason": "", "total": "-500"}])
    schema = subset["components"]["schemas"]["Order"]
    assert faults(schema, order, subset) == []
    assert faults(schema, order | {"total": 2500}, subset) == [".total: not string"]


def test_the_subsets_own_example_becomes_an_order(subset: dict[str, Any]) -> None:
    answer = subset["paths"]["/wp-json/wc/v3/orders"]["get"]["responses"]["200"]
    (example,) = answer["content"]["application/json"]["examples"]["oneOrder"]["value"]
    order = map_order(RawOrder("727", example), MapSettings())
    assert (order.total, order.subtotal, order.discount, order.shipping) == (5550, 5500, 500, 550)
    assert (order.buyer.kana, order.buyer.address) == (
        "ミホン ハナコ",
        "北海道 札幌市中央区 見本町1-2-3",
    )
    assert (order.buyer.member_id, order.coupon_code, order.warnings) == ("26", "welcome500", ())
