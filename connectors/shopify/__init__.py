"""Orders and discount codes of a Shopify shop, by its Admin GraphQL API."""
