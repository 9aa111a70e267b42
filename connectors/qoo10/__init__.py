"""Orders of a Qoo10 Japan shop, by the QSM API (ShippingBasic)."""
