"""Tests of the WooCommerce connector."""
