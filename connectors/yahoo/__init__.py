"""Orders of a Yahoo! Shopping Japan store, by its order API (orderList, orderInfo)."""
