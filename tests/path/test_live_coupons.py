"""From the fifth order to the code in the shop's cart and back, at pretend shops over HTTP."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.connectors.loopback import Answered, Asked
from tests.connectors.shopify import stub as shopify
from tests.connectors.woocommerce import stub as woo
from tests.documents import KEY
from tests.factories import tokyo
from tests.processes import Processes, until
from tests.service.till import House, bare_house
from worker.advance import advance, coupons
from worker.cli.imports import settle
from worker.live import keyring
from worker.pipeline.channel_admin import Setup, set_up
from worker.pipeline.channel_names import activate
from worker.pipeline.packing import PackingRow, packing_list
from worker.polling import poll_channel_once

__all__ = ["bare_house"]
DAYS = ("11-02", "11-04", "11-06", "11-09", "11-11")


@pytest.fixture
def at_shopify() -> Iterator[shopify.ShopifyShop]:
    shop = shopify.ShopifyShop()
    shop.restore = 200.0
    yield shop
    shop.loopback.stop()


@pytest.fixture
def at_woo() -> Iterator[woo.WooShop]:
    shop = woo.WooShop()
    yield shop
    shop.loopback.stop()


def opened(house: House, kind: str, settings: dict[str, Any], secrets: dict[str, str]) -> None:
    setup = Setup("own:main", kind, settings=settings, secrets=secrets)
    with house.session() as session:
        channel = set_up(session, house.ctx, keyring(house.runtime), setup, "test", house.now)
        activate(session, channel, tokyo("2026-11-01"), "test")


def shopify_opened(house: House, shop: shopify.ShopifyShop) -> None:
    settings = {"shop": shopify.SHOP, "base_url": shop.url}
    opened(house, "shopify", settings, {"access_token": shopify.TOKEN})


def woo_opened(house: House, shop: woo.WooShop) -> None:
    secrets = {"consumer_key": woo.KEY, "consumer_secret": woo.SECRET}
    opened(house, "woocommerce", {"base_url": shop.url}, secrets)


def shopify_orders(shop: shopify.ShopifyShop, person: int, **last: Any) -> int:
    """Five orders of one person; the number of the fifth."""
    mail = f"person{person}@example.jp"
    for place, day in enumerate(DAYS):
        number = person * 100 + place
        at = f"2026-{day}T01:00:00Z"
        buyer = shopify.customer(person, person * 100 + 4, 5) | {
            "defaultEmailAddress": {
                "emailAddress": mail, "marketingState": "SUBSCRIBED",
                "marketingUpdatedAt": "2026-01-05T00:00:00Z",
            },
        }  # fmt: skip
        more = last if place == len(DAYS) - 1 else {}
        placed = {"createdAt": at, "processedAt": at, "email": mail, "customer": buyer}
        name = shopify.person(firstName=f"花子{person}", phone=None)
        shop.put(shopify.order(number, at, billingAddress=name, **(placed | more)))
    return number


def woo_orders(shop: woo.WooShop, person: int) -> int:
    """Five orders of one member; the number of the fifth."""
    for place, day in enumerate(DAYS):
        number = person * 100 + place
        at = f"2026-{day}T01:00:00"
        order = woo.row(number, at, date_created_gmt=at, customer_id=person)
        who = {"first_name": f"花子{person}", "phone": "", "address_1": f"神宮前{person}"}
        mail = f"person{person}@example.jp"
        order["billing"] = order["billing"] | who | {"email": mail}
        shop.put(order)
    return number


def read(house: House) -> None:
    """Poll everything, and let ledger and shop follow."""
    assert poll_channel_once(house.runtime, "own:main", house.now, every_stream=True).problem == ""
    advance(house.runtime, house.now)
    coupons(house.runtime, house.now)
    advance(house.runtime, house.now)


def cards(house: House) -> list[PackingRow]:
    with house.session() as session:
        return packing_list(session, house.ctx, house.now.date())


def test_a_code_at_shopify_is_the_buyers_own_ended_on_cancel_and_read_back(
    bare_house: House, at_shopify: shopify.ShopifyShop
) -> None:
    house, shop = bare_house, at_shopify
    shopify_opened(house, shop)
    fifth = shopify_orders(shop, 1)
    shopify_orders(shop, 2)
    read(house)

    first, second = cards(house)
    assert [row.held for row in (first, second)] == ["", ""]
    made = {kept["code"]: kept for kept in shop.discounts.values()}
    assert set(made) == {first.coupon, second.coupon}
    told = made[first.coupon]
    assert told["context"] == {"customers": {"add": ["gid://shopify/Customer/1"]}}
    assert told["customerGets"]["value"]["discountAmount"]["amount"] == "500"
    assert told["endsAt"] == "2026-12-16T14:59:59Z"

    house.later(hours=1)
    node = shop.orders[str(fifth)]
    at = "2026-11-16T01:30:00Z"
    shop.put(node | {"updatedAt": at, "cancelledAt": at, "displayFinancialStatus": "VOIDED"})
    code = {"discountCodes": [second.coupon.lower(), "WELCOME10"]}
    again = shopify.order(299, at, createdAt=at, processedAt=at, **code)
    again["customer"] = shop.orders["204"]["customer"]
    shop.put(again | {"email": "person2@example.jp"})
    read(house)

    ended = {kept["code"]: kept["ended"] for kept in shop.discounts.values()}
    assert ended == {first.coupon: True, second.coupon: False}
    assert house.codes() == ["void", "used"]
    assert house.tasks() == []


def test_codes_of_no_member_share_a_discount_at_shopify_and_are_confirmed_later(
    bare_house: House, at_shopify: shopify.ShopifyShop
) -> None:
    house, shop = bare_house, at_shopify
    shopify_opened(house, shop)
    house.milestones('[coupons.five]\nchannel = "own:main"\npercent = 10\nbound = false\n')
    for person in (1, 2, 3):
        shopify_orders(shop, person)
    shop.bulk_polls = 1
    read(house)
    assert sorted(house.codes()) == ["pending", "pending", "reserved"]
    assert sorted(bool(row.held) for row in cards(house)) == [False, True, True]

    coupons(house.runtime, house.later(seconds=30))
    assert sorted(house.codes()) == ["pending", "pending", "reserved"]
    coupons(house.runtime, house.later(seconds=30))

    assert house.codes() == ["reserved"] * 3
    (discount,) = shop.discounts.values()
    assert sorted(discount["codes"]) == sorted(row.coupon for row in cards(house))
    assert shop.operations().count("CouponCreate") == 1


def test_a_code_at_woocommerce_is_the_mails_and_staff_delete_what_we_cannot_end(
    bare_house: House, at_woo: woo.WooShop
) -> None:
    house, shop = bare_house, at_woo
    woo_opened(house, shop)
    fifth, other = woo_orders(shop, 1), woo_orders(shop, 2)
    read(house)
    first, second = cards(house)
    told = shop.coupons[first.coupon.lower()]
    assert told["email_restrictions"] == ["person1@example.jp"]
    assert (told["amount"], told["minimum_amount"]) == ("500.00", "3000")

    house.later(hours=1)
    at = "2026-11-16T01:30:00"
    gone = {"date_modified_gmt": at, "status": "cancelled"}
    shop.put(shop.orders[fifth] | gone)
    shop.put(shop.orders[other] | gone)
    shop.coupons[second.coupon.lower()]["usage_count"] = 1
    read(house)

    kinds = {task.detail["last4"]: task.kind for task in house.tasks()}
    assert kinds == {
        first.coupon[-4:]: "void_coupon",
        second.coupon[-4:]: "voided_coupon_used",
    }
    assert house.codes() == ["void", "used"]


def test_without_a_broker_a_command_has_its_codes_made_at_once(
    bare_house: House, at_woo: woo.WooShop
) -> None:
    house, shop = bare_house, at_woo
    woo_opened(house, shop)
    woo_orders(shop, 1)
    poll_channel_once(house.runtime, "own:main", house.now)

    settle(house.runtime)

    assert house.codes() == ["reserved"]
    assert [row.coupon.lower() for row in cards(house)] == list(shop.coupons)


def test_a_shop_in_maintenance_is_asked_again_and_a_wrong_key_waits_for_a_person(
    bare_house: House, at_woo: woo.WooShop
) -> None:
    house, shop = bare_house, at_woo
    woo_opened(house, shop)
    woo_orders(shop, 1)
    poll_channel_once(house.runtime, "own:main", house.now)
    advance(house.runtime, house.now)
    healthy, shop.loopback.handle = shop.loopback.handle, lambda _asked: Answered(503)
    coupons(house.runtime, house.now)
    assert (house.codes(), house.source().failures) == (["pending"], 1)
    shop.loopback.handle = healthy
    shop.secret = "cs_" + "c" * 40
    coupons(house.runtime, house.later(hours=1))
    assert house.source().paused
    assert "401" in house.source().problem or "鍵" in house.source().problem
    assert (house.codes(), shop.coupons) == (["pending"], {})


def test_killed_between_the_shops_doing_and_its_answer_makes_one_coupon(
    bare_house: House, at_woo: woo.WooShop, processes: Processes
) -> None:
    house, shop = bare_house, at_woo
    woo_opened(house, shop)
    woo_orders(shop, 1)
    poll_channel_once(house.runtime, "own:main", house.now)
    advance(house.runtime, house.now)
    healthy = shop.loopback.handle

    def slow(asked: Asked) -> Answered:
        answer = healthy(asked)
        if asked.method == "POST":
            time.sleep(20)
        return answer

    shop.loopback.handle = slow
    settings = house.runtime.settings
    env = {
        "OKAERI_KEY": base64.b64encode(KEY).decode(),
        "OKAERI_DATABASE_URL": settings.store_url,
    }
    folder = ("--data", str(settings.data))
    child = processes.python("worker.cli", "coupons", "make", *folder, **env)
    until(lambda: bool(shop.coupons), 60, child.words)
    child.kill9()
    assert house.codes() == ["pending"]
    shop.loopback.handle = healthy

    coupons(house.runtime, house.later(days=30, minutes=1))

    assert (len(shop.coupons), house.codes()) == (1, ["reserved"])
    (row,) = cards(house)
    assert row.coupon.lower() in shop.coupons
