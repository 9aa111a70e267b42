"""Yahoo! Shopping against a pretend store."""
