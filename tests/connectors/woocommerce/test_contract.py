"""Requests and the stub's answers are valid against the OpenAPI subset of wc/v3."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from connectors.contract import RawOrder, Watermark
from connectors.woocommerce.mapping import map_order
from connectors.woocommerce.settings import MapSettings
from tests.connectors.harness import NOW
from tests.connectors.loopback import Asked
from tests.connectors.woocommerce.harness import modified, opened
from tests.connectors.woocommerce.stub import WooShop, row
from tests.connectors.woocommerce.subset import faults


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
