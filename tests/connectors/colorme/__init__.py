"""Color Me Shop against a pretend shop."""
