"""Okaeri's worker: the path from a marketplace's order export to a reviewed, dispatched mail."""
