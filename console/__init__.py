"""The review desk: pages and JSON API over the same pipeline functions as the command line."""
