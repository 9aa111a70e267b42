"""Discount codes of a Shopify shop: one for a customer, or many of one discount."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from connectors.contract import ChannelConfig, NeedsPerson, Pace, Vault
from connectors.kit import waiting
from connectors.kit.coupons import CouponTerms, Made, MadeCoupon, decimal_text
from connectors.shopify import queries
from connectors.shopify.client import Client
from connectors.shopify.settings import talk_settings

MOST = 250
"""Codes that Shopify takes at once."""


class ShopifyCoupons:
    """Makes discount codes that work once; needs ``read_discounts`` and ``write_discounts``.

    A code bound to a member is a discount of its own. Others share one discount, whose first
    code is made with it; the rest is made in the background and confirmed later.
    """

    kind = "shopify"
    BINDS: ClassVar[Literal["email", "member_id"]] = "member_id"

    def __init__(self, config: ChannelConfig, *, vault: Vault, pace: Pace) -> None:
        self._client = Client(talk_settings(config), vault, pace)

    def make(self, codes: Sequence[str], terms: CouponTerms) -> Made:
        """Make at most MOST codes. Raises ValueError for more."""
        if not 0 < len(codes) <= MOST:
            raise ValueError(f"1 to {MOST} codes are made at once")
        if terms.member_id is not None:
            return _joined([self._create(code, terms) for code in codes])
        # Once per customer would hold for the whole shared discount: a second coupon of the
        # same batch, years later, would be refused. Each code works once by its own limit.
        first = self._create(codes[0], terms)
        if len(codes) == 1 or not first.confirmed:
            return first
        rest = self._add(first.confirmed[0].source_id, codes[1:])
        return _joined([first, rest])

    def _create(self, code: str, terms: CouponTerms) -> Made:
        found = self._find(code)
        if found is not None:
            ours = (found.get("codeDiscount") or {}).get("title") == _title(terms)
            if not ours:
                return Made(refused=((code, "taken"),))
            return Made(confirmed=(MadeCoupon(code, str(found["id"])),))
        told = self._change(queries.COUPON_CREATE, {"input": _input(code, terms)})
        result = told["discountCodeBasicCreate"]
        if "TAKEN" in _codes(result):
            return Made(refused=((code, "taken"),))
        _refuse(result)
        return Made(confirmed=(MadeCoupon(code, str(result["codeDiscountNode"]["id"])),))

    def _add(self, discount: str, codes: Sequence[str]) -> Made:
        variables = {"discountId": discount, "codes": [{"code": code} for code in codes]}
        result = self._change(queries.CODES_ADD, variables)["discountRedeemCodeBulkAdd"]
        _refuse(result)
        token = {"discount": discount, "creation": result["bulkCreation"]["id"]}
        return Made(pending=json.dumps(token))

    def confirm(self, pending: str) -> Made:
        """Ask for the codes that were added in the background."""
        token = json.loads(pending)
        told = self._client.ask(queries.CODES_STATUS, {"id": token["creation"]}).data
        creation = told.get("discountRedeemCodeBulkCreation")
        if not isinstance(creation, Mapping):
            raise waiting.unreadable("Shopify: codes")
        if not creation.get("done"):
            return Made(pending=pending)
        confirmed: list[MadeCoupon] = []
        refused: list[tuple[str, str]] = []
        for node in (creation.get("codes") or {}).get("nodes") or ():
            code, there = str(node.get("code")), node.get("discountRedeemCode")
            if there or self._ours(code, token["discount"]):
                confirmed.append(MadeCoupon(code, str(token["discount"])))
            else:
                refused.append((code, _reason(node.get("errors"))))
        return Made(tuple(confirmed), tuple(refused))

    def _ours(self, code: str, discount: str) -> bool:
        """A code that an earlier, broken attempt has made already is no other's."""
        found = self._find(code)
        return found is not None and found.get("id") == discount

    def used(self, made: MadeCoupon) -> bool:
        """Only for a discount of one code: of a shared one, orders tell (``coupon_code``)."""
        found = self._find(made.code)
        if found is None or _several(found):
            return False
        return int((found.get("codeDiscount") or {}).get("asyncUsageCount") or 0) > 0

    def void(self, made: MadeCoupon) -> bool:
        """End a discount of one code. False for one of several: that would end them all."""
        found = self._find(made.code)
        if found is None:
            return True
        if _several(found):
            return False
        _refuse(self._change(queries.CODE_VOID, {"id": found["id"]})["discountCodeDeactivate"])
        return True

    def _find(self, code: str) -> Mapping[str, Any] | None:
        found = self._client.ask(queries.COUPON_FIND, {"code": code}).data
        node = found.get("codeDiscountNodeByCode")
        return node if isinstance(node, Mapping) else None

    def _change(self, query: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._client.ask(query, variables).data


def _several(found: Mapping[str, Any]) -> bool:
    count = ((found.get("codeDiscount") or {}).get("codesCount") or {}).get("count")
    return count != 1


def _title(terms: CouponTerms) -> str:
    return f"{terms.title} [{terms.reference}]"


def _input(code: str, terms: CouponTerms) -> dict[str, Any]:
    if terms.amount is None:
        value: dict[str, Any] = {"percentage": (terms.percent or 0) / 100}
    else:
        amount = decimal_text(terms.amount, terms.currency)
        value = {"discountAmount": {"amount": amount, "appliesOnEachItem": False}}
    buyers: dict[str, Any] = {"all": "ALL"}
    if terms.member_id is not None:
        buyers = {"customers": {"add": [f"gid://shopify/Customer/{terms.member_id}"]}}
    told: dict[str, Any] = {
        "title": _title(terms),
        "code": code,
        "startsAt": _instant(terms.starts_at),
        "endsAt": _instant(terms.ends_at),
        "usageLimit": 1,
        "appliesOncePerCustomer": terms.member_id is not None,
        "context": buyers,
        "customerGets": {"value": value, "items": {"all": True}},
    }
    if terms.minimum is not None:
        least = {"greaterThanOrEqualToSubtotal": decimal_text(terms.minimum, terms.currency)}
        told["minimumRequirement"] = {"subtotal": least}
    return told


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _joined(parts: Sequence[Made]) -> Made:
    pending = next((part.pending for part in parts if part.pending), None)
    return Made(
        tuple(one for part in parts for one in part.confirmed),
        tuple(one for part in parts for one in part.refused),
        pending,
    )


def _codes(result: Mapping[str, Any]) -> set[str]:
    return {str(error.get("code")) for error in result.get("userErrors") or ()}


def _refuse(result: Mapping[str, Any]) -> None:
    """Raise for what the shop refused: success is only an empty ``userErrors``."""
    errors = result.get("userErrors") or ()
    if not errors:
        return
    words = _reason(errors)
    raise NeedsPerson(
        f"Shopify がクーポンを断りました。Shopify refused the discount: {words}.",
        "アプリの権限 write_discounts とクーポンの条件を確認してください。"
        "Check the scope write_discounts and the coupon's terms.",
    )


def _reason(errors: Any) -> str:
    told = [error for error in errors or () if isinstance(error, Mapping)]
    if any(error.get("code") == "TAKEN" for error in told):
        return "taken"
    return "; ".join(str(error.get("message") or error.get("code")) for error in told)[:200]
