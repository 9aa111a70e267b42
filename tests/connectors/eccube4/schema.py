"""The fields and arguments of the Web API plugin that are documented, in its own types."""

from __future__ import annotations

from datetime import datetime

from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema, build_schema

_SPANS = ("order", "payment", "update", "shipping_delivery")
_TYPES = """
scalar DateTime

type OrderPageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! }
type OrderConnection { nodes: [Order] pageInfo: OrderPageInfo! totalCount: Int! }

type OrderStatus { id: ID! name: String! sort_no: Int! }
type OrderItemType { id: ID! name: String! sort_no: Int! }
type Pref { id: ID! name: String! sort_no: Int! }
type Sex { id: ID! name: String! sort_no: Int! }
type Payment { id: ID! method: String charge: Float }
type Delivery { id: ID! name: String service_name: String }

type Customer {
  id: ID! name01: String! name02: String! kana01: String kana02: String email: String!
  phone_number: String birth: DateTime first_buy_date: DateTime last_buy_date: DateTime
  buy_times: Float buy_total: Float point: Float note: String Sex: Sex Pref: Pref
}

type OrderItem {
  id: ID! product_name: String! product_code: String class_name1: String class_name2: String
  class_category_name1: String class_category_name2: String price: Float! quantity: Float!
  tax: Float! tax_rate: Float! tax_adjust: Float! currency_code: String point_rate: Float
  Order: Order Shipping: Shipping OrderItemType: OrderItemType
}

type Shipping {
  id: ID! name01: String! name02: String! kana01: String kana02: String phone_number: String
  postal_code: String addr01: String addr02: String shipping_delivery_name: String
  shipping_delivery_time: String shipping_delivery_date: DateTime shipping_date: DateTime
  tracking_number: String note: String mail_send_date: DateTime
  create_date: DateTime! update_date: DateTime! Pref: Pref Delivery: Delivery
}

type Order {
  id: ID! pre_order_id: String order_no: String message: String name01: String! name02: String!
  kana01: String kana02: String company_name: String email: String phone_number: String
  postal_code: String addr01: String addr02: String birth: DateTime
  subtotal: Float! discount: Float! delivery_fee_total: Float! charge: Float! tax: Float!
  total: Float! payment_total: Float! payment_method: String note: String
  create_date: DateTime! update_date: DateTime! order_date: DateTime payment_date: DateTime
  currency_code: String add_point: Float! use_point: Float!
  OrderItems: [OrderItem] Shippings: [Shipping] Customer: Customer Pref: Pref Sex: Sex
  Payment: Payment OrderStatus: OrderStatus
}
"""


def schema(*, by_instant: bool = True) -> GraphQLSchema:
    """The schema of EC-CUBE 4.1 and later; without searching by instant, of 4.0."""
    spans = [f"{name}_date" for name in _SPANS]
    arguments = [f"{one}_{end}: String" for one in spans for end in ("start", "end")]
    if by_instant:
        arguments += [f"{one}time_{end}: DateTime" for one in spans for end in ("start", "end")]
    listed = " ".join(["page: Int = 1", "limit: Int = 50", "status: [String]", *arguments])
    query = f"type Query {{ orders({listed}): OrderConnection order(id: ID!): Order }}"
    found = build_schema(_TYPES + query)
    scalar = found.type_map["DateTime"]
    assert isinstance(scalar, GraphQLScalarType)
    scalar.coerce_input_value = _instant
    return found


def _instant(told: object) -> datetime:
    """PHP's ATOM: an offset is needed, fractions are not known."""
    try:
        return datetime.strptime(str(told), "%Y-%m-%dT%H:%M:%S%z")
    except ValueError as error:
        raise GraphQLError("DateTime parse error") from error
