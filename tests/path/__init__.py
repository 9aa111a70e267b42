"""Stories over the whole path, from a file to a captured mail."""
