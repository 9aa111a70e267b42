"""Orders and coupons of a WooCommerce shop, by its REST API wc/v3."""
