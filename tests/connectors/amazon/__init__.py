"""Amazon: a pretend marketplace, and what is read from it."""
