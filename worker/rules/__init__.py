"""Decisions without input or output: pure functions over frozen facts, with `now` given."""
