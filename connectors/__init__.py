"""Connectors: one folder for each marketplace kind, and nothing of the worker in any of them."""
