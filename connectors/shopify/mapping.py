"""One order of the Admin GraphQL API to an Order; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from connectors.contract import (
    Buyer,
    Line,
    Order,
    PaymentKind,
    RawOrder,
    Recipient,
)
from connectors.kit import people
from connectors.kit.fields import Unreadable, mapped
from connectors.kit.money import BadMoney, exponent, parse_minor, unknown_currency
from connectors.kit.payment_kinds import payment_kind
from connectors.shopify.settings import MapSettings
from connectors.shopify.standing import parcels, standing

Node = Mapping[str, Any]

_TOLD = frozenset(
    [
        *("external_id", "number", "ordered_at", "time_unknown", "currency", "cancelled_at"),
        *("payment_method", "payment_kind", "subtotal", "shipping", "discount", "tax", "total"),
        *("refunded", "coupon_code", "buyer_comment", "note", "lines"),
    ]
)
_BUYER = frozenset(
    f"buyer.{name}"
    for name in (
        *("member_id", "email", "email_is_relay", "name", "family_name", "given_name"),
        *("phone", "postal_code", "address", "locale"),
    )
)
_RECIPIENT = frozenset(f"recipient.{n}" for n in ("name", "phone", "postal_code", "address"))
_CONSENT = {"SUBSCRIBED": True, "NOT_SUBSCRIBED": False, "UNSUBSCRIBED": False, "PENDING": False}
_MONEY = {
    "subtotal": "subtotalPriceSet",
    "shipping": "totalShippingPriceSet",
    "discount": "totalDiscountsSet",
    "tax": "totalTaxSet",
    "total": "totalPriceSet",
    "refunded": "totalRefundedSet",
}


def map_order(raw: RawOrder, settings: MapSettings) -> Order:
    """Translate the payload. Raises BadRecord naming the field."""
    return mapped(raw, lambda one: _order(one, settings))


def _order(raw: RawOrder, settings: MapSettings) -> Order:
    node = raw.payload
    warnings: list[str] = []
    currency = _currency(node)
    money = {name: _amount(node, key, currency) for name, key in _MONEY.items()}
    if money["total"] is None:
        raise _bad("bad_money", "totalPriceSet", "The total is missing.", "合計がありません。")
    if money["total"] < 0:
        raise _bad("negative_total", "totalPriceSet", "The total is negative.", "合計が負です。")
    found: dict[str, Any] = {**money, **standing(node, money, warnings), **parcels(node)}
    found |= _attributes(node, settings, warnings) | _consent(node) | _lifetime(node)
    buyer = _buyer(node, found.pop("kana", None), warnings)
    method, kind = _payment(node, settings, money["total"])
    return Order(
        external_id=raw.external_id,
        number=people.text(node.get("name")) or raw.external_id,
        ordered_at=_ordered_at(node),
        currency=currency,
        present=_present(node, found, buyer, warnings),
        updated_at=moment(node.get("updatedAt")),
        cancelled_at=moment(node.get("cancelledAt")),
        payment_method=method,
        payment_kind=kind,
        coupon_code=",".join(filter(None, map(people.text, _list(node, "discountCodes")))) or None,
        buyer_comment=people.text(node.get("note")),
        note=_note(node),
        buyer=buyer,
        recipient=_recipient(node),
        lines=tuple(_line(one, currency) for one in _list(_object(node, "lineItems"), "nodes")),
        warnings=tuple(dict.fromkeys(warnings)),
        **found,
    )


def _present(
    node: Node, found: Mapping[str, Any], buyer: Buyer, warnings: list[str]
) -> frozenset[str]:
    """Name what was told; people that Shopify withholds or has erased are not told as empty."""
    told = _TOLD | found.keys()
    if buyer.kana is not None:
        told |= {"buyer.kana"}
    if node.get("email") or node.get("customer") or node.get("billingAddress"):
        told |= _BUYER
    if "bad_email" in warnings:
        told -= {"buyer.email", "buyer.email_is_relay"}
    if node.get("shippingAddress"):
        told |= _RECIPIENT
    return frozenset(told)


# --- values ----------------------------------------------------------------------------------


def _object(node: Node, name: str) -> Node:
    value = node.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(node: Node, name: str) -> list[Any]:
    value = node.get(name)
    return value if isinstance(value, list) else []


def moment(value: Any) -> datetime | None:
    """Read an instant; None for an empty or unreadable one."""
    try:
        found = datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found and found.tzinfo else None


def _ordered_at(node: Node) -> datetime:
    found = moment(node.get("processedAt")) or moment(node.get("createdAt"))
    if found is None:
        raise _bad("bad_date", "processedAt", "Not a date.", "日付を読み取れません。")
    return found


def _bad(code: str, name: str, reason: str, reason_ja: str) -> Unreadable:
    return Unreadable(code, name, f"{name}: {reason}", f"「{name}」: {reason_ja}")


def _currency(node: Node) -> str:
    code = str(node.get("currencyCode") or "")
    try:
        exponent(code)
    except BadMoney as error:
        raise _bad(
            "bad_currency",
            "currencyCode",
            *unknown_currency(code),
        ) from error
    return code


def _amount(node: Node, name: str, currency: str) -> int | None:
    money = _object(_object(node, name), "shopMoney")
    if not money:
        return None
    try:
        if money.get("currencyCode", currency) != currency:
            raise BadMoney(f"not in {currency}")
        return parse_minor(str(money.get("amount")), currency)
    except BadMoney as error:
        raise _bad(
            "bad_money",
            name,
            f"This is not an exact amount: {error}.",
            "金額として読み取れません。",
        ) from error


def _line(line: Any, currency: str) -> Line:
    node: Node = line if isinstance(line, Mapping) else {}
    title, variant = people.text(node.get("title")), people.text(node.get("variantTitle"))
    if variant and variant != "Default Title":
        title = f"{title} - {variant}" if title else variant
    sku = people.text(node.get("sku"))
    quantity = node.get("quantity")
    return Line(
        name=title or sku or "-",
        sku=sku,
        quantity=quantity if isinstance(quantity, int) else 1,
        unit_price=_amount(node, "originalUnitPriceSet", currency),
        amount=_amount(node, "discountedTotalSet", currency),
    )


# --- how it was paid, wished and agreed to -------------------------------------------------------


def _payment(node: Node, settings: MapSettings, total: int) -> tuple[str | None, PaymentKind]:
    names = [name for name in map(people.text, _list(node, "paymentGatewayNames")) if name]
    if not names:
        return None, PaymentKind.UNKNOWN if total else PaymentKind.FREE
    kinds = [settings.payments.get(name.lower()) or payment_kind(name) for name in names]
    known = [kind for kind in kinds if kind is not PaymentKind.UNKNOWN]
    return ", ".join(names), known[0] if known else PaymentKind.UNKNOWN


def _pairs(node: Node) -> dict[str, str]:
    entries = [one for one in _list(node, "customAttributes") if isinstance(one, Mapping)]
    return {str(one.get("key")): people.text(one.get("value")) or "" for one in entries}


def _note(node: Node) -> str | None:
    return "\n".join(f"{key}: {value}" for key, value in _pairs(node).items()) or None


def _attributes(node: Node, settings: MapSettings, warnings: list[str]) -> dict[str, Any]:
    pairs = _pairs(node)
    found: dict[str, Any] = {}
    for name, key in settings.attributes.items():
        if key not in pairs:
            continue
        value: Any = pairs[key] or None
        if name == "kana":
            value = people.kana(value)
        elif name == "delivery_date":
            value = _day(value, warnings)
        found[name] = value
    return found


def _day(value: str | None, warnings: list[str]) -> date | None:
    try:
        return date.fromisoformat(value[:10].replace("/", "-")) if value else None
    except ValueError:  # often words: 指定なし; an order is not refused for them
        if any(sign.isdigit() for sign in value or ""):
            warnings.append("bad_delivery_date")
        return None


def _consent(node: Node) -> dict[str, Any]:
    """What the customer agreed to now; of a guest, what was ticked with this order."""
    address = _object(_object(node, "customer"), "defaultEmailAddress")
    if address:
        told = _CONSENT.get(str(address.get("marketingState")))
        at = moment(address.get("marketingUpdatedAt"))
        return {} if told is None else {"marketing_consent": told, "consent_at": at}
    ticked = node.get("customerAcceptsMarketing")
    if isinstance(ticked, bool) and people.text(node.get("email")):
        return {"marketing_consent": ticked}
    return {}


def _lifetime(node: Node) -> dict[str, Any]:
    """Shopify's count is of today: it belongs to the customer's last order and to no other."""
    customer = _object(node, "customer")
    last = _object(customer, "lastOrder").get("id")
    count = str(customer.get("numberOfOrders") or "")
    if not last or last != node.get("id") or not count.isdigit():
        return {}
    return {"platform_order_count": int(count)}


# --- people ----------------------------------------------------------------------------------


def _buyer(node: Node, kana: str | None, warnings: list[str]) -> Buyer:
    customer = _object(node, "customer")
    billing = _object(node, "billingAddress") or _object(node, "shippingAddress")
    default = _object(customer, "defaultEmailAddress")
    told = node.get("email") or default.get("emailAddress")
    email = people.mail(told)
    if email is None and people.text(told):
        warnings.append("bad_email")
    named = next((one for one in (billing, customer) if one.get("lastName")), billing or customer)
    family, given = people.name(named.get("lastName")), people.name(named.get("firstName"))
    phones = (
        node.get("phone"),
        billing.get("phone"),
        _object(customer, "defaultPhoneNumber").get("phoneNumber"),
    )
    return Buyer(
        member_id=(people.text(customer.get("id")) or "").rpartition("/")[2] or None,
        email=email,
        name=people.spaced(family, given),
        family_name=family,
        given_name=given,
        kana=kana,
        phone=next(filter(None, map(people.phone, phones)), None),
        postal_code=people.text(billing.get("zip")),
        address=_address(billing),
        locale=people.text(node.get("customerLocale")),
    )


def _recipient(node: Node) -> Recipient | None:
    there = _object(node, "shippingAddress")
    found = Recipient(
        name=people.spaced(people.name(there.get("lastName")), people.name(there.get("firstName"))),
        phone=people.phone(there.get("phone")),
        postal_code=people.text(there.get("zip")),
        address=_address(there),
    )
    return None if found == Recipient() else found


def _address(part: Node) -> str | None:
    japan = part.get("countryCodeV2") in {"JP", None}
    code = people.text(part.get("provinceCode")) or ""
    province = (people.prefecture(code) if japan else None) or part.get("province")
    street = people.spaced(part.get("city"), part.get("address1"), part.get("address2"))
    return people.spaced(province, street) if street else None
