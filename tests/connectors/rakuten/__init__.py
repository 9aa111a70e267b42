"""Rakuten Ichiba against a pretend RMS."""
