"""Placeholders about the orders of a mail and their parcel."""

from __future__ import annotations

from worker.mail import wording
from worker.mail.declared.shape import Placeholder, line
from worker.mail.facts import TextFacts


def _order_count(facts: TextFacts, _locale: str) -> str | None:
    return str(len(facts.orders)) if facts.orders else None


def _several(facts: TextFacts, _locale: str) -> str | None:
    return "yes" if len(facts.orders) > 1 else None


def _prepaid(facts: TextFacts, _locale: str) -> str | None:
    return "yes" if facts.prepaid else None


ORDERS: tuple[Placeholder, ...] = (
    Placeholder(
        "order_number",
        "注文番号",
        "Order number",
        "Number people read; for several orders the first and how many more",
        ("orders",),
        "20261122-0142",
        "20261122-0142",
        wording.order_number,
        quoted=True,
    ),
    Placeholder(
        "ordered_on_text",
        "注文日",
        "Order date",
        "Day of the order in the shop's zone",
        ("orders",),
        "2026年11月22日(日)",
        "Sunday, 22 November 2026",
        wording.ordered_on,
    ),
    Placeholder(
        "order_lines_block",
        "ご注文内容",
        "Items and amounts",
        "Item names, quantities, amounts and the total of every order",
        ("orders",),
        "・煎茶ティーバッグ\n  2点  2,160円\nお支払い合計: 2,710円(税込)",
        "・Sencha tea bags\n  Quantity 2  ¥2,160\nTotal: ¥2,710 (tax included)",
        wording.order_lines,
        quoted=True,
    ),
    Placeholder(
        "item_names_block",
        "お品名と数量",
        "Items",
        "Item names and quantities without amounts",
        ("orders",),
        "・煎茶ティーバッグ  2点",
        "・Sencha tea bags  Quantity 2",
        wording.item_names,
        quoted=True,
    ),
    Placeholder(
        "order_count",
        "ご注文件数",
        "Number of orders",
        "How many orders this mail answers",
        ("orders",),
        "2",
        "2",
        _order_count,
    ),
    Placeholder(
        "payment_method_text",
        "お支払い方法",
        "Payment method",
        "How the order is paid; its line falls away where the source does not tell",
        ("orders",),
        "クレジットカード",
        "Credit card",
        wording.payment_method,
        optional=True,
    ),
    Placeholder(
        "ship_plan_text",
        "発送・お届け予定",
        "Shipping plan",
        "When it will be sent, with its particle, to stand before お送りする",
        ("ship_plan",),
        "11月24日(火)までに",
        "by Tuesday, 24 November",
        wording.ship_plan,
    ),
    Placeholder(
        "delivery_plan_text",
        "お届け予定(短)",
        "Shipping plan, short",
        "The same plan as a note behind a label",
        ("ship_plan",),
        "11月24日(火)までに発送予定",
        "leaves us by Tuesday, 24 November",
        wording.delivery_plan,
    ),
    Placeholder(
        "arrival_text",
        "お届け時期",
        "Arrival",
        "About when the parcel reached the door, with its particle",
        ("arrival_on",),
        "11月25日(水)ごろに",
        "around Wednesday, 25 November",
        wording.arrival,
    ),
    Placeholder(
        "carrier_name",
        "配送会社",
        "Carrier",
        "Who brings the parcel",
        ("parcel.carrier",),
        "ヤマト運輸",
        "Yamato Transport",
        line("parcel.carrier"),
    ),
    Placeholder(
        "tracking_number",
        "お問い合わせ伝票番号",
        "Tracking number",
        "The carrier's number",
        ("parcel.tracking_number",),
        "1234-5678-9012",
        "1234-5678-9012",
        line("parcel.tracking_number"),
        quoted=True,
    ),
    Placeholder(
        "is_several",
        "ご注文が2件以上のとき",
        "Several orders",
        "Condition: this mail answers more than one order",
        ("orders",),
        "yes",
        "yes",
        _several,
        optional=True,
        condition=True,
    ),
    Placeholder(
        "is_prepaid",
        "ご入金を確認したとき",
        "Payment has arrived",
        "Condition: the order waited for a transfer that has now arrived",
        ("prepaid",),
        "yes",
        "yes",
        _prepaid,
        optional=True,
        condition=True,
    ),
)
