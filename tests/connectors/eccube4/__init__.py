"""EC-CUBE 4 against a pretend shop."""
