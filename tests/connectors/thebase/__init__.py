"""BASE against a pretend shop."""
