"""Every GraphQL operation this connector sends; tests check each against the published schema."""

from __future__ import annotations

VERSION = "2026-10"
"""The API version the operations are written for."""

_MONEY = "{ shopMoney { amount currencyCode } }"
_ADDRESS = (
    "{ firstName lastName address1 address2 city province provinceCode zip countryCodeV2 phone }"
)
_LINE = f"""
  id title variantTitle sku quantity currentQuantity
  originalUnitPriceSet {_MONEY}
  discountedTotalSet {_MONEY}
"""
_ORDER = f"""
  id legacyResourceId name createdAt processedAt updatedAt cancelledAt test
  email phone customerLocale customerAcceptsMarketing
  currencyCode taxesIncluded displayFinancialStatus displayFulfillmentStatus returnStatus
  sourceName note customAttributes {{ key value }} discountCodes paymentGatewayNames
  subtotalPriceSet {_MONEY}
  totalShippingPriceSet {_MONEY}
  totalTaxSet {_MONEY}
  totalDiscountsSet {_MONEY}
  totalPriceSet {_MONEY}
  totalRefundedSet {_MONEY}
  customer {{
    id firstName lastName numberOfOrders
    lastOrder {{ id }}
    defaultEmailAddress {{ emailAddress marketingState marketingUpdatedAt }}
    defaultPhoneNumber {{ phoneNumber }}
  }}
  billingAddress {_ADDRESS}
  shippingAddress {_ADDRESS}
  fulfillments(first: 10) {{
    id status displayStatus createdAt deliveredAt trackingInfo(first: 5) {{ company number }}
  }}
"""

ORDERS = f"""
query OrdersSync($first: Int!, $after: String, $filter: String!) {{
  orders(first: $first, after: $after, query: $filter, sortKey: UPDATED_AT, reverse: false) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ {_ORDER}
      lineItems(first: 50) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {_LINE} }} }}
    }}
  }}
}}
"""

LINES = f"""
query OrderLines($id: ID!, $after: String) {{
  order(id: $id) {{
    lineItems(first: 250, after: $after) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ {_LINE} }}
    }}
  }}
}}
"""

TOTALS = f"""
query OrderTotals($first: Int!, $after: String, $filter: String!) {{
  orders(first: $first, after: $after, query: $filter, sortKey: PROCESSED_AT, reverse: false) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ legacyResourceId processedAt test totalPriceSet {_MONEY} }}
  }}
}}
"""

COUNT = """
query OrdersCount($filter: String!, $limit: Int) {
  ordersCount(query: $filter, limit: $limit) { count precision }
}
"""

SHOP = """
query ShopCheck {
  shop { name currencyCode }
  currentAppInstallation { accessScopes { handle } }
}
"""

BULK_RUN = """
mutation BulkOrders($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: false) {
    bulkOperation { id status }
    userErrors { field message }
  }
}
"""

BULK_STATUS = """
query BulkStatus($id: ID!) {
  bulkOperation(id: $id) { id status errorCode objectCount url }
}
"""

COUPON_CREATE = """
mutation CouponCreate($input: DiscountCodeBasicInput!) {
  discountCodeBasicCreate(basicCodeDiscount: $input) {
    codeDiscountNode { id }
    userErrors { field code message }
  }
}
"""

COUPON_FIND = """
query CouponFind($code: String!) {
  codeDiscountNodeByCode(code: $code) {
    id
    codeDiscount {
      ... on DiscountCodeBasic { title asyncUsageCount codesCount { count } }
    }
  }
}
"""

CODES_ADD = """
mutation CouponCodesAdd($discountId: ID!, $codes: [DiscountRedeemCodeInput!]!) {
  discountRedeemCodeBulkAdd(discountId: $discountId, codes: $codes) {
    bulkCreation { id done codesCount importedCount failedCount }
    userErrors { field code message }
  }
}
"""

CODES_STATUS = """
query CouponCodesStatus($id: ID!) {
  discountRedeemCodeBulkCreation(id: $id) {
    id done codesCount importedCount failedCount
    codes(first: 250) { nodes { code errors { field code message } discountRedeemCode { id } } }
  }
}
"""

CODE_VOID = """
mutation CouponVoid($id: ID!) {
  discountCodeDeactivate(id: $id) {
    codeDiscountNode { id }
    userErrors { field code message }
  }
}
"""


def bulk_orders(filter_text: str) -> str:
    """The query of a bulk operation: no variables, no pages; ``filter_text`` holds no quote."""
    return f"""
{{
  orders(query: "{filter_text}") {{
    edges {{ node {{ {_ORDER}
      lineItems {{ edges {{ node {{ {_LINE} }} }} }}
    }} }}
  }}
}}
"""
