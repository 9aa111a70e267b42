"""Orders of a BASE shop, by the BASE API (orders, orders/detail)."""
