"""Mail craft: texts, placeholders, rendering, composing, transports, coupons and the journal."""
