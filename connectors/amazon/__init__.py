"""Orders of an Amazon.co.jp seller, by the Selling Partner API (Orders 2026-01-01)."""
