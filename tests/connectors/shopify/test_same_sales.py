"""The admin's order export and the API tell the same sales alike."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from connectors.contract import RawOrder
from connectors.csv_file.files import load_profiles, map_raw
from connectors.shopify.mapping import map_order
from connectors.shopify.settings import MapSettings
from tests.connectors.csv_file.tables import raws
from tests.connectors.same_sales import differences
from tests.connectors.shopify.stub import customer, line, money, order, person

COLUMNS = Path(__file__).parents[1] / "csv_file" / "samples" / "shopify.csv"


def yen(node: dict[str, Any], name: str) -> str:
    return f"{float(node[name]['shopMoney']['amount']):.2f}"


def local(text: str | None) -> str:
    """09:50 in Tokyo, as the export writes it."""
    if not text:
        return ""
    return f"{text[:10]} {int(text[11:13]) + 9:02d}{text[13:19]} +0900"


def party(kind: str, told: dict[str, Any] | None) -> dict[str, Any]:
    part = told or dict.fromkeys(person(), "")
    named = {"Zip": "'" + part["zip"] if part["zip"] else "", "City": part["city"]}
    named |= {"Address1": part["address1"], "Phone": part["phone"]}
    named["Name"] = f"{part['lastName']} {part['firstName']}".strip()
    named["Province Name"] = {"JP-13": "東京都", "JP-01": "北海道"}.get(part["provinceCode"], "")
    return {f"{kind} {column}": value for column, value in named.items()}


def exported(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The order as Admin > Orders > Export writes it: one row per line."""
    parcels = [p for p in node["fulfillments"] if p["status"] == "SUCCESS"]
    word = node["displayFulfillmentStatus"].lower()
    first = {
        "Name": node["name"], "Id": node["legacyResourceId"], "Email": node["email"],
        "Financial Status": node["displayFinancialStatus"].lower(),
        "Fulfillment Status": {"partially_fulfilled": "partial"}.get(word, word),
        "Fulfilled at": local(parcels[0]["createdAt"]) if parcels else "",
        "Accepts Marketing": "yes" if node["customerAcceptsMarketing"] else "no",
        "Currency": node["currencyCode"], "Subtotal": yen(node, "subtotalPriceSet"),
        "Shipping": yen(node, "totalShippingPriceSet"), "Taxes": yen(node, "totalTaxSet"),
        "Total": yen(node, "totalPriceSet"), "Refunded Amount": yen(node, "totalRefundedSet"),
        "Discount Code": ",".join(node["discountCodes"]),
        "Discount Amount": yen(node, "totalDiscountsSet"), "Created at": local(node["createdAt"]),
        "Cancelled at": local(node["cancelledAt"]), "Notes": node["note"],
        "Note Attributes": "\n".join(f"{a['key']}: {a['value']}" for a in node["customAttributes"]),
        "Payment Method": ", ".join(node["paymentGatewayNames"]),
    }  # fmt: skip
    people = party("Billing", node["billingAddress"]) | party("Shipping", node["shippingAddress"])
    rows = [
        {
            "Name": node["name"], "Email": node["email"], "Lineitem name": one["title"],
            "Lineitem sku": one["sku"], "Lineitem quantity": one["quantity"],
            "Lineitem price": yen(one, "originalUnitPriceSet"),
        }
        for one in node["lineItems"]["nodes"]
    ]  # fmt: skip
    rows[0] = first | people | rows[0]
    return rows


def sales() -> list[dict[str, Any]]:
    """A plain order, a shipped one partly refunded, a gift paid at the door, a voided one."""
    stamp = "2026-11-04T00:00:00Z"
    parcel: dict[str, Any] = {
        "status": "SUCCESS",
        "displayStatus": "IN_TRANSIT",
        "deliveredAt": None,
        "createdAt": "2026-11-02T01:00:00Z",
        "trackingInfo": [],
    }
    two = {"nodes": [line(1), line(2, title="湯呑", sku="cup", quantity=1)]}
    silent = customer(9, 0, 1)
    silent["defaultEmailAddress"]["marketingState"] = "NOT_SUBSCRIBED"
    return [
        order(1001, stamp),
        order(1002, stamp, displayFinancialStatus="PARTIALLY_REFUNDED", lineItems=two,
              displayFulfillmentStatus="FULFILLED", fulfillments=[parcel],
              totalRefundedSet=money("1000.0"), discountCodes=["TH5-A1"], note="よろしく",
              totalDiscountsSet=money("500.0"), customer=silent, customerAcceptsMarketing=False),
        order(1003, stamp, displayFinancialStatus="PENDING", paymentGatewayNames=["代金引換"],
              displayFulfillmentStatus="PARTIALLY_FULFILLED",
              customAttributes=[{"key": "のし", "value": "御礼"}],
              shippingAddress=person(firstName="太郎", provinceCode="JP-01", zip="060-0001")),
        order(1004, stamp, displayFinancialStatus="VOIDED", cancelledAt="2026-11-01T02:00:00Z"),
    ]  # fmt: skip


def test_the_file_and_the_api_agree_on_every_field_that_both_tell(tmp_path: Path) -> None:
    header = COLUMNS.read_text("utf-8-sig").splitlines()[0].split(",")
    path = tmp_path / "orders_export.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, header)
        writer.writeheader()
        writer.writerows(row for node in sales() for row in exported(node))
    files = {raw.external_id: map_raw(raw, load_profiles()) for raw in raws(path)}
    assert len(files) == 4
    for node in sales():
        told = map_order(RawOrder(node["legacyResourceId"], node), MapSettings())
        assert differences(told, files[told.external_id]) == {}
